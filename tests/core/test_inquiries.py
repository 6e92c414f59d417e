"""What is looked into beside the usual questions, and when it is let go."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Inquiry, LookInto
from edge_watchdog.core.inquiries import set_inquiries
from edge_watchdog.core.model import Finding, JourneyReport, Layer, Neighbour, Stage
from tests.core.mind import CABLE, GONE, POLICY, STICK, UP, Mind, asked, only, ready, well


def wanted(mind: Mind, uplink: str = CABLE) -> set[Inquiry]:
    return set(set_inquiries(mind.state, mind.now, POLICY)[0].looking.get(uplink, ()))


def test_nothing_is_looked_into_while_all_is_well():
    mind = ready()
    assert only(LookInto, mind.fine_for(5, CABLE, STICK)) == []
    assert wanted(mind) == set()


def test_a_lost_question_has_the_traffic_of_the_line_in_use_looked_into():
    mind = ready()
    assert [o.what for o in only(LookInto, mind.misses(CABLE, "alpha"))] == [(Inquiry.LIFE,)]
    assert only(LookInto, mind.misses(CABLE, "beta")) == []
    mind.second += 0.1
    assert [o.what for o in only(LookInto, mind.answers())] == [()]
    assert only(LookInto, mind.misses(STICK, "alpha")) == []


def test_a_silent_line_has_the_router_and_the_provider_asked():
    mind = ready()
    mind.silent_for(0.8)
    near = {Inquiry.NEIGHBOURS, Inquiry.ROUTER, Inquiry.EDGE, Inquiry.SIGN_IN}
    assert wanted(mind) == {Inquiry.LIFE, *near}


def test_a_router_that_is_gone_is_not_asked():
    mind = ready()
    mind.link(CABLE, replace(UP, neighbour=Neighbour.FAILED))
    mind.silent_for(0.8)
    assert wanted(mind) == {Inquiry.LIFE, Inquiry.NEIGHBOURS}


def test_without_a_link_nothing_is_asked():
    mind = ready()
    mind.silent_for(0.8)
    mind.link(CABLE, GONE)
    assert wanted(mind) == set()


def test_slow_or_lost_answers_have_the_load_looked_at():
    mind = ready()
    mind.put(CABLE, slow_since=mind.now)
    assert wanted(mind) == {Inquiry.LOAD}
    mind.put(CABLE, slow_since=None, cusum=POLICY.cusum_h)
    assert wanted(mind) == {Inquiry.LOAD}


def test_a_secure_page_that_hangs_has_large_packets_tried():
    mind = well()
    mind.hear(asked(Layer.WEB, "https a", sent_at=mind.second))
    assert wanted(mind) == set()
    mind.hear(asked(Layer.WEB, "https a", Finding.SILENT, sent_at=mind.second + 0.1))
    assert wanted(mind) == {Inquiry.SIZES}


@pytest.mark.parametrize(
    "stage, what",
    [
        (Stage.TLS, {Inquiry.SIZES}),
        (Stage.HTTP, {Inquiry.SIZES}),
        (Stage.CONNECT, set()),
        (Stage.DONE, set()),
    ],
)
def test_so_does_an_app_that_hangs(stage, what):
    mind = well()
    mind.put(CABLE, journey=JourneyReport(mind.now, CABLE, stage))
    assert wanted(mind) == what


def test_the_router_s_neighbours_are_asked_as_soon_as_it_goes_silent_with_the_rest():
    mind = ready()
    for second in (0.1, 0.1):
        mind.second += second
        mind.misses(CABLE, "alpha", "beta")
    assert Inquiry.NEIGHBOURS not in wanted(mind)
    mind.hear(asked(Layer.GATEWAY, "icmp gw", sent_at=mind.second - 0.1))
    assert Inquiry.NEIGHBOURS not in wanted(mind)
    mind.hear(asked(Layer.GATEWAY, "icmp gw", Finding.SILENT, sent_at=mind.second))
    assert Inquiry.NEIGHBOURS in wanted(mind)
    mind.decided(active=STICK)
    assert Inquiry.NEIGHBOURS not in wanted(mind)  # a standby's silence is in no hurry
    mind.decided(active=CABLE)
    mind.second += 0.1
    mind.answers()
    assert wanted(mind) == set()
