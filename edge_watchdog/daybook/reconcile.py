"""The way back: what was written down is held against the vendor's list once that is fresh again.

Pure: entries and a list that is newer than they are in, a finding for each out.  Nothing is
dropped: where the vendor's side changed meanwhile, both versions are shown and a person decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import (
    agree,
    is_class,
    is_then,
    near,
    places_taken,
    same_client,
)
from edge_watchdog.daybook.model import GONE, OFF, Client, Status
from edge_watchdog.daybook.paper import (
    PAYMENTS,
    PRESENCE,
    SLOTS,
    Draft,
    Entry,
    Kind,
    State,
    Visit,
    Was,
    is_over,
)
from edge_watchdog.daybook.paper_guard import is_shared

CAME = (Status.ARRIVED, Status.IN_SERVICE, Status.COMPLETED)
AWAY = (*OFF, Status.WAITING)  # who waits for a place in a class has none
ORDER: Mapping[Kind, int] = {
    **dict.fromkeys((*SLOTS, Kind.CANCEL), 0),
    **dict.fromkeys(PRESENCE, 1),
    Kind.SALE: 2,
    **dict.fromkeys(PAYMENTS, 2),
    Kind.NOTE: 3,
    Kind.TASK: 4,
}
SECTIONS = ("Bookings", "Arrived and not come", "Sales and payments", "Notes", "Tasks")


class Outcome(StrEnum):
    """What the vendor's list says of an entry."""

    FOUND = "found"  # it is there
    TAKEN = "taken"  # somebody else has the time
    ABSENT = "absent"  # it is not there and nothing is in its way
    CHANGED = "changed"  # the appointment is another than when the entry was written
    WAITING = "waiting"  # no list is newer than the entry, or none covers its day
    PERSON = "person"  # no list can tell; a person ticks it off


@dataclass(frozen=True, slots=True)
class Fresh:
    """A complete list: [start, end) is what it covers, *asked_wall* when it was asked for.

    *clients* are by key; they are there as far as the owner allowed them to be kept.
    """

    source: str
    asked_wall: float
    start_wall: float
    end_wall: float
    appointments: tuple[Appointment, ...]
    clients: Mapping[str, Client]

    def covers(self, entry: Entry, start_wall: float) -> bool:
        """Tell whether the list can say something of a time that *entry* is about."""
        return self.is_newer(entry) and self.start_wall <= start_wall < self.end_wall

    def is_newer(self, entry: Entry) -> bool:
        """Tell whether the list was asked for after *entry* was written.

        Where the clock was not set then, it must be another list than the one shown then.
        """
        shown = entry.draft.as_of_wall if entry.draft and not entry.clock_known else None
        return self.asked_wall > (entry.at_wall if shown is None else shown)


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry beside what the vendor's list has; *theirs* is None where it has nothing."""

    entry: Entry
    outcome: Outcome
    theirs: Appointment | None = None

    @property
    def section(self) -> int:
        """Give the place in the order that staff need."""
        return ORDER[self.entry.draft.kind] if self.entry.draft else len(SECTIONS) - 1


def reconcile(entries: Sequence[Entry], lists: Sequence[Fresh]) -> tuple[Finding, ...]:
    """Compare what is not over; taken times first within bookings, then by begin."""
    found = [_finding(e, e.draft, lists) for e in entries if e.draft is not None and not is_over(e)]
    return tuple(sorted(found, key=_place))


def next_state(finding: Finding) -> State | None:
    """Give the state that the list itself proves, None where it proves nothing new."""
    state = finding.entry.state
    if finding.outcome is Outcome.FOUND:
        return State.VERIFIED
    if finding.outcome is Outcome.TAKEN and state is not State.CONFLICT:
        return State.CONFLICT
    return None


def _place(finding: Finding) -> tuple[int, bool, float, bool, int]:
    draft = finding.entry.draft
    content = draft.content if draft else None
    start = content.start_wall if isinstance(content, Visit) else 0.0
    is_open = finding.outcome is not Outcome.TAKEN
    takes = draft is None or draft.kind is not Kind.CANCEL  # what gives a place comes first
    return finding.section, is_open, start, takes, finding.entry.number


def _finding(entry: Entry, draft: Draft, lists: Sequence[Fresh]) -> Finding:
    visit = draft.content
    if not isinstance(visit, Visit) or (draft.kind not in SLOTS and not draft.appointment_key):
        return Finding(entry, Outcome.PERSON)
    near = [one for one in lists if one.covers(entry, visit.start_wall)]
    ours = [one for one in near if not draft.source or one.source == draft.source]
    if not ours:
        return Finding(entry, Outcome.WAITING)
    rows = tuple(row for one in near for row in one.appointments)
    clients = {key: client for one in near for key, client in one.clients.items()}
    if draft.kind is Kind.BOOKING:
        return _booking(entry, visit, rows, clients)
    everywhere = (row for one in lists if one.is_newer(entry) for row in one.appointments)
    row = next((row for row in everywhere if row.key == draft.appointment_key), None)
    if draft.kind is Kind.RESCHEDULE:
        return _moved(entry, visit, row, rows, clients)
    theirs = _as_seated(visit, row) if row is not None else None
    if draft.kind is Kind.CANCEL:
        return _cancelled(entry, visit, theirs)
    return _presence(entry, draft.kind, visit, theirs)


def _booking(
    entry: Entry, visit: Visit, rows: Sequence[Appointment], clients: Mapping[str, Client]
) -> Finding:
    same = next((row for row in rows if _has_them(entry, visit, row, clients)), None)
    if same is not None:
        return Finding(entry, Outcome.FOUND, same)
    ours = next((row for row in rows if entry.draft and row.key == entry.draft.lesson), None)
    if ours is not None and (ours.status in OFF or not near(ours.start_wall, visit.start_wall)):
        return Finding(entry, Outcome.CHANGED, ours)
    return _slot(entry, visit, rows)


def _has_them(entry: Entry, visit: Visit, row: Appointment, clients: Mapping[str, Client]) -> bool:
    """Tell whether *row* is what was booked: the client, the time, the staff, a similar service.

    There must be one more than had a place by the same name before; a class that the vendor moved
    is still the same.
    """
    draft = entry.draft
    if draft is None or not (is_then(visit, row) or row.key == draft.lesson):
        return False
    before = draft.namesakes if is_class(row) else 0
    return how_many(visit, row, clients, waits=draft.waits) > before


def _slot(entry: Entry, visit: Visit, rows: Sequence[Appointment]) -> Finding:
    """Tell whether the time is free at the vendor; one kept with a reason was taken before.

    A class that has places is given with what is to be entered there.
    """
    lessons = (row for row in rows if is_class(row) and row.status not in OFF)
    lesson = next((row for row in lessons if is_then(visit, row)), None)
    # who leads a class cannot be taken by it; of a class, only its places count
    others = [row for row in rows if _in_the_way(visit, row)] if lesson is None else [lesson]
    other = next((row for row in others if row is not lesson or not _has_places(row)), None)
    draft = entry.draft
    is_allowed = draft is not None and bool(draft.forced or draft.waits)
    if other is not None and not is_allowed:
        return Finding(entry, Outcome.TAKEN, other)
    return Finding(entry, Outcome.ABSENT, lesson or other)


def _moved(
    entry: Entry,
    visit: Visit,
    row: Appointment | None,
    rows: Sequence[Appointment],
    clients: Mapping[str, Client],
) -> Finding:
    if row is None or row.status in OFF:
        return Finding(entry, Outcome.CHANGED, row)
    others = [one for one in rows if one.key != row.key]
    if is_class(row):  # not the class moves, but one of its people
        there = next((one for one in others if _has_them(entry, visit, one, clients)), None)
        if there is not None:
            return Finding(entry, Outcome.FOUND, there)
    elif near(row.start_wall, visit.start_wall) and agree(row.member, visit.member):
        return Finding(entry, Outcome.FOUND, row)
    if visit.was is not None and not _as_before(visit.was, row):
        return Finding(entry, Outcome.CHANGED, row)
    return _slot(entry, visit, others)


def _cancelled(entry: Entry, visit: Visit, row: Appointment | None) -> Finding:
    if row is None:  # deleted, or moved to a day that the list does not cover
        entered = entry.state is State.ENTERED
        return Finding(entry, Outcome.FOUND if entered else Outcome.CHANGED)
    named = any(same_client(visit.client, one.name) for one in row.attendees)
    left = bool(row.attendees) and bool(visit.client) and not named
    if row.status in OFF or (left and entry.state is State.ENTERED):
        return Finding(entry, Outcome.FOUND, row)
    if visit.was is not None and not _as_before(visit.was, row):
        return Finding(entry, Outcome.CHANGED, row)
    return Finding(entry, Outcome.ABSENT, row)


def _presence(entry: Entry, kind: Kind, visit: Visit, row: Appointment | None) -> Finding:
    if row is None or row.status in OFF:
        return Finding(entry, Outcome.CHANGED, row)
    if row.status in (CAME if kind is Kind.CHECK_IN else (Status.NO_SHOW,)):
        return Finding(entry, Outcome.FOUND, row)
    contrary = row.status in ((Status.NO_SHOW,) if kind is Kind.CHECK_IN else CAME)
    if contrary or (visit.was is not None and not _as_before(visit.was, row)):
        return Finding(entry, Outcome.CHANGED, row)
    return Finding(entry, Outcome.ABSENT, row)


def how_many(
    visit: Visit, row: Appointment, clients: Mapping[str, Client], *, waits: bool = False
) -> int:
    """Count who in *row* may be who was booked, by name or telephone.

    Of a class any who has a place there may be; *waits*: or who waits for one.
    """
    if row.status in OFF:
        return 0
    away = OFF if waits else AWAY
    people = [(row.client, row.client_key)]
    people += [(one.name, one.client_key) for one in row.attendees if one.status not in away]
    return sum(
        same_client(visit.client, name) or _same_phone(visit, clients.get(key))
        for name, key in people
    )


def _as_seated(visit: Visit, row: Appointment) -> Appointment:
    """Give *row* with the status of the client, where it is a class that names them."""
    seats = (one for one in row.attendees if same_client(visit.client, one.name))
    seat = next(seats, None)
    return row if seat is None else replace(row, status=seat.status)


def _has_places(row: Appointment) -> bool:
    """Tell whether *row* is a class that is not known to be full."""
    return is_class(row) and (row.capacity is None or (places_taken(row) or 0) < row.capacity)


def _in_the_way(visit: Visit, row: Appointment) -> bool:
    free = row.status in GONE or (row.all_day and not row.member)
    free = free or (_has_places(row) and is_then(visit, row))
    overlap = row.start_wall < visit.end_wall and visit.start_wall < row.end_wall
    return overlap and is_shared(visit, row) and not free


def _as_before(was: Was, row: Appointment) -> bool:
    return (
        near(row.start_wall, was.start_wall)
        and agree(row.member, was.member)
        and (row.status == was.status or {row.status, was.status} <= _WAITING)
    )


_WAITING = frozenset({Status.NOT_SAID, Status.TENTATIVE, Status.BOOKED, Status.CONFIRMED})


def _same_phone(visit: Visit, client: Client | None) -> bool:
    ours = _last_digits(visit.phone)
    return bool(ours) and client is not None and _last_digits(client.phone) == ours


def _last_digits(phone: str) -> str:
    """Give the last nine digits, which a country or trunk prefix does not change."""
    digits = "".join(c for c in phone if c.isdigit())
    return digits[-9:] if len(digits) >= 9 else ""
