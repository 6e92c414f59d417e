"""When a line that still answers is left: it loses much, and another one is clearly better.

In: what is known of the lines.  Out: a Comparison, begun and ended here, and the uplink to go to.
The rules: nothing is left on suspicion alone, a standby is asked closely before it is believed, and
a line that our own traffic fills is not the provider's fault.
"""

from dataclasses import dataclass, replace

from edge_watchdog.core.budget import may_carry
from edge_watchdog.core.evidence import BUCKET_S, internet, is_hard_down, is_verified, loss_ratio
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import SLOW_AFTER_S
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal
from edge_watchdog.core.signs import BUSY_RATIO, IDLE_RATIO, report_of
from edge_watchdog.core.state import Comparison, Failover, Phase, State, UplinkState

STUTTERS = 2.0  # of the CUSUM: any loss, until some fifteen answers in a row
LONGEST_S = 30.0  # of one comparison
REST_S, LONGEST_REST_S = 60.0, 3600.0  # doubled with each comparison in vain
ENOUGH = 20  # questions to the standby: fewer say nothing of a share
TIMES_BETTER = 4  # a standby must lose at most a fourth of what the line in use loses
CALM = (Phase.SETTLED, Phase.HOLDING, Phase.SUSPECT)


@dataclass(frozen=True, slots=True)
class Quality:
    """What a line was worth over a while; *rtt_s* is the median of its targets, None = unknown."""

    sent: int
    lost: int
    rtt_s: float | None

    @property
    def ratio(self) -> float:
        """Give the share that was lost; 0 when nothing was sent."""
        return self.lost / self.sent if self.sent else 0.0


def quality(known: UplinkState, since: float) -> Quality:
    """Sum up the whole buckets of pulses that began after *since* (CLOCK_BOOTTIME)."""
    buckets = [b for b in known.losses if b.slot * BUCKET_S >= since]
    rtts = sorted(t.rtt_s for t in internet(known) if t.rtt_s is not None and not t.deaf)
    middle = rtts[len(rtts) // 2] if rtts else None
    return Quality(sum(b.sent for b in buckets), sum(b.lost for b in buckets), middle)


def is_stuttering(known: UplinkState) -> bool:
    """Tell whether losses are recent enough for the line to be worth a closer look."""
    return known.cusum >= STUTTERS


def compare(state: State, now: Instant, policy: Policy) -> State:
    """Begin to compare the line in use with a standby when it suffers; end that in time."""
    failover = state.failover
    if failover.comparison is None:
        return _begin(state, now, policy)
    lasted = now.since(failover.comparison.since)
    active = failover.active
    moved = active is None or active == failover.comparison.uplink or failover.phase not in CALM
    if moved:
        return replace(state, failover=replace(failover, comparison=None))
    if lasted < LONGEST_S:
        return state
    fruitless = (*failover.fruitless, now.mono)
    return replace(state, failover=replace(failover, comparison=None, fruitless=fruitless))


def _begin(state: State, now: Instant, policy: Policy) -> State:
    failover = state.failover
    if failover.active is None or failover.phase not in CALM or policy.mode is Mode.OBSERVE:
        return state
    if _is_ordered(failover) or now.mono < rests_until(failover):
        return state
    if not suffers(state.uplinks[failover.active], now, policy):
        return state
    standby = _candidate(state, policy)
    if standby is None:
        return state
    return replace(state, failover=replace(failover, comparison=Comparison(standby, now)))


def _is_ordered(failover: Failover) -> bool:
    """Tell whether a person wants the line in use, however it is."""
    return failover.override is not None and failover.override.uplink == failover.active


def rests_until(failover: Failover) -> float:
    """Give until when (CLOCK_BOOTTIME) no comparison begins after those that led to nothing."""
    if not failover.fruitless:
        return 0.0
    doublings = min(len(failover.fruitless) - 1, 20)
    return failover.fruitless[-1] + min(LONGEST_REST_S, REST_S * 2.0**doublings)


def suffers(known: UplinkState, now: Instant, policy: Policy) -> bool:
    """Tell whether a line that works is hard to work with, and not by our own doing.

    Loss alone is enough; delay, alone or beside loss, only when our own load is known to be low.
    """
    report = report_of(known, now)
    load = report.load_ratio if report else None
    if load is not None and load >= BUSY_RATIO:
        return False
    slow = known.slow_since is not None and now.since(known.slow_since) >= SLOW_AFTER_S
    if known.slow_since is not None and (load is None or load >= IDLE_RATIO):
        return False
    long = (quality(known, now.mono).rtt_s or 0.0) >= policy.brownout_rtt_s
    return known.cusum >= policy.cusum_h or (slow and long)


def _candidate(state: State, policy: Policy) -> str | None:
    """Name the most preferred other uplink that nothing speaks against."""
    for uplink in policy.uplinks:
        known = state.uplinks[uplink.name]
        usable = known.link is not None and not is_hard_down(known.link) and not has_portal(known)
        fine = known.silence is None and not known.browned
        fine = fine and may_carry(state, uplink.name, policy)
        if uplink.name != state.failover.active and usable and fine:
            return uplink.name
    return None


def way_out(state: State, now: Instant, policy: Policy) -> str | None:
    """Name the standby that was clearly better than the line in use for long enough."""
    failover = state.failover
    found = failover.comparison
    if found is None or failover.active is None or policy.mode is Mode.OBSERVE:
        return None
    if _is_ordered(failover) or now.since(found.since) < policy.brownout_better_s:
        return None
    active, standby = state.uplinks[failover.active], state.uplinks[found.uplink]
    if not suffers(active, now, policy) or not is_verified(standby, now, policy):
        return None
    ours, theirs = (quality(known, found.since.mono) for known in (active, standby))
    lasting = (loss_ratio(active, now, policy) or 0.0) >= policy.brownout_minute_ratio
    lossy = lasting and ours.ratio >= policy.brownout_ratio
    return found.uplink if is_clearly_better(theirs, ours, policy, lossy=lossy) else None


def is_clearly_better(theirs: Quality, ours: Quality, policy: Policy, *, lossy: bool) -> bool:
    """Tell whether a standby loses far less, or answers far sooner, and is no worse otherwise.

    *lossy*: the line in use loses much; else only its delay counts.
    """
    if theirs.sent < ENOUGH or theirs.rtt_s is None or ours.rtt_s is None:
        return False
    if lossy:
        sooner = theirs.rtt_s <= max(2 * ours.rtt_s, policy.brownout_rtt_s)
        return sooner and theirs.ratio * TIMES_BETTER <= ours.ratio
    long = ours.rtt_s >= policy.brownout_rtt_s
    return long and 2 * theirs.rtt_s <= ours.rtt_s and theirs.lost <= 1
