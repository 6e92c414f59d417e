"""What stands in the file.  Everything in here blocks and belongs on the journal's own thread.

In: batches, each written whole or not at all.  Out: what was written.  The rule: a file that cannot
be used is never a reason to stop.
"""

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from edge_watchdog.core.actions import Action
from edge_watchdog.core.codec import CodecError, decode, decode_one_of, encode
from edge_watchdog.core.events import Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import IncidentView, Stretch
from edge_watchdog.journal.dbfile import SCHEMA, begin, find_fault, is_damage, move_aside, open_file
from edge_watchdog.journal.errors import JournalError
from edge_watchdog.journal.ring import Row

RAW_DAYS = 30
KEPT_DAYS = 400
RAW_BYTES = 200 << 20
MEMORY_BYTES = 8 << 20  # when there is no file
PRUNE_ROWS = 2000  # in one go: a long delete would keep a decision waiting
RECORDING_ROWS = 100_000
DAY_S = 86400.0
LOST = "Its end was not recorded: the watch was not running."

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Mark(Generic[S]):
    """A state and the number of an event: the one after it (a span) or the last in it (latest)."""

    seq: int
    state: S
    at: Instant


@dataclass(frozen=True, slots=True)
class Batch(Generic[S]):
    """What is written in one transaction; *incidents* come with where their recording begins."""

    rows: tuple[Row, ...] = ()
    span: Mark[S] | None = None
    latest: Mark[S] | None = None
    incidents: tuple[tuple[IncidentView, int | None], ...] = ()
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """Where the last run stopped: fold *events* into *state* to be there."""

    state: S
    events: tuple[Event, ...]
    boot_id: str


@dataclass(frozen=True, slots=True)
class Recording(Generic[S]):
    """A piece of the past: the state before *events*, and what each of them led to.

    *complete* is False when the record stops before the incident does.
    """

    state: S
    events: tuple[Event, ...]
    decisions: tuple[tuple[Action, ...], ...]
    complete: bool = True


class Store(Generic[S]):
    """An open file."""

    def __init__(self, db: sqlite3.Connection, decode_state: Callable[[object], S]) -> None:
        self._db = db
        self._decode_state = decode_state
        self._path = Path()
        self._boot_id = ""
        self.note = ""
        self.in_memory = False
        self.life = 1
        self.raw_bytes = RAW_BYTES
        self.last_seq = 0
        self.last_wall = 0.0  # when an earlier run last wrote its state

    @classmethod
    def open(cls, path: Path, *, boot_id: str, decode_state: Callable[[object], S]) -> "Store[S]":
        """Open *path*, or begin a new file there, or else go on in memory; never fails.

        *note* says in a sentence what was wrong, "" when nothing was.
        """
        store = cls(sqlite3.connect(":memory:", isolation_level=None), decode_state)
        store._path = path
        store._boot_id = boot_id
        store._open_somehow()
        return store

    @classmethod
    def read_only(cls, path: Path, decode_state: Callable[[object], S]) -> "Store[S]":
        """Open *path* to read it; raises JournalError or sqlite3.Error."""
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA:
            db.close()
            raise JournalError(f"{path} has schema {version}, this version reads {SCHEMA}")
        return cls(db, decode_state)

    def _open_somehow(self, spoilt: str = "") -> None:
        """Open the file, or another in its place; *spoilt* says why it cannot be this one."""
        self._db.close()
        try:
            spoilt = spoilt or find_fault(self._path)
            if spoilt:
                aside = move_aside(self._path)
                self.note = f"The journal {spoilt}; it was kept as {aside}, and a new one begun."
            self._db = open_file(self._path)
        except (sqlite3.Error, OSError) as error:
            self.note = f"The journal cannot be kept ({error}); what happens is in memory only."
            self.in_memory = True
            self.raw_bytes = MEMORY_BYTES
            self._db = begin(sqlite3.connect(":memory:", isolation_level=None))

    def load(self) -> Loaded[S] | None:
        """Read where the last run stopped, and number on from there; None when there is nothing."""
        row = self._db.execute("SELECT seq, life, boot_id, wall, state FROM latest").fetchone()
        (newest,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
        self.last_seq = max(newest, row[0] if row else 0) + 1  # the gap parts the runs
        (lives,) = self._db.execute("SELECT coalesce(max(life), 0) FROM incident").fetchone()
        self.life = lives + 1
        if row is None:
            return None
        seq, life, boot_id, self.last_wall, blob = row
        try:
            state = self._decode_state(_unpack(blob))
            events = tuple(row.event for row in self._rows_from(seq + 1))
        except (CodecError, JournalError) as error:
            self.life = max(life, lives) + 1
            self.note = f"The last state is from another version and was not used ({error})."
            return None
        self.life = life
        return Loaded(state, events, boot_id)

    def write(self, batch: Batch[S]) -> None:
        """Write *batch*, whole or not at all; raises JournalError."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._put(batch)
                self._db.execute("COMMIT")
            except sqlite3.Error:
                with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back itself
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            if is_damage(error) and not self.in_memory:
                self._open_somehow("was found damaged")
            raise JournalError(str(error)) from error

    def _put(self, batch: Batch[S]) -> None:
        run = self._db.execute
        if batch.span is not None:
            mark = batch.span
            values = (mark.seq, self._boot_id, mark.at.wall, _pack(mark.state))
            run("INSERT OR IGNORE INTO span VALUES (?, ?, ?, ?)", values)
        self._db.executemany(
            "INSERT OR IGNORE INTO event VALUES (?, ?)",
            ((row.seq, _pack([row.event, row.actions])) for row in batch.rows),
        )
        if batch.latest is not None:
            mark = batch.latest
            body = (mark.seq, self.life, self._boot_id, mark.at.wall, _pack(mark.state))
            run("INSERT OR REPLACE INTO latest VALUES (1, ?, ?, ?, ?, ?)", body)
        for view, first_seq in batch.incidents:
            self._put_incident(view, first_seq)
        self._db.executemany(
            "INSERT OR REPLACE INTO stretch VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (s.start_wall, s.uplink, s.seconds, s.health, s.active, s.loss_ratio, s.rtt_s)
                for s in batch.stretches
            ),
        )

    def _put_incident(self, view: IncidentView, first_seq: int | None) -> None:
        body = json.dumps(encode(view), ensure_ascii=False)
        self._db.execute(
            "INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (life, id) DO UPDATE SET"
            " opened_wall = excluded.opened_wall, resolved_wall = excluded.resolved_wall,"
            " first_seq = coalesce(first_seq, excluded.first_seq), body = excluded.body",
            (self.life, view.id, view.opened_wall, view.resolved_wall, first_seq, body),
        )

    def end_lost(self, known: Sequence[int], wall: float) -> None:
        """End all open incidents but those numbered *known*: nobody will hear of them again.

        *wall* is when somebody watched last.
        """
        for life, number, body in self._db.execute(
            "SELECT life, id, body FROM incident WHERE resolved_wall IS NULL"
        ).fetchall():
            if life == self.life and number in known:
                continue
            view = decode(IncidentView, json.loads(body))
            end = max(wall, view.opened_wall)
            view = replace(view, resolved_wall=end, because=(*view.because, LOST))
            self._db.execute(
                "UPDATE incident SET resolved_wall = ?, body = ? WHERE life = ? AND id = ?",
                (end, json.dumps(encode(view), ensure_ascii=False), life, number),
            )

    def incidents(self, from_wall: float = 0.0, limit: int = 1000) -> tuple[IncidentView, ...]:
        """Give the incidents that were open at *from_wall* or opened since, newest first."""
        rows = self._db.execute(
            "SELECT body FROM incident WHERE coalesce(resolved_wall, 1e18) >= ?"
            " ORDER BY opened_wall DESC, id DESC LIMIT ?",
            (from_wall, limit),
        )
        return tuple(decode(IncidentView, json.loads(body)) for (body,) in rows)

    def stretches(self, from_wall: float, to_wall: float) -> tuple[Stretch, ...]:
        """Give the stretches that end after *from_wall* and begin before *to_wall*."""
        rows = self._db.execute(
            "SELECT uplink, start_wall, seconds, health, active, loss_ratio, rtt_s FROM stretch"
            " WHERE start_wall > ? - 400 AND start_wall + seconds > ? AND start_wall < ?"
            " ORDER BY start_wall",
            (from_wall, from_wall, to_wall),
        )
        names = ("uplink", "start_wall", "seconds", "health", "active", "loss_ratio", "rtt_s")
        return tuple(
            decode(Stretch, {**dict(zip(names, row, strict=True)), "active": bool(row[4])})
            for row in rows
        )

    def recording(self, incident: int) -> Recording[S]:
        """Give the record of *incident*; raises JournalError when there is none (any more)."""
        row = self._db.execute(
            "SELECT first_seq, resolved_wall FROM incident WHERE id = ? ORDER BY life DESC LIMIT 1",
            (incident,),
        ).fetchone()
        if row is None:
            raise JournalError(f"there is no incident {incident}")
        first_seq, resolved_wall = row
        blob = self._db.execute("SELECT state FROM span WHERE first_seq = ?", (first_seq,))
        found = blob.fetchone()
        if found is None:
            raise JournalError(
                f"the events of incident {incident} are not kept (they are for {RAW_DAYS} days)"
            )
        try:
            state = self._decode_state(_unpack(found[0]))
        except CodecError as error:
            raise JournalError(f"incident {incident} is from another version: {error}") from error
        rows = tuple(self._rows_from(first_seq))
        last_wall = rows[-1].event.at.wall if rows else 0.0
        return Recording(
            state,
            tuple(row.event for row in rows),
            tuple(row.actions for row in rows),
            complete=resolved_wall is not None and last_wall >= resolved_wall,
        )

    def _rows_from(self, seq: int) -> Iterator[Row]:
        """Give the events from number *seq* on until the first gap."""
        query = "SELECT seq, body FROM event WHERE seq >= ? ORDER BY seq LIMIT ?"
        for number, (found, blob) in enumerate(self._db.execute(query, (seq, RECORDING_ROWS)), seq):
            if found != number:
                return
            try:
                yield _row(number, _unpack(blob))
            except CodecError as error:
                raise JournalError(f"event {number} is from another version: {error}") from error

    def prune(self, now_wall: float) -> None:
        """Forget a little of what is too old: events after 30 days, the rest after 400."""
        run = self._db.execute
        (keep,) = run(
            "SELECT coalesce((SELECT min(first_seq) FROM span WHERE wall >= ?),"
            " (SELECT max(seq) + 1 FROM event))",
            (now_wall - RAW_DAYS * DAY_S,),
        ).fetchone()
        if self._bytes() > self.raw_bytes:
            second = run(
                "SELECT first_seq FROM span ORDER BY first_seq LIMIT 1 OFFSET 1"
            ).fetchone()
            keep = max(keep or 0, second[0]) if second else keep
        if keep is not None:
            run("DELETE FROM span WHERE first_seq < ?", (keep,))
            run(
                "DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq < ? LIMIT ?)",
                (keep, PRUNE_ROWS),
            )
        oldest = now_wall - KEPT_DAYS * DAY_S
        run("DELETE FROM incident WHERE opened_wall < ? AND resolved_wall IS NOT NULL", (oldest,))
        run("DELETE FROM stretch WHERE start_wall < ?", (oldest,))

    def _bytes(self) -> int:
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def close(self) -> None:
        """Fold the write-ahead log in and close."""
        with contextlib.suppress(sqlite3.Error):  # the log is folded in at the next start then
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def _pack(value: object) -> bytes:
    return zlib.compress(json.dumps(encode(value), separators=(",", ":")).encode())


def _unpack(blob: bytes) -> object:
    try:
        return json.loads(zlib.decompress(blob))
    except (zlib.error, ValueError) as error:
        raise CodecError(f"not readable: {error}") from error


def _row(number: int, data: object) -> Row:
    if not isinstance(data, list) or len(data) != 2 or not isinstance(data[1], list):
        raise CodecError("not an event and its actions")
    event = decode_one_of(Event, data[0])
    actions = [decode_one_of(Action, one) for one in data[1]]
    if not isinstance(event, Event):
        raise CodecError("not an event")
    return Row(number, event, tuple(a for a in actions if isinstance(a, Action)))
