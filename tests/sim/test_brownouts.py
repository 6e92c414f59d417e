"""A line that loses a fifth is left in time; one that loses a fiftieth never is, in sixty days."""

import math
from bisect import bisect_left
from dataclasses import replace
from random import Random

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.brownout import compare, way_out
from edge_watchdog.core.evidence import learn
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, LinkState, Mode, Sample
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.core.state import Failover, State, UplinkState
from edge_watchdog.sim.scenarios import BROADBAND, STICK, turn, usual_policy, usual_world
from edge_watchdog.sim.studio import Studio
from edge_watchdog.sim.world import ANCHORS, World

UP = LinkState(True, True, ("192.168.1.7/24",), "192.168.1.1", routed=True)
POLICY = replace(usual_policy(Mode.SELF), uplinks=usual_policy().uplinks[:2])
PERIOD_S = PACES[Pace.ACTIVE_CLOSE].pulse or 0.0
BEFORE, AFTER = round(70 / PERIOD_S), round(35 / PERIOD_S)  # pulses of one stretch


def seconds_to_leave(percent: int, seed: int) -> float | None:
    lines = usual_world().lines
    studio = Studio(POLICY, World({n: lines[n] for n in (BROADBAND, STICK)}), seed=seed)
    studio.run(12)
    studio.inject("loss", turn(f"loss:{percent}"))
    for second in range(13, 12 + 60):
        studio.run(second)
        if studio.route == STICK:
            return studio.second - 12
    return None


def test_a_line_that_loses_a_fifth_is_left_within_forty_seconds():
    times = [seconds_to_leave(20, seed) for seed in range(8)]
    assert max(t for t in times if t) < 40
    assert None not in times


def lost_pulses(days: float, ratio: float, dice: Random) -> list[int]:
    """Number the pulses that get lost, when every single one does with the same probability."""
    count, number = round(days * 86400 / PERIOD_S), -1
    lost: list[int] = []
    while True:
        number += 1 + int(math.log(1.0 - dice.random()) / math.log(1.0 - ratio))
        if number >= count:
            return lost
        lost.append(number)


def alarms(lost: list[int], policy: Policy) -> list[int]:
    """Number the pulses at which the CUSUM comes close to its limit; each a stretch apart."""
    gain = math.log(policy.cusum_p1 / policy.cusum_p0)
    drop = math.log((1 - policy.cusum_p0) / (1 - policy.cusum_p1))
    found, cusum, last = [-AFTER], 0.0, 0
    for number in lost:
        cusum = max(0.0, cusum - (number - last - 1) * drop) + gain
        last = number
        if cusum > policy.cusum_h - 2 and number - found[-1] >= AFTER:
            found.append(number)
    return found[1:]


def pulse(number: int, uplink: str, *, lost: bool) -> Sample:
    anchor = ANCHORS[number % len(ANCHORS)]
    return Sample(
        Instant(1000 + number * PERIOD_S, 0.0),
        uplink,
        Layer.INTERNET,
        f"icmp {anchor.address}",
        1,
        int(lost),
        rtt_s=None if lost else 0.02,
        operator=anchor.operator,
        finding=Finding.SILENT if lost else Finding.ANSWERED,
    )


def is_left(lost: list[int], alarm: int) -> bool:
    """Live through one stretch around an *alarm*, beside a standby that loses nothing."""
    here, there = UplinkState(link=UP), UplinkState(link=UP)
    state = State({BROADBAND: here, STICK: there}, Failover(active=BROADBAND))
    for number in range(max(0, alarm - BEFORE), alarm + AFTER):
        place = bisect_left(lost, number)
        miss = place < len(lost) and lost[place] == number
        now = Instant(1000 + number * PERIOD_S, 0.0)
        here = learn(here, pulse(number, BROADBAND, lost=miss), now, POLICY)
        there = learn(there, pulse(number, STICK, lost=False), now, POLICY)
        state = replace(state, uplinks={BROADBAND: here, STICK: there})
        state = compare(state, now, POLICY)
        if way_out(state, now, POLICY) is not None:
            return True
    return False


@pytest.mark.parametrize("seed", [1, 2])
def test_a_line_that_loses_a_fiftieth_is_never_left_in_thirty_days(seed):
    lost = lost_pulses(30, 0.02, Random(seed))
    found = alarms(lost, POLICY)
    assert 3 <= len(found) <= 200  # there is something to be wrong about
    assert not any(is_left(lost, alarm) for alarm in found)


def test_the_same_way_of_living_through_it_does_leave_a_line_that_loses_a_fifth():
    lost = lost_pulses(0.002, 0.2, Random(1))
    assert is_left(lost, alarms(lost, POLICY)[0])
