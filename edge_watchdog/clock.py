"""The only reader of time.  Everything else is handed an Instant or a Clock.

CLOCK_BOOTTIME, not CLOCK_MONOTONIC: a duration must include the time the box was suspended.
"""

import time
from typing import Protocol

from edge_watchdog.core.instant import Instant


class Clock(Protocol):
    """Tells the time; tests step a fake one."""

    def now(self) -> Instant:
        """Give this instant."""


class SystemClock:
    """The kernel's clocks."""

    def now(self) -> Instant:
        """Give this instant by CLOCK_BOOTTIME and CLOCK_REALTIME."""
        return Instant(time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


def age_of(realtime_s: float) -> float:
    """Give the seconds since a timestamp of the kernel (SO_TIMESTAMPNS: CLOCK_REALTIME)."""
    return time.clock_gettime(time.CLOCK_REALTIME) - realtime_s
