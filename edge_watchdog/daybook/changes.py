"""Two readings of a source, compared: which new entry is probably an old one that was moved.

Some vendors give an appointment a new id when it is moved, so it looks cancelled and booked anew.
The same client and service on the same day is a hint, and is shown as one, never as a fact.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from edge_watchdog.daybook import Appointment, Mark, Reading


def hinted(before: Reading, after: Reading, zone: str) -> Reading:
    """Give *after* with MOVED on entries that may be moved ones of *before*; days are *zone*'s.

    An entry that was marked and still stands where it stood keeps its mark.
    """
    old = {one.key: one for one in before.appointments}
    there = {one.key for one in after.appointments}
    local = ZoneInfo(zone)
    gone = Counter(_like(one, local) for key, one in old.items() if key not in there)
    shown = []
    for one in after.appointments:
        known = old.get(one.key)
        likeness = _like(one, local)
        if known is None and one.client and gone[likeness] > 0:
            gone[likeness] -= 1
            shown.append(_marked(one))
        elif known is not None and Mark.MOVED in known.marks and _stands(known, one):
            shown.append(_marked(one))
        else:
            shown.append(one)
    return replace(after, appointments=tuple(shown))


def _like(one: Appointment, local: ZoneInfo) -> tuple[str, str, date]:
    day = datetime.fromtimestamp(one.start_wall, UTC).astimezone(local).date()
    return one.client, one.service, day


def _stands(before: Appointment, after: Appointment) -> bool:
    return (before.start_wall, before.member) == (after.start_wall, after.member)


def _marked(one: Appointment) -> Appointment:
    return one if Mark.MOVED in one.marks else replace(one, marks=(*one.marks, Mark.MOVED))
