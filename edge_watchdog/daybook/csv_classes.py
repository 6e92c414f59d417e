"""Classes in an export: rows in, one per client; a class for those that share it, the others alone.

An export has no word for a class, but only a class has spots (a bike, a mat): rows of the same
times, service, member and room are one where any of them names a spot.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import OFF, Attendee, Status


def with_classes(rows: Iterable[Appointment], spots: Mapping[str, str]) -> list[Appointment]:
    """Give the rows with those of a class put together; *spots* are by the key of a row."""
    together: dict[tuple[object, ...], list[Appointment]] = {}
    for one in rows:
        together.setdefault(_shared(one), []).append(one)
    found = []
    for shared, people in together.items():
        is_class = any(spots.get(one.key) for one in people)
        found += [_class(shared, people, spots)] if is_class else people
    return found


def _shared(one: Appointment) -> tuple[object, ...]:
    named = (one.service, one.member, one.room)
    return one.start_wall, one.end_wall, *(text.casefold() for text in named)


def _class(
    shared: tuple[object, ...], people: list[Appointment], spots: Mapping[str, str]
) -> Appointment:
    seats = [
        Attendee(one.client, one.status, one.client_key, spots.get(one.key, ""))
        for one in sorted(people, key=lambda one: one.status is Status.WAITING)
        if one.status not in OFF
    ]
    return replace(
        people[0],
        key=hashlib.sha256(f"csv class\n{shared}".encode()).hexdigest()[:16],
        client="",
        client_key="",
        status=Status.NOT_SAID,
        price=None,
        paid=None,
        booked=sum(one.status is not Status.WAITING for one in seats),
        attendees=tuple(seats),
    )
