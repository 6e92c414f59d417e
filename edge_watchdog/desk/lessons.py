"""Classes as the desk's pages show them: how many places are left, and which may be meant.

The board's lists and the journal in, words out: the vendor's list and what stands on paper are
counted together, with the time of which that is true.  No client is named here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.classes import class_name, is_class, similar
from edge_watchdog.daybook.keeper import appointments_of
from edge_watchdog.daybook.model import GONE
from edge_watchdog.daybook.paper import Draft, Entry, Visit, human
from edge_watchdog.daybook.paper_guard import classes_of
from edge_watchdog.daybook.paper_places import places_words, rolls_of
from edge_watchdog.daybook.paper_roll import Place, Roll
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.book import NOT_COMING, Seat, Stand, seat_of
from edge_watchdog.desk.phrases import Local

MOST_LESSONS = 12


@dataclass(frozen=True, slots=True)
class LessonChoice:
    """A class that can be chosen in a form: at "18:00", "Spin with Tom: 3 of 12 places free"."""

    key: str
    begin: str
    words: str
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class FreePlace:
    """A place is free for entry *number*, who waits for one: *words* say where and for whom."""

    number: int
    words: str


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

    def of(self, keys: Sequence[str]) -> dict[str, Stand]:
        """Say how the classes of these keys stand, by key, with the time of their list."""
        wanted, listed, entries = frozenset(keys), self._listed(), self._entries()
        said: dict[str, Stand] = {}
        for good in self._lists():
            rows = [row for row in good.reading.appointments if row.key in wanted and is_class(row)]
            rolls = rolls_of(rows, listed, entries)
            as_of = self._as_of(good)
            said |= {key: _stand(roll, as_of) for key, roll in rolls.items()}
        return said

    def openings(self) -> tuple[FreePlace, ...]:
        """Tell who waits on paper for a place that is free by now, who came first first."""
        now_wall, there, entries = self._board.now().at.wall, self._listed(), self._entries()
        queued = {e.draft.lesson for e in entries if e.draft and e.draft.waits}
        rows = [row for row in there if row.key in queued and row.start_wall > now_wall]
        rolls = rolls_of(rows, there, entries)
        return tuple(
            FreePlace(
                one.number,
                f"A place is free now in {class_name(row)},"
                f" {self._local.moment(row.start_wall, now_wall)}:"
                f" {one.name} ({human(one.number)}) waits for one.",
            )
            for row in sorted(rows, key=lambda row: row.start_wall)
            for one in rolls[row.key].queue[: rolls[row.key].left or 0]
        )

    def as_of(self, key: str) -> str:
        """Say when the list that has this class was true; "" when no list has it."""
        has = (one for one in self._lists() if any(r.key == key for r in one.reading.appointments))
        good = next(has, None)
        return self._as_of(good) if good else ""

    def _as_of(self, good: Snapshot) -> str:
        now = self._board.now()
        return self._local.moment(good.as_of.wall(now), now.at.wall)

    def _lists(self) -> tuple[Snapshot, ...]:
        return tuple(one.good for one in self._board.sources.values() if one.good)

    def _listed(self) -> tuple[Appointment, ...]:
        return appointments_of(self._board.sources.values())


def _stand(roll: Roll, as_of: str) -> Stand:
    unnamed = None if roll.taken is None else max(0, roll.taken - len(roll.places))
    return Stand(
        places_words(roll, as_of),
        roll.left,
        unnamed,
        (
            *(_seat(one, "on paper") for one in roll.places if one.number),
            *(_seat(one, "waits for a place") for one in roll.queue),
            *(_seat(one, NOT_COMING, is_gone=True) for one in roll.quit),
        ),
        tuple(map(seat_of, roll.gone)),
    )


def _seat(one: Place, how: str, *, is_gone: bool = False) -> Seat:
    """Show who is in a class by the paper journal only, or waits for a place or leaves there."""
    return Seat(one.name, f"{how}, {human(one.number)}", one.spot, "", False, is_gone)
