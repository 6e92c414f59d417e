"""The paper journal as the pages use it: what is known of the day beside it, and who writes.

Requests' words in, entries out.  The journal's file blocks, so it is asked in a thread.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Appointment, DaybookError, Span
from edge_watchdog.daybook.keeper import SourceState, appointments_of
from edge_watchdog.daybook.model import PriceItem
from edge_watchdog.daybook.paper import (
    Author,
    Content,
    Draft,
    Entry,
    Move,
    PaperError,
    State,
)
from edge_watchdog.daybook.paper_back import THE_BOX, Verdict
from edge_watchdog.daybook.paper_guard import Answer, Buffers, Knowledge, gaps
from edge_watchdog.daybook.paper_guard import Verdict as Freedom
from edge_watchdog.daybook.paper_money import taken
from edge_watchdog.daybook.paper_places import Wanted, as_asked, judge, wanted_of
from edge_watchdog.daybook.paper_store import ClosedDay, Journal, Kept, PaperStore, Pen
from edge_watchdog.daybook.privacy import short_name
from edge_watchdog.daybook.reconcile import Finding, Fresh, next_state, reconcile
from edge_watchdog.desk.access import Identity
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.lessons import FreePlace, LessonChoice, Lessons
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.paperforms import Around
from edge_watchdog.desk.paperwords import NO_JOURNAL, SOME_TIME_BEFORE, WRITTEN_EARLIER
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.settings import DeskSettings
from edge_watchdog.desk.written import Shown, with_written

BY_THE_LIST = "the list"
AT_ONCE_S = 60
CARRIED = ("phone", "note", "contact")
TROUBLED = (Standing.VENDOR, Standing.OFFLINE, Standing.CHECKING)
_T = TypeVar("_T")
DAY_BEGINS, DAY_ENDS = 8, 20  # free times are shown between these hours when no others are known


@dataclass(frozen=True, slots=True)
class Free:
    """What a form may show beside its fields: the verdict, and begins that would fit.

    *closed*: by its opening hours the studio is not open that day at all.  *lessons* are classes
    of that day that the booking may be meant for; *is_place*: it is one of a class.
    """

    answer: Answer
    begins: tuple[str, ...]
    closed: bool = False
    lessons: tuple[LessonChoice, ...] = ()
    is_place: bool = False


class PaperDesk:
    """One journal, many tablets; *store* is None when the disk refuses."""

    def __init__(self, store: PaperStore | None, board: Board, settings: DeskSettings) -> None:
        self.store = store
        self.local = Local(settings.time_zone)
        self.settings = settings
        self._board = board
        self._opening = Opening(settings.open_spans, settings.time_zone)
        self.journal = Journal()
        self._lessons = Lessons(board, self.local, lambda: self.journal.entries)
        board.lessons = self._lessons.of
        board.shown = self._shown
        self._seen: tuple[object, Shown] | None = None

    @property
    def today(self) -> date:
        """Give the local date."""
        return self.local.day(self._board.now().at.wall)

    @property
    def next_open_day(self) -> date:
        """Give the next day on which the studio is open by its hours; without any, tomorrow."""
        return self._opening.next_day(self.today)

    @property
    def buffers(self) -> Buffers:
        """Give what is kept free around appointments."""
        kept = self.settings.journal
        by_service: dict[str, tuple[float, float]] = {}
        for one in self._board.own_prices:
            by_service |= one.buffers
        return Buffers(kept.before_s, kept.after_s, by_service)

    async def look(self) -> Journal:
        """Read the journal; raises DaybookError."""
        self.journal = await self._do(lambda store: store.look())
        if self._board.paper_turn != self.journal.turn:
            self._board.paper_turn = self.journal.turn
            self._board.changed()
        return self.journal

    async def keep(self, draft: Draft, who: Identity, form: str, waited_s: int = 0) -> Kept:
        """Keep a draft that a tablet held for *waited_s* while the box was away.

        Raises PaperError, TakenError, DaybookError.
        """
        journal = await self.look()
        parent = journal.entry(draft.parent) if draft.replaces else None
        if parent is not None and parent.draft is not None and not who.sees_private:
            content = _with_hidden(draft.content, parent.draft.content)
            draft = dataclasses.replace(draft, content=content)
        said = (self._doubt(draft, journal), self._earlier(waited_s))
        draft = dataclasses.replace(draft, doubt=" ".join(one for one in said if one))
        listed, pen = self.listed(), self._pen(who, form)
        if self.store is not None:
            self.store.buffers = self.buffers
        kept = await self._do(lambda store: store.append(draft, pen, listed))
        await self.look()
        return kept

    async def move(self, number: int, state: State, who: Identity, detail: str) -> Entry:
        """Let an entry be in another state; raises PaperError, DaybookError."""
        pen = self._pen(who, "")
        move = Move(state, pen.at_wall, pen.by, detail)
        moved = await self._move(number, move)
        await self.look()
        return moved

    async def settle(self) -> tuple[Finding, ...]:
        """Hold what is not over against the list; what the list proves is noted in the journal."""
        findings = reconcile((await self.look()).entries, self._fresh())
        now = self._board.now()
        proved = [(one, state) for one in findings if (state := next_state(one)) is not None]
        for one, state in proved:
            ref = one.theirs.ref if one.theirs else ""
            move = Move(state, now.at.wall, Author("", BY_THE_LIST), "", ref)
            with contextlib.suppress(PaperError):  # somebody moved it meanwhile
                await self._move(one.entry.number, move)
        return reconcile((await self.look()).entries, self._fresh()) if proved else findings

    async def _move(self, number: int, move: Move) -> Entry:
        return await self._do(lambda store: store.move(number, move))

    async def note(self, number: int, verdict: Verdict, ref: str = "") -> None:
        """Note what the box itself knows of an entry; *ref* is the vendor's id of what it is about.

        Raises PaperError when that does not follow from how the entry stands.
        """
        entry = (await self.look()).entry(number)
        if entry is None or entry.state is verdict.state:
            return
        wall, box = self.now_wall(), Author("", THE_BOX)
        await self._move(number, Move(verdict.state, wall, box, verdict.words, ref))
        await self.look()

    async def close_day(self, who: Identity, tasks: tuple[Draft, ...]) -> bool:
        """Note that today is closed, and what is left; False when it was closed before."""
        pen = self._pen(who, "")
        sums = taken([e for e in self.journal.entries if self.local.day(e.at_wall) == self.today])
        totals = tuple((str(method), currency, minor) for (method, currency), minor in sums.items())
        closed = ClosedDay(self.today.isoformat(), pen.by, pen.at_wall, totals)
        done = await self._do(lambda store: store.close_day(closed, tasks, pen))
        await self.look()
        return done

    def close(self) -> None:
        """Close the journal's file."""
        if self.store is not None:
            self.store.close()

    async def forget(self) -> None:
        """Empty what has been over for long."""
        now = self._board.now()
        if now.wall_known and self.store is not None:
            before = now.at.wall - self.settings.journal.kept_s
            await self._do(lambda store: store.forget(before, now.at.wall))

    def around(self, fields: Mapping[str, str], who: Identity) -> Around:
        """Give what a form is read against."""
        key = fields.get("key", "")
        state, one = self.find(key) if key else (None, None)
        prices, prices_of = self.prices()
        return Around(
            self.local.zone,
            self.today,
            self._currency(prices),
            who.sees_private,
            one,
            state.name if state else "",
            prices,
            prices_of,
            self._as_of(),
        )

    def free(self, draft: Draft) -> Free:
        """Tell how the time of a booking stands, and what else would fit that day."""
        wanted, said = self._answer(draft, self.journal)
        if wanted is None:
            raise DaybookError("This takes no time.")
        hold = wanted.hold
        day = self.local.day(hold.start_wall)
        hours = self._open_on(day)
        lessons = self._lessons.on(draft, day)
        if wanted.roll is not None:
            return Free(said, (), closed=not hours, lessons=lessons, is_place=True)
        now_wall = self._board.now().at.wall
        left = [(max(opens, now_wall), closes) for opens, closes in hours]
        begins = gaps(hold, wanted.others, left)
        return Free(said, tuple(self.local.clock(one) for one in begins), not hours, lessons)

    def _answer(self, draft: Draft, journal: Journal) -> tuple[Wanted | None, Answer]:
        """Tell what time *draft* wants, and how that stands; a free one for what wants none."""
        entry = as_asked(Entry("", 0, 0.0, True, Author(""), draft))
        wanted = wanted_of(entry, self.listed(), journal.entries, self.buffers)
        if wanted is None:
            return None, Answer(Freedom.FREE, "")
        return wanted, judge(wanted, self._known_of(wanted))

    def _open_on(self, day: date) -> tuple[tuple[float, float], ...]:
        """Give when people come on *day*; usual hours where the owner named none."""
        if self._opening.spans:
            return self._opening.walls_on(day)
        midnight = Span(day, 1, self.local.zone).start_wall
        return ((midnight + DAY_BEGINS * 3600, midnight + DAY_ENDS * 3600),)

    def _known_of(self, want: Wanted) -> Knowledge:
        """Tell what is known of the wanted time and team member, beside the day's list."""
        wanted, row = want.hold, want.lesson.row if want.lesson else None
        day = self.local.day(wanted.start_wall)
        known, span = self.known(day), self.on(day)
        there = {
            one.member.casefold()
            for one in self.listed()
            if one.start_wall < span.end_wall and one.end_wall > span.start_wall
        } - {""}
        is_open = not self._opening.spans or any(
            opens <= wanted.start_wall and wanted.end_wall <= closes
            for opens, closes in self._opening.walls_on(day)
        )
        unseen = bool(there) and bool(wanted.member) and wanted.member.casefold() not in there
        return dataclasses.replace(
            known,
            closed=not is_open,
            unseen=wanted.member if unseen else "",
            as_of=self._lessons.as_of(row.key) if row else "",
        )

    def openings(self) -> tuple[FreePlace, ...]:
        """Tell who waits for a place in a class that is free by now."""
        return self._lessons.openings()

    def find(self, key: str) -> tuple[SourceState | None, Appointment | None]:
        """Give the appointment of this key and the source it stands in."""
        for state in self._board.sources.values():
            for one in state.good.reading.appointments if state.good else ():
                if one.key == key:
                    return state, one
        return None, None

    def _shown(self) -> Shown:
        """Give the sources as the pages show them, made anew when they or the journal changed."""
        states = tuple(self._board.sources.values())
        key = states, self.journal.turn
        if self._seen is None or self._seen[0] != key:
            self._seen = key, with_written(states, self.journal.entries)
        return self._seen[1]

    def sources(self) -> Mapping[str, SourceState]:
        """Give how every source stands, by name."""
        return self._board.sources

    def now_wall(self) -> float:
        """Give the time, seconds since 1970."""
        return self._board.now().at.wall

    def listed(self) -> tuple[Appointment, ...]:
        """Give the vendor's list as far as the box holds it."""
        return appointments_of(self._board.sources.values())

    def _fresh(self) -> tuple[Fresh, ...]:
        """Give every list with the time at which it was asked for."""
        now = self._board.now()
        return tuple(
            Fresh(
                state.name,
                state.good.asked.wall(now),
                state.good.span.start_wall,
                state.good.span.end_wall,
                state.good.reading.appointments,
                {client.key: client for client in state.good.reading.clients},
            )
            for state in self._board.sources.values()
            if state.good
        )

    def known(self, day: date) -> Knowledge:
        """Tell how far the list may be trusted for *day*: as far as the worst source's."""
        now, sources = self._board.now(), tuple(self._board.sources.values())
        ages = [s.good.as_of.age_s(now) for s in sources if s.good]
        sure = [age for age in ages if age is not None]
        covers = bool(sources) and all(s.good and day in s.good.span.dates for s in sources)
        view = self._board.view
        return Knowledge(
            max(sure) if sure and len(sure) == len(ages) else None,
            covers,
            view is not None and view.banner.standing in TROUBLED,
            self.settings.journal.online_booking,
        )

    def prices(self) -> tuple[tuple[PriceItem, ...], float | None]:
        """Give the price list and how old it is."""
        now = self._board.now()
        lists = [s.good for s in self._board.sources.values() if s.good and s.good.reading.prices]
        if not lists:  # what the vendor asks comes first, and what the studio wrote itself then
            own = [one for one in self._board.own_prices if one.items]
            dates = [one.as_of_wall for one in own if one.as_of_wall is not None]
            return tuple(item for one in own for item in one.items), min(dates, default=None)
        items = tuple(item for one in lists for item in one.reading.prices)
        ages = (one.reading.prices_wall or one.as_of.wall(now) for one in lists)
        return items, min(ages, default=None)

    def members(self) -> tuple[str, ...]:
        """Give the team, as the list names it."""
        return tuple(sorted({one.member for one in self.listed() if one.member}, key=str.casefold))

    def coming(self) -> tuple[Appointment, ...]:
        """Give today's and the next days' appointments that can be chosen in a form, by start."""
        midnight = Span(self.today, 1, self.local.zone).start_wall
        found = [one for one in self.listed() if one.end_wall > midnight and not one.all_day]
        return tuple(sorted(found, key=lambda one: one.start_wall))

    def on(self, day: date) -> Span:
        """Give the day as a span."""
        return Span(day, 1, self.local.zone)

    def tomorrow(self) -> date:
        """Give the day after today."""
        return self.today + timedelta(days=1)

    def _doubt(self, draft: Draft, journal: Journal) -> str:
        """Give the sentence that goes with a time that is not certainly free."""
        said = self._answer(draft, journal)[1]
        return "" if said.verdict is Freedom.FREE else said.sentence

    def _earlier(self, waited_s: int) -> str:
        """Say when it was written, where that was not just now."""
        if waited_s < AT_ONCE_S:
            return ""
        now = self._board.now()
        # with its date, for the sentence stays
        when = (
            self.local.moment(now.at.wall - waited_s, 0.0) if now.wall_known else SOME_TIME_BEFORE
        )
        return WRITTEN_EARLIER.format(when=when)

    def _pen(self, who: Identity, form: str) -> Pen:
        now = self._board.now()
        return Pen(Author(who.person, who.device), now.at.wall, now.wall_known, form)

    def _currency(self, prices: tuple[PriceItem, ...]) -> str:
        return next((p.price.currency for p in prices if p.price), self.settings.journal.currency)

    def _as_of(self) -> float | None:
        now = self._board.now()
        known = [s.good.as_of.wall(now) for s in self._board.sources.values() if s.good]
        return min(known, default=None)

    async def _do(self, work: Callable[[PaperStore], _T]) -> _T:
        if self.store is None:
            raise DaybookError(NO_JOURNAL)
        return await asyncio.to_thread(work, self.store)


def _with_hidden(content: Content, before: Content) -> Content:
    """Keep what the corrected entry has and the form could not show."""
    if type(content) is not type(before):
        return content
    for name in CARRIED:
        if hasattr(content, name) and not getattr(content, name):
            content = dataclasses.replace(content, **{name: getattr(before, name)})
    if content.client and content.client == short_name(before.client):
        content = dataclasses.replace(content, client=before.client)
    return content
