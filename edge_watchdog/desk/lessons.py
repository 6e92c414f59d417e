"""Classes as the desk's pages show them: how many places are left, and which may be meant.

The board's lists and the journal in, words out: the vendor's list and what stands on paper are
counted together, with the time of which that is true.  No client is named here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.classes import class_name, is_class, similar
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.paper import Draft, Entry, Visit
from edge_watchdog.daybook.paper_guard import GONE, classes_of
from edge_watchdog.daybook.paper_places import places_words, rolls_of
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.phrases import Local

MOST_LESSONS = 12


@dataclass(frozen=True, slots=True)
class LessonChoice:
    """A class that can be chosen in a form: at "18:00", "Spin with Tom: 3 of 12 places free"."""

    key: str
    begin: str
    words: str
    is_full: bool = False


class Lessons:
    """Says how classes stand; *entries* gives what is written down."""

    def __init__(self, board: Board, local: Local, entries: Callable[[], Sequence[Entry]]) -> None:
        self._board = board
        self._local = local
        self._entries = entries

    def on(self, draft: Draft, day: date) -> tuple[LessonChoice, ...]:
        """Give the classes of *day* that are not over and may be what was asked for, by start."""
        visit = draft.content
        if not isinstance(visit, Visit):
            return ()
        span, now_wall = Span(day, 1, self._local.zone), self._board.now().at.wall
        begins = max(span.start_wall, now_wall)
        found = [
            row
            for row in classes_of(self._listed(), self._entries())
            if begins <= row.start_wall < span.end_wall
            and row.status not in GONE
            and similar(row.service, visit.service)
        ]
        found = sorted(found, key=lambda row: row.start_wall)[:MOST_LESSONS]
        rolls = rolls_of(found, self._listed(), self._entries())
        return tuple(
            LessonChoice(
                row.key,
                self._local.clock(row.start_wall),
                f"{class_name(row)}: {places_words(rolls[row.key])}",
                rolls[row.key].is_full,
            )
            for row in found
        )

    def of(self, keys: Sequence[str]) -> dict[str, str]:
        """Say how full the classes of these keys are, by key, with the time of their list."""
        listed = self._listed()
        rows = [row for row in listed if row.key in keys and is_class(row)]
        rolls = rolls_of(rows, listed, self._entries())
        return {key: places_words(roll, self.as_of(key)) for key, roll in rolls.items()}

    def as_of(self, key: str) -> str:
        """Say when the list that has this class was true; "" when no list has it."""
        now = self._board.now()
        good = next((one.good for one in self._states() if one.good and _has(one, key)), None)
        return self._local.moment(good.as_of.wall(now), now.at.wall) if good else ""

    def _states(self) -> tuple[SourceState, ...]:
        return tuple(self._board.sources.values())

    def _listed(self) -> tuple[Appointment, ...]:
        return tuple(
            row for one in self._states() if one.good for row in one.good.reading.appointments
        )


def _has(state: SourceState, key: str) -> bool:
    rows = state.good.reading.appointments if state.good else ()
    return any(row.key == key for row in rows)
