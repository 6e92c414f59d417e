"""Calm is leapt over: a year holds a hundred million answers that all say the same.

In: a state at rest.  Out: the state after *seconds* more of the same calm.  The rule: a leap must
be what living through would have come to.  At rest every answer only renews the one before it, so
evidence grows no older; what the mind remembers, and whatever it waits for, keeps its own time, and
nobody may leap past the next thing that is due.  tests/sim/test_leap.py lives through both.
"""

from dataclasses import replace

from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.evidence import BUCKET_S, is_hard_down
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import is_fresh
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, Phase, State, Track, UplinkState

REST_S = 70.0  # longer than the loss window: what is counted in it is the same in every one
AWAKE_S = 2.0  # lived through before whatever is due


def is_at_rest(state: State, now: Instant) -> bool:
    """Tell whether more of the same answers would teach the mind nothing."""
    failover = state.failover
    waits = failover.comparison is not None or bool(state.unfinished)
    if failover.phase not in (Phase.SETTLED, Phase.HOLDING) or waits:
        return False
    vendor = state.vendor.diagnosis
    if vendor is not None and vendor.cause is not Cause.NONE and now.since(vendor.since) < REST_S:
        return False
    return all(_rests(known, now) for known in state.uplinks.values())


def _rests(known: UplinkState, now: Instant) -> bool:
    if known.burst_until > now.mono or known.browned or known.cusum or known.slow_since:
        return False
    if known.diagnosis is not None and now.since(known.diagnosis.since) < REST_S:
        return False
    if is_hard_down(known.link):
        return True
    asked = [t for t in known.tracks.values() if is_fresh(known, t, now)]
    missing = any(t.misses or t.deaf for t in asked)
    lost = any(bucket.lost for bucket in known.losses)
    return not (missing or lost or known.silence is not None or known.clean_since is None)


def leapable(state: State, policy: Policy, now: Instant, seconds: float) -> float:
    """Give how far one may leap, at most *seconds*; 0 where something is due first."""
    whole = _whole(seconds)
    if whole <= 0:
        return 0.0
    there = now.plus(whole)
    # what was due until now has been looked at: what is found before *there* would be missed
    due = next_deadline(replace(carried(state, now, whole), stepped=state.stepped), policy, now)
    if due is None or due > there.mono:
        return whole
    return max(0.0, _whole(due - now.mono - AWAKE_S))


def carried(state: State, now: Instant, seconds: float) -> State:
    """Give the *state* of *now* after *seconds*, a multiple of BUCKET_S, of the same calm."""
    uplinks = {name: _carried(known, now, seconds) for name, known in state.uplinks.items()}
    vendor = state.vendor
    if vendor.report is not None:
        report = replace(vendor.report, at=vendor.report.at.plus(seconds))
        vendor = replace(vendor, report=report)
    return replace(state, uplinks=uplinks, vendor=vendor, stepped=state.stepped + seconds)


def _carried(known: UplinkState, now: Instant, seconds: float) -> UplinkState:
    if is_hard_down(known.link):
        return known
    slots = round(seconds / BUCKET_S)
    journey = known.journey
    return replace(
        known,
        tracks={
            key: _renewed(track, seconds) if is_fresh(known, track, now) else track
            for key, track in known.tracks.items()
        },
        losses=tuple(replace(b, slot=b.slot + slots) for b in known.losses),
        journey=None if journey is None else replace(journey, at=journey.at.plus(seconds)),
    )


def _renewed(track: Track, seconds: float) -> Track:
    return replace(
        track,
        asked=track.asked.plus(seconds),
        answered=None if track.answered is None else track.answered.plus(seconds),
        heard=None if track.heard is None else track.heard.plus(seconds),
    )


def _whole(seconds: float) -> float:
    return BUCKET_S * int(max(0.0, seconds) // BUCKET_S)
