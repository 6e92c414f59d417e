"""Special questions in a real kernel: how far, how large, what the router says of itself."""

from collections.abc import Iterator

import pytest

from edge_watchdog.probes.bind import Binding
from edge_watchdog.probes.edge import Hop, edge_answers, find_edge
from edge_watchdog.probes.router import router_online
from edge_watchdog.probes.six import ipv6_works
from edge_watchdog.probes.sizes import path_mtu_bytes
from tests.lab.lab import Lab
from tests.lab.netns import inside
from tests.lab.places import ANCHORS, Place

LINE = Binding("broadband", "wan0", "192.168.1.100", "192.168.1.1")
HOSTS = (ANCHORS[0].address, ANCHORS[2].address)
EDGE = Hop(2, "192.0.2.1", HOSTS[0])
SIX = ("2001:db8:f::1", "2001:db8:f::2")


@pytest.fixture
def box(lab: Lab) -> Iterator[Lab]:
    """The test itself stands in the box's network; what it broke is healed after it."""
    with inside(lab.box.namespace):
        yield lab
    lab.heal_all()


async def test_the_provider_s_first_machine_is_found_beyond_the_router(box: Lab) -> None:
    assert await find_edge(LINE, HOSTS[0]) == EDGE


@pytest.mark.parametrize(
    ("fault", "answers"), [("upstream_dead", True), ("blackhole", False), ("no_return", False)]
)
async def test_it_tells_a_cut_line_from_a_provider_that_is_cut_off(
    box: Lab, fault: str, answers: bool
) -> None:
    box.inject(fault)
    assert await edge_answers(LINE, EDGE) is answers


@pytest.mark.parametrize(
    ("fault", "size_bytes"),
    [(None, 1500), ("mtu_blackhole:1280", 1280), ("mtu_blackhole:1400", 1400),
     ("one_anchor_dead", 1500), ("icmp_filtered", None), ("loss:20", 1500)],
)  # fmt: skip
async def test_the_largest_packet_that_passes_is_found(
    box: Lab, fault: str | None, size_bytes: int | None
) -> None:
    if fault is not None:
        box.inject(fault)
    assert await path_mtu_bytes(LINE, HOSTS) == size_bytes


async def test_a_size_that_is_refused_with_a_word_is_in_order(box: Lab) -> None:
    router = box.host(Place.ROUTER)
    router.run(["ip", "link", "set", "line0", "mtu", "1492"], check=True)
    try:
        assert await path_mtu_bytes(LINE, HOSTS) == 1500
    finally:
        router.run(["ip", "link", "set", "line0", "mtu", "1500"], check=True)


@pytest.mark.parametrize("way", ["natpmp", "upnp"])
async def test_a_router_says_itself_that_it_is_offline(box: Lab, way: str) -> None:
    box.inject(f"line_not_in_sync:{way}")
    assert await router_online(LINE) is False


async def test_a_router_that_says_nothing_is_not_known(box: Lab) -> None:
    assert await router_online(LINE) is None


async def test_ipv6_is_judged_where_the_line_has_it(box: Lab) -> None:
    assert await ipv6_works("wan0", SIX) is None
    box.inject("ipv6_broken")
    assert await ipv6_works("wan0", SIX) is False
    router = box.host(Place.LAN)
    for interface, address in (("br0", "2001:db8:1::1/64"), ("lo", f"{SIX[1]}/128")):
        router.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", "0")
        words = f"-6 addr add {address} dev {interface} nodad"
        router.run(["ip", *words.split()], check=True)
    try:
        assert await ipv6_works("wan0", SIX) is True
    finally:
        for interface in ("br0", "lo"):
            router.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", "1")
