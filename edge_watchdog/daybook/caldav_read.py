"""The calendars of one CalDAV look in, one Reading out; runs in the child (reader.py)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from edge_watchdog.daybook import Appointment, DaybookError, Reading, Span
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.reading import MOST_ROWS, Limit, read_calendar


def read_calendars(body: bytes, span: Span, title: Title, limit: Limit) -> Reading:
    """Read the body that caldav.py made.

    Of several calendars each is a team member's, whatever its entries say; the entries of a single
    one speak for themselves.  Raises DaybookError for more than MOST_ROWS in the span.
    """
    calendars = json.loads(body)
    several = len(calendars) > 1
    found: list[Appointment] = []
    rejected = 0
    for one in calendars:
        reading = _read(one, span, title, limit)
        rejected += reading.rejected
        found += [_of(one, entry, several=several) for entry in reading.appointments]
        if len(found) > MOST_ROWS:
            raise DaybookError(f"the calendars hold more than {MOST_ROWS} entries for these days")
    found.sort(key=lambda one: (one.start_wall, one.member, one.key))
    return Reading(tuple(found), rejected)


def _read(calendar: Mapping[str, object], span: Span, title: Title, limit: Limit) -> Reading:
    entries = calendar["entries"]
    if not isinstance(entries, list) or not entries:
        return Reading(())
    rejected, whole = 0, []
    for text in entries:
        # Each entry is a calendar of its own: a broken one must not spoil the rest.
        shouted = str(text).upper()
        if "BEGIN:VCALENDAR" in shouted and "END:VCALENDAR" in shouted:
            whole.append(str(text))
        else:
            rejected += 1
    if not whole:
        return Reading((), rejected)
    reading = read_calendar("\r\n".join(whole).encode("utf-8"), span, title, limit)
    return replace(reading, rejected=reading.rejected + rejected)


def _of(calendar: Mapping[str, object], one: Appointment, *, several: bool) -> Appointment:
    """Tell the same entry in two calendars apart, and name whose it is."""
    key = hashlib.sha256(f"{calendar['place']}\n{one.key}".encode()).hexdigest()[:16]
    member = str(calendar["name"]) if several else one.member
    return replace(one, key=key, member=member)
