"""Times and states in the words of the desk page; local to the studio, 24 hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from edge_watchdog.core.model import Health, Mode, VendorLevel
from edge_watchdog.core.view import Standing

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
NO_VENDOR = "the appointment system"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a standing looks beside its colour: a word and the name of an icon."""

    word: str
    icon: str


SIGNS: Mapping[Standing, Sign] = {
    Standing.NORMAL: Sign("All good", "tick"),
    Standing.CHECKING: Sign("Checking", "look"),
    Standing.LIMITED: Sign("Slow or unsteady", "wave"),
    Standing.BACKUP: Sign("On the backup line", "swap"),
    Standing.VENDOR: Sign("Not us", "cloud"),
    Standing.OFFLINE: Sign("No internet", "cross"),
}
UNHEARD = Sign("Not known", "ask")

HEALTH_WORDS: Mapping[Health, str] = {
    Health.UP: "works",
    Health.DEGRADED: "unsteady",
    Health.DOWN: "down",
    Health.UNKNOWN: "not known",
}
LEVEL_WORDS: Mapping[VendorLevel, str] = {
    VendorLevel.OPERATIONAL: "all is well",
    VendorLevel.NOTICE: "a notice",
    VendorLevel.MAINTENANCE: "planned maintenance",
    VendorLevel.DEGRADED: "reduced service",
    VendorLevel.PARTIAL_OUTAGE: "a partial outage",
    VendorLevel.MAJOR_OUTAGE: "a major outage",
    VendorLevel.UNKNOWN: "cannot be read",
}
MODE_WORDS: Mapping[Mode, str] = {
    Mode.OBSERVE: "only watches, switches nothing",
    Mode.SELF: "switches its own connections",
    Mode.GATEWAY: "switches the whole studio's connections",
}
PHASE_WORDS: Mapping[str, str] = {
    "settled": "",
    "suspect": "checking a doubt just now",
    "switching": "changing to another line just now",
    "diverted": "trying another line just now",
    "holding": "waiting before it goes back",
    "stranded": "no line works",
}
LAYER_WORDS: Mapping[str, str] = {
    "link": "Cable or signal",
    "gateway": "Router",
    "internet": "Internet",
    "names": "Names (DNS)",
    "web": "Web pages",
}


@dataclass(frozen=True, slots=True)
class Local:
    """Writes times for people in one zone."""

    zone: str

    def at(self, wall: float) -> datetime:
        """Give the local date and time of *wall*, seconds since 1970."""
        return datetime.fromtimestamp(wall, UTC).astimezone(ZoneInfo(self.zone))

    def clock(self, wall: float) -> str:
        """Write "09:40"."""
        return f"{self.at(wall):%H:%M}"

    def moment(self, wall: float, now_wall: float) -> str:
        """Write "09:40" for today, "Friday 09:40" within the week, else with the date."""
        at, now = self.at(wall), self.at(now_wall)
        days = (now.date() - at.date()).days
        if days == 0:
            return f"{at:%H:%M}"
        if abs(days) < 7:
            return f"{DAYS[at.weekday()]} {at:%H:%M}"
        return f"{at.day} {MONTHS[at.month - 1]} {at.year} {at:%H:%M}"

    def day(self, wall: float) -> date:
        """Give the local date."""
        return self.at(wall).date()


def long_date(day: date) -> str:
    """Write "Saturday 21 November"."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"


def lasting(seconds: float) -> str:
    """Write a length: "40 s", "12 min", "2 h 10 min", "3 days"."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days"
