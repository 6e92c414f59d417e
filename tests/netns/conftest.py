"""A studio for each module, healed after each test; each test has a daemon without a past."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab

QUICK_FAILBACK = '[timing]\nfailback_after = "2s"\n'


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("self", phone=False) as standing:
        yield standing


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[Daemon]:
    """The watch half on broadband, with nothing wrong; whatever a test broke is healed after it."""
    with Daemon(lab, tmp_path / "daemon", only="watch", extra=QUICK_FAILBACK) as daemon:
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 10)
        yield daemon
        lab.heal_all()
