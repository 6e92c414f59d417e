"""The studio's own network behind the box: a cable, a switch without power, a stuck one."""

from typing import Any, cast

from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Neighbour
from edge_watchdog.links import LinkError
from edge_watchdog.links.kernel import Device, Kernel, Near, Snapshot
from edge_watchdog.links.lan import ASK_AGAIN_S, GONE_S, LanWatch

INDEX = 4
LOOK_S = 5.0
TILL, TABLET, PRINTER = "192.168.50.20", "192.168.50.21", "192.168.50.22"
MAC = "02:00:5e:00:53:0a"


class Studio:
    """Three devices behind lan0, a box that looks every five seconds, and nobody who waits."""

    def __init__(self, *interfaces: str) -> None:
        self.second = 1000.0
        self.carrier: dict[str, bool] = {"lan0": True}
        self.states = dict.fromkeys((TILL, TABLET, PRINTER), Neighbour.REACHABLE)
        self.answers: bool | None = True
        self.asked: list[frozenset[str]] = []
        self.events: list[Event] = []
        self.watch = LanWatch(
            cast("Kernel", self),
            interfaces or ("lan0",),
            emit=self.events.append,
            clock=self,
            ask=self.ask,
        )

    def now(self) -> Instant:
        return Instant(self.second, self.second)

    @property
    def snapshot(self) -> Snapshot:
        devices = {n: Device(INDEX, carrier=c, name=n) for n, c in self.carrier.items()}
        seen = {(INDEX, a): s for a, s in self.states.items()}
        near = {k: Near(MAC, s, 1.0) for k, s in seen.items() if s is Neighbour.REACHABLE}
        return Snapshot(devices, neighbours=seen, near=near)

    async def ask(self, _kernel: Any, index: int, peers: dict[str, str]) -> bool | None:
        assert index == INDEX
        self.asked.append(frozenset(peers))
        if self.answers is None:
            raise LinkError("not now")
        return self.answers

    def fails(self, *addresses: str) -> None:
        self.states |= dict.fromkeys(addresses, Neighbour.FAILED)

    async def looks(self, seconds: float = LOOK_S) -> list[bool | None]:
        """Look for so long; gives what was told."""
        begin = len(self.events)
        for _ in range(round(seconds / LOOK_S)):
            self.second += LOOK_S
            await self.watch.look()
        fresh = self.events[begin:]
        return [e.report.lan_lost for e in fresh if isinstance(e, BoxReported)]


async def test_a_cable_that_stays_out_is_told_and_so_is_its_return() -> None:
    studio = Studio()
    assert await studio.looks() == [False]
    studio.carrier["lan0"] = False
    assert await studio.looks(LOOK_S) == []  # it may be pushed in anew
    assert "(lan0) is out, or the network switch has no power" in studio.watch.problems()[0]
    assert await studio.looks(GONE_S) == [True]
    studio.carrier["lan0"] = True
    assert await studio.looks() == [False]
    assert studio.watch.problems() == ()
    assert studio.asked == []


async def test_an_interface_that_is_gone_is_lost_and_one_of_two_is_said_only() -> None:
    studio = Studio("lan0", "lan1")
    assert await studio.looks(LOOK_S + GONE_S) == [False]
    assert len(studio.watch.problems()) == 1
    assert "(lan1)" in studio.watch.problems()[0]


async def test_devices_that_vanish_together_are_asked_and_then_believed() -> None:
    studio = Studio()
    await studio.looks()
    studio.fails(TILL, TABLET)
    del studio.states[PRINTER]
    studio.answers = False
    assert await studio.looks(LOOK_S + GONE_S) == [True]
    assert studio.asked == [frozenset({TILL, TABLET})]  # not all the time
    assert "No device of the studio's own network (lan0) answers" in studio.watch.problems()[0]
    studio.states = {}  # the kernel forgets them, we do not
    assert await studio.looks(ASK_AGAIN_S) == []
    assert studio.asked == [frozenset({TILL, TABLET})] * 2
    studio.answers = True
    assert await studio.looks(ASK_AGAIN_S) == [False]


async def test_whoever_is_seen_again_has_them_asked_at_once() -> None:
    studio = Studio()
    await studio.looks()
    studio.fails(TILL, TABLET, PRINTER)
    studio.answers = False
    assert await studio.looks(LOOK_S + GONE_S) == [True]
    studio.states[PRINTER] = Neighbour.REACHABLE
    studio.answers = True
    assert await studio.looks() == [False]


async def test_one_that_is_switched_off_is_no_news_nor_are_some_that_answer_all_the_same() -> None:
    studio = Studio()
    await studio.looks()
    studio.fails(TILL)
    assert await studio.looks(60) == []
    assert studio.asked == []
    studio.fails(TABLET)
    assert await studio.looks(60) == []
    assert len(studio.asked) == 1
    assert studio.watch.problems() == ()


async def test_what_cannot_be_asked_is_not_known() -> None:
    studio = Studio()
    await studio.looks()
    studio.fails(TILL, TABLET)
    studio.answers = None
    assert await studio.looks(60) == []
    assert studio.watch.problems() == ()


async def test_where_there_is_no_such_network_nobody_looks() -> None:
    studio = Studio()
    watch = LanWatch(cast("Kernel", studio), (), emit=studio.events.append, clock=studio)
    await watch.run()
    assert studio.events == []
