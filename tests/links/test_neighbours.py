"""Who else is there, and who has the router's address: tables first, then a real kernel."""

import asyncio
import time

import pytest

from edge_watchdog.core.model import Neighbour
from edge_watchdog.links import LinkError
from edge_watchdog.links.ears import Ears
from edge_watchdog.links.kernel import Kernel, Near, Snapshot
from edge_watchdog.links.neighbours import (
    MOST,
    RECENT_S,
    REMEMBERED_S,
    Claims,
    Router,
    peers_answer,
    there_lately,
    two_answer,
)
from tests.lab.lab import Lab
from tests.lab.netns import inside
from tests.lab.places import BROKER_ADDRESS, ROUTER_ADDRESS, Place
from tests.links.test_kernel import watching

OLD, NEW = "02:00:5e:00:53:0a", "02:00:5e:00:53:0b"


def claims(*seen: tuple[float, str], asks: bool = True) -> Claims:
    found = Claims()
    for second, mac in seen:
        found.note(Near(mac, Neighbour.REACHABLE, 0.0), second, asks=asks)
    return found


BACK = [(0.0, OLD), (9.0, NEW), (10.0, OLD)]


@pytest.mark.parametrize(
    "seen, twofold",
    [
        ([(0, OLD)], False),
        ([(0, OLD), (9, NEW)], False),
        (BACK, True),
        ([(0, OLD), (9, NEW), (10, NEW), (11, OLD)], True),
        ([(0, OLD), (9, NEW), (9 + REMEMBERED_S, OLD)], False),
    ],
    ids=["one", "exchanged", "both", "both, seen often", "long ago"],
)
def test_where_nobody_can_be_asked_two_have_the_address_when_the_former_one_has_it_again(
    seen, twofold
):
    assert (claims(*seen, asks=False).twofold_until > 0) is twofold


def test_a_router_that_has_its_address_back_within_minutes_is_no_conflict_until_both_answer():
    pair = claims(*BACK)
    assert (pair.mac, pair.former, pair.twofold_until) == (OLD, NEW, 0.0)
    assert pair.is_to_ask(10)
    pair.answered(11, both=False)
    assert pair.twofold_until == 0.0
    two = claims(*BACK)
    two.answered(11, both=True)
    assert two.twofold_until == 11 + REMEMBERED_S


def test_all_are_asked_at_once_when_it_changes_hands_again():
    found = claims((0, OLD), (9, NEW))
    assert found.is_new
    assert found.is_to_ask(9)
    assert not found.is_new
    found.note(Near(OLD, Neighbour.REACHABLE, 0.0), 9.5, asks=True)
    assert [found.is_to_ask(second) for second in (9.9, 10.1)] == [False, True]
    assert not claims((0, OLD)).is_new


def test_a_conflict_goes_on_while_both_answer_and_is_over_when_one_was_alone_three_times():
    found = claims((0, OLD), (9, NEW))
    found.answered(10, both=True)
    assert [found.is_to_ask(second) for second in (10, 39, 40)] == [True, False, True]
    for second, both in ((40, True), (70, False), (100, False), (130, True), (160, False)):
        found.answered(second, both=both)
    assert found.twofold_until == 130 + REMEMBERED_S  # an answer was lost now and then
    for second in (190, 220):
        found.answered(second, both=False)
    assert found.twofold_until == 220


def test_traffic_is_called_back_to_who_had_the_address_before_there_were_two():
    found = claims((0, OLD), (9, NEW))
    assert (found.to_call(9, asks=True), found.to_call(9, asks=False)) == (None, OLD)
    found.answered(10, both=True)
    assert found.to_call(10, asks=True) == OLD
    found.note(Near(OLD, Neighbour.REACHABLE, 0.0), 11, asks=True)
    found.answered(40, both=True)
    assert found.to_call(40, asks=True) is None  # it goes there
    assert (found.rightful, found.to_call(41 + REMEMBERED_S, asks=True)) == (OLD, None)


def test_the_former_device_is_doubted_for_a_while_only():
    found = claims((0, OLD), (9, NEW))
    assert found.doubted(10) == OLD
    assert found.doubted(9 + REMEMBERED_S) is None
    assert claims((0, OLD)).doubted(1) is None


def test_a_former_device_that_only_was_asked_has_not_answered():
    found = claims((0, OLD), (9, NEW))
    for near in (None, Near(OLD, Neighbour.PROBING, 0.0), Near(OLD, Neighbour.STALE, 0.0)):
        found.note(near, 10, asks=False)
    assert (found.mac, found.twofold_until) == (NEW, 0.0)


def test_a_device_that_announced_itself_has_the_address_before_anybody_asked_it():
    found = claims((0, OLD))
    found.note(Near(NEW, Neighbour.STALE, 9.0), 1, asks=True)
    assert (found.mac, found.doubted(1)) == (NEW, OLD)


def test_only_who_was_there_a_moment_ago_can_vanish():
    def near(ago_s: float) -> Near:
        return Near(NEW, Neighbour.STALE, ago_s)

    kernel = Kernel()
    kernel.snapshot = Snapshot(
        near={
            (3, "192.168.1.1"): near(1),
            (3, "192.168.1.20"): near(RECENT_S),
            (3, "192.168.1.21"): near(RECENT_S + 1),
            (4, "192.168.8.20"): near(1),
        }
    )
    assert there_lately(kernel, 3, "192.168.1.1") == {"192.168.1.20": NEW}
    many = {(3, f"192.168.1.{n}"): near(n) for n in range(20, 20 + 2 * MOST)}
    kernel.snapshot = Snapshot(near=many)
    assert list(there_lately(kernel, 3, None)) == [f"192.168.1.{20 + n}" for n in range(MOST)]


def test_all_are_asked_now_and_then_while_it_is_open_who_has_the_address():
    found = claims((0, OLD), (9, NEW))
    assert [found.is_to_ask(second) for second in (9.0, 9.1, 13.9, 14.0)] == [
        True,
        False,
        False,
        True,
    ]
    assert not found.is_to_ask(9 + REMEMBERED_S)  # by now it is the router
    assert not claims((0, OLD)).is_to_ask(1)


async def test_without_peers_nothing_is_known(kernel: Kernel):
    assert await peers_answer(kernel, 1, {}) is None


async def test_what_cannot_be_asked_is_said(kernel: Kernel):
    with pytest.raises(LinkError, match="cannot be asked"):
        await kernel.ask_again(9999, "192.168.1.9", NEW)
    with pytest.raises(LinkError, match="nobody can be asked"):
        await kernel.ask_everybody(9999, "192.168.1.9")


async def until(kernel: Kernel, wanted) -> None:
    async with asyncio.timeout(20):
        async for snapshot in kernel.looks():
            if wanted(snapshot):
                return


async def test_a_peer_that_is_there_answers_and_behind_a_dead_switch_none_does(
    lab: Lab, kernel: Kernel
):
    await asyncio.to_thread(lab.box.run, ["ping", "-c1", "-W2", BROKER_ADDRESS])
    async with watching(kernel):
        index = kernel.snapshot.devices["wan0"].index
        await until(kernel, lambda s: (index, BROKER_ADDRESS) in s.near)
        peers = there_lately(kernel, index, ROUTER_ADDRESS)
        assert BROKER_ADDRESS in peers
        assert await peers_answer(kernel, index, peers) is True
        await asyncio.to_thread(lab.inject, "lan_switch_dead")
        assert await peers_answer(kernel, index, peers) is False


async def test_a_second_device_with_the_router_s_address_is_found_by_asking_the_first(
    lab: Lab, kernel: Kernel
):
    found = Claims()

    def router(snapshot: Snapshot) -> Near | None:
        return snapshot.near.get((snapshot.devices["wan0"].index, ROUTER_ADDRESS))

    def noted(snapshot: Snapshot) -> Claims:
        found.note(router(snapshot), time.clock_gettime(time.CLOCK_BOOTTIME), asks=False)
        return found

    def ping() -> None:
        lab.box.run(["ping", "-c1", "-W1", ROUTER_ADDRESS])

    await asyncio.to_thread(ping)
    async with watching(kernel):
        await until(kernel, lambda s: noted(s).mac is not None)
        first = found.mac
        await asyncio.to_thread(lab.inject, "address_conflict")
        await asyncio.to_thread(ping)
        await until(kernel, lambda s: noted(s).mac != first)
        assert (found.former, found.twofold_until) == (first, 0.0)
        index = kernel.snapshot.devices["wan0"].index
        await kernel.ask_again(index, ROUTER_ADDRESS, first or "")
        await until(kernel, lambda s: noted(s).twofold_until > 0)


EXCHANGE = "ip link set lan0 down; ip link set lan0 address {}; ip link set lan0 up"


async def test_two_devices_are_found_by_asking_everybody_and_an_exchanged_router_is_one(
    lab: Lab, kernel: Kernel
):
    ears, index = Ears(), kernel.snapshot.devices["wan0"].index
    router = Router(index, "wan0", ROUTER_ADDRESS)
    asking, deaf = Claims(), Claims()

    async def look() -> Near:
        near = (await kernel.look()).near[index, ROUTER_ADDRESS]
        asking.note(near, 10, asks=True)
        deaf.note(near, 10, asks=False)
        return near

    far = lab.host(Place.ROUTER)
    shown = far.run(["ip", "-o", "link", "show", "lan0"], check=True).stdout.split()
    mac = shown[shown.index("link/ether") + 1]
    with inside(lab.box.namespace):
        assert await two_answer(kernel, ears, router) is False
        await look()
        far.run(["sh", "-c", EXCHANGE.format(NEW)], check=True)
        try:
            assert await two_answer(kernel, ears, router) is False
            near = await look()
            assert (near.mac, near.state) == (NEW, Neighbour.REACHABLE)
        finally:
            far.run(["sh", "-c", EXCHANGE.format(mac)], check=True)
        assert await two_answer(kernel, ears, router) is False  # it is back already
        near = await look()
        assert (near.mac, near.state) == (mac, Neighbour.REACHABLE)
        assert (asking.former, asking.twofold_until) == (NEW, 0.0)
        assert deaf.twofold_until > 0  # what the table alone makes of it
        lab.inject("address_conflict")
        assert await two_answer(kernel, ears, router) is True
        lab.heal("address_conflict")
        assert await two_answer(kernel, ears, router) is False
        await ears.close()
