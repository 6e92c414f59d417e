# mypy: disable-error-code="comparison-overlap,union-attr"
"""The numbers of the failover, one by one; stories and the studio in memory put them together."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Evict, ProbeBurst, Ready
from edge_watchdog.core.events import LinkChanged, Ordered, OrderKind, Started, Woke
from edge_watchdog.core.failover import TRANSITIONS
from edge_watchdog.core.model import Finding, Layer
from edge_watchdog.core.moves import Sign, next_standby, preferred_clean
from edge_watchdog.core.state import Phase, Silence
from tests.core.mind import (
    CABLE,
    GONE,
    OBSERVE,
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
    routes,
)


def test_the_first_uplink_that_the_kernel_shows_is_taken():
    mind = Mind(links=())
    assert routes(mind.link(STICK, UP)) == []
    assert routes(mind.link(CABLE, UP)) == [CABLE]
    assert mind.failover.phase is Phase.SETTLED


def test_a_better_uplink_is_waited_for_two_seconds_at_the_start():
    mind = Mind(links=())
    mind.link(STICK, UP)
    assert routes(mind.pass_time(1.9)) == []
    assert routes(mind.pass_time(0.1)) == [STICK]


def test_a_better_uplink_that_is_unplugged_is_not_waited_for():
    mind = Mind(links=())
    mind.link(CABLE, UNPLUGGED)
    assert routes(mind.link(STICK, UP)) == [STICK]


def test_nothing_is_taken_while_nothing_is_there():
    mind = Mind(links=())
    mind.link(CABLE, UNPLUGGED)
    mind.link(STICK, GONE)
    assert routes(mind.pass_time(60)) == []
    assert mind.failover.active is None


def test_one_miss_makes_suspect_and_a_burst():
    mind = ready()
    bursts = only(ProbeBurst, mind.misses(CABLE, "alpha"))
    assert mind.failover.phase is Phase.SUSPECT
    assert [(b.uplink, b.for_s) for b in bursts] == [(CABLE, 0.5)]


def test_three_misses_have_the_standby_verified():
    mind = ready()
    mind.misses(CABLE, "alpha")
    bursts = only(ProbeBurst, mind.misses(CABLE, "beta", "gamma"))
    assert STICK in {b.uplink for b in bursts}


def test_answers_of_two_operators_settle_it():
    mind = ready()
    mind.misses(CABLE, "alpha")
    mind.second += 0.1
    mind.answers(CABLE, "beta")
    assert mind.failover.phase is Phase.SUSPECT
    mind.answers(CABLE, "gamma")
    assert mind.failover.phase is Phase.SETTLED


def test_one_operator_alone_is_looked_at_calmly_after_three_seconds():
    mind = ready()
    mind.misses(CABLE, "alpha")
    mind.second += 2.9
    mind.answers(CABLE, "beta")
    assert mind.failover.phase is Phase.SUSPECT
    mind.second += 0.1
    mind.answers(CABLE, "beta")
    assert mind.failover.phase is Phase.SETTLED


@pytest.mark.parametrize(
    "probes, span_s, operators, waits_s, diverts",
    [
        (12, 0.51, 3, 1.9, True),
        (11, 0.51, 3, 1.9, False),
        (12, 0.5, 3, 1.9, False),
        (12, 0.51, 2, 1.9, False),
        (12, 0.51, 3, 2.1, False),
    ],
    ids=["all there", "too few questions", "too short", "too few operators", "standby stale"],
)
def test_a_divert_needs_it_all(probes, span_s, operators, waits_s, diverts):
    mind = ready()
    mind.second += waits_s  # the standby answered a second before
    now, who = mind.second, ("alpha", "beta", "gamma", "delta")[:operators]
    mind.put(CABLE, silence=Silence(at(now - span_s), at(now), probes, who))
    assert routes(mind.pass_time(0)) == ([STICK] if diverts else [])


@pytest.mark.parametrize(
    "refusals, span_s, operators, diverts",
    [(12, 0.16, 3, True), (11, 0.16, 3, False), (12, 0.15, 3, False), (12, 0.16, 2, False)],
    ids=["all there", "too few refusals", "too short", "too few operators"],
)
def test_where_the_network_refuses_less_time_will_do(refusals, span_s, operators, diverts):
    mind = ready()
    mind.second += 1.9
    now, who = mind.second, ("alpha", "beta", "gamma", "delta")[:operators]
    silence = Silence(at(now - span_s), at(now), 12, who, refusals, at(now - span_s))
    mind.put(CABLE, silence=silence)
    assert routes(mind.pass_time(0)) == ([STICK] if diverts else [])


def test_the_question_that_decides_does_not_wait_for_its_turn():
    mind = ready()
    mind.misses(CABLE, "alpha")  # the first one left at 0, its answer was due at 0.01
    mind.second += 0.45
    assert not any(b.at_once for b in only(ProbeBurst, mind.pass_time(0)))
    mind.second += 0.062
    assert [b.at_once for b in only(ProbeBurst, mind.pass_time(0))] == [True]
    mind.second += 0.2
    assert only(ProbeBurst, mind.pass_time(0)) == []


def test_no_verified_standby_and_nothing_is_touched():
    mind = ready()
    mind.link(STICK, UNPLUGGED)
    made = mind.silent_for(30)
    assert mind.failover.phase is Phase.STRANDED
    assert (routes(made), only(Evict, made)) == ([], [])


def test_a_standby_that_is_being_asked_is_waited_for():
    mind = ready()
    mind.second += 5
    mind.silent_for(1.0)
    assert mind.failover.phase is Phase.SUSPECT
    mind.silent_for(0.5)
    assert mind.failover.phase is Phase.STRANDED


def test_a_carrier_that_is_gone_for_fifty_milliseconds_is_hard_evidence():
    mind = ready()
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    assert routes(mind.pass_time(0.045)) == []
    assert routes(mind.pass_time(0.01)) == [STICK]
    assert only(Ready, mind.actions)[-1].uplink == STICK
    made = mind.carry_out()
    assert [e.uplink for e in only(Evict, made)] == [CABLE]
    assert (mind.failover.active, mind.failover.phase) == (STICK, Phase.SETTLED)


def test_a_carrier_that_flaps_moves_nothing():
    mind = ready()
    mind.link(CABLE, UNPLUGGED)
    mind.second += 0.03
    mind.link(CABLE, UP)
    mind.answers(STICK)
    made = mind.pass_time(0.1)
    mind.second += 0.1
    made += mind.answers()
    assert (routes(made), mind.failover.phase) == ([], Phase.SETTLED)


def test_a_silent_line_is_left_for_now_and_evicted_at_four_seconds():
    mind = diverted()
    assert (mind.failover.active, mind.failover.phase) == (STICK, Phase.DIVERTED)
    since = mind.known().silence.since.mono
    made = mind.silent_for(3.2)
    assert only(Evict, made) == []
    assert mind.now.mono - since < 4.0
    mind.second += since + 4.0 - mind.now.mono
    made = mind.feed(Woke(mind.now))
    assert [e.uplink for e in only(Evict, made)] == [CABLE]
    assert mind.failover.phase is Phase.SETTLED
    assert len(mind.failover.failures) == 1


def test_a_line_left_for_now_that_loses_its_carrier_is_evicted_at_once():
    mind = diverted()
    mind.link(CABLE, UNPLUGGED)
    assert [e.uplink for e in only(Evict, mind.pass_time(0.06))] == [CABLE]


def test_one_second_of_answers_undoes_a_divert():
    mind = diverted()
    mind.second += 0.1
    mind.answers(CABLE, "alpha", "beta")
    mind.second += 0.5
    assert routes(mind.answers(CABLE, "alpha", "beta")) == []
    mind.second += 0.5
    assert routes(mind.answers(CABLE, "alpha", "beta")) == [CABLE]
    mind.carry_out()
    assert (mind.failover.active, mind.failover.phase) == (CABLE, Phase.SETTLED)
    assert only(Evict, mind.actions) == []
    assert (len(mind.failover.undos), mind.failover.failures) == (1, ())


def test_the_third_undo_in_ten_minutes_waits_for_the_hold_down():
    mind = diverted()
    young = (mind.now.mono - 500, mind.now.mono - 400)
    mind.decided(undos=young)
    mind.fine_for(1.0)
    made = mind.answers()
    assert routes(made) == []
    assert [e.uplink for e in only(Evict, made)] == [CABLE]
    mind.fine_for(58, CABLE, STICK)
    assert routes(mind.answers()) == []
    made = mind.fine_for(3, CABLE, STICK)
    assert routes(made) == [CABLE]


def test_undos_are_forgotten_after_ten_minutes():
    mind = diverted()
    old = (mind.now.mono - 700, mind.now.mono - 650)
    mind.decided(undos=old)
    mind.fine_for(1.0)
    assert routes(mind.answers()) == [CABLE]


def test_a_line_that_is_neither_dead_nor_clean_is_left_for_good_after_ten_seconds():
    mind = diverted()
    made = []
    for _ in range(101):
        made += mind.answers(CABLE, "alpha")
        made += mind.answers(STICK)
        mind.second += 0.1
    assert [e.uplink for e in only(Evict, made)] == [CABLE]


@pytest.mark.parametrize(
    "failures, hold_s",
    [(1, 60), (2, 120), (3, 240), (6, 1800), (20, 1800)],
    ids=["once", "twice", "three times", "six times", "often"],
)
def test_the_preferred_line_is_taken_back_when_it_stayed_clean(failures, hold_s):
    mind = on_backup()
    times = tuple(mind.now.mono - n for n in range(failures))
    mind.decided(failures=times)
    mind.link(CABLE, UP)
    mind.fine_for(2, CABLE, STICK)
    assert mind.failover.phase is Phase.HOLDING
    clean = mind.known().clean_since.mono
    mind.second = clean + hold_s - 1 - 1000.0
    assert routes(mind.answers() + mind.answers(STICK)) == []
    mind.second += 1
    assert routes(mind.answers()) == [CABLE]
    made = mind.carry_out()
    assert (only(Evict, made), mind.failover.active) == ([], CABLE)


def test_failures_older_than_two_hours_are_forgiven():
    mind = on_backup()
    mind.decided(failures=(mind.now.mono,))
    mind.pass_time(7201)
    assert mind.failover.failures == ()


def test_more_than_four_switches_in_half_an_hour_hold_for_half_an_hour():
    mind = on_backup()
    five = tuple(mind.now.mono - n for n in range(5))
    mind.decided(switches=five)
    mind.link(CABLE, UP)
    mind.fine_for(2, CABLE, STICK)
    mind.second += 600
    assert routes(mind.answers() + mind.answers(STICK)) == []
    mind.second += 1200
    assert routes(mind.answers()) == [CABLE]


def test_a_preferred_line_that_fails_while_it_is_held_starts_anew():
    mind = on_backup()
    mind.link(CABLE, UP)
    mind.fine_for(30, CABLE, STICK)
    assert mind.failover.phase is Phase.HOLDING
    mind.silent_for(0.5)
    assert mind.failover.phase is Phase.SETTLED
    mind.fine_for(59, CABLE, STICK)
    assert (mind.failover.phase, mind.failover.active) == (Phase.HOLDING, STICK)


def test_a_held_line_must_answer_at_the_very_moment():
    mind = on_backup()
    mind.link(CABLE, UP)
    mind.fine_for(50, CABLE, STICK)
    mind.second += 15
    assert routes(mind.answers(STICK)) == []
    assert routes(mind.answers(CABLE)) == [CABLE]


def test_a_refused_switch_is_tried_again_after_a_second():
    mind = ready()
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    assert routes(mind.carry_out(ok=False)) == []
    assert (mind.failover.phase, mind.failover.active) == (Phase.SUSPECT, CABLE)
    mind.second += 0.5
    assert routes(mind.answers(STICK)) == []
    mind.second += 0.5
    assert routes(mind.answers(STICK)) == [STICK]
    assert mind.state.trouble == ("refused",)


def test_a_route_that_is_owed_is_asked_for_ever_more_rarely_and_at_once_when_the_line_changes():
    mind = Mind()
    mind.link(CABLE, UP)
    mind.pass_time(3)
    pauses = []
    for _ in range(8):
        refused = mind.second
        mind.carry_out(ok=False)
        while not routes(mind.pass_time(1)):
            assert mind.second < refused + 70
        pauses.append(mind.second - refused)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    mind.carry_out(ok=False)
    assert routes(mind.link(CABLE, UNPLUGGED)) == [CABLE]
    mind.carry_out(ok=True)
    assert not mind.failover.refused
    assert routes(mind.pass_time(120)) == []


def test_while_switching_only_the_outcome_counts():
    mind = ready()
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    assert mind.failover.phase is Phase.SWITCHING
    assert routes(mind.answers(STICK) + mind.pass_time(1) + mind.link(CABLE, UP)) == []


def test_the_trouble_of_a_standby_touches_nothing():
    mind = ready()
    made = mind.silent_for(10, STICK)
    made += mind.link(STICK, GONE)
    made += mind.pass_time(60)
    assert (routes(made), only(Evict, made)) == ([], [])
    assert (mind.failover.phase, mind.failover.active) == (Phase.SETTLED, CABLE)


def test_a_backup_that_dies_while_the_way_back_is_open_leads_back():
    mind = diverted()
    mind.answers(CABLE, "alpha", "beta")
    mind.link(STICK, UNPLUGGED)
    assert mind.failover.phase is Phase.SUSPECT
    made = mind.pass_time(0.06)
    assert routes(made) == [CABLE]
    made = mind.carry_out()
    assert ([e.uplink for e in only(Evict, made)], mind.failover.active) == ([STICK], CABLE)


def test_an_alarm_about_the_backup_leaves_the_way_back_open():
    mind = diverted()
    mind.second += 0.05
    mind.misses(STICK, "alpha")
    assert mind.failover.phase is Phase.SUSPECT
    mind.second += 0.05
    mind.answers(STICK)
    assert (mind.failover.phase, mind.failover.left) == (Phase.DIVERTED, CABLE)


def test_a_silent_backup_is_left_for_the_phone_with_no_old_way_back():
    mind = ready(THREE)
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    mind.carry_out()
    mind.fine_for(5, STICK, PHONE)
    mind.silent_for(0.6, STICK)
    mind.answers(PHONE)
    made = mind.misses(STICK)
    assert routes(mind.actions)[-1] == PHONE
    mind.carry_out()
    assert (mind.failover.left, mind.failover.phase) == (STICK, Phase.DIVERTED)
    assert only(Evict, made) == []


def test_a_silent_backup_is_left_for_a_better_line_without_ado():
    mind = on_backup()
    mind.link(CABLE, UP)
    mind.fine_for(5, CABLE, STICK)
    mind.silent_for(0.5, STICK)
    mind.answers(CABLE)
    made = mind.silent_for(0.3, STICK)
    assert routes(made) == [CABLE]
    mind.carry_out()
    assert (mind.failover.active, mind.failover.left) == (CABLE, None)


def stranded() -> Mind:
    mind = ready()
    mind.link(STICK, UNPLUGGED)
    mind.silent_for(5)
    assert mind.failover.phase is Phase.STRANDED
    return mind


def test_stranded_ends_when_the_line_answers():
    mind = stranded()
    mind.answers()
    assert mind.failover.phase is Phase.SETTLED


def test_stranded_ends_with_a_backup_that_answers():
    mind = stranded()
    mind.link(STICK, UP)
    assert routes(mind.answers(STICK)) == [STICK]
    made = mind.carry_out()
    assert [e.uplink for e in only(Evict, made)] == [CABLE]


def test_stranded_without_a_carrier_ends_with_a_backup_and_no_way_back():
    mind = stranded()
    mind.link(CABLE, UNPLUGGED)
    mind.second += 1
    mind.link(STICK, UP)
    assert routes(mind.answers(STICK)) == [STICK]
    assert only(Evict, mind.carry_out())


def test_a_line_that_comes_back_is_given_three_seconds_before_a_backup_is_taken():
    mind = stranded()
    mind.link(STICK, UP)
    mind.answers(CABLE, "alpha")
    assert routes(mind.answers(STICK)) == []
    mind.second += 3.1
    mind.answers(CABLE, "alpha")
    assert routes(mind.answers(STICK)) == [STICK]


def test_a_sign_in_page_on_every_page_is_no_internet():
    mind = ready()
    mind.second += 5
    page = asked(Layer.WEB, "http a.example", Finding.PORTAL, sent_at=mind.second)
    mind.hear(page)
    assert mind.failover.phase is Phase.SUSPECT
    assert STICK in {b.uplink for b in only(ProbeBurst, mind.actions[-4:])}
    assert routes(mind.answers(STICK)) == [STICK]


def test_a_sign_in_page_on_the_backup_bars_it():
    mind = ready()
    page = asked(Layer.WEB, "http a.example", Finding.PORTAL, sent_at=mind.second)
    mind.hear(replace(page, uplink=STICK))
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    assert routes(mind.pass_time(1.0)) == []


def test_an_order_is_followed_as_soon_as_the_uplink_answers():
    mind = ready()
    mind.second += 10
    order = Ordered(mind.now, OrderKind.USE, STICK, 600, "the cable is being moved")
    made = mind.feed(order)
    assert routes(made) == []
    assert STICK in {b.uplink for b in only(ProbeBurst, made)}
    assert routes(mind.answers(STICK)) == [STICK]
    mind.carry_out()
    mind.fine_for(300, CABLE, STICK)
    assert (mind.failover.active, mind.failover.phase) == (STICK, Phase.SETTLED)


def test_an_order_runs_out():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 100, "for a while"))
    mind.answers(STICK)
    mind.carry_out()
    assert routes(mind.fine_for(99, CABLE, STICK)) == []
    assert routes(mind.fine_for(2, CABLE, STICK)) == [CABLE]
    assert mind.failover.override is None


def test_an_order_is_taken_back():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, "for a while"))
    mind.answers(STICK)
    mind.carry_out()
    mind.fine_for(61, CABLE, STICK)
    assert routes(mind.feed(Ordered(mind.now, OrderKind.AUTO, None, 0, ""))) == [CABLE]


def test_an_order_for_the_line_in_use_changes_nothing():
    mind = ready()
    made = mind.feed(Ordered(mind.now, OrderKind.USE, CABLE, 600, "stay"))
    assert (made, mind.failover.override.uplink) == ([], CABLE)


def test_an_ordered_line_that_dies_is_left_and_taken_again_only_when_it_has_been_well():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, "a test", "Anna B."))
    mind.answers(STICK)
    mind.carry_out()
    mind.link(STICK, UNPLUGGED)
    mind.answers(CABLE)
    assert routes(mind.pass_time(0.06)) == [CABLE]
    mind.carry_out()
    assert mind.failover.override.failed
    mind.link(STICK, UP)
    assert routes(mind.fine_for(55, CABLE, STICK)) == []
    assert routes(mind.fine_for(10, CABLE, STICK)) == [STICK]


def test_an_order_that_cannot_be_followed_does_not_keep_the_box_from_coming_back():
    mind = on_backup(THREE)
    mind.fine_for(5, STICK)
    mind.feed(Ordered(mind.now, OrderKind.USE, PHONE, 600, "a test"))
    mind.link(CABLE, UP)
    assert routes(mind.fine_for(70, CABLE, STICK)) == [CABLE]


def test_an_order_is_given_for_four_hours_at_most():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, CABLE, 1e6, "for ever"))
    assert mind.failover.override.until == mind.now.mono + 4 * 3600


def test_an_order_for_an_unknown_uplink_is_no_order():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, "satellite", 600, ""))
    assert mind.failover.override is None


def test_an_order_does_not_keep_the_box_on_a_dead_line():
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, CABLE, 600, "stay"))
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    assert routes(mind.pass_time(0.06)) == [STICK]


def test_an_observer_touches_nothing():
    mind = Mind(OBSERVE)
    mind.fine_for(10, CABLE, STICK)
    made = mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, "try"))
    made += mind.answers(STICK)
    made += mind.link(CABLE, UNPLUGGED)
    made += mind.fine_for(60, STICK)
    made += mind.feed(Started(mind.now, "boot 1", "1.0"))
    assert (routes(mind.actions), only(Evict, mind.actions), made != []) == ([], [], True)


def test_an_observer_follows_the_system_s_own_choice():
    mind = Mind(OBSERVE, links=())
    mind.link(CABLE, UP)
    mind.link(STICK, replace(UP, default=True))
    assert mind.failover.active == STICK
    mind.link(STICK, replace(UP, default=False))
    mind.link(CABLE, replace(UP, default=True))
    assert mind.failover.active == CABLE


def test_an_observer_without_a_default_route_says_it_of_the_first_line():
    assert Mind(OBSERVE).failover.active == CABLE


def test_an_observer_that_loses_its_line_is_stranded_until_it_answers():
    mind = Mind(OBSERVE)
    mind.fine_for(5, CABLE)
    mind.silent_for(2)
    assert mind.failover.phase is Phase.STRANDED
    mind.answers()
    assert mind.failover.phase is Phase.SETTLED


def test_a_doubtful_standby_is_verified_last():
    mind = ready(THREE)
    assert next_standby(mind.state, THREE) == STICK
    mind.misses(STICK, "alpha")
    assert next_standby(mind.state, THREE) == PHONE
    mind.link(PHONE, GONE)
    assert next_standby(mind.state, THREE) == STICK
    mind.link(STICK, GONE)
    assert next_standby(mind.state, THREE) is None


def test_every_transition_leads_to_a_phase_and_every_phase_has_a_way_out():
    assert set(TRANSITIONS) == set(Phase)
    assert all(TRANSITIONS[phase] for phase in Phase)
    assert {sign for row in TRANSITIONS.values() for sign in row} == set(Sign)


def test_a_link_of_nobody_is_no_news():
    mind = ready()
    assert mind.feed(LinkChanged(mind.now, "satellite", UP)) == []
    assert POLICY.uplinks[0].name == mind.failover.active


def test_a_way_back_without_a_line_is_no_way_back():
    mind = diverted()
    mind.decided(left=None)
    assert only(Evict, mind.answers(STICK)) == []
    assert mind.failover.phase is Phase.SETTLED


def test_before_there_is_a_line_in_use_the_better_one_is_any_clean_one():
    mind = ready()
    mind.decided(active=None)
    mind.second += 1
    assert preferred_clean(mind.state, mind.now, POLICY) == CABLE
    assert preferred_clean(Mind(links=()).state, mind.now, POLICY) is None
