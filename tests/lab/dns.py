"""A small DNS server for the lab's hosts: A records by name, NXDOMAIN for what nobody has.

In: a query as bytes.  Out: the answer as bytes (RFC 1035), or None for what is no query.  Any name
below FRESH has an address too: such a name stands in nobody's cache.

A server can be told to misbehave: "servfail" answers every name with a failure, "hijack" every
name with LIE_ADDRESS, "rewrite" so only names that nobody has.  Lies live zero seconds, so that no
cache on the way keeps one after the fault is healed.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from tests.lab.places import LIE_ADDRESS

QUERY_A, QUERY_NS, QUERY_SOA = 1, 2, 6
TTL_S = 30
FRESH, FRESH_ADDRESS = "fresh.example", "203.0.113.200"
NO_SUCH_NAME, SERVER_FAILED = 3, 2
Words = Callable[[], frozenset[str]]
_SOA = b"\x02ns\x07example\x00" + b"\x04host\x07example\x00" + struct.pack("!5I", 1, 60, 60, 60, 30)


def answer(
    query: bytes, hosts: Mapping[str, str], words: frozenset[str] = frozenset()
) -> bytes | None:
    """Answer one query from *hosts* (name without the last dot -> IPv4 address).

    *words*: how the server misbehaves.
    """
    if len(query) < 17 or query[2] & 0x80:
        return None
    name, end = _name(query)
    if end is None or end + 4 > len(query):
        return None
    kind = struct.unpack("!H", query[end : end + 2])[0]
    question = query[12 : end + 4]
    address = FRESH_ADDRESS if name.endswith(f".{FRESH}") else hosts.get(name, "")
    is_missing = bool(name) and not address and not _is_parent(name, (*hosts, FRESH))
    is_lie = bool(name) and ("hijack" in words or ("rewrite" in words and is_missing))
    record, code = b"", NO_SUCH_NAME if is_missing and not is_lie else 0
    if "servfail" in words:
        code = SERVER_FAILED
    elif name == "" and kind in (QUERY_NS, QUERY_SOA):
        data = b"\x02ns\x07example\x00" if kind == QUERY_NS else _SOA
        record = b"\x00" + struct.pack("!HHIH", kind, 1, TTL_S, len(data)) + data
    elif (address or is_lie) and kind == QUERY_A:
        ttl_s, shown = (0, LIE_ADDRESS) if is_lie else (TTL_S, address)
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, ttl_s, 4) + socket.inet_aton(shown)
    authority = b"" if record else b"\x00" + struct.pack("!HHIH", 6, 1, TTL_S, len(_SOA)) + _SOA
    flags = 0x8480 | (query[2] & 0x01) << 8 | code
    counts = (1, 1 if record else 0, 1 if authority else 0, 0)
    return query[:2] + struct.pack("!5H", flags, *counts) + question + record + authority


def _name(query: bytes) -> tuple[str, int | None]:
    labels, at = [], 12
    while at < len(query) and query[at]:
        length = query[at]
        if length > 63:
            return "", None
        labels.append(query[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _is_parent(name: str, hosts: Iterable[str]) -> bool:
    return any(host.endswith("." + name) for host in hosts)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, hosts: Mapping[str, str], words: Words) -> None:
        self._hosts, self._words = hosts, words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport is no DatagramTransport in Python 3.11.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = answer(data, self._hosts, self._words())
        if reply is not None:
            self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        print("name server:", exc, flush=True)


async def serve(
    udp: socket.socket, tcp: socket.socket, hosts: Mapping[str, str], words: Words
) -> asyncio.Server:
    """Answer on two bound sockets until the loop ends; *words* gives how, at each query."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            reply = answer(await reader.readexactly(size), hosts, words())
            if reply is not None:
                writer.write(struct.pack("!H", len(reply)) + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: _Datagrams(hosts, words), sock=udp)
    return await asyncio.start_server(talk, sock=tcp)
