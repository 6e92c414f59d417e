"""Who hands out addresses in a local network, and does one of them lead computers astray?

In: an interface, and the router that works there.  Out: the one whose offer differs from that of
the server that works.  The rule: two servers that say the same are a pair, whoever they are; only
another router or other name servers make a stranger, and only beside what is known to work.

Nothing here takes a privilege beyond the one that routes need: the question leaves by an ordinary
socket, and the kernel's packet filter turns its port, and that of the answers to just this
question, into the ones of DHCP and back.  It forgets that with the question.
"""

import asyncio
import contextlib
import math
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from edge_watchdog.links import LinkError, elements
from edge_watchdog.links.dhcp import Offer, discover, read_offer
from edge_watchdog.links.netfilter import IPV4, no_table
from edge_watchdog.links.program import run_program

TABLE, SET = "edge_watchdog_offers", "heard"
IP_TABLE = f"ip {TABLE}"
EVERYBODY, SERVER_PORT = "255.255.255.255", 67
ADDRESS_BYTES, MAC_BYTES = 4, 6
MOST = 16  # whoever floods us fills no memory
BYTES = 1500
PATIENCE_S = 4.5  # dnsmasq looks for three seconds whether the address is free
AGAIN_S = 1.5  # one question may be lost

SELDOM_S = 600.0  # while nothing speaks for it
KNOWN_S = 30.0  # people who unplugged something want to see it
SOON_S = 60.0  # between two looks because something fails
GONE_ROUNDS = 2  # one answer may be lost


async def ask_for_offers(interface: str, mac: str) -> tuple[Offer, ...]:
    """Ask everybody on *interface*, whose own address is *mac*; takes PATIENCE_S.

    Raises LinkError where it cannot be asked.
    """
    number = int.from_bytes(os.urandom(4))
    question = discover(bytes.fromhex(mac.replace(":", "")), number)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            port = _bound(sock, interface)
            await run_program(["nft", "-f", "-"], table_text(interface, port, number))
            try:
                found, macs = await _exchange(sock, question, number), await _macs()
            finally:
                await forget()
    except OSError as error:
        raise LinkError(f"{interface}: nobody can be asked for an address: {error}") from error
    return tuple(
        Offer(one.server, one.router, one.names, macs.get(sender, "")) for sender, one in found
    )


async def forget() -> None:
    """Take what is ours out of the packet filter, if a question was cut off."""
    with contextlib.suppress(LinkError):
        await run_program(["nft", "-f", "-"], no_table(IP_TABLE))


def _bound(sock: socket.socket, interface: str) -> int:
    """Have *sock* ask everybody on *interface*; gives its port.  Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    sock.setblocking(False)
    sock.bind(("", 0))
    port: int = sock.getsockname()[1]
    return port


async def _exchange(sock: socket.socket, question: bytes, number: int) -> list[tuple[str, Offer]]:
    """Ask twice, and give all that came: who sent it, and what it offers."""
    found: list[tuple[str, Offer]] = []
    loop = asyncio.get_running_loop()
    for patience_s in (AGAIN_S, PATIENCE_S - AGAIN_S):
        await loop.sock_sendto(sock, question, (EVERYBODY, SERVER_PORT))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while len(found) < MOST:
                    data, (sender, _) = await loop.sock_recvfrom(sock, BYTES)
                    offer = read_offer(data, number)
                    found += [(sender, offer)] if offer is not None else []
    return found


def table_text(interface: str, port: int, number: int) -> str:
    """Give what has the question with *number* leave as DHCP, and its answers come to *port*."""
    asks = f'oifname "{interface}" udp sport {port} udp dport 67 @th,96,32 {number:#x}'
    hears = f'iifname "{interface}" udp sport 67 udp dport 68 @th,96,32 {number:#x}'
    return f"""{no_table(IP_TABLE)}table {IP_TABLE} {{
  set {SET} {{ type ipv4_addr . ether_addr; flags dynamic; size {MOST}; }}
  chain ask {{
    type filter hook output priority raw; policy accept;
    {asks} notrack udp sport set 68 ip saddr set 0.0.0.0
  }}
  chain hear {{
    type filter hook prerouting priority raw; policy accept;
    {hears} notrack add @{SET} {{ ip saddr . ether saddr }} udp dport set {port}
  }}
}}
"""


async def _macs() -> dict[str, str]:
    """Give who sent answers, MAC by address; raises LinkError."""
    found: dict[str, str] = {}
    for key in await elements.keys(IPV4, TABLE, SET):
        mac = key[ADDRESS_BYTES : ADDRESS_BYTES + MAC_BYTES]
        found[socket.inet_ntoa(key[:ADDRESS_BYTES])] = mac.hex(":")
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """A local network as it stands: what it is told apart by, and the *router* that works there.

    *ours*: the box itself is that router, and nobody else should be.  *fails*: something does.
    """

    interface: str
    mac: str
    router: str
    ours: bool = False
    fails: bool = False


@dataclass(slots=True)
class Servers:
    """What is known of the servers of one network; times are mono.

    *working*: what the server says whose router works.  *stranger*: who says something else.
    """

    side: Side | None = None
    asked_at: float = -math.inf
    working: tuple[str, frozenset[str]] | None = None
    stranger: Offer | None = None
    missed: int = 0

    def is_due(self, side: Side, now: float) -> bool:
        """Tell whether it is time to ask, and note the network as it stands now.

        At once in a network that is new, or whose router is; soon when something begins to fail.
        """
        before, self.side = self.side, side
        if before is None or (before.interface, before.router) != (side.interface, side.router):
            return True
        pause_s = KNOWN_S if self.stranger is not None else SELDOM_S
        if side.fails and not before.fails:
            pause_s = min(pause_s, SOON_S)
        return now - self.asked_at >= pause_s

    def take(self, offers: Iterable[Offer], side: Side) -> None:
        """Take in what everybody on *side* offers; those of the box itself are left out before."""
        found = sorted(offers, key=lambda one: one.server)
        stranger = _beside_us(found, side) if side.ours else self._beside_router(found, side)
        self.missed = 0 if stranger is not None else self.missed + 1
        if stranger is not None or self.missed >= GONE_ROUNDS:
            self.stranger = stranger

    def _beside_router(self, found: list[Offer], side: Side) -> Offer | None:
        facts = {one.facts for one in found}
        if self.working not in facts and not side.fails:
            # a router that was replaced says something new, and is the one that works
            own = sorted(found, key=lambda one: one.server != side.router)  # its own word first
            right = (one.facts for one in own if one.router == side.router)
            self.working = next(right, self.working)
        if self.working not in facts:
            return None  # whoever is alone may have replaced it
        return next((one for one in found if one.facts != self.working), None)


def _beside_us(found: list[Offer], side: Side) -> Offer | None:
    return next((one for one in found if one.router != side.router), None)
