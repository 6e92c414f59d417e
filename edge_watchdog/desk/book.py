"""The day book: one day's appointments as text, by team member, by time, by room, and classes.

Source states in, frozen models out.  A client is a first name and an initial; the key that leads
to more is shown only where the caller says that it may be.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.classes import has_place, is_class, places_taken
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import DAYS, SourceState
from edge_watchdog.daybook.model import GONE, Attendee, Money, Status
from edge_watchdog.daybook.money import amount_text
from edge_watchdog.desk.phrases import DAYS as WEEKDAYS
from edge_watchdog.desk.phrases import Local, long_date

WHOLE_STUDIO = "Whole studio"
NO_ROOM = "No room given"
HERE = frozenset({Status.ARRIVED, Status.IN_SERVICE, Status.COMPLETED})
SIGNS = {"GBP": "\u00a3", "EUR": "\u20ac", "USD": "$"}
MOST_WORDS = 8
JOURNAL = "paper journal"  # in the place of a source
NOT_COMING = "not coming, on paper"


class By(StrEnum):
    """How the book is laid out."""

    STAFF = "staff"
    TIME = "time"
    ROOM = "room"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Seat:
    """One person on a class's sign-in list."""

    name: str
    status: str
    spot: str
    client_key: str
    is_here: bool
    is_gone: bool

    @property
    def spoken(self) -> str:
        """Say who it is, where, and how they stand unless they just come."""
        about = ", ".join(x for x in (self.spot, self.status * (self.status != Status.BOOKED)) if x)
        return f"{self.name} ({about})" if about else self.name


@dataclass(frozen=True, slots=True)
class Stand:
    """How a class stands when what is on paper is counted with the vendor's list.

    *words* say how full it is and of when that is; *free* and *unnamed* as in Entry.  *written* are
    in it or wait on paper only, *back* of the list gave their place back there.
    """

    words: str
    free: int | None = None
    unnamed: int | None = None
    written: tuple[Seat, ...] = ()
    back: tuple[Seat, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One appointment or class of one day; *tag* is "now", "next", "past" or "".

    *booked* is the vendor's count.  *free* is how many places a class has left and *unnamed* how
    many are taken by who is not named, None when that is not known.  *start_wall* and *end_wall*
    are seconds since 1970.  *stands*: how full a class is with what stands on paper, and of when
    that is; "" where only the list was asked.
    """

    key: str
    start: str
    end: str
    length: str
    client: str
    service: str
    member: str
    room: str
    status: str
    marks: tuple[str, ...]
    tag: str
    price: str
    paid: str
    is_all_day: bool
    is_gone: bool
    is_class: bool
    capacity: int | None
    booked: int | None
    free: int | None
    unnamed: int | None
    seats: tuple[Seat, ...]
    client_key: str
    source: str
    start_wall: float
    end_wall: float
    stands: str = ""

    @property
    def places(self) -> str:
        """Say how full a class is: "8 of 10 booked, 2 left", "8 booked"; "" for no class."""
        if not self.is_class or self.stands:
            return self.stands
        booked = "bookings not known" if self.booked is None else f"{self.booked} booked"
        if self.capacity is None:
            return booked
        if self.booked is None:
            return f"{self.capacity} places, {booked}"
        said = f"{self.booked} of {self.capacity} booked"
        return f"{said}, full" if not self.free else f"{said}, {self.free} left"


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that stand together under *name*."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class BookDay:
    """One day; *label* is "Today", "Tomorrow" or ""; *missing* sources do not cover it."""

    day: date
    label: str
    date: str
    entries: tuple[Entry, ...]
    missing: tuple[str, ...]

    @property
    def title(self) -> str:
        """Name the day as a heading does."""
        return f"{self.label}, {self.date}" if self.label else self.date

    @property
    def members(self) -> tuple[str, ...]:
        """Name who works, in the order of the book."""
        return tuple(group.name for group in grouped(self.entries, By.STAFF))


def days_held(states: Sequence[SourceState], now: Now, local: Local) -> tuple[date, ...]:
    """Give today, tomorrow and every later day that some source holds."""
    today = local.day(now.at.wall)
    held = {day for s in states if s.good for day in s.good.span.dates}
    if held and today not in held and not now.wall_known:
        return tuple(sorted(held))
    wanted = {today + timedelta(days=n) for n in range(DAYS)}
    return tuple(sorted(wanted | {day for day in held if day > today}))


def book_day(states: Sequence[SourceState], one: date, now: Now, local: Local) -> BookDay:
    """Draw one day from what every source holds, by start."""
    return at_present(plain_day(states, one, local), states, now, local)


@dataclass(frozen=True, slots=True)
class PlainDay:
    """One day as its sources gave it, whatever time it is: [start, end) since 1970."""

    day: date
    entries: tuple[Entry, ...]
    start_wall: float
    end_wall: float


def plain_day(
    states: Sequence[SourceState], one: date, local: Local, written: Sequence[Appointment] = ()
) -> PlainDay:
    """Draw what does not change while the day goes by; *written* stands on paper alone."""
    span = Span(one, 1, local.zone)
    start, end = span.start_wall, span.end_wall
    lists = [(s.name, s.good.reading.appointments) for s in states if s.good]
    found = sorted(
        (
            (a, name)
            for name, rows in (*lists, (JOURNAL, written))
            for a in rows
            if a.start_wall < end and max(a.end_wall, a.start_wall + 1) > start
        ),
        key=lambda pair: (pair[0].start_wall, pair[0].member.casefold()),
    )
    entries = tuple(_entry(a, name, start, local) for a, name in found)
    return PlainDay(one, entries, start, end)


def at_present(plain: PlainDay, states: Sequence[SourceState], now: Now, local: Local) -> BookDay:
    """Say of each entry what it is now."""
    one, today = plain.day, local.day(now.at.wall)
    tagged = (
        entry if entry.tag == tag else replace(entry, tag=tag)
        for entry, tag in zip(plain.entries, _tags(plain, now), strict=True)
    )
    return BookDay(
        one,
        {0: "Today", 1: "Tomorrow"}.get((one - today).days, "") if now.wall_known else "",
        long_date(one),
        tuple(tagged),
        tuple(s.name for s in states if s.good is None or one not in s.good.span.dates),
    )


def with_paper(day: BookDay, stand_of: Callable[[Sequence[str]], Mapping[str, Stand]]) -> BookDay:
    """Show classes as they stand with the paper journal; *stand_of* tells it of their keys."""
    keys = [one.key for one in day.entries if one.is_class and not one.is_gone]
    stands = stand_of(keys) if keys else {}
    if not stands:
        return day
    entries = (_standing(one, stands[one.key]) if one.key in stands else one for one in day.entries)
    return replace(day, entries=tuple(entries))


def grouped(entries: Iterable[Entry], by: By) -> tuple[Group, ...]:
    """Sort *entries* under headings; classes are one group each, by start."""
    kept = tuple(entries)
    if by is By.TIME:
        return (Group("", kept),) if kept else ()
    if by is By.CLASSES:
        return tuple(Group(one.service or "Class", (one,)) for one in kept if one.is_class)
    name: Callable[[Entry], str] = (
        (lambda one: one.member or WHOLE_STUDIO)
        if by is By.STAFF
        else (lambda one: one.room or NO_ROOM)
    )
    names = {name(one) for one in kept}
    order = sorted(names, key=lambda n: (n != WHOLE_STUDIO, n == NO_ROOM, n.casefold()))
    return tuple(Group(n, tuple(one for one in kept if name(one) == n)) for n in order)


def matching(entries: Iterable[Entry], wanted: str) -> tuple[Entry, ...]:
    """Keep the entries in which every word of *wanted* occurs: names, service, staff, room."""
    words = folded(wanted).split()[:MOST_WORDS]
    return tuple(one for one in entries if all(word in _haystack(one) for word in words))


def folded(text: str) -> str:
    """Give *text* without accents and capitals, as a search compares it."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def money(price: Money | None) -> str:
    """Write an amount: "£45.00", "1200 JPY"; "" when there is none."""
    if price is None:
        return ""
    amount = amount_text(price.minor, price.currency)
    sign = SIGNS.get(price.currency)
    return f"{sign}{amount}" if sign else f"{amount} {price.currency}"


def weekday(day: date) -> str:
    """Write "Monday 23"."""
    return f"{WEEKDAYS[day.weekday()]} {day.day}"


def _haystack(one: Entry) -> str:
    seats = " ".join(seat.name for seat in one.seats)
    return folded(f"{one.client} {one.service} {one.member} {one.room} {seats}")


def _tags(plain: PlainDay, now: Now) -> list[str]:
    """Tell for each what it is now; "next" is each member's next one."""
    wall = now.at.wall
    if not (now.wall_known and plain.start_wall <= wall < plain.end_wall):
        return [""] * len(plain.entries)
    first: dict[str, float] = {}
    for one in plain.entries:
        if not one.is_all_day and one.start_wall > wall and not one.is_gone:
            first.setdefault(one.member, one.start_wall)
    return [_tag(one, wall, first.get(one.member)) for one in plain.entries]


def _tag(one: Entry, wall: float, upcoming: float | None) -> str:
    if one.is_all_day:
        return ""
    if max(one.end_wall, one.start_wall) <= wall:
        return "past"
    if one.is_gone:
        return ""
    if one.start_wall <= wall:
        return "now"
    return "next" if one.start_wall == upcoming else ""


def _entry(one: Appointment, source: str, midnight: float, local: Local) -> Entry:
    start = "all day" if one.all_day else local.clock(one.start_wall)
    if not one.all_day and one.start_wall < midnight:
        start = "earlier"
    has_end = not one.all_day and one.end_wall > one.start_wall
    booked = places_taken(one)
    free = None if one.capacity is None or booked is None else max(0, one.capacity - booked)
    named = sum(map(has_place, one.attendees))
    return Entry(
        one.key,
        start,
        local.clock(one.end_wall) if has_end else "",
        f"{round((one.end_wall - one.start_wall) / 60)} min" if has_end else "",
        one.client,
        one.service,
        one.member,
        one.room,
        str(one.status),
        (*map(str, one.marks), *filter(None, (one.on_paper,))),
        "",
        money(one.price),
        {None: "", True: "paid", False: "not paid"}[one.paid],
        one.all_day,
        one.status in GONE,
        is_class(one),
        one.capacity,
        booked,
        free,
        None if booked is None else max(0, booked - named),
        tuple(map(seat_of, one.attendees)),
        one.client_key,
        source,
        one.start_wall,
        one.end_wall,
    )


def seat_of(one: Attendee) -> Seat:
    """Show who is in a class by the vendor's list."""
    return Seat(
        one.name, str(one.status), one.spot, one.client_key, one.status in HERE, one.status in GONE
    )


def _standing(one: Entry, stand: Stand) -> Entry:
    back = list(stand.back)
    seats = []
    for seat in one.seats:
        if seat in back:
            back.remove(seat)
            seats.append(replace(seat, status=NOT_COMING, is_here=False, is_gone=True))
        else:
            seats.append(seat)
    return replace(
        one,
        free=stand.free,
        unnamed=stand.unnamed,
        seats=(*seats, *stand.written),
        stands=stand.words,
    )
