"""Views folded into stretches of five minutes, for the owner's page.

In: every view.  Out: one Stretch per uplink and slot, once the slot is over.  The rule: time in
which no view came is not known, and never counted as fine.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from edge_watchdog.core.model import Health
from edge_watchdog.core.view import Stretch, StudioView, UplinkView

SLOT_S = 300.0
TRUSTED_S = 60.0  # a view is taken to hold this long at most; after that nobody watched
GRAVEST = (Health.DOWN, Health.DEGRADED)


@dataclass(slots=True)
class _Sum:
    """One uplink in one slot so far.  *rtt_sum_s* is weighted by time."""

    start_wall: float
    seconds: dict[Health, float] = field(default_factory=dict)
    active_s: float = 0.0
    loss_ratio: float | None = None
    rtt_sum_s: float = 0.0
    rtt_known_s: float = 0.0

    def add(self, uplink: UplinkView, lasted_s: float) -> None:
        self.seconds[uplink.health] = self.seconds.get(uplink.health, 0.0) + lasted_s
        if uplink.role == "in use":
            self.active_s += lasted_s
        if uplink.loss_ratio is not None:
            self.loss_ratio = max(self.loss_ratio or 0.0, uplink.loss_ratio)
        if uplink.rtt_s is not None:
            self.rtt_sum_s += uplink.rtt_s * lasted_s
            self.rtt_known_s += lasted_s

    def stretch(self, uplink: str) -> Stretch:
        watched_s = sum(self.seconds.values())
        return Stretch(
            uplink,
            self.start_wall,
            watched_s,
            _worst(self.seconds),
            active=self.active_s > watched_s / 2,
            loss_ratio=self.loss_ratio,
            rtt_s=self.rtt_sum_s / self.rtt_known_s if self.rtt_known_s > 0 else None,
        )


def _worst(seconds: Mapping[Health, float]) -> Health:
    """Give the gravest health there was; UP only when that was known most of the time."""
    for health in GRAVEST:
        if health in seconds:
            return health
    up_s, unknown_s = seconds.get(Health.UP, 0.0), seconds.get(Health.UNKNOWN, 0.0)
    return Health.UP if up_s > unknown_s else Health.UNKNOWN


class Stretches:
    """The slot that is running."""

    def __init__(self) -> None:
        self._last: StudioView | None = None
        self._sums: dict[str, _Sum] = {}
        self._slot = -1

    def note(self, view: StudioView) -> tuple[Stretch, ...]:
        """Take in a view; give the stretches that are finished by it.

        While the wall clock may be wrong nothing is noted: nobody could say when it was.
        """
        last, self._last = self._last, view if view.wall_known else None
        if last is None or not view.wall_known:
            return self.take()
        lasted_s = min(max(view.at.since(last.at), 0.0), TRUSTED_S)
        finished: list[Stretch] = []
        for start_wall, part_s in _by_slot(last.at.wall, lasted_s):
            if math.floor(start_wall / SLOT_S) != self._slot:
                finished += self.take()
                self._slot = math.floor(start_wall / SLOT_S)
            for uplink in last.uplinks:
                self._sums.setdefault(uplink.name, _Sum(start_wall)).add(uplink, part_s)
        if view.at.since(last.at) > TRUSTED_S:
            finished += self.take()  # what follows begins a stretch of its own
        return tuple(finished)

    def take(self) -> tuple[Stretch, ...]:
        """Give what there is of the running slot, and begin again."""
        stretches = self.running()
        self._sums = {}
        return stretches

    def running(self) -> tuple[Stretch, ...]:
        """Give what there is of the running slot."""
        return tuple(total.stretch(uplink) for uplink, total in self._sums.items())


def _by_slot(start_wall: float, seconds: float) -> Iterator[tuple[float, float]]:
    """Cut a stretch of time where slots end: pairs of start and length."""
    end_wall = start_wall + seconds
    while start_wall < end_wall:
        slot_end = (math.floor(start_wall / SLOT_S) + 1) * SLOT_S
        part_end = min(slot_end, end_wall)
        yield start_wall, part_end - start_wall
        start_wall = part_end


def fill_gaps(
    stretches: Iterable[Stretch], uplinks: Iterable[str], from_wall: float, to_wall: float
) -> tuple[Stretch, ...]:
    """Add UNKNOWN stretches where nothing is noted of an uplink; oldest first."""
    known = sorted(stretches, key=lambda s: s.start_wall)
    names = dict.fromkeys([*uplinks, *(s.uplink for s in known)])
    filled = [
        gap
        for name in names
        for gap in _gaps([s for s in known if s.uplink == name], name, from_wall, to_wall)
    ]
    return tuple(sorted([*known, *filled], key=lambda s: s.start_wall))


def _gaps(known: list[Stretch], uplink: str, from_wall: float, to_wall: float) -> Iterator[Stretch]:
    """Give the times between *known*, of one second or more."""
    reached = from_wall
    for start, end in [*((s.start_wall, s.start_wall + s.seconds) for s in known), (to_wall,) * 2]:
        if start - reached >= 1:
            yield Stretch(uplink, reached, start - reached, Health.UNKNOWN, active=False)
        reached = max(reached, end)
