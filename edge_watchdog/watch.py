"""Composition root of the watch half: builds the rooms, starts the workers, owns the loop.

In: a Config.  Out: a studio that is watched until a signal says stop.  The only file of this half
that knows every room; it decides nothing itself.
"""

import asyncio
import contextlib
import logging
import os
import pwd
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge_watchdog import __version__
from edge_watchdog.box import BoxWatch
from edge_watchdog.bridge import Acknowledge, BridgeServer, Order, ToWatch
from edge_watchdog.clock import Clock, SystemClock
from edge_watchdog.config import Config, ConfigError, load, policy
from edge_watchdog.config.hours import local_minute, opens_wall
from edge_watchdog.core.actions import (
    Action,
    AskByTcp,
    Evict,
    FetchSchedule,
    RouteVia,
    SendAlert,
    SteerVendor,
)
from edge_watchdog.core.advance import Step, advance, begin, has_work, next_deadline
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import (
    Acknowledged,
    CacheReported,
    ClockStepped,
    Event,
    HoursChanged,
    Ordered,
    Started,
    Stopping,
    Woke,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import Phase, State
from edge_watchdog.core.view import StudioView
from edge_watchdog.core.words import capital
from edge_watchdog.hands import Hands
from edge_watchdog.journal import Journal
from edge_watchdog.supervise import Notifier, end_all, give_back_memory, keep_running

DESK_USER = "edge-watchdog-desk"
STEP_S = 2.0  # the wall clock may be slewed by this much before it counts as a step
SHOW_EVERY_S = 0.25  # views of mere numbers; what changes the banner or the phase is shown at once
HISTORY_EVERY_S = 60.0
LONGEST_SLEEP_S = 5.0
GIVE_BACK_EVERY_S = 60.0
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")  # a killed watch leaves no desk behind
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

log = logging.getLogger(__name__)


class Watch:
    """The watch half, from start to stop."""

    def __init__(
        self, config: Config, *, with_desk: bool, clock: Clock, numbers: Policy | None = None
    ) -> None:
        """Build the rooms; *numbers* to decide with, when not those of *config*."""
        self._config = config
        self._policy = numbers or policy(config)
        self._with_desk = with_desk
        self._clock = clock
        self._inbox: asyncio.Queue[Event] = asyncio.Queue()
        self._notifier = Notifier()
        self._state: State = begin(self._policy)
        self._shown: StudioView | None = None
        self._shown_at = 0.0
        self._offset = 0.0
        self._stop: asyncio.Future[Config | None] = asyncio.get_running_loop().create_future()
        runtime = Path(config.box.runtime_dir)
        runtime.mkdir(parents=True, exist_ok=True)
        self._bridge = BridgeServer(
            runtime / "bridge.sock",
            allowed_uids=_trusted_uids(),
            on_message=self._hear,
            clock=clock,
        )
        self._state_dir = Path(config.box.state_dir) / "watch"
        self._state_dir.mkdir(parents=True, exist_ok=True)
        self._hands = Hands(config, self._policy, bridge=self._bridge, emit=self._emit, clock=clock)
        self._journal: Journal[State]

    def _emit(self, event: Event) -> None:
        self._inbox.put_nowait(event)

    async def run(self) -> Config | None:
        """Watch until told to stop; gives the configuration to go on with, None to end."""
        boot_id = _boot_id()
        self._journal = await Journal.open(
            self._state_dir / "journal.db", boot_id=boot_id, decode_state=_decode_state
        )
        await self._recall(boot_id)
        await self._hands.open()
        self._handle_signals()
        again: Config | None = None
        ordered = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(), name="pump")
                workers = [
                    group.create_task(self._keep(name, work), name=name)
                    for name, work in self._workers().items()
                ]
                again = await self._stop
                ordered = True
                self._emit(Stopping(self._clock.now()))
                await end_all(workers)
        finally:
            ends = ordered and again is None
            if ends:  # said before a reload, systemd would wait for the exit
                self._notifier.stopping()
            # after a crash the route stays: traffic must go on until we are back
            await self._hands.close(keep_route=not ends)
            await self._journal.close()
        return again

    async def _recall(self, boot_id: str) -> None:
        """Fold what the journal kept, then begin: the first event is always Started."""
        loaded = await self._journal.load()
        if loaded is not None:
            self._state = loaded.state
            for event in loaded.events:
                self._state = advance(self._state, event, self._policy).state
        now = self._clock.now()
        self._offset = now.wall - now.mono
        self._inbox.put_nowait(Started(now, boot_id, __version__))

    def _workers(self) -> dict[str, Callable[[], object]]:
        workers: dict[str, Callable[[], object]] = dict(self._hands.workers())
        workers["bridge"] = self._bridge.run
        late_s = self._policy.lag_s
        workers["box"] = BoxWatch(self._emit, clock=self._clock, late_s=late_s).run
        workers["hours"] = self._watch_hours
        workers["history"] = self._tell_history
        workers["memory"] = _keep_small
        if self._with_desk:
            workers["desk"] = self._run_half("desk")
            if self._policy.mode is Mode.GATEWAY:
                workers["names"] = self._run_half("names")
        return workers

    async def _keep(self, name: str, work: Callable[[], object]) -> None:
        await keep_running(name, work, clock=self._clock, on_failure=self._emit)  # type: ignore[arg-type]

    async def _pump(self) -> None:
        """Feed the mind for ever: one event in, journal, then act, then show."""
        started = False
        while True:
            event = await self._next_event()
            step = advance(self._state, event, self._policy)
            await self._write(event, step)
            before, self._state = self._state, step.state
            for action in step.actions:
                self._hands.carry_out(action)
            self._show(event.at, before)
            self._notifier.beat()
            if not started:
                self._notifier.ready()
                started = True
            if isinstance(event, Stopping):
                return

    async def _next_event(self) -> Event:
        now = self._clock.now()
        if abs(now.wall - now.mono - self._offset) > STEP_S:
            by_s = now.wall - now.mono - self._offset
            self._offset += by_s
            return ClockStepped(now, by_s)
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        due = next_deadline(self._state, self._policy, now)
        sleep_s = LONGEST_SLEEP_S if due is None else min(due - now.mono, LONGEST_SLEEP_S)
        if self._notifier.watchdog_s is not None:
            sleep_s = min(sleep_s, self._notifier.watchdog_s / 3)
        try:
            async with asyncio.timeout(sleep_s):
                return await self._inbox.get()
        except TimeoutError:
            return Woke(self._clock.now())

    async def _write(self, event: Event, step: Step) -> None:
        notable = has_work(step.actions) or step.state.failover.phase is not Phase.SETTLED
        was, now = self._state.failover.phase, step.state.failover.phase
        if was is not now:
            log.info("phase %s -> %s", was, now)
        for action in step.actions:
            _log_decision(action)
        await self._journal.append(event, self._state, step.state, step.actions, notable=notable)

    def _show(self, now: Instant, before: State) -> None:
        """Show the view when it says something new, numbers at most four times a second."""
        after = self._state
        turned = (
            before.failover.phase is not after.failover.phase
            or before.failover.active != after.failover.active
            or before.failover.override != after.failover.override
            or before.incidents != after.incidents
            or before.vendor.diagnosis != after.vendor.diagnosis
        )
        if not turned and now.mono - self._shown_at < SHOW_EVERY_S:
            return
        shown = view(after, self._policy, now)
        problems = (*self._hands.problems(), self._journal.problem)
        shown = replace(shown, notices=(*shown.notices, *(capital(p) for p in problems if p)))
        self._shown_at = now.mono
        self._bridge.show(shown)
        self._hands.show(shown)
        self._journal.note(shown)
        if self._shown is None or self._shown.banner.headline != shown.banner.headline:
            self._notifier.status(shown.banner.headline)
            log.info("banner standing=%s cause=%s", shown.banner.standing, shown.banner.cause)
        self._shown = shown

    def _hear(self, message: ToWatch) -> None:
        now = self._clock.now()
        match message:
            case Acknowledge():
                self._emit(Acknowledged(now, message.incident, message.by))
            case Order():
                self._emit(
                    Ordered(
                        now,
                        message.kind,
                        message.uplink,
                        message.for_s,
                        message.reason,
                        message.by,
                    )
                )
            case _:
                self._emit(CacheReported(now, message))

    async def _watch_hours(self) -> None:
        """Say when the studio opens and closes."""
        hours, zone = self._config.studio.opening_hours, self._config.studio.time_zone
        while True:
            now = self._clock.now()
            is_open = True if hours is None else hours.is_open(*local_minute(now.wall, zone))
            if is_open != self._state.is_open:
                opens = None if hours is None else opens_wall(hours, now.wall, zone)
                self._emit(HoursChanged(now, is_open, opens))
            await asyncio.sleep(20)

    async def _tell_history(self) -> None:
        while True:
            self._bridge.tell(await self._journal.history(self._clock.now()))
            await asyncio.sleep(HISTORY_EVERY_S)

    def _run_half(self, half: str) -> Callable[[], object]:
        """Give a worker that runs another half as a child; its end is a failure."""

        async def run() -> None:
            which = ["--config", self._config.path] if self._config.path else ["--observe"]
            command = (sys.executable, "-m", "edge_watchdog", "run", "--only", half, *which)
            process = await asyncio.create_subprocess_exec(*DIES_WITH_US, *command)
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.terminate()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(process.wait(), 5)
                    if process.returncode is None:
                        process.kill()
                        await process.wait()
            raise ChildProcessError(f"the {half} half ended with code {code}")

        return run

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, None)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _end(self, again: Config | None) -> None:
        if not self._stop.done():
            self._stop.set_result(again)

    def _reload(self) -> None:
        """Take the new configuration, or keep the last good one and say so."""
        if not self._config.path:
            return
        try:
            fresh = load(self._config.path)
        except ConfigError as error:
            for problem in error.problems:
                log.error("config not taken: %s", problem)  # noqa: TRY400 - it says all
            self._notifier.status(f"{self._config.path} has mistakes; the last good one is used")
            return
        self._end(fresh)


async def _keep_small() -> None:
    """Give memory back now and then, for ever: a bad day must not make the box swap."""
    while True:
        await asyncio.sleep(GIVE_BACK_EVERY_S)
        give_back_memory()


def _log_decision(action: Action) -> None:
    """Log what people and the kernel notice; how often lines are asked is a matter for DEBUG."""
    match action:
        case RouteVia():
            log.info("new connections via=%s", action.uplink or "the system's own route")
        case Evict():
            log.info("old connections end uplink=%s", action.uplink)
        case SendAlert():
            alert = action.alert
            log.info("alert reason=%s incident=%d %s", alert.reason, alert.incident, alert.headline)
        case SteerVendor():
            log.info("vendor via=%s", action.uplink or "the line in use")
        case AskByTcp():
            log.info("names %s", "by TCP as well" if action.wanted else "by UDP alone")
        case FetchSchedule():
            log.info("fetch the day: %s", action.why)
        case _:
            log.debug("decided %s", action)


def _boot_id() -> str:
    return BOOT_ID.read_text("ascii").strip()


def _decode_state(data: object) -> State:
    return decode(State, data)


def _trusted_uids() -> frozenset[int]:
    """Name who may connect: root, ourselves, and the desk half's own user where there is one."""
    uids = {0, os.getuid()}
    with contextlib.suppress(KeyError):
        uids.add(pwd.getpwnam(DESK_USER).pw_uid)
    return frozenset(uids)


async def run_watch(config: Config, *, with_desk: bool) -> int:
    """Watch until SIGTERM or SIGINT; SIGHUP takes a new configuration.  Gives the exit code."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s.%(msecs)03dZ %(name)s %(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    logging.Formatter.converter = time.gmtime
    again: Config | None = config
    while again is not None:
        again = await Watch(again, with_desk=with_desk, clock=SystemClock()).run()
    return 0
