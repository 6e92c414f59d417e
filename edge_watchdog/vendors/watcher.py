"""Keeps asking the vendor: its status page by one uplink, its app by each uplink that is ordered.

In come desired states (follow, visit_every), out come VendorReported and JourneyReported.  A new
order asks soon; nobody is asked faster than FLOOR_S, nor earlier than it asked for.
"""

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import aiohttp

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import Event, JourneyReported, VendorReported
from edge_watchdog.core.model import JourneyReport, Stage
from edge_watchdog.vendors import StatusReader
from edge_watchdog.vendors.journey import REFUSALS, visit

FLOOR_S = 5.0
SOON_S = 0.5
JITTER_RATIO = 0.1
REFUSED_LONGEST_S = 600.0
IDLE_S = 3600.0
PAGE = ""  # the name of the status page among the jobs; the others are uplinks

SessionFor = Callable[[str | None], aiohttp.ClientSession | None]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Job:
    """One thing that is asked again and again; times are CLOCK_BOOTTIME.

    *every_s* None: not now.  The job stays, so that a pause never makes anybody impolite.
    """

    every_s: float | None
    via: str
    due: float = math.inf
    started: float = -math.inf
    not_before: float = -math.inf
    refused: int = 0
    told_unasked: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Tell whether it waits for its next turn."""
        return self.every_s is not None and (self.task is None or self.task.done())


class VendorWatcher:
    """Watches one vendor; *reader* is None when no status page is known."""

    def __init__(
        self,
        reader: StatusReader | None,
        app_url: str | None,
        *,
        session_for: SessionFor,
        clock: Clock,
        emit: Callable[[Event], None],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Ask nothing until told; *session_for* gives None while an uplink cannot be asked."""
        self._reader = reader
        self._app_url = app_url
        self._session_for = session_for
        self._clock = clock
        self._emit = emit
        self._sleep = sleep
        self._dice = secrets.SystemRandom().random
        self._jobs: dict[str, Job] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def follow(self, every_s: float, via: str | None) -> None:
        """Read the status page every *every_s* seconds through *via*; None: not now."""
        wanted = via is not None and self._reader is not None
        self._order(PAGE, every_s if wanted else None, via or "")

    def visit_every(self, uplink: str, seconds: float | None) -> None:
        """Visit the app through *uplink* every so many *seconds*; None: not at all."""
        self._order(uplink, seconds if self._app_url is not None else None, uplink)

    async def run(self) -> None:
        """Ask for ever; when cancelled, nothing is left running.  May be run again."""
        try:
            while True:
                self._wake.clear()
                self._start_due()
                await self._pause()
                self._raise_failures()
        finally:
            for name in list(self._jobs):
                self._end(self._jobs[name])
            await asyncio.gather(*self._ending, return_exceptions=True)

    def _order(self, name: str, every_s: float | None, via: str) -> None:
        job = self._jobs.setdefault(name, Job(None, via))
        if (job.every_s, job.via) == (every_s, via):
            return
        if job.via != via or every_s is None:
            self._end(job)  # what still hangs on the old uplink would only hold us up
        job.every_s, job.via = every_s, via
        soon = self._clock.now().mono + SOON_S * self._dice()
        job.due = max(soon, job.started + FLOOR_S, job.not_before)
        self._wake.set()

    def _end(self, job: Job) -> None:
        if job.task is not None and not job.task.done():
            job.task.cancel()
            self._ending.add(job.task)
            job.task.add_done_callback(self._ending.discard)
        job.task = None

    def _start_due(self) -> None:
        now = self._clock.now().mono
        for name, job in self._jobs.items():
            if not job.is_idle or job.due > now:
                continue
            session = self._session_for(job.via)
            job.started = now
            self._plan(job, 0.0)
            if session is None:
                job.due = now + FLOOR_S
                self._tell_unasked(name, job)
                continue
            job.told_unasked = False
            work = self._read(job, session) if name == PAGE else self._visit(job, session)
            job.task = asyncio.create_task(self._and_wake(work), name=f"vendor {name or 'page'}")

    def _plan(self, job: Job, at_least_s: float) -> None:
        """Set when *job* comes next, counted from its last start."""
        stretch = 1 + JITTER_RATIO * (2 * self._dice() - 1)
        pause_s = max((job.every_s or IDLE_S) * stretch, at_least_s, FLOOR_S)
        job.due = max(job.started + pause_s, job.not_before)

    async def _and_wake(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        finally:
            self._wake.set()

    async def _read(self, job: Job, session: aiohttp.ClientSession) -> None:
        reader = self._reader
        if reader is None:
            return
        report = await reader.read(session)
        if reader.rest_s > 0:
            job.not_before = self._clock.now().mono + reader.rest_s
        self._plan(job, reader.fresh_s)
        self._emit(VendorReported(self._clock.now(), report))

    async def _visit(self, job: Job, session: aiohttp.ClientSession) -> None:
        url = self._app_url or ""
        report = await visit(session, url, uplink=job.via, clock=self._clock)
        if report.status in REFUSALS:
            job.refused = min(job.refused + 1, 10)
            rest_s = min((job.every_s or FLOOR_S) * 2**job.refused, REFUSED_LONGEST_S)
            job.not_before = self._clock.now().mono + rest_s
            self._plan(job, 0.0)
        elif report.asked:
            job.refused = 0
        self._emit(JourneyReported(self._clock.now(), report))

    def _tell_unasked(self, name: str, job: Job) -> None:
        """Say once that the app could not be visited; the page's silence is no news."""
        if name == PAGE or job.told_unasked:
            return
        job.told_unasked = True
        now = self._clock.now()
        report = JourneyReport(
            now, job.via, Stage.CONNECT, asked=False, detail="no address to ask from"
        )
        self._emit(JourneyReported(now, report))

    async def _pause(self) -> None:
        """Wait for the next thing to do, or for an order."""
        now = self._clock.now().mono
        idle = [job.due for job in self._jobs.values() if job.is_idle]
        delay_s = max(min([*idle, now + IDLE_S]) - now, 0.0)
        sleeper = asyncio.ensure_future(self._sleep(delay_s))
        waiter = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeper, waiter}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleeper, waiter):
                task.cancel()
            await asyncio.gather(sleeper, waiter, return_exceptions=True)

    def _raise_failures(self) -> None:
        """Let a crash of a job be a crash of run(): it is a fault of this program."""
        for job in self._jobs.values():
            if job.task is not None and job.task.done():
                task, job.task = job.task, None
                if not task.cancelled():
                    task.result()
