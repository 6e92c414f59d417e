"""The answers of a JSON API, read by its Mapping: what rest.py gathered in, a Reading out.

An entry that cannot be read is counted and left out; a body that is none of ours is no day.
"""

import json
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Any

from edge_watchdog.daybook import DaybookError, Reading, Span
from edge_watchdog.daybook.gathering import Gathering, Person, Visit
from edge_watchdog.daybook.mapping import Columns, Mapping, Part, Roll
from edge_watchdog.daybook.model import NoteKind, Status
from edge_watchdog.daybook.notes import told
from edge_watchdog.daybook.shape import (
    Joins,
    TimeRule,
    count_of,
    dig,
    money_of,
    text_of,
    wall_of,
)

BAD_ENTRY = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
NOT_READ = "the day could not be read from the answers"
NOTES: Table[str, NoteKind] = {
    "allergy": NoteKind.ALLERGY,
    "patch_test": NoteKind.PATCH_TEST,
    "formula": NoteKind.COLOUR_FORMULA,
    "preference": NoteKind.PREFERENCE,
    "history": NoteKind.HISTORY,
    "note": NoteKind.OTHER,
}
NO = (None, "", False, 0, "0", "false", "False")


def read_visits(body: bytes, span: Span, mapping: Mapping) -> Reading:
    """Read what fetch() gathered; raises DaybookError."""
    try:
        found = json.loads(body)
        joins, rolls = found["joins"], found.get("rolls", {})
        parts = [("", mapping.main, found["visits"])]
        parts += [(name, part, found["more"][name]) for name, part in mapping.more.items()]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise DaybookError(NOT_READ) from None
    gathering = Gathering(mapping.label, span)
    for name, part, visits in parts:
        known = rolls.get(name, {})
        for item in visits:
            try:
                visit = _visit(item, mapping, part, joins, zone=span.zone)
                attendees = _attendees(known.get(visit.ref, ()), part.roll, joins)
                ref = f"{name} {visit.ref}" if name else visit.ref
                gathering.add(replace(visit, ref=ref, attendees=attendees))
            except BAD_ENTRY:
                gathering.reject()
    if gathering.is_too_large:
        raise DaybookError(f"{mapping.label} gave more entries than a few days can have")
    return gathering.reading()


def _attendees(
    found: Iterable[Any], roll: Roll | None, joins: Joins
) -> tuple[tuple[Person, Status, str], ...]:
    """Read the roll of a class: who it is, how they stand, and their places."""
    if roll is None:
        return ()

    def attendee(one: Any) -> tuple[Person, Status, str]:
        ref, name, phone, email, spot = (
            text_of(one, place, joins) if place else ""
            for place in (roll.id, roll.name, roll.phone, roll.email, roll.spot)
        )
        return Person(ref, name, phone, email), flag_of(one, roll.flags) or Status.BOOKED, spot

    return tuple(attendee(one) for one in found)


def _visit(item: Any, mapping: Mapping, part: Part, joins: Joins, *, zone: str) -> Visit:
    """Read one entry; raises one of BAD_ENTRY when it has no id or no time."""
    columns = part.columns
    ref = text_of(item, columns.id)
    if not ref:
        raise ValueError("no id")
    start, marks = wall_of(text_of(item, columns.start), mapping.time, zone)
    end = _end(item, columns, mapping.time, start, zone=zone)

    def text(expression: str) -> str:
        return text_of(item, expression, joins) if expression else ""

    notes = (
        note for name, kind in NOTES.items() for note in told(kind, text(getattr(columns, name)))
    )
    return Visit(
        ref=ref,
        start_wall=start,
        end_wall=end,
        service=text(columns.service),
        member=text(columns.member),
        room=text(columns.room),
        status=status_of(item, part),
        person=Person(
            ref=text(columns.client_id),
            name=text(columns.client),
            phone=text(columns.phone),
            email=text(columns.email),
            notes=tuple(notes),
        ),
        marks=marks,
        price=money_of(
            text(columns.price),
            text(columns.currency) or mapping.currency,
            minor=mapping.minor_units,
        ),
        paid=_yes_no(item, columns.paid),
        capacity=count_of(text(columns.capacity)),
        booked=count_of(text(columns.booked)),
    )


def _end(item: Any, columns: Columns, time: TimeRule, start: float, *, zone: str) -> float:
    if columns.end and (end := text_of(item, columns.end)):
        return wall_of(end, time, zone)[0]
    minutes = float(text_of(item, columns.minutes) or 0.0) if columns.minutes else 0.0
    seconds = float(text_of(item, columns.seconds) or 0.0) if columns.seconds else 0.0
    return start + 60.0 * minutes + seconds


def status_of(item: Any, part: Part) -> Status:
    """Give the first flag that is raised, else what the status says; unknown words are UNKNOWN."""
    if (flag := flag_of(item, part.flags)) is not None:
        return flag
    said = text_of(item, part.columns.status) if part.columns.status else ""
    return part.statuses.get(said, Status.UNKNOWN) if said else Status.NOT_SAID


def flag_of(item: Any, flags: Table[str, Status]) -> Status | None:
    """Give what the first flag means that is raised, None when none is."""
    return next((status for flag, status in flags.items() if _is_raised(item, flag)), None)


def _is_raised(item: Any, flag: str) -> bool:
    place, asked, word = flag.partition("=")
    found = dig(item, place)
    return str(found).strip().casefold() == word.casefold() if asked else found not in NO


def _yes_no(item: Any, place: str) -> bool | None:
    found = dig(item, place) if place else None
    if found is None:
        return None
    return found if isinstance(found, bool) else str(found).casefold() in ("yes", "true", "paid")
