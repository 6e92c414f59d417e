import math
from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.policy import BURST_S, PACES
from edge_watchdog.probes.timetable import LONGEST_BURST_S, Rung, Timetable


def table(dice: float = 0.5) -> Timetable:
    return Timetable(lambda: dice)


def test_nothing_is_due_until_a_pace_is_set():
    assert table().take_due(1e9) == []
    assert table().next_at(0.0) == math.inf


def test_what_is_newly_wanted_is_due_at_once():
    times = table()
    times.pace(PACES[Pace.ACTIVE], 10.0)
    assert set(times.take_due(10.0)) == set(Rung)
    assert times.take_due(10.0) == []
    assert times.next_at(10.0) == pytest.approx(10.25)


def test_a_rung_that_is_not_wanted_is_never_due():
    times = table()
    times.pace(PACES[Pace.STANDBY_METERED], 10.0)
    assert Rung.GATEWAY not in times.take_due(10.0)
    times.pace(PACES[Pace.OFF], 11.0)
    assert times.take_due(1e9) == []


def test_a_quicker_pace_takes_effect_at_once():
    times = table()
    times.pace(PACES[Pace.STANDBY_METERED], 0.0)
    times.take_due(0.0)
    times.pace(PACES[Pace.ACTIVE], 1.0)
    assert times.take_due(1.25) == [Rung.PULSE, Rung.GATEWAY]


def test_the_same_pace_again_postpones_nothing():
    times = table()
    times.pace(PACES[Pace.ACTIVE], 0.0)
    times.take_due(0.0)
    times.pace(PACES[Pace.ACTIVE], 0.2)
    assert times.next_at(0.2) == pytest.approx(0.25)


@pytest.mark.parametrize("dice, gap", [(0.0, 0.225), (0.5, 0.25), (1.0, 0.275)])
def test_jitter_is_a_tenth_either_way(dice, gap):
    times = table(dice)
    times.pace(PACES[Pace.ACTIVE], 0.0)
    times.take_due(0.0)
    assert times.next_at(0.0) == pytest.approx(gap)


def test_a_burst_ticks_ten_times_a_second_and_stops_by_itself():
    times = table()
    times.burst(1.0, 5.0)
    ticks = [times.take_tick(5.0 + n * BURST_S + 1e-9) for n in range(15)]
    assert ticks == [*range(10), *[None] * 5]
    assert times.next_at(6.5) == math.inf


def test_a_burst_asked_again_goes_on_without_starting_over():
    times = table()
    times.burst(0.3, 0.0)
    assert [times.take_tick(n * BURST_S + 1e-9) for n in range(3)] == [0, 1, 2]
    times.burst(0.3, 0.25)
    assert times.take_tick(0.3 + 1e-9) == 3
    assert times.take_tick(0.56) is None


def test_a_tick_that_decides_does_not_wait_for_its_turn():
    times = table()
    times.burst(0.5, 0.0)
    assert times.take_tick(0.0) == 0
    times.burst(0.5, 0.04, at_once=True)
    assert [times.take_tick(when) for when in (0.04, 0.1, 0.14 + 1e-9)] == [1, None, 2]


def test_a_pulse_and_names_can_be_asked_before_their_turn_but_not_where_there_is_none():
    times = table()
    times.pace(PACES[Pace.ACTIVE], 0.0)
    times.take_due(0.0)
    times.hasten(0.1)
    assert times.take_due(0.1) == [Rung.PULSE]
    assert times.next_at(0.1) == pytest.approx(0.35)
    times.hasten(0.15, Rung.NAMES)
    assert times.take_due(0.15) == [Rung.PULSE, Rung.NAMES]
    times.pace(PACES[Pace.OFF], 0.2)
    times.hasten(0.3, Rung.NAMES)
    assert times.take_due(0.3) == []


def test_ticks_missed_by_a_late_box_are_not_made_up_for():
    times = table()
    times.burst(5.0, 0.0)
    times.take_tick(0.0)
    assert times.take_tick(2.0) == 1
    assert times.take_tick(2.01) is None


def test_a_burst_cannot_last_for_ever():
    times = table()
    times.burst(1e9, 0.0)
    assert times.is_bursting(LONGEST_BURST_S - 1)
    assert not times.is_bursting(LONGEST_BURST_S)


@pytest.mark.parametrize("secure", [True, False])
def test_in_triage_names_and_a_page_are_asked_at_once_and_a_secure_one_when_told(secure):
    times = table()
    times.pace(replace(PACES[Pace.ACTIVE], pulse=None), 0.0)
    times.take_due(0.0)
    times.triage(1.0, secure=secure)
    assert set(times.take_due(1.0)) == {Rung.NAMES, Rung.WEB} | ({Rung.SECURE} if secure else set())
