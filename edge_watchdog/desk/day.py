"""The day as the page shows it: by team member, with now and next, and how old it is.

Source states in, a DayModel out; times are already local text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from edge_watchdog.core.words import capital
from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.freshness import Band, Now, age_words, band
from edge_watchdog.daybook.keeper import DAYS, SourceState, appointments_of, count_on, local_date
from edge_watchdog.daybook.model import GONE
from edge_watchdog.daybook.store import Drop
from edge_watchdog.desk.phrases import Local, long_date

WHOLE_STUDIO = "Whole studio"


@dataclass(frozen=True, slots=True)
class Row:
    """One appointment; *tag* is "now", "next", "past" or ""; *is_gone*: nobody comes for it."""

    start: str
    end: str
    service: str
    client: str
    room: str
    status: str
    marks: tuple[str, ...]
    tag: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One team member's day, and in a few words what comes next."""

    name: str
    rows: tuple[Row, ...]
    upcoming: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day; *notes* concern everybody all day, *missing* names sources that do not cover it."""

    label: str
    date: str
    is_today: bool
    notes: tuple[Row, ...]
    members: tuple[Member, ...]
    count: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """How old one source's list is, and what is doubtful about it; *facts* are sentences.

    *as_of_wall* is in seconds since 1970 and *age_s* in seconds, None when not known.
    """

    name: str
    as_of: str
    age: str
    band: Band
    facts: tuple[str, ...]
    is_complete: bool = False
    as_of_wall: float | None = None
    age_s: float | None = None

    @property
    def whole(self) -> str:
        """Say whether anything is missing."""
        return "complete" if self.is_complete else "not complete"

    @property
    def sentence(self) -> str:
        """Say it on one line: "as of 09:40 (2 h 10 min ago), front desk, complete"."""
        if not self.as_of:
            return f"{self.name}: nothing has come yet"
        return f"as of {self.as_of} ({self.age}), {self.name}, {self.whole}"


@dataclass(frozen=True, slots=True)
class DayModel:
    """All of it; *strange_date* tells that the box does not know which day is today."""

    days: tuple[Day, ...]
    sources: tuple[SourceLine, ...]
    strange_date: bool


def desk_days(
    states: Sequence[SourceState], now: Now, local: Local, written: Sequence[Appointment] = ()
) -> tuple[tuple[Day, ...], bool]:
    """Draw the days that matter now, with what is *written* on paper alone.

    True: the box does not know which of them is today.
    """
    today = local_date(now.at.wall, local.zone)
    dates, strange = _dates(states, today, now)
    days = (_day(states, one, today, now, local=local, written=written) for one in dates)
    return tuple(days), strange


def source_lines(states: Sequence[SourceState], now: Now, local: Local) -> tuple[SourceLine, ...]:
    """Say of every source how old its list is."""
    return tuple(_source(state, now, local) for state in states)


def _dates(states: Sequence[SourceState], today: date, now: Now) -> tuple[tuple[date, ...], bool]:
    """Give today and tomorrow; with a clock that is not set, the days that are held instead.

    Such a clock can only be behind, so what lies before it is over.
    """
    held = sorted({day for s in states if s.good for day in s.good.span.dates})
    if held and not now.wall_known:
        ahead = [day for day in held if day >= today]
        return tuple((ahead or held)[:DAYS]), True
    return Span(today, DAYS, "UTC").dates, False


def _day(
    states: Sequence[SourceState],
    one: date,
    today: date,
    now: Now,
    *,
    local: Local,
    written: Sequence[Appointment],
) -> Day:
    span = Span(one, 1, local.zone)
    start, end = span.start_wall, span.end_wall
    found = [
        a
        for a in (*appointments_of(states), *written)
        if a.start_wall < end and max(a.end_wall, a.start_wall + 1) > start
    ]
    found.sort(key=lambda a: a.start_wall)
    notes = [a for a in found if a.all_day and not a.member]
    by_name: dict[str, list[Appointment]] = {}
    for a in found:
        if a.member or not a.all_day:
            by_name.setdefault(a.member or WHOLE_STUDIO, []).append(a)
    word = {0: "Today", 1: "Tomorrow"}.get((one - today).days, "")
    members = tuple(
        _member(name, by_name[name], (start, end), now, local=local)
        for name in sorted(by_name, key=_member_order)
    )
    return Day(
        label=word if now.wall_known else "",
        date=long_date(one),
        is_today=one == today and now.wall_known,
        notes=tuple(_row(a, "", start, local) for a in notes),
        members=members,
        count=len(found),
        missing=tuple(s.name for s in states if s.good is None or one not in s.good.span.dates),
    )


def _member_order(name: str) -> tuple[bool, str]:
    return name != WHOLE_STUDIO, name.casefold()


def _member(
    name: str, found: Sequence[Appointment], day: tuple[float, float], now: Now, *, local: Local
) -> Member:
    wall = now.at.wall
    timed = [a for a in found if not a.all_day and a.status not in GONE]
    upcoming = next((a for a in timed if a.start_wall > wall), None)
    is_today = now.wall_known and day[0] <= wall < day[1]
    rows = tuple(_row(a, _tag(a, wall, upcoming) if is_today else "", day[0], local) for a in found)
    if not is_today or not timed:
        return Member(name, rows, "")
    if upcoming is None:
        return Member(name, rows, "no more today" if timed[-1].end_wall <= wall else "last one")
    who = upcoming.client or upcoming.service
    return Member(name, rows, f"next {local.clock(upcoming.start_wall)} {who}".rstrip())


def _tag(one: Appointment, wall: float, upcoming: Appointment | None) -> str:
    if one.all_day:
        return ""
    if one.status in GONE:
        return "past" if one.end_wall <= wall else ""
    if upcoming is not None and one.start_wall == upcoming.start_wall:
        return "next"
    if one.start_wall <= wall < one.end_wall:
        return "now"
    return "past" if max(one.end_wall, one.start_wall) <= wall else ""


def _row(one: Appointment, tag: str, midnight: float, local: Local) -> Row:
    start = "all day" if one.all_day else local.clock(one.start_wall)
    if not one.all_day and one.start_wall < midnight:
        start = "earlier"
    known_end = not one.all_day and one.end_wall > one.start_wall
    end = local.clock(one.end_wall) if known_end else ""
    marks = (*map(str, one.marks), *filter(None, (one.on_paper,)))
    return Row(
        start, end, one.service, one.client, one.room, one.status, marks, tag, one.status in GONE
    )


def _source(state: SourceState, now: Now, local: Local) -> SourceLine:
    good, facts = state.good, []
    if state.trouble:
        since = local.moment(state.trouble.since.wall(now), now.at.wall)
        kept = " The list below is the last good one." if good else ""
        words = state.trouble.words
        facts.append(f"{capital(words)} (since {since}).{kept}")
    if good is None:
        waiting = "The list has not come yet." if not facts else "There is no list yet."
        return SourceLine(state.name, "", "", Band.UNKNOWN, (*facts, waiting))
    if state.held:
        facts += [f"{_drop(drop, now, local)} {_WAITING}" for drop in state.held.drops]
    elif good.drops:
        facts += [f"{_drop(drop, now, local)} It said so twice." for drop in good.drops]
    if good.reading.rejected:
        facts.append(_rejected(good.reading.rejected))
    age_s = good.as_of.age_s(now)
    as_of = local.moment(good.as_of.wall(now), now.at.wall)
    return SourceLine(
        state.name,
        as_of,
        age_words(age_s),
        band(age_s),
        tuple(facts),
        is_complete=not good.reading.rejected and not state.held,
        as_of_wall=good.as_of.wall(now),
        age_s=age_s,
    )


_WAITING = "The list below is the earlier one, until a second look agrees."


def _drop(drop: Drop, now: Now, local: Local) -> str:
    days = (drop.day - local.day(now.at.wall)).days
    word = {0: "today", 1: "tomorrow"}.get(days, long_date(drop.day))
    return f"For {word} the calendar went from {drop.before} entries to {drop.after}."


def _rejected(count: int) -> str:
    if count == 1:
        return "1 entry of the calendar could not be understood and is not in the list."
    return f"{count} entries of the calendar could not be understood and are not in the list."


def counts(state: SourceState, now: Now, local: Local) -> tuple[int | None, int | None]:
    """Count today's and tomorrow's entries; None where the source does not cover the day."""
    today, tomorrow = Span(local.day(now.at.wall), DAYS, local.zone).dates
    if state.good is None:
        return None, None
    return count_on(state.good, today), count_on(state.good, tomorrow)
