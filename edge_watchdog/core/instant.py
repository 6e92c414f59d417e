"""One point in time, read once at the edge and passed inwards.

``mono`` measures every duration; ``wall`` is only shown.  A Raspberry Pi has no clock that survives
a power cut, so the wall jumps when network time arrives, and no decision may rest on it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instant:
    """*mono*: seconds of CLOCK_BOOTTIME (counts suspend too); *wall*: seconds since 1970, UTC."""

    mono: float
    wall: float

    def since(self, earlier: "Instant") -> float:
        """Give the seconds that passed from *earlier* to this instant."""
        return self.mono - earlier.mono

    def plus(self, seconds: float) -> "Instant":
        """Give the instant *seconds* later."""
        return Instant(self.mono + seconds, self.wall + seconds)
