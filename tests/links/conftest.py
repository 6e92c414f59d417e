"""The links room against a real kernel: the box of a lab, with a broadband and an LTE leg."""

from collections.abc import AsyncIterator, Iterator

import pytest

from edge_watchdog.links.kernel import Kernel
from tests.lab.lab import Lab
from tests.lab.netns import inside


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("self", phone=False) as standing:
        yield standing


@pytest.fixture
async def kernel(lab: Lab) -> AsyncIterator[Kernel]:
    """A netlink connection that lives in the box; the test itself stays outside."""
    one = Kernel()
    with inside(lab.box.namespace):
        await one.open()
    yield one
    await one.close()
    lab.heal_all()
