"""The day's appointments: config/examples/day.ics with its dates moved to today.

In: the calendar's text and a day.  Out: the same calendar as if it had been written for that day.
Dates move by whole days, so local times of day stay.  VTIMEZONE blocks and the stamps of the
writing program (DTSTAMP, CREATED, LAST-MODIFIED) are left alone.
"""

import datetime as dt
import re
from pathlib import Path
from zoneinfo import ZoneInfo

DAY_FILE = Path(__file__).parents[2] / "config/examples/day.ics"
FILE_DAY = dt.date(2026, 9, 15)
STUDIO_ZONE = ZoneInfo("Europe/London")
_MOVED = re.compile(r"^(DTSTART|DTEND|EXDATE|RDATE|RECURRENCE-ID|RRULE)[;:]")
_DATE = re.compile(r"(?<!\d)(20\d{6})(?=T\d{6}|\b)")


def today() -> dt.date:
    """Give the present day in the studio."""
    return dt.datetime.now(STUDIO_ZONE).date()


def redate(text: str, day: dt.date) -> str:
    """Move the calendar so that what the file has on FILE_DAY is on *day*."""
    by = day - FILE_DAY
    moved, in_zone = [], False
    for line in text.splitlines():
        if line in ("BEGIN:VTIMEZONE", "END:VTIMEZONE"):
            in_zone = line.startswith("BEGIN")
        if not in_zone and _MOVED.match(line):
            line = _DATE.sub(lambda found: _shift(found.group(1), by), line)  # noqa: PLW2901
        moved.append(line)
    return "\r\n".join(moved) + "\r\n"


def _shift(date: str, by: dt.timedelta) -> str:
    year, month, day = int(date[:4]), int(date[4:6]), int(date[6:])
    return (dt.date(year, month, day) + by).strftime("%Y%m%d")


def of_today() -> str:
    """Give the feed as the vendor serves it now."""
    return redate(DAY_FILE.read_text(), today())
