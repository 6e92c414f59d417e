"""One root cause, one incident: opened when it shows, closed when its end is proven.

Each scope (our line, the vendor, the backup) has one open incident at most; the vendor's is neither
opened nor closed while our own line is not known to work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge_watchdog.core.actions import Severity
from edge_watchdog.core.events import Acknowledged, ClockStepped, Event
from edge_watchdog.core.evidence import is_unstable
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, Diagnosis, Incident, Phase, Scope, State, UplinkState

KEPT = 50  # incidents that stay in memory after their end, for the owner's page
# Seconds a cause must last before it is worth an incident; failover itself is never held back.
SHOWS_AFTER_S: Mapping[Cause, float] = {
    Cause.LINE_LOSS: 15.0,
    Cause.LOCAL_LOSS: 15.0,
    Cause.WIFI_WEAK: 15.0,
    Cause.LINE_SLOW: 30.0,
    Cause.LINE_FULL: 15.0,
    Cause.LINE_CONGESTED: 30.0,
    Cause.VENDOR_SLOW: 60.0,
    Cause.STATUS_PAGE_DOWN: 120.0,
}
BACKUP_SHOWS_AFTER_S = 60.0
# Seconds of being fine that prove an end; the line's own failback has already waited.
CLEAR_AFTER_S: Mapping[Scope, float] = {Scope.LINE: 5.0, Scope.VENDOR: 60.0, Scope.BACKUP: 60.0}
SURE = 0.95
SETTLES_S = 3.0  # a line that comes back passes through other faults for a moment
QUIET = frozenset({Cause.NONE, Cause.CHECKING})
SEVERITY: Mapping[Cause, Severity] = {
    Cause.LINE_LOSS: Severity.NOTICE,
    Cause.LOCAL_LOSS: Severity.NOTICE,
    Cause.PARTIAL_ROUTING: Severity.NOTICE,
    Cause.CLOCK_WRONG: Severity.NOTICE,
    Cause.ADDRESS_CONFLICT: Severity.NOTICE,
    Cause.SUBNET_OVERLAP: Severity.NOTICE,
    Cause.IPV6_DEAD: Severity.NOTICE,
    Cause.DNS_HIJACKED: Severity.NOTICE,
    Cause.LINE_SLOW: Severity.NOTICE,
    Cause.LINE_FULL: Severity.NOTICE,
    Cause.LINE_CONGESTED: Severity.NOTICE,
    Cause.DATA_CAP: Severity.NOTICE,
    Cause.STATUS_PAGE_DOWN: Severity.NOTICE,
    Cause.VENDOR_SILENT: Severity.OUTAGE,
    Cause.VENDOR_NAME: Severity.OUTAGE,
    Cause.VENDOR_LOGIN: Severity.OUTAGE,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a scope is suffering from right now."""

    cause: Cause
    severity: Severity
    uplink: str | None
    diagnosis: Diagnosis | None


def keep_incidents(state: State, event: Event, now: Instant, policy: Policy) -> State:
    """Open, change and close incidents after what is now known."""
    if isinstance(event, Acknowledged):
        state = _acknowledge(state, event)
    if isinstance(event, ClockStepped):
        state = replace(state, incidents=tuple(_redate(i, event.by_s) for i in state.incidents))
    for scope in Scope:
        state = _keep(state, scope, now, policy)
    kept = _prune(state.incidents)
    return state if len(kept) == len(state.incidents) else replace(state, incidents=kept)


def open_incident(state: State, scope: Scope) -> Incident | None:
    """Give the open incident of *scope*, if there is one."""
    return next((i for i in state.incidents if i.scope is scope and i.resolved is None), None)


def _acknowledge(state: State, event: Acknowledged) -> State:
    incidents = tuple(
        replace(i, acknowledged_by=event.by) if i.id == event.incident else i
        for i in state.incidents
    )
    return replace(state, incidents=incidents)


def _prune(incidents: tuple[Incident, ...]) -> tuple[Incident, ...]:
    over = [i for i in incidents if i.resolved is not None]
    gone = {i.id for i in over[: max(0, len(over) - KEPT)]}
    return tuple(i for i in incidents if i.id not in gone)


def _keep(state: State, scope: Scope, now: Instant, policy: Policy) -> State:
    incident = open_incident(state, scope)
    vendor = state.vendor.diagnosis
    if scope is Scope.VENDOR and (vendor is None or vendor.cause is Cause.CHECKING):
        return state  # nothing can be said: neither opened nor closed
    trouble = find_trouble(state, scope, now, policy)
    if trouble is None:
        return state if incident is None else _clear(state, incident, now)
    if incident is None:
        return _open(state, scope, trouble, now)
    if incident.fine_since is not None and trouble.cause not in (incident.cause, Cause.CHECKING):
        state = _swap(state, replace(incident, resolved=now))  # well in between: another one
        return _open(state, scope, trouble, now)
    return _swap(state, _mend(_update(incident, trouble, now), state, now))


def find_trouble(state: State, scope: Scope, now: Instant, policy: Policy) -> Trouble | None:
    """Say what *scope* suffers from, once it has lasted long enough to be worth saying."""
    match scope:
        case Scope.LINE:
            return _line_trouble(state, now, policy)
        case Scope.VENDOR:
            return _vendor_trouble(state, now)
        case Scope.BACKUP:  # pragma: no branch - all are named
            return _backup_trouble(state, now, policy)


def _line_trouble(state: State, now: Instant, policy: Policy) -> Trouble | None:
    failover = state.failover
    if failover.active is None:
        return None
    preferred = policy.uplinks[0].name
    if failover.phase is Phase.STRANDED:
        known = state.uplinks[preferred].diagnosis
        unsaid = known is None or known.cause in QUIET
        return _line(state, failover.active if unsaid else preferred, Severity.OUTAGE, now)
    if failover.active != preferred and not _by_choice(state, preferred):
        return _line(state, preferred, Severity.WARNING, now)
    diagnosis = state.uplinks[failover.active].diagnosis
    if diagnosis is None or diagnosis.cause in QUIET or not _shows(diagnosis, now):
        return None
    undecided = failover.phase in (Phase.SUSPECT, Phase.SWITCHING)
    if undecided and open_incident(state, Scope.LINE) is None:
        return None  # within a second there is a switch, or the proof that there can be none
    return _line(state, failover.active, SEVERITY.get(diagnosis.cause, Severity.WARNING), now)


def _by_choice(state: State, preferred: str) -> bool:
    """Tell whether a person's order, not a fault, keeps the box away from a *preferred* uplink."""
    diagnosis = state.uplinks[preferred].diagnosis
    if diagnosis is None or diagnosis.cause not in QUIET:
        return False
    if state.failover.override is not None:
        return True
    return diagnosis.cause is Cause.NONE and open_incident(state, Scope.LINE) is None


def unstable(known: UplinkState, now: Instant) -> Diagnosis | None:
    """Give the diagnosis of a line that comes and goes, whatever it is that comes and goes."""
    if not is_unstable(known, now):
        return None
    said = f"it came back {len(known.returns)} times within ten minutes, and went again"
    return Diagnosis(Cause.LINE_UNSTABLE, SURE, known.returns[0], (said,))


def _line(state: State, uplink: str, severity: Severity, now: Instant) -> Trouble:
    diagnosis = state.uplinks[uplink].diagnosis
    if diagnosis is None or diagnosis.cause is not Cause.ADDRESS_CONFLICT:  # which says why
        diagnosis = unstable(state.uplinks[uplink], now) or diagnosis
    before = open_incident(state, Scope.LINE)
    cause = diagnosis.cause if diagnosis else Cause.CHECKING
    if cause in QUIET and before is not None and before.uplink == uplink:
        cause, diagnosis = before.cause, None  # the line may be well again, the incident goes on
    elif cause is Cause.NONE:
        cause = Cause.CHECKING
    return Trouble(cause, severity, uplink, diagnosis)


def _shows(diagnosis: Diagnosis, now: Instant) -> bool:
    return now.since(diagnosis.since) >= SHOWS_AFTER_S.get(diagnosis.cause, 0.0)


def _vendor_trouble(state: State, now: Instant) -> Trouble | None:
    diagnosis = state.vendor.diagnosis
    if diagnosis is None or diagnosis.cause in QUIET or not _shows(diagnosis, now):
        return None
    if not diagnosis.cause.startswith(("vendor", "status")):
        return None
    severity = SEVERITY.get(diagnosis.cause, Severity.WARNING)
    if diagnosis.cause is Cause.VENDOR_ANNOUNCED and not app_works(state):
        severity = Severity.OUTAGE
    if diagnosis.cause is Cause.VENDOR_MAINTENANCE:
        severity = Severity.NOTICE if app_works(state) else Severity.WARNING
    return Trouble(diagnosis.cause, severity, state.failover.active, diagnosis)


def app_works(state: State) -> bool:
    """Tell whether the last visit through the active uplink found the app usable."""
    active = state.uplinks.get(state.failover.active or "")
    return active is not None and active.journey is not None and active.journey.ok


def _backup_trouble(state: State, now: Instant, policy: Policy) -> Trouble | None:
    before = open_incident(state, Scope.BACKUP)
    for uplink in policy.uplinks[1:]:
        diagnosis = state.uplinks[uplink.name].diagnosis
        if uplink.name == state.failover.active or diagnosis is None:
            continue
        lasted = now.since(diagnosis.since) >= BACKUP_SHOWS_AFTER_S
        if diagnosis.cause not in QUIET and (lasted or before is not None):
            return Trouble(diagnosis.cause, Severity.NOTICE, uplink.name, diagnosis)
    return _failed_rehearsal(state, policy)


def _failed_rehearsal(state: State, policy: Policy) -> Trouble | None:
    cause = Cause.REHEARSAL_FAILED
    for uplink in policy.uplinks[1:]:
        last = state.rehearsals.get(uplink.name)
        if last is not None and not last.ok and uplink.name != state.failover.active:
            said = Diagnosis(cause, SURE, last.at, last.faults)
            return Trouble(cause, Severity.NOTICE, uplink.name, said)
    return None


def _open(state: State, scope: Scope, trouble: Trouble, now: Instant) -> State:
    known = trouble.diagnosis is not None and trouble.diagnosis.cause is trouble.cause
    since = trouble.diagnosis.since if trouble.diagnosis and known else now
    incident = Incident(
        state.next_incident,
        scope,
        trouble.cause,
        trouble.severity,
        opened=since if trouble.cause not in QUIET else now,
        uplink=trouble.uplink,
    )
    incident = _update(incident, trouble, now)
    incidents = (*state.incidents, incident)
    return replace(state, incidents=incidents, next_incident=state.next_incident + 1)


def _update(incident: Incident, trouble: Trouble, now: Instant) -> Incident:
    diagnosis = trouble.diagnosis
    cause, severity = trouble.cause, trouble.severity
    fleeting = diagnosis is not None and now.since(diagnosis.since) < SETTLES_S
    other = incident.cause not in (Cause.CHECKING, cause)
    if other and (cause is Cause.CHECKING or fleeting):
        cause, diagnosis = incident.cause, None
        severity = max(severity, incident.severity, key=list(Severity).index)
    return replace(
        incident,
        cause=cause,
        severity=severity,
        uplink=trouble.uplink,
        confidence=diagnosis.confidence if diagnosis else incident.confidence,
        because=diagnosis.because if diagnosis else incident.because,
        fine_since=None,
    )


def _clear(state: State, incident: Incident, now: Instant) -> State:
    since = incident.fine_since or now
    over = now.since(since) >= CLEAR_AFTER_S[incident.scope]
    return _swap(state, replace(incident, fine_since=since, resolved=now if over else None))


def _redate(incident: Incident, by_s: float) -> Incident:
    """Give an open incident the wall times it would have had by the clock as it is now."""
    if incident.resolved is not None:
        return incident
    return replace(
        incident,
        opened=_moved(incident.opened, by_s),
        fine_since=incident.fine_since and _moved(incident.fine_since, by_s),
        next_update=incident.next_update and _moved(incident.next_update, by_s),
        told_at=incident.told_at and _moved(incident.told_at, by_s),
        mended=incident.mended and _moved(incident.mended, by_s),
    )


def _moved(date: Instant, by_s: float) -> Instant:
    return Instant(date.mono, date.wall + by_s)


def _mend(incident: Incident, state: State, now: Instant) -> Incident:
    """Note since when the line is well, while we still wait before we trust it."""
    known = state.uplinks.get(incident.uplink or "")
    if incident.scope is Scope.VENDOR or known is None or known.clean_since is None:
        return replace(incident, mended=None)
    if known.diagnosis is not None and known.diagnosis.cause not in QUIET:
        return replace(
            incident, mended=None
        )  # hosts answer, but that is not all there is to a line
    return replace(incident, mended=incident.mended or now)


def _swap(state: State, incident: Incident) -> State:
    if incident in state.incidents:
        return state
    incidents = tuple(incident if i.id == incident.id else i for i in state.incidents)
    return replace(state, incidents=incidents)
