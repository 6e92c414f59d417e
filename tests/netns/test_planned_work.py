"""Work that the vendor's page announces is told by the real box."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.patience import until


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(phone=False) as standing:
        yield standing


def told(lab: Lab) -> list[str]:
    return [post["text"] for post in lab.control.sink() if "plans work" in post["text"]]


def test_the_owner_hears_of_work_within_the_hour_and_the_desk_reads_it(
    lab: Lab, tmp_path: Path
) -> None:
    lab.control.behave(["status:planned"])
    with Daemon(lab, tmp_path / "daemon", only="watch") as daemon:
        view = daemon.wait(lambda v: "within the hour" in v.banner.changed, 20)
        assert [one.active for one in (view.vendor.windows if view.vendor else ())] == [False]
        until(lambda: bool(told(lab)), 20)
    [text] = told(lab)
    assert "BookWell plans work that begins in " in text
    assert "Planned database work" in text
