"""A box and its internet as two network namespaces: real packets, real ICMP errors, real drops.

Sockets stay in the namespace in which they were made, so one process plays both sides.
"""

import asyncio
import contextlib
import ctypes
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edge_watchdog.core.model import Anchor
from edge_watchdog.probes.bind import Binding
from edge_watchdog.probes.dns import HEADER, RESPONSE

CLONE_NEWNET = 0x40000000
CAP_NET_RAW = 13
BOX, GATEWAY = "192.0.2.10", "192.0.2.1"
BOX2, GATEWAY2 = "192.0.2.130", "192.0.2.129"
ALPHA, BETA, GAMMA = "198.51.100.1", "198.51.100.2", "203.0.113.1"
NOWHERE = "203.0.113.66"  # the gateway says "host unreachable"
ANCHORS = (
    Anchor("alpha", ALPHA, dns=True),
    Anchor("beta", BETA, dns=True),
    Anchor("gamma", GAMMA),
)
LIBC = ctypes.CDLL(None, use_errno=True)


def run(*words: str, stdin: str | None = None) -> None:
    done = subprocess.run(words, check=False, input=stdin, text=True, capture_output=True)
    assert done.returncode == 0, f"{words}: {done.stderr}\n{stdin or ''}"


@dataclass(frozen=True, slots=True)
class Wire:
    box: str
    far: str

    def in_box(self, *words: str) -> None:
        run("ip", "netns", "exec", self.box, *words)

    def in_far(self, *words: str, stdin: str | None = None) -> None:
        run("ip", "netns", "exec", self.far, *words, stdin=stdin)

    def filter(self, *rules: str, hook: str = "prerouting") -> None:
        """Have the far side's packet filter hold exactly *rules*."""
        chain = f"chain c {{ type filter hook {hook} priority -300; {'; '.join(rules)} ; }} ;"
        text = f"table ip t; delete table ip t; table ip t {{ {chain if rules else ''} ; }}"
        self.in_far("nft", "-f", "-", stdin=text.replace(";", "\n") + "\n")

    def allow_ping_sockets(self, *, allowed: bool) -> None:
        with inside(self.box):
            switch = Path("/proc/sys/net/ipv4/ping_group_range")
            switch.write_text("0 2147483647" if allowed else "1 0")


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Let this thread make its sockets in *namespace*."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    after = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        assert LIBC.setns(after, CLONE_NEWNET) == 0
        yield
    finally:
        assert LIBC.setns(before, CLONE_NEWNET) == 0
        os.close(before)
        os.close(after)


@contextlib.contextmanager
def without_raw_sockets() -> Iterator[None]:
    """Give CAP_NET_RAW up for a while, as an unprivileged program has none."""
    head = struct.pack("=Ii", 0x20080522, 0)
    data = ctypes.create_string_buffer(24)
    assert LIBC.capget(head, data) == 0
    words = list(struct.unpack("=6I", data.raw))
    words[0] &= ~(1 << CAP_NET_RAW)
    assert LIBC.capset(head, struct.pack("=6I", *words)) == 0
    try:
        yield
    finally:
        words[0] |= 1 << CAP_NET_RAW
        assert LIBC.capset(head, struct.pack("=6I", *words)) == 0


@contextlib.contextmanager
def wire() -> Iterator[Wire]:
    """Build both sides; afterwards nothing is left."""
    made = Wire(f"ewp{os.getpid()}b", f"ewp{os.getpid()}f")
    try:
        run("ip", "netns", "add", made.box)
        run("ip", "netns", "add", made.far)
        _wire_up(made)
        yield made
    finally:
        for name in (made.box, made.far):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def _wire_up(made: Wire) -> None:
    far = f"ip -n {made.far}"
    box = f"ip -n {made.box}"
    for number, (own, gateway, subnet) in enumerate(
        ((BOX, GATEWAY, "192.0.2.0/25"), (BOX2, GATEWAY2, "192.0.2.128/25"))
    ):
        name = f"up{number}"
        _lines(
            f"{box} link add {name} type veth peer name {name} netns {made.far}",
            f"{box} address add {own}/25 dev {name}",
            f"{far} address add {gateway}/25 dev {name}",
            f"{box} link set {name} up",
            f"{far} link set {name} up",
            f"{box} route add {subnet} dev {name} table {7001 + number}",
            f"{box} route add default via {gateway} dev {name} table {7001 + number}",
            f"{box} rule add oif {name} lookup {7001 + number}",
        )
    for address in (ALPHA, BETA, GAMMA):
        _lines(f"{far} address add {address}/32 dev lo")
    _lines(
        f"{box} link set lo up",
        f"{far} link set lo up",
        f"{box} route add default via {GATEWAY2} dev up1",
        f"{far} route add unreachable {NOWHERE}/32",
    )
    made.in_far("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_ratelimit=0")


def _lines(*lines: str) -> None:
    for line in lines:
        run(*line.split())


def binding(**changes: object) -> Binding:
    known: dict[str, object] = {
        "uplink": "broadband",
        "interface": "up0",
        "source": BOX,
        "gateway": GATEWAY,
        "resolvers": (ALPHA,),
    }
    return Binding(**{**known, **changes})  # type: ignore[arg-type]


Respond = Callable[[bytes], bytes | None]


def answer_with(address: str | None, *, rcode: int = 0, flags: int = 0) -> Respond:
    """Make a DNS server that says the same to everybody: one address, or none, and a code."""

    def respond(query: bytes) -> bytes:
        ident = int.from_bytes(query[:2], "big")
        count = 0 if address is None else 1
        head = HEADER.pack(ident, RESPONSE | 0x0180 | flags | rcode, 1, count, 0, 0)
        question = query[12 : query.index(b"\0", 12) + 5]
        if address is None:
            return head + question
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
        return head + question + record

    return respond


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, respond: Respond, seen: list[bytes]) -> None:
        self._respond = respond
        self._seen = seen
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._seen.append(data)
        reply = self._respond(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


@contextlib.asynccontextmanager
async def dns_server(net: Wire, address: str, respond: Respond):
    """Run a UDP DNS server on the far side; yields the queries seen."""
    with inside(net.far):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 53))
    sock.setblocking(False)
    seen: list[bytes] = []
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(respond, seen), sock=sock)
    try:
        yield seen
    finally:
        transport.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def tcp_dns_server(net: Wire, address: str, respond: Respond):
    """Run a TCP DNS server on the far side."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        reply = respond(await reader.readexactly(length)) or b""
        writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
        writer.close()

    with inside(net.far):
        sock = socket.create_server((address, 53))
    server = await asyncio.start_server(serve, sock=sock)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
