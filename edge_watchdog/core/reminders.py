"""Planned work of the vendor: people hear of it three days, two, one and an hour before it begins.

In: the windows on the status page, read each minute, and the opening hours.  Out: alerts, and words
for the desk in the last hour.  The rules: once for each step and window, also over a restart; what
came while the box was off is told with the next step; nothing in the night that can wait until the
studio opens; whoever was told of it hears when it is moved or called off.
"""

from collections.abc import Iterable
from dataclasses import replace

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Alert, Reason, Severity
from edge_watchdog.core.events import Event, HoursChanged, VendorReported
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import VendorLevel, VendorReport, Window
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.sending import send_new
from edge_watchdog.core.state import Cause, Reminder, Say, State
from edge_watchdog.core.view import Banner, Standing

HOUR_S, DAY_S = 3600.0, 86400.0
STEPS_S = (72 * HOUR_S, 48 * HOUR_S, 24 * HOUR_S, HOUR_S)
LAST = len(STEPS_S)
LATE_S = HOUR_S  # a step that came longer ago than this, while nobody looked, is told no more
MOVED_S = 60.0
GONE_S = 300.0  # missing from the page for so long: a page that stutters calls nothing off

HEADLINES = {
    Say.STEP: "{vendor} plans work that begins in {when}.",
    Say.MOVED: "{vendor} has moved its planned work: it now begins in {when}.",
    Say.OFF: "{vendor} has called off its planned work.",
}
TITLE = 'It is called "{title}".'
LASTS = "It is meant to take {lasts}."
AWAY = (
    "{vendor} may be away meanwhile; today's list stays on the desk page. The owner's page shows"
    " the exact time."
)
PRINT = "Print the day's list before it begins."
SOON = "{vendor} plans work that begins within the hour, and may be away then. Today's list stays."
SOON_STEPS = ("Print today's list before it begins.", "While it lasts, take bookings on paper.")


def remind(
    state: State, event: Event, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    """Keep what work is planned, and say what is due; only when the page was read, or hours turn.

    After a restart the opening hours are known by then.
    """
    if not isinstance(event, VendorReported | HoursChanged) or _is_clock_wrong(state):
        return state, ()
    known = state.reminders
    if isinstance(event, VendorReported):
        known = tuple(_read(known, event.report, now))
    kept: list[Reminder] = []
    actions: tuple[Action, ...] = ()
    for found in known:
        one = _passed(found, now)
        say = _due(one, state, now)
        if say is not None:
            state, sent = send_new(state, _alert(one, say, state, now, policy))
            actions += sent
        if not _is_over(one, say, now):
            kept.append(one if say is None else replace(one, told=True, owed=None))
    if tuple(kept) != state.reminders:
        state = replace(state, reminders=tuple(kept))
    return state, actions


def rested(known: tuple[Reminder, ...]) -> tuple[Reminder, ...]:
    """Give what is still true after a reboot: the page is looked at anew."""
    return tuple(replace(one, gone_since=None) for one in known)


def with_ahead(banner: Banner, state: State, now: Instant, policy: Policy) -> Banner:
    """Have the desk read of work that begins within the hour, while nothing else is to be said."""
    calm = banner.standing is Standing.NORMAL and banner.cause == Cause.NONE
    soon = (one for one in state.reminders if one.gone_since is None)
    if not calm or not any(0 < _ahead_s(one, now) <= STEPS_S[-1] for one in soon):
        return banner
    return replace(banner, changed=SOON.replace("{vendor}", policy.vendor_name), steps=SOON_STEPS)


def _is_clock_wrong(state: State) -> bool:
    found = (known.diagnosis for known in state.uplinks.values())
    return any(one is not None and one.cause is Cause.CLOCK_WRONG for one in found)


def _ahead_s(one: Reminder, now: Instant) -> float:
    return one.start_wall - now.wall


def _steps_at(ahead_s: float) -> int:
    """Give how many of STEPS_S have come."""
    return sum(ahead_s <= step for step in STEPS_S)


def _read(known: Iterable[Reminder], report: VendorReport, now: Instant) -> Iterable[Reminder]:
    """Take in the windows of a page; only one that was understood calls something off."""
    windows = {one.id: one for one in report.windows}
    for one in known:
        window = windows.pop(one.id, None)
        if window is not None:
            yield from _again(one, window, now)
        elif report.level is VendorLevel.UNKNOWN:
            yield one
        else:
            yield replace(one, gone_since=one.gone_since or now)
    for window in windows.values():
        yield from _first(window, now)


def _again(one: Reminder, window: Window, now: Instant) -> Iterable[Reminder]:
    if abs(window.start_wall - one.start_wall) < MOVED_S and not window.active:
        yield replace(
            one,
            title=window.title,
            start_wall=window.start_wall,
            end_wall=window.end_wall,
            gone_since=None,
        )
        return
    for moved in _first(window, now):
        yield replace(moved, told=True, owed=Say.MOVED) if one.told else moved


def _first(window: Window, now: Instant) -> Iterable[Reminder]:
    """Begin with a window; steps that are behind it already are not made up for, but the last."""
    ahead_s = window.start_wall - now.wall
    if window.active or ahead_s <= 0:
        return
    steps = _steps_at(ahead_s)
    owed = Say.STEP if steps == LAST else None
    yield Reminder(window.id, window.title, window.start_wall, window.end_wall, steps, owed)


def _passed(one: Reminder, now: Instant) -> Reminder:
    """Note the steps that have come since."""
    ahead_s = _ahead_s(one, now)
    steps = _steps_at(ahead_s)
    if steps <= one.steps:
        return one
    timely = steps == LAST or STEPS_S[steps - 1] - ahead_s <= LATE_S
    owed = one.owed or (Say.STEP if timely else None)
    return replace(one, steps=steps, owed=owed)


def _is_gone(one: Reminder, now: Instant) -> bool:
    return one.gone_since is not None and now.since(one.gone_since) >= GONE_S


def _due(one: Reminder, state: State, now: Instant) -> Say | None:
    """Give what is to be said now."""
    owed = one.owed
    if one.gone_since is not None:
        owed = Say.OFF if one.told and _is_gone(one, now) else None
    return owed if _ahead_s(one, now) > 0 and _may_tell(one, state, now) else None


def _may_tell(one: Reminder, state: State, now: Instant) -> bool:
    """Tell whether it cannot wait: the studio is open, or will not be before it begins."""
    if state.is_open:
        return True
    if state.opens_wall is None:
        return _ahead_s(one, now) <= STEPS_S[-1]
    return one.start_wall <= state.opens_wall


def _is_over(one: Reminder, say: Say | None, now: Instant) -> bool:
    return _ahead_s(one, now) <= 0 or (_is_gone(one, now) and (say is Say.OFF or not one.told))


def _alert(one: Reminder, say: Say, state: State, now: Instant, policy: Policy) -> Alert:
    last = say is not Say.OFF and one.steps == LAST
    steps = () if say is Say.OFF else SOON_STEPS if last else (PRINT,)
    return Alert(
        incident=state.next_incident,
        reason=Reason.NOTICE,
        severity=Severity.WARNING if last and state.is_open else Severity.NOTICE,
        cause=Cause.VENDOR_MAINTENANCE,
        headline=_fill(HEADLINES[say], one, now, policy),
        body=_fill(" ".join(_body(one, say)), one, now, policy),
        steps=steps,
        since_wall=one.start_wall,
        said_wall=now.wall,
    )


def _body(one: Reminder, say: Say) -> Iterable[str]:
    if one.title:
        yield TITLE
    if say is not Say.OFF:
        yield from (LASTS,) if one.end_wall is not None else ()
        yield AWAY


def _fill(text: str, one: Reminder, now: Instant, policy: Policy) -> str:
    lasts = words.duration((one.end_wall or one.start_wall) - one.start_wall)
    text = text.replace("{when}", _when(_ahead_s(one, now))).replace("{lasts}", lasts)
    text = text.replace("{vendor}", policy.vendor_name).replace("{title}", one.title)
    return words.capital(text)


def _when(ahead_s: float) -> str:
    if ahead_s >= 1.5 * DAY_S:
        return f"{round(ahead_s / DAY_S)} days"
    if ahead_s < 3 * HOUR_S:
        return f"{max(1, round(ahead_s / 60))} minutes"
    return words.duration(ahead_s)
