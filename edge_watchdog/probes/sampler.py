"""All questions through all uplinks, paced and counted; out come Sampled events.

Orders are desired states (bind, pace, burst) and may come at any time, before run() too.  No task
is made per pulse: one timer and the sockets' readiness drive everything.  What closes in one turn
of the loop is one event.
"""

import asyncio
import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import Event, Sampled
from edge_watchdog.core.model import Anchor, Sample
from edge_watchdog.core.policy import Periods
from edge_watchdog.core.units import Url
from edge_watchdog.probes.bind import Binding, trust
from edge_watchdog.probes.errands import Errands, Plan
from edge_watchdog.probes.line import Line
from edge_watchdog.probes.timetable import Rung, Timetable

EARLY_S = 0.0005  # a timer that fires a hair early would find nothing due and spin
IDLE_S = 3600.0


@dataclass(slots=True)
class Post:
    """Everything kept for one uplink; *line* and *errands* exist while it can be asked."""

    timetable: Timetable
    binding: Binding | None = None
    is_misrouted: bool = False
    avoid: frozenset[str] = frozenset()
    line: Line | None = None
    errands: Errands | None = None


class Sampler:
    """Asks through every uplink at its pace.  Raises ProbeError when *ca_file* cannot be read."""

    def __init__(
        self,
        anchors: tuple[Anchor, ...],
        web: tuple[Url, ...],
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        ca_file: str | None = None,
    ) -> None:
        """Ask *anchors* and *web* pages; *emit* takes events and must not wait."""
        self._anchors = anchors
        reserve = tuple(anchor.address for anchor in anchors if anchor.dns)
        self._plan = Plan(web, reserve, trust(ca_file))
        self._clock = clock
        self._emit = emit
        self._dice = secrets.SystemRandom().random
        self._posts: dict[str, Post] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed: list[Sample] = []
        self._failed: asyncio.Future[None] | None = None

    def bind(self, uplink: str, binding: Binding | None) -> None:
        """Ask through *binding* from now on; None: *uplink* cannot be asked now."""
        post = self._post(uplink)
        if binding == post.binding and not post.is_misrouted:
            return
        self._end(post)
        post.binding, post.is_misrouted = binding, False
        post.timetable.restart(self._clock.now().mono)
        self._begin(post)

    def misrouted(self, uplink: str) -> None:
        """Stop asking through *uplink* until it is bound again: it would leave by another link."""
        post = self._post(uplink)
        if post.is_misrouted:
            return
        post.is_misrouted = True
        if post.line is not None:
            self._closed += post.line.misrouted(self._clock.now())
        self._end(post)
        self._wake()

    def pace(self, uplink: str, periods: Periods, avoid: tuple[str, ...] = ()) -> None:
        """Ask at *periods* from now on; the targets to *avoid* (Sample.target) only rarely."""
        post = self._post(uplink)
        post.avoid = frozenset(avoid)
        post.timetable.pace(periods, self._clock.now().mono)
        self._wake()

    def burst(
        self,
        uplink: str,
        for_s: float,
        *,
        triage: bool = False,
        secure: bool = False,
        at_once: bool = False,
    ) -> None:
        """Ask all anchors and the gateway every BURST_S for *for_s* seconds from now.

        With *triage*, names and web are asked once too, at once, and a *secure* page.
        *at_once*: as in Timetable.
        """
        now = self._clock.now().mono
        timetable = self._post(uplink).timetable
        timetable.burst(for_s, now, at_once=at_once)
        if triage:
            timetable.triage(now, secure=secure)
        self._wake()

    def hasten(self, uplink: str, *rungs: Rung) -> None:
        """Ask the next anchor, and *rungs*, now instead of in turn: something makes one wonder."""
        self._post(uplink).timetable.hasten(self._clock.now().mono, *rungs)
        self._wake()

    def methods(self, uplink: str) -> str:
        """Say in words how *uplink* is asked, or why it is not."""
        post = self._post(uplink)
        if post.is_misrouted:
            return "not asked: questions would leave by another link"
        if post.line is None:
            return "not asked: no address to ask from"
        return post.line.methods

    async def run(self) -> None:
        """Ask for ever; when cancelled, everything is closed.  May be run again afterwards."""
        self._loop = asyncio.get_running_loop()
        self._failed = self._loop.create_future()
        for post in self._posts.values():
            self._begin(post)
        try:
            await self._failed
        finally:
            await self._stop()

    async def _stop(self) -> None:
        for post in self._posts.values():
            self._end(post)
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        self._loop = self._soon = self._timer = None
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _post(self, uplink: str) -> Post:
        post = self._posts.get(uplink)
        if post is None:
            post = self._posts[uplink] = Post(Timetable(self._dice))
        return post

    def _begin(self, post: Post) -> None:
        if self._loop is None or post.binding is None or post.is_misrouted:
            return
        post.line = Line(post.binding, self._anchors, self._plan.names[0], self._clock)
        post.line.open(self._wake)
        post.errands = Errands(post.binding, self._plan, self._clock)
        self._wake()

    def _end(self, post: Post) -> None:
        if post.line is not None:
            post.line.close()
            post.line = None
        if post.errands is not None:
            task = asyncio.create_task(post.errands.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
            post.errands = None

    def _wake(self) -> None:
        """Have one turn soon, whatever the number of reasons."""
        if self._loop is not None and self._soon is None:
            self._soon = self._loop.call_soon(self._turn, self._loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._soon = None
        for post in self._posts.values():
            if post.line is not None and post.errands is not None:
                self._serve(post, post.line, post.errands)
        if self._closed:
            samples, self._closed = tuple(self._closed), []
            self._emit(Sampled(self._clock.now(), samples))
        self._arm(loop)

    def _serve(self, post: Post, line: Line, errands: Errands) -> None:
        now = self._clock.now().mono
        if line.ready or line.next_due() <= now:
            self._closed += line.settle(self._wake)
        tick = post.timetable.take_tick(now)
        if tick is not None:
            self._closed += line.burst(tick)
        for rung in post.timetable.take_due(now):
            self._ask(rung, post, line, errands)

    def _ask(self, rung: Rung, post: Post, line: Line, errands: Errands) -> None:
        bursting = post.timetable.is_bursting(self._clock.now().mono)
        if rung is Rung.PULSE:
            self._closed += [] if bursting else line.pulse(post.avoid)
        elif rung is Rung.GATEWAY:
            self._closed += [] if bursting else line.gateway()
        else:
            task = errands.start(rung)
            if task is not None:
                task.add_done_callback(functools.partial(self._took, post, errands))

    def _took(self, post: Post, errands: Errands, task: asyncio.Task[tuple[Sample, ...]]) -> None:
        """Take the samples of an errand; its crash is run()'s crash."""
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._closed += task.result()
            if errands.take_astray():
                post.timetable.triage(self._clock.now().mono)
            self._wake()
        elif self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock.now().mono
        times = [now + IDLE_S]
        for post in self._posts.values():
            if post.line is not None:
                times.append(post.timetable.next_at(now))
                times.append(post.line.next_due())
        delay_s = max(min(times) - now, 0.0) + EARLY_S
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(delay_s, self._wake)
