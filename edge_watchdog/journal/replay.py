"""A recording gone through again: what happened, what was decided, and whether that is still so.

In: a Recording and the mind's own step.  Out: lines for people, or a story text.  Pure.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from edge_watchdog.core.actions import Action
from edge_watchdog.core.codec import encode
from edge_watchdog.core.events import Event, Sampled, Woke
from edge_watchdog.journal.store import Recording
from edge_watchdog.journal.story import StoryClock, action_text, event_text, write_story

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Stepped(Protocol[S_co]):
    """What one event led to; core.advance.Step is one."""

    @property
    def state(self) -> S_co:
        """The state after it."""

    @property
    def actions(self) -> Sequence[Action]:
        """What is to be done."""


def replay(
    recording: Recording[S],
    advance: Callable[[S, Event], Stepped[S]],
    *,
    tell: Callable[[S, S], Sequence[str]] = lambda _before, _after: (),
    every: bool = False,
) -> Iterator[str]:
    """Fold *recording* through *advance* and say what happened, one line each.

    Events that only brought evidence and decided nothing are left out unless *every*.  *tell* may
    add lines about a change of state.  A line with "!" shows what was decided then, where the mind
    decides otherwise today.
    """
    state = recording.state
    clock = StoryClock(recording.events[0].at) if recording.events else None
    for event, then in zip(recording.events, recording.decisions, strict=True):
        step = advance(state, event)
        today = [action_text(action) for action in step.actions]
        once = [action_text(action) for action in then]
        told = [*tell(state, step.state)]
        state = step.state
        dull = isinstance(event, (Sampled, Woke)) and not (today or once or told)
        if clock is None or (dull and not every):
            continue
        yield f"{clock.column(event.at)} {event_text(event)}".rstrip()
        yield from (f"  > {line}" for line in (*told, *today))
        if step.actions != tuple(then):
            yield from (f"  ! then: {line}" for line in once or ["nothing"])
    if not recording.complete:
        yield "# The record stops here; the incident went on."


def as_story(recording: Recording[S], notes: Sequence[str] = ()) -> str:
    """Write *recording* as a story text, with *notes* as comments above it."""
    pairs = zip(recording.events, recording.decisions, strict=True)
    lines = [f"# {note}".rstrip() for note in notes]
    return "\n".join([*lines, *write_story(pairs, encode(recording.state))]) + "\n"
