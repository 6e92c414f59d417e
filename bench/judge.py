"""What must hold in a studio in memory whatever happens, looked at after every step.

In: each event, and the states around it.  Out: *broken*, sentences; and what was counted.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Protocol

from edge_watchdog.core.actions import Action, Evict, Reason, RouteVia, SendAlert
from edge_watchdog.core.advance import Step, has_work
from edge_watchdog.core.alerting import CHANGED_REST_S
from edge_watchdog.core.events import DriverReported, Event, LinkChanged, Sampled, Started
from edge_watchdog.core.evidence import is_hard_down, is_verified
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Phase, Scope, State
from edge_watchdog.sim.world import World

ONCE = (Reason.FIRST, Reason.NOTICE, Reason.RESOLVED)
KEPT = 20  # broken properties that are told one by one
BEARABLE_LOSS = 0.1  # a line that loses more may be left
HEALED_LATELY_S = 30.0  # a move that was decided before the line healed is not needless
COMES_HOME_S = 2 * 3600.0  # the longest hold-down is half an hour, its memory two hours


class Judged(Protocol):
    """A studio as the judge sees it."""

    policy: Policy
    world: World
    state: State
    route: str | None
    wakes_at: float

    @property
    def second(self) -> float:
        """Seconds since the beginning."""


class Judge:
    """Watches one studio."""

    def __init__(self, studio: Judged) -> None:
        """Begin with a clean slate."""
        self._studio = studio
        self.broken: list[str] = []
        self.steps = self.switches = self.needless = self.begun = 0
        self.told: Counter[str] = Counter()
        self.times: Counter[str] = Counter()
        self.left: defaultdict[str, list[float]] = defaultdict(list)
        self.was_notable = False
        self._said: dict[tuple[int, Reason], float] = {}
        self._last_told: dict[int, float] = {}
        self._goals: set[int] = set()
        self._running: dict[str, tuple[float, float]] = {}
        self._trouble_until = 0.0

    def begins(self, name: str, second: float, end: float) -> None:
        """Note that *name* goes wrong from *second* to *end*."""
        self.begun += 1
        self.times[name] += 1
        self._running[name] = (second, end)
        self._trouble_until = max(self._trouble_until, end)

    def ends(self, second: float) -> None:
        """Look at how it ended, hours after the last trouble."""
        if second - self._trouble_until < COMES_HOME_S:
            return
        first = self._studio.policy.uplinks[0].name
        if (self._studio.state.failover.active, self._studio.route) != (first, first):
            self._break(f"all was well for hours, and {first} is not in use")
        open_ones = [i.cause for i in self._studio.state.incidents if i.resolved is None]
        if open_ones:
            self._break(f"all was well for hours, and open is still: {', '.join(open_ones)}")

    def forget(self) -> None:
        """A crash: what was told before it and not written down may be told once more."""
        self._said.clear()
        self._goals.clear()
        self._last_told.clear()

    def found(self, wrong: Iterable[str]) -> None:
        """Take in what others found to be broken."""
        for words in wrong:
            self._break(words)

    def note_done(self, action: Action) -> None:
        """A crash amid the actions: this one was carried out."""
        if isinstance(action, RouteVia):
            self._studio.route = action.uplink

    def folded(self, again: State, live: State) -> None:
        """Compare the fold of what was journaled with the state it should be."""
        if again != live:
            self._break("a fold of the journal is not the state that was lived")

    def __call__(self, before: State, event: Event, step: Step) -> None:
        """Look at one step."""
        self.steps += 1
        after, now = step.state, event.at
        self.was_notable = has_work(step.actions) or after.failover.phase is not Phase.SETTLED
        if self._studio.wakes_at <= now.mono:
            self._break("a deadline does not lie ahead")
        self._look_at_route(before, event, step)
        for action in step.actions:
            if isinstance(action, SendAlert):
                self._look_at_alert(action, now)
            if isinstance(action, Evict) and action.uplink == after.failover.active:
                self._break("connections over the uplink in use were ended")

    def _look_at_route(self, before: State, event: Event, step: Step) -> None:
        was, is_now = before.failover, step.state.failover
        rebooted = isinstance(event, Started)  # then nobody moves; it begins anew
        if was.active != is_now.active and was.active is not None and not rebooted:
            self.switches += 1
            self._note_leaving(was.active)
            if was.phase is not Phase.SWITCHING:
                self._break("the uplink in use changed without a switch")
        goes = is_now.phase is Phase.SWITCHING and was.phase is not Phase.SWITCHING
        if goes and is_now.going is not None:
            known = step.state.uplinks[is_now.going]
            if not is_verified(known, event.at, self._studio.policy):
                self._break(f"a switch to {is_now.going}, which was not verified")
            self._look_at_reason(before, event, is_now.going)
        rests = is_now.phase is not Phase.SWITCHING and not step.state.unfinished
        if rests and is_now.active is not None and self._studio.route != is_now.active:
            self._break(f"{is_now.active} is in use, and the route leads to {self._studio.route}")

    def _look_at_reason(self, before: State, event: Event, to: str) -> None:
        """A standby alone never moves what works."""
        was = before.failover
        if was.active is None or was.override is not None or was.comparison is not None:
            return
        about = {s.uplink for s in event.samples} if isinstance(event, Sampled) else set()
        if isinstance(event, (LinkChanged, DriverReported)):
            about = {event.uplink}
        rank = [u.name for u in self._studio.policy.uplinks]
        known = before.uplinks[was.active]
        is_calm = known.silence is None and not is_hard_down(known.link) and not known.browned
        calm = is_calm and was.phase in (Phase.SETTLED, Phase.HOLDING)
        if about and was.active not in about and calm and rank.index(to) > rank.index(was.active):
            self._break(f"news of {', '.join(sorted(about))} moved the box off a line that works")

    def _note_leaving(self, uplink: str) -> None:
        second, world = self._studio.second, self._studio.world
        line = world.lines[uplink]
        running = {n: b for n, (b, e) in self._running.items() if b <= second <= e}
        if uplink != self._studio.policy.uplinks[0].name:
            return  # a way back, or a backup that failed
        for name, began in running.items():
            self.left[name].append(second - began)
            del self._running[name]  # only the first leaving tells how fast it was
        worked = line.far and not line.portal and line.loss_ratio < BEARABLE_LOSS
        last = max((e for _, e in self._running.values()), default=-math.inf)
        if worked and not running and second - max(last, self._trouble_until) > HEALED_LATELY_S:
            self.needless += 1

    def _look_at_alert(self, action: SendAlert, now: Instant) -> None:
        alert = action.alert
        self.told[alert.reason] += 1
        key = (alert.incident, alert.reason)
        rest_s = now.mono - self._last_told.get(alert.incident, -math.inf)
        if alert.reason in ONCE and key in self._said:
            self._break(f"incident {alert.incident} was told twice as {alert.reason}")
        if alert.reason is Reason.CHANGED and rest_s < CHANGED_REST_S:
            self._break(f"incident {alert.incident} changed again after {rest_s:.0f} s")
        if alert.reason is Reason.UPDATE_DUE and rest_s < self._shortest_rest(alert.incident):
            self._break(f"an update of incident {alert.incident} came after {rest_s:.0f} s")
        self._said[key] = self._last_told[alert.incident] = now.mono

    def _shortest_rest(self, number: int) -> float:
        """Give the least seconds between a word and an update without news.

        Once in an outage of the vendor it is shorter: when the vendor wanted to be back.
        """
        state, policy = self._studio.state, self._studio.policy
        incident = next((i for i in state.incidents if i.id == number), None)
        if incident is None or incident.scope is not Scope.VENDOR or number in self._goals:
            return policy.update_every_s
        self._goals.add(number)
        return CHANGED_REST_S

    def _break(self, words: str) -> None:
        if len(self.broken) < KEPT:
            self.broken.append(f"at {self._studio.second:.3f} s: {words}")
