"""Whether this box can know the time: a Pi has no clock that runs on while it is without power.

The marks of kernel and systemd-timesyncd in; yes, no or "nobody can tell" out.  The rule: until
somebody told a box without such a clock the time, no age and no "today" is taken from it.
"""

from pathlib import Path

from edge_watchdog.clock import Clock

# One folder for each clock with a battery; "hctosys" says whether it set the system's at the boot
# (kernel, Documentation/ABI/testing/rtc-cdev and sysfs-class-rtc).
CLOCKS = Path("/sys/class/rtc")
TOLD = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd.service(8)
LOOK_AGAIN_S = 10.0
# A clock whose battery is dead begins in 1970; one that keeps local time is half a day off.
FAR_OFF_S = 86400.0


class Timekeeping:
    """Remembers a yes; before that it looks every few seconds at most."""

    def __init__(self, clock: Clock, clocks: Path = CLOCKS, told: Path = TOLD) -> None:
        self._clock = clock
        self._clocks = clocks
        self._told = told
        self._found: bool | None = None
        self._looked: float | None = None

    def is_set(self) -> bool | None:
        """Tell whether the system's time was set; None where that leaves no mark."""
        now = self._clock.now()
        recent = self._looked is not None and now.mono - self._looked < LOOK_AGAIN_S
        if self._found is not True and not recent:
            self._looked, self._found = now.mono, self._look(now.wall)
        return self._found

    def _look(self, wall: float) -> bool | None:
        if self._told.exists():
            return True
        try:
            clocks = sorted(self._clocks.iterdir())
        except OSError:
            return None  # such as a virtual machine, whose time comes with it
        return any(_set_the_time(one, wall) for one in clocks)


def _set_the_time(clock: Path, wall: float) -> bool:
    try:
        did = (clock / "hctosys").read_text("ascii").strip() == "1"
        says = float((clock / "since_epoch").read_text("ascii"))
    except (OSError, ValueError):
        return False
    return did and abs(says - wall) < FAR_OFF_S
