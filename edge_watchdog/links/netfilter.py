"""A word with the kernel's netfilter, without starting a program for it.

In: messages of ours.  Out: the kernel's answers, or a LinkError in its words.  Starting ``nft`` or
``conntrack`` takes a hundred times as long as what they then do, so what a failover waits for is
said here; what is loaded once is written in nft's own language (firewall.py).  Every message goes
by a socket of its own: nothing is left over from the one before.  The kernel may take its time,
so a thread waits for it, and the probes go on.

Formats: include/uapi/linux/netlink.h and include/uapi/linux/netfilter/nfnetlink.h.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.links import LinkError

NETLINK_NETFILTER = 12
CT, NFT = 1, 10  # subsystems: conntrack, nftables
BATCH_BEGIN, BATCH_END = 0x10, 0x11
ANY, INET, IPV4 = 0, 1, 2  # families
REQUEST, MULTI_PART, ACK, DUMP, CREATE = 0x1, 0x2, 0x4, 0x300, 0x400
ERROR, DONE, FIRST_OF_OURS = 2, 3, 0x10
GET_GENERATION, GENERATION_ID = 16, 1
NESTED, KIND_MASK = 0x8000, 0x3FFF
SOL_NETLINK, CAP_ACK, SO_SNDBUFFORCE = 270, 10, 32
PATIENCE_S = 1.0  # the kernel answers before send() is over
CHUNK_BYTES = 65536
ROOM_BYTES = 65536  # the kernel counts its own book-keeping too
AT_ONCE = 200  # answers that surely fit into the socket

WORDS = {
    errno.EPERM: "not permitted; the watch half needs CAP_NET_ADMIN",
    errno.ENOENT: "our table, or what was to be changed in it, is not there",
}

_HEADER = struct.Struct("=IHHII")  # length, kind, flags, number, port
_FAMILY = struct.Struct(">BBH")  # family, version, resource
_ATTRIBUTE = struct.Struct("=HH")
_CODE = struct.Struct("=i")


class RefusedError(LinkError):
    """The kernel said no; *code* is its errno."""

    def __init__(self, code: int) -> None:
        words = WORDS.get(code) or os.strerror(code)
        super().__init__(f"the kernel's packet filter refused: {words}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One request: *kind* within its *subsystem*, and its attributes as bytes."""

    subsystem: int
    kind: int
    payload: bytes = b""
    family: int = ANY
    flags: int = 0


def attribute(kind: int, value: bytes) -> bytes:
    """Give one attribute, padded."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def nest(kind: int, *inner: bytes) -> bytes:
    """Give an attribute that holds others; together at most 64 KB."""
    return attribute(kind | NESTED, b"".join(inner))


def attributes(data: bytes) -> Mapping[int, bytes]:
    """Read attributes, by kind; of several of one kind the last."""
    return dict(each_attribute(data))


def each_attribute(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Read attributes in their order: kind and value."""
    place = 0
    while place + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, place)
        if length < 4:
            return
        yield kind & KIND_MASK, data[place + 4 : place + length]
        place += length + 3 & ~3


def no_table(name: str) -> str:
    """Give the nft text that removes *name*, there or not: what is made first can be deleted."""
    return f"table {name}\ndelete table {name}\n"


async def change_filter(messages: Sequence[Message]) -> None:
    """Have the packet filter take all of *messages* or none; raises LinkError.

    It holds within a millisecond; where something was removed the kernel then waits until nobody
    uses it any more, and only then says so.
    """
    begin = _packed(0, Message(0, BATCH_BEGIN), 0, resource=NFT)
    end = _packed(len(messages) + 1, Message(0, BATCH_END), 0, resource=NFT)
    inner = [_packed(number, one, ACK) for number, one in enumerate(messages, 1)]
    with _open() as sock:
        codes = await asyncio.to_thread(_say, sock, b"".join((begin, *inner, end)), len(messages))
    for code in codes:
        if code:
            raise RefusedError(code)


async def tell(messages: Sequence[Message], *, fine: frozenset[int] = frozenset()) -> None:
    """Say *messages*, each for itself; *fine* are errors that are none.

    Raises LinkError at any other, when the rest of its two hundred is done.
    """
    with _open() as sock:
        for start in range(0, len(messages), AT_ONCE):
            some = messages[start : start + AT_ONCE]
            data = b"".join(_packed(number, one, ACK) for number, one in enumerate(some, 1))
            for code in await asyncio.to_thread(_say, sock, data, len(some)):
                if code and code not in fine:
                    raise RefusedError(code)


async def generation() -> int:
    """Give the number of the packet filter's state: every change raises it.  Raises LinkError."""
    found = [one async for one in ask(Message(NFT, GET_GENERATION), ACK)]
    return int.from_bytes(found[0][GENERATION_ID], "big")


async def ask(message: Message, how: int = DUMP) -> AsyncIterator[Mapping[int, bytes]]:
    """Give the attributes of everything that the kernel lists; raises LinkError.

    A long list holds nothing else up for longer than one piece of it takes.  *how* is ACK where
    there is one thing only.
    """
    with _open() as sock:
        _send(sock, _packed(1, message, how))
        while True:
            for kind, body in _messages(await asyncio.to_thread(_receive, sock)):
                if kind in (DONE, ERROR):
                    if code := -_CODE.unpack_from(body)[0]:
                        raise RefusedError(code)
                    return
                yield attributes(body[_FAMILY.size :])


def _packed(number: int, one: Message, more: int, *, resource: int = 0) -> bytes:
    body = _FAMILY.pack(one.family, 0, resource) + one.payload
    kind = one.subsystem << 8 | one.kind
    flags = REQUEST | one.flags | more
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0) + body


@contextlib.contextmanager
def _open() -> Iterator[socket.socket]:
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    except OSError as error:
        raise LinkError(f"the kernel's packet filter cannot be spoken to: {error}") from error
    with sock:
        sock.settimeout(PATIENCE_S)
        sock.setsockopt(SOL_NETLINK, CAP_ACK, 1)  # an error need not quote what we said
        yield sock


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        if len(data) > ROOM_BYTES:
            sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, len(data) + ROOM_BYTES)
        sock.send(data)
    except OSError as error:
        raise RefusedError(error.errno or 0) from error


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(CHUNK_BYTES)
    except OSError as error:
        raise LinkError(f"the kernel's packet filter did not answer: {error}") from error


def _say(sock: socket.socket, data: bytes, count: int) -> list[int]:
    """Say *count* messages; gives the kernel's answers, 0 or an errno each.

    Where it refuses a whole batch, that answer comes first, and maybe alone.
    """
    _send(sock, data)
    codes: list[int] = []
    while len(codes) < count and not (codes and codes[0]):
        found = (body for kind, body in _messages(_receive(sock)) if kind == ERROR)
        codes += [-_CODE.unpack_from(body)[0] for body in found]
    return codes


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Take apart what came by one recv: kind and body of each message."""
    place = 0
    while place + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, place)
        yield kind, data[place + _HEADER.size : place + length]
        place += max(_HEADER.size, length + 3 & ~3)
