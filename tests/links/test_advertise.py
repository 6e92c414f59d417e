"""When the box announces itself for IPv6, and when it has no business to."""

import asyncio
import logging
from pathlib import Path

import pytest

from edge_watchdog.links.advertise import Advertiser, has_internet_address
from tests.lab.lab import Lab
from tests.lab.netns import inside

TABLE = """\
fe80000000000000505400fffe000001 02 40 20 80     eth0
20010db8000100000000000000000100 02 40 00 00     eth0
fd000000000000000000000000000001 03 40 00 80     eth1
"""


@pytest.mark.parametrize(("interface", "has"), [("eth0", True), ("eth1", False), ("eth2", False)])
def test_only_addresses_of_the_internet_count(interface: str, *, has: bool, tmp_path: Path) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(TABLE, "ascii")
    assert has_internet_address(interface, table) is has
    assert not has_internet_address(interface, tmp_path / "none")


async def test_where_there_is_no_ipv6_nothing_is_announced_and_nothing_taken_back(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with inside(lab.box.namespace):
        advertiser = Advertiser("wan0")
        task = asyncio.create_task(advertiser.run())
        advertiser.want(wanted=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        advertiser.want(wanted=False)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert caplog.messages == []
