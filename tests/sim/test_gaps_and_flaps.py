"""Short gaps, lines that come and go, and a backup that dies in use: each as a table."""

import copy
import functools
from dataclasses import replace
from statistics import median

import pytest

from edge_watchdog.core.actions import RouteVia
from edge_watchdog.core.advance import Step
from edge_watchdog.core.events import Event
from edge_watchdog.core.state import Cause, Phase, State
from edge_watchdog.sim.scenarios import BROADBAND, PHONE, STICK, turn, usual_policy, usual_world
from edge_watchdog.sim.studio import Studio
from edge_watchdog.sim.world import World

WARM_S = 12.0
TWO = usual_policy().uplinks[:2]
LINES = {u.name: usual_world().lines[u.name] for u in TWO}


class Moves:
    """Notes when the route was moved, and where to."""

    def __init__(self, studio: Studio) -> None:
        self.list: list[tuple[float, str | None]] = []
        self._studio = studio
        studio.watch = self

    def __call__(self, _before: State, _event: Event, step: Step) -> None:
        routes = [a for a in step.actions if isinstance(a, RouteVia)]
        self.list += [(self._studio.second, a.uplink) for a in routes]

    @property
    def places(self) -> list[str | None]:
        return [uplink for _, uplink in self.list]


@functools.cache
def _warm(seed: int) -> Studio:
    studio = Studio(replace(usual_policy(), uplinks=TWO), World(LINES), seed=seed)
    studio.run(WARM_S)
    return studio


def warm(seed: int = 1) -> tuple[Studio, Moves]:
    studio = copy.deepcopy(_warm(seed))
    return studio, Moves(studio)


def gap(studio: Studio, begins: float, seconds: float, fault: str = "blackhole") -> None:
    studio.at(begins, lambda: studio.inject("gap", turn(fault)))
    studio.at(begins + seconds, lambda: studio.heal("gap"))


@pytest.mark.parametrize(
    "seconds, always_left, never_left",
    [(0.3, False, True), (0.5, False, True), (1.0, None, None), (1.31, True, False)],
)
def test_gaps_of_any_phase_divert_or_do_not_and_nothing_new_is_on_the_stick_two_seconds_later(
    seconds, always_left, never_left
):
    left = []
    for phase in range(10):
        studio, moves = warm(phase % 3)
        begins = WARM_S + phase / 40
        gap(studio, begins, seconds)
        studio.run(begins + seconds + 2)
        assert studio.route == BROADBAND
        assert moves.places in ([], [STICK, BROADBAND])
        left.append(bool(moves.list))
    assert all(left) or not always_left
    assert not any(left) or not never_left


def test_the_third_gap_within_ten_minutes_is_not_taken_back_at_once():
    studio, moves = warm()
    for number in range(3):
        gap(studio, WARM_S + 30 * number, 1.5)
    studio.run(WARM_S + 70)
    assert moves.places == [STICK, BROADBAND, STICK, BROADBAND, STICK]
    assert studio.state.failover.phase is Phase.HOLDING


@pytest.mark.parametrize("period_s", [3, 10, 30])
def test_a_line_that_is_gone_half_of_the_time_costs_three_switches_at_most(period_s):
    studio, moves = warm()
    for begins in range(round(WARM_S), round(WARM_S) + 120, period_s):
        gap(studio, begins, period_s / 2)
    studio.run(WARM_S + 120)
    assert len(moves.list) <= 3
    assert studio.route == STICK
    assert [i.cause for i in studio.state.incidents][-1] is Cause.LINE_UNSTABLE


def test_a_line_that_is_left_again_right_after_it_was_taken_back_is_not_trusted_a_second_time():
    studio, moves = warm()
    gap(studio, WARM_S, 1.5)
    gap(studio, WARM_S + 5, 1.5)
    studio.run(WARM_S + 12)
    assert moves.places == [STICK, BROADBAND, STICK]


def test_a_backup_that_dies_in_use_is_left_for_the_next_one_as_fast_as_a_primary():
    times = []
    studio = Studio(usual_policy(), usual_world())
    gap(studio, 5, 600, "cable_out")
    studio.run(20)
    for phase in range(12):
        twin = copy.deepcopy(studio)
        moves = Moves(twin)
        begins = 20 + phase / 12
        twin.at(begins, functools.partial(twin.inject, "dead", turn("lte_no_data")))
        twin.run(begins + 3)
        assert moves.places == [PHONE]
        times.append(moves.list[0][0] - begins)
    assert median(times) < 1.0
    assert max(times) < 1.2
