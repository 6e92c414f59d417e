"""A folder into which somebody's program drops exports: the newest whole file is the day.

A folder in, one file's bytes or "not changed" out; reading is csv_read.py's, in the child.  The
rule: a file that may still be written to is never read, and nothing in the folder is changed.
"""

import asyncio
import base64
import fnmatch
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.aside import look
from edge_watchdog.daybook.child import Form, read_in_child
from edge_watchdog.daybook.csv_read import CsvKeys
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.web import MOST_BYTES

STILL_S = 2.0
PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.5
NEWEST = 5  # of the folder's files that are looked at
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
NONE_THERE = "no file has been dropped into the folder yet"
BEING_WRITTEN = "the newest file is still being written"


@dataclass(frozen=True, slots=True)
class Drop:
    """One file as it stood at a look."""

    path: str
    written_wall: float
    size: int
    mark: str


class CsvDrop:
    """A source of [[schedule]] kind "csv"."""

    def __init__(
        self,
        folder: str,
        pattern: str,
        keys: CsvKeys,
        clock: Clock,
        *,
        prices: str | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._pattern = pattern
        self._keys = keys
        self._clock = clock
        self._prices = prices
        self._pause = pause
        self._seen: dict[str, tuple[str, Instant]] = {}

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - all comes at once
        """Read the newest file that has stood still, unless *known* says that it is the same."""
        drop = await self._newest_still()
        prices = await look(_stat, self._prices) if self._prices else None
        token = f"csv {drop.mark} {prices.mark if prices else ''}".strip()
        age_s = max(0.0, self._clock.now().wall - drop.written_wall)
        if token == known:
            return Fetched(None, token, age_s, requests=0)
        body = await look(_packed, drop, prices)
        return Fetched(body, token, age_s, requests=0)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a child process; raises DaybookError."""
        keys = self._keys.wire()
        return await read_in_child(body, span, Title.SERVICE, form=Form.CSV, keys=keys)

    async def _newest_still(self) -> Drop:
        """Wait a while for the newest file to stand still; else give the newest that does."""
        began = self._clock.now()
        while True:
            drops = await look(self._drops)
            if not drops:
                raise DaybookError(NONE_THERE, requests=0)
            still = [drop for drop in drops if self._stands_still(drop)]
            if still and still[0] == drops[0]:
                return still[0]
            if self._clock.now().since(began) >= PATIENCE_S:
                if still:
                    return still[0]
                raise DaybookError(BEING_WRITTEN, requests=0)
            await self._pause(LOOK_AGAIN_S)

    def _stands_still(self, drop: Drop) -> bool:
        """Tell whether a file has looked the same for STILL_S.

        Its own date does not tell: a copying program may set that before it has written all.
        """
        now = self._clock.now()
        mark, since = self._seen.get(drop.path, ("", now))
        if mark != drop.mark:
            since = now
        self._seen[drop.path] = (drop.mark, since)
        return now.since(since) >= STILL_S and drop.size > 0

    def _drops(self) -> list[Drop]:
        """Give the newest files that the pattern fits, newest first; raises DaybookError."""
        try:
            with os.scandir(self._folder) as entries:
                fits = [one for one in entries if _fits(one.name, self._pattern)]
            found = [_stat(one.path) for one in fits if one.is_file(follow_symlinks=False)]
        except OSError as error:
            reason = error.strerror or "not readable"
            raise DaybookError(f"the folder could not be read ({reason})", requests=0) from None
        found.sort(key=lambda drop: (-drop.written_wall, drop.path))
        self._seen = {drop.path: self._seen[drop.path] for drop in found if drop.path in self._seen}
        return found[:NEWEST]


def _fits(name: str, pattern: str) -> bool:
    folded = name.casefold()
    hidden = name.startswith((".", "~")) or folded.endswith(UNFINISHED)
    return not hidden and fnmatch.fnmatchcase(folded, pattern.casefold())


def _stat(path: str) -> Drop:
    try:
        found = Path(path).stat()
    except OSError:
        raise DaybookError("a file went away while it was looked at", requests=0) from None
    mark = f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"
    return Drop(path, found.st_mtime, found.st_size, mark)


def _packed(drop: Drop, prices: Drop | None) -> bytes:
    """Give the body for csv_read.py; raises DaybookError when a file changed under our hands."""
    parts: dict[str, object] = {
        "file": _whole(drop),
        "written_wall": drop.written_wall,
        "prices": _whole(prices) if prices else None,
        "prices_wall": prices.written_wall if prices else None,
    }
    return json.dumps(parts).encode("ascii")


def _whole(drop: Drop) -> str:
    if drop.size > MOST_BYTES:
        raise DaybookError(f"the file is larger than {MOST_BYTES // 2**20} MiB", requests=0)
    try:
        body = Path(drop.path).read_bytes()
    except OSError as error:
        reason = error.strerror or "not readable"
        raise DaybookError(f"the file could not be read ({reason})", requests=0) from None
    if _stat(drop.path).mark != drop.mark:
        raise DaybookError(BEING_WRITTEN, requests=0)
    return base64.b64encode(body).decode("ascii")
