"""Alerts on their way to people.

In: an alert.  Out: the action that sends it, numbered.  The rule: each thing that people are told
of has a number of its own, which whoever begins it takes.
"""

from dataclasses import replace

from edge_watchdog.core.actions import Action, Alert, SendAlert
from edge_watchdog.core.state import State


def send(state: State, alert: Alert) -> tuple[State, tuple[Action, ...]]:
    """Have *alert* sent, of something that has its number."""
    return replace(state, next_id=state.next_id + 1), (SendAlert(state.next_id, alert),)


def send_new(state: State, alert: Alert) -> tuple[State, tuple[Action, ...]]:
    """Have *alert*, whose number is the next one, sent."""
    return send(replace(state, next_incident=state.next_incident + 1), alert)
