"""What holds for every test.  With REQUIRE_ALL set, as by ``make test``, nothing is left out."""

import contextlib
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# An example may take as long as a busy machine needs; how fast we are is bench's to say.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# A booted system also needs a kernel and a mirror that a machine may not offer; the rest is ours.
MAY_BE_SKIPPED = ("tests/system/", "tests/vm/")
# These wait for real timers: begun first, they leave the processors to the others.
WAITING = ("tests/netns/", "tests/system/", "tests/e2e/", "tests/lab_tests/", "tests/vendors/")
# What measures real time goes before all, what only computes after all; see setpriority(2).
NICE = {
    "tests/probes/": -10,
    "tests/links/": -10,
    "tests/netns/": -10,
    "tests/core/": 15,
    "tests/sim/": 15,
    "tests/incidents/": 15,
    "tests/config/": 15,
    "tests/journal/": 15,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what waits long before what computes; the order inside a file stays."""
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give the test, and all that it starts, its share; without root all are alike."""
    folder = "/".join(item.nodeid.split("/")[:2]) + "/"
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE.get(folder, 0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where everything is required."""
    report = yield
    is_wanted = os.environ.get("REQUIRE_ALL") and not item.nodeid.startswith(MAY_BE_SKIPPED)
    if is_wanted and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}; make test leaves nothing out"
    return report
