"""Months as a data plan counts them: from midnight of its day, in the studio's time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LAST_DAY = 28  # every month has it


def month_of(wall: float, time_zone: str, first_day: int) -> tuple[float, float]:
    """Give when the plan's month that holds *wall* began and ends, seconds since 1970.

    *first_day*: 1 to 28.
    """
    zone = ZoneInfo(time_zone)
    local = datetime.fromtimestamp(wall, UTC).astimezone(zone)
    months = local.year * 12 + local.month - 1
    if local.day < first_day:
        months -= 1
    return _begin(months, first_day, zone), _begin(months + 1, first_day, zone)


def _begin(months: int, day: int, zone: ZoneInfo) -> float:
    return datetime(months // 12, months % 12 + 1, day, tzinfo=zone).timestamp()
