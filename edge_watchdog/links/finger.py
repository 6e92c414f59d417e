"""A finger on each wire, some sixty times a second: is there a signal, and does anything come back?

In: the interfaces.  Out: *on_signal* when a carrier came or went, *on_doubt* when an uplink sends
and hears nothing.  The rule: what is felt here proves nothing; it has others look or ask sooner.

The kernel tells of carriers by itself, but at most once a second for the whole machine (linkwatch):
a cable pulled just after another event is told up to a second late.  ETHTOOL_GLINK says it now.
"""

import array
import asyncio
import contextlib
import fcntl
import os
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

EVERY_S = 0.015
QUIET_TOUCHES = 5  # longer than an answer takes on most lines
SENT_PACKETS = 2  # one packet may need no answer
RATE_LIMIT_TOUCHES = 33
SIOCETHTOOL, ETHTOOL_GLINK = 0x8946, 0x0A  # linux/sockios.h, linux/ethtool.h
IFREQ = struct.Struct("16sP16x")
COUNTERS = "/proc/self/net/dev"
RECEIVED, SENT = 1, 9  # fields of a line of it: packets in, packets out


class Wires(Protocol):
    """How the wires are felt."""

    def signal(self, interface: str) -> bool | None:
        """Tell whether there is a carrier; None when there is no such device, or it cannot tell."""

    def packets(self) -> Mapping[str, tuple[int, int]]:
        """Give how many packets each device has received and sent."""


class KernelWires:
    """The kernel's own word; close() it."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._counters = os.open(COUNTERS, os.O_RDONLY)
        self._requests: dict[str, tuple[bytes, array.array[int]]] = {}
        self._text, self._found = b"", dict[str, tuple[int, int]]()

    def signal(self, interface: str) -> bool | None:
        """Ask the driver."""
        if interface not in self._requests:
            value = array.array("I", (ETHTOOL_GLINK, 0))
            packed = IFREQ.pack(interface.encode(), value.buffer_info()[0])
            self._requests[interface] = (packed, value)
        request, value = self._requests[interface]
        try:
            fcntl.ioctl(self._sock, SIOCETHTOOL, request)
        except OSError:
            return None
        return bool(value[1])

    def packets(self) -> Mapping[str, tuple[int, int]]:
        """Read the counters; most of the time nothing has moved."""
        text = os.pread(self._counters, 1 << 16, 0)
        if text != self._text:
            self._text, self._found = text, _counted(text.decode("ascii"))
        return self._found

    def close(self) -> None:
        """Let go."""
        self._sock.close()
        os.close(self._counters)


def _counted(text: str) -> dict[str, tuple[int, int]]:
    found = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        fields = numbers.split()
        found[name.strip()] = int(fields[RECEIVED]), int(fields[SENT])
    return found


@dataclass(slots=True)
class Felt:
    """What one wire was like at the last touches; *rest* touches pass before it is doubted again.

    *heard*, *sent*: the counters when something last came in.
    """

    signal: bool | None = None
    heard: int = 0
    sent: int = 0
    quiet: int = 0
    rest: int = 0
    is_doubted: bool = True  # nothing was heard yet


class Finger:
    """Feels *interfaces* (by uplink) for ever; the callbacks must not wait.

    *called* gives the present name of an interface.
    """

    def __init__(
        self,
        interfaces: Mapping[str, str],
        *,
        on_signal: Callable[[], None],
        on_doubt: Callable[[str], None],
        called: Callable[[str], str] = str,
    ) -> None:
        self._called = called
        self._interfaces = dict(interfaces)
        self._on_signal = on_signal
        self._on_doubt = on_doubt
        self._felt = {name: Felt() for name in interfaces}

    async def run(self) -> None:
        """Feel them for ever."""
        with contextlib.closing(KernelWires()) as wires:
            while True:
                self.touch(wires)
                await asyncio.sleep(EVERY_S)

    def touch(self, wires: Wires) -> None:
        """Feel every wire once."""
        packets = wires.packets()
        for uplink, configured in self._interfaces.items():
            felt, interface = self._felt[uplink], self._called(configured)
            signal = wires.signal(interface)
            if signal is not felt.signal:
                felt.signal = signal
                self._on_signal()
            if interface in packets and _is_doubtful(felt, *packets[interface]):
                self._on_doubt(uplink)


def _is_doubtful(felt: Felt, heard: int, sent: int) -> bool:
    """Tell, once in each silence, that packets leave and none has come for a moment."""
    felt.rest = max(0, felt.rest - 1)
    if heard != felt.heard:
        felt.heard, felt.sent, felt.quiet, felt.is_doubted = heard, sent, 0, False
        return False
    felt.quiet += 1
    waits = felt.quiet >= QUIET_TOUCHES and sent - felt.sent >= SENT_PACKETS
    if not waits or felt.is_doubted or felt.rest:
        return False
    felt.is_doubted, felt.rest = True, RATE_LIMIT_TOUCHES
    return True
