"""How often each uplink, the vendor and its page are asked: desired paces, sent only when changed.

Suspicion costs a burst, calm costs almost nothing, a metered standby costs next to nothing.
"""

from dataclasses import replace

from edge_watchdog.core.actions import Action, Pace, ProbeBurst, ProbeEvery, WatchVendor
from edge_watchdog.core.brownout import is_stuttering
from edge_watchdog.core.budget import only_at_need, standby_pace
from edge_watchdog.core.evidence import (
    SERVICE_MISSES,
    internet,
    is_hard_down,
    is_silent,
    on_layer,
    proof_due,
    service_misses,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Layer, Stage, Uplink
from edge_watchdog.core.moves import hold_s, next_standby
from edge_watchdog.core.once import once
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.core.portal import has_portal, is_portal_proven, plain_pages, secure_pages
from edge_watchdog.core.split import LOOK_REST_S, LOOK_S, split_since
from edge_watchdog.core.state import Cause, Phase, State, UplinkState

BURST_S = 1.0
SUSPECT_BURST_S = 0.5  # renewed while the suspicion lasts
SECOND_OPINION_S = 0.3  # three questions to each host
DOUBT_BURST_S = 0.1  # one question to each host: on a metered line every lost pulse costs a burst
PREARM_MISSES = 3
SECURE_STAGES = (Stage.TLS, Stage.CERTIFICATE)
SECURE_OFTEN_S = 60.0  # a line whose secure pages are asked so often carries one more at need
TRIAGE_REST_S = 2.0
BURST_REST_S = 5.0  # between bursts over an uplink that is known to be dead, or is only a standby
BURST_REST_METERED_S = 30.0
TRIAL_REST_S = 8.0  # in a rehearsal: a few bursts of it
TROUBLE_VISIT_S = 5.0
TROUBLE_VISIT_OTHER_S = 60.0
TROUBLE_VISIT_METERED_S = 300.0


def set_paces(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Order the paces that differ from those ordered before, and the bursts that are due."""
    actions: list[Action] = []
    for uplink in policy.uplinks:
        state, due = _set_pace(state, uplink)
        actions += due
    for uplink in policy.uplinks:
        state, due = _burst(state, uplink, now, policy)
        actions += due
    state, due = _watch_vendor(state, policy)
    return state, (*actions, *due)


def pace_of(state: State, uplink: Uplink) -> Pace:
    """Choose the pace for one uplink."""
    failover = state.failover
    if uplink.name == failover.active:
        return _pace_in_use(state, uplink)
    if failover.comparison is not None and failover.comparison.uplink == uplink.name:
        return Pace.COMPARED
    if uplink.name == state.steering.uplink:
        return Pace.ACTIVE_SPARING  # the vendor goes over it: its death must be seen soon
    if uplink.metered:
        return standby_pace(state, uplink.name)
    if _is_above_active(state, uplink):
        return Pace.ACTIVE_SPARING
    return Pace.STANDBY


def _pace_in_use(state: State, uplink: Uplink) -> Pace:
    known = state.uplinks[uplink.name]
    looked_at = known.pace is Pace.ACTIVE_CLOSE and known.cusum > 0.0
    if not uplink.metered and (looked_at or is_stuttering(known)):
        return Pace.ACTIVE_CLOSE
    if not state.is_open:
        return Pace.ACTIVE_SPARING
    if not uplink.metered:
        return Pace.ACTIVE
    return Pace.ACTIVE_METERED if _has_other(state, uplink) else Pace.ACTIVE_SPARING


def _has_other(state: State, uplink: Uplink) -> bool:
    """Tell whether there is a line to go to when this one dies."""
    others = (known.link for name, known in state.uplinks.items() if name != uplink.name)
    return any(link is not None and not is_hard_down(link) for link in others)


def _is_above_active(state: State, uplink: Uplink) -> bool:
    """Tell whether this is a better uplink that we want back."""
    names = list(state.uplinks)
    active = state.failover.active
    return active is not None and names.index(uplink.name) < names.index(active)


def _set_pace(state: State, uplink: Uplink) -> tuple[State, tuple[Action, ...]]:
    known = state.uplinks[uplink.name]
    pace = pace_of(state, uplink)
    avoid = _deaf_targets(known)
    ordered = state.paces.get(uplink.name)
    if ordered is not None and (ordered.pace, ordered.avoid) == (pace, avoid):
        return state, ()
    order = ProbeEvery(state.next_id, uplink.name, pace, avoid)
    state = replace(
        state,
        next_id=state.next_id + 1,
        paces={**state.paces, uplink.name: order},
        uplinks={**state.uplinks, uplink.name: replace(known, pace=pace)},
    )
    return state, (order,)


@once
def _deaf_targets(known: UplinkState) -> tuple[str, ...]:
    return tuple(sorted(t.target for t in internet(known) if t.deaf))


def _burst(
    state: State, uplink: Uplink, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    known = state.uplinks[uplink.name]
    if now.mono < burst_due(state, uplink, policy):
        return state, ()
    active = uplink.name == state.failover.active
    for_s = SUSPECT_BURST_S if active else BURST_S
    if not active and _split_due(state, uplink, policy) is not None:
        for_s = SECOND_OPINION_S
    wanted = not active or state.failover.phase is Phase.STRANDED
    if _is_mere_doubt(state, uplink, policy):
        for_s = DOUBT_BURST_S
        wanted = known.silence is not None and known.silence.probes >= PREARM_MISSES
    wanted = wanted or has_portal(known) or _needs_triage(known) or known.vetoed
    wanted = wanted or _is_on_trial(state, uplink)
    triage = wanted and _triage_due(known, now)
    secure = triage and _meets_a_stranger(known)
    at_once = known.burst_at < _brink(known, policy) <= now.mono
    burst = ProbeBurst(state.next_id, uplink.name, for_s, triage, secure, at_once and active)
    known = replace(known, burst_until=now.mono + for_s, burst_at=now.mono)
    uplinks = {**state.uplinks, uplink.name: known}
    return replace(state, next_id=state.next_id + 1, uplinks=uplinks), (burst,)


def _is_mere_doubt(state: State, uplink: Uplink, policy: Policy) -> bool:
    """Tell whether a metered standby only lost a question, and no decision waits for it."""
    in_doubt = uplink.metered and state.uplinks[uplink.name].silence is not None
    active = uplink.name == state.failover.active
    return in_doubt and not active and not _wants_burst_now(state, uplink, policy)


def _is_on_trial(state: State, uplink: Uplink) -> bool:
    trial = state.failover.trial
    return trial is not None and trial.uplink == uplink.name


@once
def _needs_triage(known: UplinkState) -> bool:
    """Tell whether the slow rungs should be asked before their turn: something just began."""
    names = on_layer(known, Layer.NAMES)
    names_waver = 0 < service_misses(names) < SERVICE_MISSES
    return _lost_hearing(known) or names_waver or _meets_a_stranger(known)


def _meets_a_stranger(known: UplinkState) -> bool:
    """Tell whether the app's secure connection fails, and no secure page was asked since.

    Somebody on the way may open them all: a page of another host tells that from the vendor's own
    trouble.
    """
    journey, since = known.journey, known.journey_since
    failed = journey is not None and journey.stage in SECURE_STAGES
    period_s = PACES[known.pace].secure
    if since is None or not failed or period_s is None or period_s > SECURE_OFTEN_S:
        return False
    return all(t.asked.mono < since.mono for t in secure_pages(known))


def _lost_hearing(known: UplinkState) -> bool:
    """Tell whether targets went deaf since a page was last asked: a portal may be why."""
    asked = max((t.asked.mono for t in plain_pages(known)), default=float("inf"))
    return any(
        t.deaf and t.losing_since is not None and t.losing_since.mono > asked
        for t in internet(known)
    )


def _triage_due(known: UplinkState, now: Instant) -> bool:
    return all(now.since(t.asked) >= TRIAGE_REST_S for t in on_layer(known, Layer.WEB))


def burst_due(state: State, uplink: Uplink, policy: Policy) -> float:
    """Give when (CLOCK_BOOTTIME) the next burst over *uplink* is due; infinity when none is."""
    known = state.uplinks[uplink.name]
    if known.link is None or is_hard_down(known.link):
        return float("inf")
    if _wants_burst_now(state, uplink, policy):
        brink = _brink(known, policy) if uplink.name == state.failover.active else float("-inf")
        return min(known.burst_until, brink) if known.burst_at < brink else known.burst_until
    split = _split_due(state, uplink, policy)
    if only_at_need(state, uplink.name) or split is not None:
        return float("inf") if split is None else split
    on_trial = _is_on_trial(state, uplink)
    pause_s = BURST_REST_METERED_S if uplink.metered else BURST_REST_S
    rest = known.burst_at + (TRIAL_REST_S if on_trial else pause_s)
    in_doubt = known.silence is not None and not is_silent(known, policy)
    active = uplink.name == state.failover.active
    # a sign-in page on a metered standby is not worth a burst every half minute for days
    portal = (active or not uplink.metered) and has_portal(known)
    asks_on = state.failover.phase is Phase.STRANDED or portal or _needs_triage(known)
    if asks_on or known.vetoed or on_trial:
        return rest
    if (override := state.failover.override) is not None and override.uplink == uplink.name:
        return float("inf") if active else rest
    awaited = state.failover.phase is Phase.HOLDING and _is_above_active(state, uplink)
    if awaited and known.clean_since is not None:
        return max(rest, known.clean_since.mono + hold_s(state.failover, policy))
    if in_doubt and not active:
        return rest
    return float("inf")


def _split_due(state: State, uplink: Uplink, policy: Policy) -> float | None:
    """Give when to ask about a young split of an unmetered line in use; None when there is none.

    The line itself is asked again and again, its best standby once: do others hear them?
    """
    active = state.failover.active
    since = None if active is None else split_since(state.uplinks[active])
    if since is None or any(u.metered for u in policy.uplinks if u.name == active):
        return None
    known = state.uplinks[uplink.name]
    if uplink.name == active:
        due = known.burst_at + LOOK_REST_S
        return due if due <= since + LOOK_S else None
    asks = uplink.name == next_standby(state, policy) and known.burst_at < since
    return since if asks else None


def _brink(known: UplinkState, policy: Policy) -> float:
    """Give from when one more lost question proves the silence; -infinity while all is well."""
    return float("-inf") if known.silence is None else proof_due(known.silence, policy)


def _wants_burst_now(state: State, uplink: Uplink, policy: Policy) -> bool:
    """Tell whether a decision waits for what this uplink answers."""
    failover = state.failover
    if failover.phase is Phase.DIVERTED:
        return uplink.name == failover.left
    if failover.phase is not Phase.SUSPECT or failover.active is None:
        return False
    if uplink.name == failover.active:
        return True
    active = state.uplinks[failover.active]
    # one lost question is not worth a standby's money; a lost burst tick, or no carrier, is
    serious = active.silence is not None and active.silence.probes >= PREARM_MISSES
    serious = serious and not active.vetoed
    serious = serious or is_portal_proven(active)
    return (serious or is_hard_down(active.link)) and uplink.name == next_standby(state, policy)


def _watch_vendor(state: State, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    visits = {u.name: s for u in policy.uplinks if (s := _visit_every(state, u)) is not None}
    wanted = (_status_every(state, policy), _status_via(state), visits)
    ordered = state.vendor.order
    if ordered is not None and (ordered.every_s, ordered.via, ordered.visits) == wanted:
        return state, ()
    order = WatchVendor(state.next_id, *wanted)
    vendor = replace(state.vendor, order=order)
    return replace(state, next_id=state.next_id + 1, vendor=vendor), (order,)


def _status_via(state: State) -> str | None:
    active = state.failover.active
    return None if active is None or state.failover.phase is Phase.STRANDED else active


def _status_every(state: State, policy: Policy) -> float:
    metered = {u.name for u in policy.uplinks if u.metered}
    if _vendor_trouble(state):
        return policy.status_trouble_s
    factor = 5.0 if state.failover.active in metered else 1.0
    return policy.status_every_s * factor


def _vendor_trouble(state: State) -> bool:
    calm = (Cause.NONE, Cause.STATUS_PAGE_DOWN, Cause.VENDOR_SLOW)
    diagnosis = state.vendor.diagnosis
    return diagnosis is not None and diagnosis.cause not in calm


def _visit_every(state: State, uplink: Uplink) -> float | None:
    """Give the seconds between visits of the app through *uplink*; None while it cannot be used."""
    known = state.uplinks[uplink.name]
    if known.link is None or is_hard_down(known.link):
        return None
    if _is_on_trial(state, uplink):
        return TROUBLE_VISIT_S
    usual = PACES[known.pace].journey
    if usual is None or not (_vendor_trouble(state) or _fails(known)):
        return usual
    if uplink.name == state.steering.uplink:
        return TROUBLE_VISIT_OTHER_S
    if uplink.name == state.failover.active:
        return TROUBLE_VISIT_S if not uplink.metered else TROUBLE_VISIT_OTHER_S
    return TROUBLE_VISIT_METERED_S if uplink.metered else TROUBLE_VISIT_OTHER_S


def _fails(known: UplinkState) -> bool:
    return known.journey is not None and not known.journey.ok
