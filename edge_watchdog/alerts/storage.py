"""The outbox's file: one SQLite database, written on a thread of its own.

synchronous=FULL: an alert that was accepted outlives a power cut; there are few of them.  A file
that cannot be used is moved aside, a disk that fails leaves the outbox in memory and says so.
"""

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import TypeVar

from edge_watchdog.alerts.slots import Slot, Told
from edge_watchdog.core.actions import Alert
from edge_watchdog.core.codec import CodecError, decode, encode

SCHEMA = 1
COLUMNS = "channel, incident, told, seq, version, attempts, queued_wall, first, alert, last"

R = TypeVar("R")

log = logging.getLogger(__name__)


class Storage:
    """*problem* says in a sentence what is wrong with the file, "" = nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._db: sqlite3.Connection | None = None
        self.problem = ""

    async def load(self) -> tuple[Slot, ...]:
        """Give what was kept."""
        return await self._do(self._load, ())

    async def save(self, slots: Sequence[Slot], gone: Sequence[tuple[str, int]] = ()) -> None:
        """Write *slots* and forget *gone*, together; committed when this returns, or *problem*."""
        if slots or gone:
            await self._do(lambda: self._save(slots, gone), None)

    async def close(self) -> None:
        """Close the file."""
        await self._do(self._close, None)
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], R], otherwise: R) -> R:
        loop = asyncio.get_running_loop()
        try:
            done = await asyncio.shield(loop.run_in_executor(self._thread, work))
        except (sqlite3.Error, OSError) as error:
            if not self.problem:
                log.error("outbox: cannot be kept: %s", error)  # noqa: TRY400 - it says all
            self.problem = (
                f"Alerts cannot be kept on the disk ({error}); a restart would lose them."
            )
            return otherwise
        self.problem = ""
        return done

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._db = _open(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                log.warning("outbox: %s is not usable (%s), moved aside", self._path, error)
                _move_aside(self._path)
                self._db = _open(self._path)
        return self._db

    def _load(self) -> tuple[Slot, ...]:
        rows = self._open().execute(f"SELECT {COLUMNS} FROM slot").fetchall()  # noqa: S608 - constant
        slots = []
        for row in rows:
            try:
                slots.append(_slot(row))
            except (CodecError, ValueError) as error:
                log.warning("outbox: an alert of another version was dropped: %s", error)
        return tuple(slots)

    def _save(self, slots: Sequence[Slot], gone: Sequence[tuple[str, int]]) -> None:
        db = self._open()
        db.execute("BEGIN IMMEDIATE")
        try:
            places = ", ".join("?" * 10)
            db.executemany(
                f"INSERT OR REPLACE INTO slot ({COLUMNS}) VALUES ({places})",  # noqa: S608 - constant
                [_row(slot) for slot in slots],
            )
            db.executemany("DELETE FROM slot WHERE channel = ? AND incident = ?", gone)
            db.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back itself
                db.execute("ROLLBACK")
            raise

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if version > SCHEMA or (tables and version < SCHEMA):
            raise sqlite3.DatabaseError(f"schema {version}, known: {SCHEMA}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version == 0:
            folder = resources.files("edge_watchdog.alerts")
            schema = folder.joinpath("schema.sql").read_text("utf-8")
            db.executescript(f"BEGIN; {schema} COMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _move_aside(path: Path) -> None:
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.replace(path.with_name(path.name + ".aside"))


def _row(slot: Slot) -> tuple[object, ...]:
    texts = (_text(slot.first), _text(slot.alert), _text(slot.last))
    return (
        slot.channel, slot.incident, slot.told.value, slot.seq, slot.version, slot.attempts,
        slot.queued_wall, *texts,
    )  # fmt: skip


def _text(alert: Alert | None) -> str | None:
    return None if alert is None else json.dumps(encode(alert), ensure_ascii=False)


def _slot(row: Sequence[object]) -> Slot:
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    alerts = {name: _alert(values[name]) for name in ("first", "alert", "last")}
    data = {name: value for name, value in values.items() if name not in alerts}
    plain = {**data, **{name: None if one is None else encode(one) for name, one in alerts.items()}}
    return decode(Slot, {**plain, "told": Told(str(values["told"])).value})


def _alert(text: object) -> Alert | None:
    return None if text is None else decode(Alert, json.loads(str(text)))
