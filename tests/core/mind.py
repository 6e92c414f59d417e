"""A mind on the operating table: its clock is stepped by hand, its senses are fed by hand."""

import copy
import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from edge_watchdog.core.actions import Action, RouteVia
from edge_watchdog.core.advance import advance, begin
from edge_watchdog.core.events import Done, Event, LinkChanged, Sampled, Started, Woke
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, LinkState, Mode, Sample, Uplink, UplinkKind
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Failover, State, UplinkState

CABLE, STICK, PHONE = "cable", "stick", "phone"
OPERATORS = ("alpha", "beta", "gamma", "delta")
BOOT = Instant(1000.0, 1_795_252_440.0)
UP = LinkState(True, True, ("192.168.1.7/24",), "192.168.1.1", routed=True)
UNPLUGGED = LinkState(True, False)
GONE = LinkState(False)
POLICY = Policy(
    (
        Uplink(CABLE, UplinkKind.ETHERNET, "wan0"),
        Uplink(STICK, UplinkKind.ETHERNET, "lte0", metered=True),
    ),
    Mode.SELF,
    "BookWell",
)
THREE = replace(POLICY, uplinks=(*POLICY.uplinks, Uplink(PHONE, UplinkKind.ETHERNET, "ap0")))
OBSERVE = replace(POLICY, mode=Mode.OBSERVE)

A = TypeVar("A")


def at(second: float) -> Instant:
    return BOOT.plus(second)


def sample(
    operator: str = "alpha",
    *,
    sent_at: float = 0.0,
    uplink: str = CABLE,
    lost: bool = False,
    how: str = "icmp",
    **fields: Any,
) -> Sample:
    """One question to one anchor, answered unless *lost*."""
    base = Sample(
        at(sent_at),
        uplink,
        Layer.INTERNET,
        f"{how} {operator}",
        sent=1,
        lost=int(lost),
        rtt_s=None if lost else 0.01,
        operator=operator,
        finding=Finding.SILENT if lost else Finding.ANSWERED,
    )
    return replace(base, **fields)


def asked(
    layer: Layer, target: str, finding: Finding = Finding.ANSWERED, *, sent_at: float = 0.0
) -> Sample:
    """One question to a router, a name server or a page of the cable."""
    lost = finding in (Finding.SILENT, Finding.UNREACHABLE)
    return Sample(at(sent_at), CABLE, layer, target, 1, int(lost), finding=finding)


class Mind:
    """State, policy and time; what each event led to is kept in *actions*."""

    def __init__(self, policy: Policy = POLICY, *, links: Iterable[str] | None = None) -> None:
        self.policy = policy
        self.state = begin(policy)
        self.second = 0.0
        self.actions: list[Action] = []
        self.feed(Started(self.now, "boot 1", "1.0"))
        for name in self.state.uplinks if links is None else links:
            self.link(name, UP)

    @property
    def now(self) -> Instant:
        return at(self.second)

    @property
    def failover(self) -> Failover:
        return self.state.failover

    def known(self, uplink: str = CABLE) -> UplinkState:
        return self.state.uplinks[uplink]

    def twin(self) -> "Mind":
        """Give another one in the very same state; states are values."""
        other = copy.copy(self)
        other.actions = list(self.actions)
        return other

    def put(self, uplink: str, **fields: Any) -> None:
        """Have it know of *uplink* what it could have learned."""
        known = replace(self.state.uplinks[uplink], **fields)
        self.state = replace(self.state, uplinks={**self.state.uplinks, uplink: known})

    def decided(self, **fields: Any) -> None:
        """Have its failover stand otherwise."""
        self.state = replace(self.state, failover=replace(self.failover, **fields))

    def feed(self, event: Event) -> list[Action]:
        step = advance(self.state, event, self.policy)
        self.state = step.state
        self.actions += step.actions
        return list(step.actions)

    def link(self, uplink: str, state: LinkState) -> list[Action]:
        return self.feed(LinkChanged(self.now, uplink, state))

    def pass_time(self, seconds: float) -> list[Action]:
        self.second += seconds
        return self.feed(Woke(self.now))

    def hear(self, *samples: Sample) -> list[Action]:
        return self.feed(Sampled(self.now, samples))

    def answers(self, uplink: str = CABLE, *operators: str) -> list[Action]:
        """All (or the named) operators answer questions that left just now."""
        who = operators or OPERATORS
        return self.hear(*(sample(o, sent_at=self.second, uplink=uplink) for o in who))

    def misses(self, uplink: str = CABLE, *operators: str) -> list[Action]:
        """Questions to all (or the named) operators that left just now get no answer."""
        who = operators or OPERATORS
        return self.hear(*(sample(o, sent_at=self.second, uplink=uplink, lost=True) for o in who))

    def silent_for(self, seconds: float, uplink: str = CABLE) -> list[Action]:
        """Nobody answers for a while; asked every tenth of a second."""
        made: list[Action] = []
        for _ in range(round(seconds * 10)):
            made += self.misses(uplink)
            self.second += 0.1
        return made

    def fine_for(self, seconds: float, *uplinks: str) -> list[Action]:
        """Everybody answers for a while; asked every second."""
        made: list[Action] = []
        for _ in range(round(seconds)):
            for uplink in uplinks or (CABLE,):
                made += self.answers(uplink)
            self.second += 1.0
        return made

    def carry_out(self, *, ok: bool = True) -> list[Action]:
        """Have the kernel do, or refuse, the last route that was ordered."""
        order = self.last(RouteVia)
        return self.feed(Done(self.now, order.id, ok=ok, detail="" if ok else "refused"))

    def last(self, kind: type[A]) -> A:
        return [a for a in self.actions if isinstance(a, kind)][-1]


def routes(actions: Iterable[Action]) -> list[str | None]:
    return [a.uplink for a in actions if isinstance(a, RouteVia)]


def only(kind: type[A], actions: Iterable[object]) -> list[A]:
    return [a for a in actions if isinstance(a, kind)]


@functools.cache
def _ready(policy: Policy) -> "Mind":
    mind = Mind(policy)
    mind.carry_out()
    mind.fine_for(20, *mind.state.uplinks)
    return mind


def ready(policy: Policy = POLICY) -> Mind:
    """A mind that has been running for a while, with everything well."""
    return _ready(policy).twin()


def well(policy: Policy = POLICY) -> Mind:
    """The same, with routers, names and pages asked as well."""
    mind = ready(policy)
    for name in mind.state.uplinks:
        rungs = ((Layer.GATEWAY, "icmp gw"), (Layer.NAMES, "dns a"), (Layer.WEB, "http a"))
        said = (asked(layer, target, sent_at=mind.second) for layer, target in rungs)
        mind.hear(*(replace(one, uplink=name) for one in said))
    return mind


def diverted(policy: Policy = POLICY) -> Mind:
    """A mind that has just left a silent cable for the stick; the way back is open."""
    mind = ready(policy)
    mind.silent_for(0.6)
    mind.answers(STICK)
    mind.misses()
    mind.carry_out()
    return mind


def on_backup(policy: Policy = POLICY) -> Mind:
    """A mind that has left an unplugged cable for the stick."""
    mind = ready(policy)
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    mind.carry_out()
    return mind


def state_with(**uplinks: UplinkState) -> State:
    return State({name: uplinks.get(name, UplinkState()) for name in (CABLE, STICK)})
