"""The paper journal on the disk: appended in one transaction, acknowledged when it is safe there.

Drafts and moves in, the journal out.  What was acknowledged survives a power cut; nothing is edited
or deleted; a second tap on the same form makes no second entry; two desks cannot take one slot.
"""

import contextlib
import json
import secrets
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_watchdog.core import codec
from edge_watchdog.daybook import Appointment, DaybookError
from edge_watchdog.daybook.classes import folded, spot_key
from edge_watchdog.daybook.dbfile import (
    TAILS,
    DbFile,
    in_words,
    open_db,
    open_or_renew,
    schema,
    version_of,
)
from edge_watchdog.daybook.paper import (
    OVER,
    Author,
    Draft,
    Entry,
    Move,
    PaperError,
    State,
    check,
    check_move,
    human,
    is_over,
)
from edge_watchdog.daybook.paper_chain import (
    FRESH_NUMBERS,
    Damage,
    Head,
    Row,
    damage,
    damage_at_end,
    digest,
    end_of,
    link,
)
from edge_watchdog.daybook.paper_guard import NO_BUFFERS, Busy, taken_words
from edge_watchdog.daybook.paper_places import (
    Wanted,
    as_asked,
    full_words,
    in_class,
    spot_words,
    wanted_of,
)
from edge_watchdog.daybook.paper_roll import Place
from edge_watchdog.daybook.seal import Seal

SCHEMA = 2  # 1, which says 0 in its file, had no places in classes
NO_PLACE_LEFT = "That class is full: another desk was quicker."
NOT_WRITTEN = "the box's disk did not take it; write it on paper"
UNREADABLE = "cannot be read"


class TakenError(PaperError):
    """Somebody has that time, and *clashes* is who; or *is_full*: the class has no place left."""

    def __init__(self, wanted: Wanted) -> None:
        """Say by whom it is taken."""
        self.clashes: tuple[Busy, ...] = wanted.in_the_way
        self.is_full = wanted.lesson is not None and not self.clashes
        words = taken_words(wanted.hold, self.clashes)
        if self.is_full and wanted.roll is not None:
            words = full_words(wanted.roll) if wanted.is_full else NO_PLACE_LEFT
        super().__init__(words, "start")


@dataclass(frozen=True, slots=True)
class Pen:
    """Who writes when; *form* is the form's own key, "" when there is none."""

    by: Author
    at_wall: float
    clock_known: bool = True
    form: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands in the journal now; *again*: it stood there before this form came again."""

    entry: Entry
    again: bool = False


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """The day (ISO date) was closed; *sums*: method, currency, minor units."""

    day: str
    by: Author
    at_wall: float
    sums: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that was written down, by number; *damage* is the first thing that does not fit.

    *turn* grows with every row.
    """

    entries: tuple[Entry, ...] = ()
    closed: tuple[ClosedDay, ...] = ()
    damage: Damage | None = None
    turn: int = 0

    def entry(self, number: int) -> Entry | None:
        """Give the entry with this number."""
        return next((one for one in self.entries if one.number == number), None)


@dataclass(frozen=True, slots=True)
class _Body:
    """What of an entry is sealed."""

    id: str
    clock_known: bool
    by: Author
    draft: Draft


@dataclass(frozen=True, slots=True)
class _Forgotten:
    """The numbers whose content was forgotten."""

    numbers: tuple[int, ...]


_SHAPES: Mapping[str, type] = {
    "entry": _Body,
    "move": Move,
    "closed": ClosedDay,
    "forgotten": _Forgotten,
}


class PaperStore:
    """The open journal.  Methods block; they may be called from any thread.

    Whoever composes it sets *buffers*: the time that is kept free around appointments.
    """

    def __init__(self, connection: sqlite3.Connection, seal: Seal, *, first: int = 1) -> None:
        self.buffers = NO_BUFFERS
        self._connection = connection
        self._file = DbFile(connection, NOT_WRITTEN)
        self._seal = seal
        self._first = first
        self._version: object = None
        self._reader = _Reader(seal, {})

    @property
    def begun_anew(self) -> bool:
        """Tell whether a damaged journal was put aside when this one was opened."""
        return self._first > 1

    def look(self) -> Journal:
        """Give everything that was written down; raises DaybookError."""
        with self._transaction("BEGIN") as journal:
            return journal

    def append(self, draft: Draft, pen: Pen, listed: Sequence[Appointment] = ()) -> Kept:
        """Keep *draft*; when this returns it is on the disk.

        *listed* is the vendor's list as far as it is known.  Raises PaperError when it cannot be
        kept as it stands, TakenError when the time is taken and no reason was given.
        """
        check(draft)
        with self._transaction() as journal:
            before = self._of_form(journal, pen.form)
            if before is not None:
                return _same_again(before, draft)
            replaced = _replaced(journal, draft)
            return Kept(self._write(journal, draft, pen, listed, replaced=replaced))

    def move(self, number: int, move: Move) -> Entry:
        """Let the entry be in another state; in the same one again changes nothing."""
        with self._transaction() as journal:
            entry = _known(journal, number)
            if entry.state is move.state and (not move.detail or entry.state in OVER):
                return entry
            return self._move(entry, move)

    def close_day(self, closed: ClosedDay, tasks: Sequence[Draft], pen: Pen) -> bool:
        """Note that the day is closed and what is left for the next; False if it was before."""
        for task in tasks:
            check(task)
        with self._transaction() as journal:
            if any(one.day == closed.day for one in journal.closed):
                return False
            self._add("closed", 0, closed, replace(pen, form=""))
            for task in tasks:
                self._write(self._sync(), task, replace(pen, form=""), (), replaced=None)
        return True

    def forget(self, before_wall: float, now_wall: float) -> int:
        """Empty what has been over since before *before_wall*; gives how many entries that were.

        The chain still holds: it covers the hash of what was there.
        """
        with self._transaction() as journal:
            old = tuple(
                e.number
                for e in journal.entries
                if e.draft is not None and is_over(e) and e.moves[-1].at_wall < before_wall
            )
            if old:
                nobody = Pen(Author("", ""), now_wall)
                self._add("forgotten", 0, _Forgotten(old), nobody)
                for number in old:
                    self._connection.execute(
                        "UPDATE journal SET body = NULL WHERE number = ?", (number,)
                    )
                self._version = None
        if old:
            self._file.forget()
        return len(old)

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def _write(
        self,
        journal: Journal,
        draft: Draft,
        pen: Pen,
        listed: Sequence[Appointment],
        *,
        replaced: Entry | None,
    ) -> Entry:
        number = max(self._first - 1, self._reader.end.number) + 1
        entry = Entry(_uuid7(pen.at_wall), number, pen.at_wall, pen.clock_known, pen.by, draft)
        if replaced is not None:
            words = f"corrected by {human(number)}"
            self._move(replaced, Move(State.VOID, pen.at_wall, pen.by, words))
        draft = self._hold(entry, draft, listed, journal.entries)
        self._add("entry", number, _Body(entry.id, pen.clock_known, pen.by, draft), pen)
        return replace(entry, draft=draft)

    def _hold(
        self, entry: Entry, draft: Draft, listed: Sequence[Appointment], entries: Sequence[Entry]
    ) -> Draft:
        """Take the time or the place; raises TakenError, and PaperError when it is the spot.

        The triggers look again at what lies on the disk.  Gives the draft as it is to be kept.
        """
        wanted = wanted_of(as_asked(entry), listed, entries, self.buffers)
        if wanted is None:
            return draft
        if wanted.on_spot is not None:
            raise PaperError(spot_words(wanted), "spot")
        kept = in_class(wanted, waits=draft.waits)
        if (wanted.in_the_way or wanted.is_full) and not (kept.forced.strip() or kept.waits):
            raise TakenError(wanted)
        try:
            self._take(entry.number, kept, wanted)
        except sqlite3.IntegrityError as error:
            if "spot" in str(error):
                raise PaperError(spot_words(wanted), "spot") from None
            raise TakenError(wanted) from None
        return kept

    def _take(self, number: int, draft: Draft, wanted: Wanted) -> None:
        hold, db = wanted.hold, self._connection
        if draft.waits:
            return
        if draft.lesson:
            spot = spot_key(wanted.visit.spot) if wanted.visit else ""
            most: tuple[int | None, ...] = (*(None for _ in wanted.places), wanted.most)
            places = (*wanted.places, Place("", spot, number))
            rows = zip(places, most, strict=True)
            db.executemany(
                "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)",
                [(one.number, draft.lesson, one.spot, count) for one, count in rows],
            )
        db.execute(
            "INSERT INTO hold VALUES (?, ?, ?, ?, ?, 1, ?)",
            (
                *(number, folded(hold.member), folded(hold.room)),
                *(hold.start_wall, hold.end_wall, int(bool(draft.forced.strip()))),
            ),
        )

    def _move(self, entry: Entry, move: Move) -> Entry:
        check_move(entry, move.state, move.detail)
        self._add("move", entry.number, move, Pen(move.by, move.at_wall))
        live = int(move.state not in OVER)
        self._connection.execute("UPDATE hold SET live = ? WHERE number = ?", (live, entry.number))
        return replace(entry, moves=(*entry.moves, move))

    def _add(self, what: str, number: int, body: object, pen: Pen) -> None:
        """Append one row and seal the new end of the chain; inside a transaction."""
        db = self._connection
        self._sync()
        last = self._reader.end
        seq = last.seq + 1
        sealed = self._seal.seal(json.dumps(codec.encode(body)).encode())
        form = pen.form or None
        row = Row(seq, what, number, pen.at_wall, form, sealed, digest(sealed), "")
        made = link(last.hash, row)
        db.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, what, number, pen.at_wall, form, sealed, row.body_hash, made),
        )
        reached = Head(seq, made, max(last.number, number))
        head = self._seal.seal(json.dumps(codec.encode(reached)).encode())
        db.execute("INSERT OR REPLACE INTO head VALUES (1, ?)", (head,))

    def _of_form(self, journal: Journal, form: str) -> Entry | None:
        """Give the entry that this form made before; raises PaperError for another kind of row."""
        if not form:
            return None
        row = self._connection.execute(
            "SELECT number FROM journal WHERE form = ? AND what = 'entry'", (form,)
        ).fetchone()
        return journal.entry(row[0]) if row else None

    def _sync(self) -> Journal:
        """Read what came since; all of it, if anybody else may have written meanwhile."""
        db = self._connection
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._reader = _Reader(self._seal, self._reader.opened)
            self._version = version
        seq = self._reader.last.seq
        found = db.execute("SELECT * FROM journal WHERE seq > ? ORDER BY seq", (seq,))
        self._reader.read([Row(*row) for row in found])
        head = db.execute("SELECT body FROM head").fetchone()
        return self._reader.journal(head[0] if head else None)

    @contextlib.contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[Journal]:
        try:
            with self._file.transaction(begin):
                yield self._sync()
        except BaseException:
            self._version = None
            raise


class _Reader:
    """Makes a Journal of rows; what cannot be read is left out and told.

    *known* is what rows held when they were read before, by their hash.  *last* is where the rows
    end, *end* where the next one must be joined on: behind a row that was cut off, too.
    """

    def __init__(self, seal: Seal, known: Mapping[str, object]) -> None:
        self._seal = seal
        self._known = known
        self.opened: dict[str, object] = {}
        self.last = self.end = Head()
        self._entries: dict[int, Entry] = {}
        self._closed: list[ClosedDay] = []
        self._forgotten: set[int] = set()
        self._damage: Damage | None = None
        self._unread: Damage | None = None

    def read(self, rows: Sequence[Row]) -> None:
        """Take *rows*, which follow on those that were read before, oldest first."""
        for row in rows:
            try:
                self._take(row, None if row.body is None else self._open(row, row.body))
            except (DaybookError, ValueError):
                name = human(row.number) if row.number else "a day's closing"
                self._unread = self._unread or Damage(row.number, f"{name} {UNREADABLE}")
        self._damage = self._damage or damage(rows, self.last, frozenset(self._forgotten))
        self.last = end_of(rows, self.last)

    def journal(self, sealed_head: bytes | None) -> Journal:
        """Give what was read."""
        head = self._head(sealed_head)
        self.end = head if head and head.seq > self.last.seq else self.last
        found = self._damage or damage_at_end(self.last, head) or self._unread
        entries = tuple(self._entries[n] for n in sorted(self._entries))
        return Journal(entries, tuple(self._closed), found, self.last.seq)

    def _take(self, row: Row, held: object) -> None:
        match held:
            case _Body():
                self._entries[row.number] = Entry(
                    held.id, row.number, row.at_wall, held.clock_known, held.by, held.draft
                )
            case Move() if row.number in self._entries:
                entry = self._entries[row.number]
                self._entries[row.number] = replace(entry, moves=(*entry.moves, held))
            case ClosedDay():
                self._closed.append(held)
            case _Forgotten():
                self._forgotten.update(held.numbers)
            case _ if row.what == "entry":
                empty = Entry("", row.number, row.at_wall, True, Author("", ""), None)
                self._entries[row.number] = empty

    def _open(self, row: Row, body: bytes) -> object:
        held = self._known.get(row.hash)
        if held is None:
            held = codec.decode(_SHAPES[row.what], json.loads(self._seal.unseal(body)))
        self.opened[row.hash] = held
        return held

    def _head(self, sealed: bytes | None) -> Head | None:
        if sealed is None:
            return None
        try:
            return codec.decode(Head, json.loads(self._seal.unseal(sealed)))
        except (DaybookError, ValueError):
            return None


def open_paper(path: str, seal: Seal) -> PaperStore:
    """Open or make the journal at *path*, readable by its owner only; raises DaybookError.

    A file that is no database any more is put aside, never deleted, and numbers go on from the
    next thousand, for those that were printed or written on paper must not come twice.
    """
    with in_words(NOT_WRITTEN):
        aside = _count_aside(path)
        connection, damaged = open_or_renew(path, _open, _put_aside)
    return PaperStore(connection, seal, first=(aside + damaged) * FRESH_NUMBERS + 1)


def _open(path: str) -> sqlite3.Connection:
    return open_db(path, _begin)


def _begin(connection: sqlite3.Connection) -> None:
    """Make the tables, or those that an older journal has not; its rows stay as they are."""
    if version_of(connection) < SCHEMA:
        text = schema("paper.sql")
        connection.executescript(f"BEGIN IMMEDIATE; {text} PRAGMA user_version = {SCHEMA}; COMMIT;")


def _count_aside(path: str) -> int:
    return len(list(Path(path).parent.glob(f"{Path(path).name}.damaged-*")))


def _put_aside(path: str) -> None:
    number = _count_aside(path) + 1
    for tail in TAILS:
        if Path(path + tail).exists():
            Path(path + tail).rename(f"{path}.damaged-{number}{tail}")


def _same_again(before: Entry, draft: Draft) -> Kept:
    """Tell a resend from a form that was changed after it had been kept; raises PaperError."""
    kept = before.draft
    if kept is not None and (kept.kind, kept.content) == (draft.kind, draft.content):
        return Kept(before, again=True)
    words = f"This form was kept already as {before.name}, with other words. Correct it there."
    raise PaperError(words)


def _replaced(journal: Journal, draft: Draft) -> Entry | None:
    if not draft.parent:
        return None
    parent = _known(journal, draft.parent)
    return parent if draft.replaces else None


def _known(journal: Journal, number: int) -> Entry:
    found = journal.entry(number)
    if found is None:
        raise PaperError(f"There is no {human(number)}.")
    return found


def _uuid7(wall: float) -> str:
    """Give a UUID of version 7 (RFC 9562): milliseconds first, then dice."""
    milliseconds = int(max(0.0, wall) * 1000) & ((1 << 48) - 1)
    low = (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | low))
