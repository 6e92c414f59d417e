"""Every sentence that a person reads: can I still work, what changed, what do I do, who is called.

Plain words, reading age about eleven; no jargon, no jokes, no promise that nobody made.  {line} is
the uplink spoken of, {backup} the one in use instead, {vendor} the scheduling vendor.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_watchdog.core.evidence import internet
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, Incident, Phase, Scope, State, UplinkState
from edge_watchdog.core.view import Banner, Standing


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is said of one cause.  *label*: a few words for lists; *steps*: three at most."""

    label: str
    headline: str
    changed: str
    steps: tuple[str, ...] = ()
    call: str = ""


WORK_ON = "Take bookings and sales on paper and enter them later."
USE_LIST = "Use today's list on this page."
HOTSPOT = "If a computer needs the internet now, join it to a phone's hotspot."
SPARE = "Leave videos, backups and large downloads for later: this line costs by the amount."
SUSPECT_SHOWS_S = 1.0  # a missed answer or two is nobody's news
DOUBT_SHOWS_S = 2.0
STARTING = "Just started. Looking at the lines."
NOTHING = ("Nothing needs to be done.",)

PHRASES: Mapping[Cause, Phrase] = {
    Cause.NONE: Phrase("all is well", "Everything works.", "No trouble is known."),
    Cause.CHECKING: Phrase(
        "still checking",
        "Something is not right. Still checking.",
        "{line} stopped answering a moment ago. What is broken is not known yet.",
        ("Wait a moment. This page says more soon.",),
    ),
    Cause.CABLE_OUT: Phrase(
        "cable out",
        "The network cable of {line} is out.",
        "The box has lost the signal on the cable that leads to the router.",
        (
            "Push the network cable back in at the box and at the router until it clicks.",
            "Look whether the router has lights. If not, check its plug.",
        ),
    ),
    Cause.DEVICE_GONE: Phrase(
        "device not there",
        "The device for {line} is not there.",
        "The box does not find the stick, phone or adapter that {line} needs.",
        ("Plug the stick, phone or adapter for {line} back in.",),
    ),
    Cause.NO_ADDRESS: Phrase(
        "no address from the router",
        "The router does not let the box in on {line}.",
        "The cable is fine, but the router gives the box no address.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "Wait three minutes until its lights are steady.",
        ),
    ),
    Cause.ROUTER_DEAD: Phrase(
        "router not responding",
        "The router of {line} does not respond.",
        "The cable is fine, but the router does not answer at all.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "Wait three minutes until its lights are steady.",
        ),
        "If this does not help: the internet provider.",
    ),
    Cause.PROVIDER_DOWN: Phrase(
        "internet provider down",
        "The internet provider of {line} has a fault.",
        "The router works, but nothing beyond it answers.",
        (
            "Leave the router as it is.",
            "Call the internet provider and ask when the line will be back.",
        ),
        "The internet provider.",
    ),
    Cause.NO_DATA: Phrase(
        "no data on the mobile line",
        "{line} is connected but carries no data.",
        "The stick or phone answers, but nothing beyond it does.",
        (
            "Check the signal and the data plan of {line}.",
            "Unplug it, wait ten seconds, plug it back in.",
        ),
        "The mobile provider.",
    ),
    Cause.PARTIAL_ROUTING: Phrase(
        "parts of the internet unreachable",
        "Parts of the internet cannot be reached over {line}.",
        "Some hosts answer, others do not. The fault is beyond the router.",
        ("Leave the router as it is.",),
        "The internet provider, if it lasts.",
    ),
    Cause.DNS_DEAD: Phrase(
        "name service down",
        "The internet is there, but names are not found over {line}.",
        "The provider's or router's name service (DNS) does not answer. Web pages may not open.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "If it stays: ask the provider about a DNS fault.",
        ),
        "The internet provider.",
    ),
    Cause.PORTAL: Phrase(
        "sign-in page in the way",
        "{line} shows a sign-in page instead of the internet.",
        "The provider or the router wants a sign-in, or has blocked the account.",
        ("Owner: look at the provider's bill, or sign in on the page that appears.",),
        "The internet provider.",
    ),
    Cause.TLS_INTERCEPTED: Phrase(
        "secure pages are tampered with",
        "Something on {line} breaks secure pages.",
        "Secure pages come with a certificate that the box does not know.",
        (
            "Do not click through certificate warnings.",
            "Owner: ask whoever set up the router or a filter.",
        ),
    ),
    Cause.CLOCK_WRONG: Phrase(
        "clock not right",
        "The clock of the box is not right.",
        "The times shown here may be wrong until the clock is set from the internet.",
        NOTHING,
    ),
    Cause.LINE_LOSS: Phrase(
        "line unsteady",
        "{line} is unsteady.",
        "Part of what is sent gets lost on the way. Pages may be slow, calls may break up.",
        NOTHING,
        "The internet provider, if it lasts.",
    ),
    Cause.LOCAL_LOSS: Phrase(
        "local network unsteady",
        "The network between the box and the router is unsteady.",
        "Part of what is sent gets lost before it reaches the router.",
        ("Check the cable between the box and the router.",),
    ),
    Cause.MISROUTED: Phrase(
        "cannot be checked",
        "{line} cannot be checked.",
        "What the box sends over {line} would leave another way.",
        ("Owner: ask the installer to look at the network settings of the box.",),
    ),
    Cause.VENDOR_ANNOUNCED: Phrase(
        "vendor reports an outage",
        "{vendor} reports an outage.",
        "Our internet works. {vendor} says on its status page that it has trouble.",
        (USE_LIST, WORK_ON, "Do not restart anything here."),
        "{vendor} knows already.",
    ),
    Cause.VENDOR_SILENT: Phrase(
        "vendor down, not yet acknowledged",
        "{vendor} is not working. It is not us.",
        "Our internet works, {vendor}'s app does not. Its status page does not say so yet.",
        (USE_LIST, WORK_ON, "Do not restart anything here."),
        "{vendor}'s support, if nobody has yet.",
    ),
    Cause.VENDOR_SLOW: Phrase(
        "vendor slow",
        "{vendor} is slow.",
        "Our internet works. {vendor}'s app takes much longer than usual.",
        ("Be patient with each page, and do not press a button twice.", USE_LIST),
    ),
    Cause.VENDOR_PATH: Phrase(
        "vendor not reachable over this line",
        "{vendor} cannot be reached over {line}.",
        "Our internet works and {vendor} works, but the way between them over {line} is broken.",
        (USE_LIST, "Open {vendor} on a phone with mobile data if it is urgent."),
        "The internet provider.",
    ),
    Cause.VENDOR_REFUSES: Phrase(
        "vendor refuses the box",
        "{vendor} refuses the checks of this box.",
        "This says nothing about the app itself: try it. The box now asks less often.",
        ("Go on as usual if {vendor} opens on your computer.",),
    ),
    Cause.VENDOR_NAME: Phrase(
        "vendor's name or certificate broken",
        "{vendor}'s address or certificate is broken.",
        "Our internet works. The fault is on {vendor}'s side.",
        (USE_LIST, WORK_ON, "Do not click through certificate warnings."),
        "{vendor}'s support.",
    ),
    Cause.VENDOR_MAINTENANCE: Phrase(
        "vendor maintenance",
        "{vendor} is under planned maintenance.",
        "{vendor} has announced this work on its status page.",
        (USE_LIST, WORK_ON),
    ),
    Cause.STATUS_PAGE_DOWN: Phrase(
        "status page not readable",
        "Everything works. {vendor}'s status page cannot be read.",
        "{vendor}'s app answers. Only its status page does not.",
        NOTHING,
    ),
}

CAN_WORK: Mapping[Standing, str] = {
    Standing.NORMAL: "Yes, work as usual.",
    Standing.CHECKING: "Yes, today's list below works without the internet.",
    Standing.LIMITED: "Mostly. Some pages may be slow or not open. Today's list below works.",
    Standing.BACKUP: (
        "Yes. The box is online over {backup} and keeps today's list fresh. "
        "Computers that use {line} are offline until it is back."
    ),
    Standing.VENDOR: "Yes, with today's list below. It is a copy and cannot be changed here.",
    Standing.OFFLINE: "Yes, with today's list below and on paper. There is no internet.",
}
ALL_ONLINE = "Yes. Everything in the studio is online over {backup}."


def label(cause: Cause) -> str:
    """Name a cause in a few words, for lists and tables."""
    return PHRASES[cause].label


def standing_of(state: State, now: Instant, policy: Policy) -> tuple[Standing, Cause, str | None]:
    """Give the one big word, the cause behind it and the uplink spoken of."""
    failover = state.failover
    preferred = policy.uplinks[0].name
    line = _open(state, Scope.LINE)
    vendor = _open(state, Scope.VENDOR)
    if failover.active is None:
        return Standing.CHECKING, Cause.CHECKING, preferred
    if failover.phase is Phase.STRANDED:
        said = (line.cause, line.uplink) if line else (Cause.CHECKING, failover.active)
        return Standing.OFFLINE, *said
    if vendor is not None and vendor.severity != "notice" and vendor.fine_since is None:
        standing = Standing.LIMITED if vendor.cause in _SOFT else Standing.VENDOR
        return standing, vendor.cause, failover.active
    if failover.active != preferred:
        return Standing.BACKUP, line.cause if line else Cause.NONE, preferred
    said_line = line is not None and line.fine_since is None
    if _is_in_doubt(state, state.uplinks[failover.active], now, told=said_line):
        return Standing.CHECKING, Cause.CHECKING, failover.active
    if line is not None and said_line:
        return Standing.LIMITED, line.cause, line.uplink
    if vendor is not None and vendor.fine_since is None:
        return Standing.NORMAL, vendor.cause, failover.active
    return Standing.NORMAL, Cause.NONE, failover.active


def _is_in_doubt(state: State, active: UplinkState, now: Instant, *, told: bool) -> bool:
    """Tell whether the line in use is not known to work: what is not known is not fine.

    *told*: there is a fault to speak of, which is more than a doubt.
    """
    failover, diagnosis = state.failover, active.diagnosis
    undecided = failover.phase in (Phase.SUSPECT, Phase.SWITCHING)
    if undecided and failover.since is not None:
        return now.since(failover.since) > SUSPECT_SHOWS_S
    if told:
        return False
    if not _has_answered(active):
        return True
    checking = diagnosis is not None and diagnosis.cause is Cause.CHECKING
    return checking and diagnosis is not None and now.since(diagnosis.since) > DOUBT_SHOWS_S


def _has_answered(known: UplinkState | None) -> bool:
    return known is not None and any(track.heard for track in internet(known))


_SOFT = frozenset({Cause.VENDOR_SLOW, Cause.VENDOR_PATH, Cause.VENDOR_REFUSES})


def _open(state: State, scope: Scope) -> Incident | None:
    return next((i for i in state.incidents if i.scope is scope and i.resolved is None), None)


def banner(state: State, now: Instant, policy: Policy) -> Banner:
    """Say how the studio stands."""
    standing, cause, uplink = standing_of(state, now, policy)
    incident = _spoken_of(state, standing, cause)
    text = _compose(standing, cause, uplink, state, policy)
    return Banner(
        standing=standing,
        cause=cause,
        headline=STARTING if _just_started(state, standing) else text.headline,
        can_work=_can_work(standing, uplink, state, policy),
        changed=_every_line(state) if standing is Standing.OFFLINE else text.changed,
        steps=text.steps,
        call=text.call,
        next_word_wall=_next_word(incident),
        since_wall=incident.opened.wall if incident else None,
    )


def _just_started(state: State, standing: Standing) -> bool:
    return standing is Standing.CHECKING and not _has_answered(
        state.uplinks.get(state.failover.active or "")
    )


def _every_line(state: State) -> str:
    """Say of each line what is wrong with it."""
    found = [
        f"{name}: {label(known.diagnosis.cause)}."
        for name, known in state.uplinks.items()
        if known.diagnosis is not None and known.diagnosis.cause is not Cause.NONE
    ]
    text = " ".join(found) or "No line answers."
    return text[:1].upper() + text[1:]


def _spoken_of(state: State, standing: Standing, cause: Cause) -> Incident | None:
    opened = [i for i in state.incidents if i.resolved is None]
    match = [i for i in opened if i.cause is cause]
    if standing is Standing.NORMAL and not match:
        return None
    return next(iter(match or opened), None)


def _next_word(incident: Incident | None) -> float | None:
    if incident is None or incident.next_update is None:
        return None
    return incident.next_update.wall


def _compose(
    standing: Standing, cause: Cause, uplink: str | None, state: State, policy: Policy
) -> Phrase:
    phrase = PHRASES[cause]
    headline, steps = _fill(phrase.headline, uplink, state, policy), phrase.steps
    if standing is Standing.OFFLINE:
        headline = f"No internet. {headline}" if cause is not Cause.CHECKING else "No internet."
        steps = (
            (USE_LIST, WORK_ON, *steps)[:3]
            if cause is Cause.CHECKING
            else (f"{USE_LIST} {WORK_ON}", *steps)[:3]
        )
    if standing is Standing.BACKUP:
        if cause is Cause.NONE:
            who = "studio" if policy.mode is Mode.GATEWAY else "box"
            headline, steps = f"The {who} is on {{backup}}.", ()
        steps = (*steps[:2], *_backup_step(state, policy))
    return Phrase(
        phrase.label,
        _fill(headline, uplink, state, policy),
        _fill(phrase.changed, uplink, state, policy),
        tuple(_fill(step, uplink, state, policy) for step in steps),
        _fill(phrase.call, uplink, state, policy),
    )


def _can_work(standing: Standing, uplink: str | None, state: State, policy: Policy) -> str:
    behind_us = standing is Standing.BACKUP and policy.mode is Mode.GATEWAY
    return _fill(ALL_ONLINE if behind_us else CAN_WORK[standing], uplink, state, policy)


def _backup_step(state: State, policy: Policy) -> tuple[str, ...]:
    """Give what everybody can do while the backup is in use: join it, or go easy on it."""
    if policy.mode is not Mode.GATEWAY:
        return (HOTSPOT,)
    metered = any(u.metered for u in policy.uplinks if u.name == state.failover.active)
    return (SPARE,) if metered else ()


def _fill(text: str, uplink: str | None, state: State, policy: Policy) -> str:
    backup = state.failover.active or "the backup"
    text = text.replace("{line}", uplink or "the line").replace("{backup}", backup)
    text = text.replace("{vendor}", policy.vendor_name)
    return text[:1].upper() + text[1:]


def tell(incident: Incident, state: State, policy: Policy) -> Banner:
    """Say one incident for an alert, whatever else is going on."""
    standing = {
        Scope.LINE: Standing.BACKUP,
        Scope.VENDOR: Standing.LIMITED if incident.cause in _SOFT else Standing.VENDOR,
        Scope.BACKUP: Standing.NORMAL,
    }[incident.scope]
    if incident.scope is Scope.LINE:
        standing = _line_standing(incident, state)
    text = _compose(standing, incident.cause, incident.uplink, state, policy)
    can_work = _can_work(standing, incident.uplink, state, policy)
    return Banner(standing, incident.cause, text.headline, can_work, text.changed, text.steps)


def _line_standing(incident: Incident, state: State) -> Standing:
    if state.failover.phase is Phase.STRANDED:
        return Standing.OFFLINE
    return Standing.LIMITED if incident.uplink == state.failover.active else Standing.BACKUP


def over(incident: Incident, policy: Policy) -> str:
    """Say that an incident is over, with how long it took."""
    what = incident.uplink or "the line"
    if incident.scope is Scope.VENDOR:
        what = policy.vendor_name
    ended = incident.mended or incident.fine_since or incident.resolved
    lasted = ended.since(incident.opened) if ended else 0.0
    text = f"{what} works again. It took {duration(lasted)} ({label(incident.cause)})."
    return text[:1].upper() + text[1:]


def duration(seconds: float) -> str:
    """Say a length of time in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"
