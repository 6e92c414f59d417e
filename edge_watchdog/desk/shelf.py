"""What was drawn of the day, kept as long as it is still true: days as text, and pieces of pages.

Source states in, days out; a piece's content in, its markup out.  The rule: a new list (a new
generation) keeps only what is used again, so that nothing outlives the day that it was drawn from.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.desk.book import BookDay, PlainDay, at_present, plain_day
from edge_watchdog.desk.day import Day, desk_days
from edge_watchdog.desk.phrases import Local

Written = tuple[Appointment, ...]
MOST_PIECES = 8000  # about 5 MB; more than ten days of 200 appointments, each drawn in four ways


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _While(Generic[_T]):
    """What is drawn, and true from *from_wall* until *until_wall*, seconds since 1970."""

    drawn: _T
    from_wall: float
    until_wall: float
    wall_known: bool

    def holds(self, now: Now) -> bool:
        return self.from_wall <= now.at.wall < self.until_wall and self.wall_known == now.wall_known


class Shelf:
    """Keeps the days of the book; each is built anew when a list or an entry's tag changes."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._generation: object = None
        self._plain: dict[date, PlainDay] = {}
        self._present: dict[date, _While[BookDay]] = {}
        self._desk: _While[tuple[tuple[Day, ...], bool]] | None = None
        self.pieces = Pieces()

    def day(
        self, states: Sequence[SourceState], one: date, now: Now, written: Written = ()
    ) -> BookDay:
        """Give a day as it is at *now*, with what is *written* on paper alone."""
        self.turn(states, written)
        kept = self._present.get(one)
        if kept is None or not kept.holds(now):
            plain = self._plain.get(one)
            if plain is None:
                plain = self._plain[one] = plain_day(states, one, self._local, written)
            edges = (edge for e in plain.entries for edge in (e.start_wall, e.end_wall))
            kept = self._while(at_present(plain, states, now, self._local), now, edges)
            self._present[one] = kept
        return kept.drawn

    def desk(
        self, states: Sequence[SourceState], now: Now, written: Written = ()
    ) -> tuple[tuple[Day, ...], bool]:
        """Give what desk_days() gives."""
        self.turn(states, written)
        if self._desk is None or not self._desk.holds(now):
            edges = (
                edge
                for rows in (written, *(s.good.reading.appointments for s in states if s.good))
                for a in rows
                for edge in (a.start_wall, a.end_wall)
            )
            self._desk = self._while(desk_days(states, now, self._local, written), now, edges)
        return self._desk.drawn

    def turn(self, states: Sequence[SourceState], written: Written) -> None:
        """Forget the days when *states* hold other lists than the last time, or paper does."""
        generation = (
            written,
            *(
                (one.name, one.good and one.good.span, one.good and one.good.reading)
                for one in states
            ),
        )
        if generation != self._generation:
            self._plain, self._present, self._desk = {}, {}, None
            self.pieces.turn()
        self._generation = generation

    def _while(self, drawn: _T, now: Now, edges: Iterable[float]) -> _While[_T]:
        """Keep *drawn* until the next of *edges*, or midnight: then a tag or a heading changes."""
        wall = now.at.wall
        midnight = Span(self._local.day(wall), 1, self._local.zone).end_wall
        until = min([midnight, *(edge for edge in edges if edge > wall)])
        return _While(drawn, wall, until, now.wall_known)


class Pieces:
    """Markup by what it shows; what was not used since the turn before last is forgotten."""

    def __init__(self, most: int = MOST_PIECES) -> None:
        self._most = most
        self._young: dict[Hashable, str] = {}
        self._old: dict[Hashable, str] = {}

    def get(self, shows: Hashable, draw: Callable[[], str]) -> str:
        """Give the piece that shows *shows*, drawn now or before."""
        found = self._young.get(shows)
        if found is None:
            found = self._old.pop(shows, None)
            if len(self._young) >= self._most:
                self.turn()
            self._young[shows] = found = draw() if found is None else found
        return found

    def turn(self) -> None:
        """Begin a generation: what it does not use is gone at the next turn."""
        self._old, self._young = self._young, {}
