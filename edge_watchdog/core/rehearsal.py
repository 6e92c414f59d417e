"""The weekly rehearsal: does a backup that nobody needs just now really carry the studio?

In the night, while all is well, new connections go over each standby for half a minute; names, a
page and the vendor's app must be found there.  The rules: never while anybody works, never beside a
trouble or an order, and ended at once when the usual line is no longer clean.
"""

from dataclasses import replace

from edge_watchdog.core import budget
from edge_watchdog.core.evidence import is_hard_down, is_verified
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import weigh
from edge_watchdog.core.model import Health, Layer, Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal
from edge_watchdog.core.state import Cause, Phase, Rehearsal, State, Trial

DAY_S = 86400.0
WEEK_S = 6.5 * DAY_S  # the same night of the week, whenever it comes to it
AGAIN_S = 20 * 3600.0  # after one that failed: the next night
REST_S = 3600.0  # after one that was broken off
ANSWERS_WITHIN_S = 12.0
SHORTEST_S, LONGEST_S = 10.0, 30.0  # on the standby
_FAILED = Cause.REHEARSAL_FAILED  # the next rehearsal is what ends that one


def rehearse(state: State, now: Instant, policy: Policy) -> State:
    """Begin a rehearsal that is due, judge the one that goes on, break it off on any trouble."""
    trial = state.failover.trial
    if trial is None:
        name = _due(state, now, policy)
        return state if name is None else _with(state, Trial(name, now))
    if _must_end(state, policy):
        return replace(_with(state, None), rehearse_from=now.mono + REST_S)
    if trial.moved is None:
        if state.failover.active == trial.uplink:
            return _with(state, replace(trial, moved=now))
        late = now.since(trial.since) >= ANSWERS_WITHIN_S
        return _note(state, trial, ("it does not answer",), now) if late else state
    if state.failover.active != trial.uplink:
        return _note(state, trial, ("it stopped answering while it was in use",), now)
    faults = find_faults(state, trial, now, policy)
    lasted = now.since(trial.moved)
    over = lasted >= LONGEST_S or (lasted >= SHORTEST_S and not faults)
    return _note(state, trial, faults, now) if over else state


def wants(state: State, now: Instant, policy: Policy) -> str | None:
    """Name the standby that new connections are to be moved to now; None for none."""
    trial = state.failover.trial
    if trial is None or trial.moved is not None or state.failover.active == trial.uplink:
        return None
    return trial.uplink if is_verified(state.uplinks[trial.uplink], now, policy) else None


def _with(state: State, trial: Trial | None) -> State:
    return replace(state, failover=replace(state.failover, trial=trial))


def _note(state: State, trial: Trial, faults: tuple[str, ...], now: Instant) -> State:
    result = Rehearsal(now, not faults, faults)
    state = replace(state, rehearsals={**state.rehearsals, trial.uplink: result})
    return _with(state, None)


def _due(state: State, now: Instant, policy: Policy) -> str | None:
    if not policy.rehearse or policy.mode is Mode.OBSERVE or not _is_night(state, now, policy):
        return None
    failover, preferred = state.failover, policy.uplinks[0].name
    calm = failover.phase is Phase.SETTLED and failover.active == preferred
    if not calm or failover.override is not None or not _is_well(state, preferred):
        return None
    for uplink in policy.uplinks[1:]:
        last = state.rehearsals.get(uplink.name)
        if _is_old(last, now) and _may_carry(state, uplink.name, policy):
            return uplink.name
    return None


def _is_night(state: State, now: Instant, policy: Policy) -> bool:
    since = state.closed_since
    quiet = since is not None and now.since(since) >= policy.rehearse_after_s
    return quiet and not state.is_open and now.mono >= state.rehearse_from


def _is_well(state: State, preferred: str) -> bool:
    known = state.uplinks[preferred]
    well = known.diagnosis is not None and known.diagnosis.cause is Cause.NONE
    loud = [i for i in state.incidents if i.resolved is None and i.cause is not _FAILED]
    return well and known.clean_since is not None and not loud and not state.box.power_low


def _may_carry(state: State, name: str, policy: Policy) -> bool:
    known = state.uplinks[name]
    usable = known.link is not None and not is_hard_down(known.link) and not has_portal(known)
    paid = budget.may_carry(state, name, policy) and not budget.only_at_need(state, name)
    return usable and paid and known.silence is None


def _is_old(last: Rehearsal | None, now: Instant) -> bool:
    """Tell whether it is long ago by the wall clock, which outlives a reboot."""
    if last is None:
        return True
    return abs(now.wall - last.at.wall) >= (WEEK_S if last.ok else AGAIN_S)


def _must_end(state: State, policy: Policy) -> bool:
    """Tell whether somebody may need the line, or the usual one may not be there to go back to."""
    preferred = state.uplinks[policy.uplinks[0].name]
    return state.is_open or state.failover.override is not None or preferred.clean_since is None


def find_faults(state: State, trial: Trial, now: Instant, policy: Policy) -> tuple[str, ...]:
    """Say what was not found over the standby since the rehearsal began; nothing is well."""
    known = state.uplinks[trial.uplink]
    faults = []
    if not is_verified(known, now, policy):
        faults.append("it does not answer")
    for layer, words in ((Layer.NAMES, "no name is found"), (Layer.WEB, "no page opens")):
        found = weigh(known, layer, now, policy)
        asked = found.answered is not None and found.answered.mono >= trial.since.mono
        if found.health is not Health.UP or not asked:
            faults.append(words)
    visit, usual = known.journey, state.uplinks[policy.uplinks[0].name].journey
    reached = visit is not None and visit.ok and visit.at.mono >= trial.since.mono
    if usual is not None and not reached:
        faults.append(f"{policy.vendor_name} is not reached")
    return tuple(faults)
