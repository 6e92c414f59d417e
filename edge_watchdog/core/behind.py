"""A second device gives out addresses in the network behind the box: whom it concerns hears of it.

In: the box's word of who it is.  Out: one alert, and one when it is gone.  The rule: it is told
whether or not the studio is open, because the computers that are switched on next believe it.
"""

from dataclasses import replace

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Alert, Reason, Severity
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.phrases import PHRASES
from edge_watchdog.core.refined import IT_IS, STRANGER_GONE
from edge_watchdog.core.sending import send
from edge_watchdog.core.state import Cause, State, StrangerBehind

PLACE = "the studio's own network"


def tell_of_stranger(state: State, event: Event, now: Instant) -> tuple[State, tuple[Action, ...]]:
    """Keep who gives out addresses behind the box, and say what people should know."""
    who = event.report.stranger if isinstance(event, BoxReported) else None
    known = state.box.stranger
    if who is None or who == (known.who if known is not None else ""):
        return state, ()
    if known is None:
        found = StrangerBehind(who, now, state.next_incident)
        state = replace(state, next_incident=state.next_incident + 1)
        return _tell(state, found, _alert(found, Reason.FIRST, now))
    if who:
        found = replace(known, who=who)
        return _tell(state, found, _alert(found, Reason.CHANGED, now))
    return _tell(state, None, _over(known, now))


def _tell(
    state: State, found: StrangerBehind | None, alert: Alert
) -> tuple[State, tuple[Action, ...]]:
    box = replace(state.box, stranger=found)
    return send(replace(state, box=box), alert)


def _alert(found: StrangerBehind, reason: Reason, now: Instant) -> Alert:
    phrase = PHRASES[Cause.ROGUE_DHCP]
    return Alert(
        incident=found.told,
        reason=reason,
        severity=Severity.WARNING,
        cause=Cause.ROGUE_DHCP,
        headline=phrase.headline.replace("{line}", PLACE),
        body=phrase.changed,
        steps=(*phrase.steps, IT_IS.replace("{who}", found.who)),
        since_wall=found.since.wall,
        said_wall=now.wall,
    )


def _over(known: StrangerBehind, now: Instant) -> Alert:
    lasted = words.duration(now.since(known.since))
    headline = STRANGER_GONE.replace("{lasted}", lasted)
    told = _alert(known, Reason.RESOLVED, now)
    return replace(told, headline=headline, body="", steps=())
