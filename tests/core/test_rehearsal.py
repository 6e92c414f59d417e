"""The weekly rehearsal: when it is held, what it finds, and what ends it at once."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Action, ProbeBurst, ProbeEvery, WatchVendor
from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.events import HoursChanged, JourneyReported, Ordered, OrderKind, Started
from edge_watchdog.core.model import Finding, JourneyReport, Layer, Mode, Stage
from edge_watchdog.core.portray import view
from edge_watchdog.core.rehearsal import find_faults, rehearse, wants
from edge_watchdog.core.state import Cause, Rehearsal, Scope, Trial
from tests.core.mind import (
    CABLE,
    GONE,
    POLICY,
    STICK,
    UP,
    Mind,
    asked,
    only,
    routes,
    well,
)

NIGHTS = replace(POLICY, rehearse=True, rehearse_after_s=60.0)
DAY_S = 86400.0


def night(policy=NIGHTS) -> Mind:
    """A mind that has been closed for nearly long enough, with everything well."""
    mind = well(policy)
    visited(mind, CABLE)
    mind.feed(HoursChanged(mind.now, is_open=False))
    fine(mind, 59)
    return mind


def visited(mind: Mind, uplink: str, stage: Stage = Stage.DONE) -> None:
    mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, uplink, stage, seconds=0.4)))


def fine(mind: Mind, seconds: int, *uplinks: str) -> list[Action]:
    """Everybody answers, the slow rungs of both lines too."""
    made: list[Action] = []
    for _ in range(seconds):
        for name in uplinks or (CABLE, STICK):
            made += mind.answers(name)
            mind.hear(*(replace(one, uplink=name) for one in slow(mind)))
        mind.second += 1.0
    return made


def slow(mind: Mind, finding: Finding = Finding.ANSWERED):
    rungs = ((Layer.GATEWAY, "icmp gw"), (Layer.NAMES, "dns a"), (Layer.WEB, "http a"))
    return [asked(layer, target, finding, sent_at=mind.second) for layer, target in rungs]


def on_trial() -> Mind:
    """A mind in the middle of a rehearsal."""
    mind = night()
    while mind.failover.active == CABLE:
        assert mind.second < 200
        if routes(fine(mind, 1)):
            mind.carry_out()
    return mind


def test_a_rehearsal_moves_new_connections_for_a_moment_and_brings_them_back():
    mind = on_trial()
    assert mind.failover.trial is not None
    visited(mind, STICK)
    made = fine(mind, 12)
    assert mind.state.rehearsals[STICK].ok
    assert routes(made) == [CABLE]
    mind.carry_out()
    assert (mind.failover.active, mind.failover.failures) == (CABLE, ())
    assert mind.state.incidents == ()
    shown = view(mind.state, NIGHTS, mind.now).uplinks[1]
    assert shown.rehearsed == "works"
    assert routes(fine(mind, 100)) == []


def test_while_it_goes_on_the_standby_is_asked_everything_and_the_page_says_so():
    asked_for = night()
    asked_for.fine_for(4, CABLE, STICK)
    assert [a for a in only(ProbeBurst, asked_for.actions) if a.uplink == STICK and a.triage]
    mind = on_trial()
    made = mind.actions
    assert "active" in str([a.pace for a in only(ProbeEvery, made) if a.uplink == STICK][-1])
    assert only(WatchVendor, made)[-1].visits[STICK] == 5.0
    assert "being tried out" in view(mind.state, NIGHTS, mind.now).banner.changed


def test_a_standby_over_which_something_is_missing_fails_and_is_named():
    mind = on_trial()
    made = fine(mind, 31)  # the vendor is never visited over it
    assert routes(made) == [CABLE]
    mind.carry_out()
    assert mind.state.rehearsals[STICK].faults == ("BookWell is not reached",)
    found = [i for i in mind.state.incidents if i.scope is Scope.BACKUP]
    assert [i.cause for i in found] == [Cause.REHEARSAL_FAILED]
    assert view(mind.state, NIGHTS, mind.now).uplinks[1].rehearsed == "BookWell is not reached"


def test_a_standby_that_does_not_answer_at_all_fails_without_anything_being_moved():
    mind = night()
    mind.put(STICK, tracks={})
    made = fine(mind, 20, CABLE)
    assert routes(made) == []
    assert mind.state.rehearsals[STICK].faults == ("it does not answer",)


def test_a_standby_that_dies_while_it_is_tried_fails():
    mind = on_trial()
    fine(mind, 2)
    mind.link(STICK, GONE)
    mind.answers(CABLE)
    mind.pass_time(0.06)
    mind.carry_out()
    mind.pass_time(0.1)
    assert mind.failover.active == CABLE
    assert mind.state.rehearsals[STICK].faults == ("it stopped answering while it was in use",)


@pytest.mark.parametrize("trouble", ["opened", "ordered", "the usual line"])
def test_any_trouble_ends_it_at_once_without_a_verdict(trouble):
    mind = on_trial()
    match trouble:
        case "opened":
            mind.feed(HoursChanged(mind.now, is_open=True))
        case "ordered":
            mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, "because"))
        case _:
            mind.put(CABLE, clean_since=None, browned=True)
    mind.pass_time(0.1)
    assert mind.failover.trial is None
    assert mind.state.rehearsals == {}
    assert mind.state.rehearse_from > mind.now.mono


LAST = Rehearsal(well(NIGHTS).now, ok=True)


@pytest.mark.parametrize(
    "days_ago, ok, due",
    [(1.0, True, False), (6.6, True, True), (0.5, False, False), (0.9, False, True)],
)
def test_one_that_went_well_is_held_again_in_a_week_and_one_that_failed_the_next_night(
    days_ago, ok, due
):
    mind = night()
    before = Rehearsal(mind.now.plus(-days_ago * DAY_S), ok, () if ok else ("it does not answer",))
    mind.state = replace(mind.state, rehearsals={STICK: before})
    fine(mind, 3)
    assert (mind.failover.trial is not None) is due


@pytest.mark.parametrize(
    "why", ["off", "observe", "open", "early", "rest", "away", "ordered", "ill", "gone", "at need"]
)
def test_there_is_no_rehearsal_when_it_is_not_the_time_for_it(why):
    mind = night()
    policy = NIGHTS
    state = mind.state
    now = mind.now.plus(5)
    match why:
        case "off":
            policy = replace(policy, rehearse=False)
        case "observe":
            policy = replace(policy, mode=Mode.OBSERVE)
        case "open":
            state = replace(state, is_open=True)
        case "early":
            state = replace(state, closed_since=mind.now)
        case "rest":
            state = replace(state, rehearse_from=now.mono + 1)
        case "away":
            state = replace(state, failover=replace(state.failover, active=STICK))
        case "ordered":
            mind.feed(Ordered(mind.now, OrderKind.USE, CABLE, 600, "because"))
            state = mind.state
        case "ill":
            known = replace(mind.known(), diagnosis=None)
            state = replace(state, uplinks={**state.uplinks, CABLE: known})
        case "gone":
            known = replace(mind.known(STICK), link=GONE)
            state = replace(state, uplinks={**state.uplinks, STICK: known})
        case _:
            policy = replace(policy, uplinks=policy.uplinks[:1])
    assert rehearse(state, now, policy).failover.trial is None
    assert rehearse(mind.state, now, NIGHTS).failover.trial is not None or why == "ordered"


def test_what_was_not_asked_since_the_rehearsal_began_counts_as_missing():
    mind = well(NIGHTS)
    visited(mind, CABLE)
    trial = Trial(STICK, mind.now.plus(1), mind.now.plus(2))
    found = find_faults(mind.state, trial, mind.now.plus(9), NIGHTS)
    assert found == (
        "it does not answer",
        "no name is found",
        "no page opens",
        "BookWell is not reached",
    )
    mind.put(CABLE, journey=None)
    assert "BookWell is not reached" not in find_faults(mind.state, trial, mind.now, NIGHTS)


def test_nothing_is_wanted_while_nothing_is_tried():
    mind = night()
    assert wants(mind.state, mind.now, NIGHTS) is None
    mind.decided(trial=Trial(STICK, mind.now))
    assert wants(mind.state, mind.now, NIGHTS) == STICK
    assert wants(mind.state, mind.now.plus(60), NIGHTS) is None
    due = next_deadline(mind.state, NIGHTS, mind.now)
    assert due is not None
    assert due <= mind.now.mono + 31


def test_its_result_outlives_a_reboot():
    mind = well(NIGHTS)
    mind.state = replace(mind.state, rehearsals={STICK: LAST, "long gone": LAST})
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    mind.link(CABLE, UP)
    assert mind.state.rehearsals == {STICK: LAST}
