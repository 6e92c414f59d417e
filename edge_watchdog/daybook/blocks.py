"""A calendar's text, cut into entries before any of it is parsed.

Bytes in, one Group per UID out, so that a broken entry spoils only itself and a calendar of years
costs no more than its two days.  Format: RFC 5545, with the liberties that exporters take.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from edge_watchdog.daybook import DaybookError, Span

WEB_PAGE = "the calendar sent a web page instead of a calendar"
NO_CALENDAR = "what came is not a calendar"
EMPTY = "the calendar came empty"
CUT_SHORT = "the calendar was cut short on its way"

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"[\r\n]+")
_UID = re.compile(r"^UID[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_DAY = re.compile(r"^(?:DTSTART|DTEND)[^:\n]*:(\d{4})(\d\d)(\d\d)", re.MULTILINE | re.IGNORECASE)
_END = re.compile(r"^DTEND", re.MULTILINE | re.IGNORECASE)
_REPEATS = re.compile(r"^(?:RRULE|RDATE|RECURRENCE-ID|DURATION)\b", re.MULTILINE | re.IGNORECASE)
_ZONE_ID = re.compile(r"^TZID[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_ZONE_HEADER = re.compile(r"X-WR-TIMEZONE[^:]*:(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """All entries of one UID, as text; *zones* are the VTIMEZONE texts they name."""

    uid: str
    entries: tuple[str, ...]
    zones: tuple[str, ...] = ()
    calendar_zone: str = ""

    @property
    def text(self) -> str:
        """Give a calendar of these entries only."""
        head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//edge_watchdog//"]
        if self.calendar_zone:
            head.append(f"X-WR-TIMEZONE:{self.calendar_zone}")
        return "\r\n".join([*head, *self.zones, *self.entries, "END:VCALENDAR", ""])


@dataclass(frozen=True, slots=True)
class _Cut:
    """One component of a calendar, as text."""

    kind: str
    text: str
    calendar_zone: str


def groups_in(body: bytes, span: Span) -> list[Group]:
    """Give the groups that may touch *span*; raises DaybookError unless *body* is a calendar."""
    cuts = list(_cut(_lines(body)))
    zones = {_first(_ZONE_ID, cut.text): cut.text for cut in cuts if cut.kind == "VTIMEZONE"}
    by_uid: dict[str, list[_Cut]] = {}
    for number, cut in enumerate(cuts):
        if cut.kind == "VEVENT":
            uid = _first(_UID, cut.text) or f"no uid {number}"
            by_uid.setdefault(uid, []).append(cut)
    return [
        _group(uid, members, zones)
        for uid, members in by_uid.items()
        if any(_may_touch(cut.text, span) for cut in members)
    ]


def unfolded(text: str) -> str:
    """Put lines together that were folded (RFC 5545, 3.1)."""
    return _FOLD.sub("", text)


def _lines(body: bytes) -> list[str]:
    text = _decode(body)
    start = text.lstrip()[:2000].casefold()
    if not start:
        raise DaybookError(EMPTY)
    if start.startswith("<") or "<html" in start:
        raise DaybookError(WEB_PAGE)
    if not start.startswith("begin:vcalendar"):
        raise DaybookError(NO_CALENDAR)
    lines = [line for line in _LINE.split(unfolded(text)) if line]
    shouted = [line.strip().upper() for line in lines]
    if shouted.count("BEGIN:VCALENDAR") != shouted.count("END:VCALENDAR"):
        raise DaybookError(CUT_SHORT)
    return lines


def _decode(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", errors="replace")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("cp1252", errors="replace")
    # Each of several joined calendars may bring its own mark of byte order.
    return text.replace("\ufeff", "").replace("\x00", "")


def _cut(lines: Iterable[str]) -> Iterable[_Cut]:
    kind, kept, calendar_zone = "", [""], ""
    for line in lines:
        mark = line.strip().upper()
        if kind:
            kept.append(line)
            if mark == f"END:{kind}" or mark == "END:VCALENDAR":  # noqa: PLR1714 - read aloud
                yield _Cut(kind, "\n".join(kept), calendar_zone)
                kind = ""
        elif mark in ("BEGIN:VEVENT", "BEGIN:VTIMEZONE"):
            kind, kept = mark.partition(":")[2], [line]
        elif mark == "BEGIN:VCALENDAR":
            calendar_zone = ""
        elif found := _ZONE_HEADER.fullmatch(line.strip()):
            calendar_zone = _known_zone(found[1].strip())


def _group(uid: str, cuts: Sequence[_Cut], zones: dict[str, str]) -> Group:
    texts = tuple(cut.text.replace("\n", "\r\n") for cut in cuts)
    named = [zone for name, zone in zones.items() if name and any(name in text for text in texts)]
    wanted = tuple(zone.replace("\n", "\r\n") for zone in named)
    return Group(uid, texts, wanted, cuts[0].calendar_zone)


def _may_touch(text: str, span: Span) -> bool:
    """Tell whether an entry could be of *span*: surely not only when its own days say so."""
    days = [_date(*(int(part) for part in found)) for found in _DAY.findall(text)]
    if _REPEATS.search(text) or not days or None in days:
        return True
    known = [day for day in days if day is not None]
    margin = timedelta(days=2)  # a zone may be a day away, and an entry without end lasts a day
    last = max(known) if _END.search(text) else min(known)
    return min(known) <= span.dates[-1] + margin and last >= span.first - margin


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, LookupError):
        return ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""
