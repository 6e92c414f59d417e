"""Name lookups through one uplink: one question to one server, and a resolver for HTTP sessions.

In goes a way to open bound sockets; the system's resolver is never used.  The resolver asks the
uplink's own servers first and others as a reserve, those by TCP too when nobody answers by UDP, and
tells which it was: what the reserve knows says nothing about the uplink's own servers.
"""

import asyncio
import errno
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, replace

from aiohttp.abc import AbstractResolver, ResolveResult

from edge_watchdog.clock import Clock
from edge_watchdog.core.model import Finding
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.dns import (
    NOERROR,
    Answer,
    Question,
    build_query,
    parse_response,
    question_of,
)

DNS_PORT = 53
RACE_S = 0.3  # the next server is asked as well when one has been silent this long
TOTAL_S = 2.0
BY_TCP, BY_TCP_S = 2, 1.4  # servers of the reserve; so that all ends when UDP alone would
DATAGRAM_BYTES = 4096
SHORTEST_S, LONGEST_S = 5, 300  # bounds on how long an answer is used
STALE_S = 3600.0  # an old answer serves this long when nobody answers
CACHE_NAMES = 64

Opener = Callable[[int], socket.socket]


@dataclass(frozen=True, slots=True)
class Heard:
    """What one server said; *answer* is None unless a response to our question came."""

    finding: Finding
    answer: Answer | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of a name; *reserve* and *stale* say that the uplink's servers did not help."""

    addresses: tuple[str, ...]
    server: str
    until: float
    reserve: bool = False
    stale: bool = False


async def ask(
    opener: Opener, server: str, question: Question, *, timeout_s: float, by_tcp: bool = False
) -> Heard:
    """Ask *server* once by UDP, and by TCP if the answer was cut; never raises for the network.

    *by_tcp*: by TCP alone.

    ANSWERED: any response, whatever its code.  WRONG_ANSWER: the server's host has no DNS there.
    """
    ident = secrets.randbits(16)
    query = build_query(question, ident)
    sock = None
    if not by_tcp:
        try:
            sock = _send(opener, server, query)
        except OSError as error:
            return Heard(Finding.NOT_ASKED, detail=error.strerror or str(error))
    try:
        async with asyncio.timeout(timeout_s):
            answer = None
            if sock is not None:
                with sock:
                    answer = await _await_response(sock, question, ident)
            if answer is None or answer.truncated:
                answer = await _ask_by_tcp(opener, server, query, question)
    except TimeoutError:
        return Heard(Finding.SILENT)
    except ProbeError as error:
        return Heard(Finding.WRONG_ANSWER, detail=str(error))
    except ConnectionRefusedError:
        return Heard(Finding.WRONG_ANSWER, detail="no DNS service there")
    except OSError as error:
        return Heard(Finding.UNREACHABLE, detail=error.strerror or str(error))
    return Heard(Finding.ANSWERED, answer)


def _send(opener: Opener, server: str, query: bytes) -> socket.socket:
    """Give the socket on which *query* left; an OSError here is our own inability."""
    sock = opener(socket.SOCK_DGRAM)
    try:
        sock.connect((server, DNS_PORT))  # the kernel then takes answers from nobody else
        sock.send(query)
    except OSError:
        sock.close()
        raise
    return sock


async def _await_response(sock: socket.socket, question: Question, ident: int) -> Answer:
    loop = asyncio.get_running_loop()
    while True:
        data = await loop.sock_recv(sock, DATAGRAM_BYTES)
        try:
            return parse_response(data, question, ident)
        except ProbeError:
            continue  # forged or broken: the true answer may still come


async def _ask_by_tcp(opener: Opener, server: str, query: bytes, question: Question) -> Answer:
    loop = asyncio.get_running_loop()
    with opener(socket.SOCK_STREAM) as sock:
        await loop.sock_connect(sock, (server, DNS_PORT))
        await loop.sock_sendall(sock, len(query).to_bytes(2, "big") + query)
        length = int.from_bytes(await _read_exactly(sock, 2), "big")
        data = await _read_exactly(sock, length)
        return parse_response(data, question, int.from_bytes(query[:2], "big"))


async def _read_exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    while len(data) < count:
        more = await loop.sock_recv(sock, count - len(data))
        if not more:
            raise ProbeError("the server hung up in the middle of its answer")
        data += more
    return data


class UplinkResolver(AbstractResolver):
    """Looks names up for HTTP sessions: IPv4 only, a small cache, an old answer before none."""

    def __init__(
        self, opener: Opener, lease: tuple[str, ...], reserve: tuple[str, ...], clock: Clock
    ) -> None:
        """Ask *lease* first; a server in both counts as *lease*."""
        self._opener = opener
        self._lease = frozenset(lease)
        self._reserve = reserve
        self._servers = tuple(dict.fromkeys((*lease, *reserve)))
        self._clock = clock
        self._known: dict[str, Found] = {}

    def found(self, host: str) -> Found | None:
        """Tell what was last found for *host*, and by whom."""
        return self._known.get(host.rstrip(".").lower())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses of *host*.  Raises OSError; its errno tells our own fault apart."""
        if family not in (socket.AF_INET, socket.AF_UNSPEC):
            raise OSError(errno.EAFNOSUPPORT, "only IPv4 is looked up")
        found = await self._find(host.rstrip(".").lower())
        return [
            ResolveResult(hostname=host, host=a, port=port, family=socket.AF_INET, proto=0, flags=0)
            for a in found.addresses
        ]

    async def close(self) -> None:
        """Forget everything."""
        self.forget()

    def forget(self) -> None:
        """Ask anew for every name."""
        self._known.clear()

    async def _find(self, host: str) -> Found:
        if is_address(host):
            return Found((host,), "", 0.0)
        now = self._clock.now().mono
        known = self._known.get(host)
        if known is not None and now < known.until:
            return known
        try:
            question = question_of(host)
        except ProbeError as error:
            raise OSError(errno.EINVAL, str(error)) from error
        race = _Race(self._opener, self._servers, self._reserve, question)
        winner = await race.run()
        if winner is not None:
            found = self._note(host, *winner)
        elif known is not None and now < known.until + STALE_S:
            found = self._known[host] = replace(known, stale=True)
        else:
            raise race.failure()
        return found

    def _note(self, host: str, turn: "_Turn", answer: Answer) -> Found:
        ttl_s = min(max(answer.ttl_s or 0, SHORTEST_S), LONGEST_S)
        until = self._clock.now().mono + ttl_s
        is_reserve = turn.by_tcp or turn.server not in self._lease
        found = Found(answer.addresses, turn.server, until, reserve=is_reserve)
        self._known.pop(host, None)
        self._known[host] = found
        while len(self._known) > CACHE_NAMES:
            self._known.pop(next(iter(self._known)))
        return found


@dataclass(frozen=True, slots=True)
class _Turn:
    """One server, and how it is asked."""

    server: str
    by_tcp: bool = False


class _Race:
    """Servers asked one after the other, RACE_S apart or at once after a failure; first wins.

    Where nobody has answered anything by UDP, *reserve* is asked by TCP in the end.
    """

    def __init__(
        self,
        opener: Opener,
        servers: tuple[str, ...],
        reserve: tuple[str, ...],
        question: Question,
    ) -> None:
        self._opener = opener
        self._turns = [*map(_Turn, servers), *(_Turn(one, by_tcp=True) for one in reserve[:BY_TCP])]
        self._question = question
        self._losers: list[Heard] = []

    async def run(self) -> tuple[_Turn, Answer] | None:
        waiting = list(self._turns)
        running: dict[asyncio.Task[Heard], _Turn] = {}
        try:
            while waiting or running:
                if waiting:
                    turn = waiting.pop(0)
                    running[asyncio.create_task(self._ask(turn))] = turn
                pause = RACE_S if waiting else None
                done, _ = await asyncio.wait(
                    running, timeout=pause, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    turn, heard = running.pop(task), task.result()
                    if heard.answer is not None and _is_useful(heard.answer):
                        return turn, heard.answer
                    self._losers.append(heard)
                    if heard.answer is not None or heard.finding is Finding.NOT_ASKED:
                        # it is the name that is not known, or the box that cannot ask
                        waiting = [one for one in waiting if not one.by_tcp]
        finally:
            await _cancel(running)
        return None

    def _ask(self, turn: _Turn) -> Coroutine[object, object, Heard]:
        wait_s, by_tcp = BY_TCP_S if turn.by_tcp else TOTAL_S, turn.by_tcp
        return ask(self._opener, turn.server, self._question, timeout_s=wait_s, by_tcp=by_tcp)

    def failure(self) -> OSError:
        """Say why nobody could help: our own inability, or what the servers said."""
        name = self._question.name
        if not self._turns:
            return OSError(errno.ENETUNREACH, f"no name server is known to look up {name}")
        if all(heard.finding is Finding.NOT_ASKED for heard in self._losers):
            return OSError(errno.ENETUNREACH, f"cannot ask for {name}: {self._losers[0].detail}")
        return OSError(errno.EHOSTUNREACH, f"{name}: {', '.join(self._said())}")

    def _said(self) -> list[str]:
        words = [
            heard.answer.rcode_name if heard.answer is not None else heard.detail or heard.finding
            for heard in self._losers
        ]
        return list(dict.fromkeys("no address" if word == "NOERROR" else word for word in words))


async def _cancel(tasks: Collection[asyncio.Task[Heard]]) -> None:
    for task in tasks:
        task.cancel()
    waits: list[Awaitable[object]] = list(tasks)
    await asyncio.gather(*waits, return_exceptions=True)


def _is_useful(answer: Answer) -> bool:
    return answer.rcode == NOERROR and bool(answer.addresses)


def is_address(host: str) -> bool:
    """Tell whether *host* is an IPv4 literal and needs no lookup."""
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True
