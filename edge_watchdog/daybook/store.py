"""The day book's memory: whole snapshots in SQLite, replaced in one transaction or not at all.

A power cut at any point leaves the last complete snapshot.  The last three of each source are kept;
what is over is deleted and overwritten.  What names a client is sealed before it is written.
"""

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import date, timedelta

from edge_watchdog.core import codec
from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.dbfile import (
    MEMORY,
    DbFile,
    drop,
    in_words,
    open_db,
    open_or_renew,
    schema,
    version_of,
)
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.seal import Seal, Unsealed

GENERATIONS = 3
SCHEMA = 2
PROOF = b"daybook"
NOT_KEPT = "the day could not be written to the box's disk"


@dataclass(frozen=True, slots=True)
class Drop:
    """On *day* the calendar went from *before* to *after* entries."""

    day: date
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One complete reading of one source.

    *asked* is when the request was sent, *as_of* the same less the answer's age.  *drops* are large
    losses against the snapshot before: in a held one they are why, else they were confirmed.
    """

    source: str
    span: Span
    as_of: Stamp
    asked: Stamp
    token: str
    digest: str
    reading: Reading
    drops: tuple[Drop, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the last look at a source failed, in words, and when the first such look was."""

    words: str
    since: Stamp


class Store:
    """The open database.  Methods block; they may be called from any thread.

    *damaged*: what was kept could not be used, for whatever reason, and was begun anew.
    """

    def __init__(self, connection: sqlite3.Connection, seal: Seal, *, damaged: bool) -> None:
        self._file = DbFile(connection, NOT_KEPT)
        self._seal = seal
        self.damaged = damaged

    def good(self, source: str) -> Snapshot | None:
        """Give the newest believed snapshot of *source*."""
        return self._newest(source, held=False)

    def held(self, source: str) -> Snapshot | None:
        """Give the snapshot that waits for a second look."""
        return self._newest(source, held=True)

    def trouble(self, source: str) -> Trouble | None:
        """Give the last look's problem, None when it went well."""
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT words, at_wall, at_mono, boot_id FROM problem WHERE source = ?", (source,)
            ).fetchone()
        return row and Trouble(row[0], Stamp(Instant(row[2], row[1]), row[3]))

    def keep(self, snapshot: Snapshot) -> Snapshot:
        """Make *snapshot* the believed one of its source; gives it with its id."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM snapshot WHERE source = ? AND held = 1", (snapshot.source,))
            kept = _insert(db, snapshot, self._sealed(snapshot.reading), held=False)
            db.execute(
                "DELETE FROM snapshot WHERE source = ?1 AND id NOT IN "
                "(SELECT id FROM snapshot WHERE source = ?1 ORDER BY id DESC LIMIT ?2)",
                (snapshot.source, GENERATIONS),
            )
            db.execute("DELETE FROM problem WHERE source = ?", (snapshot.source,))
        return kept

    def hold(self, snapshot: Snapshot) -> Snapshot:
        """Put *snapshot* aside until a second look agrees; the believed one stays."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM snapshot WHERE source = ? AND held = 1", (snapshot.source,))
            kept = _insert(db, snapshot, self._sealed(snapshot.reading), held=True)
            db.execute("DELETE FROM problem WHERE source = ?", (snapshot.source,))
        return kept

    def confirm(self, snapshot: Snapshot) -> None:
        """Note that the snapshot with this id was seen unchanged at its *as_of*."""
        with self._file.transaction() as db:
            db.execute(
                "UPDATE snapshot SET as_of_wall = ?, as_of_mono = ?, asked_wall = ?, "
                "asked_mono = ?, boot_id = ?, token = ?, digest = ? WHERE id = ?",
                (*_stamps(snapshot), snapshot.token, snapshot.digest, snapshot.id),
            )
            db.execute("DELETE FROM snapshot WHERE source = ? AND held = 1", (snapshot.source,))
            db.execute("DELETE FROM problem WHERE source = ?", (snapshot.source,))

    def note(self, source: str, trouble: Trouble) -> None:
        """Remember why the last look failed."""
        at = trouble.since.at
        with self._file.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO problem VALUES (?, ?, ?, ?, ?)",
                (source, trouble.words, at.wall, at.mono, trouble.since.boot_id),
            )

    def purge(self, sources: tuple[str, ...], now_wall: float, retention_s: float) -> None:
        """Delete days that ended more than *retention_s* ago, and sources configured no more.

        A snapshot of several days loses those that are over, with the clients nobody needs then.
        """
        marks = ", ".join("?" * len(sources))
        strange = f"source NOT IN ({marks})"
        with self._file.transaction() as db:
            db.execute(f"DELETE FROM snapshot WHERE {strange}", sources)  # noqa: S608 - only marks
            db.execute(f"DELETE FROM problem WHERE {strange}", sources)  # noqa: S608 - as above
            for row in db.execute("SELECT * FROM snapshot").fetchall():
                self._shorten(db, row, now_wall - retention_s)
        self._file.forget()

    def _shorten(self, db: sqlite3.Connection, row: sqlite3.Row, before_wall: float) -> None:
        span = _span(row)
        ends = [span.midnight(day + timedelta(days=1)) for day in span.dates]
        over = [end for end in ends if end <= before_wall]
        if len(over) == len(ends):
            db.execute("DELETE FROM snapshot WHERE id = ?", (row["id"],))
        elif over:
            whole = self._unsealed(row["body"])
            less = without_past(whole, over[-1])
            if less != whole:
                body = (self._sealed(less), row["id"])
                db.execute("UPDATE snapshot SET body = ? WHERE id = ?", body)

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def _newest(self, source: str, *, held: bool) -> Snapshot | None:
        with self._file.transaction() as db:
            row = db.execute(
                "SELECT * FROM snapshot WHERE source = ? AND held = ? ORDER BY id DESC LIMIT 1",
                (source, int(held)),
            ).fetchone()
            return row and _snapshot(row, self._unsealed(row["body"]))

    def _sealed(self, reading: Reading) -> bytes:
        body = json.dumps(codec.encode(reading), separators=(",", ":"), ensure_ascii=False)
        return self._seal.seal(body.encode())

    def _unsealed(self, body: bytes) -> Reading:
        return codec.decode(Reading, json.loads(self._seal.unseal(body)))


def without_past(reading: Reading, wall: float) -> Reading:
    """Give *reading* without what ended by *wall*, and without clients that nothing points to."""
    kept = tuple(a for a in reading.appointments if max(a.end_wall, a.start_wall + 1) > wall)
    needed = {a.client_key for a in kept} | {p.client_key for a in kept for p in a.attendees}
    clients = tuple(one for one in reading.clients if one.key in needed)
    return replace(reading, appointments=kept, clients=clients)


def open_store(path: str, seal: Seal) -> Store:
    """Open or make the database at *path*, readable by its owner only; raises DaybookError.

    One that is damaged, of another version or sealed with another key is deleted and a new one
    begun: it is a copy that the next fetch fills, and a file nobody can read helps nobody.
    """
    with in_words(NOT_KEPT):
        connection, damaged = open_or_renew(path, lambda at: _open(at, seal), drop)
    return Store(connection, seal, damaged=damaged)


def memory_store() -> Store:
    """Give a store that forgets everything at the end, for a box whose disk refuses."""
    seal = Unsealed()
    return Store(_open(MEMORY, seal), seal, damaged=False)


def _open(path: str, seal: Seal) -> sqlite3.Connection:
    """Open the database; raises sqlite3.Error, and DaybookError when the key is not its own."""
    return open_db(path, lambda connection: _begin(connection, seal))


def _begin(connection: sqlite3.Connection, seal: Seal) -> None:
    """Make the tables where there are none, else prove that the key fits."""
    version = version_of(connection)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and version != SCHEMA:
        raise sqlite3.DatabaseError("of another version")
    proof = connection.execute("SELECT body FROM proof").fetchone() if tables else None
    if proof is not None:
        seal.unseal(proof["body"])
        return
    text = schema("schema.sql")
    connection.executescript(f"BEGIN; {text} PRAGMA user_version = {SCHEMA}; COMMIT;")
    connection.execute("INSERT INTO proof VALUES (1, ?)", (seal.seal(PROOF),))


def _insert(db: sqlite3.Connection, snapshot: Snapshot, body: bytes, *, held: bool) -> Snapshot:
    span = snapshot.span
    drops = json.dumps([[d.day.isoformat(), d.before, d.after] for d in snapshot.drops])
    number = db.execute(
        "INSERT INTO snapshot VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(snapshot.source, int(held), span.first.isoformat(), span.days, span.zone),
            *_stamps(snapshot),
            *(snapshot.token, snapshot.digest, drops, body),
        ),
    ).lastrowid
    return replace(snapshot, id=number or 0)


def _stamps(snapshot: Snapshot) -> tuple[float, float, float, float, str]:
    as_of, asked = snapshot.as_of.at, snapshot.asked.at
    return as_of.wall, as_of.mono, asked.wall, asked.mono, snapshot.asked.boot_id


def _span(row: sqlite3.Row) -> Span:
    return Span(date.fromisoformat(row["first_day"]), row["days"], row["zone"])


def _snapshot(row: sqlite3.Row, reading: Reading) -> Snapshot:
    boot_id = row["boot_id"]
    return Snapshot(
        source=row["source"],
        span=_span(row),
        as_of=Stamp(Instant(row["as_of_mono"], row["as_of_wall"]), boot_id),
        asked=Stamp(Instant(row["asked_mono"], row["asked_wall"]), boot_id),
        token=row["token"],
        digest=row["digest"],
        reading=reading,
        drops=tuple(Drop(date.fromisoformat(d), b, a) for d, b, a in json.loads(row["dropped"])),
        id=row["id"],
    )
