"""The database file: opened, checked, begun anew.

In: a path.  Out: a connection.  The rule: a file that is damaged or from a newer version is moved
aside, never deleted.

WAL with synchronous=NORMAL: a commit survives the end of the process in any form (kill -9), because
it is in the kernel's hands; a power cut may lose what the kernel had not yet put on the disk (about
half a minute), and never damages the file.
"""

import contextlib
import sqlite3
from importlib import resources
from pathlib import Path

SCHEMA = 1
CHECKED_BYTES = 16 << 20  # a larger file is not read whole at every start
ASIDE = 3  # spoilt files that are kept


def find_fault(path: Path) -> str:
    """Say why the file at *path* cannot be used; "" when it can, or when there is none.

    Raises sqlite3.Error and OSError when it cannot even be opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        try:
            return _fault(db, path)
        except sqlite3.Error as error:
            if is_damage(error):
                return "is damaged"
            raise


def _fault(db: sqlite3.Connection, path: Path) -> str:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version > SCHEMA:
        return f"is from a newer version (schema {version}, known: {SCHEMA})"
    if tables and version < SCHEMA:
        return "is not a journal of this program"
    if path.stat().st_size <= CHECKED_BYTES:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        return "" if verdict == "ok" else "is damaged"
    return ""


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make the file; raises sqlite3.Error, also when it cannot be written."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        return begin(db)
    except sqlite3.Error:
        db.close()
        raise


def begin(db: sqlite3.Connection) -> sqlite3.Connection:
    """Set *db* up, with empty tables when it has none; raises sqlite3.Error."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA journal_size_limit = 4194304")
    db.execute("PRAGMA busy_timeout = 2000")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0:
        schema = resources.files("edge_watchdog.journal").joinpath("schema.sql").read_text("utf-8")
        db.executescript(f"BEGIN; {schema} COMMIT;")
    else:
        db.execute("BEGIN IMMEDIATE")  # finds out now whether the file can be written
        db.execute("ROLLBACK")
    return db


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether *error* means that the file itself is spoilt."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def move_aside(path: Path) -> str:
    """Rename the file and its log; give the new name.  The oldest of several is overwritten."""
    names = [path.with_name(f"{path.name}.aside{n}") for n in range(1, ASIDE + 1)]
    free = [name for name in names if not name.exists()]
    aside = free[0] if free else min(names, key=lambda name: name.stat().st_mtime)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.with_name(path.name + "-wal").replace(aside.with_name(aside.name + "-wal"))
    path.replace(aside)
    return aside.name
