"""What every way of asking has in common: a target, something heard, a socket that is drained.

A method sends a numbered question to an address and later gives what was heard, numbers included;
it knows nothing of timers or verdicts.  book.py keeps those.
"""

import errno
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge_watchdog.clock import age_of
from edge_watchdog.core.model import Finding, Layer
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.errqueue import ANCILLARY_BYTES, Trouble, read_trouble

DATAGRAM_BYTES = 2048
DRAIN_LIMIT = 256  # datagrams taken in one go; the rest waits one turn of the loop
SO_TIMESTAMPNS_NEW = 64  # asm-generic/socket.h: two 64-bit numbers on every architecture
TIMESPEC = struct.Struct("=qq")
OLDEST_S = 5.0  # a larger age is a wall clock that was set, not a packet that waited
SEND_BUFFER_BYTES = 212_992  # a dead gateway keeps unsent probes queued for three seconds


class Method(StrEnum):
    """How an address is asked."""

    ICMP = "icmp"
    DNS = "dns"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Target:
    """One address asked by one method; *label* is the Sample's target."""

    method: Method
    address: str
    layer: Layer = Layer.INTERNET
    operator: str = ""
    port: int = 0

    @property
    def label(self) -> str:
        """Give the name under which answers are counted."""
        if self.method is Method.TCP:
            return f"tcp {self.address}:{self.port}"
        return f"{self.method} {self.address}"


@dataclass(frozen=True, slots=True)
class Heard:
    """Something about question *number* to *address*, that the kernel had since *age_s* seconds."""

    number: int
    address: str
    finding: Finding = Finding.ANSWERED
    detail: str = ""
    age_s: float = 0.0


class Asker(Protocol):
    """One method through one uplink.  Numbers are 0 to 65535, unique among open questions."""

    def ask(self, target: Target, number: int) -> None:
        """Send one question.  Raises ProbeError when it could not leave."""

    def receive(self) -> list[Heard]:
        """Give everything that came since the last call; never waits."""

    def forget(self, number: int) -> None:
        """Expect nothing more for *number*."""

    def close(self) -> None:
        """Give the sockets back."""


def prepare(sock: socket.socket) -> None:
    """Have the kernel stamp what arrives and keep a roomy queue for what leaves."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS_NEW, 1)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:  # before Linux 5.1: times are then taken on reading
            raise


def send(sock: socket.socket, data: bytes, to: tuple[str, int], settle: Callable[[], None]) -> None:
    """Send *data*; *settle* reads the error queue.  Raises ProbeError when it could not leave.

    The kernel reports what the network said of an earlier packet on the next call, and then sends
    nothing: such a report is settled and the packet is sent again.
    """
    try:
        sock.sendto(data, to)
    except OSError:
        settle()
    else:
        return
    try:
        sock.sendto(data, to)
    except OSError as error:
        raise ProbeError(f"cannot send: {error.strerror or error}") from error


def drain(
    sock: socket.socket,
    read: Callable[[bytes, str, float], Heard | None],
    blame: Callable[[Trouble], Heard | None],
) -> list[Heard]:
    """Read answers, then the error queue, until both are empty."""
    heard: list[Heard | None] = []
    for _ in range(DRAIN_LIMIT):
        try:
            data, ancillary, _, sender = sock.recvmsg(DATAGRAM_BYTES, ANCILLARY_BYTES)
        except BlockingIOError:
            break
        except OSError:
            continue  # a report of the network; its words follow in the error queue
        heard.append(read(data, sender[0], _age_s(ancillary)))
    for _ in range(DRAIN_LIMIT):
        trouble = read_trouble(sock)
        if trouble is None:
            break
        heard.append(blame(trouble))
    return [item for item in heard if item is not None]


def _age_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS_NEW) and len(data) >= TIMESPEC.size:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            age_s = age_of(seconds + nanoseconds / 1e9)
            return age_s if 0 <= age_s <= OLDEST_S else 0.0
    return 0.0
