"""When the studio is open, as the day's pages need it: which day is next, and when it closes.

Spans of minutes of the week in, local dates and seconds out.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from edge_watchdog.daybook.keeper import DAYS

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
MOST_DAYS = 8  # open on one weekday only: today and a week from now
SMALL_HOURS = 5 * 60  # what is open before belongs to the evening of the day before


@dataclass(frozen=True, slots=True)
class Opening:
    """*spans*: [opens, closes) in minutes since Monday 00:00, sorted, disjoint; none: not known."""

    spans: tuple[tuple[int, int], ...] = ()
    zone: str = "UTC"

    def opens_on(self, day: date) -> bool:
        """Tell whether people come on *day*."""
        begin = day.weekday() * DAY_MINUTES
        early, late = begin + SMALL_HOURS, begin + DAY_MINUTES
        return any(opens < late and closes > early for opens, closes in self.spans)

    def next_day(self, day: date) -> date:
        """Give the next open day after *day*; tomorrow when the hours are not known."""
        coming = (day + timedelta(days=n) for n in range(1, MOST_DAYS))
        return next((one for one in coming if self.opens_on(one)), day + timedelta(days=1))

    def days_from(self, first: date) -> int:
        """Give how many days from *first* on must be held: through the next open day."""
        return max(DAYS, (self.next_day(first) - first).days + 1)

    def walls_on(self, day: date) -> tuple[tuple[float, float], ...]:
        """Give when the studio is open on *day*, [opens, closes) in seconds since 1970."""
        begin = day.weekday() * DAY_MINUTES
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone))

        def wall(minute: int) -> float:
            return (midnight + timedelta(minutes=minute - begin)).timestamp()  # as a clock shows it

        cut = ((max(o, begin), min(c, begin + DAY_MINUTES)) for o, c in self.spans)
        return tuple((wall(opens), wall(closes)) for opens, closes in cut if opens < closes)

    def closed_for_s(self, wall: float) -> float | None:
        """Give for how long the studio has been closed; None while it is open or not known."""
        minute, second = self._minute(wall)
        if not self.spans or self._is_open(minute):
            return None
        return min((minute - closes) % WEEK_MINUTES for _, closes in self.spans) * 60.0 + second

    def opens_in_s(self, wall: float) -> float | None:
        """Give how long it is until the studio opens; None while it is open or not known."""
        minute, second = self._minute(wall)
        if not self.spans or self._is_open(minute):
            return None
        return min((opens - minute) % WEEK_MINUTES for opens, _ in self.spans) * 60.0 - second

    def _is_open(self, minute: int) -> bool:
        return any(opens <= minute < closes for opens, closes in self.spans)

    def _minute(self, wall: float) -> tuple[int, float]:
        local = datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(self.zone))
        minute = local.weekday() * DAY_MINUTES + local.hour * 60 + local.minute
        return minute, local.second + local.microsecond / 1e6
