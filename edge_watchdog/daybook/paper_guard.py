"""The double-booking guard: is a time free, taken, only free as far as the box knows, or not known?

Pure: what is booked and how old that knowledge is go in, a verdict with its sentence comes out.
Intervals are half-open: an appointment that ends at 10:00 leaves 10:00 free, unless time is to be
kept free around it.  A class takes bookings until its places are gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import folded, is_class, lesson_of
from edge_watchdog.daybook.freshness import FRESH_S
from edge_watchdog.daybook.model import GONE
from edge_watchdog.daybook.paper import Draft, Entry, Visit
from edge_watchdog.daybook.paper_roll import frees_time, takes_place
from edge_watchdog.daybook.privacy import short_name


class Verdict(StrEnum):
    """May the time be given away?"""

    FREE = "free"
    PROVISIONAL = "provisional"
    TAKEN = "taken"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Buffers:
    """How many seconds are kept free before and after; *by_service* (folded names) comes first."""

    before_s: float = 0.0
    after_s: float = 0.0
    by_service: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, service: str) -> tuple[float, float]:
        """Give what goes with *service*."""
        return self.by_service.get(folded(service), (self.before_s, self.after_s))


NO_BUFFERS = Buffers()


class Placed(Protocol):
    """What needs a team member and perhaps a room."""

    @property
    def member(self) -> str:
        """Name the team member."""

    @property
    def room(self) -> str:
        """Name the room; "" for none."""


@dataclass(frozen=True, slots=True)
class Busy:
    """[start, end) of *member* (and *room*) is booked; *what* says by whom, for the desk.

    *number* is the paper entry that holds it, 0 for the vendor's own; *key* the appointment's.
    *before_s* and *after_s* are to be kept free around it.  *lesson* is the class that it is, or
    is a place in.
    """

    start_wall: float
    end_wall: float
    member: str
    room: str
    what: str
    number: int = 0
    key: str = ""
    before_s: float = 0.0
    after_s: float = 0.0
    lesson: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """How far the list may be trusted for a day.

    *age_s* is None when it is not known or there is no list; *covers* tells whether the list
    reaches that day.  *trouble* says that an outage is going on.  *online_booking* says that
    clients can book at the vendor without us.  *closed*: the studio is not open then.  *unseen* is
    a team member of whom the list has nothing that day, though it has others; "" when that is so
    of nobody.  *as_of* is when the list was true, as local text.
    """

    age_s: float | None
    covers: bool
    trouble: bool
    online_booking: bool
    closed: bool = False
    unseen: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, in one sentence; *clashes* is what is in the way."""

    verdict: Verdict
    sentence: str
    clashes: tuple[Busy, ...] = ()


def busy(
    appointments: Sequence[Appointment], entries: Sequence[Entry], buffers: Buffers = NO_BUFFERS
) -> tuple[Busy, ...]:
    """Give everything that holds time: the vendor's list, less what was freed, and the holds."""
    freed = _freed(appointments, entries)
    listed = tuple(
        _listed(a, buffers)
        for a in appointments
        if a.status not in GONE and a.key not in freed and not (a.all_day and not a.member)
    )
    classes = classes_of(appointments, entries)
    holds = (hold_of(entry, buffers, classes) for entry in entries)
    return (*listed, *(one for one in holds if one is not None))


def classes_of(
    appointments: Sequence[Appointment], entries: Sequence[Entry]
) -> tuple[Appointment, ...]:
    """Give the classes that are held: not those that were cancelled as a whole on paper."""
    freed = _freed(appointments, entries)
    return tuple(a for a in appointments if is_class(a) and a.key not in freed)


def _listed(one: Appointment, buffers: Buffers) -> Busy:
    what = one.client or one.service or "busy"
    before_s, after_s = (0.0, 0.0) if one.all_day else buffers.of(one.service)
    return Busy(
        *(one.start_wall, one.end_wall, one.member, one.room, what),
        key=one.key,
        before_s=before_s,
        after_s=after_s,
        lesson=one.key if is_class(one) else "",
    )


def hold_of(
    entry: Entry, buffers: Buffers = NO_BUFFERS, classes: Sequence[Appointment] = ()
) -> Busy | None:
    """Give the time that *entry* holds; a verified one stands in the vendor's list itself.

    A place in one of *classes* holds the class's own time.
    """
    draft = entry.draft
    if draft is None or not isinstance(draft.content, Visit) or not takes_place(entry):
        return None
    visit, lesson = draft.content, lesson_of(draft, classes)
    where = lesson.row if lesson and lesson.row else visit
    length_s = where.end_wall - where.start_wall or visit.end_wall - visit.start_wall
    return Busy(
        *(where.start_wall, where.start_wall + length_s, where.member, where.room),
        f"{short_name(visit.client) or visit.service} ({entry.name})",
        entry.number,
        draft.appointment_key,
        *buffers.of(where.service),
        lesson.key if lesson else "",
    )


def without_own(draft: Draft, others: Sequence[Busy]) -> tuple[Busy, ...]:
    """Give *others* without the very appointment that *draft* moves, and the entry it corrects."""
    own = draft.appointment_key
    return tuple(
        one
        for one in others
        if not (one.number == 0 and not one.lesson and one.key and one.key == own)
        and not (draft.replaces and one.number and one.number == draft.parent)
    )


def clashes(wanted: Busy, others: Sequence[Busy]) -> tuple[Busy, ...]:
    """Give what overlaps with *wanted* in time and has the same team member or room.

    Places in one class do not clash.
    """
    return tuple(
        one
        for one in others
        if is_shared(wanted, one)
        and _overlap(wanted, one)
        and not (wanted.lesson and one.lesson == wanted.lesson)
    )


def answer(wanted: Busy, others: Sequence[Busy], known: Knowledge) -> Answer:
    """Tell whether *wanted* may be given away."""
    found = clashes(wanted, others)
    if found:
        return Answer(Verdict.TAKEN, taken_words(wanted, found), found)
    nobodys = [one for one in others if wanted.member and not one.member]
    unclear = next((one for one in nobodys if _overlap(wanted, one) and not one.number), None)
    if unclear is not None:
        words = f"{unclear.what} is in the list at that time without a team member. Ask first."
        return Answer(Verdict.PROVISIONAL, f"Provisional. {words}", (unclear,))
    unknown, doubt = unknown_words(known), doubt_words(known)
    if unknown:
        return Answer(Verdict.NOT_KNOWN, unknown)
    return Answer(Verdict.PROVISIONAL, doubt) if doubt else Answer(Verdict.FREE, "Free.")


def taken_words(wanted: Busy, found: Sequence[Busy]) -> str:
    """Say by whom a time is taken, or that it is too close to somebody."""
    names = ", ".join(one.what for one in found[:3]) or "another desk was quicker"
    bare = replace(wanted, before_s=0.0, after_s=0.0)
    if not found or any(_overlap(bare, replace(one, before_s=0.0, after_s=0.0)) for one in found):
        return f"That time is taken: {names}."
    return f"That time is taken: it is too close to {names}. Time is kept free around each."


def gaps(
    wanted: Busy,
    others: Sequence[Busy],
    open_walls: Sequence[tuple[float, float]],
    step_s: int = 900,
) -> tuple[float, ...]:
    """Give the begins, every *step_s*, at which something as long as *wanted* fits.

    *open_walls* are [opens, closes); what is kept free around it may lie outside of them.
    """
    length_s = wanted.end_wall - wanted.start_wall
    near = [one for one in others if is_shared(wanted, one)]
    found = []
    for opens, closes in open_walls:
        begin = int(-(-opens // step_s) * step_s)
        for at in range(begin, int(closes - length_s) + 1, step_s):
            trial = replace(wanted, start_wall=at, end_wall=at + length_s)
            if not any(_overlap(trial, one) for one in near):
                found.append(float(at))
    return tuple(found)


def _freed(appointments: Sequence[Appointment], entries: Sequence[Entry]) -> frozenset[str]:
    """Name the appointments that were cancelled or moved away on paper and are not refuted."""
    classes = frozenset(a.key for a in appointments if is_class(a))
    return frozenset(
        entry.draft.appointment_key
        for entry in entries
        if entry.draft is not None and frees_time(entry, classes)
    )


def unknown_words(known: Knowledge) -> str:
    """Say why nobody can know; "" when the list tells."""
    if not known.covers:
        return (
            "Not known. The box does not hold that day's list: somebody may have this time already."
        )
    if known.age_s is None:
        return (
            "Not known. How old the list is, nobody can say: somebody may have this time already."
        )
    return ""


def doubt_words(known: Knowledge) -> str:
    """Say why what is free on the list may not be; "" when it certainly is."""
    if known.closed:
        return "Provisional. Nothing is in the way, but the studio is not open then."
    if known.unseen:
        return (
            f"Provisional. The list has nothing of {known.unseen}'s that day: "
            "ask whether they work then."
        )
    if known.trouble and known.online_booking:
        return (
            "Provisional. It is free on the box's list, but clients may still be booking online "
            "and could hold this time: say that you will confirm it."
        )
    if known.trouble or (known.age_s or 0.0) > FRESH_S:
        return (
            "Provisional. It is free on the box's list, which is not fresh: "
            "say that you will confirm this time."
        )
    return ""


def is_shared(one: Placed, other: Placed) -> bool:
    """Tell whether both need the same team member, or the same room."""
    room = folded(one.room)
    return folded(one.member) == folded(other.member) or (room != "" and room == folded(other.room))


def _overlap(one: Busy, other: Busy) -> bool:
    return (
        one.start_wall - one.before_s < other.end_wall + other.after_s
        and other.start_wall - other.before_s < one.end_wall + one.after_s
    )
