# mypy: disable-error-code="union-attr"
"""When people are told, and why."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Reason, SendAlert, Severity
from edge_watchdog.core.alerting import next_alert, next_word, send_alerts, why_now
from edge_watchdog.core.state import Cause, Failover, Incident, Scope, State, UplinkState
from tests.core.mind import CABLE, POLICY, STICK, at

NEW = Incident(7, Scope.LINE, Cause.CABLE_OUT, Severity.WARNING, at(0), CABLE)
MILD = replace(NEW, severity=Severity.NOTICE, cause=Cause.LINE_LOSS)
TOLD = replace(
    NEW, told=Severity.WARNING, told_cause=Cause.CABLE_OUT, told_at=at(10), next_update=at(3610)
)
TOLD_MILD = replace(TOLD, severity=Severity.NOTICE, told=Severity.NOTICE)


def studio(*incidents: Incident, **known: Any) -> State:
    lines = {CABLE: UplinkState(**known), STICK: UplinkState()}
    return State(lines, Failover(active=STICK), incidents=incidents, next_id=40)


@pytest.mark.parametrize(
    "incident, second, reason",
    [
        (NEW, 9.9, None),
        (NEW, 10, Reason.FIRST),
        (MILD, 10, Reason.NOTICE),
        (replace(NEW, fine_since=at(5)), 10, None),
        (replace(NEW, resolved=at(8)), 10, None),
        (TOLD, 100, None),
        (TOLD, 3609, None),
        (TOLD, 3610, Reason.UPDATE_DUE),
        (TOLD_MILD, 3610, None),
        (replace(TOLD, cause=Cause.ROUTER_DEAD), 69, None),
        (replace(TOLD, cause=Cause.ROUTER_DEAD), 70, Reason.CHANGED),
        (replace(TOLD, cause=Cause.CHECKING), 70, None),
        (replace(TOLD, severity=Severity.OUTAGE), 70, Reason.CHANGED),
        (replace(TOLD, severity=Severity.OUTAGE, fine_since=at(60)), 70, None),
        (replace(TOLD, resolved=at(100)), 100, Reason.RESOLVED),
        (replace(TOLD, resolved=at(100), next_update=None), 101, None),
    ],
    ids=[
        "not before ten seconds",
        "then the first word",
        "a small thing is a notice",
        "it heals just now",
        "it healed, nobody knew",
        "told already",
        "not yet an hour",
        "each hour a word, even without news",
        "no hourly word on a small thing",
        "another cause, still settling",
        "another cause",
        "no cause is no news",
        "graver",
        "graver for a moment",
        "over",
        "over, and told",
    ],
)
def test_there_is_a_reason_or_none(incident, second, reason):
    assert why_now(incident, at(second)) is reason


@pytest.mark.parametrize(
    "incident, second",
    [
        (NEW, 10),
        (TOLD, 3610),
        (replace(TOLD, cause=Cause.ROUTER_DEAD), 70),
        (TOLD_MILD, None),
        (replace(TOLD, next_update=None), None),
        (replace(TOLD, resolved=at(100)), None),
    ],
)
def test_the_next_moment_to_look_is_known(incident, second):
    assert next_alert(incident) == (None if second is None else at(second).mono)


def test_what_was_told_is_noted_and_not_told_again():
    state, actions = send_alerts(studio(NEW), at(10), POLICY)
    alert = actions[0].alert
    assert isinstance(actions[0], SendAlert)
    assert (actions[0].id, state.next_id) == (40, 41)
    assert (alert.reason, alert.since_wall, alert.said_wall) == (
        Reason.FIRST,
        at(0).wall,
        at(10).wall,
    )
    assert alert.headline == "The network cable of cable is out."
    assert len(alert.steps) == 3
    assert "The box has lost the signal" in alert.body
    assert state.incidents[0].next_update == at(3610)
    assert send_alerts(state, at(11), POLICY) == (state, ())


DOWN = replace(NEW, scope=Scope.VENDOR, cause=Cause.VENDOR_SILENT, severity=Severity.OUTAGE)


@pytest.mark.parametrize(
    "incident, told, again",
    [
        (DOWN, 10, 900),
        (DOWN, 840, 900),
        (DOWN, 841, 841 + 3600),
        (DOWN, 900, 900 + 3600),
        (replace(DOWN, severity=Severity.WARNING), 10, 3610),
        (replace(DOWN, scope=Scope.LINE), 10, 3610),
        (replace(DOWN, opened=at(5000)), 10, 3610),
    ],
    ids=[
        "when the vendor wants to be back",
        "a minute before",
        "just before: once is enough",
        "then each hour",
        "a vendor that works, somehow",
        "a line has no such goal",
        "never later than in an hour",
    ],
)
def test_the_next_word_comes_in_an_hour_or_when_the_vendor_wanted_to_be_back(incident, told, again):
    assert next_word(incident, at(told), POLICY) == at(again)


def test_an_update_says_how_long_it_has_lasted():
    due = replace(DOWN, told=Severity.OUTAGE, told_cause=Cause.VENDOR_SILENT)
    due = replace(due, told_at=at(10), next_update=at(900))
    _, (action,) = send_alerts(studio(due), at(900), POLICY)
    assert action.alert.reason is Reason.UPDATE_DUE
    assert action.alert.headline.endswith(" It has lasted 15 minutes.")


def test_each_incident_is_told_for_itself():
    vendor = replace(NEW, id=8, scope=Scope.VENDOR, cause=Cause.VENDOR_SILENT)
    state, actions = send_alerts(studio(NEW, vendor), at(10), POLICY)
    assert [a.alert.incident for a in actions] == [7, 8]
    assert all(i.told_at == at(10) for i in state.incidents)


def test_who_heard_down_hears_back_once():
    over = replace(TOLD, resolved=at(200))
    state, actions = send_alerts(studio(over), at(200), POLICY)
    alert = actions[0].alert
    assert alert.reason is Reason.RESOLVED
    assert (alert.body, alert.steps) == ("", ())
    assert "works again" in alert.headline
    assert send_alerts(state, at(201), POLICY) == (state, ())


def test_a_line_that_is_well_and_waits_to_be_taken_back_is_no_first_news():
    assert send_alerts(studio(NEW, clean_since=at(5)), at(10), POLICY)[1] == ()
    assert send_alerts(studio(NEW), at(10), POLICY)[1] != ()
    assert send_alerts(studio(TOLD, clean_since=at(5)), at(3610), POLICY)[1] != ()


def test_a_fault_of_the_line_in_use_is_told_although_hosts_answer():
    state = studio(replace(NEW, cause=Cause.DNS_DEAD), clean_since=at(-99))
    state = replace(state, failover=Failover(active=CABLE))
    assert send_alerts(state, at(10), POLICY)[1] != ()


def test_an_incident_of_a_line_that_is_no_more_is_told():
    assert send_alerts(studio(replace(NEW, uplink="satellite")), at(10), POLICY)[1] != ()
