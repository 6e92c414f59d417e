"""What holds whatever happens: bad days made up by Hypothesis, checked after each event."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_watchdog.core.actions import Action, Alert, Evict, Reason, RouteVia, SendAlert
from edge_watchdog.core.advance import Step, advance, begin, next_deadline
from edge_watchdog.core.alerting import CHANGED_REST_S
from edge_watchdog.core.codec import decode, decode_one_of, encode
from edge_watchdog.core.events import (
    Acknowledged,
    BoxReported,
    ClockStepped,
    Done,
    DriverReported,
    Event,
    HoursChanged,
    JourneyReported,
    LinkChanged,
    Ordered,
    OrderKind,
    Sampled,
    Started,
    VendorReported,
    Woke,
    WorkerFailed,
)
from edge_watchdog.core.evidence import is_hard_down, is_verified
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    BoxReport,
    DriverReport,
    Finding,
    JourneyReport,
    Layer,
    LinkState,
    Mode,
    Sample,
    Sim,
    Stage,
    VendorLevel,
    VendorReport,
)
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import Phase, State
from tests.core.mind import GONE, OPERATORS, THREE, UNPLUGGED, UP, at, sample

REPEATABLE = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = tuple(u.name for u in THREE.uplinks)
LINKS = (UP, UNPLUGGED, GONE, replace(UP, addresses=()), replace(UP, routed=False))
SERVICES = ((Layer.GATEWAY, "icmp gw"), (Layer.NAMES, "dns a"), (Layer.WEB, "http a"))

uplinks = st.sampled_from(NAMES)
pauses = st.sampled_from([0.0, 0.03, 0.06, 0.4, 1.0, 3.5, 20.0, 70.0, 700.0])
deeds = st.one_of(
    st.tuples(st.just("silence"), uplinks, st.integers(1, 60)),
    st.tuples(st.just("answers"), uplinks, st.integers(1, 70)),
    st.tuples(st.just("answers"), st.just("everyone"), st.integers(1, 70)),
    st.tuples(st.just("late"), uplinks, st.integers(1, 3)),
    st.tuples(st.just("link"), uplinks, st.sampled_from(LINKS)),
    st.tuples(st.just("service"), uplinks, st.sampled_from(Finding)),
    st.tuples(st.just("done"), st.booleans(), st.just(0)),
    st.tuples(st.just("wait"), st.just(""), st.just(0)),
    st.tuples(st.just("report"), uplinks, st.sampled_from(Sim)),
    st.tuples(st.just("visit"), uplinks, st.sampled_from(Stage)),
    st.tuples(st.just("page"), st.just(""), st.sampled_from(VendorLevel)),
    st.tuples(st.just("order"), st.sampled_from([*NAMES, "satellite"]), st.sampled_from(OrderKind)),
    st.tuples(st.just("hours"), st.booleans(), st.just(0)),
    st.tuples(st.just("start"), st.sampled_from(["boot 1", "boot 2"]), st.just(0)),
    st.tuples(st.just("talk"), st.just(""), st.integers(1, 3)),
)
days = st.lists(st.tuples(pauses, deeds), min_size=5, max_size=25)


@dataclass
class Day:
    """A day as it unfolds: the events that the deeds come to, and what the mind made of them."""

    policy: Policy
    second: float = 0.0
    state: State = field(init=False)
    steps: list[tuple[State, Event, Step]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = begin(self.policy)
        self.feed(Started(at(0), "boot 1", "1.0"))
        for name in self.state.uplinks:
            self.feed(LinkChanged(at(0), name, UP))

    @property
    def now(self) -> Instant:
        return at(self.second)

    def feed(self, event: Event) -> None:
        step = advance(self.state, event, self.policy)
        self.steps.append((self.state, event, step))
        self.state = step.state

    def ask(self, uplink: str, *, lost: bool) -> None:
        names = NAMES if uplink == "everyone" else (uplink,)
        self.feed(
            Sampled(
                self.now,
                tuple(
                    sample(o, sent_at=self.second, uplink=name, lost=lost)
                    for name in names
                    for o in OPERATORS
                ),
            )
        )

    def live(self, pause: float, deed: tuple[str, object, object]) -> None:
        self.second += pause
        for event in self._events(*deed):
            self.feed(event)

    def _events(self, what: str, who: object, how: object) -> Iterator[Event]:
        name = str(who)
        match what, how:
            case "silence" | "answers", int(ticks):
                for _ in range(ticks):
                    self.ask(name, lost=what == "silence")
                    self.second = round(self.second + (0.1 if what == "silence" else 1.0), 3)
            case "late", int(age):
                yield Sampled(self.now, (sample(sent_at=self.second - age, uplink=name, sent=0),))
            case "link", LinkState() as link:
                yield LinkChanged(self.now, name, link)
            case "service", Finding() as finding:
                lost = int(finding in (Finding.SILENT, Finding.UNREACHABLE))
                sent = int(finding not in (Finding.NOT_ASKED, Finding.MISROUTED))
                yield Sampled(
                    self.now,
                    tuple(
                        Sample(self.now, name, layer, target, sent, lost, finding=finding)
                        for layer, target in SERVICES
                    ),
                )
            case "done", _:
                for action in self.state.unfinished:
                    yield Done(self.now, action.id, ok=bool(who), detail="" if who else "refused")
            case "report", Sim() as sim:
                report = DriverReport(self.now, sim=sim, modem_answers=False, ipv6_works=True)
                yield DriverReported(self.now, name, report)
                lag_s = 1.0 if sim is Sim.READY else None
                low = sim is Sim.MISSING
                yield BoxReported(self.now, BoxReport(self.now, power_low=low, lag_s=lag_s))
            case "visit", Stage() as stage:
                yield JourneyReported(self.now, JourneyReport(self.now, name, stage))
            case "page", VendorLevel() as level:
                yield VendorReported(self.now, VendorReport(self.now, level))
            case "order", OrderKind() as kind:
                yield Ordered(self.now, kind, name, 120.0, "because")
            case "hours", _:
                yield HoursChanged(self.now, is_open=bool(who))
            case "start", _:
                yield Started(self.now, name, "1.0")
                for one in NAMES:
                    yield LinkChanged(self.now, one, UP)
            case "talk", int(number):
                yield Acknowledged(self.now, number, "Anna")
                yield ClockStepped(self.now, 60.0 * number)
                yield WorkerFailed(self.now, "mqtt", f"crash {number}")
            case _:
                yield Woke(self.now)


def lived(day: list[tuple[float, tuple[str, object, object]]], policy: Policy = THREE) -> Day:
    unfolded = Day(policy)
    for pause, deed in day:
        unfolded.live(pause, deed)
    return unfolded


def unpacked(data: object) -> Event:
    event = decode_one_of(Event, data)
    assert isinstance(event, Event)
    return event


def over_the_wire(value: object) -> object:
    return json.loads(json.dumps(encode(value)))


@REPEATABLE
@given(days)
def test_the_same_day_is_decided_in_the_same_way_and_can_be_replayed_from_its_record(day):
    first = lived(day)
    state = begin(THREE)
    for _, event, step in first.steps:
        again = advance(state, unpacked(over_the_wire(event)), THREE)
        assert again == step
        state = again.state
    assert decode(State, over_the_wire(state)) == state
    for _, _, step in first.steps:
        for action in step.actions:
            assert decode_one_of(Action, over_the_wire(action)) == action


@REPEATABLE
@given(days)
def test_no_connection_is_led_over_a_line_that_was_not_just_seen_to_work(day):
    for before, event, step in lived(day).steps:
        active = before.failover.active
        for action in step.actions:
            # the first choice, and repeats of where we are, rest on no new evidence
            moves = isinstance(action, RouteVia) and action.uplink != active and active is not None
            if moves and not isinstance(event, Started):
                assert isinstance(action, RouteVia)
                assert is_verified(step.state.uplinks[str(action.uplink)], event.at, THREE)


@REPEATABLE
@given(days)
def test_only_one_uplink_is_in_use_and_it_is_never_evicted(day):
    for _, event, step in lived(day).steps:
        failover = step.state.failover
        routes = [a for a in step.actions if isinstance(a, RouteVia)]
        assert len(routes) <= 1 or isinstance(event, Started)
        assert failover.active is None or failover.active in NAMES
        assert (failover.going is not None) == (failover.phase is Phase.SWITCHING)
        assert failover.left != failover.active or failover.left is None
        for action in step.actions:
            if isinstance(action, Evict) and not isinstance(event, Started):
                assert action.uplink != failover.active


@REPEATABLE
@given(days)
def test_the_trouble_of_a_worse_line_never_touches_one_that_works(day):
    for before, event, step in lived(day).steps:
        failover = before.failover
        if failover.phase is not Phase.SETTLED or failover.active is None or failover.override:
            continue
        if isinstance(event, LinkChanged):
            about = {event.uplink}
        elif isinstance(event, Sampled):
            about = {s.uplink for s in event.samples}
        else:
            continue
        active = before.uplinks[failover.active]
        worse = NAMES[NAMES.index(failover.active) + 1 :]
        works = active.silence is None and not is_hard_down(active.link)
        if works and about <= set(worse):
            assert not [a for a in step.actions if isinstance(a, Evict)]
            to = {a.uplink for a in step.actions if isinstance(a, RouteVia)}
            assert to <= {failover.active}  # a refused route may be asked for again


@REPEATABLE
@given(days)
def test_an_observer_touches_nothing_whatever_happens(day):
    for _, _, step in lived(day, replace(THREE, mode=Mode.OBSERVE)).steps:
        assert not [a for a in step.actions if isinstance(a, (RouteVia, Evict))]


def alerts(day: Day) -> Iterator[tuple[float, Alert]]:
    for _, event, step in day.steps:
        for action in step.actions:
            if isinstance(action, SendAlert):
                yield event.at.mono, action.alert


@REPEATABLE
@given(days)
def test_nobody_is_told_twice_for_one_reason(day):
    unfolded = lived(day)
    told: dict[int, list[tuple[float, Reason]]] = {}
    for mono, alert in alerts(unfolded):
        told.setdefault(alert.incident, []).append((mono, alert.reason))
    for words in told.values():
        reasons = [reason for _, reason in words]
        assert reasons[0] in (Reason.FIRST, Reason.NOTICE)
        assert reasons.count(Reason.FIRST) + reasons.count(Reason.NOTICE) == 1
        assert Reason.RESOLVED not in reasons[:-1]
        for (then, _), (now, reason) in itertools.pairwise(words):
            if reason is Reason.CHANGED:
                assert now - then >= CHANGED_REST_S
            if reason is Reason.UPDATE_DUE:
                assert now - then >= CHANGED_REST_S  # at the vendor's goal, else hourly
    for incident in unfolded.state.incidents:
        ended = [r for _, r in told.get(incident.id, [])][-1:] == [Reason.RESOLVED]
        assert ended == (incident.resolved is not None and incident.told is not None)


@REPEATABLE
@given(days)
def test_each_scope_has_one_open_incident_at_most_and_the_faces_can_always_be_drawn(day):
    for _, event, step in lived(day).steps:
        opened = [i.scope for i in step.state.incidents if i.resolved is None]
        assert len(opened) == len(set(opened))
        shown = view(step.state, THREE, event.at)
        assert shown.banner.headline
        assert len(shown.banner.steps) <= 3


@REPEATABLE
@given(days)
def test_time_always_moves_and_quiet_comes_to_rest(day):
    unfolded = lived(day)
    for _, event, step in unfolded.steps[-20:]:
        due = next_deadline(step.state, THREE, event.at)
        assert due is None or due > event.at.mono
    end, wakes = unfolded.second + 300, 0
    while True:
        due = next_deadline(unfolded.state, THREE, unfolded.now)
        if due is None or due - at(0).mono > end:
            break
        unfolded.second = due - at(0).mono
        unfolded.feed(Woke(unfolded.now))
        wakes += 1
    assert wakes < 1300  # a suspicion that nothing can end asks twice a second, nothing asks more


@pytest.mark.parametrize("mode", Mode)
def test_a_made_up_day_reaches_every_phase(mode):
    day = [
        (0.0, ("done", True, 0)),
        (0.0, ("answers", "everyone", 5)),
        (0.0, ("silence", NAMES[0], 20)),
        (0.0, ("done", True, 0)),
        (0.0, ("silence", NAMES[0], 50)),
        (0.0, ("answers", "everyone", 3)),
        (0.0, ("link", NAMES[0], UNPLUGGED)),
        (0.0, ("link", NAMES[1], UNPLUGGED)),
        (0.0, ("link", NAMES[2], UNPLUGGED)),
        (2.0, ("wait", "", 0)),
    ]
    phases = {s.state.failover.phase for _, _, s in lived(day, replace(THREE, mode=mode)).steps}
    wanted = (
        set(Phase) if mode is not Mode.OBSERVE else {Phase.SETTLED, Phase.SUSPECT, Phase.STRANDED}
    )
    assert phases == wanted
