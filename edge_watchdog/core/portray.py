"""State in, StudioView out: the one picture that every face shows."""

from edge_watchdog.core import words
from edge_watchdog.core.advance import health_of
from edge_watchdog.core.budget import data_view, data_words
from edge_watchdog.core.evidence import loss_ratio
from edge_watchdog.core.incidents import QUIET
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import ladder
from edge_watchdog.core.limits import limit_words
from edge_watchdog.core.model import Health, Layer, Uplink, VendorLevel
from edge_watchdog.core.moves import hold_s, preferred_clean
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.reminders import with_ahead
from edge_watchdog.core.state import Cause, Failover, Incident, State
from edge_watchdog.core.vendor import app_health
from edge_watchdog.core.view import (
    IncidentView,
    OverrideView,
    RungView,
    StudioView,
    UplinkView,
    VendorView,
)

SHOWN_INCIDENTS = 20


def view(state: State, policy: Policy, now: Instant) -> StudioView:
    """Draw the whole studio as it is known at *now*."""
    failover = state.failover
    recent = sorted(state.incidents, key=lambda i: (i.resolved is not None, -i.id))
    return StudioView(
        at=now,
        version=state.version,
        mode=policy.mode,
        phase=failover.phase,
        active=failover.active,
        preferred=policy.uplinks[0].name if policy.uplinks else None,
        banner=with_ahead(words.banner(state, now, policy), state, now, policy),
        uplinks=tuple(_uplink(state, uplink, now, policy) for uplink in policy.uplinks),
        vendor=_vendor(state, now, policy),
        incidents=tuple(_incident(incident, policy) for incident in recent[:SHOWN_INCIDENTS]),
        failback_at_wall=_failback_at(state, now, policy),
        override=_override(failover, now),
        notices=_notices(state, now, policy),
        wall_known=all(
            u.diagnosis is None or u.diagnosis.cause is not Cause.CLOCK_WRONG
            for u in state.uplinks.values()
        ),
    )


def _override(failover: Failover, now: Instant) -> OverrideView | None:
    order = failover.override
    if order is None:
        return None
    until_wall = now.wall + order.until - now.mono
    in_force = order.uplink == failover.active
    note = "" if in_force else words.order_note(order, failover.active)
    return OverrideView(order.uplink, order.by, order.reason, until_wall, in_force, note)


def _uplink(state: State, uplink: Uplink, now: Instant, policy: Policy) -> UplinkView:
    known = state.uplinks[uplink.name]
    diagnosis = known.diagnosis
    rungs = ladder(known, now, policy)
    cause = diagnosis.cause if diagnosis else Cause.CHECKING
    health = health_of(known, now, policy)
    active = uplink.name == state.failover.active
    last = state.rehearsals.get(uplink.name)
    role = "in use" if active else "standby" if health == "up" else "out"
    data = data_view(state, uplink.name, policy)
    return UplinkView(
        name=uplink.name,
        interface=uplink.interface,
        metered=uplink.metered,
        role=role,
        health=health,
        cause="" if cause is Cause.NONE else words.label(cause),
        confidence=diagnosis.confidence if diagnosis else 0.0,
        because=diagnosis.because if diagnosis else (),
        rungs=tuple(RungView(layer, e.health, e.words) for layer, e in rungs.items()),
        rtt_s=rungs[Layer.INTERNET].rtt_s,
        loss_ratio=loss_ratio(known, now, policy),
        since_wall=diagnosis.since.wall if diagnosis else None,
        data=data,
        used=data_words(data, metered=uplink.metered),
        rehearsed_wall=last.at.wall if last else None,
        rehearsed=words.rehearsed(last) if last else "",
    )


def _vendor(state: State, now: Instant, policy: Policy) -> VendorView | None:
    report = state.vendor.report
    known = state.uplinks.get(state.failover.active or "")
    if report is None and (known is None or known.journey is None):
        return None
    diagnosis = state.vendor.diagnosis
    cause = diagnosis.cause if diagnosis else Cause.NONE
    return VendorView(
        name=policy.vendor_name,
        page=report.level if report else VendorLevel.UNKNOWN,
        page_title=report.title if report else "",
        page_reason=report.reason if report else "not read yet",
        page_as_of_wall=report.as_of_wall if report else None,
        app=app_health(known, now) if diagnosis else Health.UNKNOWN,
        app_evidence="; ".join(diagnosis.because) if diagnosis else "our own line is not verified",
        windows=report.windows if report else (),
        cause="" if cause is Cause.NONE else words.label(cause),
    )


def _incident(incident: Incident, policy: Policy) -> IncidentView:
    what = policy.vendor_name if incident.scope == "vendor" else incident.uplink or "the line"
    return IncidentView(
        id=incident.id,
        cause=words.label(incident.cause),
        headline=f"{words.capital(what)}: {words.label(incident.cause)}",
        severity=incident.severity,
        opened_wall=incident.opened.wall,
        resolved_wall=incident.resolved.wall if incident.resolved else None,
        acknowledged_by=incident.acknowledged_by,
        because=incident.because,
    )


def _failback_at(state: State, now: Instant, policy: Policy) -> float | None:
    better = preferred_clean(state, now, policy) if state.failover.active else None
    since = state.uplinks[better].clean_since if better else None
    if since is None:
        return None
    return since.wall + hold_s(state.failover, policy)


def _notices(state: State, now: Instant, policy: Policy) -> tuple[str, ...]:
    """List what is worth knowing, but is nobody's alarm."""
    notices = []
    for uplink in policy.uplinks:
        known = state.uplinks[uplink.name]
        diagnosis = known.diagnosis
        if uplink.name != state.failover.active and diagnosis and diagnosis.cause not in QUIET:
            notices.append(f"{uplink.name} is not ready: {words.label(diagnosis.cause)}.")
        deaf = sorted(t.target for t in known.tracks.values() if t.deaf)
        if deaf:
            notices.append(f"Ignored on {uplink.name}, others answer: {', '.join(deaf)}.")
    notices += limit_words(state, now, policy)
    steering = state.steering
    if steering.uplink is not None:
        notices.append(
            f"{policy.vendor_name} alone goes over {steering.uplink}:"
            f" it is not reached over {steering.line}."
        )
    if len(state.failover.switches) > policy.flap_switches:
        notices.append("The line keeps breaking; the box stays on the steadier one for a while.")
    return tuple(map(words.capital, (*notices, *state.trouble)))
