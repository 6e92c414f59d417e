"""Vendor-only steering: our line works, the vendor works, only the way between them is broken.

Then the vendor's addresses alone go over a standby that was seen to reach the app, and everything
else stays where it is.  It is undone when the app has been reached over the line in use for a
while, when the standby fails, and when the line in use is another one.
"""

from dataclasses import replace

from edge_watchdog.core.actions import Action, SteerVendor
from edge_watchdog.core.budget import may_carry
from edge_watchdog.core.events import Done, Event
from edge_watchdog.core.evidence import is_hard_down, is_silent
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, State, Steering, UplinkState
from edge_watchdog.core.vendor import CONFIRM_VISITS

REFUSED_REST_S = 30.0  # after the hands could not do it


def decide_way(
    state: State, event: Event, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    """Say over which uplink the vendor goes; an action only when that changes, or is owed anew."""
    if policy.mode is Mode.OBSERVE:
        return replace(state, steering=Steering()), ()
    if (steering := _learn(state, event)) != state.steering:
        state = replace(state, steering=steering)
    before = state.steering
    to = _wanted(state, now, policy)
    if to == before.uplink and (before.order is not None or to is None):
        return state, ()
    order = SteerVendor(state.next_id, to)
    line = state.failover.active if to is not None else None
    steering = Steering(to, line, order.id, now if to is not None else None)
    return replace(state, steering=steering, next_id=state.next_id + 1), (order,)


def _learn(state: State, event: Event) -> Steering:
    """Note whether the app is reached over the line in use, and what the hands could not do."""
    steering = state.steering
    if isinstance(event, Done) and event.action == steering.order and not event.ok:
        rest = event.at.mono + REFUSED_REST_S
        return Steering(not_before=rest)
    active = state.uplinks.get(state.failover.active or "")
    if steering.uplink is None or active is None or active.journey is None:
        return steering
    if not active.journey.ok:
        return replace(steering, reached_since=None)
    newer = steering.since is not None and active.journey.at.mono > steering.since.mono
    if newer and steering.reached_since is None:
        return replace(steering, reached_since=active.journey.at)
    return steering


def _wanted(state: State, now: Instant, policy: Policy) -> str | None:
    if now.mono < state.steering.not_before:
        return None
    current = state.steering.uplink
    if current is None:
        return _find(state, policy) if _is_path_broken(state) else None
    reached = state.steering.reached_since
    over = reached is not None and now.since(reached) >= policy.hold_s
    if over or state.failover.active != state.steering.line:
        return None
    if _still_carries(state.uplinks[current], policy):
        return current
    return _find(state, policy) if _is_path_broken(state) else None


def _is_path_broken(state: State) -> bool:
    found = state.vendor.diagnosis
    return found is not None and found.cause is Cause.VENDOR_PATH


def _find(state: State, policy: Policy) -> str | None:
    """Name the most preferred standby over which the app was reached while it was not here."""
    active = state.uplinks[state.failover.active or ""]
    began = active.journey_since
    for uplink in policy.uplinks:
        known = state.uplinks[uplink.name]
        carries = _still_carries(known, policy) and may_carry(state, uplink.name, policy)
        if uplink.name == state.failover.active or not carries:
            continue
        visit = known.journey
        if visit is not None and visit.ok and began is not None and visit.at.mono >= began.mono:
            return uplink.name
    return None


def _still_carries(known: UplinkState, policy: Policy) -> bool:
    """Tell whether nothing speaks against this standby."""
    if known.link is None or is_hard_down(known.link) or is_silent(known, policy):
        return False
    failing = known.journey is not None and known.journey_failures >= CONFIRM_VISITS
    return not failing


def next_way(state: State, policy: Policy) -> float | None:
    """Give when (CLOCK_BOOTTIME) the way is changed back if nothing happens; None = not by time."""
    reached = state.steering.reached_since
    return None if reached is None else reached.mono + policy.hold_s
