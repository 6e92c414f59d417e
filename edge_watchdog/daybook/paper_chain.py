"""The chain of the paper journal: each row's hash covers the one before, the last is sealed.

Pure: rows in, the first that does not fit out.  A row that was changed, cut out or cut off the end
is missed; so is one that was emptied before its time.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge_watchdog.daybook.paper import human

BEGIN = "0" * 64
FRESH_NUMBERS = 1000  # a journal begun anew starts at the next thousand: numbers stand on paper


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal as it lies on the disk; *body* is sealed, None once forgotten."""

    seq: int
    what: str
    number: int
    at_wall: float
    form: str | None
    body: bytes | None
    body_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing that does not fit; *number* is the entry's, 0 when it was of none."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ended when it was last written; *seq* 0 is an empty journal.

    *number* is the last entry's: one that was cut off is not given again.
    """

    seq: int = 0
    hash: str = BEGIN
    number: int = 0


def digest(body: bytes) -> str:
    """Give a body's hash."""
    return hashlib.sha256(body).hexdigest()


def link(previous: str, row: Row) -> str:
    """Give the hash that *row* must carry after a row with the hash *previous*."""
    facts = [previous, row.seq, row.what, row.number, row.at_wall, row.form, row.body_hash]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def damage(rows: Sequence[Row], begin: Head, forgotten: frozenset[int]) -> Damage | None:
    """Give the first of *rows* that does not fit behind *begin*, None when all do.

    *forgotten* are the numbers that a row of the journal says were emptied on purpose.
    """
    return next(_damages(rows, begin, forgotten), None)


def damage_at_end(last: Head, head: Head | None) -> Damage | None:
    """Compare where the journal ends with where it ended when it was last written."""
    if head is None:
        words = f"the end of the journal, after {human(last.number)}, is not certain"
        return Damage(last.number, words) if last.seq else None
    if head == last:
        return None
    if last.seq < head.seq:
        if head.number > last.number:
            number = (last.number or _before_first(frozenset({head.number}))) + 1
            return Damage(number, f"{human(number)} was deleted")
        return Damage(last.number, f"what was noted after {human(last.number)} was deleted")
    return Damage(last.number, f"{human(last.number)} was added by somebody else")


def end_of(rows: Sequence[Row], begin: Head) -> Head:
    """Give where the chain ends after *rows*."""
    if not rows:
        return begin
    numbers = (row.number for row in rows if row.what == "entry")
    return Head(rows[-1].seq, rows[-1].hash, max((begin.number, *numbers)))


def _damages(rows: Sequence[Row], begin: Head, forgotten: frozenset[int]) -> Iterator[Damage]:
    known = frozenset(row.number for row in rows if row.what == "entry")
    seq, last_hash, entries = begin.seq, begin.hash, begin.number or _before_first(known)
    for row in rows:
        if row.seq != seq + 1:
            yield _missing(row, entries, known)
        elif row.hash != link(last_hash, row):
            yield _of(row, "was changed")
        elif row.body is None and row.number not in forgotten:
            yield _of(row, "was emptied")
        elif row.body is not None and digest(row.body) != row.body_hash:
            yield _of(row, "was changed")
        seq, last_hash = row.seq, row.hash
        entries = row.number if row.what == "entry" else entries


def _missing(row: Row, entries: int, known: frozenset[int]) -> Damage:
    if entries + 1 not in known:
        return Damage(entries + 1, f"{human(entries + 1)} was deleted")
    return Damage(row.number, f"what was noted before {human(row.number)} was deleted")


def _before_first(known: frozenset[int]) -> int:
    """Give the number before the first; a journal begun anew starts behind a full thousand."""
    return min(known, default=0) // FRESH_NUMBERS * FRESH_NUMBERS


def _of(row: Row, fate: str) -> Damage:
    name = human(row.number) if row.number else "what was noted when a day was closed"
    about = "" if row.what != "move" else "what was noted about "
    return Damage(row.number, f"{about}{name} {fate}")
