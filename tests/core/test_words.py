"""All words for people: can I still work, what changed, what do I do, when will I hear again."""

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Severity
from edge_watchdog.core.model import DriverReport, Layer, Mode
from edge_watchdog.core.phrases import HOTSPOT, PHRASES
from edge_watchdog.core.state import (
    Cause,
    Diagnosis,
    Failover,
    Incident,
    Phase,
    Scope,
    State,
    Track,
    UplinkState,
)
from edge_watchdog.core.view import Standing
from edge_watchdog.core.words import (
    CAN_WORK,
    SPARE,
    STARTING,
    banner,
    duration,
    label,
    over,
    tell,
)
from tests.core.mind import CABLE, POLICY, STICK, at

LINE = Incident(1, Scope.LINE, Cause.CABLE_OUT, Severity.WARNING, at(-60), CABLE)
VENDOR = Incident(2, Scope.VENDOR, Cause.VENDOR_SILENT, Severity.OUTAGE, at(-60), CABLE)
BACKUP = Incident(3, Scope.BACKUP, Cause.DEVICE_GONE, Severity.NOTICE, at(-60), STICK)


HEARD = Track(Layer.INTERNET, "icmp 198.51.100.1", "alpha", at(-1), heard=at(-1))
ANSWERS = UplinkState(tracks={"internet icmp 198.51.100.1": HEARD})


def studio(*incidents: Incident, known: UplinkState = ANSWERS, **failover: Any) -> State:
    stands = replace(Failover(active=CABLE, since=at(-9)), **failover)
    return State({CABLE: known, STICK: UplinkState()}, stands, incidents=incidents)


def page(*incidents: Incident, **failover: Any):
    return banner(studio(*incidents, **failover), at(0), POLICY)


SLOW = replace(VENDOR, cause=Cause.VENDOR_SLOW, severity=Severity.WARNING)
QUIET = replace(VENDOR, cause=Cause.STATUS_PAGE_DOWN, severity=Severity.NOTICE)
STRANDED: dict[str, Any] = {"phase": Phase.STRANDED}


@pytest.mark.parametrize(
    "incidents, failover, standing, cause",
    [
        ([], {}, Standing.NORMAL, Cause.NONE),
        ([], {"active": None}, Standing.CHECKING, Cause.CHECKING),
        ([], {"phase": Phase.SUSPECT, "since": at(-0.5)}, Standing.NORMAL, Cause.NONE),
        ([], {"phase": Phase.SUSPECT, "since": at(-1.5)}, Standing.CHECKING, Cause.CHECKING),
        ([LINE], {}, Standing.LIMITED, Cause.CABLE_OUT),
        ([replace(LINE, fine_since=at(0))], {}, Standing.NORMAL, Cause.NONE),
        ([LINE], {"active": STICK}, Standing.BACKUP, Cause.CABLE_OUT),
        ([], {"active": STICK}, Standing.BACKUP, Cause.NONE),
        ([LINE], STRANDED, Standing.OFFLINE, Cause.CABLE_OUT),
        ([], STRANDED, Standing.OFFLINE, Cause.CHECKING),
        ([VENDOR], {}, Standing.VENDOR, Cause.VENDOR_SILENT),
        ([VENDOR, LINE], {"active": STICK}, Standing.VENDOR, Cause.VENDOR_SILENT),
        ([SLOW], {}, Standing.LIMITED, Cause.VENDOR_SLOW),
        ([replace(VENDOR, fine_since=at(0))], {}, Standing.NORMAL, Cause.NONE),
        ([QUIET], {}, Standing.NORMAL, Cause.STATUS_PAGE_DOWN),
        ([BACKUP], {}, Standing.NORMAL, Cause.NONE),
        ([replace(LINE, resolved=at(-1))], {}, Standing.NORMAL, Cause.NONE),
    ],
    ids=[
        "all is well",
        "just started",
        "half a second of doubt",
        "doubt",
        "a fault without a switch",
        "a fault that heals",
        "on the backup",
        "on the backup by order",
        "no line",
        "no line, no cause yet",
        "the vendor is down",
        "the vendor is down, on the backup",
        "the vendor is slow",
        "the vendor is back",
        "only the status page",
        "a backup that is missing",
        "over",
    ],
)
def test_the_one_big_word(incidents, failover, standing, cause):
    found = page(*incidents, **failover)
    assert (found.standing, found.cause) == (standing, cause)
    assert found.can_work


def checking_since(second: float) -> UplinkState:
    return replace(ANSWERS, diagnosis=Diagnosis(Cause.CHECKING, 0.0, at(second)))


@pytest.mark.parametrize(
    ("known", "standing", "headline"),
    [
        (UplinkState(), Standing.CHECKING, STARTING),
        (checking_since(-1), Standing.NORMAL, "Everything works."),
        (checking_since(-3), Standing.CHECKING, "Something is not right. Still checking."),
    ],
    ids=["nobody has answered yet", "a moment of doubt", "a doubt that stays"],
)
def test_what_is_not_known_is_not_called_fine(known, standing, headline):
    found = banner(studio(known=known), at(0), POLICY)
    assert (found.standing, found.headline) == (standing, headline)


def test_the_page_says_when_the_next_word_comes():
    told = replace(LINE, next_update=at(1800))
    found = page(told, active=STICK)
    assert (found.next_word_wall, found.since_wall) == (at(1800).wall, at(-60).wall)
    assert (page(LINE).next_word_wall, page().next_word_wall, page().since_wall) == (None,) * 3


def test_on_the_backup_a_phone_is_offered_to_the_computers():
    found = page(LINE, active=STICK)
    assert len(found.steps) == 3
    assert "hotspot" in found.steps[-1]
    assert "online over stick" in found.can_work
    assert page(active=STICK).headline == "The box is on stick."


def test_a_cable_that_is_back_in_is_not_called_out_while_the_box_waits_to_go_back():
    waits: dict[str, Any] = {"active": STICK, "phase": Phase.HOLDING}
    found = page(replace(LINE, mended=at(-5)), **waits)
    assert (found.standing, found.cause) == (Standing.BACKUP, Cause.CABLE_OUT)
    assert found.headline == "Cable works again."
    assert found.changed.startswith("It was: cable out. The box stays on stick until cable")
    assert found.steps == ("Nothing needs to be done.",)
    assert found.can_work.endswith("Computers that use cable should be online again.")
    unstable = replace(LINE, cause=Cause.LINE_UNSTABLE, mended=at(-5))
    for still in (LINE, unstable, replace(LINE, resolved=at(-1))):
        assert page(still, **waits).headline != found.headline
    settled = page(replace(LINE, mended=at(-5)), active=STICK)
    assert settled.headline == page(LINE, active=STICK).headline


GATEWAY = replace(POLICY, mode=Mode.GATEWAY)


def test_behind_the_box_a_line_that_works_again_changes_nothing_for_anybody():
    waits = studio(replace(LINE, mended=at(-5)), active=STICK, phase=Phase.HOLDING)
    said = banner(waits, at(0), GATEWAY)
    assert said.headline == "Cable works again."
    assert said.can_work == f"Yes. Everything in the studio is online over {STICK}."


def test_behind_the_box_everybody_is_online_over_the_backup_and_goes_easy_on_it():
    said = banner(studio(LINE, active=STICK), at(0), GATEWAY)
    assert said.can_work == f"Yes. Everything in the studio is online over {STICK}."
    assert said.steps[-1] == SPARE
    assert HOTSPOT not in said.steps
    assert tell(LINE, studio(LINE, active=STICK), GATEWAY).can_work == said.can_work


def test_behind_the_box_nothing_is_spared_on_a_line_without_a_meter():
    uplinks = tuple(replace(uplink, metered=False) for uplink in GATEWAY.uplinks)
    said = banner(studio(active=STICK), at(0), replace(GATEWAY, uplinks=uplinks))
    assert said.headline == f"The studio is on {STICK}."
    assert said.steps == ()


def test_behind_the_box_no_line_is_no_line():
    said = banner(studio(**STRANDED), at(0), GATEWAY)
    assert said.can_work == banner(studio(**STRANDED), at(0), POLICY).can_work


def test_without_any_line_the_list_and_paper_come_first():
    assert page(LINE, **STRANDED).steps[0].startswith("Use today's list")
    assert page(LINE, **STRANDED).headline == "No internet. The network cable of cable is out."
    assert page(**STRANDED).headline == "No internet."
    assert len(page(**STRANDED).steps) == 3


def test_without_any_line_each_one_is_said():
    state = studio(LINE, **STRANDED)
    lines = {
        CABLE: UplinkState(diagnosis=Diagnosis(Cause.CABLE_OUT, 0.9, at(0))),
        STICK: UplinkState(diagnosis=Diagnosis(Cause.NO_DATA, 0.9, at(0))),
        "phone": UplinkState(diagnosis=Diagnosis(Cause.NONE, 0.9, at(0))),
    }
    found = banner(replace(state, uplinks=lines), at(0), POLICY)
    assert found.changed == "Cable: cable out. Stick: no data on the mobile line."
    assert banner(state, at(0), POLICY).changed == "No line answers."


def test_the_start_is_called_a_start():
    assert page(active=None).headline == "Just started. Looking at the lines."


@pytest.mark.parametrize(
    "incident, failover, standing",
    [
        (LINE, {}, Standing.LIMITED),
        (LINE, {"active": STICK}, Standing.BACKUP),
        (LINE, STRANDED, Standing.OFFLINE),
        (VENDOR, {"active": STICK}, Standing.VENDOR),
        (SLOW, {}, Standing.LIMITED),
        (BACKUP, STRANDED, Standing.NORMAL),
    ],
)
def test_an_alert_speaks_of_its_own_incident(incident, failover, standing):
    found = tell(incident, studio(**failover), POLICY)
    assert (found.standing, found.cause) == (standing, incident.cause)


@pytest.mark.parametrize(
    "incident, text",
    [
        (LINE, "Cable works again. It took 75 seconds (cable out)."),
        (VENDOR, "BookWell works again. It took 75 seconds (vendor down, not yet acknowledged)."),
        (replace(LINE, uplink=None), "The line works again. It took 75 seconds (cable out)."),
    ],
)
def test_the_end_is_told_with_its_length(incident, text):
    assert over(replace(incident, resolved=at(15)), POLICY) == text


def test_an_incident_that_is_not_over_has_no_length():
    assert "1 seconds" in over(LINE, POLICY)


@pytest.mark.parametrize(
    "seconds, text",
    [(0.2, "1 seconds"), (89, "89 seconds"), (90, "2 minutes"), (900, "15 minutes"),
     (5399, "90 minutes"), (7200, "2 hours")],
)  # fmt: skip
def test_a_length_of_time_in_words(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("cause", Cause)
class TestEveryCause:
    def test_has_its_words(self, cause):
        phrase = PHRASES[cause]
        assert label(cause) == phrase.label
        assert phrase.headline.endswith(".")
        assert phrase.changed.endswith(".")
        assert len(phrase.steps) <= 3
        assert all(step.endswith(".") for step in phrase.steps)

    def test_leaves_no_gap_in_its_words(self, cause):
        scope = Scope.VENDOR if cause.startswith(("vendor", "status")) else Scope.LINE
        incident = replace(LINE, scope=scope, cause=cause)
        for stands in ({}, {"active": STICK}, STRANDED):
            found = tell(incident, studio(**stands), POLICY)
            words = " ".join([found.headline, found.can_work, found.changed, *found.steps])
            assert not re.search(r"[{}]|None|  ", words)

    def test_promises_no_time_and_blames_no_person(self, cause):
        phrase = PHRASES[cause]
        words = " ".join([phrase.headline, phrase.changed, *phrase.steps, phrase.call]).lower()
        assert not re.search(r"\b(soon be|will be back in|user|fault of yours)\b", words)


def test_every_standing_answers_can_i_still_work():
    assert set(CAN_WORK) == set(Standing)


def test_whose_address_another_device_uses_is_said():
    conflict = replace(LINE, cause=Cause.ADDRESS_CONFLICT)
    routers = studio(conflict, known=replace(ANSWERS, report=DriverReport(at(0))))
    assert tell(conflict, routers, POLICY).headline.startswith("Two devices on")
    report = DriverReport(at(0), own_address_taken=True)
    ours = studio(conflict, known=replace(ANSWERS, report=report))
    assert tell(conflict, ours, POLICY).headline == (
        f"Another device on {CABLE} uses the box's own address."
    )


LOWER = replace(
    POLICY,
    uplinks=tuple(
        replace(one, name=name) for one, name in zip(POLICY.uplinks, ("dsl", "stick"), strict=True)
    ),
    vendor_name="bookwell",
)
SITUATIONS = [
    Failover(active="dsl", since=at(-9)),
    Failover(active="stick", since=at(-9)),
    Failover(active="dsl", since=at(-9), phase=Phase.STRANDED),
    Failover(active="stick", since=at(-9), phase=Phase.HOLDING),
]


@pytest.mark.parametrize("mode", [Mode.SELF, Mode.GATEWAY])
@pytest.mark.parametrize("scope", Scope)
def test_every_sentence_begins_with_a_capital_whatever_lines_and_vendor_are_called(scope, mode):
    policy = replace(LOWER, mode=mode)
    for cause, failover in itertools.product(PHRASES, SITUATIONS):
        doubt = UplinkState(diagnosis=Diagnosis(cause, 0.9, at(0)), tracks=ANSWERS.tracks)
        incident = Incident(1, scope, cause, Severity.WARNING, at(-60), "dsl", mended=at(-1))
        state = State({"dsl": doubt, "stick": doubt}, failover, incidents=(incident,))
        for made in (tell(incident, state, policy), banner(state, at(0), policy)):
            said = (made.headline, made.can_work, made.changed, made.call, *made.steps)
            for text in (*said, over(incident, policy)):
                assert not re.search(r"(^|[.!?] )[a-z]", text), text


@pytest.mark.parametrize("cause", [Cause.DNS_DEAD, Cause.DNS_BLOCKED])
def test_behind_the_box_computers_get_names_elsewhere_and_the_page_says_so(cause):
    names = replace(LINE, cause=cause)
    state = replace(studio(names), names_by_tcp=cause is Cause.DNS_BLOCKED)
    said = banner(state, at(0), GATEWAY)
    assert "The box asks" in said.changed
    assert not any("Unplug" in step for step in said.steps)
    assert len(said.steps) <= 3
    alone = banner(state, at(0), POLICY)  # in another mode nobody stands behind the box
    assert alone.changed == PHRASES[cause].changed
    before = banner(replace(state, names_by_tcp=False), at(0), GATEWAY)
    assert (before.changed == said.changed) is (cause is Cause.DNS_DEAD)
