"""Evidence in, a cause with its confidence out: which of the known faults explains what is seen?

Naive Bayes over a handful of signs.  A fault is a row of TABLE: the signs it must show.  Known
signs that fit cost little, signs that contradict cost much, signs the row is silent about cost
something between, so that the row that explains more wins.  Unknown signs cost nothing: ignorance
never accuses.  "Usable?" is asked in moves.py; here only "why?" is asked.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from edge_watchdog.core.catalogue import ASIDE, PROOFS, TABLE, Row, Sign, Signs
from edge_watchdog.core.evidence import is_silent
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import Ladder, ladder
from edge_watchdog.core.once import KEEPS
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import sign_in_words
from edge_watchdog.core.signs import Around, public_servers, read_signs, report_of, report_words
from edge_watchdog.core.state import Cause, Diagnosis, UplinkState
from edge_watchdog.core.stranger import stranger_words

FITS = math.log(0.95)
CONTRADICTS = math.log(0.01)
CONTRADICTS_PROOF = math.log(0.001)
UNEXPLAINED_PROOF = math.log(0.02)
SILENT_ROW = math.log(0.35)
NO_PROOF = math.log(0.005)  # many rows wait for a proof: together they must still weigh little
PRIOR: Mapping[Cause, float] = {Cause.NONE: 4.0, Cause.LINE_SLOW: 2.0}


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
        proof = value in PROOFS
        if sign in row:
            against = CONTRADICTS_PROOF if proof else CONTRADICTS
            score += FITS if value in row[sign] else against
        elif proof:
            score += UNEXPLAINED_PROOF
        elif sign not in ASIDE:
            score += SILENT_ROW
    return score


@dataclass(frozen=True, slots=True)
class _Settled:
    """The diagnosis of *known* came out as it was: it stands while *rungs* and *around* do."""

    known: UplinkState
    rungs: Ladder
    around: Around


_settled: dict[int, _Settled] = {}


def diagnose(known: UplinkState, around: Around, *, now: Instant, policy: Policy) -> Diagnosis:
    """Name the cause for one uplink, or CHECKING with the likeliest one as runner-up.

    The very same diagnosis as before when it comes out alike.
    """
    rungs, before = ladder(known, now, policy), known.diagnosis
    last = _settled.get(id(known))
    if before is not None and last is not None and last.rungs is rungs and last.around == around:
        return before
    found = _find(known, rungs, around, now=now, policy=policy)
    if before is None or found != before:
        return found
    if len(_settled) >= KEEPS:
        _settled.clear()
    _settled[id(known)] = _Settled(known, rungs, around)
    return before


def _find(
    known: UplinkState, rungs: Ladder, around: Around, *, now: Instant, policy: Policy
) -> Diagnosis:
    signs = read_signs(known, rungs, around, now=now, policy=policy)
    because = tuple(f"{layer}: {e.words}" for layer, e in rungs.items())
    because += (*report_words(signs), *sign_in_words(known), *stranger_words(known, now))
    before = known.diagnosis
    if not signs.keys() & {Sign.ANCHORS, Sign.CARRIER, Sign.DEVICE, Sign.ADDRESS}:
        return _dated(Cause.CHECKING, 0.0, now, because, before)
    if known.silence is not None and not is_silent(known, policy):
        return _in_doubt(known, now, because)
    best = rank(signs)
    sure = best.confidence >= policy.confident
    sure = sure and best.confidence >= 2 * best.runner_up_confidence
    sure = sure and not _is_being_asked(best.cause, known, now)
    sure = sure and not (best.cause is Cause.DNS_DEAD and _is_wider(known, signs))
    if not sure:
        return _dated(Cause.CHECKING, best.confidence, now, because, before, best.cause)
    return _dated(best.cause, best.confidence, now, because, before, best.runner_up)


def _is_being_asked(cause: Cause, known: UplinkState, now: Instant) -> bool:
    """Tell whether a moment will tell the router from the switch that it hangs on, or from two."""
    report = report_of(known, now)
    if report is None:
        return False
    neighbours = cause is Cause.ROUTER_DEAD and report.asking_peers is True
    return neighbours or report.asking_router is True


def _is_wider(known: UplinkState, signs: Signs) -> bool:
    """Tell whether other name servers miss, too, and it is not clear yet that all of them do."""
    return Sign.PUBLIC not in signs and any(t.misses for t in public_servers(known))


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
