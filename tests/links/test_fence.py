"""Over a limited line only what is allowed is reached; the packet filter holds it."""

from collections.abc import Iterator

import pytest

from edge_watchdog.links.fence import Fence, sort_out
from edge_watchdog.links.firewall import Firewall, Sides
from edge_watchdog.links.program import run_program
from tests.lab.lab import Lab
from tests.lab.netns import inside


@pytest.fixture
def box(lab: Lab) -> Iterator[Lab]:
    with inside(lab.box.namespace):
        yield lab


async def listed() -> str:
    return " ".join((await run_program(["nft", "-s", "list", "ruleset"])).split())


async def test_names_and_networks_are_kept_where_the_packet_filter_finds_them(box: Lab) -> None:
    book = {"pay.example": ("203.0.113.7",)}

    async def look_up(name: str) -> tuple[str, ...]:
        return book.get(name, ())

    firewall = Firewall(Sides(("lan0",), {"wan0": 7001, "lte0": 7002}))
    fence = Fence(firewall, ("pay.example", "192.0.2.0/24"), look_up)
    await fence.look_again()  # nothing is limited: nobody is asked
    await fence.limit(("lte0",))  # and nothing is loaded before the first order to route
    assert "edge_watchdog" not in await listed()
    await firewall.steer(7001)
    assert 'set limited { type ifname elements = { "lte0" } }' in await listed()
    assert "elements = { 192.0.2.0/24, 203.0.113.7 }" in await listed()
    book["pay.example"] = ("203.0.113.99",)
    await fence.look_again()
    assert "203.0.113.7, 203.0.113.99" in await listed()
    await firewall.reconcile()
    assert firewall.repairs == 0
    await run_program(["nft", "flush", "set", "inet", "edge_watchdog", "limited"])
    await firewall.reconcile()
    assert firewall.repairs == 1
    assert 'elements = { "lte0" }' in await listed()
    await fence.limit(())
    assert "elements" not in (await listed()).split("set allowed")[0].split("set limited")[1]
    await firewall.clear()


def test_names_are_told_from_addresses() -> None:
    assert sort_out(("pay.example", "192.0.2.7/32", "pay.example", "198.51.100.0/24")) == (
        ("pay.example",),
        ("192.0.2.7/32", "198.51.100.0/24"),
    )
