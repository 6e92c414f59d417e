"""What the interfaces of metered lines have carried, read now and then.

In: the kernel's counters and what month of the plan it is.  Out: Counted events.  The counters
begin anew when a device does; whoever adds them up is told which device it was.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import Counted
from edge_watchdog.links.usage import read_usage

EVERY_S = 20.0

Month = Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Metered:
    """One metered line; *month* gives, of seconds since 1970, when its month began and ends."""

    interface: str
    month: Month


class Counting:
    """Reads the counters of *lines*, by the name of the uplink, and tells *emit*.

    *called* gives the present name of an interface.
    """

    def __init__(
        self,
        lines: Mapping[str, Metered],
        emit: Callable[[Counted], None],
        clock: Clock,
        called: Callable[[str], str] = str,
    ) -> None:
        self._called = called
        self._lines = lines
        self._emit = emit
        self._clock = clock

    async def run(self) -> None:
        """Read for ever."""
        while True:
            self.read()
            await asyncio.sleep(EVERY_S)

    def read(self) -> None:
        """Read once; a device that is not there has nothing to tell."""
        carried = read_usage()
        for name, line in self._lines.items():
            interface = self._called(line.interface)
            usage = carried.get(interface)
            if usage is None:
                continue
            now = self._clock.now()
            begins, ends = line.month(now.wall)
            count = usage.received_bytes + usage.sent_bytes
            device = _index(interface)
            self._emit(Counted(now, name, device, count, month=begins, ends=ends))


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return 0  # it went away just now
