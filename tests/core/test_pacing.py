"""How often everything is asked: calm costs almost nothing, a decision that waits costs a burst."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Pace, ProbeBurst, ProbeEvery, WatchVendor
from edge_watchdog.core.events import HoursChanged, JourneyReported, Ordered, OrderKind
from edge_watchdog.core.model import Finding, JourneyReport, Layer, Mode, Stage, Uplink, UplinkKind
from edge_watchdog.core.pacing import (
    BURST_REST_METERED_S,
    DOUBT_BURST_S,
    burst_due,
    set_paces,
)
from edge_watchdog.core.state import Cause, Diagnosis, Failover, Phase, State, UplinkState
from tests.core.mind import (
    CABLE,
    GONE,
    PHONE,
    POLICY,
    STICK,
    THREE,
    UNPLUGGED,
    UP,
    Mind,
    asked,
    at,
    diverted,
    on_backup,
    only,
    ready,
)

NEVER = float("inf")


def paces(mind: Mind) -> dict[str, Pace]:
    return {name: order.pace for name, order in mind.state.paces.items()}


def test_the_line_in_use_is_asked_most_and_a_metered_standby_least():
    assert paces(ready(THREE)) == {
        CABLE: Pace.ACTIVE,
        STICK: Pace.STANDBY_METERED,
        PHONE: Pace.STANDBY,
    }


def test_when_the_studio_is_closed_the_line_in_use_is_asked_sparingly():
    mind = ready()
    made = mind.feed(HoursChanged(mind.now, is_open=False))
    assert [(o.uplink, o.pace) for o in only(ProbeEvery, made)] == [(CABLE, Pace.ACTIVE_SPARING)]


def test_on_the_backup_the_better_line_is_watched_for_its_return():
    assert paces(on_backup()) == {CABLE: Pace.ACTIVE_SPARING, STICK: Pace.ACTIVE_SPARING}


def test_a_pace_is_ordered_once():
    mind = ready()
    assert only(ProbeEvery, mind.fine_for(30, CABLE, STICK)) == []


def test_deaf_targets_are_to_be_avoided():
    mind = ready()
    for _ in range(3):
        mind.misses(CABLE, "alpha")
        mind.second += 0.5
        made = mind.answers(CABLE, "beta", "gamma")
        mind.second += 0.5
    mind.misses(CABLE, "alpha")
    assert mind.last(ProbeEvery).avoid == ("icmp alpha",)
    made = mind.answers(CABLE, "alpha")
    assert only(ProbeEvery, made)[0].avoid == ()


class TestBursts:
    def due(self, mind: Mind, name: str) -> float:
        uplink = next(u for u in mind.policy.uplinks if u.name == name)
        due = burst_due(mind.state, uplink, mind.policy)
        return due if due == NEVER else due - mind.now.mono

    def test_calm_needs_none(self):
        mind = ready()
        assert (self.due(mind, CABLE), self.due(mind, STICK)) == (NEVER, NEVER)

    def test_nobody_is_asked_over_a_dead_link(self):
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        assert self.due(mind, CABLE) == NEVER
        assert self.due(Mind(links=()), CABLE) == NEVER

    def test_a_suspicion_keeps_on_asking(self):
        mind = ready()
        mind.misses(CABLE, "alpha")
        assert self.due(mind, CABLE) == pytest.approx(0.5)
        assert self.due(mind, STICK) == NEVER

    def test_no_carrier_has_the_standby_asked_at_once(self):
        mind = ready()
        made = mind.link(CABLE, UNPLUGGED)
        assert [b.uplink for b in only(ProbeBurst, made)] == [STICK]

    def test_only_the_first_standby_is_asked(self):
        mind = ready(THREE)
        made = mind.link(CABLE, UNPLUGGED)
        assert [b.uplink for b in only(ProbeBurst, made)] == [STICK]

    def test_a_sign_in_page_on_every_page_has_the_standby_asked(self):
        mind = ready()
        mind.second += 5
        made = mind.hear(asked(Layer.WEB, "http a", Finding.PORTAL, sent_at=mind.second))
        assert {b.uplink for b in only(ProbeBurst, made)} == {CABLE, STICK}

    def test_the_way_back_is_asked_all_the_time(self):
        mind = diverted()
        assert self.due(mind, CABLE) <= 1.0
        assert self.due(mind, STICK) == NEVER

    def test_stranded_every_line_is_asked_now_and_then(self):
        mind = ready()
        mind.second += 5
        mind.silent_for(3)
        assert mind.failover.phase is Phase.STRANDED
        assert 0 < self.due(mind, CABLE) <= 5
        assert 5 < self.due(mind, STICK) <= 30
        made = mind.pass_time(5)
        assert [(b.uplink, b.triage) for b in only(ProbeBurst, made)] == [(CABLE, True)]

    def test_a_young_silence_of_a_standby_is_looked_into(self):
        mind = ready(THREE)
        made = mind.misses(PHONE, "alpha")
        assert [(b.uplink, b.triage) for b in only(ProbeBurst, made)] == [(PHONE, True)]
        assert self.due(mind, PHONE) == 5

    def test_a_standby_that_is_known_to_be_dead_is_left_alone(self):
        mind = ready(THREE)
        mind.silent_for(2, PHONE)
        assert self.due(mind, PHONE) == NEVER

    @pytest.mark.parametrize("name, rest_s", [(CABLE, 0.5), (PHONE, 5), (STICK, NEVER)])
    def test_a_sign_in_page_is_watched_unless_that_costs_money(self, name, rest_s):
        mind = ready(THREE)
        mind.second += 5
        page = asked(Layer.WEB, "http a", Finding.PORTAL, sent_at=mind.second)
        mind.hear(replace(page, uplink=name))
        assert self.due(mind, name) == rest_s

    def test_when_targets_go_deaf_a_page_is_asked_before_its_turn(self):
        mind = ready()
        mind.hear(asked(Layer.WEB, "http a", sent_at=mind.second))
        for _ in range(3):
            mind.second += 3
            mind.misses(CABLE, "alpha")
            mind.answers(CABLE, "beta", "gamma", "delta")
        mind.pass_time(2)
        assert mind.last(ProbeBurst).triage

    def test_deaf_targets_are_no_reason_while_no_page_is_asked_at_all(self):
        mind = ready()
        for _ in range(4):
            mind.second += 3
            mind.misses(CABLE, "alpha")
            mind.answers(CABLE, "beta", "gamma", "delta")
        assert not mind.last(ProbeBurst).triage

    def test_a_name_that_is_missed_once_is_asked_again_before_its_turn(self):
        mind = ready()
        made = mind.hear(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=mind.second))
        assert [b.triage for b in only(ProbeBurst, made)] == [True]
        mind.second += 5
        made = mind.hear(asked(Layer.NAMES, "dns a", sent_at=mind.second))
        assert only(ProbeBurst, made) == []

    @pytest.mark.parametrize("stage", [Stage.TLS, Stage.CERTIFICATE])
    def test_where_the_app_s_secure_connection_fails_another_secure_page_is_asked(self, stage):
        mind = ready()
        mind.hear(asked(Layer.WEB, "https a", sent_at=mind.second))
        mind.second += 5
        made = mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, CABLE, stage)))
        assert [(b.triage, b.secure) for b in only(ProbeBurst, made)] == [(True, True)]
        mind.second += 5
        made = mind.hear(asked(Layer.WEB, "https a", sent_at=mind.second))
        assert only(ProbeBurst, made) == []

    def test_a_page_that_fails_otherwise_is_no_reason_nor_is_one_over_a_costly_line(self):
        mind = ready()
        mind.second += 5
        for name, stage in ((CABLE, Stage.HTTP), (STICK, Stage.TLS)):
            made = mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, name, stage)))
            assert only(ProbeBurst, made) == []

    def test_pages_are_not_asked_twice_within_two_seconds(self):
        mind = ready()
        mind.hear(asked(Layer.WEB, "http a", sent_at=mind.second))
        made = mind.hear(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=mind.second))
        assert [b.triage for b in only(ProbeBurst, made)] == [False]

    def test_an_order_has_its_uplink_verified(self):
        mind = ready()
        mind.second += 40
        mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, ""))
        assert self.due(mind, STICK) == 30
        mind.answers(STICK)
        mind.carry_out()
        assert self.due(mind, STICK) == NEVER

    def test_a_line_that_is_to_be_taken_back_is_verified_when_its_time_comes(self):
        metered = replace(POLICY, uplinks=tuple(replace(u, metered=True) for u in POLICY.uplinks))
        mind = on_backup(metered)
        mind.link(CABLE, UP)
        mind.fine_for(2, CABLE, STICK)
        assert mind.failover.phase is Phase.HOLDING
        assert self.due(mind, CABLE) == pytest.approx(58)
        assert self.due(mind, STICK) == NEVER
        mind.second += 58
        made = mind.answers(STICK)
        assert [b.uplink for b in only(ProbeBurst, made)] == [CABLE]

    def test_a_line_that_is_not_clean_any_more_is_not_verified(self):
        mind = on_backup()
        mind.link(CABLE, UP)
        mind.fine_for(2, CABLE, STICK)
        mind.put(CABLE, clean_since=None)
        assert self.due(mind, CABLE) == NEVER


class TestTheVendor:
    def studio(self, vendor: Cause = Cause.NONE, cable: JourneyReport | None = None) -> State:
        lines = {
            CABLE: UplinkState(link=UP, pace=Pace.ACTIVE, journey=cable),
            STICK: UplinkState(link=UP, pace=Pace.STANDBY_METERED),
            PHONE: UplinkState(link=UP, pace=Pace.STANDBY),
        }
        state = State(lines, Failover(active=CABLE))
        return replace(state, vendor=replace(state.vendor, diagnosis=Diagnosis(vendor, 0.9, at(0))))

    def order(self, state: State) -> WatchVendor:
        return only(WatchVendor, set_paces(state, at(0), THREE)[1])[0]

    def test_calm(self):
        order = self.order(self.studio())
        assert (order.every_s, order.via) == (60, CABLE)
        assert order.visits == {CABLE: 15, STICK: 43200, PHONE: 300}

    @pytest.mark.parametrize("cause", [Cause.VENDOR_SILENT, Cause.CHECKING, Cause.VENDOR_PATH])
    def test_a_trouble_is_looked_at_closely_and_from_every_side(self, cause):
        order = self.order(self.studio(cause))
        assert order.every_s == 20
        assert order.visits == {CABLE: 5, STICK: 300, PHONE: 60}

    def test_a_failed_visit_is_repeated_soon(self):
        order = self.order(self.studio(cable=JourneyReport(at(0), CABLE, Stage.HTTP)))
        assert order.visits == {CABLE: 5, STICK: 43200, PHONE: 300}

    def test_what_is_slow_is_not_made_slower(self):
        assert self.order(self.studio(Cause.VENDOR_SLOW)).visits[CABLE] == 15

    def test_over_a_metered_line_a_fifth_of_it(self):
        state = self.studio()
        state = replace(state, failover=Failover(active=STICK))
        assert (self.order(state).every_s, self.order(state).via) == (300, STICK)

    def test_a_trouble_over_a_metered_line_in_use(self):
        state = self.studio(Cause.VENDOR_SILENT)
        state = replace(state, failover=Failover(active=STICK))
        assert self.order(state).visits[STICK] == 60

    @pytest.mark.parametrize("link", [None, GONE, UNPLUGGED])
    def test_no_visit_over_a_line_that_is_not_there(self, link):
        state = self.studio()
        phone = replace(state.uplinks[PHONE], link=link)
        state = replace(state, uplinks={**state.uplinks, PHONE: phone})
        assert PHONE not in self.order(state).visits

    @pytest.mark.parametrize("failover", [Failover(), Failover(active=CABLE, phase=Phase.STRANDED)])
    def test_without_a_line_the_page_is_not_read(self, failover):
        assert self.order(replace(self.studio(), failover=failover)).via is None

    def test_an_uplink_without_a_pace_is_not_visited_through(self):
        state = self.studio()
        off = replace(state.uplinks[PHONE], pace=Pace.OFF)
        state = replace(state, uplinks={**state.uplinks, PHONE: off})
        uplinks = tuple(u for u in THREE.uplinks if u.name == PHONE)
        policy = replace(THREE, uplinks=uplinks)
        paced = replace(state, paces={PHONE: ProbeEvery(1, PHONE, Pace.STANDBY)})
        assert only(WatchVendor, set_paces(paced, at(0), policy)[1])[0].visits == {}

    def test_it_is_ordered_once(self):
        state, _ = set_paces(self.studio(), at(0), THREE)
        assert only(WatchVendor, set_paces(state, at(1), THREE)[1]) == []


def test_a_better_unmetered_backup_is_watched_as_one():
    uplinks = (
        Uplink("a", UplinkKind.ETHERNET, "a0"),
        Uplink("b", UplinkKind.ETHERNET, "b0"),
        Uplink("c", UplinkKind.ETHERNET, "c0"),
    )
    state = State({u.name: UplinkState(link=UP) for u in uplinks}, Failover(active="b"))
    policy = replace(POLICY, uplinks=uplinks, mode=Mode.SELF)
    orders = only(ProbeEvery, set_paces(state, at(0), policy)[1])
    assert [o.pace for o in orders] == [Pace.ACTIVE_SPARING, Pace.ACTIVE, Pace.STANDBY]


def test_a_lost_pulse_of_a_metered_standby_costs_one_question_to_each_host():
    mind = ready()
    (burst,) = only(ProbeBurst, mind.misses(STICK, "alpha"))
    assert (burst.uplink, burst.for_s, burst.triage) == (STICK, DOUBT_BURST_S, False)
    mind.misses(STICK)
    mind.second += BURST_REST_METERED_S
    (burst,) = only(ProbeBurst, mind.misses(STICK, "alpha"))
    assert (burst.for_s, burst.triage) == (DOUBT_BURST_S, True)
