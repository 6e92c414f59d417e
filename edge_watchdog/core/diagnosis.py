"""Evidence in, a cause with its confidence out: which of the known faults explains what is seen?

Naive Bayes over a handful of signs.  A fault is a row of TABLE: the signs it must show.  Known
signs that fit cost little, signs that contradict cost much, signs the row is silent about cost
something between, so that the row that explains more wins.  Unknown signs cost nothing: ignorance
never accuses.  "Usable?" is asked in failover.py; here only "why?" is asked.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.evidence import (
    Evidence,
    has_portal,
    internet,
    is_lossy,
    is_silent,
    weigh,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Health, Layer
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, Diagnosis, Track, UplinkState

FITS = math.log(0.95)
CONTRADICTS = math.log(0.01)
CONTRADICTS_PROOF = math.log(0.001)
SILENT_ROW = math.log(0.35)
NO_PROOF = math.log(0.1)


class Sign(StrEnum):
    """What is looked at; each takes one of a few values, or is unknown and left out."""

    DEVICE = "device"  # there, gone
    CARRIER = "carrier"  # ok, fail
    ADDRESS = "address"  # ok, fail
    ROUTED = "routed"  # ok, astray
    GATEWAY = "gateway"  # ok, lossy, fail
    ANCHORS = "anchors"  # ok, lossy, partial, fail
    NAMES = "names"  # ok, fail
    WEB = "web"  # ok, portal, fail
    SECURE = "secure"  # ok, intercepted, clock
    METERED = "metered"  # yes, no


Signs = Mapping[Sign, str]
Row = Mapping[Sign, frozenset[str]]


def _row(**wanted: str) -> Row:
    return {Sign(name): frozenset(values.split()) for name, values in wanted.items()}


TABLE: Mapping[Cause, Row] = {
    Cause.NONE: _row(
        device="there",
        carrier="ok",
        address="ok",
        routed="ok",
        gateway="ok",
        anchors="ok",
        names="ok",
        web="ok",
        secure="ok",
    ),
    Cause.DEVICE_GONE: _row(device="gone"),
    Cause.CABLE_OUT: _row(
        device="there",
        carrier="fail",
        gateway="fail ok",
        anchors="fail ok",
        names="fail ok",
        web="fail ok",
        secure="ok",
        address="ok fail",
        routed="ok astray",
    ),
    Cause.NO_ADDRESS: _row(
        device="there",
        carrier="ok",
        address="fail",
        anchors="fail ok",
        gateway="fail ok",
        names="fail ok",
        web="fail ok",
        secure="ok",
        routed="ok astray",
    ),
    Cause.MISROUTED: _row(device="there", carrier="ok", address="ok", routed="astray"),
    Cause.ROUTER_DEAD: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="fail",
        anchors="fail",
        names="fail ok",
        web="fail ok",
        secure="ok",
        routed="ok",
    ),
    Cause.PROVIDER_DOWN: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok lossy",
        anchors="fail",
        names="fail ok",
        web="fail ok",
        secure="ok",
        routed="ok",
        metered="no",
    ),
    Cause.NO_DATA: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok lossy",
        anchors="fail",
        names="fail ok",
        web="fail ok",
        secure="ok",
        routed="ok",
        metered="yes",
    ),
    Cause.PARTIAL_ROUTING: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="partial",
        names="ok fail",
        web="ok fail",
        secure="ok",
        routed="ok",
    ),
    Cause.DNS_DEAD: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="ok lossy",
        names="fail",
        web="ok",
        secure="ok",
        routed="ok",
    ),
    Cause.PORTAL: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="ok fail partial lossy",
        names="ok fail",
        web="portal",
        routed="ok",
        secure="ok intercepted",
    ),
    Cause.TLS_INTERCEPTED: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="ok",
        names="ok",
        web="ok",
        secure="intercepted",
        routed="ok",
    ),
    Cause.CLOCK_WRONG: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="ok",
        names="ok",
        web="ok",
        secure="clock",
        routed="ok",
    ),
    Cause.LINE_LOSS: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="ok",
        anchors="lossy",
        names="ok",
        web="ok fail",
        secure="ok",
        routed="ok",
    ),
    Cause.LOCAL_LOSS: _row(
        device="there",
        carrier="ok",
        address="ok",
        gateway="lossy",
        anchors="lossy",
        names="ok fail",
        web="ok fail",
        secure="ok",
        routed="ok",
    ),
}
PRIOR: Mapping[Cause, float] = {Cause.NONE: 4.0}
# values that are seen for one reason only
PROOFS = frozenset({"gone", "astray", "portal", "intercepted", "clock"})


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best explanation, its probability among all rows, and the next best."""

    cause: Cause
    confidence: float
    runner_up: Cause
    runner_up_confidence: float


def rank(signs: Signs) -> Ranked:
    """Rank every row of TABLE against *signs*."""
    return _rank(tuple(sorted(signs.items())))


@functools.lru_cache(maxsize=1024)  # the same few signs come with nearly every event
def _rank(found: tuple[tuple[Sign, str], ...]) -> Ranked:
    signs = dict(found)
    scores = {cause: _score(cause, row, signs) for cause, row in TABLE.items()}
    top = max(scores.values())
    weights = {cause: math.exp(score - top) for cause, score in scores.items()}
    total = sum(weights.values())
    order = sorted(weights, key=lambda cause: -weights[cause])
    best, second = order[0], order[1]
    return Ranked(best, weights[best] / total, second, weights[second] / total)


def _score(cause: Cause, row: Row, signs: Signs) -> float:
    score = math.log(PRIOR.get(cause, 1.0))
    # what would prove this cause was not looked at: it may be so, but nothing speaks for it
    score += sum(NO_PROOF for sign, wanted in row.items() if sign not in signs and wanted <= PROOFS)
    for sign, value in signs.items():
        if sign not in row:
            # whether the plan is metered is no sign of trouble: only rows that ask for it look
            score += 0.0 if sign is Sign.METERED else SILENT_ROW
        elif value in row[sign]:
            score += FITS
        else:
            score += CONTRADICTS_PROOF if value in PROOFS else CONTRADICTS
    return score


def diagnose(known: UplinkState, *, metered: bool, now: Instant, policy: Policy) -> Diagnosis:
    """Name the cause for one uplink, or CHECKING with the likeliest one as runner-up."""
    rungs = {layer: weigh(known, layer, now, policy) for layer in Layer}
    signs = read_signs(known, rungs, metered=metered, now=now, policy=policy)
    because = tuple(f"{layer}: {e.words}" for layer, e in rungs.items())
    before = known.diagnosis
    if not signs.keys() & {Sign.ANCHORS, Sign.CARRIER, Sign.DEVICE, Sign.ADDRESS}:
        return _dated(Cause.CHECKING, 0.0, now, because, before)
    if known.silence is not None and not is_silent(known, policy):
        return _in_doubt(known, now, because)
    best = rank(signs)
    sure = best.confidence >= policy.confident
    sure = sure and best.confidence >= 2 * best.runner_up_confidence
    if not sure:
        return _dated(Cause.CHECKING, best.confidence, now, because, before, best.cause)
    return _dated(best.cause, best.confidence, now, because, before, best.runner_up)


def _in_doubt(known: UplinkState, now: Instant, because: tuple[str, ...]) -> Diagnosis:
    """While a silence is young, keep what was known: a missed question is not a diagnosis."""
    if known.diagnosis is not None:
        return known.diagnosis
    return Diagnosis(Cause.CHECKING, 0.0, now, because)


def _dated(
    cause: Cause,
    confidence: float,
    now: Instant,
    because: tuple[str, ...],
    before: Diagnosis | None,
    runner_up: Cause | None = None,
) -> Diagnosis:
    same = before is not None and before.cause is cause
    since = before.since if before is not None and same else now
    return Diagnosis(cause, round(confidence, 3), since, because, runner_up)


def read_signs(
    known: UplinkState,
    rungs: Mapping[Layer, Evidence],
    *,
    metered: bool,
    now: Instant,
    policy: Policy,
) -> Signs:
    """Turn evidence into signs; what is not known is left out."""
    link = known.link
    found: dict[Sign, str | None] = {
        Sign.METERED: "yes" if metered else "no",
        Sign.GATEWAY: _sign_of(rungs[Layer.GATEWAY]),
        Sign.ANCHORS: _anchors(known, rungs[Layer.INTERNET], now, policy),
        Sign.NAMES: _sign_of(rungs[Layer.NAMES], degraded="fail"),
        Sign.WEB: "portal" if has_portal(known) else _web(known, rungs[Layer.WEB]),
        Sign.SECURE: _secure(known),
    }
    if link is not None:
        found[Sign.DEVICE] = "there" if link.present else "gone"
        if link.present and link.carrier is not None:
            found[Sign.CARRIER] = "ok" if link.carrier else "fail"
        if link.present and link.carrier:
            # a line that was refused (routed False) has an address, only none that can be used
            way = link.gateway is not None or link.routed is False
            found[Sign.ADDRESS] = "ok" if link.addresses and way else "fail"
        if link.routed is not None and link.addresses:
            found[Sign.ROUTED] = "ok" if link.routed else "astray"
    return {sign: value for sign, value in found.items() if value is not None}


def _sign_of(evidence: Evidence, *, degraded: str = "lossy") -> str | None:
    return {
        Health.UP: "ok",
        Health.DEGRADED: degraded,
        Health.DOWN: "fail",
        Health.UNKNOWN: None,
    }[evidence.health]


def _anchors(known: UplinkState, evidence: Evidence, now: Instant, policy: Policy) -> str | None:
    if is_silent(known, policy):
        return "fail"
    if evidence.health is Health.UNKNOWN:
        return None
    deaf = _deaf_operators(internet(known))
    hearing = {t.operator for t in internet(known)} - deaf
    if len(deaf) >= 2 and hearing:
        return "partial"
    return "lossy" if is_lossy(known, now, policy) else "ok"


def _deaf_operators(tracks: list[Track]) -> set[str]:
    """Name the operators of which no target answers, by no method, while others do."""
    operators = {t.operator for t in tracks}
    return operators - {t.operator for t in tracks if not t.deaf}


def _since_silence(known: UplinkState) -> list[Track]:
    """Give the tracks that were asked after the present silence began; all when there is none."""
    began = known.silence.since.mono if known.silence else -math.inf
    return [t for t in known.tracks.values() if t.asked.mono >= began]


def _web(known: UplinkState, evidence: Evidence) -> str | None:
    plain = [t for t in _since_silence(known) if t.target.startswith("http ")]
    if any(t.finding is Finding.ANSWERED for t in plain):
        return _sign_of(evidence, degraded="fail")
    return "fail" if evidence.health is Health.DOWN else None


def _secure(known: UplinkState) -> str | None:
    tracks = [t for t in _since_silence(known) if t.target.startswith("https ")]
    if not tracks:
        return None
    if len({t.target for t in tracks if "date off by" in t.detail}) >= 2:
        return "clock"  # two hosts that agree against us
    bad = [t for t in tracks if t.finding is Finding.BAD_CERTIFICATE]
    if not bad:
        return "ok" if any(t.finding is Finding.ANSWERED for t in tracks) else None
    if all("expired" in t.detail or "not yet valid" in t.detail for t in bad):
        return "clock"
    return "intercepted"
