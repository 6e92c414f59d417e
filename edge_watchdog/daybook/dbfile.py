"""One SQLite file of this room: opened for its owner only, and written in whole transactions.

In: a path and what makes the tables.  The rule: what was acknowledged is on the disk, whole after a
power cut (WAL, synchronous=FULL); what was deleted is overwritten, in the log too once forget() was
called.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TypeVar

from edge_watchdog.daybook import DaybookError

BUSY_S = 10.0
MEMORY = ":memory:"
TAILS = ("", "-wal", "-shm")
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "journal_size_limit=1048576",
)

Made = TypeVar("Made")


class DbFile:
    """The open file.  Methods block; they may be called from any thread.

    What SQLite says becomes a DaybookError of *words* and the kind of error, without content.
    """

    def __init__(self, connection: sqlite3.Connection, words: str) -> None:
        self._connection = connection
        self._words = words
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Do all of it or nothing; committed when it ends.  Raises DaybookError."""
        with self._lock, in_words(self._words):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # some errors have rolled back already
                    self._connection.execute("ROLLBACK")
                raise

    def forget(self) -> None:
        """Empty the log: what was deleted may still stand in it.  Raises DaybookError."""
        with self._lock, in_words(self._words):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def open_db(path: str, begin: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    """Open or make the file at *path*, or MEMORY; *begin* makes its tables or refuses what it has.

    Raises OSError and sqlite3.Error: OperationalError when the disk refuses, another DatabaseError
    when the file is damaged.
    """
    if path != MEMORY:
        Path(path).touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _refuse_damaged(connection)
        begin(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_damaged(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("damaged")


def open_or_renew(
    path: str, open_it: Callable[[str], Made], put_aside: Callable[[str], None]
) -> tuple[Made, bool]:
    """Give what is opened at *path*, and whether what stood there had to be put aside for it.

    A disk that refuses is no damage: raises OSError and sqlite3.Error.
    """
    try:
        return open_it(path), False
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, DaybookError):
        put_aside(path)
    return open_it(path), True


def drop(path: str) -> None:
    """Delete the file at *path* with its log."""
    for tail in TAILS:
        Path(path + tail).unlink(missing_ok=True)


def version_of(connection: sqlite3.Connection) -> int:
    """Give the number of its schema, 0 when there is none."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema(name: str) -> str:
    """Give the text of one of this room's schemas."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@contextlib.contextmanager
def in_words(words: str) -> Iterator[None]:
    """Turn what SQLite says, or a row that cannot be read, into *words* without its content."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:  # CodecError is a ValueError
        raise DaybookError(f"{words} ({type(error).__name__})") from None
