"""Single echoes through one uplink that want something special of the packet: its life, its size.

In: whom to ask and how.  Out: an answer in full, somebody's objection, or silence.  Where echo
sockets are not permitted nothing is known (None).
"""

import asyncio
import secrets
import socket
import struct
from dataclasses import dataclass

from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.bind import Binding, close_quietly, open_socket
from edge_watchdog.probes.errqueue import TIME_EXCEEDED, UNREACHABLE, Trouble, listen, read_trouble

ECHO_REPLY, ECHO_REQUEST = 0, 8  # RFC 792
HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
HEADERS_BYTES = 28  # IPv4 without options, and ICMP
TOO_LARGE = 4  # RFC 1191: fragmentation needed and DF set
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE = 10, 3  # linux/in.h: never fragment, believe no former word
EMSGSIZE = 90
COOKIE_BYTES = 8
PATIENCE_S = 0.8


@dataclass(frozen=True, slots=True)
class Echo:
    """What became of one echo: answered in full, too large by somebody's word, or died at *hop*."""

    answered: bool = False
    too_large: bool = False
    hop: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How the packet is to be: *hops* it may live, its whole *size_bytes*; None = as usual."""

    hops: int | None = None
    size_bytes: int | None = None


async def echo(
    binding: Binding, to: str, shape: Shape, *, patience_s: float = PATIENCE_S
) -> Echo | None:
    """Ask *to* once; None when this box could not ask."""
    try:
        sock = open_socket(binding, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    except ProbeError:
        return None
    try:
        return await _ask(sock, to, shape, patience_s)
    except OSError as error:
        return Echo(too_large=True) if error.errno == EMSGSIZE else None
    finally:
        close_quietly(sock)


async def _ask(sock: socket.socket, to: str, shape: Shape, patience_s: float) -> Echo:
    listen(sock)
    size = max(shape.size_bytes or 0, HEADERS_BYTES + COOKIE_BYTES) - HEADERS_BYTES
    cookie = secrets.token_bytes(size)
    if shape.hops is not None:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, shape.hops)
    if shape.size_bytes is not None:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        sock.sendto(HEADER.pack(ECHO_REQUEST, 0, 0, 0, 1) + cookie, (to, 0))
        async with asyncio.timeout(patience_s):
            while (heard := _hear(sock, to, cookie)) is None:
                ready.clear()
                await ready.wait()
            return heard
    except TimeoutError:
        return Echo()
    finally:
        loop.remove_reader(sock)


def _hear(sock: socket.socket, to: str, cookie: bytes) -> Echo | None:
    """Read what came; None when it says nothing about our question."""
    trouble = read_trouble(sock)
    if trouble is not None:
        return _objection(trouble)
    try:
        data, sender = sock.recvfrom(65_535)
    except OSError:
        return None  # nothing yet, or an error whose words stand in the error queue
    is_ours = sender[0] == to and data[:1] == bytes([ECHO_REPLY])
    # some hosts answer large echoes with small ones: that says nothing of the way back
    return Echo(answered=True) if is_ours and data[HEADER.size :] == cookie else None


def _objection(trouble: Trouble) -> Echo | None:
    if trouble.error == EMSGSIZE or (trouble.kind, trouble.code) == (UNREACHABLE, TOO_LARGE):
        return Echo(too_large=True, hop=trouble.offender)
    return Echo(hop=trouble.offender) if trouble.kind == TIME_EXCEEDED else None
