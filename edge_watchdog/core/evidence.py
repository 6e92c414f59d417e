"""Samples in: what is learned of one uplink, and what the hosts on the internet say of it.

Two rules carry the whole room.  A far answer proves a near rung only if it is newer than that
rung's first loss.  A target that misses while others answer is deaf, and a deaf target accuses
nobody.  What each rung is worth right now is weighed in ladder.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, LinkState, Sample
from edge_watchdog.core.once import once
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import has_portal
from edge_watchdog.core.state import Bucket, Silence, Track, UplinkState

BUCKET_S = 5.0
LOSS_SENT = 10  # with fewer no share can be told
LOSS_LOST = 4
SERVICE_MISSES = 2  # one unanswered name or page is a hiccup
SERIOUS = 3  # lost questions in a row, of hosts that usually answer: more than bad luck
LONGEST_RTT_S = 0.8  # past this the miss timer has run out
UNSTABLE_RETURNS, UNSTABLE_WITHIN_S = 3, 600.0
SERVICES = (Layer.NAMES, Layer.WEB)
# A round trip is long past this, and past twice what the target usually takes.
LONG_RTT_S = 0.1
# The usual one follows a shorter one at once, a longer one in half an hour at four questions a
# second over eight targets: a day of congestion stays news, a new route becomes usual.
BASE_DOWN, BASE_UP = 0.3, 0.001
DATE_WORDS = ("date off by", "expired", "not yet valid")


def learn(known: UplinkState, sample: Sample, heard: Instant, policy: Policy) -> UplinkState:
    """Add one closed batch to what is known; *heard* is when it closed."""
    key = f"{sample.layer} {sample.target}"
    track = known.tracks.get(key) or Track(sample.layer, sample.target, sample.operator, sample.at)
    if sample.finding in (Finding.NOT_ASKED, Finding.MISROUTED):
        marked = replace(track, finding=sample.finding, detail=sample.detail)
        return replace(known, tracks={**known.tracks, key: marked})
    if sample.lost:
        if sample.layer in SERVICES and _left_too_early(known, sample):
            return known
        track = _missed(known, track, sample, policy)
    else:
        track = _answered(track, sample, heard)
    known = replace(known, tracks={**known.tracks, key: track})
    if sample.layer is Layer.INTERNET:
        known = _slow_or_not(_listen(known, track, sample, policy), sample.at)
    return known


def _left_too_early(known: UplinkState, sample: Sample) -> bool:
    """Tell whether a name or page was asked for while the line was still dead."""
    return known.back_at is not None and sample.at.mono <= known.back_at.mono


def _slow_or_not(known: UplinkState, at: Instant) -> UplinkState:
    """Date the time since which most targets that answer take far longer than they usually do."""
    late = [
        t.rtt_s > max(LONG_RTT_S, 2 * t.base_s)
        for t in internet(known)
        if not t.misses and t.rtt_s is not None and t.base_s is not None
    ]
    if not late:
        return known
    if 2 * sum(late) <= len(late):
        return known if known.slow_since is None else replace(known, slow_since=None)
    return known if known.slow_since is not None else replace(known, slow_since=at)


def _answered(track: Track, sample: Sample, heard: Instant) -> Track:
    newest = track.answered is None or sample.at.mono >= track.answered.mono
    since = track.losing_since
    if since is not None and since.mono <= sample.at.mono:
        since = None
    return replace(
        track,
        asked=max(track.asked, sample.at, key=_mono),
        answered=sample.at if newest else track.answered,
        heard=heard,
        losing_since=since,
        misses=0 if since is None else track.misses,
        returned=sample.at if newest and track.misses else track.returned,
        finding=sample.finding,
        detail=sample.detail,
        rtt_s=track.rtt_s if sample.rtt_s is None else sample.rtt_s,
        deaf=False,
        base_s=_base(track.base_s, sample.rtt_s),
    )


def _base(base_s: float | None, rtt_s: float | None) -> float | None:
    """Follow the usual round-trip time: down fast, up slowly."""
    if base_s is None or rtt_s is None:
        return base_s if rtt_s is None else rtt_s
    return base_s + (BASE_DOWN if rtt_s < base_s else BASE_UP) * (rtt_s - base_s)


def _missed(known: UplinkState, track: Track, sample: Sample, policy: Policy) -> Track:
    if track.answered is not None and sample.at.mono < track.answered.mono:
        return track  # a newer question was answered already: this loss is no news
    since = track.losing_since or sample.at
    misses = track.misses + sample.lost
    deaf = track.deaf or (
        sample.layer is Layer.INTERNET
        and misses >= policy.deaf_after
        and _others_answer(known, track.target, since)
    )
    return replace(
        track,
        asked=max(track.asked, sample.at, key=_mono),
        losing_since=since,
        misses=misses,
        finding=sample.finding,
        detail=sample.detail,
        deaf=deaf,
    )


def _others_answer(known: UplinkState, target: str, since: Instant) -> bool:
    """Tell whether two other targets answered later than *since* and miss nothing now."""
    good = [
        t
        for t in internet(known)
        if t.target != target
        and t.misses == 0
        and t.answered is not None
        and t.answered.mono > since.mono
    ]
    return len(good) >= 2


def _listen(known: UplinkState, track: Track, sample: Sample, policy: Policy) -> UplinkState:
    """Keep the silence, the loss window and the CUSUM of the internet rung."""
    if not sample.lost:
        if is_silent(known, policy):
            known = _is_over(known, sample.at)
        if known.silence is not None:
            known = replace(_without_names(known), silence=None)
        if not sample.sent:
            known = _uncount(known, sample, policy)
    elif not track.deaf and not _excused(known, sample):
        known = replace(known, silence=_longer(known.silence, sample, track.rtt_s or 0.0))
    if sample.sent and not track.deaf and sample.at.mono >= known.burst_until:
        known = _count(known, sample, policy)
    return known


def _is_over(known: UplinkState, at: Instant) -> UplinkState:
    """An outage that is over is not loss, and says nothing of names and pages any more."""
    tracks = {k: t for k, t in known.tracks.items() if t.layer not in SERVICES or not t.misses}
    known = replace(known, tracks=tracks, losses=(), cusum=0.0, browned=False, back_at=at)
    return note_return(known, at)


def _without_names(known: UplinkState) -> UplinkState:
    """Drop what failed of names while nobody answered: that was the line's doing."""
    if known.silence is None or known.silence.probes < SERIOUS:
        return known
    since, failed = known.silence.since.mono, (Finding.SILENT, Finding.WRONG_ANSWER)
    young = {k: t for k, t in known.tracks.items() if t.asked.mono >= since}
    bad = {k for k, t in young.items() if t.layer is Layer.NAMES and t.finding in failed}
    return replace(known, tracks={k: t for k, t in known.tracks.items() if k not in bad})


def note_return(known: UplinkState, at: Instant) -> UplinkState:
    """Add one end of an outage; the last few are enough to tell a line that comes and goes."""
    return replace(known, returns=(*known.returns, at)[-UNSTABLE_RETURNS:])


def is_unstable(known: UplinkState, now: Instant) -> bool:
    """Tell whether the line went away and came back again and again within a few minutes."""
    few = len(known.returns) < UNSTABLE_RETURNS
    return not few and now.since(known.returns[0]) <= UNSTABLE_WITHIN_S


def _excused(known: UplinkState, sample: Sample) -> bool:
    newest = max((t.answered.mono for t in internet(known) if t.answered), default=-math.inf)
    return sample.at.mono <= newest


def _longer(silence: Silence | None, sample: Sample, rtt_s: float) -> Silence:
    # the answer, not the question, may have been lost: then the gap began a round trip later
    began = sample.at.plus(min(rtt_s, LONGEST_RTT_S))
    if silence is None:
        silence = Silence(began, sample.at, 0, ())
    operators, refused = silence.operators, silence.refused_since
    if sample.operator not in operators:
        operators = (*operators, sample.operator)
    refusals = sample.lost if sample.finding is Finding.UNREACHABLE else 0
    if refusals:
        refused = sample.at if refused is None else min(refused, sample.at, key=_mono)
    return Silence(
        min(silence.since, began, key=_mono),
        max(silence.newest, sample.at, key=_mono),
        silence.probes + sample.lost,
        operators,
        silence.refusals + refusals,
        refused,
    )


def forget_losses(known: UplinkState, since: float) -> UplinkState:
    """Take back what was counted as lost of questions that left after *since* (CLOCK_BOOTTIME).

    The box itself could not hear the answers.
    """
    tracks = {
        key: replace(t, losing_since=None, misses=0, returned=None, deaf=False)
        if t.losing_since is not None and t.losing_since.mono >= since
        else t
        for key, t in known.tracks.items()
    }
    silence = known.silence
    if silence is not None and silence.since.mono >= since:
        silence = None
    losses = tuple(b for b in known.losses if (b.slot + 1) * BUCKET_S <= since)
    return replace(known, tracks=tracks, silence=silence, losses=losses)


def forget_dates(known: UplinkState) -> UplinkState:
    """Drop what was found by a clock that has since been set."""
    tracks = {
        key: t
        for key, t in known.tracks.items()
        if not any(words in t.detail for words in DATE_WORDS)
    }
    return replace(known, tracks=tracks)


def cusum_steps(policy: Policy) -> tuple[float, float]:
    """Give what a lost question adds to Page's CUSUM, and what an answered one does (less than 0).

    For a Bernoulli rate: the log-likelihood ratio of p1 against p0.
    """
    p0, p1 = policy.cusum_p0, policy.cusum_p1
    return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))


def _count(known: UplinkState, sample: Sample, policy: Policy) -> UplinkState:
    slot = int(sample.at.mono // BUCKET_S)
    oldest = slot - int(policy.loss_window_s // BUCKET_S)
    kept = {b.slot: b for b in known.losses if b.slot > oldest}
    old = kept.get(slot, Bucket(slot, 0, 0))
    kept[slot] = Bucket(slot, old.sent + sample.sent, old.lost + sample.lost)
    up, down = cusum_steps(policy)
    cusum = min(max(0.0, known.cusum + (up if sample.lost else down)), 2 * policy.cusum_h)
    losses = tuple(kept[s] for s in sorted(kept))
    browned = cusum >= policy.cusum_h or (known.browned and not _is_clean(losses, cusum, policy))
    return replace(known, losses=losses, cusum=cusum, browned=browned)


def _is_clean(losses: tuple[Bucket, ...], cusum: float, policy: Policy) -> bool:
    """Tell whether a line that lost much is as good as any: nothing is left of the alarm."""
    sent = sum(b.sent for b in losses)
    lost = sum(b.lost for b in losses)
    return cusum == 0.0 and sent >= LOSS_SENT and lost <= policy.cusum_p0 * sent


def _uncount(known: UplinkState, sample: Sample, policy: Policy) -> UplinkState:
    """A late answer: what was counted as lost was only slow."""
    slot = int(sample.at.mono // BUCKET_S)
    losses = tuple(
        replace(b, lost=b.lost - 1) if b.slot == slot and b.lost else b for b in known.losses
    )
    cusum = max(0.0, known.cusum - cusum_steps(policy)[0])
    return replace(known, losses=losses, cusum=cusum)


def internet(known: UplinkState) -> Sequence[Track]:
    """Give the tracks of the internet rung."""
    return on_layer(known, Layer.INTERNET)


def on_layer(known: UplinkState, layer: Layer) -> Sequence[Track]:
    """Give the tracks of one rung."""
    return _by_layer(known.tracks).get(layer, ())


@once
def _by_layer(tracks: Mapping[str, Track]) -> Mapping[Layer, Sequence[Track]]:
    found: dict[Layer, list[Track]] = {}
    for track in tracks.values():
        found.setdefault(track.layer, []).append(track)
    return found


def is_silent(known: UplinkState, policy: Policy) -> bool:
    """Tell whether the silence is proven: enough questions, operators and time, no answer at all.

    The span is the shortest gap that explains the lost questions, so that no round-trip time can
    make a gap look longer than it was.  Where the network refuses, less time will do.  What the
    line carries meanwhile is a veto (life.py).
    """
    s = known.silence
    if s is None or s.probes < policy.divert_probes or s.newest.mono <= proof_due(s, policy):
        return False
    hearing = {t.operator for t in internet(known) if not t.deaf}
    wanted = max(2, min(policy.divert_operators, len(hearing)))  # the deaf cannot be asked
    return not known.vetoed and len(s.operators) >= wanted


def proof_due(silence: Silence, policy: Policy) -> float:
    """Give when (CLOCK_BOOTTIME) a question must have left for its loss to prove the silence."""
    due = silence.since.mono + policy.divert_span_s
    if silence.refused_since is None or silence.refusals < policy.divert_probes:
        return due
    return min(due, silence.refused_since.mono + policy.refused_span_s)


def operators_heard(known: UplinkState, since: float) -> set[str]:
    """Name the operators that answered a question which left after *since* (CLOCK_BOOTTIME)."""
    return {
        t.operator for t in internet(known) if t.answered is not None and t.answered.mono > since
    }


def is_hard_down(link: LinkState | None) -> bool:
    """Tell whether the kernel itself says that nothing can leave: no device, carrier or address."""
    if link is None:
        return False
    return not link.present or link.carrier is False or not link.addresses or link.gateway is None


def is_verified(known: UplinkState, now: Instant, policy: Policy) -> bool:
    """Tell whether this uplink was seen to work within the last moments."""
    if is_hard_down(known.link) or known.link is None or known.link.routed is False:
        return False
    if has_portal(known) or known.silence is not None:
        return False
    heard = operators_heard(known, now.mono - policy.verified_s)
    return len(heard) >= policy.verified_operators


def loss_ratio(known: UplinkState, now: Instant, policy: Policy) -> float | None:
    """Give the share of pulses lost in the loss window; None when too few were sent to say."""
    sent, lost = _recent(known, now, policy)
    return None if sent < LOSS_SENT else lost / sent


def is_lossy(known: UplinkState, now: Instant, policy: Policy) -> bool:
    """Tell whether the line itself loses: a few misses are as likely a target that fell silent."""
    if known.cusum >= policy.cusum_h:
        return True
    if _lost(known.losses) < LOSS_LOST:
        return False  # as nearly always
    sent, lost = _recent(known, now, policy)
    many = sent >= LOSS_SENT and lost >= LOSS_LOST
    return many and lost / sent >= policy.loss_noticed_ratio


def loses_by_chance(known: UplinkState, now: Instant, policy: Policy) -> bool:
    """Tell whether much is lost of what is asked of hosts that do answer, now and then."""
    since = (window_begins(now, policy) + 1) * BUCKET_S
    returned = any(t.returned is not None and t.returned.mono >= since for t in internet(known))
    return returned and is_lossy(known, now, policy)


def _recent(known: UplinkState, now: Instant, policy: Policy) -> tuple[int, int]:
    """Count what was sent and what was lost in the loss window."""
    begins = window_begins(now, policy)
    recent = [b for b in known.losses if b.slot > begins]
    return sum([b.sent for b in recent]), sum([b.lost for b in recent])


@once
def _lost(losses: tuple[Bucket, ...]) -> int:
    return sum(b.lost for b in losses)


def window_begins(now: Instant, policy: Policy) -> int:
    """Give the slot of the last bucket that is too old for the loss window."""
    return int((now.mono - policy.loss_window_s) // BUCKET_S)


def service_misses(tracks: Sequence[Track]) -> int:
    """Count the questions in a row that no target of a service answered."""
    answered = max((t.answered.mono for t in tracks if t.answered), default=-math.inf)
    return sum(
        t.misses for t in tracks if t.losing_since is not None and t.losing_since.mono > answered
    )


def _mono(instant: Instant) -> float:
    return instant.mono
