"""The door: who may connect at all, how many at once, and for how long without saying anything.

Sockets go in; those of the LAN are handed to the web server, others are closed without a word.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from edge_watchdog.clock import Clock
from edge_watchdog.desk.lan import Lan

IDLE_S = 15.0
SWEEP_S = 2.0
HANDSHAKE_S = 10.0
GONE_MS = 20_000  # a page whose network vanished is dropped after this long
BACKLOG = 64
FIRST_PASSED_FD = 3  # sd_listen_fds(3)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Guest:
    """One open connection; *since* is when it last began or ended a request."""

    peer: str
    since: float
    busy: int = 0


class Door:
    """Lets in at most *most* connections, and a quarter of them from one address of the LAN."""

    def __init__(self, lan: Lan, clock: Clock, most: int) -> None:
        self._lan = lan
        self._clock = clock
        self._most = most
        self._guests: dict[asyncio.BaseTransport, Guest] = {}
        self._greeted: dict[asyncio.Task[None], str] = {}
        self.refused: Counter[str] = Counter()

    async def admit(
        self,
        listener: socket.socket,
        server: web.Server,
        context: Callable[[], ssl.SSLContext | None] | None = None,
    ) -> None:
        """Accept from *listener* for ever; with *context* HTTPS, or nobody while it gives None."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, _ = await loop.sock_accept(listener)
            except OSError as error:  # out of files, or the caller was gone already
                log.warning("door: not accepted: %s", error.strerror)
                await asyncio.sleep(0.1)
                continue
            if not self._welcome(peer):
                _slam(peer)
                continue
            if context is None:
                await self._greet(peer, server, None)
                continue
            made = context()
            if made is None:
                _slam(peer)
                continue
            # a handshake takes as long as the other side likes: nobody else may wait for it
            task = loop.create_task(self._greet(peer, server, made))
            with contextlib.suppress(OSError):
                self._greeted[task] = peer.getpeername()[0]
            task.add_done_callback(lambda done: self._greeted.pop(done, None))

    async def _greet(
        self, peer: socket.socket, server: web.Server, context: ssl.SSLContext | None
    ) -> None:
        """Hand a connection to the web server; one that goes wrong is no news."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            address = peer.getpeername()[0]
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
            limit_s = HANDSHAKE_S if context else None
            transport, _ = await loop.connect_accepted_socket(
                server, peer, ssl=context, ssl_handshake_timeout=limit_s
            )
            self._guests[transport] = Guest(address, self._clock.now().mono)

    async def sweep(self) -> None:
        """Close, for ever, connections that say nothing."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self._clock.now().mono
            for transport, guest in list(self._guests.items()):
                if transport.is_closing():
                    del self._guests[transport]
                elif not guest.busy and now - guest.since > IDLE_S:
                    transport.close()

    @contextlib.asynccontextmanager
    async def serving(self, transport: asyncio.BaseTransport | None) -> AsyncIterator[None]:
        """Count a request in progress."""
        guest = self._guests.get(transport) if transport else None
        guest = guest or Guest("", 0.0)
        guest.busy += 1
        try:
            yield
        finally:
            guest.busy -= 1
            guest.since = self._clock.now().mono

    def _welcome(self, peer: socket.socket) -> bool:
        try:
            local, remote = peer.getsockname()[0], peer.getpeername()[0]
        except OSError:
            return False
        if not self._lan.lets_in(local, remote):
            self.refused["not of the LAN"] += 1
            return False
        open_now = [g.peer for t, g in self._guests.items() if not t.is_closing()]
        open_now += self._greeted.values()
        from_there = open_now.count(remote)
        if len(open_now) >= self._most or (
            from_there >= self._most // 4 and not remote.startswith("127.")
        ):
            self.refused["too many"] += 1
            return False
        return True


def sober_log() -> logging.Logger:
    """Give a log for the web server that keeps quiet about requests that are not HTTP.

    Each would be a traceback that repeats what a stranger sent; a fault of ours is still told.
    """
    made = logging.getLogger(f"{__name__}.http")
    if not made.filters:
        made.addFilter(_is_ours)
    return made


def _is_ours(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, HttpProcessingError)


def listeners(host: str, port: int) -> list[socket.socket]:
    """Take the sockets that systemd passed (sd_listen_fds(3)), else listen on *host*:*port*.

    Raises OSError.
    """
    passed = _passed()
    if passed:
        return passed
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return [listener]


def _passed() -> list[socket.socket]:
    """Take over the sockets; the variables are removed, so that no child believes they are its."""
    meant_for = os.environ.pop("LISTEN_PID", "")
    count = os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant_for != str(os.getpid()) or not count.isdecimal():
        return []
    found = []
    for number in range(FIRST_PASSED_FD, FIRST_PASSED_FD + int(count)):
        os.set_inheritable(number, False)
        one = socket.socket(fileno=number)
        one.setblocking(False)
        found.append(one)
    return found


def _slam(peer: socket.socket) -> None:
    """Close at once, without leaving the connection's remains in the kernel."""
    with contextlib.suppress(OSError):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
