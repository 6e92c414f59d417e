"""Every sentence that a person reads: can I still work, what changed, what do I do, who is called.

Plain words, reading age about eleven; no jargon, no jokes, no promise that nobody made.  {line} is
the uplink spoken of, {backup} the one in use instead, {vendor} the scheduling vendor.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from edge_watchdog.core.evidence import internet
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.phrases import HOTSPOT, PHRASES, USE_LIST, WORK_ON, Phrase
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import sign_in_url
from edge_watchdog.core.refined import (
    IT_IS,
    MENDED,
    MENDED_BOX,
    NAMES_BY_TCP,
    OTHER_NAMES,
    OWN_ADDRESS,
    SIGN_IN,
    STEERED,
    STEERED_ALL,
    STEERED_BOX,
)
from edge_watchdog.core.state import (
    Cause,
    Incident,
    Override,
    Phase,
    Rehearsal,
    Scope,
    State,
    UplinkState,
)
from edge_watchdog.core.stranger import name_of
from edge_watchdog.core.view import Banner, Standing

SPARE = "Leave videos, backups and large downloads for later: this line costs by the amount."
SUSPECT_SHOWS_S = 1.0  # a missed answer or two is nobody's news
DOUBT_SHOWS_S = 2.0
STARTING = "Just started. Looking at the lines."
CAN_WORK: Mapping[Standing, str] = {
    Standing.NORMAL: "Yes, work as usual.",
    Standing.CHECKING: "Yes, today's list works without the internet.",
    Standing.LIMITED: "Mostly. Some pages may be slow or not open. Today's list works.",
    Standing.BACKUP: (
        "Yes. The box is online over {backup} and keeps today's list fresh. "
        "Computers that use {line} are offline until it is back."
    ),
    Standing.VENDOR: "Yes, with today's list. It is a copy and cannot be changed here.",
    Standing.OFFLINE: "Yes, with today's list and on paper. There is no internet.",
}
ALL_ONLINE = "Yes. Everything in the studio is online over {backup}."
WORKS = "Mostly. {still} over {backup}; other pages wait until {line} is back."
NOTHING_WORKS = (
    "Only here: today's list works. Nothing else opens over {backup}, to keep its cost down."
)
VENDOR_AND_MORE = "{vendor} and what the owner allowed work"
VENDOR_ALONE = "{vendor} works"
MORE_ALONE = "What the owner allowed works"
_NAMED = re.compile(r"(^|[.!?] )?\{(line|backup|vendor|steered)\}")


def capital(text: str) -> str:
    """Begin *text* with a capital: a line or a vendor may be called anything."""
    return text[:1].upper() + text[1:]


def still_works(state: State, policy: Policy) -> str | None:
    """Say what works over the line in use; None while it carries everything."""
    if state.limited is None or state.failover.active not in state.limited.uplinks:
        return None
    what = still(policy)
    return WORKS.replace("{still}", what) if what else NOTHING_WORKS


def still(policy: Policy) -> str:
    """Name what works over a line that is limited; "" for nothing."""
    if policy.allows_vendor:
        return VENDOR_AND_MORE if policy.allows_more else VENDOR_ALONE
    return MORE_ALONE if policy.allows_more else ""


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
    if standing is Standing.BACKUP and _is_mended(state, cause):
        text = _mended(cause, uplink, state, policy)
    return Banner(
        standing=standing,
        cause=cause,
        headline=STARTING if _just_started(state, standing) else text.headline,
        can_work=_can_work(standing, cause, uplink, state, policy),
        changed=_changed(state, standing, text),
        steps=text.steps,
        call=text.call,
        next_word_wall=_next_word(incident),
        since_wall=incident.opened.wall if incident else None,
    )


def _is_mended(state: State, cause: Cause) -> bool:
    """Tell whether what is spoken of is over, and the box only waits to go back."""
    if cause is Cause.LINE_UNSTABLE:  # that it works just now is its nature
        return False
    line = _open(state, Scope.LINE)
    waits = state.failover.phase in (Phase.HOLDING, Phase.SWITCHING)
    return waits and line is not None and line.cause is cause and line.mended is not None


def _mended(cause: Cause, uplink: str | None, state: State, policy: Policy) -> Phrase:
    headline = _fill(MENDED.headline, uplink, state, policy)
    changed = _fill(MENDED.changed.replace("{what}", label(cause)), uplink, state, policy)
    return replace(MENDED, headline=headline, changed=changed)


def _changed(state: State, standing: Standing, text: Phrase) -> str:
    if standing is Standing.OFFLINE:
        return _every_line(state)
    trial = state.failover.trial
    if standing is Standing.BACKUP and trial is not None:
        name = capital(trial.uplink)
        return f"{name} is being tried out for half a minute, as it is every week."
    return text.changed


def _just_started(state: State, standing: Standing) -> bool:
    return standing is Standing.CHECKING and not _has_answered(
        state.uplinks.get(state.failover.active or "")
    )


def _every_line(state: State) -> str:
    """Say of each line what is wrong with it."""
    found = [
        f"{capital(name)}: {label(known.diagnosis.cause)}."
        for name, known in state.uplinks.items()
        if known.diagnosis is not None and known.diagnosis.cause is not Cause.NONE
    ]
    return " ".join(found) or "No line answers."


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
    phrase = _phrase(cause, uplink, state, policy)
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


def _phrase(cause: Cause, uplink: str | None, state: State, policy: Policy) -> Phrase:
    """Give the words for a cause, made more precise where more is known."""
    phrase, known = PHRASES[cause], state.uplinks.get(uplink or "")
    if _is_steered(cause, state):
        everybody = policy.mode is Mode.GATEWAY
        return replace(STEERED, steps=() if everybody else phrase.steps)
    if policy.mode is Mode.GATEWAY and uplink == state.failover.active:
        if cause is Cause.DNS_DEAD:
            return OTHER_NAMES
        if cause is Cause.DNS_BLOCKED and state.names_by_tcp:
            return NAMES_BY_TCP
    if known is None or known.report is None:
        return phrase
    if cause is Cause.ADDRESS_CONFLICT and known.report.own_address_taken:
        return OWN_ADDRESS
    if cause is Cause.ROGUE_DHCP and known.report.stranger is not None:
        who = IT_IS.replace("{who}", name_of(known.report.stranger))
        return replace(phrase, steps=(*phrase.steps, who))
    if cause is Cause.PORTAL and (page := sign_in_url(known)):
        return replace(phrase, steps=(SIGN_IN.replace("{page}", page),))
    return phrase


def _is_steered(cause: Cause, state: State) -> bool:
    return cause is Cause.VENDOR_PATH and state.steering.uplink is not None


def _can_work(
    standing: Standing, cause: Cause, uplink: str | None, state: State, policy: Policy
) -> str:
    if _is_steered(cause, state):
        text = STEERED_ALL if policy.mode is Mode.GATEWAY else STEERED_BOX
        return _fill(text, uplink, state, policy)
    behind_us = standing is Standing.BACKUP and policy.mode is Mode.GATEWAY
    text = (still_works(state, policy) or ALL_ONLINE) if behind_us else CAN_WORK[standing]
    if standing is Standing.BACKUP and not behind_us and _is_mended(state, cause):
        text = MENDED_BOX
    return _fill(text, uplink, state, policy)


def _backup_step(state: State, policy: Policy) -> tuple[str, ...]:
    """Give what everybody can do while the backup is in use: join it, or go easy on it."""
    if policy.mode is not Mode.GATEWAY:
        return (HOTSPOT,)
    metered = any(u.metered for u in policy.uplinks if u.name == state.failover.active)
    return (SPARE,) if metered else ()


def _fill(text: str, uplink: str | None, state: State, policy: Policy) -> str:
    """Put the names in; one that begins a sentence begins with a capital there."""
    names = {
        "line": uplink or "the line",
        "backup": state.failover.active or "the backup",
        "vendor": policy.vendor_name,
        "steered": state.steering.uplink or "another line",
    }

    def named(found: re.Match[str]) -> str:
        before, name = found[1], names[found[2]]
        return name if before is None else before + capital(name)

    return capital(_NAMED.sub(named, text))


def rehearsed(last: Rehearsal) -> str:
    """Say how the last rehearsal of a standby ended."""
    return "works" if last.ok else ", ".join(last.faults)


def order_note(order: Override, active: str | None) -> str:
    """Say why a line that a person ordered is not in use: safety comes before the wish."""
    instead = f" {capital(active)} is used meanwhile." if active else ""
    name = capital(order.uplink)
    if order.failed:
        return f"{name} stopped working and was left.{instead}"
    return f"{name} is not yet seen to work, so nothing is moved to it.{instead}"


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
    can_work = _can_work(standing, incident.cause, incident.uplink, state, policy)
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
    return f"{capital(what)} works again. It took {duration(lasted)} ({label(incident.cause)})."


def lasting(headline: str, seconds: float) -> str:
    """Say that what the *headline* says still holds: there is no other news."""
    return f"{headline} It has lasted {duration(seconds)}."


def duration(seconds: float) -> str:
    """Say a length of time in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"
