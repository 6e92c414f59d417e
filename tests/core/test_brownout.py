"""Which lines that still answer are left, and which are not."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Action, Evict, Pace, ProbeEvery
from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.brownout import (
    LONGEST_S,
    Quality,
    is_clearly_better,
    quality,
    rests_until,
    suffers,
    way_out,
)
from edge_watchdog.core.events import Ordered, OrderKind
from edge_watchdog.core.model import DriverReport, Mode
from edge_watchdog.core.state import Comparison, Failover, UplinkState
from tests.core.mind import (
    CABLE,
    GONE,
    OBSERVE,
    OPERATORS,
    POLICY,
    STICK,
    Mind,
    at,
    only,
    ready,
    routes,
    sample,
)

GOOD = Quality(50, 0, 0.05)
BAD = Quality(100, 20, 0.02)


def stutter(mind: Mind, seconds: float, *, one_in: int = 5, rtt_s: float = 0.01) -> list[Action]:
    """The cable loses one question in so many, the stick none; four questions a second each."""
    made: list[Action] = []
    for _ in range(round(seconds * 4)):
        n = round(mind.second * 4)
        who = OPERATORS[n % 4]
        lost = n % one_in == 0
        took_s = None if lost else rtt_s
        made += mind.hear(sample(who, sent_at=mind.second, lost=lost, rtt_s=took_s))
        made += mind.hear(sample(who, sent_at=mind.second, uplink=STICK))
        mind.second += 0.25
    return made


def compared(mind: Mind) -> None:
    """Have the cable lose until it is held against the stick."""
    while mind.failover.comparison is None:
        assert mind.second < 60
        stutter(mind, 1)


def test_a_line_that_loses_a_fifth_is_left_gently_for_one_that_does_not():
    mind = ready()
    made = stutter(mind, 40)
    assert routes(made) == [STICK]
    mind.carry_out()
    assert (mind.failover.active, mind.failover.phase) == (STICK, "settled")
    assert only(Evict, mind.actions) == []
    assert len(mind.failover.failures) == 1
    assert mind.failover.comparison is None


def test_a_line_that_loses_a_little_is_only_looked_at_closely():
    mind = ready()
    assert routes(stutter(mind, 120, one_in=25)) == []
    assert mind.failover.comparison is None


def test_a_standby_is_asked_as_often_as_the_line_in_use_only_while_both_are_compared():
    mind = ready()
    made = stutter(mind, 20)
    paces = [a.pace for a in only(ProbeEvery, made) if a.uplink == STICK]
    assert paces == [Pace.COMPARED]
    mind.decided(comparison=None, fruitless=(mind.now.mono,))
    assert [a.pace for a in only(ProbeEvery, mind.pass_time(0.1)) if a.uplink == STICK] == [
        Pace.STANDBY_METERED
    ]


def test_a_closer_look_ends_when_nothing_is_lost_any_more():
    mind = ready()
    mind.misses(CABLE, "alpha")
    assert mind.known().pace is Pace.ACTIVE_CLOSE
    mind.fine_for(5, CABLE)
    assert mind.known().pace is Pace.ACTIVE


@pytest.mark.parametrize("load", [0.6, 0.95])
def test_a_line_that_we_fill_ourselves_is_never_left(load):
    mind = ready()
    for _ in range(4):
        mind.put(CABLE, report=DriverReport(mind.now, load_ratio=load))
        assert routes(stutter(mind, 15)) == []


def test_whoever_looks_on_only_or_was_told_where_to_stay_compares_nothing():
    watcher = Mind(OBSERVE)
    stutter(watcher, 40)
    assert watcher.failover.comparison is None
    told = ready()
    told.feed(Ordered(told.now, OrderKind.USE, CABLE, 600.0, "because"))
    assert routes(stutter(told, 40)) == []


def test_a_comparison_in_vain_ends_and_the_next_one_waits():
    mind = ready()
    compared(mind)
    for _ in range(round(LONGEST_S)):  # the stick does not answer
        mind.hear(sample("alpha", sent_at=mind.second, lost=True))
        mind.second += 1.0
    mind.pass_time(0.1)
    assert mind.failover.comparison is None
    assert rests_until(mind.failover) == pytest.approx(mind.failover.fruitless[-1] + 60)


def test_the_rest_after_comparisons_in_vain_doubles_up_to_an_hour():
    waits = [rests_until(Failover(fruitless=(0.0,) * n)) for n in range(9)]
    assert waits == [0.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3600.0, 3600.0]


def test_without_a_standby_that_could_be_better_nothing_is_compared():
    mind = ready()
    mind.link(STICK, GONE)
    stutter(mind, 12)
    assert mind.failover.comparison is None
    assert mind.known().browned


def test_a_comparison_ends_when_the_line_in_use_falls_silent_and_is_left():
    mind = ready()
    compared(mind)
    mind.silent_for(0.7)
    mind.answers(STICK)
    mind.misses()
    mind.carry_out()
    assert mind.failover.comparison is None


SLOW = UplinkState(slow_since=at(0), losses=(), tracks={})


@pytest.mark.parametrize(
    "what, load, rtt_s, truth",
    [
        ({"cusum": 14.0}, None, 0.02, True),
        ({"cusum": 13.9}, None, 0.02, False),
        ({"cusum": 14.0, "slow_since": at(0)}, None, 0.6, False),
        ({"cusum": 14.0, "slow_since": at(0)}, 0.4, 0.6, False),
        ({"cusum": 14.0, "slow_since": at(0)}, 0.1, 0.6, True),
        ({"cusum": 14.0}, 0.7, 0.02, False),
        ({"slow_since": at(0)}, 0.1, 0.6, True),
        ({"slow_since": at(0)}, 0.1, 0.2, False),
        ({"slow_since": at(0)}, None, 0.6, False),
        ({"slow_since": at(10)}, 0.1, 0.6, False),
    ],
)
def test_loss_alone_is_enough_and_delay_only_when_we_hardly_use_the_line(what, load, rtt_s, truth):
    mind = ready()
    mind.hear(*(sample(who, sent_at=20, rtt_s=rtt_s) for who in OPERATORS))
    report = DriverReport(at(20), load_ratio=load)
    known = replace(mind.known(), cusum=0.0, slow_since=None, report=report)
    assert suffers(replace(known, **what), at(20), POLICY) is truth


@pytest.mark.parametrize(
    "theirs, ours, lossy, truth",
    [
        (GOOD, BAD, True, True),
        (replace(GOOD, sent=19), BAD, True, False),
        (replace(GOOD, rtt_s=None), BAD, True, False),
        (GOOD, replace(BAD, rtt_s=None), True, False),
        (replace(GOOD, lost=3), BAD, True, False),
        (replace(GOOD, rtt_s=0.5), BAD, True, False),
        (replace(GOOD, rtt_s=0.5), replace(BAD, rtt_s=0.3), True, True),
        (GOOD, BAD, False, False),
        (GOOD, replace(BAD, rtt_s=0.6), False, True),
        (replace(GOOD, rtt_s=0.4), replace(BAD, rtt_s=0.6), False, False),
        (replace(GOOD, lost=2), replace(BAD, rtt_s=0.6), False, False),
    ],
)
def test_a_standby_must_be_clearly_better(theirs, ours, lossy, truth):
    assert is_clearly_better(theirs, ours, POLICY, lossy=lossy) is truth


def test_nothing_sent_is_nothing_lost():
    assert Quality(0, 0, None).ratio == 0.0
    assert quality(UplinkState(), 0.0) == Quality(0, 0, None)


def test_there_is_no_way_out_to_a_standby_that_is_not_known_to_work():
    mind = ready()
    stutter(mind, 12)
    mind.put(CABLE, cusum=20.0)
    mind.decided(comparison=Comparison(STICK, at(mind.second - 16)))
    mind.second += 10
    assert way_out(mind.state, mind.now, POLICY) is None
    assert way_out(mind.state, mind.now, replace(POLICY, mode=Mode.OBSERVE)) is None


def test_a_line_that_lost_much_is_clean_only_when_nothing_is_left_of_the_alarm():
    mind = ready()
    stutter(mind, 40)
    mind.carry_out()
    assert mind.known().browned
    mind.fine_for(60, CABLE, STICK)
    assert mind.known().clean_since is not None
    assert not mind.known().browned
    mind.put(CABLE, browned=True, cusum=3.0)
    mind.fine_for(1, CABLE)
    assert mind.known().clean_since is None


def test_somebody_looks_again_when_a_comparison_may_be_judged():
    mind = ready()
    mind.decided(comparison=Comparison(STICK, mind.now))
    due = next_deadline(mind.state, POLICY, mind.now)
    assert due is not None
    assert due <= mind.now.mono + POLICY.brownout_better_s + 0.01
