"""The last few minutes, in memory: events in segments, each with the state before it.

In: every event.  Out: all of it, oldest first, when something notable makes it worth writing down.
The rule: bounded, whatever happens.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edge_watchdog.core.actions import Action
from edge_watchdog.core.events import Event

SEGMENT_S = 60.0
SEGMENTS = 3  # two whole ones and the one that grows
SEGMENT_ROWS = 6000  # a hundred events a second would be a fault, and must not fill the memory

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Row:
    """One event, its number and what it led to."""

    seq: int
    event: Event
    actions: tuple[Action, ...]


@dataclass(slots=True)
class Segment(Generic[S]):
    """*before*: the state before the first of *rows*; *rows* is never empty, oldest first."""

    before: S
    rows: list[Row] = field(default_factory=list)


class Ring(Generic[S]):
    """The newest segments."""

    def __init__(self) -> None:
        self._segments: deque[Segment[S]] = deque(maxlen=SEGMENTS)

    def add(self, row: Row, before: S) -> None:
        """Take in one event; *before* is the state before it."""
        if not self._segments or self._is_full(self._segments[-1], row):
            self._segments.append(Segment(before))
        self._segments[-1].rows.append(row)

    def _is_full(self, segment: Segment[S], row: Row) -> bool:
        lasted_s = row.event.at.since(segment.rows[0].event.at)
        return lasted_s >= SEGMENT_S or len(segment.rows) >= SEGMENT_ROWS

    @property
    def oldest(self) -> Segment[S]:
        """The oldest segment; there must have been an event."""
        return self._segments[0]

    def rows(self) -> Iterator[Row]:
        """Give all events, oldest first."""
        for segment in self._segments:
            yield from segment.rows
