"""A studio in memory: a World, the mind in the middle of it, and a clock that waits for nobody.

In: a Policy, a World, and what turns for the worse in it.  Out: everything the mind decided.  Time
is virtual: only the agenda and ``next_deadline`` move it, so that an hour takes seconds.  The rule:
the mind learns nothing here that it could not learn from wires.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from edge_watchdog.core import actions as do
from edge_watchdog.core import events as on
from edge_watchdog.core.advance import Step, advance, begin, next_deadline
from edge_watchdog.core.evidence import is_hard_down
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    Finding,
    JourneyReport,
    Layer,
    LinkState,
    Sample,
    Stage,
    VendorLevel,
    VendorReport,
)
from edge_watchdog.core.policy import BURST_S, PACES, Policy
from edge_watchdog.core.state import State
from edge_watchdog.sim.leap import carried, is_at_rest, leapable
from edge_watchdog.sim.world import ANCHORS, Turn, Vendor, World

BEGAN = Instant(1000.0, 1_795_252_440.0)  # a Saturday morning, 09:14 UTC
KERNEL_S = 0.003  # until a route is replaced, or a change of a link is told
ARP_GIVES_UP_S = 3.0
PAGE_TIMEOUT_S = 3.0
VISITS, VISIT_FLOOR_S = ("page", "app"), 5.0  # as vendors/watcher.py has them
NAME_TIMEOUT_S, NAME_ROUNDS = 2.0, 3  # a name nobody answers is asked for so often, and given up
SHORTEST_TIMER_S, LONGEST_TIMER_S = 0.15, 0.8  # of a question, as the probes have them
AVOIDED_EVERY = 16  # as the probes have it
GATEWAY = (Layer.GATEWAY, "icmp 192.168.1.1", "")
SLOW = {
    "names": (Layer.NAMES, "dns 192.0.2.53 connectivity.example"),
    "web": (Layer.WEB, "http connectivity.example"),
    "secure": (Layer.WEB, "https connectivity.example"),
}

Watcher = Callable[[State, on.Event, Step], None]
Planned = tuple[float, int, Callable[[], None]]
Turned = tuple[float, int, tuple[str, str, float]]


@dataclass(slots=True)
class Question:
    """One question under way; *told*: it was counted already."""

    at: Instant
    uplink: str
    layer: Layer
    target: str
    operator: str = ""
    told: bool = False


@dataclass(slots=True)
class Asked:
    """How one uplink is asked; *due* and *periods* are by rung."""

    periods: dict[str, float] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    avoid: tuple[str, ...] = ()
    visited: float = -math.inf
    burst_until: float = -math.inf
    bursts: int = 0
    count: int = 0


class Studio:
    """A World with the mind in it; *watch* is called after each step, with the state before it."""

    def __init__(
        self,
        policy: Policy,
        world: World,
        *,
        seed: int = 1,
        watch: Watcher | None = None,
    ) -> None:
        """Start the box; *seed* rules loss and the phases of the questions."""
        self.policy, self.world, self._calm = policy, world, world
        self.state: State = begin(policy)
        self.now = BEGAN
        self.route: str | None = None
        self.watch = watch
        self._turns: dict[str, Turn] = {}
        self._dice = Random(seed)  # noqa: S311 - it must repeat, it need not be secret
        self._agenda: list[Planned] = []
        self._entries = 0
        self.start("boot 1")

    @property
    def second(self) -> float:
        """Give the seconds since the beginning."""
        return self.now.since(BEGAN)

    def start(self, boot_id: str) -> None:
        """Start the watch half (again); the kernel shows it every link at once."""
        self._asked = {name: Asked() for name in ("", *self.world.lines)}
        self._links: dict[str, LinkState] = {}
        self._closed: list[Sample] = []
        self.feed(on.Started(self.now, boot_id, "sim"))
        self._look()

    def inject(self, name: str, turn: Turn) -> None:
        """Have the world *turn* for the worse until ``heal(name)``."""
        self._turns[name] = turn
        self._turned()

    def heal(self, name: str) -> None:
        """Take back what was injected under *name*; whatever else is broken stays so."""
        self._turns.pop(name, None)
        self._turned()

    def at(self, second: float, deed: Callable[[], None]) -> None:
        """Have *deed* done *second* seconds after the beginning."""
        self._entries += 1
        when = max(BEGAN.mono + second, self.now.mono)
        heapq.heappush(self._agenda, (when, self._entries, deed))

    def run(self, until: float) -> None:
        """Let time pass until *until* seconds after the beginning."""
        end = BEGAN.mono + until
        while True:
            first = self._agenda[0][0] if self._agenda else math.inf
            at = min(first, self.wakes_at)
            self.now = BEGAN.plus(min(at, end) - BEGAN.mono)
            if at > end:
                return
            if first <= at:
                heapq.heappop(self._agenda)[2]()
            else:
                self.feed(on.Woke(self.now))

    def leap(self, seconds: float) -> float:
        """Leap over calm, at most *seconds* of it; gives how far, 0 when it is not calm.

        Whatever is due to happen in the world is not leapt over.
        """
        turns, others = self._sorted_agenda()
        is_open = self._closed or others is None or not is_at_rest(self.state, self.now)
        if is_open or others is None:
            return 0.0
        first = min((at for at, _, _ in others), default=math.inf) - self.now.mono
        far = leapable(self.state, self.policy, self.now, min(seconds, first))
        if far:
            self._agenda = others
            for at, entry, (name, rung, due) in turns:
                deed = partial(self._take_turn, name, rung, due + far)
                self._agenda.append((at + far, entry, deed))
            for asked in self._asked.values():
                asked.due = {rung: due + far for rung, due in asked.due.items()}
            heapq.heapify(self._agenda)
            self.state = carried(self.state, self.now, far)
            self.now = self.now.plus(far)
            wake = next_deadline(self.state, self.policy, self.now)
            self.wakes_at = math.inf if wake is None else wake
        return far

    def _sorted_agenda(self) -> tuple[list[Turned], list[Planned] | None]:
        """Part the questions that are due from all else; None while one is under way."""
        turns: list[Turned] = []
        others: list[Planned] = []
        for at, entry, deed in self._agenda:
            if not isinstance(deed, partial):
                others.append((at, entry, deed))
            elif deed.func == self._take_turn:
                turns.append((at, entry, deed.args))
            elif deed.func != self._close or not deed.args[0].told:
                return turns, None
        return turns, others

    def feed(self, event: on.Event) -> None:
        """Take *event* to the mind and do what it wants."""
        before = self.state
        step = advance(before, event, self.policy)
        self.state = step.state
        wake = next_deadline(self.state, self.policy, self.now)
        self.wakes_at = math.inf if wake is None else wake
        if self.watch is not None:
            self.watch(before, event, step)
        for action in step.actions:
            self._carry_out(action)

    def _in(self, seconds: float, deed: Callable[[], None]) -> None:
        self.at(self.second + seconds, deed)

    def _carry_out(self, action: do.Action) -> None:
        match action:
            case do.ProbeEvery(uplink=name):
                periods = PACES[action.pace]
                rungs = {r: getattr(periods, r) for r in ("pulse", "gateway", *SLOW)}
                kept = {r: p for r, p in self._asked[name].periods.items() if r == "app"}
                self._asked[name].avoid = action.avoid
                self._retime(name, {r: p for r, p in rungs.items() if p is not None} | kept)
            case do.WatchVendor():
                self._retime("", {"page": action.every_s} if action.via else {})
                for name in self.world.lines:
                    visit = {"app": action.visits[name]} if name in action.visits else {}
                    kept = {r: p for r, p in self._asked[name].periods.items() if r != "app"}
                    self._retime(name, kept | visit)
            case do.ProbeBurst():
                self._burst(action)
            case do.RouteVia() | do.Evict() | do.Ready() | do.SteerVendor():
                self._in(KERNEL_S, partial(self._obey, action))
            case _:
                pass

    def _obey(self, action: do.RouteVia | do.Evict | do.Ready | do.SteerVendor) -> None:
        obeys = self.world.obeys
        if obeys and isinstance(action, do.RouteVia):
            self.route = action.uplink
        self.feed(on.Done(self.now, action.id, ok=obeys, detail="" if obeys else "refused"))

    def _turned(self) -> None:
        self.world = self._calm
        for turn in self._turns.values():
            self.world = turn(self.world)
        self._in(KERNEL_S, self._look)
        self._in(ARP_GIVES_UP_S, self._look)

    def _look(self) -> None:
        for name, line in self.world.lines.items():
            before = self._links.get(name)
            seen = self._links[name] = line.link(before)
            if seen == before:
                continue
            if before is None or is_hard_down(before):
                self._asked[name].due.clear()
                self._retime(name, self._asked[name].periods)
            self.feed(on.LinkChanged(self.now, name, seen))

    def _can_ask(self, name: str) -> bool:
        return name in self._links and not is_hard_down(self._links[name])

    def _retime(self, name: str, periods: dict[str, float]) -> None:
        """Ask at *periods* from now on; what is newly wanted is asked soon."""
        asked = self._asked[name]
        for rung, period in periods.items():
            soon = self._dice.random() * min(period, 1.0)
            due = asked.due.get(rung, math.inf) if rung in asked.periods else math.inf
            if rung in VISITS and period != asked.periods.get(rung, period):
                floor_s = asked.visited + VISIT_FLOOR_S - self.now.mono
                self._plan(name, rung, max(soon, floor_s))  # another pace is another question
            elif due == math.inf or due > self.now.mono + period:
                self._plan(name, rung, soon if due == math.inf else period)
        asked.periods = periods

    def _plan(self, name: str, rung: str, delay_s: float) -> None:
        due = self._asked[name].due[rung] = self.now.mono + delay_s
        self._in(delay_s, partial(self._take_turn, name, rung, due))

    def _take_turn(self, name: str, rung: str, due: float) -> None:
        asked = self._asked[name]
        if asked.due.get(rung) != due or rung not in asked.periods:
            return
        self._plan(name, rung, asked.periods[rung] * (0.9 + 0.2 * self._dice.random()))
        if name and not self._can_ask(name):
            return
        if rung in VISITS:
            asked.visited = self.now.mono
            self._visit(name, rung)
        elif rung in SLOW:
            self._ask_slowly(name, rung)
        elif self.now.mono >= asked.burst_until:
            self._ask(name, *(self._pulse(asked) if rung == "pulse" else GATEWAY))

    def _pulse(self, asked: Asked) -> tuple[Layer, str, str]:
        """Choose one anchor, and every fourth time DNS; what is to be avoided comes rarely."""
        asked.count += 1
        ways = ("dns", "icmp") if asked.count % 4 == 0 else ("icmp", "dns")
        turns = [ANCHORS[(asked.count + n) % len(ANCHORS)] for n in range(len(ANCHORS))]
        choice = [(a.operator, f"{way} {a.address}") for way in ways for a in turns]
        avoided = [(who, target) for who, target in choice if target in asked.avoid]
        if avoided and asked.count % AVOIDED_EVERY == 0:
            who, target = avoided[asked.count // AVOIDED_EVERY % len(avoided)]
            return Layer.INTERNET, target, who
        allowed = [(who, target) for who, target in choice if target not in asked.avoid]
        who, target = (allowed or choice)[0]
        return Layer.INTERNET, target, who

    def _burst(self, order: do.ProbeBurst) -> None:
        asked = self._asked[order.uplink]
        if self.now.mono >= asked.burst_until or order.at_once:
            asked.bursts += 1
            self._in(0, partial(self._tick, order.uplink, asked.bursts))
        asked.burst_until = max(asked.burst_until, self.now.mono + order.for_s)
        for rung in ("names", "web", "secure") if order.secure else ("names", "web"):
            if order.triage and rung in asked.periods:
                self._plan(order.uplink, rung, 0)

    def _tick(self, name: str, burst: int) -> None:
        asked = self._asked[name]
        is_over = burst != asked.bursts or self.now.mono >= asked.burst_until
        if is_over or not self._can_ask(name):
            return
        asked.count += 1
        for place, anchor in enumerate(ANCHORS):
            self._ask(name, Layer.INTERNET, f"icmp {anchor.address}", anchor.operator)
            if place % 2 == asked.count % 2:
                self._ask(name, Layer.INTERNET, f"dns {anchor.address}", anchor.operator)
        self._ask(name, *GATEWAY)
        self._in(BURST_S, partial(self._tick, name, burst))

    def _ask(self, name: str, layer: Layer, target: str, operator: str) -> None:
        line = self.world.lines[name]
        question = Question(self.now, name, layer, target, operator)
        rtt_s = 0.002 if layer is Layer.GATEWAY else line.rtt_s
        timer_s = min(LONGEST_TIMER_S, max(SHORTEST_TIMER_S, 1.2 * rtt_s))
        lucky = layer is Layer.GATEWAY or self._dice.random() >= line.loss_ratio
        if lucky and self._passes(question):
            self._in(rtt_s, partial(self._answer, question))
        elif line.rejects and layer is Layer.INTERNET:
            self._in(rtt_s, partial(self._close, question, Finding.UNREACHABLE))
        self._in(timer_s, partial(self._close, question, Finding.SILENT))

    def _passes(self, question: Question) -> bool:
        """Tell whether a packet passes just now: asked on its way out and on its way back."""
        line = self.world.lines[question.uplink]
        if question.layer is Layer.GATEWAY:
            return line.router
        echo = question.target.startswith("icmp ")
        stopped = echo and (line.portal or not line.echo)
        return line.far and not stopped and question.operator not in line.dead

    def _answer(self, question: Question) -> None:
        if self._passes(question):
            self._close(question, Finding.ANSWERED)

    def _close(self, question: Question, finding: Finding) -> None:
        """Close *question* once, or once more if the answer is late."""
        lost = finding in (Finding.SILENT, Finding.UNREACHABLE)
        if (question.told and lost) or not self._can_ask(question.uplink):
            return
        times = NAME_ROUNDS if lost and question.layer is Layer.NAMES else 1
        sample = Sample(
            question.at,
            question.uplink,
            question.layer,
            question.target,
            sent=times * int(not question.told),
            lost=times * int(lost),
            rtt_s=None if lost else self.now.since(question.at),
            operator=question.operator,
            finding=finding,
        )
        question.told = True
        if not self._closed:
            self._in(0, self._flush)  # what closes at one time is one event
        self._closed.append(sample)

    def _flush(self) -> None:
        samples, self._closed = tuple(self._closed), []
        if samples:
            self.feed(on.Sampled(self.now, samples))

    def _ask_slowly(self, name: str, rung: str) -> None:
        line = self.world.lines[name]
        finding = Finding.ANSWERED
        if not line.far or (rung == "names" and not line.names):
            finding = Finding.SILENT
        elif line.portal and rung != "names":
            finding = Finding.PORTAL if rung == "web" else Finding.SILENT
        timeout_s = NAME_TIMEOUT_S if rung == "names" else PAGE_TIMEOUT_S
        wait_s = timeout_s if finding is Finding.SILENT else 3 * line.rtt_s
        self._in(wait_s, partial(self._close, Question(self.now, name, *SLOW[rung]), finding))

    def _visit(self, name: str, rung: str) -> None:
        order = self.state.vendor.order
        via = name or (order.via if order else None)
        if via is None or not self._can_ask(via):
            return
        line, vendor, asked = self.world.lines[via], self.world.vendor, self.now
        usable = line.far and not line.portal
        if rung == "page":
            level = vendor.page if usable else None
            why = "" if level else "unreachable"
            windows = vendor.windows if level else ()
            found = level or VendorLevel.UNKNOWN
            page = VendorReport(asked, found, windows=windows, reason=why)
            self._in(
                line.rtt_s if usable else PAGE_TIMEOUT_S,
                partial(self._tell, on.VendorReported, page),
            )
            return
        vendor = vendor if usable else Vendor(Stage.CONNECT, None, PAGE_TIMEOUT_S)
        app = JourneyReport(asked, via, vendor.stage, True, vendor.seconds, vendor.status)
        self._in(vendor.seconds, partial(self._tell, on.JourneyReported, app))

    def _tell(self, kind: Callable[..., on.Event], report: VendorReport | JourneyReport) -> None:
        self.feed(kind(self.now, report))
