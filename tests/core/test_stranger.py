"""A second device that gives out addresses is named where nothing else is wrong, or it is why."""

from dataclasses import replace

import pytest

from edge_watchdog.core.diagnosis import diagnose
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import DriverReport, Stranger
from edge_watchdog.core.signs import Around
from edge_watchdog.core.state import Cause
from edge_watchdog.core.stranger import name_of, stranger_words
from edge_watchdog.core.words import tell
from tests.core.mind import CABLE, POLICY, UP, at
from tests.core.test_diagnosis import DEAD, ROUTER_DEAD, STRANGER, WELL, cause_of, seen, told
from tests.core.test_words import ANSWERS, LINE, studio


def led_astray(*samples):
    link = replace(UP, gateway=STRANGER.router)
    return replace(seen(*samples, link=link), report=DriverReport(at(5), stranger=STRANGER))


def test_what_else_a_line_has_goes_by_its_own_name():
    for samples, cause in ((DEAD, Cause.PROVIDER_DOWN), (ROUTER_DEAD, Cause.ROUTER_DEAD)):
        assert cause_of(told(*samples, stranger=STRANGER)) is cause


def test_a_box_that_was_led_astray_itself_says_so():
    for samples in (DEAD, ROUTER_DEAD, WELL):
        assert cause_of(led_astray(*samples)) is Cause.ROGUE_DHCP


def test_why_says_who_it_is_and_where_it_leads():
    found = diagnose(told(*DEAD, stranger=STRANGER), Around(), now=at(6), policy=POLICY)
    assert found.because[-1] == (
        "local network: 192.168.1.20 (02:00:5e:00:53:77) gives out addresses, too,"
        " and leads by way of 192.168.1.20"
    )
    nowhere = told(*WELL, stranger=Stranger("192.168.1.20", "", ""))
    [words] = stranger_words(nowhere, at(6))
    assert words.endswith("192.168.1.20 gives out addresses, too, and leads nowhere")


@pytest.mark.parametrize(
    "known, now",
    [(seen(*WELL), at(6)), (told(*WELL), at(6)), (told(*WELL, stranger=STRANGER), at(600))],
    ids=["never looked", "none", "long ago"],
)
def test_nothing_is_said_of_a_stranger_that_nobody_saw_lately(known, now: Instant):
    assert stranger_words(known, now) == ()


def test_the_owner_reads_by_what_to_find_it():
    line = replace(LINE, cause=Cause.ROGUE_DHCP)
    report = DriverReport(at(0), stranger=STRANGER)
    found = tell(line, studio(line, known=replace(ANSWERS, report=report)), POLICY)
    assert (
        found.headline == f"A device that was added on {CABLE} leads the studio's computers astray."
    )
    assert name_of(STRANGER) in found.steps[-1]
    gone = tell(line, studio(line, known=replace(ANSWERS, report=DriverReport(at(0)))), POLICY)
    assert gone.steps == found.steps[:-1]
