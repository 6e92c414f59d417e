"""The journal read from outside, while the watch writes it or when it does not run.

In: the path.  Out: incidents and recordings.  The rule: nothing is written, moved or repaired.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge_watchdog.core.view import IncidentView
from edge_watchdog.journal.errors import JournalError
from edge_watchdog.journal.store import Recording, Store

S = TypeVar("S")
R = TypeVar("R")


def read_incidents(path: Path) -> tuple[IncidentView, ...]:
    """Give all incidents, newest first; raises JournalError."""
    return _read(path, lambda data: data, lambda store: store.incidents())


def read_recording(path: Path, incident: int, decode_state: Callable[[object], S]) -> Recording[S]:
    """Give the record of *incident*; raises JournalError when there is none."""
    return _read(path, decode_state, lambda store: store.recording(incident))


def _read(path: Path, decode_state: Callable[[object], S], work: Callable[[Store[S]], R]) -> R:
    try:
        store = Store.read_only(path, decode_state)
        try:
            return work(store)
        finally:
            store.close()
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
