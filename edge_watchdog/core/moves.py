"""What the evidence asks of the failover: one Move at a time, or none.

State in, a Sign out, with the uplink to go to.  Two promises hold whatever happens: nothing moves
without a verified standby, and a standby's trouble never touches the active path.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.brownout import way_out
from edge_watchdog.core.budget import may_carry
from edge_watchdog.core.events import Done, Event
from edge_watchdog.core.evidence import is_hard_down, is_silent, is_verified, operators_heard
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal, is_portal_proven
from edge_watchdog.core.rehearsal import wants
from edge_watchdog.core.state import Failover, How, Phase, State, UplinkState

WAY_BACK_S = 10.0  # a line left for now that is neither dead nor clean by then is left for good
STUTTER_MISSES = 3
AGAIN_S = 10.0
PARTIAL_S = 3.0  # some answer, but not two operators: stop bursting and look at it calmly


class Sign(StrEnum):
    """What the evidence says to the failover, at most one thing at a time."""

    ACTIVE_MISSES = "active misses"
    ACTIVE_ANSWERS = "active answers"
    GO = "go"
    NONE_LEFT = "none left"
    SWITCHED = "switched"
    SWITCH_FAILED = "switch failed"
    PROVEN_DEAD = "proven dead"
    PREFERRED_CLEAN = "preferred clean"
    PREFERRED_BAD = "preferred bad"


@dataclass(frozen=True, slots=True)
class Move:
    """A sign, and for GO where to, and how the old uplink is left."""

    sign: Sign
    to: str | None = None
    how: How = How.GENTLE


def read(state: State, event: Event, now: Instant, policy: Policy) -> Move | None:
    """Read the one sign that matters in this phase; None when nothing is asked for."""
    match state.failover.phase:
        case Phase.SWITCHING:
            return _read_switching(state.failover, event)
        case Phase.STRANDED:
            return _read_stranded(state, now, policy)
        case Phase.SUSPECT:
            return _read_suspect(state, now, policy)
        case Phase.SETTLED | Phase.DIVERTED | Phase.HOLDING:  # pragma: no branch - all are named
            return _read_calm(state, now, policy)


def _read_switching(failover: Failover, event: Event) -> Move | None:
    if isinstance(event, Done) and event.action == failover.order:
        return Move(Sign.SWITCHED if event.ok else Sign.SWITCH_FAILED)
    return None


def _read_stranded(state: State, now: Instant, policy: Policy) -> Move | None:
    active = state.uplinks[active_of(state.failover)]
    if is_verified(active, now, policy) or active.vetoed:
        return Move(Sign.ACTIVE_ANSWERS)
    standby = best_standby(state, now, policy)
    back_for = now.since(active.back_at) if active.back_at else PARTIAL_S
    coming_back = active.silence is None and not is_hard_down(active.link)
    if standby is None or (coming_back and back_for < PARTIAL_S):
        return None
    dead = hard_down_for(active, now) >= policy.carrier_debounce_s
    return Move(Sign.GO, standby, How.HARD if dead else How.PROVISIONAL)


def _read_suspect(state: State, now: Instant, policy: Policy) -> Move | None:
    failover = state.failover
    active = state.uplinks[active_of(failover)]
    dead = hard_down_for(active, now) >= policy.carrier_debounce_s
    if dead or is_silent(active, policy) or is_portal_proven(active):
        standby = best_standby(state, now, policy)
        if standby:
            return Move(Sign.GO, standby, How.HARD if dead else How.PROVISIONAL)
        return None if _may_still_answer(state, now, policy) else Move(Sign.NONE_LEFT)
    since = failover.since.mono if failover.since else 0.0
    answers = (active.silence is None or active.vetoed) and not is_hard_down(active.link)
    enough = len(operators_heard(active, since)) >= policy.verified_operators
    if answers and (enough or now.mono - since >= PARTIAL_S):
        return Move(Sign.ACTIVE_ANSWERS)
    return None


def _may_still_answer(state: State, now: Instant, policy: Policy) -> bool:
    """Tell whether a standby is being asked at this very moment, or is about to be."""
    active, since = state.failover.active, state.failover.since
    first = next_standby(state, policy)
    if first is not None and since is not None and state.uplinks[first].burst_at < since.mono:
        return True
    return any(u.burst_until > now.mono for name, u in state.uplinks.items() if name != active)


def _read_calm(state: State, now: Instant, policy: Policy) -> Move | None:
    failover = state.failover
    active = state.uplinks[active_of(failover)]
    if is_hard_down(active.link) or _misses(active) or is_portal_proven(active):
        return Move(Sign.ACTIVE_MISSES)
    wish = _wish(state, now, policy)
    if wish is not None:
        return wish
    stage = wants(state, now, policy)
    if stage is not None:
        return Move(Sign.GO, stage)
    better = way_out(state, now, policy)
    if better is not None:
        return Move(Sign.GO, better)
    if failover.phase is Phase.DIVERTED:
        return _read_diverted(state, now, policy)
    return _read_failback(state, now, policy)


def _misses(active: UplinkState) -> bool:
    """Tell whether a silence began; on a line that stutters a lost question is no news."""
    enough = STUTTER_MISSES if active.pace is Pace.ACTIVE_CLOSE else 1
    silence = active.silence
    return silence is not None and silence.probes >= enough and not active.vetoed


def _wish(state: State, now: Instant, policy: Policy) -> Move | None:
    """Follow a person's override, as soon as the uplink it names is verified.

    One that failed meanwhile must have been well again for as long as any other.
    """
    override = state.failover.override
    if override is None or override.uplink == state.failover.active:
        return None
    if policy.mode is Mode.OBSERVE:
        return None
    known = state.uplinks[override.uplink]
    rests = override.failed and _clean_for(known, now) < hold_s(state.failover, policy)
    return Move(Sign.GO, override.uplink) if is_verified(known, now, policy) and not rests else None


def _read_diverted(state: State, now: Instant, policy: Policy) -> Move | None:
    failover = state.failover
    if failover.left is None or failover.left_since is None:
        return Move(Sign.PROVEN_DEAD)
    left = state.uplinks[failover.left]
    clean = _clean_for(left, now)
    steady = len(failover.undos) + 1 < policy.undo_limit and not _went_again(failover)
    if clean >= policy.undo_s and is_verified(left, now, policy) and steady:
        return Move(Sign.GO, failover.left)
    hard = hard_down_for(left, now) >= policy.carrier_debounce_s
    silent_for = now.since(left.silence.since) if left.silence and not left.vetoed else 0.0
    if hard or silent_for >= policy.evict_s or now.since(failover.left_since) >= WAY_BACK_S:
        return Move(Sign.PROVEN_DEAD)
    if not steady and clean >= policy.undo_s:
        return Move(Sign.PROVEN_DEAD)
    return None


def _went_again(failover: Failover) -> bool:
    """Tell whether the line was left again right after the last undo: it flaps."""
    left = failover.left_since
    return left is not None and bool(failover.undos) and left.mono - failover.undos[-1] < AGAIN_S


def _read_failback(state: State, now: Instant, policy: Policy) -> Move | None:
    failover = state.failover
    better = preferred_clean(state, now, policy)
    if failover.phase is Phase.SETTLED:
        return Move(Sign.PREFERRED_CLEAN) if better else None
    if better is None:
        return Move(Sign.PREFERRED_BAD)
    since = state.uplinks[better].clean_since
    held = since is not None and now.since(since) >= hold_s(failover, policy)
    if held and is_verified(state.uplinks[better], now, policy):
        return Move(Sign.GO, better)
    return None


def is_ordered(failover: Failover) -> bool:
    """Tell whether the line in use is the one a person ordered."""
    return failover.override is not None and failover.override.uplink == failover.active


def preferred_clean(state: State, now: Instant, policy: Policy) -> str | None:
    """Name the most preferred uplink that is better than the active one and clean just now.

    One whose plan is used up is not better, where the owner says so.
    """
    if policy.mode is Mode.OBSERVE or is_ordered(state.failover) or state.failover.trial:
        return None
    for uplink in policy.uplinks:
        if uplink.name == state.failover.active:
            return None
        clean = _clean_for(state.uplinks[uplink.name], now) > 0
        if clean and may_carry(state, uplink.name, policy):
            return uplink.name
    return None


def _clean_for(known: UplinkState, now: Instant) -> float:
    return 0.0 if known.clean_since is None else now.since(known.clean_since)


def hold_s(failover: Failover, policy: Policy) -> float:
    """Give how long a better uplink must stay clean: doubled with each failure in memory."""
    if len(failover.switches) > policy.flap_switches:
        return policy.hold_cap_s
    doublings = max(0, len(failover.failures) - 1)
    return min(policy.hold_cap_s, policy.hold_s * 2.0 ** min(doublings, 20))


def hard_down_for(known: UplinkState, now: Instant) -> float:
    """Give the seconds since the kernel said that nothing can leave; -1 when it does not say so."""
    if not is_hard_down(known.link) or known.link_at is None:
        return -1.0
    return now.since(known.link_at)


def best_standby(state: State, now: Instant, policy: Policy) -> str | None:
    """Name the most preferred other uplink that was just seen to work; None in observe mode."""
    if policy.mode is Mode.OBSERVE:
        return None
    for uplink in policy.uplinks:
        other = uplink.name != state.failover.active and may_carry(state, uplink.name, policy)
        if other and is_verified(state.uplinks[uplink.name], now, policy):
            return uplink.name
    return None


def next_standby(state: State, policy: Policy) -> str | None:
    """Name the uplink worth verifying first: the most preferred other one that may work."""
    shown = []
    for uplink in policy.uplinks:
        known = state.uplinks[uplink.name]
        if not may_carry(state, uplink.name, policy):
            continue
        if uplink.name != state.failover.active and known.link and not is_hard_down(known.link):
            shown.append((known.silence is not None or has_portal(known), uplink.name))
    return min(shown, key=lambda one: one[0], default=(True, None))[1]


def active_of(failover: Failover) -> str:
    """Name the uplink in use; there must be one."""
    return named(failover.active)


def named(name: str | None) -> str:
    """Give the name of an uplink that must be known here."""
    assert name is not None  # noqa: S101 - decide() leaves early while nothing is active
    return name
