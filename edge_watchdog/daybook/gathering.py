"""Visits as an API told them, gathered into a Reading: each once, of the span only, none cancelled.

What identifies a client becomes a hash; the full name stands in Client alone.
"""

import hashlib
from dataclasses import dataclass, field

from edge_watchdog.daybook import Appointment, Mark, Reading, Span
from edge_watchdog.daybook.model import OFF, Attendee, Client, Money, Note, PriceItem, Status
from edge_watchdog.daybook.notes import merged
from edge_watchdog.daybook.privacy import NAME_CHARS, place, plain, short_name, without_contacts

MOST_ROWS = 2000
SERVICE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Person:
    """A client as the vendor knows them; *ref* is the vendor's own id, "" when there is none."""

    ref: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment or class of a vendor; *ref* is its own id there.  Times: since 1970."""

    ref: str
    start_wall: float
    end_wall: float
    service: str = ""
    member: str = ""
    room: str = ""
    status: Status = Status.NOT_SAID
    person: Person = field(default_factory=Person)
    marks: tuple[Mark, ...] = ()
    price: Money | None = None
    paid: bool | None = None
    capacity: int | None = None
    booked: int | None = None
    attendees: tuple[tuple[Person, Status, str], ...] = ()


class Gathering:
    """Collects the visits of one look at the vendor called *kind*."""

    def __init__(self, kind: str, span: Span) -> None:
        self._kind = kind
        self._span = span
        self._visits: dict[str, Appointment] = {}
        self._clients: dict[str, Client] = {}
        self.rejected = 0

    def add(self, visit: Visit) -> None:
        """Take a visit; one that is over, cancelled or outside the span is left out."""
        end_wall = max(visit.end_wall, visit.start_wall)
        span = self._span
        before = end_wall <= span.start_wall and visit.start_wall < span.start_wall
        self._visits.pop(visit.ref, None)
        if visit.status in OFF or before or visit.start_wall >= span.end_wall:
            return
        marks = visit.marks
        if end_wall == visit.start_wall and Mark.CLOCK_CHANGE not in marks:
            marks += (Mark.NO_END,)
        self._visits[visit.ref] = Appointment(
            key=self._hash(visit.ref),
            start_wall=visit.start_wall,
            end_wall=end_wall,
            all_day=False,
            member=plain(visit.member, NAME_CHARS),
            service=plain(without_contacts(visit.service), SERVICE_CHARS),
            client=short_name(visit.person.name),
            room=place(visit.room),
            status=visit.status,
            marks=marks,
            ref=visit.ref,
            client_key=self._client(visit.person),
            price=visit.price,
            paid=visit.paid,
            capacity=visit.capacity,
            booked=visit.booked,
            attendees=tuple(
                Attendee(short_name(who.name), status, self._client(who), place(spot))
                for who, status, spot in sorted(visit.attendees, key=_waits)
                if status not in OFF
            ),
        )

    def reject(self) -> None:
        """Count one that could not be understood."""
        self.rejected += 1

    @property
    def is_too_large(self) -> bool:
        """Tell whether no studio has that many in a few days."""
        return len(self._visits) > MOST_ROWS

    def reading(self, prices: tuple[PriceItem, ...] = ()) -> Reading:
        """Give all of it, by start."""
        found = sorted(self._visits.values(), key=lambda one: (one.start_wall, one.member, one.key))
        return Reading(tuple(found), self.rejected, tuple(self._clients.values()), prices)

    def _client(self, person: Person) -> str:
        if not person.ref and not person.name:
            return ""
        key = self._hash(f"client\n{person.ref or person.name}")
        one = Client(key, person.name, person.phone, person.email, person.notes)
        self._clients[key] = merged(self._clients.get(key), one)
        return key

    def _hash(self, identity: str) -> str:
        return hashlib.sha256(f"{self._kind}\n{identity}".encode()).hexdigest()[:16]


def _waits(attendee: tuple[Person, Status, str]) -> bool:
    return attendee[1] is Status.WAITING  # who has a place stands before who waits for one
