"""A line that loses a fifth is left in time; one that loses a fiftieth never is, in sixty days."""

import math
from dataclasses import replace
from random import Random

import pytest

from bench.lossy import Beside, left_after, lived
from edge_watchdog.core.actions import Pace
from edge_watchdog.core.evidence import cusum_steps
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.sim.scenarios import BROADBAND, STICK, turn, usual_policy, usual_world
from edge_watchdog.sim.studio import Studio
from edge_watchdog.sim.world import World

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
    gain, fall = cusum_steps(policy)
    found, cusum, last = [-AFTER], 0.0, 0
    for number in lost:
        cusum = max(0.0, cusum + (number - last - 1) * fall) + gain
        last = number
        if cusum > policy.cusum_h - 2 and number - found[-1] >= AFTER:
            found.append(number)
    return found[1:]


def is_left(lost: list[int], alarm: int) -> bool:
    """Live through one stretch around an *alarm*, beside a standby that loses nothing."""
    mind, missed = Beside(POLICY), frozenset(lost)
    return any(
        mind.feed(1000 + number * PERIOD_S, lost=number in missed)
        for number in range(max(0, alarm - BEFORE), alarm + AFTER)
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_a_line_that_loses_a_fiftieth_is_never_left_in_thirty_days(seed):
    lost = lost_pulses(30, 0.02, Random(seed))
    found = alarms(lost, POLICY)
    assert 3 <= len(found) <= 200  # there is something to be wrong about
    assert not any(is_left(lost, alarm) for alarm in found)


def test_the_same_way_of_living_through_it_does_leave_a_line_that_loses_a_fifth():
    lost = lost_pulses(0.002, 0.2, Random(1))
    assert is_left(lost, alarms(lost, POLICY)[0])


def test_a_line_that_loses_a_twentieth_is_compared_again_and_again_and_stays():
    walk = lived(0.05, 3, seed=1)
    assert walk.comparisons > 100
    assert walk.left == 0


def test_the_same_walk_does_leave_a_line_that_loses_a_fifth():
    walk = lived(0.2, 0.02, seed=1)
    assert walk.left == walk.comparisons > 3
    assert all((left_after(0.2, seed) or 99) < 40 for seed in range(5))
    assert left_after(0.01, 1) is None
