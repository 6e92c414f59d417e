"""Keeps workers alive, and tells the service manager how we are.

In: a worker's name and its coroutine function.  Out: the worker, run for ever; each crash becomes a
WorkerFailed event and a traceback in the log.  The rule: this is the only place where any exception
is caught, and the only one that knows systemd's notification protocol, sd_notify(3).
"""

import asyncio
import ctypes
import logging
import os
from collections.abc import Awaitable, Callable, Iterable

import sdnotify

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import Event, WorkerFailed

FIRST_PAUSE_S = 0.5
AGAIN_S = 1.0
LONGEST_PAUSE_S = 30.0
HEALTHY_S = 60.0  # a worker that lived this long is forgiven its earlier crashes
OURS = "edge_watchdog."
LONGEST_ERROR = 300  # characters; events are journalled and shown

log = logging.getLogger(__name__)


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    *,
    clock: Clock,
    on_failure: Callable[[Event], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run *work* for ever; start it again after 0.5 s, doubling to 30 s, whenever it ends.

    *on_failure* gets one WorkerFailed for each end.  Cancellation passes through.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        began = clock.now()
        error = await _failure_of(name, work)
        now = clock.now()
        if now.since(began) >= HEALTHY_S:
            pause_s = FIRST_PAUSE_S
        on_failure(WorkerFailed(now, name, error))
        await sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def end_all(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel *tasks* until each has ended; who missed the word hears it again every second."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)


async def attempt(name: str, work: Awaitable[None], *, within_s: float) -> str:
    """Do *work* once; gives "" when it is done, else why not.  Only cancellation passes through.

    Whoever waits for an outcome must hear of one, whatever went wrong.
    """
    try:
        async with asyncio.timeout(within_s):
            await work
    except TimeoutError:
        return f"not done within {within_s:g} s"
    except Exception as error:
        if type(error).__module__.startswith(OURS):  # foreseen by its room: the words are enough
            log.warning("action=%s failed: %s", name, _in_one_line(error))
        else:
            log.exception("action=%s failed", name)
        return _in_one_line(error)
    return ""


async def _failure_of(name: str, work: Callable[[], Awaitable[None]]) -> str:
    try:
        await work()
    except Exception as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # a TaskGroup of Python 3.11 that fails while it is cancelled forgets the cancellation
            raise asyncio.CancelledError from error
        log.exception("worker=%s failed, it will be started again", name)
        return _in_one_line(error)
    log.error("worker=%s ended by itself, it will be started again", name)
    return "ended by itself"


def _in_one_line(error: BaseException) -> str:
    """Give type and message; of a group the first error inside, which is what went wrong."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text.removesuffix(":")[:LONGEST_ERROR]


class Notifier:
    """Speaks to systemd; outside of it every method does nothing.

    *watchdog_s* is the time within which beat() must be called again, or None when nobody waits.
    """

    def __init__(self) -> None:
        # without the variable the library leaves a socket behind for the garbage collector
        supervised = "NOTIFY_SOCKET" in os.environ
        self._socket = sdnotify.SystemdNotifier() if supervised else None
        self.watchdog_s = _watchdog_s()

    def ready(self) -> None:
        """Start-up is finished."""
        self._say("READY=1")

    def status(self, text: str) -> None:
        """Show *text* in `systemctl status`; line breaks would start another field."""
        self._say("STATUS=" + " ".join(text.split()))

    def beat(self) -> None:
        """Everything that must be alive is alive."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """The end is in order."""
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if self._socket is not None:
            # systemd wants UTF-8, the library sends Latin-1: these characters become those bytes
            self._socket.notify(text.encode().decode("latin-1"))


def _watchdog_s() -> float | None:
    """Read WATCHDOG_USEC as sd_watchdog_enabled(3) does: it may be meant for another process."""
    text = os.environ.get("WATCHDOG_USEC", "")
    meant_for = os.environ.get("WATCHDOG_PID", "")
    if not text.isdecimal() or int(text) == 0 or meant_for not in ("", str(os.getpid())):
        return None
    return int(text) / 1e6


def give_back_memory() -> bool:
    """Have the C library hand what it keeps for later back to the system; tells whether it could.

    Many short-lived pieces leave holes that glibc never gives back by itself (malloc_trim(3)).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and trim(0) in (0, 1)
