"""The books on what a metered line carries are kept twice, and a difference is seen."""

from dataclasses import replace
from random import Random

from bench.meter import PLAN
from bench.year import Box, Trouble, strike
from edge_watchdog.core.actions import RouteVia, SendAlert
from edge_watchdog.core.advance import Step
from edge_watchdog.core.events import Woke
from edge_watchdog.core.state import State
from edge_watchdog.sim.scenarios import BROADBAND, PHONE, STICK

SMALL = replace(PLAN, cap_bytes=60_000_000, outage_bytes=30_000_000)  # 20 minutes
CAP = 45_000_000  # the outage's budget, and what is allowed after it


def hard_day() -> Box:
    """An outage of an hour, with a plan that does not last for it."""
    box = Box(3, replace(SMALL, cap_bytes=CAP))
    box.run(20)
    strike(box, Trouble(box.second, "cable_out", BROADBAND, 3600.0), Random(1))
    box.leap_or_live(5400.0)
    box.feed(box.meter.read(box.now))
    return box


def broken(box: Box) -> list[str]:
    return [words.partition(" s: ")[2] for words in box.judge.broken]


def test_a_plan_that_is_used_up_is_told_in_time_and_not_used_again():
    box = hard_day()
    assert broken(box) == []
    assert box.meter.used is not None
    assert CAP < box.meter.used < CAP + 10_000_000  # which was 300 MB, without a limit
    assert box.state.spent[STICK].told == 100
    assert (box.state.spent[STICK].outage_told, box.route) == (True, BROADBAND)
    strike(box, Trouble(box.second, "cable_out", BROADBAND, 120.0), Random(1))
    box.run(box.second + 100)
    assert (box.route, broken(box)) == (PHONE, [])
    to_the_stick = Step(box.state, (RouteVia(1, STICK),))
    assert "a switch to LTE stick, whose plan is used up" in set(
        box.meter.wrong(box.state, Woke(box.now), to_the_stick)
    )


def read(box: Box, **spent: object) -> list[str]:
    """Have the counter be read by a mind whose books say otherwise."""
    box.meter.told = 0
    reading = box.meter.read(box.now)
    kept = replace(box.state.spent[STICK], **spent)  # type: ignore[arg-type]
    return list(box.meter.wrong(box.state, reading, Step(with_books(box, kept), ())))


def with_books(box: Box, spent: object) -> State:
    return replace(box.state, spent={STICK: spent})  # type: ignore[dict-item]


def test_books_that_do_not_say_what_was_carried_are_seen():
    box = hard_day()
    box.feed(box.meter.read(box.now))
    used = box.meter.used
    assert used is not None
    unsaid = f"{100 * used // CAP} % of LTE stick is used: 0 were told, 1 are due"
    assert read(box) == [unsaid]
    assert read(box, used_bytes=0, asking_bytes=7)[0] == (
        f"LTE stick carried {used} bytes, and 7 are told"
    )
    assert read(box, used_bytes=used - 20_000_000, asking_bytes=20_000_000)[0] == (
        "questions over LTE stick cost 20000000 bytes this month"
    )
    nobody = Step(replace(box.state, spent={}), ())
    assert list(box.meter.wrong(box.state, box.meter.read(box.now), nobody)) == [
        "nobody counts what LTE stick carries"
    ]


def test_an_outage_that_costs_more_than_was_meant_is_seen():
    box = Box(3, SMALL)
    box.run(20)
    strike(box, Trouble(box.second, "cable_out", BROADBAND, 3600.0), Random(1))
    box.leap_or_live(1800.0)
    assert broken(box) == []
    assert 25_000_000 < (box.meter.outage or 0) < 35_000_000  # of some 90 MB, without a limit
    box.meter.outage = 40_000_000.0
    assert read(box)[0] == "an outage cost 40000000 bytes on LTE stick, 30000000 were meant"
    box.meter.crashes(reboots=False)
    assert box.meter.outage is None


def test_after_a_crash_the_books_go_on_and_a_new_month_begins_at_nothing():
    box = hard_day()
    before = box.state.spent[STICK]
    box.meter.crashes(reboots=True)
    assert list(box.meter.wrong(box.state, box.meter.read(box.now), Step(box.state, ()))) == []
    assert box.meter.used == before.total_bytes
    box.now = box.now.plus(31 * 86_400.0)
    box.feed(box.meter.read(box.now))
    assert box.meter.used == box.state.spent[STICK].total_bytes
    assert box.meter.told == box.state.spent[STICK].told == 0


def test_whoever_is_silent_about_a_dear_outage_is_found_out():
    box = Box(3, SMALL)
    box.run(20)
    live = box.meter.wrong
    told: list[SendAlert] = []

    def deaf(before: State, event: object, step: Step) -> object:
        silent = tuple(a for a in step.actions if not isinstance(a, SendAlert))
        told.extend(a for a in step.actions if isinstance(a, SendAlert))
        return live(before, event, replace(step, actions=silent))  # type: ignore[arg-type]

    box.meter.wrong = deaf  # type: ignore[method-assign,assignment]
    strike(box, Trouble(box.second, "cable_out", BROADBAND, 1500.0), Random(1))
    box.leap_or_live(1400.0)
    assert told
    assert broken(box)[0].endswith("% of LTE stick is used: 0 were told, 2 are due")
