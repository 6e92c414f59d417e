"""The journal read from outside, while the watch writes it or when it does not run.

In: the path.  Out: recordings of incidents.  The rule: nothing is written, moved or repaired.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge_watchdog.journal.errors import JournalError
from edge_watchdog.journal.store import Recording, Store

S = TypeVar("S")


def read_recording(path: Path, incident: int, decode_state: Callable[[object], S]) -> Recording[S]:
    """Give the record of *incident*; raises JournalError when there is none."""
    try:
        store = Store.read_only(path, decode_state)
        try:
            return store.recording(incident)
        finally:
            store.close()
    except sqlite3.Error as error:
        raise JournalError(f"{path} cannot be read: {error}") from error
