"""How full a class is: what the vendor's list says and what stands on paper, counted together.

Pure.  Who was cancelled or moved away on paper gives a place back; who was entered at the vendor's
and is named there is not counted twice.  Where a number is not known, none is made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import (
    class_name,
    has_place,
    places_taken,
    same_client,
    same_spot,
)
from edge_watchdog.daybook.model import Attendee, Status
from edge_watchdog.daybook.paper import OVER, SLOTS, Entry, Kind, State, Visit
from edge_watchdog.daybook.privacy import short_name

LEAVING = (Kind.CANCEL, Kind.RESCHEDULE, Kind.NO_SHOW)
MAYBE_COUNTED = (State.ENTERED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Place:
    """Who has a place, and on which spot; *number* is the paper entry, 0 for the vendor's own."""

    name: str
    spot: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Roll:
    """A class as far as the box knows it; *capacity* and *listed* are None when not known.

    *listed*: how many places are taken by the vendor's list, less those given back on paper;
    *on_paper*: how many were written down and are not in the list yet, *perhaps* of which may be
    counted there already.  *places* are those that are known by name, *waiting* wait for one,
    *queue* being those of them on paper, who came first first.  Who gave a place of the list back:
    *gone*, as the list names them, and *quit* on paper, where it names nobody.
    """

    name: str
    capacity: int | None = None
    listed: int | None = None
    on_paper: int = 0
    freed: int = 0
    perhaps: int = 0
    waiting: int = 0
    places: tuple[Place, ...] = ()
    queue: tuple[Place, ...] = ()
    gone: tuple[Attendee, ...] = ()
    quit: tuple[Place, ...] = ()

    @property
    def taken(self) -> int | None:
        """Count the places that are gone, those on paper with them."""
        return None if self.listed is None else self.listed + self.on_paper

    @property
    def left(self) -> int | None:
        """Count the places that can still be given away, None when that is not known."""
        if self.capacity is None or self.taken is None:
            return None
        return max(0, self.capacity - self.taken)

    @property
    def is_full(self) -> bool:
        """Tell whether it is certain that no place is left."""
        return self.left == 0 and not self.perhaps_left

    @property
    def perhaps_left(self) -> int:
        """Count the places that are left if those on paper are in the list's number already."""
        if self.capacity is None or self.taken is None:
            return 0
        return max(0, self.capacity - self.taken + self.perhaps)

    @property
    def most_on_paper(self) -> int | None:
        """Count the paper's places that the class can take beside the vendor's, None: not known."""
        if self.capacity is None or self.listed is None:
            return None
        return max(0, self.capacity - self.listed + self.perhaps)

    def on_spot(self, spot: str) -> Place | None:
        """Give who has this spot."""
        return next((one for one in self.places if same_spot(one.spot, spot)), None)

    def of_client(self, client: str) -> Place | None:
        """Give the place of somebody of this name."""
        return next((one for one in self.places if same_client(client, one.name)), None)


def roll_of(row: Appointment | None, holds: Sequence[Entry], entries: Sequence[Entry]) -> Roll:
    """Count a class: *holds* are what is written down for it, *entries* the whole journal.

    *row* is None for a class that the list does not have.
    """
    held = sorted(holds, key=lambda one: one.number)
    seats = [one for one in row.attendees if has_place(one)] if row else []
    taken = places_taken(row) if row else None
    unnamed = taken is not None and taken > len(seats)
    freed, named, unseen = 0, tuple(seats), list[Place]()
    for one in _leaving(row, entries):
        before = len(seats)
        given = _give_back(one, seats, held, unnamed=unnamed)
        freed += given
        if given and len(seats) == before:
            unseen.append(_place(one))
    gone = list(named)
    for seat in seats:
        gone.remove(seat)
    seen = _seen(seats, held)
    held = [one for one in held if one.number not in seen]
    queue = _queue(row, entries)
    return Roll(
        class_name(row) if row else "this class",
        row.capacity if row else None,
        None if taken is None else max(0, taken - freed),
        len(held),
        freed,
        sum(one.state in MAYBE_COUNTED for one in held) if unnamed else 0,
        sum(one.status is Status.WAITING for one in row.attendees) + len(queue) if row else 0,
        (*(Place(one.name, one.spot) for one in seats), *map(_place, held)),
        queue,
        tuple(gone),
        tuple(unseen),
    )


def named_at(row: Appointment, client: str) -> int:
    """Count who of that name has a place by the vendor's list."""
    return sum(has_place(one) and same_client(client, one.name) for one in row.attendees)


def frees_time(entry: Entry, classes: frozenset[str]) -> bool:
    """Tell whether *entry* frees its appointment's time: leaving a class frees a place only.

    *classes* are the keys of those.  One that names nobody cancels the whole class.
    """
    draft = entry.draft
    if draft is None or not _leaves(entry):
        return False
    return draft.appointment_key not in classes or not draft.content.client


def _leaves(entry: Entry) -> bool:
    is_valid = entry.state not in (*OVER, State.CONFLICT)
    return entry.draft is not None and entry.draft.kind in LEAVING and is_valid


def _leaving(row: Appointment | None, entries: Sequence[Entry]) -> list[Entry]:
    """Give who leaves the class by what was written down, oldest first."""
    return [
        one
        for one in entries
        if row is not None
        and one.draft is not None
        and one.draft.appointment_key == row.key
        and one.draft.content.client
        and _leaves(one)
    ]


def _give_back(leaver: Entry, seats: list[Attendee], held: list[Entry], *, unnamed: bool) -> int:
    """Take the leaver's place out of the list's or the paper's; gives how many of the list's."""
    name = leaver.draft.content.client if leaver.draft else ""
    seat = next((one for one in seats if same_client(name, one.name)), None)
    if seat is not None:
        seats.remove(seat)
        return 1
    ours = (one for one in held if one.number < leaver.number and _is_of(one, name))
    mine = next(ours, None)
    if mine is not None:
        held.remove(mine)
        return 0
    return int(unnamed and leaver.state not in MAYBE_COUNTED)


def _seen(seats: Sequence[Attendee], held: Sequence[Entry]) -> frozenset[int]:
    """Give the entries that were entered and stand in the list by name."""
    left, found = list(seats), set()
    for one in held:
        name = one.draft.content.client if one.draft else ""
        seat = next((seat for seat in left if same_client(name, seat.name)), None)
        if seat is not None and one.state in MAYBE_COUNTED:
            left.remove(seat)
            found.add(one.number)
    return frozenset(found)


def _queue(row: Appointment | None, entries: Sequence[Entry]) -> tuple[Place, ...]:
    """Give who waits for a place on paper, who came first first."""
    return tuple(
        _place(one)
        for one in sorted(entries, key=lambda one: one.number)
        if row is not None
        and one.state not in OVER
        and one.draft is not None
        and one.draft.waits
        and one.draft.lesson == row.key
    )


def _is_of(entry: Entry, name: str) -> bool:
    draft = entry.draft
    return draft is not None and same_client(name, short_name(draft.content.client))


def _place(entry: Entry) -> Place:
    content = entry.draft.content if entry.draft else None
    if not isinstance(content, Visit):
        return Place("", "", entry.number)
    return Place(short_name(content.client), content.spot, entry.number)


def takes_place(entry: Entry) -> bool:
    """Tell whether *entry* takes time or a place: a verified one stands in the list itself."""
    draft = entry.draft
    holds = draft is not None and draft.kind in SLOTS and entry.state not in OVER
    return holds and draft is not None and not draft.waits
