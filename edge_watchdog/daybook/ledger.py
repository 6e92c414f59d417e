"""How many requests each source has had, on disk: a restart must not forget what a vendor counts.

What a source may still be asked goes in before a request is sent, and comes out at the next start.
The rule: noted first, sent then; a crash at any instant leaves one request too many in the book,
never one too few.  No name of a client and no address of a source stands here.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import aiohttp

from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.freshness import Now, Stamp

BUSY_S = 5.0
MEMORY = ":memory:"
NOT_NOTED = (
    "the box's disk does not take down how often the source was asked, so it is not asked now"
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
    source      TEXT PRIMARY KEY,   -- its name in the configuration
    left_over   REAL NOT NULL,      -- requests that could be sent then; below 0 when overdrawn
    at_wall     REAL NOT NULL,      -- seconds since 1970, UTC
    at_mono     REAL NOT NULL,      -- seconds of the boot clock
    boot_id     TEXT NOT NULL,
    a_look      INTEGER NOT NULL    -- requests that the last whole look took
) STRICT
"""
Pay = Callable[[], Awaitable[None]]
_PAY: ContextVar[Pay | None] = ContextVar("pay", default=None)


@dataclass(frozen=True, slots=True)
class Balance:
    """What was left of a source's requests at *at*; *a_look* is what one look takes."""

    left: float
    at: Stamp
    a_look: int = 1

    def idle_s(self, now: Now) -> float:
        """Give for how long nothing was asked since; 0.0 when that cannot be known.

        A clock that is not set stands behind, as a rule: then too little is earned, never too much.
        """
        return self.at.age_s(now) or 0.0


class Ledger:
    """The open file.  Methods block; they may be called from any thread.

    *remembers*: a balance that is not here was never noted, rather than lost.
    """

    def __init__(self, connection: sqlite3.Connection, *, remembers: bool) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.remembers = remembers

    def balance(self, source: str) -> Balance | None:
        """Give what is noted of *source*; raises DaybookError."""
        with self._lock, _as_daybook_error():
            row = self._connection.execute(
                "SELECT left_over, at_wall, at_mono, boot_id, a_look FROM asked WHERE source = ?",
                (source,),
            ).fetchone()
        return row and Balance(row[0], Stamp(Instant(row[2], row[1]), row[3]), row[4])

    def note(self, source: str, balance: Balance) -> None:
        """Note it; it is on the disk when this returns.  Raises DaybookError."""
        at = balance.at.at
        row = (source, balance.left, at.wall, at.mono, balance.at.boot_id, balance.a_look)
        with self._lock, _as_daybook_error():
            self._connection.execute("INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def open_ledger(path: str) -> Ledger:
    """Open or make the file; one that is damaged is begun anew, and remembers nothing.

    Raises DaybookError when the disk refuses.
    """
    with _as_daybook_error():
        try:
            return Ledger(_open(path), remembers=True)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            for tail in ("", "-wal", "-shm"):
                Path(path + tail).unlink(missing_ok=True)
        return Ledger(_open(path), remembers=False)


def memory_ledger(*, remembers: bool = True) -> Ledger:
    """Give one that is forgotten at the end; *remembers* False for a box whose disk refuses."""
    return Ledger(_open(MEMORY), remembers=remembers)


@contextlib.contextmanager
def paying(pay: Pay) -> Iterator[None]:
    """Have *pay* called before each request that is sent within; what it raises stops it."""
    token = _PAY.set(pay)
    try:
        yield
    finally:
        _PAY.reset(token)


def tollgate() -> list[aiohttp.TraceConfig]:
    """Give what makes a web session pay for each of its requests."""
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_toll)
    return [trace]


async def _toll(_session: aiohttp.ClientSession, _context: SimpleNamespace, _about: object) -> None:
    pay = _PAY.get()
    if pay is not None:
        await pay()


def _open(path: str) -> sqlite3.Connection:
    if path != MEMORY:
        Path(path).touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "journal_size_limit=65536"):
            connection.execute(f"PRAGMA {pragma}")
        _refuse_damaged(connection)
        connection.execute(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_damaged(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("damaged")


@contextlib.contextmanager
def _as_daybook_error() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError):
        raise DaybookError(NOT_NOTED, requests=0) from None
