"""Is a line left that loses one question in twenty, each by chance and none because of another?

    python -m bench.lossy [--ratio 0.05] [--days 365] [--seed 1]

The line in use is asked at the mind's own paces, four times a second, and eight while it stutters
or is compared; the standby loses nothing.  The walk itself is a handful of numbers for each
question, so that a year takes minutes.  Every comparison that comes near a reason to leave is then
lived through again by the mind's own functions (evidence.learn, brownout.compare and way_out), and
only what they say is counted.  The other way round: how soon is a line left that loses a fifth?
Exit code 1 when the first was left more than once a year, or the second after more than 40 s.
"""

import argparse
import math
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.brownout import (
    LONGEST_S,
    STUTTERS,
    compare,
    is_stuttering,
    rests_until,
    way_out,
)
from edge_watchdog.core.evidence import BUCKET_S, cusum_steps, learn
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, LinkState, Sample
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.core.state import Failover, State, UplinkState
from edge_watchdog.sim.scenarios import BROADBAND, STICK, usual_policy
from edge_watchdog.sim.world import ANCHORS

DAY_S = 86_400.0
CALM_S = PACES[Pace.ACTIVE].pulse or 0.0
CLOSE_S = PACES[Pace.ACTIVE_CLOSE].pulse or 0.0
UP = LinkState(True, True, ("192.168.1.7/24",), "192.168.1.1", routed=True)
POLICY = replace(usual_policy(), uplinks=usual_policy().uplinks[:2])
CLEAN_S, LONGEST_LOOK_S = 120.0, 120.0
LOSSY, RUNS = 0.20, 200
NEAR = 0.9  # of the share that would be a reason

Pulse = tuple[float, bool]  # when it left, CLOCK_BOOTTIME; whether it was lost


def pulse(number: int, at_s: float, uplink: str, *, lost: bool) -> Sample:
    """Give one question of many, to each anchor in turn."""
    anchor = ANCHORS[number % len(ANCHORS)]
    return Sample(
        Instant(at_s, 0.0),
        uplink,
        Layer.INTERNET,
        f"icmp {anchor.address}",
        1,
        int(lost),
        rtt_s=None if lost else 0.02,
        operator=anchor.operator,
        finding=Finding.SILENT if lost else Finding.ANSWERED,
    )


@dataclass(slots=True)
class Walk:
    """What became of a line in so many days."""

    days: float
    pulses: int = 0
    comparisons: int = 0
    near: int = 0
    left: int = 0


def compared(
    ratio: float, days: float, dice: Random, policy: Policy, walk: Walk
) -> Iterator[tuple[float, Sequence[Pulse]]]:
    """Give each comparison that the line's losses begin: when, and the pulses around it."""
    gain, fall = cusum_steps(policy)
    kept_s = LONGEST_S + policy.loss_window_s + BUCKET_S
    recent: deque[Pulse] = deque()
    fruitless: tuple[float, ...] = ()
    now = start = 1000.0
    end, cusum, rests, since = start + days * DAY_S, 0.0, 0.0, math.inf
    while now < end:
        lost = dice.random() < ratio
        recent.append((now, lost))
        if now - recent[0][0] > kept_s:
            recent.popleft()
        cusum = min(cusum + gain, 2 * policy.cusum_h) if lost else max(0.0, cusum + fall)
        walk.pulses += 1
        if since == math.inf:
            if cusum >= policy.cusum_h and now >= rests:
                since = now
                walk.comparisons += 1
        elif now - since >= LONGEST_S:
            yield since, recent
            since = math.inf
            fruitless = (*(t for t in fruitless if now - t < policy.failures_memory_s), now)
            rests = rests_until(Failover(fruitless=fruitless))
        now += CLOSE_S if cusum >= STUTTERS or since != math.inf else CALM_S


def is_near(since: float, pulses: Sequence[Pulse], policy: Policy) -> bool:
    """Tell whether, while it was compared, nearly as much was lost in a minute as is a reason."""
    window: deque[Pulse] = deque()
    misses = 0
    for at, lost in pulses:
        window.append((at, lost))
        misses += lost
        while window[0][0] < at - policy.loss_window_s:  # its oldest bucket may be half out of it
            misses -= window.popleft()[1]
        if at >= since and misses >= NEAR * policy.brownout_minute_ratio * len(window):
            return True
    return False


class Beside:
    """The mind's own functions, fed with a line in use and a standby that loses nothing."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._number = 0
        lines = {BROADBAND: UplinkState(link=UP), STICK: UplinkState(link=UP)}
        self._state = State(lines, Failover(active=BROADBAND))

    @property
    def period_s(self) -> float:
        """Give how soon the line in use is asked again."""
        comparing = self._state.failover.comparison is not None
        close = comparing or is_stuttering(self._state.uplinks[BROADBAND])
        return CLOSE_S if close else CALM_S

    def feed(self, at_s: float, *, lost: bool, decides: bool = True) -> bool:
        """Take one pulse of each line; tell whether the line in use is to be left."""
        now, policy, self._number = Instant(at_s, 0.0), self._policy, self._number + 1
        lines = {
            name: learn(known, pulse(self._number, at_s, name, lost=bad), now, policy)
            for (name, known), bad in zip(self._state.uplinks.items(), (lost, False), strict=True)
        }
        self._state = replace(self._state, uplinks=lines)
        if not decides:
            return False
        self._state = compare(self._state, now, policy)
        return way_out(self._state, now, policy) is not None


def is_left(since: float, pulses: Sequence[Pulse], policy: Policy) -> bool:
    """Live through one comparison that begins at *since*."""
    mind = Beside(policy)
    return any(mind.feed(at, lost=lost, decides=at >= since) for at, lost in pulses)


def left_after(ratio: float, seed: int, policy: Policy = POLICY) -> float | None:
    """Give the seconds from the first loss that is possible until the line is left."""
    dice, mind, now, begins = Random(seed), Beside(policy), 1000.0, 1000.0 + CLEAN_S
    while now < begins + LONGEST_LOOK_S:
        if mind.feed(now, lost=now >= begins and dice.random() < ratio):
            return now - begins
        now += mind.period_s
    return None


def lived(ratio: float, days: float, seed: int, policy: Policy = POLICY) -> Walk:
    """Live so many days beside a line that loses *ratio* of all pulses."""
    walk = Walk(days)
    for since, pulses in compared(ratio, days, Random(seed), policy, walk):
        if is_near(since, pulses, policy):
            walk.near += 1
            walk.left += is_left(since, pulses, policy)
    return walk


def main() -> int:
    """Measure and print; the exit code says whether it was left seldom enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ratio", type=float, default=0.05)
    parser.add_argument("--days", type=float, default=365.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    walk = lived(args.ratio, args.days, args.seed)
    print(f"{args.ratio:.0%} lost, {args.days:g} days, {walk.pulses} questions")
    print(f"compared {walk.comparisons} times, near a reason {walk.near} times: left {walk.left}")
    times = sorted(left_after(LOSSY, seed) or math.inf for seed in range(RUNS))
    late = times[math.ceil(0.95 * RUNS) - 1]
    middle = times[RUNS // 2]
    print(f"{LOSSY:.0%} lost from one moment on, {RUNS} times:", end=" ")
    print(f"left after {middle:.1f} s (median), {late:.1f} s (95th percentile)")
    return int(walk.left > max(1.0, args.days / 365) or late > 40)


if __name__ == "__main__":
    sys.exit(main())
