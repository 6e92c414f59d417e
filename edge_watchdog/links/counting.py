"""What the interfaces of metered lines have carried, read now and then.

In: the kernel's counters and what month of the plan it is.  Out: Counted events, sooner where much
was carried: whoever limits a line must not hear of it long after.  The counters begin anew when a
device does; whoever adds them up is told which device it was.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import Counted
from edge_watchdog.core.instant import Instant
from edge_watchdog.links.usage import read_usage

EVERY_S = 20.0
LOOK_S = 1.0
MUCH_BYTES = 1_000_000  # told at the next look

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
        self._told: dict[str, Counted] = {}

    async def run(self) -> None:
        """Read for ever."""
        while True:
            self.read()
            await asyncio.sleep(LOOK_S)

    def read(self) -> None:
        """Read once, and tell what is news; a device that is not there has nothing to tell."""
        if not self._lines:
            return
        carried = read_usage()
        for name, line in self._lines.items():
            interface = self._called(line.interface)
            usage = carried.get(interface)
            if usage is None:
                continue
            now, device = self._clock.now(), _index(interface)
            count = usage.received_bytes + usage.sent_bytes
            if _is_news(self._told.get(name), now, device, count):
                begins, ends = line.month(now.wall)
                found = Counted(now, name, device, count, month=begins, ends=ends)
                self._told[name] = found
                self._emit(found)


def _is_news(told: Counted | None, now: Instant, device: int, count: int) -> bool:
    if told is None or told.device != device or count < told.carried_bytes:
        return True
    return count - told.carried_bytes >= MUCH_BYTES or now.since(told.at) >= EVERY_S


def _index(interface: str) -> int:
    try:
        return socket.if_nametoindex(interface)
    except OSError:
        return 0  # it went away just now
