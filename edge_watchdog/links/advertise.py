"""IPv6 on a network that the box shares with the provider's router, while another line is in use.

There the computers send IPv6 past the box, to a router that leads nowhere, and wait.  So the box
announces itself as the better router, for half a minute at a time (RFC 4861, RFC 4191), and what
comes is refused at once (firewall.py): programs go on by IPv4.  When the shared line is in use
again the announcement is taken back.  It is made only where the network has IPv6 at all.

The packet filter makes it of an echo request: a socket for those needs no privilege.  Both headers
have the same length; where one says who asks, the other says how long it is good for.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import struct
from collections.abc import Callable
from pathlib import Path

MARK = 7201  # of our own echo requests; beside the marks of the uplinks
EVERY_S = 4.0
GOOD_FOR_S = 30
FAREWELLS = 3  # a lost one would leave a computer without IPv6 for half a minute
HOP_LIMIT, HIGH = 64 << 8, 0b01 << 3  # the header's next two bytes: RFC 4191, section 2.2
ECHO_REQUEST = 128
HEADER = struct.Struct("!BBHHH")
UNSPECIFIED = bytes(8)  # reachable and retransmission time
ALL_NODES, WHOLE_WAY = "ff02::1", 255
INTERNET = ipaddress.IPv6Network("2000::/3")
IF_INET6 = Path("/proc/self/net/if_inet6")
CHAIN_TEXT = f"""\
  chain in_router_s_words {{
    type filter hook output priority raw; policy accept;
    meta mark {MARK} icmpv6 type echo-request notrack icmpv6 type set nd-router-advert
  }}
"""

log = logging.getLogger(__name__)


class Advertiser:
    """Keeps the computers' IPv6 to itself on *interface* for as long as it is told to.

    *called* gives the present name of the interface.
    """

    def __init__(self, interface: str, called: Callable[[str], str] = str) -> None:
        self._interface = interface
        self._called = called
        self._wanted = asyncio.Event()
        self._said = False

    def want(self, *, wanted: bool) -> None:
        """Begin at once, or take back what was announced."""
        if wanted:
            self._wanted.set()
            return
        self._wanted.clear()
        self.take_back()

    def take_back(self) -> None:
        """Let the computers go to their other router; harmless when nothing was announced."""
        if self._said:
            for _ in range(FAREWELLS):
                self._say(HOP_LIMIT, 0)
            self._said = False

    async def run(self) -> None:
        """Announce now and then while it is wanted, for ever."""
        while True:
            await self._wanted.wait()
            if has_internet_address(self._called(self._interface)):
                self._said = self._say(HOP_LIMIT | HIGH, GOOD_FOR_S) or self._said
            await asyncio.sleep(EVERY_S)

    def _say(self, flags: int, good_for_s: int) -> bool:
        interface = self._called(self._interface)
        packet = HEADER.pack(ECHO_REQUEST, 0, 0, 0, good_for_s) + UNSPECIFIED
        try:
            with contextlib.closing(_open(interface, flags)) as sock:
                sock.sendto(packet, (ALL_NODES, 0, 0, socket.if_nametoindex(interface)))
        except OSError as error:
            log.warning("ipv6: nothing was announced on %s: %s", interface, error)
            return False
        return True


def has_internet_address(interface: str, file: Path = IF_INET6) -> bool:
    """Tell whether *interface* has an address of the internet's."""
    return any(address in INTERNET for address in _addresses(interface, file))


def _open(interface: str, flags: int) -> socket.socket:
    """Open a socket whose echo requests have *flags* for an identifier; raises OSError."""
    near = next((a for a in _addresses(interface, IF_INET6) if a.is_link_local), None)
    if near is None:
        raise OSError("it has no IPv6 address of its own")
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, WHOLE_WAY)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        sock.bind((str(near), flags, 0, socket.if_nametoindex(interface)))
    except OSError:
        sock.close()
        raise
    return sock


def _addresses(interface: str, file: Path) -> list[ipaddress.IPv6Address]:
    """Read net/ipv6/addrconf.c's table."""
    try:
        lines = file.read_text("ascii").splitlines()
    except OSError:
        return []  # a kernel without IPv6
    rows = (line.split() for line in lines)
    return [ipaddress.IPv6Address(int(row[0], 16)) for row in rows if row[5] == interface]
