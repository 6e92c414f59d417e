"""Opening hours: "Mon-Sat 09:00-19:00, Sun 10:00-16:00" in, "open now?" and "until when?" out.

Pure: the caller says which local weekday and minute it is.  A span may run past midnight; days that
are not named are closed.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

_ITEM = re.compile(
    r"(?P<first>[A-Za-z]+)(?:\s*-\s*(?P<last>[A-Za-z]+))?"
    r"\s+(?P<opens>\d{1,2}:\d{2})\s*-\s*(?P<closes>\d{1,2}:\d{2})"
)
_FORM = 'write days and times like "Mon-Sat 09:00-19:00, Sun 10:00-16:00"'


@dataclass(frozen=True, slots=True)
class Hours:
    """When the studio is open: [opens, closes) in minutes since Monday 00:00, sorted, disjoint.

    *text* is how a person wrote it.
    """

    spans: tuple[tuple[int, int], ...]
    text: str = field(default="", compare=False)

    def is_open(self, weekday: int, minute: int) -> bool:
        """Tell whether the studio is open; *weekday* 0 is Monday, *minute* 0 is midnight."""
        now = weekday * DAY_MINUTES + minute
        return any(opens <= now < closes for opens, closes in self.spans)

    def next_change(self, weekday: int, minute: int) -> int | None:
        """Give the minutes (1 or more) until it opens or closes; None when it never does."""
        now = weekday * DAY_MINUTES + minute
        is_open = self.is_open(weekday, minute)
        edges = (edge % WEEK_MINUTES for span in self.spans for edge in span)
        flips = (edge for edge in edges if self._open_at(edge) != self._open_at(edge - 1))
        waits = ((edge - now) % WEEK_MINUTES or WEEK_MINUTES for edge in flips)
        return min((w for w in waits if self._open_at(now + w) != is_open), default=None)

    def _open_at(self, week_minute: int) -> bool:
        return self.is_open(*divmod(week_minute % WEEK_MINUTES, DAY_MINUTES))


def parse_hours(text: str) -> Hours:
    """Read opening hours; raises ValueError that says what would do."""
    spans: list[tuple[int, int]] = []
    for item in text.split(","):
        found = _ITEM.fullmatch(item.strip())
        if found is None:
            raise ValueError(_FORM if not item.strip() else f"{item.strip()!r} is unclear; {_FORM}")
        opens, closes = _minutes(found["opens"]), _minutes(found["closes"])
        if opens in (closes, DAY_MINUTES):
            raise ValueError(f"{item.strip()!r} opens for no time; a whole day is 00:00-24:00")
        length = (closes - opens) % DAY_MINUTES or DAY_MINUTES
        for day in _days(found["first"], found["last"]):
            begin = day * DAY_MINUTES + opens
            spans.append((begin, begin + length))
    return Hours(_tidy(spans), text)


def local_minute(wall: float, time_zone: str) -> tuple[int, int]:
    """Give the local weekday (0 is Monday) and minute of *wall*, seconds since 1970."""
    local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(time_zone))
    return local.weekday(), local.hour * 60 + local.minute


def opens_wall(hours: Hours, wall: float, time_zone: str) -> float | None:
    """Give when it opens next, seconds since 1970; None while it is open, or if it never does."""
    now = local_minute(wall, time_zone)
    wait = None if hours.is_open(*now) else hours.next_change(*now)
    if wait is None:
        return None
    local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(time_zone))
    return (local.replace(second=0, microsecond=0) + timedelta(minutes=wait)).timestamp()


def _minutes(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    total = hour * 60 + minute
    if minute > 59 or total > DAY_MINUTES:
        raise ValueError(f"{text} is no time of day; the last one is 24:00")
    return total


def _days(first: str, last: str | None) -> list[int]:
    begin = _day(first)
    count = (_day(last) - begin) % 7 if last else 0
    return [(begin + step) % 7 for step in range(count + 1)]


def _day(name: str) -> int:
    short = name[:3].capitalize()
    if short not in DAYS:
        raise ValueError(f"{name!r} is no day; known: {', '.join(DAYS)}")
    return DAYS.index(short)


def _tidy(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Cut what runs past Sunday night, sort, and join what touches."""
    cut: list[tuple[int, int]] = []
    for opens, closes in spans:
        cut.append((opens, min(closes, WEEK_MINUTES)))
        if closes > WEEK_MINUTES:
            cut.append((0, closes - WEEK_MINUTES))
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(cut):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return tuple(joined)
