"""Work that may hang without end (a question for a name, a look at a share), done aside.

A blocking function in, what it gives out.  The rule: each has a thread of its own that nobody waits
for once its time is over; the threads of asyncio are for what surely ends, for the paper journal
waits behind them, and so does the end of the program (as in CPython 3.11, without a limit).
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from aiohttp.abc import AbstractResolver, ResolveResult

from edge_watchdog.daybook import DaybookError

LOOK_S = 20.0
MOST_HANGING = 12  # a unit has 64 tasks for everything
NO_MORE = "too many questions are still without an answer"
SILENT = "the place of the file does not answer"
_T = TypeVar("_T")
_places = threading.BoundedSemaphore(MOST_HANGING)


async def aside(work: Callable[..., _T], *args: object, within_s: float) -> _T:
    """Do *work* in a thread of its own, and give what it gives.

    Its own OSError, ValueError or DaybookError is raised here.  Raises TimeoutError after
    *within_s* and OSError when too many threads hang already.
    """
    if not _places.acquire(blocking=False):
        raise OSError(NO_MORE)
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def tell(result: object, failure: Exception | None) -> None:
        if future.done():
            return  # nobody waits any more
        if failure is None:
            future.set_result(cast("_T", result))
        else:
            future.set_exception(failure)

    def do() -> None:
        result: object = None
        failure: Exception | None = RuntimeError("a thread broke; its own words are above")
        try:
            result, failure = work(*args), None
        except (OSError, ValueError, DaybookError) as error:
            failure = error
        finally:
            _places.release()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
                loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=do, name="aside", daemon=True).start()
    async with asyncio.timeout(within_s):
        return await future


async def look(work: Callable[..., _T], *args: object, within_s: float = LOOK_S) -> _T:
    """Look at files that may lie on a share whose machine is gone; raises DaybookError too."""
    try:
        return await aside(work, *args, within_s=within_s)
    except OSError:  # late, or nobody is free to look
        raise DaybookError(SILENT, requests=0) from None


class Names(AbstractResolver):
    """Looks names up as the system does, aside."""

    def __init__(self, within_s: float, look_up: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._within_s = within_s
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses of *host*.  Raises OSError."""
        found = await aside(
            *(self._look_up, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG),
            within_s=self._within_s,
        )
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""
