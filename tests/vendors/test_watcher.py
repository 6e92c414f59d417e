"""The watcher's pace, with a clock that is stepped and no real waiting."""

import asyncio
import contextlib
import heapq
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.core.events import JourneyReported, VendorReported
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Stage, VendorLevel, VendorReport
from edge_watchdog.vendors.watcher import FLOOR_S, VendorWatcher
from tests.patience import soon
from tests.vendors.servers import serving, session


class SteppedTime:
    """A clock and a sleep that move together, as fast as nobody has anything to do."""

    def __init__(self) -> None:
        self.mono = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> Instant:
        return Instant(self.mono, 1_790_000_000.0 + self.mono)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.mono + seconds, self._count, future))
        await future

    async def advance(self, seconds: float) -> None:
        until = self.mono + seconds
        while True:
            await settle()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if not self._sleepers or self._sleepers[0][0] > until:
                break
            when, _, future = heapq.heappop(self._sleepers)
            self.mono = max(self.mono, when)
            future.set_result(None)
        self.mono = until
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Reader:
    """A status page that costs nothing."""

    def __init__(self, time) -> None:
        self._time = time
        self.fresh_s = 10.0
        self.rest_s = 0.0
        self.asked: list[tuple[float, object]] = []
        self.hang: asyncio.Event | None = None
        self.crash: Exception | None = None

    async def read(self, session):
        self.asked.append((self._time.mono, session))
        if self.crash is not None:
            raise self.crash
        if self.hang is not None:
            await self.hang.wait()
        return VendorReport(self._time.now(), VendorLevel.OPERATIONAL)

    @property
    def times(self):
        return [when for when, _ in self.asked]


class Studio:
    """A watcher at work: what it was given, what it said."""

    def __init__(self, *, app_url=None, reader=True, session_for: Any = None) -> None:
        self.time = SteppedTime()
        self.reader = Reader(self.time)
        self.events: list[Any] = []
        self.sessions: dict[str, Any] = {"broadband": "S1", "stick": "S2"}
        self.watcher = VendorWatcher(
            self.reader if reader else None,
            app_url,
            session_for=session_for or (lambda via: self.sessions.get(via or "")),
            clock=self.time,
            emit=self.events.append,
            sleep=self.time.sleep,
        )

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.watcher.run())
        await settle()
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_nothing_is_asked_until_it_is_ordered():
    async with Studio().running() as studio:
        await studio.time.advance(1000)
        assert studio.reader.asked == []


async def test_the_page_is_read_within_a_second_of_the_order_and_then_every_period():
    async with Studio().running() as studio:
        studio.watcher.follow(60.0, "broadband")
        await studio.time.advance(1.0)
        assert len(studio.reader.asked) == 1
        await studio.time.advance(600)
        times = studio.reader.times
        assert 9 <= len(times) - 1 <= 11
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(54 <= gap <= 66 for gap in gaps)
        assert len(set(gaps)) > 1
        assert all(isinstance(event, VendorReported) for event in studio.events)
        assert len(studio.events) == len(times)


async def test_the_same_order_again_changes_nothing():
    async with Studio().running() as studio:
        for _ in range(50):
            studio.watcher.follow(60.0, "broadband")
            await studio.time.advance(1.0)
        assert len(studio.reader.asked) == 1


async def test_a_change_of_uplink_asks_soon_through_the_new_one():
    async with Studio().running() as studio:
        studio.watcher.follow(60.0, "broadband")
        await studio.time.advance(20)
        studio.watcher.follow(60.0, "stick")
        await studio.time.advance(1.0)
        assert [s for _, s in studio.reader.asked] == ["S1", "S2"]


async def test_orders_in_haste_never_ask_faster_than_the_floor():
    async with Studio().running() as studio:
        for number in range(40):
            studio.watcher.follow(60.0, "stick" if number % 2 else "broadband")
            await studio.time.advance(1.0)
        times = studio.reader.times
        assert all(b - a > FLOOR_S - 0.001 for a, b in pairwise(times))
        assert len(times) >= 5


async def test_a_pause_and_a_new_order_are_no_way_around_the_floor():
    async with Studio().running() as studio:
        for _ in range(10):
            studio.watcher.follow(60.0, "broadband")
            await studio.time.advance(1.0)
            studio.watcher.follow(60.0, None)
        assert len(studio.reader.asked) <= 3


async def test_a_page_that_is_fresh_for_long_is_left_alone_as_long():
    studio = Studio()
    studio.reader.fresh_s = 120.0
    async with studio.running():
        studio.watcher.follow(20.0, "broadband")
        await studio.time.advance(600)
    assert len(studio.reader.asked) == 5


async def test_a_page_that_asks_for_rest_gets_it_whatever_is_ordered():
    studio = Studio()
    studio.reader.rest_s = 300.0
    async with studio.running():
        studio.watcher.follow(60.0, "broadband")
        await studio.time.advance(10)
        studio.reader.rest_s = 0.0
        studio.watcher.follow(20.0, "stick")
        await studio.time.advance(280)
        assert len(studio.reader.asked) == 1
        await studio.time.advance(20)
        assert len(studio.reader.asked) == 2


async def test_a_reading_that_hangs_on_the_old_uplink_is_given_up_for_the_new_one():
    studio = Studio()
    studio.reader.hang = asyncio.Event()
    async with studio.running():
        studio.watcher.follow(60.0, "broadband")
        await studio.time.advance(6)
        assert studio.events == []
        studio.reader.hang = None
        studio.watcher.follow(60.0, "stick")
        await studio.time.advance(1)
        assert len(studio.events) == 1


async def test_a_slow_reading_is_not_begun_twice():
    studio = Studio()
    studio.reader.hang = asyncio.Event()
    async with studio.running():
        studio.watcher.follow(20.0, "broadband")
        await studio.time.advance(100)
        assert len(studio.reader.asked) == 1
        studio.reader.hang.set()
        await studio.time.advance(30)
        assert len(studio.reader.asked) >= 2


async def test_an_uplink_that_cannot_be_asked_is_tried_again_and_said_once():
    studio = Studio(app_url="http://127.0.0.1:9/")
    studio.sessions.clear()
    async with studio.running():
        studio.watcher.follow(60.0, "broadband")
        studio.watcher.visit_every("broadband", 15.0)
        await studio.time.advance(60)
        (event,) = studio.events
        assert isinstance(event, JourneyReported)
        assert (event.report.asked, event.report.uplink) == (False, "broadband")
        studio.sessions["broadband"] = "S1"
        studio.watcher.visit_every("broadband", None)
        await studio.time.advance(6)
        assert len(studio.reader.asked) == 1


async def test_without_a_page_or_an_app_nothing_is_asked():
    async with Studio(reader=False).running() as studio:
        studio.watcher.follow(60.0, "broadband")
        studio.watcher.visit_every("broadband", 15.0)
        await studio.time.advance(1000)
        assert studio.events == []


async def test_a_fault_of_this_program_is_not_swallowed_and_the_watcher_can_run_again():
    studio = Studio()
    studio.reader.crash = ZeroDivisionError("a bug")
    studio.watcher.follow(60.0, "broadband")
    task = asyncio.create_task(studio.watcher.run())
    await studio.time.advance(2)
    with pytest.raises(ZeroDivisionError):
        await task
    studio.reader.crash = None
    async with studio.running():
        await studio.time.advance(120)
        assert len(studio.events) >= 1


async def test_the_app_is_visited_through_each_uplink_at_its_own_pace():
    async def page(_):
        return web.Response(text="<h1>BookWell</h1>")

    async with serving(page) as port, session() as web_session:
        studio = Studio(app_url=f"http://app.example:{port}/", session_for=lambda _: web_session)
        async with studio.running():
            studio.watcher.visit_every("broadband", 15.0)
            studio.watcher.visit_every("stick", 300.0)
            await studio.time.advance(1.0)
            await soon(lambda: len(studio.events) == 2)
            await studio.time.advance(17.0)
            await soon(lambda: len(studio.events) == 3)
            studio.watcher.visit_every("broadband", None)
            await studio.time.advance(100.0)
    reports = [event.report for event in studio.events]
    assert sorted(r.uplink for r in reports) == ["broadband", "broadband", "stick"]
    assert {r.stage for r in reports} == {Stage.DONE}


async def test_an_app_that_refuses_us_is_visited_less_and_less():
    async def refuse(_):
        return web.Response(status=429)

    async with serving(refuse) as port, session() as web_session:
        studio = Studio(app_url=f"http://app.example:{port}/", session_for=lambda _: web_session)
        async with studio.running():
            studio.watcher.visit_every("broadband", 15.0)
            while len(studio.events) < 8:
                await studio.time.advance(5.0)
                await asyncio.sleep(0.002)  # real sockets need real time
    begun = [event.report.at.mono for event in studio.events]
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert gaps == pytest.approx([30, 60, 120, 240, 480, 600, 600], abs=12)
