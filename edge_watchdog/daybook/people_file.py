"""The file behind people.py: one SQLite database, whole after a power cut.

Rows in and out; nothing is decided here.  Methods block and may be called from any thread.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge_watchdog.daybook import audit
from edge_watchdog.daybook.audit import Audit, Look
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
from edge_watchdog.daybook.seal import Seal, Unsealed
from edge_watchdog.daybook.tries import Lock, Try

SCHEMA = 1
NOT_KEPT = "who may see what could not be written to the box's disk"


class Role(StrEnum):
    """What a person is."""

    STAFF = "staff"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in; *secret* is the line that secret.py made."""

    id: int
    name: str
    role: Role
    secret: str


@dataclass(frozen=True, slots=True)
class Device:
    """A paired device; *token* is the hash of what it shows."""

    id: int
    name: str
    token: str
    paired_wall: float
    seen_wall: float


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in; *secure*: over a connection that others cannot read."""

    token: str
    person_id: int
    device_id: int | None
    secure: bool
    began_wall: float
    ends_wall: float


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept, beside the audit."""

    people: tuple[Person, ...]
    devices: tuple[Device, ...]
    sessions: tuple[Session, ...]
    tries: tuple[Try, ...]


class PeopleFile:
    """The open database; *damaged*: there was one that could not be used, and it was put aside."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal, *, damaged: bool) -> None:
        self._file = DbFile(connection, NOT_KEPT)
        self._seal = seal
        self.damaged = damaged

    def everything(self) -> Everything:
        """Give all that is kept."""
        with self._file.transaction() as db:
            return Everything(
                tuple(
                    Person(row["id"], row["name"], Role(row["role"]), row["secret"])
                    for row in db.execute("SELECT * FROM person ORDER BY id")
                ),
                tuple(Device(*row) for row in db.execute("SELECT * FROM device ORDER BY id")),
                tuple(
                    Session(row[0], row[1], row[2], bool(row[3]), row[4], row[5])
                    for row in db.execute("SELECT * FROM session")
                ),
                tuple(Try(row[0], Lock(row[1]), row[2]) for row in db.execute("SELECT * FROM try")),
            )

    def put_person(self, name: str, role: Role, secret: str) -> Person:
        """Add a person, or give the one of that name another secret and end their sessions."""
        with self._file.transaction() as db:
            db.execute(
                "INSERT INTO person (name, role, secret) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (name) DO UPDATE SET secret = ?3, role = ?2",
                (name, role, secret),
            )
            (number,) = db.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone()
            db.execute("DELETE FROM session WHERE person_id = ?", (number,))
        return Person(number, name, role, secret)

    def drop_person(self, number: int) -> None:
        """Forget a person; their sessions end."""
        self._run("DELETE FROM person WHERE id = ?", (number,))

    def put_device(self, name: str, token: str, wall: float) -> Device:
        """Add a paired device."""
        with self._file.transaction() as db:
            number = db.execute(
                "INSERT INTO device (name, token, paired_wall, seen_wall) VALUES (?, ?, ?, ?)",
                (name, token, wall, wall),
            ).lastrowid
        return Device(number or 0, name, token, wall, wall)

    def drop_device(self, number: int) -> None:
        """Forget a device; sessions on it end."""
        self._run("DELETE FROM device WHERE id = ?", (number,))

    def see_devices(self, seen: Sequence[tuple[float, int]]) -> None:
        """Note when devices were last seen: (wall, number) each."""
        with self._file.transaction() as db:
            db.executemany("UPDATE device SET seen_wall = ? WHERE id = ?", seen)

    def put_session(self, one: Session, instead_of: str) -> None:
        """Begin a session; the one with the token *instead_of* ends."""
        row = (one.token, one.person_id, one.device_id, int(one.secure))
        with self._file.transaction() as db:
            db.execute("DELETE FROM session WHERE token = ?", (instead_of,))
            db.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)",
                (*row, one.began_wall, one.ends_wall),
            )

    def drop_session(self, token: str) -> None:
        """End a session."""
        self._run("DELETE FROM session WHERE token = ?", (token,))

    def put_try(self, one: Try) -> None:
        """Note a try before its outcome is known: a restart must not forgive it."""
        self._run("INSERT INTO try VALUES (?, ?, ?)", (one.at_wall, one.lock, one.source))

    def drop_try(self, one: Try) -> None:
        """Forget a try that turned out right."""
        self._run(
            "DELETE FROM try WHERE rowid = (SELECT rowid FROM try "
            "WHERE at_wall = ? AND lock = ? AND source = ?)",
            (one.at_wall, one.lock, one.source),
        )

    def note(self, at_wall: float, look: Look) -> None:
        """Append to the audit."""
        with self._file.transaction() as db:
            audit.append(db, self._seal, at_wall, look)

    def audit(self) -> Audit:
        """Give the audit."""
        with self._file.transaction() as db:
            return audit.read(db, self._seal)

    def tidy(self, now_wall: float, tries: Sequence[Try]) -> None:
        """Forget sessions that are over, all tries but *tries*, and what is old in the audit."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM session WHERE ends_wall <= ?", (now_wall,))
            db.execute("DELETE FROM try")
            rows = [(one.at_wall, one.lock, one.source) for one in tries]
            db.executemany("INSERT INTO try VALUES (?, ?, ?)", rows)
            audit.prune(db, self._seal, now_wall - audit.KEPT_S)
        self._file.forget()

    def mend(self) -> None:
        """Take up an audit whose end cannot be read with this key; it then shows as not whole."""
        with self._file.transaction() as db:
            audit.mend(db, self._seal)

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        with self._file.transaction() as db:
            db.execute(statement, values)


def open_people(path: str, seal: Seal) -> PeopleFile:
    """Open or make the database at *path*, for its owner only; raises DaybookError.

    A damaged one is put aside as *path*.damaged and a new one begun, in which nobody is known.
    """
    with in_words(NOT_KEPT):
        connection, damaged = open_or_renew(path, _open, _put_aside)
    made = PeopleFile(connection, seal, damaged=damaged)
    made.mend()
    return made


def people_in_memory() -> PeopleFile:
    """Give a database that forgets everything at the end, for a box whose disk refuses."""
    return PeopleFile(_open(MEMORY), Unsealed(), damaged=False)


def _open(path: str) -> sqlite3.Connection:
    return open_db(path, _begin)


def _begin(connection: sqlite3.Connection) -> None:
    version = version_of(connection)
    if version == 0:
        tables = schema("people.sql")
        connection.executescript(f"BEGIN; {tables} PRAGMA user_version = {SCHEMA}; COMMIT;")
    elif version != SCHEMA:
        raise sqlite3.DatabaseError("of another version")


def _put_aside(path: str) -> None:
    Path(path).replace(f"{path}.damaged")
    drop(path)
