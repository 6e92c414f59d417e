"""What a network says of itself explains, and vetoes one page's word; it moves nothing alone."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Inquiry
from edge_watchdog.core.diagnosis import diagnose
from edge_watchdog.core.events import DriverReported
from edge_watchdog.core.inquiries import set_inquiries
from edge_watchdog.core.model import CaptiveWord, DriverReport, Finding, Layer, Neighbour
from edge_watchdog.core.portal import has_portal, is_portal_proven, sign_in_url, sign_in_words
from edge_watchdog.core.signs import Around
from edge_watchdog.core.state import Cause, UplinkState
from edge_watchdog.core.words import tell
from tests.core.mind import CABLE, POLICY, STICK, UP, Mind, asked, at, routes, well

SIGN_IN = "https://welcome.guest.example/welcome"
OPENS, SHOWS, HANGS = Finding.ANSWERED, Finding.PORTAL, Finding.SILENT


def told(mind: Mind, *, captive: bool, url: str = SIGN_IN) -> Mind:
    """The network says so of itself, asked now."""
    mind.second += 0.1
    word = CaptiveWord(mind.now, captive, url)
    mind.feed(DriverReported(mind.now, CABLE, DriverReport(mind.now, captive=word)))
    return mind


def page(mind: Mind, finding: Finding, name: str = "a") -> Mind:
    mind.second += 0.1
    mind.hear(asked(Layer.WEB, f"http {name}", finding, sent_at=mind.second))
    return mind


def cause_of(mind: Mind) -> Cause | None:
    found = mind.known().diagnosis
    return found.cause if found is not None else None


def wants(mind: Mind) -> bool:
    looking = set_inquiries(mind.state, mind.now, POLICY)[0].looking
    return Inquiry.SIGN_IN in looking.get(CABLE, ())


def test_a_network_that_wants_a_sign_in_is_named_before_any_page_is_asked():
    mind = told(well(), captive=True)
    assert has_portal(mind.known())
    assert cause_of(mind) is Cause.PORTAL
    assert wants(mind)


def test_it_is_named_in_place_of_a_dead_provider_too():
    mind = well()
    mind.silent_for(1.0)
    told(mind, captive=True)
    assert cause_of(mind) is Cause.PORTAL


def test_a_line_is_never_left_for_its_word_alone():
    mind = told(well(), captive=True)
    assert not is_portal_proven(mind.known())
    moves = mind.fine_for(30.0, CABLE, STICK)
    assert routes(moves) == []


def test_with_every_page_that_hangs_its_word_is_proof():
    mind = told(well(), captive=True)
    page(page(mind, HANGS, "a"), HANGS, "b")
    assert is_portal_proven(mind.known())
    assert not is_portal_proven(told(mind, captive=False).known())


def test_a_page_that_opened_later_has_the_last_word():
    mind = page(told(well(), captive=True), OPENS)
    assert not has_portal(mind.known())
    assert sign_in_url(mind.known()) == ""
    assert not wants(mind)
    assert has_portal(told(mind, captive=True).known())


def test_one_page_that_was_rebuilt_is_not_believed_against_the_network():
    mind = page(page(well(), OPENS, "b"), SHOWS)
    assert has_portal(mind.known())
    assert wants(mind)
    told(mind, captive=False)
    assert not has_portal(mind.known())
    assert wants(mind)  # its word is good for as long as it is asked
    assert cause_of(mind) is Cause.NONE
    assert has_portal(page(mind, SHOWS).known())  # newer than its word


def test_all_pages_are_believed_against_the_network():
    mind = page(page(well(), SHOWS, "b"), SHOWS)
    assert has_portal(told(mind, captive=False).known())


def test_a_silent_line_has_the_network_asked_unless_the_router_is_gone():
    mind = well()
    mind.silent_for(1.0)
    assert wants(mind)
    mind.link(CABLE, replace(UP, neighbour=Neighbour.FAILED))
    assert not wants(mind)


@pytest.mark.parametrize(
    ("captive", "url", "words"),
    [
        (True, SIGN_IN, (f"network: says itself that it wants a sign-in, at {SIGN_IN}",)),
        (True, "", ("network: says itself that it wants a sign-in",)),
        (False, "", ("network: says itself that it wants no sign-in",)),
    ],
)
def test_the_owner_reads_what_the_network_said(captive, url, words):
    known = UplinkState(report=DriverReport(at(0), captive=CaptiveWord(at(0), captive, url)))
    assert sign_in_words(known) == words
    assert sign_in_words(UplinkState()) == sign_in_words(UplinkState(report=DriverReport(at(0))))
    found = diagnose(known, Around(), now=at(0), policy=POLICY)
    assert found.because[-1:] == words


def test_people_are_told_where_to_sign_in():
    mind = told(well(), captive=True)
    mind.fine_for(10.0, CABLE, STICK)
    incident = next(i for i in mind.state.incidents if i.cause is Cause.PORTAL)
    assert tell(incident, mind.state, POLICY).steps == (
        f"Owner: sign in at {SIGN_IN} on a device that uses {CABLE}.",
    )
    told(mind, captive=True, url="")
    assert "the page that appears" in tell(incident, mind.state, POLICY).steps[0]
