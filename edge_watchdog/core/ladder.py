"""Evidence out: what each rung of one uplink's ladder is worth right now.

In: what is known of the uplink.  The rule: ignorance is not failure; a rung that nobody asked
lately is UNKNOWN.  Nothing is weighed again before something was learned, or grew old.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.evidence import (
    SERVICE_MISSES,
    is_lossy,
    is_silent,
    loses_by_chance,
    loss_ratio,
    on_layer,
    service_misses,
    window_begins,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import ALIVE, Finding, Health, Layer, LinkState, Neighbour
from edge_watchdog.core.once import KEEPS, once
from edge_watchdog.core.policy import PACES, Periods, Policy
from edge_watchdog.core.state import Track, UplinkState

DRIVER_STALE_S = 150.0  # drivers repeat at least once a minute what they see
SLOW_AFTER_S = 15.0
STALE_PERIODS = 3.0  # one question may be lost, two in a row are news
STALE_GRACE_S = 3.0  # the longest time a single question may take
LOSSY_TIMES = 7  # where much is lost, so many times as many: of half, 14 in a row are no chance
HAIR_S = 1e-6  # sums of seconds are no truer than this


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rung: its health, when it last answered and since when it loses (when questions left)."""

    health: Health = Health.UNKNOWN
    answered: Instant | None = None
    losing_since: Instant | None = None
    loss_ratio: float | None = None
    rtt_s: float | None = None
    words: str = "not asked yet"


Ladder = Mapping[Layer, Evidence]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The ladder of *known*, and from when to when (CLOCK_BOOTTIME) it stays as it is."""

    known: UplinkState
    policy: Policy
    window: int
    since: float
    until: float
    rungs: Ladder

    def stands(self, now: Instant, window: int, policy: Policy) -> bool:
        """Tell whether it would come out the same."""
        same = self.policy is policy and self.window == window
        return same and self.since <= now.mono < self.until


_weighed: dict[int, _Weighed] = {}


def ladder(known: UplinkState, now: Instant, policy: Policy) -> Ladder:
    """Sum up every rung as seen at *now*; the very same mapping while nothing has changed."""
    window = window_begins(now, policy)
    last = _weighed.get(id(known))
    if last is not None and last.stands(now, window, policy):
        return last.rungs
    if len(_weighed) >= KEEPS:
        _weighed.clear()
    rungs = {layer: weigh(known, layer, now, policy) for layer in Layer}
    until = min((at for at in turns(known) if at > now.mono - HAIR_S), default=math.inf) - HAIR_S
    _weighed[id(known)] = _Weighed(known, policy, window, now.mono, until, rungs)
    return rungs


@once
def turns(known: UplinkState) -> tuple[float, ...]:
    """Give when (CLOCK_BOOTTIME) time alone changes what an uplink is worth, but for its losses.

    Silence is news: a rung turns UNKNOWN when its last word grows old.
    """
    ages = _ages(known.pace)
    found = [track.asked.mono + ages[track.layer] for track in known.tracks.values()]
    if known.report is not None:
        found.append(known.report.at.mono + DRIVER_STALE_S)
    if known.slow_since is not None:
        found.append(known.slow_since.mono + SLOW_AFTER_S)
    return (*found, known.alive_until)


def weigh(known: UplinkState, layer: Layer, now: Instant, policy: Policy) -> Evidence:
    """Sum up one rung as seen at *now*."""
    match layer:
        case Layer.LINK:
            return _weigh_link(known.link)
        case Layer.GATEWAY:
            return _weigh_gateway(known, now)
        case Layer.INTERNET:
            return _weigh_internet(known, now, policy)
        case Layer.NAMES | Layer.WEB:  # pragma: no branch - all are named
            lossy = layer is Layer.NAMES and loses_by_chance(known, now, policy)
            return _weigh_service(known, layer, now, SERVICE_MISSES * (LOSSY_TIMES if lossy else 1))


def _weigh_link(link: LinkState | None) -> Evidence:
    if link is None:
        return Evidence()
    if not link.present:
        return Evidence(Health.DOWN, words="the device is not there")
    if link.carrier is False:
        return Evidence(Health.DOWN, words="no signal on the cable")
    if not link.addresses:
        return Evidence(Health.DOWN, words="connected, but without an address")
    if link.gateway is None:
        return Evidence(Health.DOWN, words="connected, but no router is known")
    return Evidence(Health.UP, words=f"connected, address {link.addresses[0]}")


def _weigh_gateway(known: UplinkState, now: Instant) -> Evidence:
    neighbour = known.link.neighbour if known.link else None
    track = max(on_layer(known, Layer.GATEWAY), key=lambda t: t.asked.mono, default=None)
    if track is not None and is_fresh(known, track, now) and not track.misses and track.answered:
        return _one(Health.UP, track, "the router answers")
    if neighbour is Neighbour.FAILED:
        return _one(Health.DOWN, track, "the router does not answer on the local network")
    if track is None or not is_fresh(known, track, now):
        return Evidence(words="the router was not asked lately")
    if track.answered is None:  # it may never answer pings: only ARP can tell
        if neighbour is Neighbour.REACHABLE:
            return _one(Health.UP, track, "the router is there, it does not answer pings")
        return _one(Health.UNKNOWN, track, "the router does not answer pings")
    if track.misses >= 3:
        return _one(Health.DOWN, track, f"the router missed {track.misses} questions in a row")
    return _one(Health.DEGRADED, track, "the router missed a question")


def _one(health: Health, track: Track | None, words: str) -> Evidence:
    if track is None:
        return Evidence(health, words=words)
    return Evidence(health, track.answered, track.losing_since, None, track.rtt_s, words)


def _weigh_internet(known: UplinkState, now: Instant, policy: Policy) -> Evidence:
    tracks = _fresh(known, Layer.INTERNET, now)
    if not tracks:
        return Evidence(words="no host on the internet was asked lately")
    alive = {t.operator for t in tracks if t.answered and not t.misses}
    everyone = {t.operator for t in tracks}
    ratio = loss_ratio(known, now, policy)
    words = f"hosts of {len(alive)} of {len(everyone)} operators answer"
    answered = max((t.answered for t in tracks if t.answered), key=_mono, default=None)
    since = known.silence.since if known.silence else None
    rtts = sorted(t.rtt_s for t in tracks if t.rtt_s is not None and not t.misses)
    rtt = rtts[len(rtts) // 2] if rtts else None
    health = Health.UP
    if is_silent(known, policy):
        health, words = Health.DOWN, "no host on the internet answers"
    elif not alive:
        health, words = Health.UNKNOWN, "hosts on the internet stopped answering, checking"
    elif is_lossy(known, now, policy):
        health = Health.DEGRADED
        words += ", many questions are lost" if ratio is None else f", {ratio:.0%} are lost"
    elif len(alive) < min(2, len(everyone)):
        health = Health.DEGRADED
    return Evidence(health, answered, since, ratio, rtt, words)


def _weigh_service(known: UplinkState, layer: Layer, now: Instant, misses: int) -> Evidence:
    """Judge names or web: the newest word counts, whoever it is about, and the best of a turn.

    *misses*: so many in a row say that it is down.
    """
    tracks = _fresh(known, layer, now)
    if not tracks:
        return Evidence(words="not asked lately")
    newest = max(tracks, key=lambda t: (t.asked.mono, _is_well(t)))
    if _is_well(newest):
        return _one(Health.UP, newest, f"{newest.target} answers")
    words = f"{newest.target}: {newest.detail or newest.finding}"
    if newest.finding in ALIVE:
        return _one(Health.DEGRADED, newest, words)
    if newest.finding in (Finding.NOT_ASKED, Finding.MISROUTED):
        return _one(Health.UNKNOWN, newest, words)
    # what was lost before counts on, though it is another name that is asked by now
    down = service_misses(on_layer(known, layer)) >= misses
    return _one(Health.DOWN if down else Health.UNKNOWN, newest, words)


def _is_well(track: Track) -> bool:
    return track.finding is Finding.ANSWERED and not track.misses


def stale_after(known: UplinkState, layer: Layer) -> float:
    """Give the age in seconds past which a track of *layer* says nothing any more."""
    return _ages(known.pace)[layer]


@once
def _ages(pace: Pace) -> Mapping[Layer, float]:
    return {layer: _age(PACES[pace], layer) for layer in Layer}


def _age(periods: Periods, layer: Layer) -> float:
    match layer:
        case Layer.INTERNET:  # pulses take turns: each target is asked once a round
            period = None if periods.pulse is None else 8 * periods.pulse
        case Layer.GATEWAY:
            # asked in bursts only: its word is worth as long as that of the pulses around it
            period = periods.gateway or 8 * (periods.pulse or 0.0) or None
        case Layer.NAMES:
            period = periods.names
        case Layer.WEB:
            period = periods.web
        case Layer.LINK:  # pragma: no branch - all are named
            period = None
    return STALE_PERIODS * (10.0 if period is None else period) + STALE_GRACE_S


def is_fresh(known: UplinkState, track: Track, now: Instant) -> bool:
    """Tell whether *track* was asked lately enough to speak for its rung."""
    return now.since(track.asked) <= stale_after(known, track.layer)


def _fresh(known: UplinkState, layer: Layer, now: Instant) -> list[Track]:
    age_s = stale_after(known, layer)
    return [t for t in on_layer(known, layer) if now.since(t.asked) <= age_s]


def _mono(instant: Instant) -> float:
    return instant.mono
