"""How the box itself is: was the program held up, is the power enough?

In: the clock and one file of the kernel.  Out: BoxReported, only when there is news.  What this box
did to itself must not be said of a line.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import BoxReport

LOOK_S = 0.25
POWER_EVERY_S = 5.0
HWMON = Path("/sys/class/hwmon")
POWER_SENSOR = "rpi_volt"  # drivers/hwmon/raspberrypi-hwmon.c
POWER_ALARM = "in0_lcrit_alarm"


class BoxWatch:
    """Looks four times a second whether it was let run, every five seconds at the power."""

    def __init__(
        self, emit: Callable[[Event], None], *, clock: Clock, late_s: float, hwmon: Path = HWMON
    ) -> None:
        """Report a program that was held up for longer than *late_s*."""
        self._emit = emit
        self._clock = clock
        self._late_s = late_s
        self._hwmon = hwmon
        self._power_low = False
        self._power_at: Instant | None = None

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            before = self._clock.now()
            await asyncio.sleep(LOOK_S)
            self.look(before, self._clock.now())

    def look(self, asleep: Instant, now: Instant) -> None:
        """Judge a sleep that began at *asleep* and should have ended after LOOK_S."""
        lag_s = now.since(asleep) - LOOK_S
        if lag_s > self._late_s:
            self._emit(BoxReported(now, BoxReport(now, lag_s=round(lag_s, 3))))
        if self._power_at is None or now.since(self._power_at) >= POWER_EVERY_S:
            self._power_at = now
            self._look_at_power(now)

    def _look_at_power(self, now: Instant) -> None:
        low = power_low(self._hwmon)
        if low is None or low is self._power_low:
            return
        self._power_low = low
        self._emit(BoxReported(now, BoxReport(now, power_low=low)))


def power_low(hwmon: Path) -> bool | None:
    """Tell whether the supply voltage sagged since the last look; None where nothing measures it.

    The firmware of a Raspberry Pi keeps the alarm up until it was read and for a while after.
    """
    for sensor in sorted(hwmon.glob("*/name")):
        try:
            if sensor.read_text("ascii").strip() == POWER_SENSOR:
                return (sensor.parent / POWER_ALARM).read_text("ascii").strip() == "1"
        except (OSError, UnicodeDecodeError):
            continue
    return None
