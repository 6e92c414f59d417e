"""The journal as the watch uses it: awaited before every act, never on the event loop itself.

In: events with their decisions, and views.  Out: the state to go on with, history, recordings.  The
rule: quiet time stays in the ring; when something notable happens the ring goes to the disk with
it, and so does everything until it has been quiet for a minute.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from edge_watchdog.core.actions import Action, ProbeBurst, ProbeEvery
from edge_watchdog.core.events import DriverReported, Event, Sampled, Woke
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import History, IncidentView, StudioView
from edge_watchdog.journal.errors import JournalError
from edge_watchdog.journal.ring import Ring, Row
from edge_watchdog.journal.store import DAY_S, Batch, Loaded, Mark, Recording, Store
from edge_watchdog.journal.stretches import Stretches, fill_gaps

QUIET_S = 60.0  # without anything notable a recording ends
CHECKPOINT_S = 60.0
SPAN_S = 3600.0  # a long recording gets a state every hour, so that its begin can be forgotten
EVIDENCE_S = 1.0  # evidence that decided nothing may wait this long for the disk
RETRY_S = 10.0
PATIENCE_S = 0.05  # a card that stalls must not delay a switch; the row is then written late
PENDING = 30  # batches that wait for a disk that does not answer
UNSAVED_ROWS = 20_000
DULL = (Sampled, Woke, DriverReported)

S = TypeVar("S")
R = TypeVar("R")

log = logging.getLogger(__name__)


class Journal(Generic[S]):
    """An open journal; use open()."""

    def __init__(
        self,
        store: Store[S],
        loaded: Loaded[S] | None,
        thread: ThreadPoolExecutor,
        patience_s: float,
    ) -> None:
        self._store = store
        self._patience_s = patience_s
        self._thread = thread
        self._loaded = loaded
        self._ring: Ring[S] = Ring()
        self._stretches = Stretches()
        self._seq = store.last_seq
        self._last: Mark[S] | None = None
        self._unsaved: list[Row] = []
        self._recording: int | None = None  # first number of the span that is being written
        self._span_at = self._notable_at = 0.0
        self._saved_at = self._checkpoint_at = float("-inf")
        self._retry_at = float("-inf")
        self._shown: dict[int, IncidentView] = {}
        self._uplinks: tuple[str, ...] = ()
        self._noted = False
        self._pending = 0
        self._trouble = ""

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        boot_id: str,
        decode_state: Callable[[object], S],
        patience_s: float = PATIENCE_S,
    ) -> "Journal[S]":
        """Open the file at *path*; never fails: see *problem*.

        *decode_state* builds a state from what codec.encode() made of it; raises CodecError.
        *patience_s*: how long append() waits for the disk.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

        def start() -> tuple[Store[S], Loaded[S] | None]:
            store = Store.open(path, boot_id=boot_id, decode_state=decode_state)
            return store, store.load()

        store, loaded = await asyncio.get_running_loop().run_in_executor(thread, start)
        if store.note:
            log.warning("journal: %s", store.note)
        return cls(store, loaded, thread, patience_s)

    @property
    def problem(self) -> str:
        """What the owner should know of the journal, in a sentence; "" when all is well."""
        return self._trouble or self._store.note

    async def load(self) -> Loaded[S] | None:
        """Give where the last run stopped, once; None when nothing readable is left."""
        loaded, self._loaded = self._loaded, None
        return loaded

    async def append(
        self, event: Event, before: S, after: S, actions: Sequence[Action], *, notable: bool
    ) -> None:
        """Take in one event, the states around it and what is to be done.

        A *notable* one is committed when this returns, unless the disk takes longer than our
        patience; only evidence (DULL) that led to nothing but questions is committed up
        to a second later.  Never raises for the file: see *problem*.
        """
        self._seq += 1
        row = Row(self._seq, event, tuple(actions))
        self._ring.add(row, before)
        self._last = Mark(self._seq, after, event.at)
        urgent = notable and (_is_deed(actions) or not isinstance(event, DULL))
        self._record(row, notable=notable)
        batch = self._due(row, before, urgent=urgent)
        if batch is not None:
            written = self._write(batch)
            if urgent:
                await self._wait(written)

    def _record(self, row: Row, *, notable: bool) -> None:
        """Begin, continue or end the recording."""
        now = row.event.at.mono
        if notable:
            self._notable_at = now
        if self._recording is not None:
            self._unsaved.append(row)
            if now - self._notable_at >= QUIET_S:
                self._recording = None
                self._checkpoint_at = float("-inf")
        elif notable and now >= self._retry_at:
            self._unsaved = list(self._ring.rows())
            self._recording = self._unsaved[0].seq
            self._span_at = float("-inf")
        if len(self._unsaved) > UNSAVED_ROWS:
            self._settle("the disk does not answer")

    def _due(self, row: Row, before: S, *, urgent: bool) -> Batch[S] | None:
        """Give what must be written now, or None."""
        now = row.event.at.mono
        if now < self._retry_at or self._pending >= PENDING:
            return None
        checkpoint = now - self._checkpoint_at >= CHECKPOINT_S
        late = bool(self._unsaved) and now - self._saved_at >= EVIDENCE_S
        if not (checkpoint or late or (urgent and self._unsaved)):
            return None
        span = self._new_span(row, before)
        rows, self._unsaved = tuple(self._unsaved), []
        self._saved_at = now
        if checkpoint:
            self._checkpoint_at = now
        return Batch(rows, span, self._last if checkpoint else None)

    def _new_span(self, row: Row, before: S) -> Mark[S] | None:
        now = row.event.at
        if self._recording is None or now.mono - self._span_at < SPAN_S:
            return None
        mark = Mark(row.seq, before, now)
        if self._span_at == float("-inf"):
            oldest = self._ring.oldest
            mark = Mark(oldest.rows[0].seq, oldest.before, oldest.rows[0].event.at)
        self._span_at = now.mono
        self._recording = mark.seq
        return mark

    def note(self, view: StudioView) -> None:
        """Take in what is shown: stretches and incidents for the owner's page.  Returns at once."""
        self._uplinks = tuple(uplink.name for uplink in view.uplinks)
        stretches = self._stretches.note(view)
        changed = [one for one in view.incidents if self._shown.get(one.id) != one]
        if not self._noted:
            known = [one.id for one in view.incidents]
            self._do(lambda: self._store.end_lost(known, self._store.last_wall))
            self._noted = True
        if stretches or changed:
            incidents = tuple((one, self._recording) for one in changed)
            self._write(Batch(incidents=incidents, stretches=stretches))
        if stretches and view.wall_known:
            self._do(lambda: self._store.prune(view.at.wall))
        self._shown = {one.id: one for one in view.incidents}

    async def history(self, now: Instant) -> History:
        """Give the last 24 hours; time in which nobody watched is UNKNOWN."""
        day_ago = now.wall - DAY_S
        running, uplinks = self._stretches.running(), self._uplinks

        def read() -> History:
            known = [*self._store.stretches(day_ago, now.wall), *running]
            filled = fill_gaps(known, uplinks, day_ago, now.wall)
            return History(filled, self._store.incidents(day_ago))

        try:
            return await self._ask(read)
        except JournalError as error:
            self._settle(str(error))
            return History(fill_gaps(running, uplinks, day_ago, now.wall))

    async def incidents(self) -> tuple[IncidentView, ...]:
        """Give all incidents there are (400 days, 1000 at most), newest first."""
        return await self._ask(self._store.incidents)

    async def rows(self, incident: int) -> Recording[S]:
        """Give the record of *incident*, to be replayed; raises JournalError when there is none."""
        if self._unsaved:
            self._write(Batch(tuple(self._unsaved)))
            self._unsaved = []
        return await self._ask(lambda: self._store.recording(incident))

    async def close(self) -> None:
        """Write what is left and close; may be called once."""
        rest = Batch(tuple(self._unsaved), None, self._last, stretches=self._stretches.take())
        await asyncio.wrap_future(self._write(rest))
        await self._ask(self._store.close)
        self._thread.shutdown(wait=False)

    async def _ask(self, work: Callable[[], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise JournalError(str(error)) from error

    def _write(self, batch: Batch[S]) -> "Future[None]":
        return self._do(lambda: self._store.write(batch))

    def _do(self, work: Callable[[], None]) -> "Future[None]":
        """Have *work* done on the journal's thread; the future never fails, _settle() hears."""
        loop = asyncio.get_running_loop()
        self._pending += 1

        def guarded() -> None:
            trouble = ""
            try:
                work()
            except (JournalError, sqlite3.Error) as error:
                trouble = str(error)
            loop.call_soon_threadsafe(self._done, trouble)

        return self._thread.submit(guarded)

    def _done(self, trouble: str) -> None:
        self._pending -= 1
        self._settle(trouble)

    def _settle(self, trouble: str) -> None:
        """Take note of how the file is; after a failure all begins anew from the ring."""
        if trouble and not self._trouble:
            log.error("journal: cannot be written: %s", trouble)
        elif self._trouble and not trouble:
            log.warning("journal: can be written again")
        self._trouble = trouble and (
            f"The journal cannot be written ({trouble}); what happens now is in memory only."
        )
        if trouble:
            self._recording = None
            self._unsaved = []
            self._checkpoint_at = float("-inf")
            self._retry_at = (self._last.at.mono if self._last else 0.0) + RETRY_S

    async def _wait(self, written: "Future[None]") -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.shield(asyncio.wrap_future(written))
        except TimeoutError:
            log.warning("journal: the disk takes longer than %.2f s", self._patience_s)


def _is_deed(actions: Sequence[Action]) -> bool:
    """Tell whether *actions* change anything; a question asked twice does no harm."""
    return any(not isinstance(action, (ProbeBurst, ProbeEvery)) for action in actions)
