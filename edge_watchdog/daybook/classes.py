"""Classes: which appointment is one, who has a place in it, and which one a booking is meant for.

Pure: rows of the vendor's list and what was written down in, answers out.  Names are compared as
the list keeps them: a first name, and an initial where both have one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import GONE, OFF, Attendee, Status
from edge_watchdog.daybook.paper import Draft, Kind, Visit
from edge_watchdog.daybook.privacy import short_name

NEAR_S = 5 * 60.0
NO_PLACE = (*GONE, Status.WAITING)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The class that a booking is meant for; *row* is None where the list does not have it.

    *key* is the row's, or one made of what was written; "" when more than one class would fit,
    which *choices* then names.
    """

    key: str
    row: Appointment | None = None
    choices: tuple[str, ...] = ()


def is_class(row: Appointment) -> bool:
    """Tell whether *row* is a class: the source speaks of places or of several people."""
    return row.capacity is not None or row.booked is not None or bool(row.attendees)


def has_place(one: Attendee) -> bool:
    """Tell whether a place is taken: who waits for one has none yet."""
    return one.status not in NO_PLACE


def places_taken(row: Appointment) -> int | None:
    """Count the places that are taken at the vendor's; None when the source does not say."""
    if row.booked is not None:
        return row.booked
    return sum(map(has_place, row.attendees)) if row.attendees else None


def class_name(row: Appointment) -> str:
    """Name a class: "Spin with Mia"."""
    name = row.service or "the class"
    return f"{name} with {row.member}" if row.member else name


def lesson_of(draft: Draft, rows: Sequence[Appointment]) -> Lesson | None:
    """Find the class of *rows* that *draft* wants a place in; None when it is about none.

    One that was chosen on the page counts as long as its time was not changed.  Where the list
    ends, a service that is a class on other days is one then, too.
    """
    visit = draft.content
    if not isinstance(visit, Visit):
        return None
    lessons = [row for row in rows if is_class(row) and not row.all_day]
    there = [row for row in lessons if row.status not in OFF and _begins_with(visit, row)]
    keys = (draft.lesson, draft.appointment_key if draft.kind is Kind.BOOKING else "")
    chosen = next((row for row in there if row.key in keys), None)
    if chosen is not None:
        return Lesson(chosen.key, chosen)
    fits = [row for row in there if is_then(visit, row)]
    best = [row for row in fits if _is_named(visit, row)] or fits
    if len(best) == 1:
        return Lesson(best[0].key, best[0])
    if best:
        return Lesson("", None, tuple(map(class_name, best)))
    if draft.lesson:
        return Lesson(draft.lesson)
    service = folded(visit.service)
    if service and any(folded(row.service) == service for row in lessons):
        return Lesson(f"{service} {visit.start_wall:.0f} {folded(visit.member)}")
    return None


def is_then(visit: Visit, row: Appointment) -> bool:
    """Tell whether *row* may be what was booked, but for who comes."""
    return (
        _begins_with(visit, row)
        and agree(row.member, visit.member)
        and similar(row.service, visit.service)
    )


def _begins_with(visit: Visit, row: Appointment) -> bool:
    return near(row.start_wall, visit.start_wall)


def _is_named(visit: Visit, row: Appointment) -> bool:
    member, service = folded(visit.member), folded(visit.service)
    return (not member or member == folded(row.member)) and service == folded(row.service)


def near(one: float, other: float) -> bool:
    """Tell whether two times, in seconds, are the same but for a few minutes."""
    return abs(one - other) <= NEAR_S


def agree(one: str, other: str) -> bool:
    """Tell whether two names of team members may be the same: one may not be said."""
    first, second = folded(one), folded(other)
    return not first or not second or first == second


def similar(one: str, other: str) -> bool:
    """Tell whether two services may be the same: one holds the other, or they share a word."""
    first, second = folded(one), folded(other)
    if not first or not second or first in second or second in first:
        return True
    return bool(_words(first) & _words(second))


def same_client(full: str, name: str) -> bool:
    """Compare a client as written down with a name as the list keeps it."""
    ours, theirs = folded(short_name(full)), folded(name)
    if not ours or not theirs:
        return False
    first, rest = ours.partition(" ")[::2]
    other, other_rest = theirs.partition(" ")[::2]
    return first == other and (not rest or not other_rest or rest == other_rest)


def same_spot(one: str, other: str) -> bool:
    """Tell whether two spots are the same: "Bike 12" is "bike  12", and "12" for short."""
    first, second = spot_key(one), spot_key(other)
    if not first or not second:
        return False
    if first == second:
        return True
    short, whole = sorted((first, second), key=len)
    return short.isdigit() and not whole.isdigit() and _number_of(whole) == short


def spot_key(spot: str) -> str:
    """Give a spot without capitals and signs: "bike12"; "" for none."""
    return "".join(c for c in spot.casefold() if c.isalnum())


def folded(text: str) -> str:
    """Give *text* as names are compared."""
    return text.strip().casefold()


def _number_of(spot: str) -> str:
    return spot[len(spot.rstrip("0123456789")) :]


def _words(text: str) -> frozenset[str]:
    apart = "".join(c if c.isalnum() else " " for c in text)
    return frozenset(word for word in apart.split() if len(word) > 2)
