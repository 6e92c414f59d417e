"""A leap over calm comes to the same as living through it."""

import copy
import functools
from dataclasses import replace

import pytest

from edge_watchdog.core.ladder import is_fresh
from edge_watchdog.core.state import Phase
from edge_watchdog.sim.scenarios import BROADBAND, turn, usual_policy, usual_world
from edge_watchdog.sim.studio import Studio


@functools.cache
def _rested() -> Studio:
    studio = Studio(replace(usual_policy(), hold_s=300.0), usual_world(), seed=3)
    studio.run(120)
    return studio


def rested() -> Studio:
    """A studio that has had nothing to do for a while."""
    return copy.deepcopy(_rested())


def back_again() -> Studio:
    """A studio whose cable was pulled and put back; it waits to go back to broadband."""
    studio = rested()
    studio.inject("cable", turn("cable_out"))
    studio.run(230)
    studio.heal("cable")
    studio.run(330)
    assert studio.state.failover.phase is Phase.HOLDING
    return studio


def leap(studio: Studio, seconds: float) -> float:
    """Leap as soon as no question is under way."""
    for _ in range(40):
        if far := studio.leap(seconds):
            return far
        studio.run(studio.second + 0.05)
    return 0.0


def gist(studio: Studio) -> object:
    """All of the state that does not depend on the very moment at which each question left."""
    state, now = studio.state, studio.now
    lines = {
        name: (
            known.link,
            known.silence,
            known.cusum,
            known.clean_since,
            known.diagnosis and known.diagnosis.cause,
            known.pace,
            sum(bucket.lost for bucket in known.losses),
            {k: (t.misses, t.deaf) for k, t in known.tracks.items() if is_fresh(known, t, now)},
        )
        for name, known in state.uplinks.items()
    }
    return lines, state.failover, state.incidents, state.paces, state.vendor.order, state.is_open


@pytest.mark.parametrize("kind", [rested, back_again])
def test_who_leaps_is_where_he_would_be_had_he_lived(kind):
    lived = kind()
    leapt = copy.deepcopy(lived)
    far = leap(leapt, 30.0)
    assert far == 30.0
    lived.run(leapt.second)
    assert gist(lived) == gist(leapt)


def test_what_is_due_is_not_leapt_over():
    lived = back_again()
    leapt = copy.deepcopy(lived)
    assert 0 < leap(leapt, 3600.0) < 210
    for studio in (lived, leapt):
        assert studio.state.failover.phase is Phase.HOLDING
        studio.run(560)
        assert studio.state.failover.active == BROADBAND
    assert lived.state.failover.switches == pytest.approx(leapt.state.failover.switches, abs=1.1)


def test_nor_is_what_happens_in_the_world():
    studio = rested()
    studio.at(260, lambda: studio.inject("cable", turn("cable_out")))
    while studio.second < 300:
        studio.leap(3600.0)
        studio.run(studio.second + 0.3)
    assert studio.state.failover.active != BROADBAND


def test_nobody_leaps_while_anything_is_the_matter():
    studio = rested()
    studio.inject("loss", turn("loss:5"))
    studio.run(230)
    assert leap(studio, 3600.0) == 0
