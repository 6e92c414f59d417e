"""The day with what stands on paper: bookings in their place, and what became of appointments.

How the sources stand and the journal in, the same out as the pages draw it.  Only what is shown is
changed: the vendor's list itself stays as it came.  Places in classes are counted in lessons.py.
Clients are a first name and an initial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import is_class, is_then, near, same_client
from edge_watchdog.daybook.keeper import SourceState, appointments_of
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.paper import OVER, SLOTS, Entry, Kind, State, Visit, human
from edge_watchdog.daybook.paper_roll import takes_place
from edge_watchdog.daybook.privacy import short_name

SAYS: Mapping[Kind, tuple[str, Status]] = {
    Kind.CANCEL: ("cancelled on paper", Status.CANCELLED),
    Kind.RESCHEDULE: ("moved on paper", Status.CANCELLED),
    Kind.NO_SHOW: ("did not come, on paper", Status.NO_SHOW),
    Kind.CHECK_IN: ("arrived, on paper", Status.ARRIVED),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the pages draw: *states* of the sources, and *rows* that stand on paper alone."""

    states: tuple[SourceState, ...]
    rows: tuple[Appointment, ...] = ()


def with_written(states: Sequence[SourceState], entries: Sequence[Entry]) -> Shown:
    """Give *states* as they are shown beside the journal's *entries*."""
    there = appointments_of(states)
    kept = [e for e in sorted(entries, key=lambda e: e.number) if e.draft and e.state not in OVER]
    words = _of_listed(kept, {row.key: row for row in there})
    rows = tuple(_row(e, visit) for e in kept if (visit := _new_visit(e, there)) is not None)
    return Shown(tuple(_marked(state, words) for state in states), rows)


def _of_listed(
    kept: Sequence[Entry], by_key: Mapping[str, Appointment]
) -> dict[str, tuple[str, Status]]:
    """Say of each appointment in the list what became of it on paper, last."""
    words = {}
    for one in kept:
        draft = one.draft
        row = by_key.get(draft.appointment_key) if draft else None
        if draft is None or row is None or draft.kind not in SAYS:
            continue
        if is_class(row) and draft.content.client:  # one of its people, not the class
            continue
        if isinstance(draft.content, Visit) and _is_moved(draft.kind, draft.content, row):
            continue
        said, status = SAYS[draft.kind]
        words[row.key] = f"{said}, {human(one.number)}", status
    return words


def _is_moved(kind: Kind, visit: Visit, row: Appointment) -> bool:
    """Tell whether the list has moved it by itself: it stands where paper wanted it."""
    return kind is Kind.RESCHEDULE and near(row.start_wall, visit.start_wall)


def _new_visit(entry: Entry, there: Sequence[Appointment]) -> Visit | None:
    """Give what *entry* books, if it takes a time of its own that the list does not show yet."""
    draft = entry.draft
    if draft is None or draft.kind not in SLOTS or not takes_place(entry):
        return None
    visit = draft.content
    if not isinstance(visit, Visit) or any(row.key == draft.lesson for row in there):
        return None
    same = (is_then(visit, row) and same_client(visit.client, row.client) for row in there)
    return None if any(same) else visit


def _row(entry: Entry, visit: Visit) -> Appointment:
    taken = ", but the time is taken" if entry.state is State.CONFLICT else ""
    return Appointment(
        f"paper-{entry.number}",
        visit.start_wall,
        visit.end_wall,
        all_day=False,
        member=visit.member,
        service=visit.service,
        client=short_name(visit.client),
        room=visit.room,
        status=Status.NOT_SAID,
        client_key=entry.draft.client_key if entry.draft else "",
        price=visit.price,
        on_paper=f"on paper, {human(entry.number)}{taken}",
    )


def _marked(state: SourceState, words: Mapping[str, tuple[str, Status]]) -> SourceState:
    good = state.good
    if good is None or not any(row.key in words for row in good.reading.appointments):
        return state
    rows = tuple(
        replace(row, on_paper=words[row.key][0], status=words[row.key][1])
        if row.key in words
        else row
        for row in good.reading.appointments
    )
    return replace(state, good=replace(good, reading=replace(good.reading, appointments=rows)))
