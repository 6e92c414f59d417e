"""What a program in the lab notices: whether its new connections work, which way they leave.

In: a lab, or a host of it.  Out: the times of successful connections, and each change of way.
Neither knows who moves the routes, so that every daemon is measured by the same eyes.
"""

import asyncio
import contextlib
import itertools
import socket
import time
from dataclasses import dataclass, field

from tests.lab.lab import Lab
from tests.lab.netns import Host
from tests.lab.places import CONNECTIVITY, HOSTS, UPLINKS

TARGET = (HOSTS[CONNECTIVITY], 80)
EVERY_S = 0.01
PATIENCE_S = 0.5
LOOK_EVERY_S = 0.05


def boottime_s() -> float:
    """Give CLOCK_BOOTTIME."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class Caller:
    """Opens connections from *host*; *good* are the times at which successful ones were begun."""

    host: Host
    target: tuple[str, int] = TARGET
    every_s: float = EVERY_S
    good: list[tuple[float, float]] = field(default_factory=list)

    async def run(self) -> None:
        """Call for ever."""
        calls: set[asyncio.Task[None]] = set()
        while True:
            call = asyncio.create_task(self._call())
            calls.add(call)
            call.add_done_callback(calls.discard)
            await asyncio.sleep(self.every_s)

    async def _call(self) -> None:
        began = boottime_s()
        with self.host.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await loop.sock_connect(sock, self.target)
                self.good.append((began, boottime_s()))

    def restored_after(self, cut: float) -> float | None:
        """Give the seconds from *cut* to the first success that was begun after it."""
        ends = [end for began, end in self.good if began > cut]
        return min(ends) - cut if ends else None


@dataclass(slots=True)
class Compass:
    """Asks the kernel which uplink a new connection would take; *turns* are the changes.

    A turn is the CLOCK_BOOTTIME at which it was seen and the interface, "" when there is no way.
    """

    lab: Lab
    target: tuple[str, int] = TARGET
    turns: list[tuple[float, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> str:
        """Give the way as it is now, and note it when it has changed."""
        way = self._way()
        if way != self.way:
            self.turns.append((boottime_s(), way))
        return way

    def _way(self) -> str:
        with self.lab.box.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect(self.target)  # a route lookup; nothing is sent
            except OSError:
                return ""
            address = sock.getsockname()[0]
        return next((leg.interface for leg in UPLINKS if leg.address == address), "")

    @property
    def way(self) -> str:
        """The way as it was when last looked at."""
        return self.turns[-1][1] if self.turns else ""


def departures(turns: list[tuple[float, str]], preferred: str, since: float) -> int:
    """Count how often another way than *preferred* was taken after *since*.

    Being without any way in between is no departure of its own.
    """
    ways = [(at, way) for at, way in turns if way]
    return sum(
        before[1] == preferred and after[1] != preferred and after[0] > since
        for before, after in itertools.pairwise(ways)
    )
