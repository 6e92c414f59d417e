"""What the network said about a packet we sent: the kernel's error queue (IP_RECVERR), as values.

A router's "unreachable" says that the path is broken and who says so.  The target's own
"port unreachable" is an answer: the path works.
"""

import errno
import os
import socket
import struct
from dataclasses import dataclass

from edge_watchdog.core.model import Finding

IP_RECVERR = 11  # linux/in.h
EXTENDED = struct.Struct("=IBBBxII")  # struct sock_extended_err, linux/errqueue.h
ORIGIN_LOCAL, ORIGIN_ICMP = 1, 2
UNREACHABLE, TIME_EXCEEDED = 3, 11  # RFC 792
FAMILY_PORT_ADDRESS = struct.Struct("=HH4s")  # struct sockaddr_in without its padding
ANCILLARY_BYTES = 512
CODES = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    9: "network prohibited",
    10: "host prohibited",
    13: "prohibited by a filter",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One entry: our packet *to* an address, its *payload* as far as quoted, and who objected."""

    to: str
    payload: bytes
    error: int
    origin: int
    kind: int
    code: int
    offender: str | None


def listen(sock: socket.socket) -> None:
    """Have the kernel keep errors for *sock*.  Raises OSError."""
    sock.setsockopt(socket.SOL_IP, IP_RECVERR, 1)


def read_trouble(sock: socket.socket) -> Trouble | None:
    """Give the next entry of the error queue, None when it is empty or is no entry we know."""
    try:
        payload, ancillary, _, to = sock.recvmsg(
            1024, ANCILLARY_BYTES, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
        )
    except OSError:
        return None  # EAGAIN is the end of the queue; any other error is consumed by reading it
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_IP, IP_RECVERR) and len(data) >= EXTENDED.size:
            address = to[0] if to else ""
            return _read(address, payload, data)
    return None


def _read(to: str, payload: bytes, data: bytes) -> Trouble:
    error, origin, kind, code, _, _ = EXTENDED.unpack_from(data)
    offender = None
    if len(data) >= EXTENDED.size + FAMILY_PORT_ADDRESS.size:
        family, _, packed = FAMILY_PORT_ADDRESS.unpack_from(data, EXTENDED.size)
        if family == socket.AF_INET:
            offender = socket.inet_ntoa(packed)
    return Trouble(to, payload, error, origin, kind, code, offender)


def judge(trouble: Trouble, target: str, source: str) -> tuple[Finding, str] | None:
    """Say what *trouble* tells of a question to *target* from our *source*; None if nothing."""
    if trouble.origin == ORIGIN_LOCAL:
        return Finding.NOT_ASKED, os.strerror(trouble.error)
    if trouble.origin != ORIGIN_ICMP or trouble.kind not in (UNREACHABLE, TIME_EXCEEDED):
        return None  # redirects and source quench are no verdict
    what = "time exceeded"
    if trouble.kind == UNREACHABLE:
        what = CODES.get(trouble.code, f"unreachable (code {trouble.code})")
    if trouble.offender == target:
        return Finding.ANSWERED, what
    if trouble.offender == source:
        # the kernel reports a failed ARP to itself, in our own name
        return Finding.UNREACHABLE, "no answer on the local network (ARP)"
    return Finding.UNREACHABLE, f"{what}, says {trouble.offender or 'a router'}"


OUR_OWN = frozenset(
    {
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
        errno.ENODEV,
        errno.ENXIO,
        errno.EPERM,
        errno.EACCES,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
        errno.EAGAIN,
        errno.EINVAL,
    }
)  # errors of sending that tell of this box and not of the path
