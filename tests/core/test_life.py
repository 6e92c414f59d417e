"""What a line carries while the hosts that are asked say nothing: it holds a divert back."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Action, ProbeBurst, RouteVia
from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.events import DriverReported
from edge_watchdog.core.life import LIFE_S, ON_ITS_WAY_S, PAGE_LIFE_S, note_life
from edge_watchdog.core.model import DriverReport, Layer
from edge_watchdog.core.pacing import BURST_REST_S
from edge_watchdog.core.state import Phase
from tests.core.mind import (
    CABLE,
    GONE,
    POLICY,
    STICK,
    Mind,
    asked,
    diverted,
    only,
    ready,
    routes,
    well,
)


def carries(mind: Mind, *, ago_s: float = 0.0, uplink: str = CABLE) -> list[Action]:
    """A program heard somebody outside a moment ago."""
    heard = mind.now.plus(-ago_s)
    return mind.feed(DriverReported(mind.now, uplink, DriverReport(mind.now, alive_at=heard)))


def filtered(mind: Mind, seconds: float, *, carried: bool) -> list[Action]:
    """Nobody answers on the cable; the stick does, and programs may hear somebody."""
    made: list[Action] = []
    for _ in range(round(seconds * 10)):
        made += mind.misses()
        made += mind.answers(STICK)
        mind.second += 0.1
        if carried:
            made += carries(mind, ago_s=0.02)
    return made


def test_a_line_that_carries_something_is_not_left():
    mind = ready()
    assert routes(filtered(mind, 10, carried=True)) == []
    assert mind.known().vetoed
    assert mind.failover.phase is Phase.SETTLED


def test_when_it_carries_nothing_any_more_it_is_left_within_a_second_and_a_half():
    mind = ready()
    filtered(mind, 5, carried=True)
    assert routes(filtered(mind, LIFE_S + 0.4, carried=False)) == [STICK]


@pytest.mark.parametrize("ago_s", [0.0, 5.0])
def test_what_was_heard_before_the_silence_or_while_it_began_delays_nothing(ago_s):
    mind = ready()
    mind.misses()
    carries(mind, ago_s=ago_s)
    assert not mind.known().vetoed
    mind.second += 0.1
    assert routes(filtered(mind, 0.7, carried=False)) == [STICK]


def test_an_answer_ends_the_veto_with_the_silence():
    mind = ready()
    filtered(mind, 1, carried=True)
    mind.answers()
    assert (mind.known().alive_until, mind.known().vetoed) == (0.0, False)


def test_pages_are_asked_meanwhile_and_speak_for_longer():
    mind = ready()
    made = filtered(mind, 2 * BURST_REST_S, carried=True)
    assert any(b.triage for b in only(ProbeBurst, made) if b.uplink == CABLE)
    page = replace(asked(Layer.WEB, "http a", sent_at=mind.second), rtt_s=0.1)
    mind.hear(page)
    assert mind.known().alive_until == page.at.mono + PAGE_LIFE_S
    assert routes(filtered(mind, PAGE_LIFE_S - 1, carried=False)) == []
    assert routes(filtered(mind, 2, carried=False)) == [STICK]


def test_a_page_alone_is_no_proof():
    mind = well()
    mind.misses()
    mind.second += 0.3
    mind.hear(asked(Layer.WEB, "http a", sent_at=mind.second))
    assert not mind.known().vetoed
    assert routes(filtered(mind, 1, carried=False)) == [STICK]


def test_the_end_of_a_veto_is_a_deadline():
    mind = ready()
    filtered(mind, 1, carried=True)
    until = mind.known().alive_until
    due = next_deadline(mind.state, POLICY, mind.now)
    assert due is not None
    assert due <= until + 0.01
    mind.second += until - mind.now.mono + 0.001
    assert not note_life(mind.state, mind.now).uplinks[CABLE].vetoed


def test_what_hangs_on_a_line_that_still_carries_it_is_not_ended():
    mind = diverted()
    for _ in range(60):
        mind.misses()
        mind.answers(STICK)
        mind.second += 0.1
        carries(mind, ago_s=0.02)
    assert (mind.failover.phase, mind.failover.left) == (Phase.DIVERTED, CABLE)
    filtered(mind, 2, carried=False)
    assert (mind.failover.phase, mind.failover.active) == (Phase.SETTLED, STICK)


def test_with_nothing_to_go_to_a_line_that_carries_something_is_in_order():
    mind = ready()
    mind.link(STICK, GONE)
    mind.silent_for(3)
    assert mind.failover.phase == "stranded"
    mind.second += 2 * ON_ITS_WAY_S
    carries(mind)
    assert mind.failover.phase == "settled"
    assert only(RouteVia, mind.pass_time(0.1)) == []
