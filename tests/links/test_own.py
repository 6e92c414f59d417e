"""Connections of the box itself are ended by the kernel, and only those that are meant."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from edge_watchdog.links.drain import Flow
from edge_watchdog.links.own import OwnConnections, list_own
from tests.lab.lab import Lab
from tests.lab.netns import inside
from tests.lab.places import CONNECTIVITY, HOSTS

AWAY = (HOSTS[CONNECTIVITY], 80)
ROUTER = ("192.168.1.1", 53)
ADDRESS = "192.168.1.100/24"


@pytest.fixture
def box(lab: Lab) -> Iterator[Lab]:
    """The test itself, and every program it starts, stands in the box's network."""
    with inside(lab.box.namespace):
        yield lab


async def connected(to: tuple[str, int], device: str = "", kind: int = 1) -> socket.socket:
    sock = socket.socket(socket.AF_INET, kind)
    sock.setblocking(False)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    await asyncio.get_running_loop().sock_connect(sock, to)
    return sock


def is_open(sock: socket.socket) -> bool:
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


async def test_only_what_left_the_house_and_is_bound_to_no_device_is_ended(box: Lab) -> None:
    away, calls = await connected(AWAY), await connected(AWAY, kind=socket.SOCK_DGRAM)
    near, bound = await connected(ROUTER), await connected(AWAY, "wan0")
    own = OwnConnections({"broadband": ADDRESS}.get)
    try:
        assert {f.protocol for f in await own.list("broadband")} == {"tcp", "udp"}
        assert await own.sweep("broadband") == 2
        assert [is_open(sock) for sock in (away, calls, near, bound)] == [False, False, True, True]
        assert await own.sweep("broadband") == 0
    finally:
        for sock in (away, calls, near, bound):
            sock.close()


async def test_what_never_heard_an_answer_is_ended_first(box: Lab) -> None:
    box.inject("blackhole")
    with socket.socket() as trying:
        trying.setblocking(False)
        with pytest.raises(BlockingIOError):
            trying.connect(AWAY)
        await OwnConnections({"broadband": ADDRESS}.get).begin("broadband")
        assert not is_open(trying)
    box.heal_all()


async def test_the_time_of_the_last_word_stands_still_while_nothing_is_said(box: Lab) -> None:
    with await connected(AWAY) as sock:
        await asyncio.sleep(0.2)
        (flow,) = await list_own(ADDRESS)
        assert (flow.target, flow.target_port) == (AWAY[0], "80")
        assert -20.0 < flow.expires_s <= -0.15
        spoke = time.monotonic()
        await asyncio.get_running_loop().sock_sendall(sock, b"GET")
        (fresh,) = await list_own(ADDRESS)
        assert fresh.expires_s > spoke - time.monotonic() - 0.05  # ss(8) is a program to start


async def test_an_uplink_without_an_address_has_none() -> None:
    own = OwnConnections(dict[str, str]().get)
    assert await own.list("phone") == ()
    await own.begin("phone")
    await own.end(())
    assert await own.sweep("phone") == 0


def test_a_flow_is_known_by_its_ends() -> None:
    one = Flow("tcp", "192.0.2.1", "192.0.2.9", "1", "2", 0.0)
    assert one.key == ("tcp", "192.0.2.1", "192.0.2.9", "1", "2")
