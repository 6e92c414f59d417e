"""One root cause, one incident, from its first sign to its proven end."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Severity
from edge_watchdog.core.events import Acknowledged, ClockStepped, Woke
from edge_watchdog.core.incidents import (
    KEPT,
    app_works,
    keep_incidents,
    open_incident,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import JourneyReport, Stage
from edge_watchdog.core.state import (
    Cause,
    Diagnosis,
    Failover,
    Incident,
    Override,
    Phase,
    Scope,
    State,
    UplinkState,
    VendorState,
)
from tests.core.mind import CABLE, POLICY, STICK, THREE, UP, at

NOTICE, WARNING, OUTAGE = Severity.NOTICE, Severity.WARNING, Severity.OUTAGE


def ill(cause: Cause, since: float = 0.0) -> UplinkState:
    return UplinkState(link=UP, diagnosis=Diagnosis(cause, 0.9, at(since), ("why",)))


WELL = ill(Cause.NONE, -100)


def studio(
    cable: UplinkState = WELL,
    stick: UplinkState = WELL,
    *,
    vendor: Cause | None = Cause.NONE,
    since: float = 0.0,
    **failover: Any,
) -> State:
    said = None if vendor is None else Diagnosis(vendor, 0.9, at(since), ("seen",))
    stands = replace(Failover(active=CABLE), **failover)
    return State({CABLE: cable, STICK: stick}, stands, VendorState(diagnosis=said))


def kept(state: State, second: float = 0.0, policy=POLICY) -> State:
    now = at(second)
    return keep_incidents(state, Woke(now), now, policy)


def then(state: State, **changes: Any) -> State:
    """Have the same incidents in another situation."""
    return replace(studio(**changes), incidents=state.incidents, next_incident=state.next_incident)


def incident(state: State, scope: Scope = Scope.LINE) -> Incident:
    found = open_incident(state, scope)
    assert found is not None
    return found


class TestOurLine:
    def test_a_failover_opens_one(self):
        state = kept(studio(ill(Cause.CABLE_OUT), active=STICK), 0.1)
        found = incident(state)
        assert (found.cause, found.severity, found.uplink) == (Cause.CABLE_OUT, WARNING, CABLE)
        assert (found.opened, found.confidence, found.because) == (at(0), 0.9, ("why",))
        assert len(kept(state, 1).incidents) == 1

    def test_a_failover_without_a_cause_is_still_checking(self):
        found = incident(kept(studio(ill(Cause.CHECKING), active=STICK), 3))
        assert (found.cause, found.opened) == (Cause.CHECKING, at(3))

    def test_no_line_at_all_is_an_outage(self):
        state = kept(studio(ill(Cause.PROVIDER_DOWN), phase=Phase.STRANDED))
        assert incident(state).severity is OUTAGE

    def test_no_line_at_all_is_said_of_the_preferred_one(self):
        down = studio(ill(Cause.PROVIDER_DOWN), ill(Cause.NO_DATA), phase=Phase.STRANDED)
        down = replace(down, failover=replace(down.failover, active=STICK))
        assert incident(kept(down)).uplink == CABLE

    def test_stranded_on_a_backup_while_the_preferred_line_seems_well(self):
        down = studio(WELL, ill(Cause.NO_DATA), phase=Phase.STRANDED, active=STICK)
        assert incident(kept(down)).uplink == STICK
        down = studio(UplinkState(), UplinkState(), phase=Phase.STRANDED, active=STICK)
        assert incident(kept(down)).cause is Cause.CHECKING

    def test_nothing_is_said_before_there_is_a_line_in_use(self):
        assert kept(studio(ill(Cause.CABLE_OUT), active=None)).incidents == ()

    @pytest.mark.parametrize("phase", [Phase.SUSPECT, Phase.SWITCHING])
    def test_within_a_second_there_will_be_a_switch_or_none(self, phase):
        assert kept(studio(ill(Cause.PROVIDER_DOWN), phase=phase)).incidents == ()

    def test_a_fault_that_needs_no_switch_opens_one_too(self):
        assert incident(kept(studio(ill(Cause.DNS_DEAD)))).severity is WARNING

    @pytest.mark.parametrize("cause", [Cause.LINE_LOSS, Cause.LOCAL_LOSS])
    def test_an_unsteady_line_must_be_so_for_a_while(self, cause):
        assert kept(studio(ill(cause)), 14.9).incidents == ()
        assert incident(kept(studio(ill(cause)), 15)).severity is NOTICE

    def test_the_cause_may_change(self):
        state = kept(studio(ill(Cause.ROUTER_DEAD), active=STICK))
        state = kept(then(state, cable=ill(Cause.CABLE_OUT, 10), active=STICK), 14)
        assert incident(state).cause is Cause.CABLE_OUT
        assert len(state.incidents) == 1

    def test_a_fleeting_cause_does_not_change_it(self):
        state = kept(studio(ill(Cause.ROUTER_DEAD), active=STICK))
        state = kept(then(state, cable=ill(Cause.NO_ADDRESS, 10), active=STICK), 12.9)
        assert incident(state).cause is Cause.ROUTER_DEAD

    def test_a_fleeting_cause_does_not_quieten_it(self):
        state = kept(studio(ill(Cause.DNS_DEAD)))
        state = kept(then(state, cable=ill(Cause.CLOCK_WRONG, 10)), 11)
        assert incident(state).severity is WARNING
        state = kept(then(state, cable=ill(Cause.CLOCK_WRONG, 10)), 13)
        assert (incident(state).cause, incident(state).severity) == (Cause.CLOCK_WRONG, NOTICE)

    @pytest.mark.parametrize("cause", [Cause.CHECKING, Cause.NONE])
    def test_it_goes_on_while_the_line_waits_to_be_taken_back(self, cause):
        state = kept(studio(ill(Cause.ROUTER_DEAD), active=STICK))
        state = kept(then(state, cable=ill(cause, 10), active=STICK), 60)
        assert (incident(state).cause, incident(state).fine_since) == (Cause.ROUTER_DEAD, None)

    def test_still_checking_gives_way_to_a_cause_at_once(self):
        state = kept(studio(ill(Cause.CHECKING), active=STICK))
        state = kept(then(state, cable=ill(Cause.ROUTER_DEAD, 1), active=STICK), 1)
        assert incident(state).cause is Cause.ROUTER_DEAD

    def test_five_seconds_of_being_fine_end_it(self):
        state = kept(studio(ill(Cause.CABLE_OUT), active=STICK))
        state = kept(then(state), 10)
        assert incident(state).fine_since == at(10)
        state = kept(state, 14.9)
        assert incident(state).resolved is None
        state = kept(state, 15)
        assert (open_incident(state, Scope.LINE), state.incidents[0].resolved) == (None, at(15))

    def test_a_relapse_is_the_same_incident(self):
        state = kept(studio(ill(Cause.DNS_DEAD)))
        state = kept(then(state), 10)
        state = kept(then(state, cable=ill(Cause.DNS_DEAD)), 12)
        assert (incident(state).fine_since, len(state.incidents)) == (None, 1)

    def test_another_cause_after_a_moment_of_being_fine_is_another_incident(self):
        state = kept(studio(ill(Cause.DNS_DEAD)))
        state = kept(then(state), 10)
        state = kept(then(state, cable=ill(Cause.CABLE_OUT, 12), active=STICK), 12)
        assert [(i.cause, i.resolved) for i in state.incidents] == [
            (Cause.DNS_DEAD, at(12)),
            (Cause.CABLE_OUT, None),
        ]

    def test_stranded_without_any_known_fault_is_still_checking(self):
        assert incident(kept(studio(phase=Phase.STRANDED))).cause is Cause.CHECKING


class TestByChoice:
    CHOSEN = Override(STICK, 1e9, "the cable is being moved")

    def test_being_on_the_backup_by_order_is_no_trouble(self):
        assert kept(studio(active=STICK, override=self.CHOSEN)).incidents == ()
        checking = ill(Cause.CHECKING)
        assert kept(studio(checking, active=STICK, override=self.CHOSEN)).incidents == ()

    def test_an_order_does_not_make_a_broken_line_well(self):
        state = kept(studio(ill(Cause.CABLE_OUT), active=STICK, override=self.CHOSEN))
        assert incident(state).cause is Cause.CABLE_OUT

    def test_when_the_order_is_over_no_incident_is_made_of_the_way_back(self):
        assert kept(studio(active=STICK)).incidents == ()

    def test_a_line_that_nobody_looked_at_yet_is_a_trouble(self):
        assert incident(kept(studio(UplinkState(), active=STICK))).cause is Cause.CHECKING


class TestTheVendor:
    @pytest.mark.parametrize(
        "cause, wait_s, severity",
        [
            (Cause.VENDOR_SILENT, 0, OUTAGE),
            (Cause.VENDOR_NAME, 0, OUTAGE),
            (Cause.VENDOR_ANNOUNCED, 0, OUTAGE),
            (Cause.VENDOR_MAINTENANCE, 0, WARNING),
            (Cause.VENDOR_SLOW, 60, WARNING),
            (Cause.STATUS_PAGE_DOWN, 120, NOTICE),
        ],
    )
    def test_each_trouble_has_its_weight_and_its_patience(self, cause, wait_s, severity):
        state = studio(vendor=cause)
        assert wait_s == 0 or kept(state, wait_s - 0.1).incidents == ()
        found = incident(kept(state, wait_s), Scope.VENDOR)
        assert (found.cause, found.severity, found.uplink) == (cause, severity, CABLE)

    @pytest.mark.parametrize(
        "cause, severity",
        [(Cause.VENDOR_ANNOUNCED, WARNING), (Cause.VENDOR_MAINTENANCE, NOTICE)],
    )
    def test_what_is_announced_is_half_as_bad_while_the_app_works(self, cause, severity):
        visit = JourneyReport(at(0), CABLE, Stage.DONE)
        state = studio(replace(WELL, journey=visit), vendor=cause)
        assert app_works(state)
        assert incident(kept(state), Scope.VENDOR).severity is severity

    def test_the_app_does_not_work_by_not_being_visited(self):
        assert not app_works(studio())
        assert not app_works(studio(active=None))

    @pytest.mark.parametrize("cause", [None, Cause.CHECKING])
    def test_while_nothing_can_be_said_it_is_neither_opened_nor_closed(self, cause):
        assert kept(studio(vendor=cause)).incidents == ()
        state = kept(studio(vendor=Cause.VENDOR_SILENT))
        state = kept(then(state, vendor=cause), 1000)
        assert incident(state, Scope.VENDOR).fine_since is None

    def test_a_minute_of_being_fine_ends_it(self):
        state = kept(studio(vendor=Cause.VENDOR_SILENT))
        state = kept(then(state), 10)
        assert open_incident(kept(state, 69.9), Scope.VENDOR) is not None
        assert open_incident(kept(state, 70), Scope.VENDOR) is None

    def test_a_cause_of_the_line_is_not_the_vendor_s(self):
        assert kept(studio(vendor=Cause.DNS_DEAD)).incidents == ()


class TestTheBackup:
    def test_a_fault_is_told_after_a_minute(self):
        state = studio(stick=ill(Cause.DEVICE_GONE))
        assert kept(state, 59).incidents == ()
        found = incident(kept(state, 60), Scope.BACKUP)
        assert (found.severity, found.uplink) == (NOTICE, STICK)

    def test_a_backup_that_is_in_use_or_not_known_is_none(self):
        state = studio(ill(Cause.CABLE_OUT), ill(Cause.NO_DATA), active=STICK)
        assert open_incident(kept(state, 100), Scope.BACKUP) is None
        assert kept(studio(stick=UplinkState()), 100).incidents == ()

    def test_a_second_backup_that_fails_goes_on_with_the_same_incident(self):
        state = kept(studio(stick=ill(Cause.DEVICE_GONE)), 60)
        worse = then(state)
        phone = ill(Cause.NO_DATA, 59)
        worse = replace(worse, uplinks={**worse.uplinks, "phone": phone})
        state = kept(worse, 63, THREE)
        assert (incident(state, Scope.BACKUP).uplink, len(state.incidents)) == ("phone", 1)


def test_when_the_clock_is_set_open_incidents_are_dated_anew_and_closed_ones_are_not():
    closed = Incident(1, Scope.BACKUP, Cause.NO_DATA, NOTICE, at(0), STICK, resolved=at(1))
    opened = Incident(2, Scope.LINE, Cause.CABLE_OUT, WARNING, at(2), CABLE, next_update=at(3602))
    state = State(
        {CABLE: ill(Cause.CABLE_OUT), STICK: WELL},
        Failover(active=STICK),
        incidents=(closed, opened),
    )
    found = keep_incidents(state, ClockStepped(at(5), 3600.0), at(5), POLICY).incidents
    assert found[0] == closed
    assert found[1].opened == Instant(at(2).mono, at(2).wall + 3600)
    assert found[1].next_update == Instant(at(3602).mono, at(3602).wall + 3600)


def test_an_incident_lasts_until_the_line_is_well_not_until_it_is_trusted_again():
    state = State({CABLE: ill(Cause.CABLE_OUT), STICK: WELL}, Failover(active=STICK))
    state = keep_incidents(state, Woke(at(5)), at(5), POLICY)
    assert state.incidents[0].mended is None
    well = replace(ill(Cause.NONE, 60), clean_since=at(61))
    state = replace(state, uplinks={**state.uplinks, CABLE: well})
    for second in (61, 90):
        state = keep_incidents(state, Woke(at(second)), at(second), POLICY)
    assert state.incidents[0].mended == at(61)
    state = replace(state, uplinks={**state.uplinks, CABLE: replace(well, clean_since=None)})
    assert keep_incidents(state, Woke(at(95)), at(95), POLICY).incidents[0].mended is None


def test_a_line_that_answers_without_its_name_service_is_not_well():
    state = kept(studio(replace(ill(Cause.DNS_DEAD), clean_since=at(-9))))
    state = keep_incidents(state, Woke(at(60)), at(60), POLICY)
    assert incident(state).mended is None


def test_got_it_is_kept_with_the_incident():
    state = kept(studio(ill(Cause.DNS_DEAD), vendor=Cause.VENDOR_SILENT))
    event = Acknowledged(at(1), incident(state).id, "Anna")
    state = keep_incidents(state, event, at(1), POLICY)
    assert incident(state).acknowledged_by == "Anna"
    assert incident(state, Scope.VENDOR).acknowledged_by == ""


def test_fifty_that_are_over_are_remembered():
    old = Incident(0, Scope.LINE, Cause.CABLE_OUT, WARNING, at(-9), resolved=at(-8))
    past = tuple(replace(old, id=n) for n in range(KEPT + 10))
    state = kept(replace(studio(ill(Cause.DNS_DEAD)), incidents=past, next_incident=99))
    assert [i.id for i in state.incidents] == [*range(10, KEPT + 10), 99]


@pytest.mark.parametrize(
    "returns, cause",
    [((0, 60, 120), Cause.LINE_UNSTABLE), ((0, 60), Cause.PROVIDER_DOWN), ((-500, 0, 9), None)],
)
def test_a_line_that_came_back_three_times_in_ten_minutes_is_called_unstable(returns, cause):
    comes_and_goes = replace(ill(Cause.PROVIDER_DOWN), returns=tuple(at(s) for s in returns))
    state = kept(studio(cable=comes_and_goes, active=STICK), 130)
    found = open_incident(state, Scope.LINE)
    assert found is not None
    assert found.cause is (cause or Cause.PROVIDER_DOWN)


def test_a_line_that_comes_and_goes_because_two_devices_have_its_address_is_called_that():
    comes_and_goes = replace(ill(Cause.ADDRESS_CONFLICT), returns=(at(0), at(60), at(120)))
    state = kept(studio(cable=comes_and_goes, active=STICK), 130)
    assert incident(state).cause is Cause.ADDRESS_CONFLICT
