"""One calendar in, the appointments of a span out: every known way a feed goes wrong is met here.

Runs in a child process (child.py), because icalendar is large and slow and a feed may be hostile.
A bad entry is counted and left out; it never spoils its neighbours.
"""

import hashlib
import re
import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from icalendar import Component

from edge_watchdog.daybook import Appointment, DaybookError, Mark, Reading, Span
from edge_watchdog.daybook.blocks import Group, groups_in
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.privacy import NAME_CHARS, Title, place, plain, split_title

MOST_ROWS = 2000
MOST_HOURLY = 20
MOST_TIMES_A_DAY = 24
MARGIN = timedelta(days=2)

# What icalendar, dateutil and recurring_ical_events raise when they are fed nonsense.
BAD_ENTRY = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
STATUSES = {"TENTATIVE": Status.TENTATIVE, "CONFIRMED": Status.CONFIRMED}

_RULE = re.compile(r"^RRULE[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_ID = re.compile(r"[0-9a-fA-F-]{8,64}")
REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")
_NO_FIELDS = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "RDATE"})

Limit = Callable[[], AbstractContextManager[None]]


class TooLongError(BaseException):
    """One series took longer than its time; no library may swallow it."""


@dataclass(frozen=True, slots=True)
class _Times:
    """When an occurrence is, and what is uncertain about that."""

    start: datetime
    end: datetime
    all_day: bool
    marks: tuple[Mark, ...]


def read_calendar(body: bytes, span: Span, title: Title, limit: Limit) -> Reading:
    """Read what *body* says of *span*; *limit* makes a context that ends a long series.

    Raises DaybookError when *body* is no whole calendar or holds more than MOST_ROWS in the span.
    """
    found: list[Appointment] = []
    rejected = 0
    hourly = 0
    for group in groups_in(body, span):
        hourly += "FREQ=HOURLY" in group.text.upper()
        try:
            with limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _refuse_rules(group, hourly)
                found += _appointments(group, span, title)
        except (*BAD_ENTRY, TooLongError):
            rejected += 1
        if len(found) > MOST_ROWS:
            raise DaybookError(f"the calendar holds more than {MOST_ROWS} entries for two days")
    found.sort(key=lambda one: (one.start_wall, one.member, one.key))
    return Reading(tuple(found), rejected)


def _refuse_rules(group: Group, hourly: int) -> None:
    """Raise ValueError for a rule that no appointment has and that costs minutes to expand."""
    for rule in _RULE.findall(group.text):
        parts = dict(part.split("=", 1) for part in rule.strip().upper().split(";") if "=" in part)
        if parts.get("FREQ") in ("SECONDLY", "MINUTELY"):
            raise ValueError("too often")
        if parts.get("FREQ") == "HOURLY" and hourly > MOST_HOURLY:
            raise ValueError("too many hourly series")
        times = 1
        for key in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            times *= parts[key].count(",") + 1 if key in parts else 1
        if times > MOST_TIMES_A_DAY:
            raise ValueError("too many times a day")


def _appointments(group: Group, span: Span, title: Title) -> list[Appointment]:
    calendar = icalendar.Calendar.from_ical(group.text)
    events = _newest(calendar.walk("VEVENT"))
    for event in events:
        _mend(event)
    calendar.subcomponents = [
        *(part for part in calendar.subcomponents if part.name != "VEVENT"),
        *events,
    ]
    zone = ZoneInfo(span.zone)
    begin = datetime.fromtimestamp(span.start_wall, zone) - MARGIN
    end = datetime.fromtimestamp(span.end_wall, zone) + MARGIN
    named = any("TZID" in event["DTSTART"].params for event in events)
    stated = bool(group.calendar_zone) and not named
    assumed = (
        ZoneInfo(group.calendar_zone) if stated else zone,
        Mark.ZONE_UNKNOWN if named else Mark.ZONE_ASSUMED,
    )
    repeats = any(name in event for event in events for name in REPEATS)
    kept = []
    for event in recurring_ical_events.of(calendar).between(begin, end):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        times = _times(event, zone, assumed, stated=stated)
        if _touches(times, span):
            slot = _stamp(event, "RECURRENCE-ID") if repeats else ""
            kept.append(_appointment(event, f"{group.uid}\n{slot}", times, title))
    return kept


def _newest(events: Iterable[Component]) -> list[Component]:
    """Keep one event per RECURRENCE-ID: the highest SEQUENCE, then the latest stamp and place."""
    best: dict[str, tuple[tuple[int, str, int], Component]] = {}
    for number, event in enumerate(events):
        slot = _stamp(event, "RECURRENCE-ID")
        rank = (int(event.get("SEQUENCE", 0)), _stamp(event, "LAST-MODIFIED", "DTSTAMP"), number)
        if slot not in best or rank > best[slot][0]:
            best[slot] = (rank, event)
    return [event for _, event in best.values()]


def _stamp(event: Component, *names: str) -> str:
    for name in names:
        if name in event:
            text = event[name].to_ical()
            return text.decode("ascii", errors="replace") if isinstance(text, bytes) else str(text)
    return ""


def _mend(event: Component) -> None:
    """Drop an end before the begin; raises for a time that is missing or was not understood."""
    start = _moment(event, "DTSTART")
    if any(name in _NO_FIELDS for name, _ in event.errors):
        raise ValueError("a field of time is broken")
    if "DTEND" in event and _is_before(_moment(event, "DTEND"), start):
        del event["DTEND"]


def _is_before(end: date, start: date) -> bool:
    if isinstance(end, datetime) and isinstance(start, datetime) and end.tzinfo and start.tzinfo:
        return end < start
    return end.timetuple() < start.timetuple()


def _times(
    event: Component, studio: ZoneInfo, assumed: tuple[ZoneInfo, Mark], *, stated: bool
) -> _Times:
    start = _moment(event, "DTSTART")
    end = _moment(event, "DTEND") if "DTEND" in event else start
    if not isinstance(start, datetime):
        return _whole_days(start, end, studio)
    marks = []
    if start.tzinfo is None:
        start = start.replace(tzinfo=assumed[0])
        marks += [] if stated else [assumed[1]]
    if not isinstance(end, datetime):
        end = start
    if end.tzinfo is None:
        end = end.replace(tzinfo=start.tzinfo)
    if _at_clock_change(start) or _at_clock_change(end):
        marks.append(Mark.CLOCK_CHANGE)
    elif end.timestamp() <= start.timestamp():
        marks.append(Mark.NO_END)
    return _Times(start, max(start, end, key=datetime.timestamp), all_day=False, marks=tuple(marks))


def _moment(event: Component, name: str) -> date:
    """Give the date, or the datetime, of a field; raises ValueError when there is none."""
    value = getattr(event.get(name), "dt", None)
    if not isinstance(value, date):
        raise ValueError("no time")  # noqa: TRY004 - it is the calendar that is wrong
    return value


def _whole_days(start: date, end: date, studio: ZoneInfo) -> _Times:
    last = end if not isinstance(end, datetime) and end > start else start + timedelta(days=1)
    midnight = time(tzinfo=studio)
    return _Times(
        datetime.combine(start, midnight), datetime.combine(last, midnight), all_day=True, marks=()
    )


def _at_clock_change(at: datetime) -> bool:
    """Tell whether the local time *at* does not exist or comes twice (PEP 495)."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def _touches(times: _Times, span: Span) -> bool:
    start, end = times.start.timestamp(), times.end.timestamp()
    return start < span.end_wall and (end > span.start_wall or start >= span.start_wall)


def _appointment(event: Component, identity: str, times: _Times, title: Title) -> Appointment:
    service, client = split_title(str(event.get("SUMMARY", "")), title)
    status = str(event.get("STATUS", "")).upper()
    return Appointment(
        key=hashlib.sha256(identity.encode()).hexdigest()[:16],
        start_wall=times.start.astimezone(UTC).timestamp(),
        end_wall=times.end.astimezone(UTC).timestamp(),
        all_day=times.all_day,
        member=_member(event),
        service=service,
        client=client,
        room=place(str(event.get("LOCATION", ""))),
        status=STATUSES.get(status, Status.NOT_SAID),
        marks=times.marks,
        ref=_ref(identity.partition("\n")[0]),
    )


def _ref(uid: str) -> str:
    """Give the source's own id when it is plainly one: some are made of names and addresses."""
    return uid if _ID.fullmatch(uid) else ""


def _member(event: Component) -> str:
    """Give the team member: the organizer's name, else the first resource or category, else ""."""
    organizer = event.get("ORGANIZER")
    names = [str(organizer.params.get("CN", ""))] if hasattr(organizer, "params") else []
    names += [*_texts(event.get("RESOURCES")), *_texts(event.get("CATEGORIES"))]
    return next((name for name in (plain(one, NAME_CHARS) for one in names) if name), "")


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, icalendar.prop.vCategory):
        return [str(one) for one in value.cats]
    return [str(value).split(",")[0]]
