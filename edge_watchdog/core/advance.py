"""The whole mind in two calls: ``advance`` for every event, ``next_deadline`` for every silence.

Order matters and is always the same: learn, diagnose, decide, keep incidents, pace, tell.  Both
calls are pure; replaying the events of a bad day gives the very decisions of that day.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge_watchdog.core import alerting, brownout, incidents, rehearsal, vendor
from edge_watchdog.core.actions import (
    Action,
    Evict,
    FetchSchedule,
    LookInto,
    ProbeBurst,
    ProbeEvery,
    RouteVia,
)
from edge_watchdog.core.behind import tell_of_stranger
from edge_watchdog.core.budget import account, carry_over
from edge_watchdog.core.diagnosis import diagnose
from edge_watchdog.core.events import (
    BoxReported,
    CacheReported,
    ClockStepped,
    Done,
    DriverReported,
    Event,
    HoursChanged,
    JourneyReported,
    LinkChanged,
    Sampled,
    Started,
    Stopping,
    VendorReported,
    WorkerFailed,
)
from edge_watchdog.core.evidence import (
    LONGEST_RTT_S,
    forget_dates,
    forget_losses,
    is_hard_down,
    is_silent,
    learn,
    note_return,
)
from edge_watchdog.core.failover import FIRST_LOOK_S, decide, heed, note_clean
from edge_watchdog.core.inquiries import set_inquiries
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import ladder, turns
from edge_watchdog.core.lan import tell_of_lan
from edge_watchdog.core.life import note_life
from edge_watchdog.core.limits import limits_end, set_limits
from edge_watchdog.core.model import BoxReport, Health, Layer, Mode, Sample
from edge_watchdog.core.moves import PARTIAL_S, WAY_BACK_S, hold_s
from edge_watchdog.core.naming import set_names
from edge_watchdog.core.pacing import burst_due, set_paces
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal
from edge_watchdog.core.reminders import remind, rested
from edge_watchdog.core.signs import POWER_MEMORY_S, look_around
from edge_watchdog.core.state import (
    BoxState,
    Cause,
    Failover,
    Incident,
    Phase,
    State,
    UplinkState,
)
from edge_watchdog.core.steer import decide_way, next_way

TICK_S = 1e-3  # a deadline lies at least this far ahead, so that time always moves
HAIR_S = 2e-3  # and behind what is due: a story keeps milliseconds and must be decided alike
KEEPS_TROUBLE = 20
BLIND_REST_S = 5.0  # a box that is always late must not be blind for ever


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one event: the state after it, and what is to be done (in this order)."""

    state: State
    actions: tuple[Action, ...]


def begin(policy: Policy) -> State:
    """Give the state of a mind that knows nothing yet."""
    return State({u.name: UplinkState() for u in policy.uplinks})


def advance(state: State, event: Event, policy: Policy) -> Step:
    """Take in one event and say what to do about it."""
    now = event.at
    if isinstance(event, Stopping):
        return Step(state, ())
    before = state
    state, again = _absorb(state, event, policy)
    state = note_life(state, now)
    state = note_clean(state, {n: health_of(u, now, policy) for n, u in state.uplinks.items()}, now)
    state = _diagnose(state, now, policy)
    state = brownout.compare(state, now, policy)
    state = rehearsal.rehearse(state, now, policy)
    state, moves = decide(state, event, now, policy)
    state, ways = decide_way(state, event, now, policy)
    state = incidents.keep_incidents(state, event, now, policy)
    state, bills = account(state, event, now, policy)
    state, limits = set_limits(state, now, policy)
    state, names = set_names(state, policy)
    state, lan = tell_of_lan(state, event, now)
    state, astray = tell_of_stranger(state, event, now)
    state, plans = remind(state, event, now, policy)
    state, paces = set_paces(state, now, policy)
    state, looks = set_inquiries(state, now, policy)
    state, alerts = alerting.send_alerts(state, now, policy)
    state, fetch = _fetch(before, state)
    actions = (
        *again,
        *moves,
        *ways,
        *paces,
        *looks,
        *bills,
        *limits,
        *names,
        *lan,
        *astray,
        *plans,
        *alerts,
        *fetch,
    )
    owed = tuple(a for a in actions if isinstance(a, (RouteVia, Evict)) and a not in again)
    stepped = max(state.stepped, now.mono)
    state = replace(state, unfinished=(*state.unfinished, *owed), stepped=stepped)
    return Step(state, actions)


def _fetch(before: State, state: State) -> tuple[State, tuple[Action, ...]]:
    """Have the day fetched when a new line can carry it, or while a vendor in trouble still can."""
    why = ""
    if state.failover.active != before.failover.active:
        why = "the line in use changed"
    elif state.steering.uplink not in (None, before.steering.uplink):
        why = "the vendor is reached over another line"
    elif _vendor_turned(before, state) and incidents.app_works(state):
        why = "the vendor's state changed"
    if not why:
        return state, ()
    return replace(state, next_id=state.next_id + 1), (FetchSchedule(state.next_id, why),)


def _vendor_turned(before: State, state: State) -> bool:
    was, now = before.vendor.diagnosis, state.vendor.diagnosis
    return was is not None and now is not None and was.cause is not now.cause


def _absorb(state: State, event: Event, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Learn what *event* says; the actions are those a restart left unfinished."""
    match event:
        case Started():
            return _start(state, event, policy)
        case CacheReported():
            state = replace(state, cache=event.report)
        case HoursChanged():
            closed = None if event.is_open else event.at
            state = replace(
                state, is_open=event.is_open, closed_since=closed, opens_wall=event.opens_wall
            )
        case Done():
            state = _note(heed(state, event), "" if event.ok else event.detail)
        case WorkerFailed():
            state = _note(state, f"{event.worker}: {event.error}")
        case _:
            state = _learn(state, event, policy)
    return state, ()


def _learn(state: State, event: Event, policy: Policy) -> State:
    """Add what was seen of the lines, the box and the vendor."""
    match event:
        case Sampled():
            for sample in event.samples:
                if sample.uplink in state.uplinks and not _was_blind(state.box, sample):
                    known = learn(state.uplinks[sample.uplink], sample, event.at, policy)
                    state = _with(state, sample.uplink, known)
        case LinkChanged() if event.uplink in state.uplinks:
            state = _with(state, event.uplink, _linked(state.uplinks[event.uplink], event))
        case DriverReported() if event.uplink in state.uplinks:
            known = replace(state.uplinks[event.uplink], report=event.report)
            state = _with(state, event.uplink, known)
        case BoxReported():
            state = _box(state, event.report, policy)
        case ClockStepped():
            state = replace(state, uplinks={n: forget_dates(u) for n, u in state.uplinks.items()})
            state = replace(state, box=replace(state.box, clock_offset_s=None))
        case JourneyReported() if event.report.uplink in state.uplinks:
            name = event.report.uplink
            state = _with(state, name, vendor.visited(state.uplinks[name], event.report))
        case VendorReported():
            via = state.uplinks.get(state.failover.active or "")
            report = vendor.read(state.vendor.report, event.report, via)
            state = replace(state, vendor=replace(state.vendor, report=report))
        case _:
            pass  # orders, acknowledgements and the time are dealt with by whoever decides
    return state


def _was_blind(box: BoxState, sample: Sample) -> bool:
    return bool(sample.lost) and box.blind_from <= sample.at.mono <= box.blind_until


def _box(state: State, report: BoxReport, policy: Policy) -> State:
    """Note how the box is; what it missed while it could not listen is nobody else's fault."""
    box = state.box
    if report.power_low is not None:
        at = report.at if report.power_low or box.power_low else box.power_low_at
        box = replace(box, power_low=report.power_low, power_low_at=at)
    if report.clock_offset_s is not None:
        box = replace(box, clock_offset_s=report.clock_offset_s)
    state = replace(state, box=box)
    late = report.lag_s is not None and report.lag_s > policy.lag_s
    if not late or report.at.mono - box.blind_until < BLIND_REST_S:
        return state
    since = report.at.mono - (report.lag_s or 0.0) - LONGEST_RTT_S
    uplinks = {n: forget_losses(u, since) for n, u in state.uplinks.items()}
    box = replace(box, blind_from=since, blind_until=report.at.mono)
    return replace(state, uplinks=uplinks, box=box)


def _with(state: State, name: str, known: UplinkState) -> State:
    return replace(state, uplinks={**state.uplinks, name: known})


def _note(state: State, words: str) -> State:
    if not words or words in state.trouble:
        return state
    return replace(state, trouble=(*state.trouble, words)[-KEEPS_TROUBLE:])


def _linked(known: UplinkState, event: LinkChanged) -> UplinkState:
    """Take in the kernel's word; *link_at* dates the last turn between usable and not."""
    first = known.link is None
    turned = first or is_hard_down(known.link) != is_hard_down(event.state)
    known = replace(known, link=event.state)
    if not turned:
        return known
    back_at = known.back_at if is_hard_down(event.state) else event.at
    # what was learned over the old link says nothing about the new one
    known = replace(known, tracks={}, silence=None, losses=(), cusum=0.0, clean_since=None)
    known = replace(known, slow_since=None, browned=False)
    known = replace(known, link_at=event.at, back_at=back_at)
    return known if first or is_hard_down(event.state) else note_return(known, event.at)


def _start(state: State, event: Started, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Go on where the last run stopped, or begin anew after a reboot (its mono times are void)."""
    names = [u.name for u in policy.uplinks]
    if state.boot_id != event.boot_id or list(state.uplinks) != names:
        fresh = begin(policy)
        state = replace(
            fresh,
            incidents=_carry_over(state.incidents, event.at, policy),
            rehearsals={n: r for n, r in state.rehearsals.items() if n in names},
            reminders=rested(state.reminders),
            spent=carry_over(state, event.at, policy),
            next_id=state.next_id,
            next_incident=state.next_incident,
        )
    state = replace(state, failover=_resume(state.failover, event.at, policy))
    if policy.mode is Mode.OBSERVE:
        state = replace(state, unfinished=())
    uplinks = {
        n: replace(
            u,
            tracks={},
            silence=None,
            burst_until=0.0,
            burst_at=0.0,
            clean_since=None,
            report=None,
            slow_since=None,
            alive_until=0.0,
            vetoed=False,
        )
        for n, u in state.uplinks.items()
    }
    state = replace(
        state,
        uplinks=uplinks,
        paces={},
        looking={},
        vendor=replace(state.vendor, order=None),
        steering=replace(state.steering, order=None, not_before=0.0),
        limited=None,
        names_by_tcp=False,
        box=BoxState(lan=state.box.lan, stranger=state.box.stranger),
        boot_id=event.boot_id,
        version=event.version,
        trouble=(),
    )
    return _again(state, policy)


def _resume(failover: Failover, now: Instant, policy: Policy) -> Failover:
    """Whoever only looks on owes the kernel nothing, whatever an earlier run was about to do."""
    if failover.active is None:
        return Failover(since=now)
    if policy.mode is not Mode.OBSERVE:
        return failover
    phase = Phase.STRANDED if failover.phase is Phase.STRANDED else Phase.SETTLED
    return Failover(phase, now, failover.active)


def _carry_over(known: tuple[Incident, ...], now: Instant, policy: Policy) -> tuple[Incident, ...]:
    """Keep what is over, and what people were told of: they are owed its end."""
    kept = []
    for one in known:
        if one.resolved is not None:
            kept.append(one)
        elif one.told is not None:
            age_s = max(0.0, now.wall - one.opened.wall)
            opened = Instant(now.mono - age_s, one.opened.wall)
            again = replace(one, opened=opened, told_at=now, fine_since=None)
            kept.append(replace(again, next_update=alerting.next_word(again, now, policy)))
    return tuple(kept)


def _again(state: State, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Repeat what may not have been done before a crash: the route first."""
    failover = state.failover
    if failover.active is None or policy.mode is Mode.OBSERVE:
        return state, ()
    pending = tuple(a for a in state.unfinished if isinstance(a, (RouteVia, Evict)))
    if any(isinstance(a, RouteVia) for a in pending):
        return state, pending
    actions = (RouteVia(state.next_id, failover.active), *pending)
    return replace(state, unfinished=actions, next_id=state.next_id + 1), actions


def _diagnose(state: State, now: Instant, policy: Policy) -> State:
    metered = {u.name: u.metered for u in policy.uplinks}
    uplinks = {}
    for name, known in state.uplinks.items():
        others = tuple(u for n, u in state.uplinks.items() if n != name)
        around = look_around(others, state.box, now, metered=metered[name])
        diagnosis = diagnose(known, around, now=now, policy=policy)
        same = diagnosis is known.diagnosis
        uplinks[name] = known if same else replace(known, diagnosis=diagnosis)
    if any(uplinks[name] is not known for name, known in state.uplinks.items()):
        state = replace(state, uplinks=uplinks)
    found = vendor.conclude(
        state.uplinks,
        state.failover.active,
        state.vendor.report,
        state.vendor.diagnosis,
        now=now,
        policy=policy,
    )
    if found == state.vendor.diagnosis:
        return state
    return replace(state, vendor=replace(state.vendor, diagnosis=found))


def health_of(known: UplinkState, now: Instant, policy: Policy) -> Health:
    """Sum up one uplink: what a program that used it would find."""
    if is_hard_down(known.link) or is_silent(known, policy):
        return Health.DOWN
    if has_portal(known):
        return Health.DEGRADED
    return ladder(known, now, policy)[Layer.INTERNET].health


def next_deadline(state: State, policy: Policy, now: Instant) -> float | None:
    """Give the CLOCK_BOOTTIME at which ``Woke`` is due if nothing happens; always after *now*.

    What was due when the last event came has been looked at and is not due again.
    """
    due = min((at for at in _deadlines(state, policy) if at > state.stepped), default=math.inf)
    return None if due == math.inf else max(due + HAIR_S, now.mono + TICK_S)


def _deadlines(state: State, policy: Policy) -> Iterator[float]:
    for uplink in policy.uplinks:
        yield burst_due(state, uplink, policy)
        yield from turns(state.uplinks[uplink.name])
    if state.box.power_low_at is not None:
        yield state.box.power_low_at.mono + POWER_MEMORY_S
    yield from _failover_deadlines(state, policy)
    if (at := next_way(state, policy)) is not None:
        yield at
    yield from limits_end(state)
    for incident in state.incidents:
        if (at := alerting.next_alert(incident)) is not None:
            yield at
        if incident.resolved is None and incident.fine_since is not None:
            yield incident.fine_since.mono + incidents.CLEAR_AFTER_S[incident.scope]
    yield from _showings(state)


def _showings(state: State) -> Iterator[float]:
    """Some causes are worth an incident only after they have lasted."""
    waits = (*incidents.SHOWS_AFTER_S.values(), incidents.BACKUP_SHOWS_AFTER_S)
    found = [u.diagnosis for u in state.uplinks.values()] + [state.vendor.diagnosis]
    for diagnosis in found:
        if diagnosis is not None and diagnosis.cause is not Cause.NONE:
            yield from (diagnosis.since.mono + wait for wait in waits)


def _failover_deadlines(state: State, policy: Policy) -> Iterator[float]:
    failover: Failover = state.failover
    active = state.uplinks.get(failover.active or "")
    if failover.override is not None:
        yield failover.override.until
    if active is None and failover.since is not None:
        yield failover.since.mono + FIRST_LOOK_S
    if active is not None and active.back_at is not None:
        yield active.back_at.mono + PARTIAL_S
    yield failover.retry_at
    yield failover.owed_at
    yield brownout.rests_until(failover)
    if (trial := failover.trial) is not None:
        yield trial.since.mono + rehearsal.ANSWERS_WITHIN_S
        yield (trial.moved or trial.since).mono + rehearsal.LONGEST_S
    if failover.comparison is not None:
        yield failover.comparison.since.mono + policy.brownout_better_s
        yield failover.comparison.since.mono + brownout.LONGEST_S
    if active is not None and is_hard_down(active.link) and active.link_at is not None:
        yield active.link_at.mono + policy.carrier_debounce_s
    if failover.phase is Phase.SUSPECT and failover.since is not None:
        yield failover.since.mono + 1.0
        yield failover.since.mono + 3.0
        yield from (u.burst_until for u in state.uplinks.values())
    if failover.phase is Phase.DIVERTED and failover.left in state.uplinks:
        yield from _way_back(failover, state.uplinks[failover.left or ""], policy)
    if failover.phase is Phase.HOLDING:
        for known in state.uplinks.values():
            if known.clean_since is not None:
                yield known.clean_since.mono + hold_s(failover, policy)


def _way_back(failover: Failover, left: UplinkState, policy: Policy) -> Iterator[float]:
    if failover.left_since is not None:
        yield failover.left_since.mono + WAY_BACK_S
    if left.silence is not None:
        yield left.silence.since.mono + policy.evict_s
    if left.clean_since is not None:
        yield left.clean_since.mono + policy.undo_s
    if left.link_at is not None:
        yield left.link_at.mono + policy.carrier_debounce_s


def has_work(actions: tuple[Action, ...]) -> bool:
    """Tell whether *actions* hold anything that people or the kernel notice."""
    return any(not isinstance(a, (ProbeEvery, ProbeBurst, LookInto)) for a in actions)
