"""A year in a studio in memory: what goes wrong by chance, and what must hold whatever happens.

    python -m bench.year [--seed 1] [--days 365] [--troubles 1.0] [--crashes 0.3]

*troubles* and *crashes* are what happens a day, on the average.  The mind is the real one, at its
real pace, around every trouble: from half a minute before it until all is at rest again.  Calm in
between is leapt over (edge_watchdog/sim/leap.py): the same answers, four a second, would teach
nothing; tests/sim/test_leap.py holds that a leap comes to the same as living through it.  A crash
strikes between any two lines: before an event is journaled, before or amid what it led to; then the
checkpoint is decoded, the journaled events are folded, and the mind starts again (watch.py).

Exit code 1 when a property was broken; each is printed with the second at which it was.
"""

import argparse
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from bench.judge import Judge
from bench.meter import EVERY_S, PLAN, Meter
from edge_watchdog.core.actions import ProbeBurst, ProbeEvery
from edge_watchdog.core.advance import Step, advance, has_work
from edge_watchdog.core.budget import amount
from edge_watchdog.core.codec import decode, encode
from edge_watchdog.core.events import ClockStepped, Event, HoursChanged
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Plan
from edge_watchdog.core.state import Phase, State
from edge_watchdog.sim.scenarios import BROADBAND, PHONE, STICK, turn, usual_policy, usual_world
from edge_watchdog.sim.studio import Studio

DAY_S, HOUR_S = 86_400.0, 3600.0
OPENS_S, CLOSES_S = 0.0, 10 * HOUR_S  # of each day of the simulator
LEAD_S = 30.0
CHECKPOINT_S = 60.0

# What, how often beside the others, where (None: anywhere), and how long at least and at most.
TROUBLES = (
    ("blackhole", 14, BROADBAND, 0.2, 1200.0),
    ("blackhole", 6, BROADBAND, 0.1, 0.5),
    ("cable_out", 10, BROADBAND, 0.2, 3 * HOUR_S),
    ("router_dead", 6, BROADBAND, 1.0, 900.0),
    ("reject", 5, BROADBAND, 0.2, 600.0),
    ("no_lease", 3, BROADBAND, 1.0, 600.0),
    ("dns_dead", 5, BROADBAND, 5.0, 1200.0),
    ("portal", 3, BROADBAND, 5.0, 900.0),
    ("loss:5", 5, BROADBAND, 30.0, 600.0),
    ("loss:20", 5, BROADBAND, 60.0, 600.0),
    ("loss:40", 3, BROADBAND, 60.0, 600.0),
    ("one_anchor_dead", 5, BROADBAND, 5.0, 900.0),
    ("icmp_filtered", 3, BROADBAND, 5.0, 900.0),
    ("lte_no_data", 5, STICK, 5.0, 900.0),
    ("stick_pulled", 4, STICK, 1.0, 5 * HOUR_S),
    ("phone_off", 6, PHONE, 1.0, 5 * HOUR_S),
    ("everything_down", 4, "", 0.5, 900.0),
    ("vendor_down", 4, "", 30.0, HOUR_S),
    ("vendor_announced", 3, "", 60.0, 2 * HOUR_S),
    ("vendor_slow", 3, "", 60.0, HOUR_S),
    ("status_page_down", 3, "", 60.0, HOUR_S),
    ("flap", 4, BROADBAND, 30.0, 600.0),
    ("clock", 3, "", 1.0, 1.0),
)


@dataclass(slots=True)
class Disk:
    """What is on the disk, as the journal keeps it: a state, and the events since it.

    *kept* of the *events* are written: what surrounds something notable; quiet ones are not.
    """

    state: object
    at: float
    events: list[Event] = field(default_factory=list)
    kept: int = 0
    loud_at: float = -math.inf


class Box(Studio):
    """A studio whose box may crash; everything it does is judged."""

    def __init__(self, seed: int, plan: Plan = PLAN) -> None:
        """Open the shop; *plan* is that of its LTE stick."""
        self.judge = Judge(self)
        self.meter = Meter(STICK, plan)
        self._chance = Random(seed)
        self._crash_in = -1
        self._disk: Disk | None = None
        self.crashes = 0
        policy = replace(usual_policy(Mode.GATEWAY), plans=((STICK, plan),))
        super().__init__(policy, usual_world(), seed=seed, watch=self._judged)

    def _judged(self, before: State, event: Event, step: Step) -> None:
        self.meter.lives(before, step.actions, event.at, is_used=self.route == STICK)
        self.judge.found(self.meter.wrong(before, event, step))
        self.judge(before, event, step)

    def crash_soon(self) -> None:
        """Crash at one of the next lines."""
        self._crash_in = self._chance.randrange(1, 60)

    def feed(self, event: Event) -> None:
        """Take an event as watch.py does: step, journal, act; or crash amid it."""
        self._crash_in -= 1
        if self._crash_in == 0:
            self._crash(event)
            return
        before = self.state
        super().feed(event)
        self._note(event, before)

    def _note(self, event: Event, before: State) -> None:
        disk = self._disk
        if disk is None or event.at.mono - disk.at >= CHECKPOINT_S:
            if disk is not None and self._chance.random() < 0.1:
                self.judge.folded(self._fold(disk, len(disk.events)), before)
                self._disk = None
            self._disk = Disk(encode(self.state), event.at.mono)
            return
        disk.events.append(event)
        # the same rule as in watch.py, and as long as the journal goes on recording
        if self.judge.was_notable:
            disk.loud_at = event.at.mono
        if event.at.mono - disk.loud_at < CHECKPOINT_S:
            disk.kept = len(disk.events)

    def _fold(self, disk: Disk, count: int) -> State:
        state = decode(State, disk.state)
        for event in disk.events[:count]:
            state = advance(state, event, self.policy).state
        return state

    def _crash(self, event: Event) -> None:
        """End amid *event*: before it is journaled, before it is acted on, or half through that."""
        self.crashes += 1
        step = advance(self.state, event, self.policy)
        stage = self._chance.choice(("lost", "journaled", "half done"))
        if self._disk is None:
            return
        if stage != "lost":
            self._disk.events.append(event)
            notable = has_work(step.actions) or step.state.failover.phase is not Phase.SETTLED
            self._disk.kept = len(self._disk.events) if notable else self._disk.kept
        done = step.actions[: len(step.actions) // 2] if stage == "half done" else ()
        self._drop_process()
        for action in done:
            if not isinstance(action, (ProbeBurst, ProbeEvery)):
                self.judge.note_done(action)
        self.state = self._fold(self._disk, self._disk.kept)
        self._disk = None
        self.judge.forget()
        reboots = self._chance.random() < 0.2
        self.boots += reboots
        self.meter.crashes(reboots=reboots)
        self.now = self.now.plus(2.0)
        self.start(f"boot {self.boots}")

    boots = 1

    def _drop_process(self) -> None:
        """Forget what only the process knew; what happens in the world goes on."""
        turns, _ = self._sorted_agenda()
        mine = {entry for _, entry, _ in turns}
        self._agenda = [
            one for one in self._agenda if one[1] not in mine and not hasattr(one[2], "func")
        ]

    def leap_or_live(self, until: float) -> None:
        """Come to second *until*, over all the calm there is before it.

        While people go over the metered line, its counter is read in between.
        """
        while self.second < until:
            longest_s = EVERY_S if self.route == STICK else math.inf
            if self.leap(min(until - self.second, longest_s)):
                self._disk = None
            self.run(min(until, self.second + 0.37))
            if self.now.mono - self.meter.read_at >= EVERY_S:
                self.feed(self.meter.read(self.now))


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong: when, what, where and for how long."""

    second: float
    name: str
    where: str
    lasts_s: float


def troubles(seed: int, days: float, a_day: float) -> Iterator[Trouble]:
    """Give what goes wrong, in order; lengths are spread evenly over their orders of magnitude."""
    dice = Random(seed)
    weights = [weight for _, weight, _, _, _ in TROUBLES]
    second = 120.0 + dice.expovariate(a_day / DAY_S)
    while second < days * DAY_S:
        name, _, where, least, most = dice.choices(TROUBLES, weights)[0]
        lasts_s = least * (most / least) ** dice.random()
        yield Trouble(second, name, where, lasts_s)
        second += dice.expovariate(a_day / DAY_S)


def strike(box: Box, one: Trouble, dice: Random) -> None:
    """Have *one* happen from now on."""
    end = box.second + one.lasts_s
    box.judge.begins(one.name, box.second, end)
    if one.name == "clock":
        box.feed(ClockStepped(box.now, dice.uniform(-4000, 4000)))
    elif one.name == "flap":
        period_s = dice.choice((3.0, 10.0, 30.0))
        times = int(one.lasts_s / period_s) + 1
        for number in range(times):
            begin = box.second + number * period_s
            box.at(begin, lambda: box.inject("flap", turn("blackhole", one.where)))
            box.at(begin + period_s / 2, lambda: box.heal("flap"))
    else:
        key = f"{one.name} {box.second:.3f}"
        box.inject(key, turn(one.name, one.where))
        box.at(end, lambda: box.heal(key))


def live(box: Box, seed: int, days: float, a_day: float, crashes: float) -> None:
    """Let *days* pass."""
    dice = Random(seed + 1)
    plan: list[tuple[float, Trouble | bool]] = [
        (one.second, one) for one in troubles(seed, days, a_day)
    ]
    for day in range(math.ceil(days)):
        plan += [(day * DAY_S + OPENS_S, True), (day * DAY_S + CLOSES_S, False)]
    crash_share = min(1.0, crashes / a_day) if a_day else 0.0
    for second, one in sorted(plan, key=lambda pair: pair[0]):
        if isinstance(one, bool):
            box.leap_or_live(max(second, box.second))
            box.feed(HoursChanged(box.now, one))
            continue
        box.leap_or_live(max(second - LEAD_S, box.second))
        box.run(max(second, box.second))
        strike(box, one, dice)
        if dice.random() < crash_share:
            box.crash_soon()
    box.leap_or_live(max(days * DAY_S, box.second) + 2 * HOUR_S)
    box.judge.ends(box.second)


def report(box: Box, days: float, took_s: float) -> str:
    """Give what was seen, in words and a table."""
    judge = box.judge
    head = (
        f"{days:g} simulated days in {took_s:.0f} s: {judge.steps} steps lived through, "
        f"{judge.begun} troubles, {box.crashes} crashes, {judge.switches} switches, "
        f"{sum(judge.told.values())} alerts, {judge.needless} needless moves."
    )
    lines = [
        head,
        "",
        "| trouble | times | left the line | median s | 95 % s | worst s |",
        "|---|---|---|---|---|---|",
    ]
    for name, times in sorted(judge.times.items()):
        left = sorted(judge.left[name])
        cells = ["", "", ""]
        if left:
            ninety_five = left[min(len(left) - 1, math.ceil(0.95 * len(left)) - 1)]
            cells = [f"{s:.2f}" for s in (statistics.median(left), ninety_five, left[-1])]
        lines.append(f"| {name} | {times} | {len(left)} | {' | '.join(cells)} |")
    told = Counter(judge.told)
    lines += ["", f"Most that {box.meter.uplink} carried in a month: {amount(box.meter.most)}."]
    lines += ["", "Alerts: " + ", ".join(f"{k} {n}" for k, n in sorted(told.items())) + "."]
    lines += [f"BROKEN: {words}" for words in judge.broken] or ["No property was broken."]
    return "\n".join(lines)


def main() -> None:
    """Live and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=365.0)
    parser.add_argument("--troubles", type=float, default=1.0)
    parser.add_argument("--crashes", type=float, default=0.3)
    args = parser.parse_args()
    began = time.monotonic()
    box = Box(args.seed)
    live(box, args.seed, args.days, args.troubles, args.crashes)
    print(report(box, args.days, time.monotonic() - began))
    sys.exit(1 if box.judge.broken else 0)


if __name__ == "__main__":
    main()
