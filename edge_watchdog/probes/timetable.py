"""When each kind of question is due through one uplink, at the present pace.

Pure: the time comes in as a parameter, the dice as a function.
"""

import math
from collections.abc import Callable
from enum import StrEnum

from edge_watchdog.core.policy import BURST_S, Periods

JITTER_RATIO = 0.1  # boxes that were switched on together must not ask together for ever
LONGEST_BURST_S = 60.0


class Rung(StrEnum):
    """The kinds of question; the members are named as the fields of Periods."""

    PULSE = "pulse"
    GATEWAY = "gateway"
    NAMES = "names"
    WEB = "web"
    SECURE = "secure"


class Timetable:
    """Due times (CLOCK_BOOTTIME) of every rung, and of the burst."""

    def __init__(self, dice: Callable[[], float]) -> None:
        """Begin with nothing due; *dice* gives numbers from 0 to 1."""
        self._dice = dice
        self._periods: dict[Rung, float] = {}
        self._due: dict[Rung, float] = {}
        self._burst_until = -math.inf
        self._burst_next = math.inf
        self._burst_tick = 0

    def pace(self, periods: Periods, now: float) -> None:
        """Ask at *periods* from now on; what is newly wanted is due at once."""
        wanted = {
            Rung.PULSE: periods.pulse,
            Rung.GATEWAY: periods.gateway,
            Rung.NAMES: periods.names,
            Rung.WEB: periods.web,
            Rung.SECURE: periods.secure,
        }
        self._periods = {rung: period for rung, period in wanted.items() if period is not None}
        self._due = {
            rung: min(self._due.get(rung, now), now + period)
            for rung, period in self._periods.items()
        }

    def restart(self, now: float) -> None:
        """Have everything due at once: this may be another network."""
        self._due = dict.fromkeys(self._periods, now)

    def burst(self, for_s: float, now: float, *, at_once: bool = False) -> None:
        """Tick every BURST_S from now on, for *for_s* seconds; asked again, it lasts longer.

        *at_once*: the ticks are counted from now also when a burst is on.
        """
        if not self.is_bursting(now):
            self._burst_tick = 0
            self._burst_next = now
        elif at_once:
            self._burst_next = now
        until = now + min(for_s, LONGEST_BURST_S)
        self._burst_until = max(self._burst_until, until)

    def triage(self, now: float, *, secure: bool = False) -> None:
        """Have names and web due at once, a *secure* page too, and go on in turn from there."""
        for rung in (Rung.NAMES, Rung.WEB, *([Rung.SECURE] if secure else [])):
            if rung in self._due:
                self._due[rung] = now

    def hasten(self, now: float, *rungs: Rung) -> None:
        """Have the next pulse due at once, and *rungs* besides, as far as they are asked at all."""
        for rung in (Rung.PULSE, *rungs):
            if rung in self._due:
                self._due[rung] = now

    def is_bursting(self, now: float) -> bool:
        """Tell whether a burst is on."""
        return now < self._burst_until

    def take_tick(self, now: float) -> int | None:
        """Give the number of the burst tick that is due now, and plan the next one."""
        if not self.is_bursting(now) or now < self._burst_next:
            return None
        tick = self._burst_tick
        self._burst_tick += 1
        self._burst_next += BURST_S
        if self._burst_next <= now:  # ticks that were missed are not made up for
            self._burst_next = now + BURST_S
        return tick

    def take_due(self, now: float) -> list[Rung]:
        """Give the rungs that are due now, and plan their next time."""
        due = [rung for rung, when in self._due.items() if when <= now]
        for rung in due:
            stretch = 1 + JITTER_RATIO * (2 * self._dice() - 1)
            self._due[rung] = now + self._periods[rung] * stretch
        return due

    def next_at(self, now: float) -> float:
        """Give when something is due next; infinity when nothing ever is."""
        soonest = min(self._due.values(), default=math.inf)
        return min(soonest, self._burst_next) if self.is_bursting(now) else soonest
