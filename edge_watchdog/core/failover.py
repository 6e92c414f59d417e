"""Which uplink carries new connections: divert fast, evict late, come back without haste.

``decide`` is called after every event.  It has moves.py read one Sign off the evidence, looks up
the next phase in TRANSITIONS, and carries out what entering that phase means.
"""

from collections.abc import Mapping
from dataclasses import replace

from edge_watchdog.core.actions import Action, Evict, Ready, RouteVia
from edge_watchdog.core.events import Done, Event, LinkChanged, Ordered, OrderKind
from edge_watchdog.core.evidence import is_hard_down
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode
from edge_watchdog.core.moves import Move, Sign, active_of, is_ordered, named, read
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Failover, How, Override, Phase, State, UplinkState

FIRST_LOOK_S = 2.0  # at the very start, wait this long for the first look at a better uplink
RETRY_S = 1.0  # after the kernel refused a switch
RETRY_LONGEST_S = 60.0  # a line without a way out says so when it has one again
CLEAN_MISSES = 3  # a line that loses a question now and then is still clean

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


def decide(
    state: State, event: Event, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    """Take the failover one step or more, until the evidence asks for nothing further."""
    state = _follow(_obey(state, event, policy), policy)
    failover = _forget(state.failover, now, policy)
    state = state if failover is state.failover else replace(state, failover=failover)
    if state.failover.active is None:
        return _begin(state, now, policy)
    state, actions = _repeat(state, event, now)
    for _ in Phase:  # pragma: no branch - no event leads through all of them, so this ends
        move = read(state, event, now, policy)
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
    action = RouteVia(state.next_id, active_of(failover))
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

    undos = young(failover.undos, policy.undo_memory_s)
    switches = young(failover.switches, policy.flap_window_s)
    failures = young(failover.failures, policy.failures_memory_s)
    fruitless = young(failover.fruitless, policy.failures_memory_s)
    kept = (override, undos, switches, failures, fruitless)
    was = failover
    if kept == (was.override, was.undos, was.switches, was.failures, was.fruitless):
        return failover
    return replace(
        failover,
        override=override,
        undos=undos,
        switches=switches,
        failures=failures,
        fruitless=fruitless,
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
    to = named(move.to)
    return state, (RouteVia(state.next_id - 2, to), Ready(state.next_id - 1, to))


def _switched(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """The route has moved: note from where, and whether the way back stays open for a moment."""
    was = state.failover
    rank = [u.name for u in policy.uplinks]
    down_the_list = rank.index(named(was.going)) > rank.index(active_of(was))
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
    changed = {}
    for name, known in state.uplinks.items():
        missing = known.silence is not None and known.silence.probes >= CLEAN_MISSES
        clean = healths[name] is Health.UP and not missing and not known.browned
        if clean and known.clean_since is None:
            changed[name] = replace(known, clean_since=now)
        elif not clean and known.clean_since is not None:
            changed[name] = replace(known, clean_since=None)
    return replace(state, uplinks={**state.uplinks, **changed}) if changed else state
