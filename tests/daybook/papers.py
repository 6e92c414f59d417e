"""Things that stand on paper, for the tests of the journal."""

import threading
from collections.abc import Callable, Sequence

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
from edge_watchdog.daybook.paper_store import Pen, TakenError, open_paper
from edge_watchdog.daybook.seal import Unsealed

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


def race(
    path: str,
    rounds: int,
    wanted: Callable[[str, int], Draft],
    rows: Sequence[Appointment] = (),
) -> list[list[str]]:
    """Let two desks, each with its own connection, write at once; gives who got it each time.

    *wanted* is what the desk of this name asks for in a round.
    """
    gate = threading.Barrier(2)
    won: list[list[str]] = [[] for _ in range(rounds)]

    def desk(name: str) -> None:
        store = open_paper(path, Unsealed())
        for number in range(rounds):
            draft = wanted(name, number)
            gate.wait(60)
            try:
                store.append(draft, pen(form=f"{name} {number}"), rows)
            except TakenError:
                continue
            won[number].append(name)
        store.close()

    desks = [threading.Thread(target=desk, args=(name,)) for name in ("Ella", "Fay")]
    for one in desks:
        one.start()
    for one in desks:
        one.join()
    return won
