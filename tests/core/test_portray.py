# mypy: disable-error-code="union-attr"
"""The one picture that every face shows."""

from dataclasses import replace

from edge_watchdog.core.actions import Severity
from edge_watchdog.core.model import (
    Health,
    JourneyReport,
    Layer,
    Stage,
    VendorLevel,
    VendorReport,
    Window,
)
from edge_watchdog.core.portray import SHOWN_INCIDENTS, view
from edge_watchdog.core.state import Cause, Diagnosis, Incident, Override, Scope, VendorState
from edge_watchdog.core.view import OverrideView
from tests.core.mind import (
    CABLE,
    GONE,
    PHONE,
    STICK,
    THREE,
    UNPLUGGED,
    UP,
    Mind,
    on_backup,
    ready,
    well,
)


def shown(mind: Mind):
    return view(mind.state, mind.policy, mind.now)


def test_a_good_day():
    found = shown(ready())
    assert (found.active, found.preferred, found.phase) == (CABLE, CABLE, "settled")
    assert [(u.name, u.role, u.health) for u in found.uplinks] == [
        (CABLE, "in use", "up"),
        (STICK, "standby", "up"),
    ]
    assert (found.notices, found.incidents, found.failback_at_wall) == ((), (), None)
    assert (found.vendor, found.override, found.wall_known) == (None, None, True)


def test_every_rung_is_shown_with_its_evidence():
    rungs = shown(ready()).uplinks[0].rungs
    assert [r.layer for r in rungs] == list(Layer)
    assert rungs[2].evidence == "hosts of 4 of 4 operators answer"


def test_a_start_shows_what_is_not_known_as_not_known():
    found = shown(Mind(links=()))
    assert (found.active, found.uplinks[0].health, found.uplinks[0].role) == (
        None,
        Health.UNKNOWN,
        "out",
    )
    untouched = replace(Mind(links=()).state.uplinks[CABLE], diagnosis=None)
    mind = Mind(links=())
    mind.state = replace(mind.state, uplinks={**mind.state.uplinks, CABLE: untouched})
    assert (shown(mind).uplinks[0].confidence, shown(mind).uplinks[0].since_wall) == (0.0, None)


def test_a_fault_is_shown_with_its_cause_and_confidence():
    mind = well()
    mind.link(STICK, UNPLUGGED)
    cable, stick = shown(mind).uplinks
    assert (cable.role, cable.cause) == ("in use", "")
    assert (stick.role, stick.cause) == ("out", "cable out")
    assert stick.confidence > 0.8


def test_the_time_of_the_return_is_shown():
    mind = on_backup()
    assert shown(mind).failback_at_wall is None
    mind.link(CABLE, UP)
    mind.fine_for(2, CABLE, STICK)
    assert shown(mind).failback_at_wall == mind.known().clean_since.wall + 60
    mind.put(CABLE, clean_since=None)
    assert shown(mind).failback_at_wall is None


def test_an_order_is_shown_with_its_reason():
    mind = ready()
    order = Override(CABLE, mind.now.mono + 60, "as the owner wishes", "Anna B.")
    mind.decided(override=order)
    until_wall = mind.now.wall + 60
    assert shown(mind).override == OverrideView(
        CABLE, "Anna B.", "as the owner wishes", until_wall, in_force=True
    )
    mind.decided(override=replace(order, uplink=STICK))
    assert shown(mind).override.note.startswith("Stick is not yet seen to work, so nothing")
    mind.decided(override=replace(order, uplink=STICK, failed=True))
    assert (
        shown(mind).override.note == "Stick stopped working and was left. Cable is used meanwhile."
    )
    mind.decided(override=replace(order, uplink=STICK, failed=True), active=None)
    assert shown(mind).override.note == "Stick stopped working and was left."


def test_a_backup_that_is_not_ready_is_a_notice():
    mind = ready(THREE)
    mind.link(STICK, GONE)
    assert shown(mind).notices == ("Stick is not ready: device not there.",)
    mind.put(PHONE, diagnosis=None)
    assert len(shown(mind).notices) == 1


def test_deaf_targets_and_trouble_of_our_own_are_notices():
    mind = ready()
    for _ in range(4):
        mind.second += 1
        mind.misses(CABLE, "alpha")
        mind.answers(CABLE, "beta", "gamma")
    mind.state = replace(mind.state, trouble=("the disk is full",))
    assert shown(mind).notices == (
        "Ignored on cable, others answer: icmp alpha.",
        "The disk is full",
    )


def test_a_line_that_keeps_breaking_is_a_notice():
    mind = ready()
    mind.decided(switches=(mind.now.mono,) * 5)
    assert "keeps breaking" in shown(mind).notices[0]


def test_a_clock_that_may_be_wrong_is_said():
    mind = ready()
    mind.put(CABLE, diagnosis=Diagnosis(Cause.CLOCK_WRONG, 0.9, mind.now))
    assert not shown(mind).wall_known


class TestTheVendor:
    def test_its_page_is_shown_with_its_windows(self):
        mind = ready()
        window = Window("w1", "New version", 1.0, 2.0, active=False)
        report = VendorReport(mind.now, VendorLevel.NOTICE, "Soon", None, (window,), "", 5.0)
        found = Diagnosis(Cause.NONE, 0.9, mind.now, ("app: answers",))
        mind.state = replace(mind.state, vendor=VendorState(report, found))
        vendor = shown(mind).vendor
        assert (vendor.page, vendor.page_title, vendor.windows) == (
            VendorLevel.NOTICE,
            "Soon",
            (window,),
        )
        assert (vendor.app, vendor.app_evidence, vendor.page_as_of_wall) == (
            Health.UNKNOWN,
            "app: answers",
            5.0,
        )

    def test_it_is_not_judged_while_our_own_line_is_not_verified(self):
        mind = ready()
        mind.state = replace(
            mind.state, vendor=VendorState(VendorReport(mind.now, VendorLevel.UNKNOWN))
        )
        assert shown(mind).vendor.app_evidence == "our own line is not verified"

    def test_a_visit_alone_is_shown_too(self):
        mind = ready()
        mind.put(CABLE, journey=JourneyReport(mind.now, CABLE, Stage.DONE))
        assert shown(mind).vendor.page_reason == "not read yet"


def test_open_incidents_come_first_and_the_list_is_short():
    mind = ready()
    line = Incident(1, Scope.LINE, Cause.CABLE_OUT, Severity.WARNING, mind.now, CABLE)
    past = tuple(replace(line, id=n, resolved=mind.now) for n in range(2, 40))
    vendor = replace(line, id=40, scope=Scope.VENDOR, cause=Cause.VENDOR_SILENT, uplink=CABLE)
    nowhere = replace(line, id=41, uplink=None, resolved=mind.now)
    mind.state = replace(mind.state, incidents=(line, *past, vendor, nowhere))
    found = shown(mind).incidents
    assert [i.id for i in found[:3]] == [40, 1, 41]
    assert len(found) == SHOWN_INCIDENTS
    assert [i.headline for i in found[:3]] == [
        "BookWell: vendor down, not yet acknowledged",
        "Cable: cable out",
        "The line: cable out",
    ]
    assert (found[1].resolved_wall, found[2].resolved_wall) == (None, mind.now.wall)
