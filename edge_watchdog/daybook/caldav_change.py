"""One calendar entry (RFC 5545) as text in, the same with another time or cancelled out.

Only the lines that must change do; whatever else stands in the entry stays as it is.  The rule: an
entry that is not plainly the one appointment that was meant (a series, a day without times, a zone
that is not known, another time than was seen) is left alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_watchdog.daybook.blocks import unfolded
from edge_watchdog.daybook.writeback import Change, Changed

SERIES = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "EXRULE")
_LINE = re.compile(r"([A-Za-z-]+)((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_TZID = re.compile(r";TZID=\"?([^;\"]+)\"?", re.IGNORECASE)
_WHEN = re.compile(r"\d{8}T\d{6}Z?")


@dataclass(frozen=True, slots=True)
class _Property:
    """One line of the entry; *at* is its place among all lines."""

    at: int
    name: str
    parameters: str
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """An appointment in a calendar's text, taken apart."""

    lines: tuple[str, ...]
    properties: tuple[_Property, ...]
    end_at: int

    def get(self, name: str) -> _Property | None:
        """Give the property of this name, None when there is not exactly one."""
        found = [one for one in self.properties if one.name == name]
        return found[0] if len(found) == 1 else None


def find_event(text: str, uid: str) -> Found | None:
    """Find the one entry with *uid*; None for a series, for several, and for none."""
    lines = tuple(unfolded(text).splitlines())
    begins = [at for at, line in enumerate(lines) if line.strip().upper() == "BEGIN:VEVENT"]
    if len(begins) != 1:
        return None
    properties, end_at = [], 0
    depth = 0
    for at in range(begins[0], len(lines)):
        matched = _LINE.fullmatch(lines[at])
        if matched is None:
            continue
        name = matched[1].upper()
        depth += (name == "BEGIN") - (name == "END")
        if depth == 0:
            end_at = at
            break
        if depth == 1 and name != "BEGIN":  # what stands in an alarm is the alarm's
            properties.append(_Property(at, name, matched[2], matched[3].strip()))
    found = Found(lines, tuple(properties), end_at)
    own = found.get("UID")
    if not end_at or own is None or own.value != uid:
        return None
    return None if any(one.name in SERIES for one in properties) else found


def state_of(found: Found, change: Change) -> Changed:
    """Tell whether the entry is as it was seen, changed as is wanted, or otherwise."""
    if change.is_cancelled:
        said = found.get("STATUS")
        if said is not None and said.value.upper() == "CANCELLED":
            return Changed.DONE
        return Changed.AS_SEEN if _starts(found, change.was_start_wall) else Changed.OTHERWISE
    if _starts(found, change.start_wall):
        return Changed.DONE
    return Changed.AS_SEEN if _starts(found, change.was_start_wall) else Changed.OTHERWISE


def changed_text(found: Found, change: Change, now_wall: float) -> str | None:
    """Give the calendar with the change made; None when it cannot be written safely."""
    start = found.get("DTSTART")
    if start is None:
        return None
    fresh = {"DTSTAMP": _utc(now_wall), "LAST-MODIFIED": _utc(now_wall)}
    sequence = found.get("SEQUENCE")
    number = int(sequence.value) if sequence and sequence.value.isdigit() else 0
    fresh["SEQUENCE"] = str(number + 1)
    more = [] if sequence else [f"SEQUENCE:{number + 1}"]
    if change.is_cancelled:
        fresh["STATUS"] = "CANCELLED"
        more += [] if found.get("STATUS") else ["STATUS:CANCELLED"]
    else:
        moved = _moved(found, start, change)
        if moved is None:
            return None
        fresh |= moved[0]
        more += moved[1]
    lines = list(_written(found, fresh, more))
    return "\r\n".join([*lines, ""])


def _moved(
    found: Found, start: _Property, change: Change
) -> tuple[dict[str, str], list[str]] | None:
    """Give the new values of begin and end, and the lines that are not there yet."""
    begin, end = (_written_as(start, wall) for wall in (change.start_wall, change.end_wall))
    if begin is None or end is None:
        return None
    ends, lasts = found.get("DTEND"), found.get("DURATION")
    if ends is not None:
        written = _written_as(ends, change.end_wall)
        return None if written is None else ({"DTSTART": begin, "DTEND": written}, [])
    length = f"PT{round((change.end_wall - change.start_wall) / 60)}M"
    if lasts is not None:
        return {"DTSTART": begin, "DURATION": length}, []
    return {"DTSTART": begin}, [f"DTEND{start.parameters}:{end}"]


def _written(found: Found, fresh: dict[str, str], more: Sequence[str]) -> Iterator[str]:
    values = {
        one.at: f"{one.name}{one.parameters}:{fresh[one.name]}"
        for one in found.properties
        if one.name in fresh
    }
    for at, line in enumerate(found.lines):
        if at == found.end_at:
            yield from more
        yield values.get(at, line)


def _starts(found: Found, wall: float) -> bool:
    start = found.get("DTSTART")
    at = _wall_of(start) if start else None
    return at is not None and abs(at - wall) < 1


def _wall_of(one: _Property) -> float | None:
    zone = _zone_of(one)
    if zone is None:
        return None
    try:
        at = datetime.strptime(one.value.rstrip("Z"), "%Y%m%dT%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None
    return at.timestamp()


def _written_as(one: _Property, wall: float) -> str | None:
    """Write *wall* in the form that the property has: in UTC, or in its own zone."""
    zone = _zone_of(one)
    if zone is None:
        return None
    text = datetime.fromtimestamp(wall, UTC).astimezone(zone).strftime("%Y%m%dT%H%M%S")
    return f"{text}Z" if one.value.endswith("Z") else text


def _zone_of(one: _Property) -> ZoneInfo | None:
    """Give the zone of a time; None for a day, a floating time, and a zone nobody knows."""
    if not _WHEN.fullmatch(one.value):
        return None
    if one.value.endswith("Z"):
        return ZoneInfo("UTC")
    named = _TZID.search(one.parameters)
    try:
        return ZoneInfo(named[1]) if named else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _utc(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y%m%dT%H%M%SZ")
