"""Keeps one source of the day: looks, doubts, keeps, and says how it stands.

A look that fails leaves the good snapshot in place.  A day that suddenly lost most of its entries
is believed only when a second look, a minute later at least, says the same.  What the owner did
not allow to be kept is dropped here, whatever the source.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge_watchdog.clock import Clock
from edge_watchdog.core.model import CacheReport
from edge_watchdog.core.units import Detail
from edge_watchdog.daybook import (
    Appointment,
    DaybookError,
    Fetched,
    Reading,
    ScheduleConnector,
    Span,
)
from edge_watchdog.daybook.budget import Purse, sparing_s
from edge_watchdog.daybook.changes import hinted
from edge_watchdog.daybook.freshness import Now, Stamp
from edge_watchdog.daybook.intake import DEFAULT_KEEP, admit
from edge_watchdog.daybook.ledger import Balance, Ledger, memory_ledger, paying
from edge_watchdog.daybook.store import Drop, Snapshot, Store, Trouble

DAYS = 2  # today and tomorrow, always
NOTICED_FROM = 3  # fewer entries than these may well all be cancelled
SECOND_LOOK_S = 60.0
SHORTEST_PAUSE_S = 10.0
RETRY_S = 60.0
CLOCK_BACK_S = 3600.0
CLOCK_NOT_SET = "the box's clock is not set yet, so the calendar is not read"
_T = TypeVar("_T")
NOTHING_KNOWN = 'the calendar answered "not changed" to a first question'


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be kept: *every_s* between looks while all is well, *budget* requests a day.

    *days* gives how many days are to be held from a date on: DAYS at least.
    """

    name: str
    connector: ScheduleConnector
    every_s: float
    zone: str
    keep: frozenset[Detail] = DEFAULT_KEEP
    budget: int | None = None
    days: Callable[[date], int] = lambda _first: DAYS


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands; *held* is a snapshot that waits for a second look."""

    name: str
    good: Snapshot | None = None
    held: Snapshot | None = None
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a keeper needs of the world; *wall_known* gives None when nobody knows.

    *metered* tells whether the line in use is paid by the byte; *ledger* keeps what was asked.
    """

    store: Store
    clock: Clock
    boot_id: str
    wall_known: Callable[[], bool | None]
    changed: Callable[[SourceState], None]
    metered: Callable[[], bool] = lambda: False
    ledger: Ledger = field(default_factory=memory_ledger)


class Keeper:
    """Looks after one source until it is cancelled."""

    def __init__(self, source: Source, around: Surroundings) -> None:
        self._source = source
        self._around = around
        self._asked = asyncio.Event()
        self._fails = 0
        self._purse = Purse(source.budget)
        self._requests = 1  # what the last look took
        self._paying = asyncio.Lock()
        self.state = SourceState(source.name)

    def ask(self) -> None:
        """Look as soon as that is polite."""
        self._asked.set()

    async def run(self) -> None:
        """Look now, then again and again, within the budget; recall() first."""
        while True:
            await asyncio.sleep(self.wait_s())
            pause_s = await self.look()
            await asyncio.sleep(min(SHORTEST_PAUSE_S, pause_s))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, pause_s - SHORTEST_PAUSE_S)):
                    await self._asked.wait()
            self._asked.clear()

    def wait_s(self) -> float:
        """Give how long the budget forbids the next look; 0.0 when it does not."""
        return self._purse.wait_s(self._requests, self._around.clock.now().mono)

    def may_send(self, requests: int) -> bool:
        """Tell whether the budget has *requests* to spare, or all that it ever holds."""
        return not self._purse.wait_s(requests, self._around.clock.now().mono)

    async def pay(self, requests: int = 1) -> None:
        """Take *requests* from the budget, on disk too; raises DaybookError.

        One after the other, so that what is noted last is what was spent in all.
        """
        if self._source.budget is None:
            return
        async with self._paying:
            stamp = self._stamp()
            self._purse.spend(requests, stamp.at.mono)
            balance = Balance(self._purse.left(stamp.at.mono), stamp, self._requests)
            await asyncio.to_thread(self._around.ledger.note, self._source.name, balance)

    async def recall(self) -> None:
        """Take up what was kept before this program started."""
        await self._take_up()
        name = self._source.name
        store = self._around.store
        try:
            good = await asyncio.to_thread(store.good, name)
            held = await asyncio.to_thread(store.held, name)
            trouble = await asyncio.to_thread(store.trouble, name)
        except DaybookError as error:
            good, held, trouble = None, None, self._trouble(str(error))
        self._show(SourceState(name, good, held, trouble))

    async def look(self) -> float:
        """Look once; gives the seconds until the next look is due."""
        asked = self._stamp()
        today = self._today()
        span = Span(today, self._source.days(today), self._source.zone)
        try:
            self._refuse_doubtful_clock(asked)
            fetched = await self._fetch(span)
            await self._take(fetched, asked, span)
        except DaybookError as error:
            await self._note(self._trouble(str(error)))
            self._fails += 1
            pause_s = error.after_s or RETRY_S * 2 ** min(self._fails - 1, 10)
            return self._until(span, max(SHORTEST_PAUSE_S, min(pause_s, self._longest(error))))
        self._fails = 0
        return self._until(span, SECOND_LOOK_S + 1 if self.state.held else self._period_s())

    async def _fetch(self, span: Span) -> Fetched:
        """Ask the source, and note what that takes before it is sent."""
        sent = 0

        async def pay(requests: int = 1) -> None:
            nonlocal sent
            sent += requests
            await self.pay(requests)

        try:
            with paying(pay):
                fetched = await self._source.connector.fetch(span, self._known(span))
        except DaybookError as error:
            await pay(max(0, error.requests - sent))
            raise
        self._requests = max(1, sent, fetched.requests)
        await pay(max(0, fetched.requests - sent))
        return fetched

    async def _take_up(self) -> None:
        """Go on with the budget where the last run left it; where nobody knows, with none."""
        name, ledger = self._source.name, self._around.ledger
        try:
            balance = await asyncio.to_thread(ledger.balance, name)
        except DaybookError:
            balance = Balance(0.0, self._stamp())
        if balance is None and not ledger.remembers:
            balance = Balance(0.0, self._stamp())
        if balance is not None:
            at = self._around.clock.now()
            now = Now(at, self._around.boot_id, self._around.wall_known() is not False)
            self._requests = max(1, balance.a_look)
            self._purse.resume(balance.left, balance.idle_s(now), at.mono)

    async def _read(self, body: bytes, span: Span) -> Reading:
        """Have the body read, and keep no more of it than the owner allows."""
        reading = await self._source.connector.read(body, span)
        return await asyncio.to_thread(admit, reading, self._source.keep)

    def _period_s(self) -> float:
        every_s = self._source.every_s
        every_s = sparing_s(every_s) if self._around.metered() else every_s
        return self._purse.period_s(every_s, self._requests)

    async def _take(self, fetched: Fetched, asked: Stamp, span: Span) -> None:
        """Believe, hold or confirm what was fetched; raises DaybookError."""
        good = self.state.good
        as_of = _earlier(asked, fetched.age_s)
        if fetched.body is None:
            if good is None or not _covers(good, span):
                raise DaybookError(NOTHING_KNOWN)
            token = fetched.token or good.token
            await self._confirm(replace(good, as_of=as_of, asked=asked, token=token))
            return
        digest = hashlib.sha256(fetched.body).hexdigest()
        if good and _covers(good, span) and good.digest == digest:
            await self._confirm(replace(good, as_of=as_of, asked=asked, token=fetched.token))
            return
        reading = await self._read(fetched.body, span)
        if good:
            reading = await asyncio.to_thread(hinted, good.reading, reading, span.zone)
        if reading.days is not None:  # of later days it says nothing, and that is no "nothing"
            span = replace(span, days=min(span.days, reading.days))
        fresh = Snapshot(self._source.name, span, as_of, asked, fetched.token, digest, reading)
        if good and good.span == span and good.reading == reading:
            await self._confirm(replace(fresh, drops=good.drops, id=good.id))
            return
        fresh = replace(fresh, drops=drops(good, fresh))
        if fresh.drops and not self._agreed(fresh):
            await self._hold(fresh)
            return
        await self._keep(fresh)

    def _agreed(self, fresh: Snapshot) -> bool:
        held = self.state.held
        if held is None or held.drops != fresh.drops:
            return False
        now = Now(fresh.asked.at, fresh.asked.boot_id, self._around.wall_known() is not False)
        age_s = held.asked.age_s(now)
        return age_s is not None and age_s >= SECOND_LOOK_S

    async def _keep(self, fresh: Snapshot) -> None:
        self._show(SourceState(self._source.name, fresh))
        kept = await _to_its_end(self._around.store.keep, fresh)
        self._show(SourceState(self._source.name, kept))

    async def _hold(self, fresh: Snapshot) -> None:
        held = self.state.held
        if (
            held is not None
            and held.drops == fresh.drops
            and held.asked.boot_id == (fresh.asked.boot_id)
        ):
            return  # the same fact, too early to count as a second look
        self._show(replace(self.state, held=fresh, trouble=None))
        await _to_its_end(self._around.store.hold, fresh)

    async def _confirm(self, good: Snapshot) -> None:
        self._show(SourceState(self._source.name, good))
        if good.id:
            await _to_its_end(self._around.store.confirm, good)
        else:  # it could not be written when it came
            kept = await _to_its_end(self._around.store.keep, good)
            self._show(replace(self.state, good=kept))

    async def _note(self, trouble: Trouble) -> None:
        before = self.state.trouble
        if before is not None and before.words == trouble.words:
            trouble = before
        self._show(replace(self.state, trouble=trouble))
        with contextlib.suppress(DaybookError):
            await _to_its_end(self._around.store.note, self._source.name, trouble)

    def _show(self, state: SourceState) -> None:
        self.state = state
        self._around.changed(state)

    def _known(self, span: Span) -> str:
        """Give the token to ask with: none when only the whole calendar will do."""
        good = self.state.good
        return good.token if good and _covers(good, span) and self.state.held is None else ""

    def _refuse_doubtful_clock(self, asked: Stamp) -> None:
        """Raise when this boot's clock stands before the last one's: "today" would be wrong."""
        good = self.state.good
        if good is None or good.asked.boot_id == asked.boot_id or self._around.wall_known():
            return
        if asked.at.wall < good.asked.at.wall - CLOCK_BACK_S:
            raise DaybookError(CLOCK_NOT_SET)

    def _today(self) -> date:
        return local_date(self._around.clock.now().wall, self._source.zone)

    def _stamp(self) -> Stamp:
        return Stamp(self._around.clock.now(), self._around.boot_id)

    def _trouble(self, words: str) -> Trouble:
        return Trouble(words, self._stamp())

    def _longest(self, error: DaybookError) -> float:
        return max(self._source.every_s, error.after_s or 0.0)

    def _until(self, span: Span, pause_s: float) -> float:
        """Shorten *pause_s* so that the first look of a new day comes just after midnight."""
        midnight = span.midnight(span.dates[1])
        left_s = midnight + 1 - self._around.clock.now().wall
        return min(pause_s, left_s) if left_s > 0 else pause_s


def _covers(good: Snapshot, span: Span) -> bool:
    """Tell whether *good* holds all that its source can say of *span*."""
    if good.reading.days is None:
        return good.span == span
    return (good.span.first, good.span.zone) == (span.first, span.zone)


async def _to_its_end(write: Callable[..., _T], *args: object) -> _T:
    """Write in a thread; when we are told to stop meanwhile, stop after the write.

    What a page has shown must be there after a restart.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write, *args))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise


def local_date(wall: float, zone: str) -> date:
    """Give the date in *zone* at *wall*, seconds since 1970."""
    return datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(zone)).date()


def appointments_of(states: Iterable[SourceState]) -> tuple[Appointment, ...]:
    """Give what the last good list of every source has, source by source."""
    return tuple(row for one in states if one.good for row in one.good.reading.appointments)


def count_on(snapshot: Snapshot, day: date) -> int | None:
    """Count the entries of *day*; None when the snapshot does not cover it."""
    if day not in snapshot.span.dates:
        return None
    one = Span(day, 1, snapshot.span.zone)
    start, end = one.start_wall, one.end_wall
    return sum(start <= a.start_wall < end for a in snapshot.reading.appointments)


def drops(before: Snapshot | None, after: Snapshot) -> tuple[Drop, ...]:
    """Name the days that lost all or more than half of three entries or more.

    A source that leaves out what is over loses its day little by little, and all of it in the
    evening; so a day counts only when something that is still ahead went missing.
    """
    if before is None:
        return ()
    found = []
    for day in after.span.dates:
        was, now = count_on(before, day), count_on(after, day)
        if was is None or now is None or was < NOTICED_FROM or now * 2 >= was:
            continue
        if _lost_ahead(before, after, day):
            found.append(Drop(day, was, now))
    return tuple(found)


def _lost_ahead(before: Snapshot, after: Snapshot, day: date) -> bool:
    """Tell whether an entry of *day* is gone that was not over when *after* was asked for."""
    there = {one.key for one in after.reading.appointments}
    one_day = Span(day, 1, after.span.zone)
    return any(
        one.key not in there and one.end_wall > after.asked.at.wall
        for one in before.reading.appointments
        if one_day.start_wall <= one.start_wall < one_day.end_wall
    )


def report(state: SourceState, clock: Clock, zone: str) -> CacheReport:
    """Give what the watch half may know: counts, and the last problem in words."""
    now = clock.now()
    first = Span(local_date(now.wall, zone), DAYS, zone)
    good = state.good
    today, tomorrow = (count_on(good, day) if good else None for day in first.dates)
    return CacheReport(
        now,
        state.name,
        today,
        tomorrow,
        good.as_of.at.wall if good else None,
        state.trouble.words if state.trouble else "",
    )


def _earlier(stamp: Stamp, seconds: float) -> Stamp:
    return replace(stamp, at=stamp.at.plus(-seconds))
