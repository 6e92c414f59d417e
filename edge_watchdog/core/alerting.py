"""When people are told, and why: first, changed, update due, resolved; never twice for one reason.

A trouble that heals within ALERT_WAIT_S is nobody's business but the page's.  What was told is owed
an end: whoever heard "down" will hear "back".
"""

from dataclasses import replace

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Alert, Reason, Severity
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.sending import send
from edge_watchdog.core.state import Cause, Incident, Scope, State

ALERT_WAIT_S = 10.0
CHANGED_REST_S = 60.0  # a verdict that is still settling must not ring every second


def send_alerts(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Send what is due for each incident."""
    actions: list[Action] = []
    for incident in state.incidents:
        reason = why_now(incident, now)
        if reason is None or (incident.told is None and _is_healed(incident, state)):
            continue
        state, sent = send(state, _alert(incident, reason, state, now, policy))
        actions += sent
        told = replace(
            incident,
            told=incident.severity,
            told_cause=incident.cause,
            told_at=now,
            next_update=None if reason is Reason.RESOLVED else next_word(incident, now, policy),
        )
        incidents = tuple(told if i.id == told.id else i for i in state.incidents)
        state = replace(state, incidents=incidents)
    return state, tuple(actions)


def next_word(incident: Incident, now: Instant, policy: Policy) -> Instant:
    """Give when people who are told at *now* will hear again: in an hour, even without news.

    Of a vendor's outage first when the vendor wanted to be back, if that is to come.
    """
    hourly, goal = now.plus(policy.update_every_s), incident.opened.plus(policy.vendor_goal_s)
    down = incident.scope is Scope.VENDOR and incident.severity is Severity.OUTAGE
    awaited = down and CHANGED_REST_S <= goal.since(now) < policy.update_every_s
    return goal if awaited else hourly


def _is_healed(incident: Incident, state: State) -> bool:
    """Tell whether the line is well and only waits to be taken back: no news to begin with."""
    known = state.uplinks.get(incident.uplink or "")
    waits = incident.scope is Scope.LINE and incident.uplink != state.failover.active
    return waits and known is not None and known.clean_since is not None


def why_now(incident: Incident, now: Instant) -> Reason | None:
    """Give the reason to tell people of *incident* at *now*; None when there is none."""
    if incident.resolved is not None:
        owed = incident.told is not None and incident.next_update is not None
        return Reason.RESOLVED if owed else None
    if incident.told is None or incident.told_at is None:
        ripe = now.since(incident.opened) >= ALERT_WAIT_S and incident.fine_since is None
        first = Reason.NOTICE if incident.severity is Severity.NOTICE else Reason.FIRST
        return first if ripe else None
    if _has_changed(incident) and now.since(incident.told_at) >= CHANGED_REST_S:
        return Reason.CHANGED
    due = incident.next_update is not None and now.mono >= incident.next_update.mono
    loud = incident.severity is not Severity.NOTICE
    return Reason.UPDATE_DUE if due and loud else None


def _has_changed(incident: Incident) -> bool:
    if incident.fine_since is not None:
        return False
    cause = incident.cause is not incident.told_cause and incident.cause is not Cause.CHECKING
    return cause or incident.severity is not incident.told


def next_alert(incident: Incident) -> float | None:
    """Give when (CLOCK_BOOTTIME) why_now() may next have something to say; None = never."""
    if incident.resolved is not None:
        return None
    if incident.told is None or incident.told_at is None:
        return incident.opened.mono + ALERT_WAIT_S
    if _has_changed(incident):
        return incident.told_at.mono + CHANGED_REST_S
    if incident.severity is Severity.NOTICE or incident.next_update is None:
        return None
    return incident.next_update.mono


def _alert(incident: Incident, reason: Reason, state: State, now: Instant, policy: Policy) -> Alert:
    text = words.tell(incident, state, policy)
    headline = words.over(incident, policy) if incident.resolved else text.headline
    if reason is Reason.UPDATE_DUE:
        headline = words.lasting(headline, now.since(incident.opened))
    return Alert(
        incident=incident.id,
        reason=reason,
        severity=incident.severity,
        cause=incident.cause,
        headline=headline,
        body=f"{text.can_work} {text.changed}".strip() if not incident.resolved else "",
        steps=() if incident.resolved else text.steps,
        since_wall=incident.opened.wall,
        said_wall=now.wall,
    )
