"""Names by TCP for the LAN's name service, while name servers cannot be asked by UDP.

In: questions as dnsmasq sends them, by UDP on the loopback.  Out: the same questions by TCP to
public name servers, over whatever line the box uses, and their answers back.  What is said is
neither read nor kept (RFC 1035 section 4.2.2: by TCP, a message has its length before it).
"""

import asyncio
import logging
import struct
from collections.abc import Sequence
from typing import cast

ADDRESS = "127.0.0.55"  # 53 and 54 may be systemd-resolved's
PORT = 53
TOTAL_S = 4.0  # a computer has asked again by then
NEXT_S = 0.3  # the next server is asked as well when one has said nothing for so long
MOST = 64  # questions at a time; the rest is asked again by who asked
MOST_BYTES = 1232  # of an answer by UDP: what dnsmasq takes, and no network cuts in two
LENGTH = struct.Struct("!H")
HEADER_BYTES, TYPE_AND_CLASS_BYTES = 12, 4
TRUNCATED = 0x02

log = logging.getLogger(__name__)


class ByTcp:
    """Asks *servers*, in this order, what it is asked on ADDRESS while it is open."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = tuple(servers)
        self._transport: asyncio.BaseTransport | None = None

    async def open(self) -> None:
        """Begin; raises OSError when the address cannot be had."""
        if self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Questions(self._servers), local_addr=(ADDRESS, PORT)
            )

    def close(self) -> None:
        """End; what is being asked is not answered any more."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class _Questions(asyncio.DatagramProtocol):
    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = servers
        self._running: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transport is no DatagramTransport in Python 3.11
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        for task in self._running:
            task.cancel()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < HEADER_BYTES or len(self._running) >= MOST:
            return
        task = asyncio.create_task(self._answer(data, addr))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, query: bytes, to: tuple[str, int]) -> None:
        reply = await ask_any(self._servers, query)
        if reply is not None and not self._transport.is_closing():
            self._transport.sendto(fitting(reply), to)


def fitting(reply: bytes) -> bytes:
    """Give *reply*, or its head marked as cut if it is too long: who asks comes by TCP then."""
    if len(reply) <= MOST_BYTES:
        return reply
    end = reply.index(0, HEADER_BYTES) + 1 + TYPE_AND_CLASS_BYTES  # of the question's name
    flags = bytes([reply[2] | TRUNCATED, reply[3]])
    return reply[:2] + flags + reply[4:6] + bytes(6) + reply[HEADER_BYTES:end]


async def ask_any(servers: Sequence[str], query: bytes, port: int = PORT) -> bytes | None:
    """Give the first answer to *query*; None when nobody answers in time."""
    waiting = [asyncio.create_task(_ask(s, port, query, n * NEXT_S)) for n, s in enumerate(servers)]
    try:
        async with asyncio.timeout(TOTAL_S):
            for first in asyncio.as_completed(waiting):
                reply = await first
                if reply is not None:
                    return reply
    except TimeoutError:
        pass
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return None


async def _ask(server: str, port: int, query: bytes, after_s: float) -> bytes | None:
    await asyncio.sleep(after_s)
    try:
        reader, writer = await asyncio.open_connection(server, port)
        try:
            writer.write(LENGTH.pack(len(query)) + query)
            await writer.drain()
            length = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
            reply = await reader.readexactly(length)
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError) as error:
        log.debug("names: %s by TCP: %s", server, error)
        return None
    return reply if reply[:2] == query[:2] and len(reply) >= HEADER_BYTES else None
