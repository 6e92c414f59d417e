"""What is known of a line becomes signs: one word for each thing looked at, nothing for the rest.

In: an uplink's evidence, what its driver and the box report, the other lines.  Out: the signs that
catalogue.py speaks of.  What explains a failure is read only while the line fails.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.core.catalogue import Sign, Signs
from edge_watchdog.core.evidence import (
    internet,
    is_hard_down,
    is_silent,
    loses_by_chance,
    on_layer,
)
from edge_watchdog.core.inquiries import hangs
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import DRIVER_STALE_S, SLOW_AFTER_S, Evidence
from edge_watchdog.core.model import (
    DriverReport,
    Finding,
    Health,
    Layer,
    LinkState,
    Registration,
    Sim,
)
from edge_watchdog.core.once import once
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal, plain_pages, secure_pages, shows_portal
from edge_watchdog.core.split import (
    PROVEN_LOSSY_S,
    PROVEN_S,
    SPLIT,
    deaf_operators,
    unheard_anywhere,
)
from edge_watchdog.core.state import BoxState, Cause, Track, UplinkState
from edge_watchdog.core.stranger import is_led_astray

POWER_MEMORY_S = 60.0  # a device that the power dropped needs so long to come back
UNHEARD = 4  # questions lost by name servers of others, each of which missed its last one
STALLS = 2  # secure pages that hang, in a row, while plain ones open
WEAK_WIFI_DBM = -75.0
FAINT_MOBILE_DBM = -115.0  # RSRP
BUSY_RATIO = 0.6  # of the learned peak, either way
IDLE_RATIO = 0.3
FULL_SIZE_BYTES = 1500
CLOCK_OFF_S = 300.0
NAMES_FAIL = (Cause.DNS_DEAD, Cause.DNS_BLOCKED)
LINK_LOCAL = "169.254."


@dataclass(frozen=True, slots=True)
class Around:
    """What is known beside the line itself: the other lines, the box, what the plan is like.

    *unheard*: operators that another line does not hear either.  *pages_fine*: over another line
    certificates are in order.  *starved*: the box has, or just had, too little power.
    """

    unheard: frozenset[str] = frozenset()
    pages_fine: bool = False
    starved: bool = False
    clock_offset_s: float | None = None
    metered: bool = False


def look_around(
    others: Sequence[UplinkState], box: BoxState, now: Instant, *, metered: bool
) -> Around:
    """Sum up what stands around one line."""
    return Around(
        unheard_anywhere(others),
        _is_fine_elsewhere(others),
        _is_starved(box, now),
        box.clock_offset_s,
        metered,
    )


def read_signs(
    known: UplinkState,
    rungs: Mapping[Layer, Evidence],
    around: Around,
    *,
    now: Instant,
    policy: Policy,
) -> Signs:
    """Turn evidence into signs; what is not known is left out."""
    report = report_of(known, now)
    secure = _secure(known, around)
    anchors = _anchors(known, rungs[Layer.INTERNET], around, now=now, policy=policy)
    names = _names(known, rungs[Layer.NAMES])
    found: dict[Sign, str | None] = {
        Sign.METERED: "yes" if around.metered else "no",
        Sign.GATEWAY: _sign_of(rungs[Layer.GATEWAY]),
        Sign.ANCHORS: anchors,
        Sign.NAMES: names,
        Sign.PUBLIC: _public(known) if names == "fail" and anchors != "fail" else None,
        Sign.WEB: _web(known, rungs[Layer.WEB], report, metered=around.metered),
        Sign.SECURE: secure,
        Sign.DELAY: _delay(known, anchors, now),
    }
    found |= _link(known.link)
    failing = is_hard_down(known.link) or is_silent(known, policy)
    if failing and around.starved:
        found[Sign.POWER] = "low"
    elif report is not None and (known.link is None or known.link.present):
        found |= _told(report, found)
        found[Sign.OFFERS] = "rogue" if is_led_astray(known, report, found) else None
        if anchors in ("ok", "lossy") and hangs(known):
            found[Sign.SIZE] = _size(report.path_mtu_bytes)
        if failing:
            alone = around.metered and found[Sign.GATEWAY] != "ok"
            found |= _told_of_failure(report, alone=alone)
        if failing or anchors != "ok":
            found |= _told_of_air(report)
    return {sign: value for sign, value in found.items() if value is not None}


def report_of(known: UplinkState, now: Instant) -> DriverReport | None:
    """Give what the driver said, while it is fresh."""
    report = known.report
    if report is None or now.since(report.at) > DRIVER_STALE_S:
        return None
    return report


def _is_starved(box: BoxState, now: Instant) -> bool:
    at = box.power_low_at
    return at is not None and (box.power_low or now.since(at) <= POWER_MEMORY_S)


def _sign_of(evidence: Evidence, *, degraded: str = "lossy") -> str | None:
    return {
        Health.UP: "ok",
        Health.DEGRADED: degraded,
        Health.DOWN: "fail",
        Health.UNKNOWN: None,
    }[evidence.health]


def _link(link: LinkState | None) -> dict[Sign, str | None]:
    if link is None:
        return {}
    if not link.present:
        return {Sign.DEVICE: "gone"}
    found: dict[Sign, str | None] = {Sign.DEVICE: "there"}
    if link.carrier is not None:
        found[Sign.CARRIER] = "ok" if link.carrier else "fail"
    if link.carrier:
        given = [a for a in link.addresses if not a.startswith(LINK_LOCAL)]
        # a line that was refused (routed False) has an address, only none that can be used
        way = link.gateway is not None or link.routed is False
        found[Sign.ADDRESS] = "ok" if given and way else "fail"
    if link.routed is not None and link.addresses:
        found[Sign.ROUTED] = "ok" if link.routed else "astray"
    return found


def _anchors(
    known: UplinkState, evidence: Evidence, around: Around, *, now: Instant, policy: Policy
) -> str | None:
    if is_silent(known, policy):
        return "fail"
    if evidence.health is Health.UNKNOWN:
        return None
    tracks = internet(known)
    by_chance = loses_by_chance(known, now, policy)
    deaf = deaf_operators(tracks, PROVEN_LOSSY_S if by_chance else PROVEN_S)
    hearing = {t.operator for t in tracks} - deaf
    if len(deaf - around.unheard) >= SPLIT and hearing:
        return "partial"
    return "lossy" if by_chance else "ok"


def _since_silence(known: UplinkState, tracks: Sequence[Track]) -> Sequence[Track]:
    """Give those of *tracks* asked after the present silence began; all when there is none."""
    if known.silence is None:
        return tracks
    return [t for t in tracks if t.asked.mono >= known.silence.since.mono]


def _names(known: UplinkState, evidence: Evidence) -> str | None:
    tracks = _since_silence(known, on_layer(known, Layer.NAMES))
    if any(t.finding is Finding.FALSE_ANSWER for t in tracks):
        return "false"
    sign = _sign_of(evidence, degraded="fail")
    return None if sign == "fail" and not _outlived(known, tracks) else sign


def _outlived(known: UplinkState, tracks: Sequence[Track]) -> bool:
    """Tell whether the line was seen to live after names first failed, or is known not to."""
    if known.silence is not None or (known.diagnosis and known.diagnosis.cause in NAMES_FAIL):
        return True
    failed = max(t.asked.mono for t in tracks)
    return any(t.answered is not None and t.answered.mono >= failed for t in internet(known))


def _public(known: UplinkState) -> str | None:
    """Tell whether name servers of others can be asked by UDP, since our own began to fail."""
    asked = public_servers(known)
    failing = [t.losing_since.mono for t in on_layer(known, Layer.NAMES) if t.losing_since]
    since = min(failing, default=-math.inf)
    if any(t.answered and t.answered.mono >= since and not t.misses for t in asked):
        return "ok"
    enough = sum(t.misses for t in asked) >= UNHEARD or all(t.deaf for t in asked)
    return "blocked" if asked and enough and all(t.misses for t in asked) else None


def public_servers(known: UplinkState) -> Sequence[Track]:
    """Give the name servers of others that are asked over this line."""
    return [t for t in internet(known) if t.target.startswith("dns ")]


def _web(
    known: UplinkState, evidence: Evidence, report: DriverReport | None, *, metered: bool
) -> str | None:
    if has_portal(known):
        wireless = report.wireless if report else None
        walled = wireless is False or (metered and wireless is None)
        return "garden" if walled else "portal"
    if shows_portal(known):
        return None  # a page that was rebuilt says nothing
    plain = _since_silence(known, plain_pages(known))
    if any(t.finding is Finding.ANSWERED for t in plain):
        return _sign_of(evidence, degraded="fail")
    return "fail" if evidence.health is Health.DOWN else None


def _secure(known: UplinkState, around: Around) -> str | None:
    offset = around.clock_offset_s
    if offset is not None and abs(offset) > CLOCK_OFF_S:
        return "clock"
    tracks = _since_silence(known, secure_pages(known))
    if not tracks:
        return None
    if len({t.target for t in tracks if "date off by" in t.detail}) >= 2:
        return "clock"  # two hosts that agree against us
    bad = [t for t in tracks if t.finding is Finding.BAD_CERTIFICATE]
    if not bad:
        fine = any(t.finding is Finding.ANSWERED for t in tracks)
        return "ok" if fine else _stalls(known, tracks)
    dated = all("expired" in t.detail or "not yet valid" in t.detail for t in bad)
    # another line, by the same clock, finds certificates in order: then it is this line
    return "clock" if dated and not around.pages_fine else "intercepted"


def _is_fine_elsewhere(others: Sequence[UplinkState]) -> bool:
    found = [finding for other in others for finding in _certificates(other)]
    return Finding.ANSWERED in found and Finding.BAD_CERTIFICATE not in found


@once
def _certificates(known: UplinkState) -> Sequence[Finding]:
    return [t.finding for t in _since_silence(known, secure_pages(known))]


def _stalls(known: UplinkState, tracks: Sequence[Track]) -> str | None:
    """Tell whether secure pages hang while plain ones open."""
    lost = [t for t in tracks if t.finding is Finding.SILENT and t.losing_since is not None]
    if len(lost) < len(tracks) or sum(t.misses for t in lost) < STALLS:
        return None
    began = min(t.losing_since.mono for t in lost if t.losing_since is not None)
    opened = (t for t in plain_pages(known) if t.finding is Finding.ANSWERED)
    return "stalls" if any(t.asked.mono > began for t in opened) else None


def _delay(known: UplinkState, anchors: str | None, now: Instant) -> str | None:
    if anchors in (None, "fail"):
        return None
    slow = known.slow_since is not None and now.since(known.slow_since) >= SLOW_AFTER_S
    return "high" if slow else "ok"


def _told(report: DriverReport, found: Mapping[Sign, str | None]) -> dict[Sign, str | None]:
    """Read what a driver says of a line whether or not it works."""
    told: dict[Sign, str | None] = {Sign.PLAN: _one_of(report.cap_reached, "used")}
    taken = report.address_taken  # whoever answers in the router's place may be the other device
    told[Sign.CLAIM] = "ours" if report.own_address_taken else _one_of(taken, "twofold")
    if found[Sign.GATEWAY] != "ok" or found[Sign.ANCHORS] != "fail":
        # it spoils the way to the router, not what lies beyond a router that answers
        overlap = None if report.overlaps is None else bool(report.overlaps)
        told[Sign.RANGE] = _one_of(overlap, "overlap")
    if found[Sign.DELAY] == "high" and report.load_ratio is not None:
        busy, idle = report.load_ratio >= BUSY_RATIO, report.load_ratio < IDLE_RATIO
        told[Sign.LOAD] = "busy" if busy else "idle" if idle else None
    if report.ipv6_works is not None and found[Sign.ANCHORS] is not None:
        told[Sign.SIX] = _six(works=report.ipv6_works, dead=found[Sign.ANCHORS] == "fail")
    return told


def _one_of(value: bool | None, proof: str) -> str | None:
    if value is None:
        return None
    return proof if value else "ok"


def _size(path_mtu_bytes: int | None) -> str | None:
    if path_mtu_bytes is None:
        return None
    return "cut" if path_mtu_bytes < FULL_SIZE_BYTES else "ok"


def _six(*, works: bool, dead: bool) -> str | None:
    if works:
        return "alone" if dead else "ok"
    return None if dead else "dead"


def _told_of_failure(report: DriverReport, *, alone: bool) -> dict[Sign, str | None]:
    """Read what a driver says of the near end of a line that fails.

    That nothing at all is heard tells of a stick or modem that stands *alone*: behind a cable it is
    the router's doing, and one that answers for itself was heard, when it was asked.
    """
    reached = None if report.modem_answers is None else not report.modem_answers
    online = None if report.router_online is None else not report.router_online
    peers = None if report.peers_answer is None else not report.peers_answer
    return {
        Sign.PEERS: _one_of(peers, "vanished"),
        Sign.MODEM: _one_of(reached, "mute"),
        Sign.WAN: None if reached else _one_of(online, "offline"),
        Sign.EDGE: _edge(report.edge_answers),
        Sign.SIM: _sim(report.sim),
        Sign.TRAFFIC: _one_of(report.hears_nothing if alone else None, "oneway"),
        Sign.JOIN: _join(report),
    }


def _edge(answers: bool | None) -> str | None:
    if answers is None:
        return None
    return "ok" if answers else "quiet"


def _sim(sim: Sim | None) -> str | None:
    match sim:
        case None:
            return None
        case Sim.READY:
            return "ok"
        case Sim.MISSING:
            return "missing"
        case Sim.LOCKED:  # pragma: no branch - all are named
            return "locked"


def _join(report: DriverReport) -> str | None:
    if report.ssid_seen is False:
        return "absent"
    if report.auth_refused:
        return "refused"
    return "ok" if report.ssid_seen else None


def _told_of_air(report: DriverReport) -> dict[Sign, str | None]:
    """Read what a driver says of radio; a missing SIM or hotspot has no signal to speak of."""
    told: dict[Sign, str | None] = {}
    if report.wifi_signal_dbm is not None and report.ssid_seen is not False:
        told[Sign.RADIO] = "weak" if report.wifi_signal_dbm < WEAK_WIFI_DBM else "ok"
    if report.sim in (None, Sim.READY):
        told[Sign.MOBILE] = _mobile(report)
    return told


def _mobile(report: DriverReport) -> str | None:
    if report.mobile_signal_dbm is not None and report.mobile_signal_dbm < FAINT_MOBILE_DBM:
        return "faint"
    if report.registration in (Registration.SEARCHING, Registration.DENIED):
        return "unregistered"
    return None if report.registration is None else "ok"


WORDS: Mapping[tuple[Sign, str], str] = {
    (Sign.PUBLIC, "blocked"): "line: no name server outside answers",
    (Sign.SECURE, "stalls"): "line: plain pages open, secure ones hang",
    (Sign.DELAY, "high"): "line: answers take far longer than usual",
    (Sign.SIZE, "cut"): "line: large packets do not come through",
    (Sign.SIX, "dead"): "line: nothing answers by IPv6",
    (Sign.SIX, "alone"): "line: hosts answer by IPv6 only",
    (Sign.LOAD, "idle"): "line: we hardly use it",
    (Sign.LOAD, "busy"): "line: we use all of it",
    (Sign.PEERS, "ok"): "local network: other devices answer",
    (Sign.PEERS, "vanished"): "local network: other devices are gone as well",
    (Sign.CLAIM, "twofold"): "local network: two devices use one address",
    (Sign.CLAIM, "ours"): "local network: another device says that it has the box's address",
    (Sign.RANGE, "overlap"): "link: its addresses overlap with the studio's",
    (Sign.MODEM, "ok"): "modem: answers",
    (Sign.MODEM, "mute"): "modem: does not answer",
    (Sign.WAN, "offline"): "router: says itself that it is offline",
    (Sign.WAN, "ok"): "router: says itself that it is online",
    (Sign.EDGE, "ok"): "provider: its first machine answers, nothing beyond it does",
    (Sign.EDGE, "quiet"): "provider: not even its first machine answers",
    (Sign.RADIO, "weak"): "link: the Wi-Fi signal is weak",
    (Sign.JOIN, "absent"): "link: the hotspot is not in sight",
    (Sign.JOIN, "refused"): "link: the hotspot refuses the password",
    (Sign.SIM, "missing"): "link: there is no SIM",
    (Sign.SIM, "locked"): "link: the SIM is locked",
    (Sign.MOBILE, "faint"): "link: hardly any mobile signal",
    (Sign.MOBILE, "unregistered"): "link: the mobile network does not let it in",
    (Sign.PLAN, "used"): "link: the data plan is used up",
    (Sign.TRAFFIC, "oneway"): "link: sends, and hears nothing",
    (Sign.POWER, "low"): "box: it gets too little power",
}


def report_words(signs: Signs) -> tuple[str, ...]:
    """Say what was seen beside the rungs."""
    return tuple(WORDS[pair] for pair in signs.items() if pair in WORDS)
