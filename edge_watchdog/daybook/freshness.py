"""How old the day is, in numbers where that can be known and in words always.

Inside one boot the age rests on the boot clock, whatever the wall clock did meanwhile; across boots
it rests on the wall clock, and when that may be wrong, no number is shown.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.instant import Instant

FRESH_S = 15 * 60.0
AGEING_S = 60 * 60.0
OLD_S = 12 * 3600.0
UNKNOWN_AGE = "age unknown, clock not set"


class Band(StrEnum):
    """How far a copy may be trusted to be the present day."""

    FRESH = "fresh"
    AGEING = "ageing"
    OLD = "old"
    VERY_OLD = "very old"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Now:
    """This moment, in the boot *boot_id*; *wall_known* False: the clock may be wrong."""

    at: Instant
    boot_id: str
    wall_known: bool = True


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was true, and in which boot."""

    at: Instant
    boot_id: str

    def age_s(self, now: Now) -> float | None:
        """Give its age in seconds, None when that cannot be known."""
        if self.boot_id == now.boot_id:
            return max(0.0, now.at.since(self.at))
        age_s = now.at.wall - self.at.wall
        return age_s if now.wall_known and age_s >= 0 else None

    def wall(self, now: Now) -> float:
        """Give its wall time as the clock of *now* would have had it."""
        if self.boot_id == now.boot_id:
            return now.at.wall - max(0.0, now.at.since(self.at))
        return self.at.wall


def band(age_s: float | None) -> Band:
    """Sort an age in seconds."""
    if age_s is None:
        return Band.UNKNOWN
    if age_s <= FRESH_S:
        return Band.FRESH
    if age_s <= AGEING_S:
        return Band.AGEING
    return Band.OLD if age_s <= OLD_S else Band.VERY_OLD


def age_words(age_s: float | None) -> str:
    """Say an age: "just now", "12 min ago", "2 h 10 min ago", "3 days ago"."""
    if age_s is None:
        return UNKNOWN_AGE
    minutes = int(age_s // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min ago" if rest else f"{hours} h ago"
    return "1 day ago" if hours < 48 else f"{hours // 24} days ago"
