"""The double-booking guard: is a time free, taken, or only free as far as the box knows?

Pure: what is booked and how old that knowledge is go in, a verdict with its sentence comes out.
Intervals are half-open: an appointment that ends at 10:00 leaves 10:00 free.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.freshness import FRESH_S
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.paper import OVER, SLOTS, Draft, Entry, Kind, State, Visit
from edge_watchdog.daybook.privacy import short_name

GONE = (Status.CANCELLED, Status.LATE_CANCELLED, Status.NO_SHOW)


class Verdict(StrEnum):
    """May the time be given away?"""

    FREE = "free"
    PROVISIONAL = "provisional"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Busy:
    """[start, end) of *member* (and *room*) is booked; *what* says by whom, for the desk.

    *number* is the paper entry that holds it, 0 for the vendor's own; *key* the appointment's.
    """

    start_wall: float
    end_wall: float
    member: str
    room: str
    what: str
    number: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """How far the list may be trusted for a day.

    *age_s* is None when it is not known or there is no list; *covers* tells whether the list
    reaches that day.  *trouble* says that an outage is going on.  *online_booking* says that
    clients can book at the vendor without us.
    """

    age_s: float | None
    covers: bool
    trouble: bool
    online_booking: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict, in one sentence; *clashes* is what is in the way."""

    verdict: Verdict
    sentence: str
    clashes: tuple[Busy, ...] = ()


def busy(appointments: Sequence[Appointment], entries: Sequence[Entry]) -> tuple[Busy, ...]:
    """Give everything that holds time: the vendor's list, less what was freed, and the holds."""
    freed = _freed(entries)
    listed = tuple(
        Busy(a.start_wall, a.end_wall, a.member, a.room, a.client or a.service or "busy", key=a.key)
        for a in appointments
        if a.status not in GONE and a.key not in freed and not (a.all_day and not a.member)
    )
    return (*listed, *(hold for entry in entries if (hold := hold_of(entry)) is not None))


def hold_of(entry: Entry) -> Busy | None:
    """Give the time that *entry* holds; a verified one stands in the vendor's list itself."""
    draft = entry.draft
    if draft is None or draft.kind not in SLOTS or entry.state in OVER:
        return None
    visit = draft.content
    if not isinstance(visit, Visit):
        return None
    return Busy(
        visit.start_wall,
        visit.end_wall,
        visit.member,
        visit.room,
        f"{short_name(visit.client) or visit.service} ({entry.name})",
        entry.number,
        draft.appointment_key,
    )


def without_own(draft: Draft, others: Sequence[Busy]) -> tuple[Busy, ...]:
    """Give *others* without the very appointment that *draft* moves, and the entry it corrects."""
    return tuple(
        one
        for one in others
        if not (one.number == 0 and one.key and one.key == draft.appointment_key)
        and not (draft.replaces and one.number and one.number == draft.parent)
    )


def clashes(wanted: Busy, others: Sequence[Busy]) -> tuple[Busy, ...]:
    """Give what overlaps with *wanted* in time and has the same team member or room."""
    return tuple(one for one in others if _same(wanted, one) and _overlap(wanted, one))


def answer(wanted: Busy, others: Sequence[Busy], known: Knowledge) -> Answer:
    """Tell whether *wanted* may be given away."""
    found = clashes(wanted, others)
    if found:
        names = ", ".join(one.what for one in found[:3])
        return Answer(Verdict.TAKEN, f"That time is taken: {names}.", found)
    nobodys = [one for one in others if wanted.member and not one.member]
    unclear = next((one for one in nobodys if _overlap(wanted, one) and not one.number), None)
    if unclear is not None:
        words = f"{unclear.what} is in the list at that time without a team member. Ask first."
        return Answer(Verdict.PROVISIONAL, words, (unclear,))
    doubt = _doubt(known)
    return Answer(Verdict.PROVISIONAL, doubt) if doubt else Answer(Verdict.FREE, "Free.")


def gaps(
    wanted: Busy, others: Sequence[Busy], opens_wall: float, closes_wall: float, step_s: float = 900
) -> tuple[float, ...]:
    """Give the begins at which something as long as *wanted* fits between opening and closing.

    The first fitting begin of each gap, rounded up to *step_s*, then every *step_s*.
    """
    length_s = wanted.end_wall - wanted.start_wall
    taken = sorted((b.start_wall, b.end_wall) for b in others if _same(wanted, b))
    return tuple(_begins(taken, length_s, (opens_wall, closes_wall), step_s))


def _begins(
    taken: Sequence[tuple[float, float]], length_s: float, day: tuple[float, float], step_s: float
) -> Iterator[float]:
    at, closes = day
    for start, end in (*taken, (closes, closes)):
        at = -(-at // step_s) * step_s
        while at + length_s <= min(start, closes):
            yield at
            at += step_s
        at = max(at, end)


def _freed(entries: Sequence[Entry]) -> frozenset[str]:
    """Name the appointments that were cancelled or moved away on paper and are not refuted."""
    leaving = (Kind.CANCEL, Kind.RESCHEDULE, Kind.NO_SHOW)
    return frozenset(
        entry.draft.appointment_key
        for entry in entries
        if entry.draft is not None
        and entry.draft.kind in leaving
        and entry.state not in (*OVER, State.CONFLICT)
    )


def _doubt(known: Knowledge) -> str:
    if not known.covers:
        return "The box does not hold that day's list. Somebody may have this time already."
    if known.age_s is None:
        return "How old the list is, is not known. Somebody may have this time already."
    if known.trouble and known.online_booking:
        return (
            "Free on the box's list. Clients may still be booking online and could hold this time: "
            "say that you will confirm it."
        )
    if known.trouble or known.age_s > FRESH_S:
        return "Free on the box's list, which is not fresh. Say that you will confirm this time."
    return ""


def _same(one: Busy, other: Busy) -> bool:
    rooms = one.room.strip().casefold(), other.room.strip().casefold()
    members = one.member.strip().casefold(), other.member.strip().casefold()
    return members[0] == members[1] or (rooms[0] != "" and rooms[0] == rooms[1])


def _overlap(one: Busy, other: Busy) -> bool:
    return one.start_wall < other.end_wall and other.start_wall < one.end_wall
