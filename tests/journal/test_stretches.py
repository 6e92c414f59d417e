import pytest

from edge_watchdog.core.model import Health
from edge_watchdog.core.view import Stretch
from edge_watchdog.journal.stretches import Stretches, fill_gaps
from tests.journal.toy import WALL, view

UP, DOWN, DEGRADED, UNKNOWN = Health.UP, Health.DOWN, Health.DEGRADED, Health.UNKNOWN


def fold(*views):
    stretches = Stretches()
    finished = [one for shown in views for one in stretches.note(shown)]
    return [*finished, *stretches.running()]


@pytest.mark.parametrize(
    "healths, worst",
    [
        ([UP] * 20, UP),
        ([UP] * 19 + [DOWN], DOWN),
        ([UP] * 19 + [DEGRADED], DEGRADED),
        ([DEGRADED] * 10 + [DOWN] * 10, DOWN),
        ([UNKNOWN] * 20, UNKNOWN),
        ([UNKNOWN] * 5 + [UP] * 15, UP),
        ([UNKNOWN] * 15 + [UP] * 5, UNKNOWN),
    ],
)
def test_the_gravest_counts_and_up_only_when_mostly_known(healths, worst):
    shown = [view(15 * i, health=h) for i, h in enumerate([*healths, UP])]
    (stretch,) = fold(*shown)
    assert (stretch.health, stretch.seconds) == (worst, 300)


def test_a_view_that_spans_two_slots_counts_in_both():
    first, second = fold(view(280), view(320))
    assert (first.start_wall, first.seconds) == (WALL + 280, 20)
    assert (second.start_wall, second.seconds) == (WALL + 300, 20)


def test_a_view_is_trusted_for_a_minute():
    first, second = fold(view(0), view(250), view(260))
    assert (first.start_wall - WALL, first.seconds) == (0, 60)
    assert (second.start_wall - WALL, second.seconds) == (250, 10)


def test_nothing_is_noted_while_the_clock_may_be_wrong():
    assert fold(view(0, wall_known=False), view(10, wall_known=False), view(20)) == []
    assert [s.seconds for s in fold(view(0), view(10), view(20, wall_known=False))] == [10]


def test_a_clock_that_jumps_back_breaks_nothing():
    stretches = fold(view(1000), view(1010), view(400), view(410))
    assert all(s.seconds >= 0 for s in stretches)


def test_gaps_are_filled_for_every_uplink():
    known = [Stretch("a", 100.0, 50.0, UP, active=True), Stretch("b", 0.0, 200.0, UP, active=False)]
    filled = fill_gaps(known, ["a", "b", "c"], 0.0, 200.0)
    unknown = [(s.uplink, s.start_wall, s.seconds) for s in filled if s.health is UNKNOWN]
    assert unknown == [("a", 0.0, 100.0), ("c", 0.0, 200.0), ("a", 150.0, 50.0)]
