"""The studio's own network behind a box with two legs: when it is gone, somebody must hear of it.

In: the box's word that nothing there is reached.  Out: an alert while the studio is open, and one
when the network is back.  The rule: no page can tell it, because nobody can open one; and a studio
that is closed, perhaps with its main switch off, misses nothing.
"""

from dataclasses import replace

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Alert, Reason, Severity
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.refined import LAN_BACK, LAN_LOST
from edge_watchdog.core.sending import send
from edge_watchdog.core.state import Cause, LanLost, State


def tell_of_lan(state: State, event: Event, now: Instant) -> tuple[State, tuple[Action, ...]]:
    """Keep whether the studio's own network is there, and say what people should know."""
    lost = state.box.lan
    said = event.report.lan_lost if isinstance(event, BoxReported) else None
    if lost is None:
        if not said:
            return state, ()
        lost = LanLost(now)
    elif said is False:
        state = replace(state, box=replace(state.box, lan=None))
        return (state, ()) if lost.told is None else send(state, _back(lost, lost.told, now))
    if lost.told is not None or not state.is_open:
        return replace(state, box=replace(state.box, lan=lost)), ()
    number = state.next_incident
    box = replace(state.box, lan=replace(lost, told=number))
    state = replace(state, box=box, next_incident=number + 1)
    return send(state, _gone(lost, number, now))


def _gone(lost: LanLost, number: int, now: Instant) -> Alert:
    return Alert(
        incident=number,
        reason=Reason.FIRST,
        severity=Severity.OUTAGE,
        cause=Cause.LAN_SWITCH_DEAD,
        headline=LAN_LOST.headline,
        body=LAN_LOST.changed,
        steps=LAN_LOST.steps,
        since_wall=lost.since.wall,
        said_wall=now.wall,
    )


def _back(lost: LanLost, number: int, now: Instant) -> Alert:
    lasted = words.duration(now.since(lost.since))
    headline = LAN_BACK.replace("{lasted}", lasted)
    gone = _gone(lost, number, now)
    return replace(gone, reason=Reason.RESOLVED, headline=headline, body="", steps=())
