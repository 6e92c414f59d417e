"""Is it the vendor?  Two vantage points and the vendor's own word, and never a hasty accusation.

The vendor is judged only while our own line is known to work: a page that cannot be reached from a
studio without internet says nothing.  A green status page is weak evidence (pages lag behind real
outages by a quarter of an hour as a rule), a red one is strong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge_watchdog.core.evidence import is_hard_down
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, JourneyReport, Stage, VendorLevel, VendorReport
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.core.state import Cause, Diagnosis, UplinkState

CONFIRM_VISITS = 2  # one failed visit is a hiccup, two in a row are news
TROUBLE = frozenset({VendorLevel.DEGRADED, VendorLevel.PARTIAL_OUTAGE, VendorLevel.MAJOR_OUTAGE})
JOURNEY_STALE_S = 900.0
HEARD_S = 15.0  # two visits here and one by a second line, whoever of them is slow
AGAIN_S = 30.0  # and one more here after that


def visited(known: UplinkState, report: JourneyReport) -> UplinkState:
    """Add one visit to what an uplink knows of the vendor's app."""
    if not report.asked or (not report.ok and _is_our_fault(known, report.at)):
        return known
    if report.ok:
        return replace(known, journey=report, journey_failures=0, journey_since=None)
    since = known.journey_since or report.at
    failures = known.journey_failures + 1
    return replace(known, journey=report, journey_failures=failures, journey_since=since)


def read(
    before: VendorReport | None, report: VendorReport, via: UplinkState | None
) -> VendorReport | None:
    """Take in one look at the status page; that our own line hid it is no news of the page."""
    hidden = report.level is VendorLevel.UNKNOWN and (via is None or _is_our_fault(via, report.at))
    return before if hidden else report


def _is_our_fault(known: UplinkState, asked: Instant) -> bool:
    """Tell whether what was *asked* through this uplink may have failed by its own outage."""
    if known.silence is not None or is_hard_down(known.link):
        return True
    return known.back_at is not None and asked.mono < known.back_at.mono


def app_health(known: UplinkState | None, now: Instant) -> Health:
    """Judge the vendor's app as seen through one uplink."""
    if known is None or known.journey is None or now.since(known.journey.at) > JOURNEY_STALE_S:
        return Health.UNKNOWN
    if known.journey.ok:
        return Health.UP
    return Health.DOWN if known.journey_failures >= CONFIRM_VISITS else Health.UNKNOWN


def blame(
    active: UplinkState,
    others: Sequence[UplinkState],
    report: VendorReport | None,
    *,
    split: bool = False,
    now: Instant,
    policy: Policy,
) -> tuple[Cause, float, tuple[str, ...]]:
    """Name the vendor's trouble as seen while our own line is known to work.

    *split*: it was its path over this line until now.
    """
    level = report.level if report else VendorLevel.UNKNOWN
    page = _page_words(report)
    here = app_health(active, now)
    failed_here = active.journey is not None and not active.journey.ok and here is not Health.UP
    elsewhere = [app_health(o, now) for o in others]
    failed_elsewhere = any(_failed_lately(o, now) for o in others)
    seen = (_app_words(active), *(_app_words(o) for o in others if o.journey), page)
    sure = here is Health.DOWN or (failed_here and failed_elsewhere)
    path = Health.UP in elsewhere and (split or _is_newer(others, active))
    if sure and path and not _refuses(active.journey):
        return Cause.VENDOR_PATH, 0.9, seen
    sure = sure and (failed_elsewhere or not _may_be_the_line(active))
    if sure and not _is_somebody_awaited(active, others, report, now):
        return _down(active.journey, level), 0.95 if failed_elsewhere else 0.85, seen
    if failed_here:
        return Cause.CHECKING, 0.5, seen
    if level in TROUBLE:
        return Cause.VENDOR_ANNOUNCED, 0.85, seen
    if level is VendorLevel.MAINTENANCE:
        return Cause.VENDOR_MAINTENANCE, 0.9, seen
    if _is_slow(active, policy) and not _is_slow_ourselves(active):
        return Cause.VENDOR_SLOW, 0.85, seen
    if report is not None and level is VendorLevel.UNKNOWN and here is Health.UP:
        return Cause.STATUS_PAGE_DOWN, 0.9, seen
    return Cause.NONE, 0.9 if here is Health.UP else 0.0, seen


def _is_somebody_awaited(
    active: UplinkState, others: Sequence[UplinkState], report: VendorReport | None, now: Instant
) -> bool:
    """Tell whether the page, or a line that may be asked, has yet to speak of this failure.

    All are asked when it begins (pacing.py); who is first to answer would else decide whom we
    accuse.  What another line reached meanwhile is worth one more visit here.  Nobody is waited for
    long.
    """
    began = active.journey_since
    if began is None or now.since(began) >= AGAIN_S:
        return False
    if any(_answered_since(other, active) for other in others):
        return True
    if now.since(began) >= HEARD_S:
        return False
    page = report is not None and _is_before(report.at, began)
    asked = [other for other in others if PACES[other.pace].journey is not None]
    return page or any(_is_awaited(other, active) for other in asked)


def _may_be_the_line(active: UplinkState) -> bool:
    """Tell whether our own line, slow or lossy, may be why a visit got no answer at all."""
    unanswered = active.journey is not None and active.journey.status is None
    return unanswered and _is_slow_ourselves(active)


def _is_awaited(other: UplinkState, active: UplinkState) -> bool:
    ours, theirs = active.journey, other.journey
    return theirs is None or ours is None or _is_before(theirs.at, active.journey_since)


def _answered_since(other: UplinkState, active: UplinkState) -> bool:
    ours, theirs = active.journey, other.journey
    return ours is not None and theirs is not None and theirs.ok and _is_before(ours.at, theirs.at)


def _is_before(first: Instant, second: Instant | None) -> bool:
    return second is not None and first.mono < second.mono


def _failed_lately(known: UplinkState, now: Instant) -> bool:
    journey = known.journey
    return journey is not None and not journey.ok and now.since(journey.at) <= JOURNEY_STALE_S


def _down(journey: JourneyReport | None, level: VendorLevel) -> Cause:
    if level is VendorLevel.MAINTENANCE:
        return Cause.VENDOR_MAINTENANCE
    if level in TROUBLE:
        return Cause.VENDOR_ANNOUNCED
    if _refuses(journey):
        return Cause.VENDOR_REFUSES
    if journey is not None and journey.stage is Stage.LOGIN:
        return Cause.VENDOR_LOGIN
    if journey is not None and journey.stage in (Stage.NAMES, Stage.CERTIFICATE):
        return Cause.VENDOR_NAME
    return Cause.VENDOR_SILENT


def _refuses(journey: JourneyReport | None) -> bool:
    """Tell whether the app answers, but not to us: what it does for others cannot be seen."""
    return journey is not None and journey.status in (403, 429)


def _is_newer(others: Sequence[UplinkState], active: UplinkState) -> bool:
    """Tell whether another uplink reached the app between two failures here, or during the last."""
    began = active.journey_since.mono if active.journey_since else 0.0
    last = (active.journey.until or active.journey.at).mono if active.journey else 0.0
    return any(o.journey and o.journey.ok and began <= o.journey.at.mono <= last for o in others)


def _is_slow(active: UplinkState, policy: Policy) -> bool:
    journey = active.journey
    slow = journey is not None and journey.ok and journey.seconds is not None
    return slow and journey is not None and (journey.seconds or 0) > policy.vendor_slow_s


def _is_slow_ourselves(active: UplinkState) -> bool:
    """Tell whether our own line explains why the last visit took long: it is slow, or was away."""
    if active.journey is not None and _is_our_fault(active, active.journey.at):
        return True
    named = active.diagnosis is not None and active.diagnosis.cause in _SLOW_LINE
    return named or active.slow_since is not None


def _app_words(known: UplinkState) -> str:
    journey = known.journey
    if journey is None:
        return "app: not visited yet"
    if journey.ok:
        took = "" if journey.seconds is None else f" in {journey.seconds:.1f} s"
        return f"app: answers through {journey.uplink}{took}"
    what = journey.detail or f"failed at {journey.stage}"
    return f"app: {what} through {journey.uplink} ({known.journey_failures} in a row)"


def _page_words(report: VendorReport | None) -> str:
    if report is None:
        return "status page: not read yet"
    if report.level is VendorLevel.UNKNOWN:
        return f"status page: not known ({report.reason or 'no reason given'})"
    title = f", {report.title}" if report.title else ""
    return f"status page: {report.level}{title}"


def conclude(
    uplinks: Mapping[str, UplinkState],
    active: str | None,
    report: VendorReport | None,
    before: Diagnosis | None,
    *,
    now: Instant,
    policy: Policy,
) -> Diagnosis | None:
    """Diagnose the vendor; None when nothing can be said because our own line is not verified."""
    known = uplinks.get(active) if active else None
    if known is None or known.diagnosis is None:
        return None
    if not _is_fit(known):
        return before if before and before.cause is not Cause.NONE else None
    if known.silence is not None:
        return before
    others = [u for name, u in uplinks.items() if name != active and _has_a_say(u, known)]
    split = before is not None and before.cause is Cause.VENDOR_PATH
    cause, confidence, because = blame(known, others, report, split=split, now=now, policy=policy)
    since = before.since if before and before.cause is cause else now
    return Diagnosis(cause, confidence, since, because)


def _is_fit(known: UplinkState) -> bool:
    """Tell whether what this uplink carries well enough that a failure is not its own."""
    return known.diagnosis is not None and known.diagnosis.cause in _FIT_TO_JUDGE


def _can_judge(known: UplinkState) -> bool:
    return _is_fit(known) and known.silence is None


def _has_a_say(other: UplinkState, active: UplinkState) -> bool:
    """Tell whether what *other* saw of the app counts: what it reached meanwhile was reached."""
    journey = other.journey
    reached = (
        journey is not None and journey.ok and not _is_before(journey.at, active.journey_since)
    )
    return reached or _can_judge(other)


_SLOW_LINE = frozenset(
    {
        Cause.LINE_SLOW,
        Cause.LINE_FULL,
        Cause.LINE_CONGESTED,
        Cause.LINE_LOSS,
        Cause.LOCAL_LOSS,
    }
)
_FIT_TO_JUDGE = _SLOW_LINE | {
    Cause.NONE,
    Cause.DNS_DEAD,
    Cause.PARTIAL_ROUTING,
    Cause.IPV6_DEAD,
    Cause.SUBNET_OVERLAP,
    Cause.ROGUE_DHCP,
}
