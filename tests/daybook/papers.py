"""Things that stand on paper, for the tests of the journal."""

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.paper import (
    PAID_BY,
    Author,
    Draft,
    Entry,
    Kind,
    Line,
    Method,
    Move,
    Payment,
    Sale,
    State,
    Visit,
    Words,
)
from edge_watchdog.daybook.paper_store import Pen

NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 UTC
HOUR = 3600.0
MIA = Author("Mia", "desk tablet")


def at(hour: float) -> float:
    return NOON + (hour - 12) * HOUR


def visit(hour: float = 14, minutes: int = 60, **changes: object) -> Visit:
    start = at(hour)
    base: dict[str, object] = {"client": "Anna B.", "member": "Mia", "service": "Cut"}
    return Visit(start_wall=start, end_wall=start + minutes * 60, **{**base, **changes})  # type: ignore[arg-type]


def booking(hour: float = 14, minutes: int = 60, **changes: object) -> Draft:
    return Draft(Kind.BOOKING, visit(hour, minutes, **changes))


def sale(*lines: Line, **changes: object) -> Sale:
    base: dict[str, object] = {"client": "Anna B.", "currency": "GBP", "method": Method.CASH}
    return Sale(lines=lines or (Line("Cut", 1, 4500),), **{**base, **changes})  # type: ignore[arg-type]


def payment(kind: Kind, minor: int = 1000, parent: int = 0, **changes: object) -> Draft:
    base: dict[str, object] = {"client": "Anna B.", "method": PAID_BY[kind][0]}
    made = Payment(**{"amount": Money(minor, "GBP"), **base, **changes})  # type: ignore[arg-type]
    return Draft(kind, made, parent=parent)


def note(text: str, **changes: object) -> Draft:
    return Draft(Kind.NOTE, Words(text), **changes)  # type: ignore[arg-type]


def pen(wall: float = NOON, form: str = "") -> Pen:
    return Pen(MIA, wall, form=form)


def entry(number: int, draft: Draft, *states: State, wall: float = NOON) -> Entry:
    moves = tuple(Move(state, wall, MIA, "said so") for state in states)
    return Entry(f"id {number}", number, wall, True, MIA, draft, moves)


def listed(hour: float, minutes: int = 60, **changes: object) -> Appointment:
    base: dict[str, object] = {
        "key": f"key {hour}",
        "all_day": False,
        "member": "Mia",
        "service": "Colour",
        "client": "Beth C.",
        "room": "",
        "status": Status.CONFIRMED,
    }
    start = at(hour)
    return Appointment(start_wall=start, end_wall=start + minutes * 60, **{**base, **changes})  # type: ignore[arg-type]


def moved_to(state: State) -> Move:
    return Move(state, NOON, MIA, "said so")
