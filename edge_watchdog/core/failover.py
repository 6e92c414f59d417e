"""Which uplink carries new connections: divert fast, evict late, come back without haste.

``decide`` is called after every event.  It reads one Sign off the evidence, looks up the next phase
in TRANSITIONS, and carries out what entering that phase means.  Two promises hold whatever happens:
nothing moves without a verified standby, and a standby's trouble never touches the active path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_watchdog.core.actions import Action, Evict, Pace, Ready, RouteVia
from edge_watchdog.core.brownout import way_out
from edge_watchdog.core.budget import may_carry
from edge_watchdog.core.events import Done, Event, LinkChanged, Ordered, OrderKind
from edge_watchdog.core.evidence import is_hard_down, is_silent, is_verified, operators_heard
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal, is_portal_proven
from edge_watchdog.core.rehearsal import wants
from edge_watchdog.core.state import Failover, How, Override, Phase, State, UplinkState


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


TRANSITIONS: Mapping[Phase, Mapping[Sign, Phase]] = {
    Phase.SETTLED: {
        Sign.ACTIVE_MISSES: Phase.SUSPECT,
        Sign.GO: Phase.SWITCHING,
        Sign.PREFERRED_CLEAN: Phase.HOLDING,
    },
    Phase.SUSPECT: {
        Sign.ACTIVE_ANSWERS: Phase.SETTLED,
        Sign.GO: Phase.SWITCHING,
        Sign.NONE_LEFT: Phase.STRANDED,
    },
    Phase.SWITCHING: {
        Sign.SWITCHED: Phase.DIVERTED,
        Sign.SWITCH_FAILED: Phase.SUSPECT,
    },
    Phase.DIVERTED: {
        Sign.PROVEN_DEAD: Phase.SETTLED,
        Sign.GO: Phase.SWITCHING,
        Sign.ACTIVE_MISSES: Phase.SUSPECT,
    },
    Phase.HOLDING: {
        Sign.GO: Phase.SWITCHING,
        Sign.PREFERRED_BAD: Phase.SETTLED,
        Sign.ACTIVE_MISSES: Phase.SUSPECT,
    },
    Phase.STRANDED: {
        Sign.ACTIVE_ANSWERS: Phase.SETTLED,
        Sign.GO: Phase.SWITCHING,
    },
}


@dataclass(frozen=True, slots=True)
class Move:
    """A sign, and for GO where to, and how the old uplink is left."""

    sign: Sign
    to: str | None = None
    how: How = How.GENTLE


FIRST_LOOK_S = 2.0  # at the very start, wait this long for the first look at a better uplink
RETRY_S = 1.0  # after the kernel refused a switch
RETRY_LONGEST_S = 60.0  # a line without a way out says so when it has one again
WAY_BACK_S = 10.0  # a line left for now that is neither dead nor clean by then is left for good
STUTTER_MISSES = 3
AGAIN_S = 10.0
CLEAN_MISSES = 3  # a line that loses a question now and then is still clean
PARTIAL_S = 3.0  # some answer, but not two operators: stop bursting and look at it calmly


def decide(
    state: State, event: Event, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    """Take the failover one step or more, until the evidence asks for nothing further."""
    state = _follow(_obey(state, event, policy), policy)
    state = replace(state, failover=_forget(state.failover, now, policy))
    if state.failover.active is None:
        return _begin(state, now, policy)
    state, actions = _repeat(state, event, now)
    for _ in Phase:  # pragma: no branch - no event leads through all of them, so this ends
        move = _read(state, event, now, policy)
        if move is None or (move.sign is Sign.GO and now.mono < state.failover.retry_at):
            break
        state, due = _enter(state, move, now, policy)
        actions += due
    return state, actions


def _repeat(state: State, event: Event, now: Instant) -> tuple[State, tuple[Action, ...]]:
    """Ask again for the route to the uplink in use when the kernel refused it."""
    failover = state.failover
    has_news = isinstance(event, LinkChanged) and event.uplink == failover.active
    if not failover.refused or (now.mono < failover.owed_at and not has_news):
        return state, ()
    action = RouteVia(state.next_id, _active(failover))
    failover = replace(failover, refused=False)
    return replace(state, failover=failover, next_id=state.next_id + 1), (action,)


def heed(state: State, event: Done) -> State:
    """Strike a finished action off the list; a refused route to the uplink in use is owed."""
    mine = [a for a in state.unfinished if a.id == event.action]
    state = replace(state, unfinished=tuple(a for a in state.unfinished if a not in mine))
    failover = state.failover
    routes = [a for a in mine if isinstance(a, RouteVia) and a.uplink == failover.active]
    if not routes or failover.phase is Phase.SWITCHING:
        return state
    if event.ok:
        return replace(state, failover=replace(failover, refused=False, refusals=0))
    pause_s = min(RETRY_S * 2.0**failover.refusals, RETRY_LONGEST_S)
    owed_at, refusals = event.at.mono + pause_s, min(failover.refusals + 1, 10)
    failover = replace(failover, refused=True, refusals=refusals, owed_at=owed_at)
    return replace(state, failover=failover)


def _obey(state: State, event: Event, policy: Policy) -> State:
    if not isinstance(event, Ordered):
        return state
    override = None
    if event.kind is OrderKind.USE and event.uplink and event.uplink in state.uplinks:
        until = event.at.mono + min(event.for_s, policy.order_longest_s)
        override = Override(event.uplink, until, event.reason, event.by, event.at)
    return replace(state, failover=replace(state.failover, override=override))


def _forget(failover: Failover, now: Instant, policy: Policy) -> Failover:
    """Drop what is older than its memory, and an override that has run out."""
    override = failover.override
    if override is not None and override.until <= now.mono:
        override = None

    def young(times: tuple[float, ...], memory_s: float) -> tuple[float, ...]:
        return tuple(t for t in times if now.mono - t < memory_s)

    return replace(
        failover,
        override=override,
        undos=young(failover.undos, policy.undo_memory_s),
        switches=young(failover.switches, policy.flap_window_s),
        failures=young(failover.failures, policy.failures_memory_s),
        fruitless=young(failover.fruitless, policy.failures_memory_s),
    )


def _begin(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """At the very start take the most preferred uplink that the kernel shows as usable."""
    names = [u.name for u in policy.uplinks]
    usable = [n for n in names if state.uplinks[n].link and not is_hard_down(state.uplinks[n].link)]
    if policy.mode is Mode.OBSERVE:
        usable = [n for n in names if _is_default(state.uplinks[n])] or usable
    if not usable or _is_early(state, names[: names.index(usable[0])], now):
        return state, ()
    failover = replace(state.failover, active=usable[0], since=now, phase=Phase.SETTLED)
    state = replace(state, failover=failover)
    if policy.mode is Mode.OBSERVE:
        return state, ()
    action = RouteVia(state.next_id, usable[0])
    return replace(state, next_id=state.next_id + 1), (action,)


def _is_early(state: State, better: list[str], now: Instant) -> bool:
    """Tell whether the kernel has yet to show one of the *better* uplinks."""
    since = state.failover.since
    unseen = any(state.uplinks[name].link is None for name in better)
    return unseen and since is not None and now.since(since) < FIRST_LOOK_S


def _follow(state: State, policy: Policy) -> State:
    """In observe mode the system chooses; keep up with it."""
    chosen = [u.name for u in policy.uplinks if _is_default(state.uplinks[u.name])]
    if policy.mode is not Mode.OBSERVE or not chosen or chosen[0] == state.failover.active:
        return state
    return replace(state, failover=replace(state.failover, active=chosen[0]))


def _is_default(known: UplinkState) -> bool:
    return known.link is not None and known.link.default is True


def _read(state: State, event: Event, now: Instant, policy: Policy) -> Move | None:
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
    active = state.uplinks[_active(state.failover)]
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
    active = state.uplinks[_active(failover)]
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
    active = state.uplinks[_active(failover)]
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
    """Name the most preferred uplink that is better than the active one and clean just now."""
    if policy.mode is Mode.OBSERVE or is_ordered(state.failover) or state.failover.trial:
        return None
    for uplink in policy.uplinks:
        if uplink.name == state.failover.active:
            return None
        if _clean_for(state.uplinks[uplink.name], now) > 0:
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


def _enter(
    state: State, move: Move, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    phase = TRANSITIONS[state.failover.phase][move.sign]
    was = state.failover
    if move.sign is Sign.ACTIVE_ANSWERS and was.left is not None:
        phase = Phase.DIVERTED  # the alarm was about the standby; the way back is still open
    state = replace(state, failover=replace(was, phase=phase, since=now))
    match move.sign:
        case Sign.GO:
            return _go(state, move)
        case Sign.SWITCHED:
            return _switched(state, now, policy)
        case Sign.SWITCH_FAILED:
            retry = replace(state.failover, going=None, order=None, retry_at=now.mono + RETRY_S)
            return replace(state, failover=retry), ()
        case Sign.PROVEN_DEAD:
            return _evict(state, now)
        case Sign.NONE_LEFT | Sign.ACTIVE_ANSWERS | Sign.ACTIVE_MISSES:
            return state, ()
        case Sign.PREFERRED_CLEAN | Sign.PREFERRED_BAD:  # pragma: no branch - all are named
            return state, ()


def _go(state: State, move: Move) -> tuple[State, tuple[Action, ...]]:
    failover = replace(state.failover, going=move.to, order=state.next_id, how=move.how)
    state = replace(state, failover=failover, next_id=state.next_id + 2)
    to = _named(move.to)
    return state, (RouteVia(state.next_id - 2, to), Ready(state.next_id - 1, to))


def _switched(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """The route has moved: note from where, and whether the way back stays open for a moment."""
    was = state.failover
    rank = [u.name for u in policy.uplinks]
    down_the_list = rank.index(_named(was.going)) > rank.index(_active(was))
    keeps_way_back = down_the_list and was.how is How.PROVISIONAL
    gave_way = down_the_list and was.how is How.GENTLE
    gave_way = gave_way and was.override is None and was.trial is None
    failover = replace(
        was,
        active=was.going,
        going=None,
        order=None,
        refused=False,
        refusals=0,
        switches=(*was.switches, now.mono),
        undos=(*was.undos, now.mono) if was.going == was.left else was.undos,
        failures=(*was.failures, now.mono) if gave_way else was.failures,
        left=was.active,
        left_since=now,
        override=_failed(was),
    )
    state = replace(state, failover=failover)
    if keeps_way_back:
        return state, ()
    return _evict(state, now) if was.how is How.HARD else (_settle(state, now), ())


def _failed(was: Failover) -> Override | None:
    """Note on an order that its line is left although it still stands: it did not work."""
    return replace(was.override, failed=True) if was.override and is_ordered(was) else was.override


def _settle(state: State, now: Instant) -> State:
    failover = replace(state.failover, phase=Phase.SETTLED, since=now, left=None, left_since=None)
    return replace(state, failover=failover)


def _evict(state: State, now: Instant) -> tuple[State, tuple[Action, ...]]:
    """The old uplink is dead for good: what still hangs on it is ended, and the failure counts."""
    left = state.failover.left
    state = _settle(state, now)
    if left is None:
        return state, ()
    failures = (*state.failover.failures, now.mono)
    action = Evict(state.next_id, left)
    failover = replace(state.failover, failures=failures)
    return replace(state, failover=failover, next_id=state.next_id + 1), (action,)


def note_clean(state: State, healths: Mapping[str, Health], now: Instant) -> State:
    """Keep since when each uplink has been without a fault; any miss or doubt starts it anew."""
    uplinks = dict(state.uplinks)
    for name, known in uplinks.items():
        missing = known.silence is not None and known.silence.probes >= CLEAN_MISSES
        clean = healths[name] is Health.UP and not missing and not known.browned
        if clean and known.clean_since is None:
            uplinks[name] = replace(known, clean_since=now)
        elif not clean and known.clean_since is not None:
            uplinks[name] = replace(known, clean_since=None)
    return replace(state, uplinks=uplinks)


def _active(failover: Failover) -> str:
    return _named(failover.active)


def _named(name: str | None) -> str:
    assert name is not None  # noqa: S101 - decide() leaves early while nothing is active
    return name
