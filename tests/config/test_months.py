"""A plan's month begins at midnight of its day, where the studio is."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from edge_watchdog.config.months import month_of


@pytest.mark.parametrize(
    ("zone", "now", "first_day", "begins", "ends"),
    [
        ("Europe/London", "2026-11-24 12:00", 1, "2026-11-01", "2026-12-01"),
        ("Europe/London", "2026-11-24 12:00", 25, "2026-10-25", "2026-11-25"),
        ("Europe/London", "2026-11-25 00:00", 25, "2026-11-25", "2026-12-25"),
        ("Europe/London", "2026-12-31 23:59", 1, "2026-12-01", "2027-01-01"),
        ("Europe/London", "2027-01-02 08:00", 15, "2026-12-15", "2027-01-15"),
        ("America/New_York", "2026-03-07 12:00", 8, "2026-02-08", "2026-03-08"),
        ("Pacific/Auckland", "2026-12-01 00:30", 1, "2026-12-01", "2027-01-01"),
    ],
)
def test_the_month_that_holds_a_moment(
    zone: str, now: str, first_day: int, begins: str, ends: str
) -> None:
    def at(text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()

    assert month_of(at(now), zone, first_day) == (at(begins), at(ends))
