"""A few hard days of the simulated year; the whole of it is `python -m bench.year`."""

from dataclasses import replace
from random import Random

from bench import year
from bench.year import HOUR_S, Box, Trouble, report, strike, troubles
from edge_watchdog.core.actions import Alert, Evict, Reason, RouteVia, SendAlert, Severity
from edge_watchdog.core.advance import Step
from edge_watchdog.core.events import Woke
from edge_watchdog.core.state import Cause
from edge_watchdog.sim.scenarios import BROADBAND


def test_nothing_breaks_in_a_day_with_crashes():
    box, dice = Box(11), Random(11)
    box.run(20)
    for hour, name in enumerate(("blackhole", "cable_out", "reject"), 1):
        box.leap_or_live(hour * 7200.0)
        strike(box, Trouble(box.second, name, BROADBAND, 3.0), dice)
        box.crash_soon()
    box.leap_or_live(11 * HOUR_S)
    box.judge.ends(box.second)
    assert box.judge.broken == []
    assert (box.judge.begun, box.crashes) == (3, 3)
    assert "No property was broken." in report(box, 0.5, 1.0)


def test_a_year_repeats_and_each_seed_is_another():
    one, again, other = (list(troubles(seed, 30, 2.0)) for seed in (1, 1, 2))
    assert one == again != other
    assert all(t.second < 30 * year.DAY_S for t in one)


def test_the_judge_sees_what_is_wrong():
    box = Box(1)
    box.run(20)
    told = Alert(1, Reason.FIRST, Severity.OUTAGE, Cause.CABLE_OUT, "", "", (), 0.0, 0.0)
    twice = (SendAlert(1, told), SendAlert(2, told), Evict(3, "broadband"), RouteVia(4, "phone"))
    box.judge(box.state, Woke(box.now), Step(box.state, twice))
    box.route = "phone"
    box.judge(box.state, Woke(box.now), Step(box.state, ()))
    box.judge.folded(box.state, replace(box.state, next_id=0))
    assert [words.partition(" s: ")[2] for words in box.judge.broken] == [
        "incident 1 was told twice as first",
        "connections over the uplink in use were ended",
        "broadband is in use, and the route leads to phone",
        "a fold of the journal is not the state that was lived",
    ]


def test_a_flap_comes_and_goes():
    box = Box(5)
    box.run(20)
    strike(box, Trouble(20, "flap", "broadband", 12.0), Random(1))
    seen = set()
    for tenth in range(200, 420):
        box.run(tenth / 10)
        seen.add(box.world.lines["broadband"].beyond)
    assert seen == {True, False}
    assert box.world.lines["broadband"].beyond
