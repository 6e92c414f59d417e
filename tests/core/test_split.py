"""Some operators answer, others do not: whose fault it is, and how soon it is said."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import ProbeBurst
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Layer
from edge_watchdog.core.pacing import SECOND_OPINION_S
from edge_watchdog.core.split import (
    LOOK_REST_S,
    LOOK_S,
    PROVEN_S,
    deaf_operators,
    split_since,
    unheard_anywhere,
)
from edge_watchdog.core.state import Cause, Track, UplinkState
from tests.core.mind import CABLE, OPERATORS, POLICY, STICK, THREE, Mind, at, only, ready, sample

FINE = Track(Layer.INTERNET, "icmp", "", at(9), answered=at(9))


def line(*tracks: Track) -> UplinkState:
    return UplinkState(tracks={t.target: t for t in tracks})


def deaf(operator: str, *, how: str = "icmp", since: float = 0, asked: float = 9) -> Track:
    lost = Track(Layer.INTERNET, f"{how} {operator}", operator, at(asked))
    return replace(lost, losing_since=at(since), misses=3, deaf=True)


def fine(operator: str, *, how: str = "icmp") -> Track:
    return replace(FINE, target=f"{how} {operator}", operator=operator)


HALF_DEAF = (deaf("alpha"), fine("alpha", how="dns"))


@pytest.mark.parametrize(
    "tracks, span_s, found",
    [
        ([deaf("alpha"), fine("beta")], 0, {"alpha"}),
        ([*HALF_DEAF, fine("beta")], 0, set()),
        ([deaf("alpha", since=5), fine("beta")], 4, {"alpha"}),
        ([deaf("alpha", since=6), fine("beta")], 4, set()),
        ([deaf("alpha"), deaf("alpha", how="dns", since=6), fine("beta")], 4, set()),
    ],
    ids=["one target", "names still answer", "long enough", "too young", "its last target"],
)
def test_an_operator_is_deaf_when_none_of_its_targets_answers(tracks, span_s, found):
    assert deaf_operators(tracks, span_s) == found


MISSED = replace(fine("alpha"), misses=1, losing_since=at(9))


@pytest.mark.parametrize(
    "others, found",
    [
        ((), set()),
        ((line(MISSED, fine("beta")),), {"alpha"}),
        ((line(MISSED, fine("alpha", how="dns"), fine("beta")),), set()),
        ((line(MISSED, replace(MISSED, target="icmp beta", operator="beta")),), set()),
        ((line(fine("alpha")), line(MISSED, fine("beta"))), {"alpha"}),
    ],
    ids=["no other line", "it misses there", "names answer there", "a dead line", "two lines"],
)
def test_what_another_line_does_not_hear_is_not_this_line_s_fault(others, found):
    assert unheard_anywhere(others) == found


@pytest.mark.parametrize(
    "tracks, since",
    [
        ([fine("alpha"), deaf("beta")], None),
        ([deaf("alpha"), deaf("alpha", how="dns"), fine("beta")], None),
        ([deaf("alpha", since=4), deaf("beta", since=2), deaf("gamma", since=6)], 4),
        ([deaf("alpha", since=4), deaf("alpha", how="dns", since=1), deaf("beta", since=2)], 2),
    ],
    ids=["one operator", "one operator twice", "the second of three", "its first target"],
)
def test_a_split_begins_with_the_second_operator(tracks, since):
    began = split_since(line(*tracks))
    assert began == (None if since is None else at(since).mono)


def live(mind: Mind, seconds: float, *dead: str, also_elsewhere: bool = False) -> list[ProbeBurst]:
    """Have a line asked as it is: a pulse each quarter of a second, all hosts in a burst."""
    bursts: list[ProbeBurst] = []
    until, turn = mind.second + seconds, 0
    while mind.second < until:
        for name in (CABLE, STICK):
            asked_now = mind.known(name).burst_until > mind.now.mono
            gone = dead if name == CABLE or also_elsewhere else ()
            who = OPERATORS if asked_now else (OPERATORS[turn % 4],) if name == CABLE else ()
            ways = ("icmp", "dns") if asked_now else ("icmp",)
            said = [
                sample(o, sent_at=mind.second, uplink=name, lost=o in gone, how=way)
                for way in ways
                for o in who
            ]
            if said and (asked_now or round(mind.second * 100) % 25 == 0):
                bursts += only(ProbeBurst, mind.hear(*said))
                turn += name == CABLE and not asked_now
        mind.second = round(mind.second + 0.05, 3)
        bursts += only(ProbeBurst, mind.pass_time(0))
    return bursts


def named_at(
    mind: Mind, *dead: str, also_elsewhere: bool = False
) -> tuple[float | None, list[str]]:
    """Give after how many seconds the split is named, if it is, and over whom bursts went."""
    began, asked = mind.second, []
    for _ in range(80):
        asked += [b.uplink for b in live(mind, 0.1, *dead, also_elsewhere=also_elsewhere)]
        diagnosis = mind.known().diagnosis
        if diagnosis is not None and diagnosis.cause is Cause.PARTIAL_ROUTING:
            return mind.second - began, asked
    return None, asked


def test_two_operators_that_only_another_line_hears_are_named_within_five_seconds():
    mind = ready()
    live(mind, 2)
    seconds, asked = named_at(mind, "alpha", "beta")
    assert seconds is not None
    assert PROVEN_S <= seconds < 5 - 0.8  # 0.8: the longest miss timer
    assert asked.count(STICK) == 1


@pytest.mark.parametrize(
    "dead, also_elsewhere",
    [(("alpha",), False), (("alpha", "beta"), True)],
    ids=["one", "all over"],
)
def test_hosts_that_are_down_accuse_nobody(dead, also_elsewhere):
    mind = ready()
    live(mind, 2)
    seconds, _ = named_at(mind, *dead, also_elsewhere=also_elsewhere)
    assert seconds is None


def test_a_split_that_heals_within_two_seconds_is_never_named():
    mind = ready()
    live(mind, 2)
    live(mind, 1.6, "alpha", "beta")
    assert named_at(mind)[0] is None


def test_the_standby_is_asked_three_times_only():
    mind = ready()
    live(mind, 2)
    bursts = live(mind, 6, "alpha", "beta")
    assert [b.for_s for b in bursts if b.uplink == STICK] == [SECOND_OPINION_S]
    assert 3 <= sum(b.uplink == CABLE for b in bursts) <= 2 + LOOK_S / LOOK_REST_S


def test_over_a_metered_line_in_use_a_split_costs_nothing_more():
    mind = ready(replace(POLICY, uplinks=tuple(replace(u, metered=True) for u in POLICY.uplinks)))
    live(mind, 2)
    assert len(live(mind, 6, "alpha", "beta")) <= 2  # the doubt itself is worth one


def test_only_the_best_standby_is_asked():
    mind = ready(THREE)
    live(mind, 2)
    assert {b.uplink for b in live(mind, 4, "alpha", "beta")} <= {CABLE, STICK}


def test_the_wall_clock_has_no_say():
    moved = replace(deaf("alpha"), losing_since=Instant(at(0).mono, 0.0))
    assert deaf_operators([moved, fine("beta")], 9) == {"alpha"}
