"""Who looked at what: an append-only list, chained by hashes, kept for ninety days.

Looks go in; the owner reads the list and learns whether a row was changed or taken out.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.seal import Seal

KEPT_S = 90 * 86400.0
SHOWN = 500
BEGIN = "0" * 64


@dataclass(frozen=True, slots=True)
class Look:
    """Who did what; *subject* is a client's key, a range of days or a device, never a name."""

    person: str
    device: str
    screen: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One look, with its number and time (seconds since 1970)."""

    number: int
    at_wall: float
    look: Look


@dataclass(frozen=True, slots=True)
class Audit:
    """The newest entries first; *whole*: the list is as it was written."""

    entries: tuple[Entry, ...]
    whole: bool


def append(db: sqlite3.Connection, seal: Seal, at_wall: float, look: Look) -> None:
    """Add *look* at the end; inside a transaction of the caller."""
    begin, number, digest = _ends(db, seal)
    number += 1
    digest = _digest(digest, number, at_wall, look)
    row = (number, at_wall, look.person, look.device, look.screen, look.subject, digest)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    _put_ends(db, seal, (begin, number, digest))


def prune(db: sqlite3.Connection, seal: Seal, before_wall: float) -> None:
    """Delete what is older, remembering where the chain begins now; in the caller's transaction.

    Only a beginning of the list goes: a row dated wrongly in its middle waits for its turn.
    """
    first_kept = db.execute(
        "SELECT min(number) FROM audit WHERE at_wall >= ?", (before_wall,)
    ).fetchone()[0]
    last_gone = db.execute(
        "SELECT digest FROM audit WHERE number < ? ORDER BY number DESC LIMIT 1",
        (first_kept if first_kept is not None else 2**62,),
    ).fetchone()
    if last_gone is None:
        return
    _, number, digest = _ends(db, seal)
    db.execute("DELETE FROM audit WHERE number < ?", (first_kept or 2**62,))
    _put_ends(db, seal, (last_gone[0], number, digest))


def read(db: sqlite3.Connection, seal: Seal) -> Audit:
    """Give the newest entries, and whether all of them are there and unchanged."""
    rows = db.execute("SELECT * FROM audit ORDER BY number").fetchall()
    entries = [Entry(row[0], row[1], Look(*row[2:6])) for row in rows]
    try:
        begin, number, digest = _ends(db, seal)
    except DaybookError:
        return Audit(tuple(reversed(entries[-SHOWN:])), whole=False)
    return Audit(
        tuple(reversed(entries[-SHOWN:])),
        _is_whole(rows, begin) == digest and (not rows or rows[-1][0] == number),
    )


def mend(db: sqlite3.Connection, seal: Seal) -> None:
    """Go on after a list whose end cannot be read; it is "not whole" until its rows are gone."""
    last = db.execute("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1").fetchone()
    try:
        known = _ends(db, seal)
    except DaybookError:
        known = None
    if known is None or (last is not None and last[0] > known[1]):
        number, digest = (last[0], last[1]) if last else (0, BEGIN)
        _put_ends(db, seal, ("another key", number, digest))


def _is_whole(rows: Sequence[sqlite3.Row], begin: str) -> str:
    """Give the digest that the chain ends with, "" when a row does not fit the one before it."""
    digest, number = begin, None
    for row in rows:
        if number is not None and row[0] != number + 1:
            return ""
        number = row[0]
        digest = _digest(digest, row[0], row[1], Look(*row[2:6]))
        if digest != row[6]:
            return ""
    return digest


def _digest(before: str, number: int, at_wall: float, look: Look) -> str:
    row = [before, number, at_wall, look.person, look.device, look.screen, look.subject]
    return hashlib.sha256(json.dumps(row).encode()).hexdigest()


def _ends(db: sqlite3.Connection, seal: Seal) -> tuple[str, int, str]:
    """Give the digest before the first row, number and digest of the last; raises DaybookError."""
    row = db.execute("SELECT ends FROM chain").fetchone()
    if row is None:
        return BEGIN, 0, BEGIN
    begin, number, digest = json.loads(seal.unseal(row[0]))
    return str(begin), int(number), str(digest)


def _put_ends(db: sqlite3.Connection, seal: Seal, ends: tuple[str, int, str]) -> None:
    body = seal.seal(json.dumps(ends).encode())
    db.execute("INSERT OR REPLACE INTO chain VALUES (1, ?)", (body,))
