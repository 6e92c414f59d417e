"""The last 24 hours as lanes of runs: positions for the drawing, rows for the table beside it.

Unknown is a state of its own: where no stretch is, nobody watched.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge_watchdog.core.model import Health
from edge_watchdog.core.view import History, Stretch
from edge_watchdog.core.words import capital
from edge_watchdog.desk.phrases import HEALTH_WORDS, Local, lasting

WINDOW_S = 86400.0
WIDTH = 864.0
LEFT = 128.0
LANE = 40.0
TOP = 24.0
SLACK_S = 1.0
TICK_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class Run:
    """A time in which one uplink did not change; *x* and *width* are of the drawing."""

    x: float
    width: float
    health: str
    words: str
    active: bool
    start: str
    end: str
    length: str
    loss: str

    @property
    def title(self) -> str:
        """Say it in one line."""
        use = ", in use" if self.active else ""
        loss = f", {self.loss} lost" if self.loss else ""
        return f"{self.start} to {self.end} ({self.length}): {self.words}{use}{loss}"


@dataclass(frozen=True, slots=True)
class Lane:
    """One uplink's row."""

    name: str
    y: float
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the time axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing; *summary* says in a sentence what it shows."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    width: float
    height: float
    left: float
    summary: str


def chart(history: History, names: Sequence[str], now_wall: float, local: Local) -> Chart:
    """Draw the 24 hours before *now_wall* for the uplinks *names*, in this order."""
    begin = now_wall - WINDOW_S
    lanes = []
    for number, name in enumerate(names):
        mine = sorted(
            (s for s in history.stretches if s.uplink == name), key=lambda s: s.start_wall
        )
        runs = tuple(_run(s, begin, local) for s in _runs(name, mine, begin, now_wall))
        lanes.append(Lane(name, TOP + number * LANE, runs))
    return Chart(
        lanes=tuple(lanes),
        ticks=_ticks(begin, now_wall, local),
        width=LEFT + WIDTH + 16,
        height=TOP + LANE * len(lanes) + 8,
        left=LEFT,
        summary=_summary(lanes),
    )


def _runs(name: str, stretches: Sequence[Stretch], begin: float, end: float) -> list[Stretch]:
    """Join equal neighbours and fill every gap with "not known"."""
    runs: list[Stretch] = []
    at = begin
    for one in [*stretches, Stretch(name, end, 0.0, Health.UNKNOWN, active=False)]:
        start, stop = max(one.start_wall, at), min(one.start_wall + one.seconds, end)
        if start - at > SLACK_S:
            _join(runs, Stretch(name, at, start - at, Health.UNKNOWN, active=False))
            at = start
        if stop > at:
            _join(runs, replace(one, start_wall=at, seconds=stop - at))
            at = stop
    return runs


def _join(runs: list[Stretch], one: Stretch) -> None:
    last = runs[-1] if runs else None
    if last is None or (last.health, last.active) != (one.health, one.active):
        runs.append(one)
        return
    losses = [loss for loss in (last.loss_ratio, one.loss_ratio) if loss is not None]
    runs[-1] = replace(
        last, seconds=last.seconds + one.seconds, loss_ratio=max(losses, default=None)
    )


def _run(one: Stretch, begin: float, local: Local) -> Run:
    loss = f"{one.loss_ratio * 100:.1f} %" if one.loss_ratio else ""
    return Run(
        x=round(LEFT + (one.start_wall - begin) / WINDOW_S * WIDTH, 1),
        width=max(1.0, round(one.seconds / WINDOW_S * WIDTH, 1)),
        health=str(one.health),
        words=HEALTH_WORDS[one.health],
        active=one.active,
        start=local.clock(one.start_wall),
        end=local.clock(one.start_wall + one.seconds),
        length=lasting(one.seconds),
        loss=loss,
    )


def _ticks(begin: float, end: float, local: Local) -> tuple[Tick, ...]:
    first = begin - begin % 3600 + 3600
    hours = (first + 3600 * n for n in range(24))
    return tuple(
        Tick(round(LEFT + (at - begin) / WINDOW_S * WIDTH, 1), local.clock(at))
        for at in hours
        if at <= end and local.at(at).hour * 3600 % TICK_S == 0 and local.at(at).minute == 0
    )


def _summary(lanes: Sequence[Lane]) -> str:
    parts = []
    for lane in lanes:
        downs = sum(run.health == Health.DOWN for run in lane.runs)
        times = {0: "never down", 1: "down once"}.get(downs, f"down {downs} times")
        unknown = any(run.health == Health.UNKNOWN for run in lane.runs)
        parts.append(f"{lane.name}: {times}{', partly not known' if unknown else ''}")
    return f"The last 24 hours. {capital('; '.join(parts))}."
