"""Which of the box's addresses are the studio's own network.

Interface names in, addresses and networks out; a connection is let in only when both its ends are
on one of those networks, or both on this machine.
"""

import array
import contextlib
import fcntl
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from edge_watchdog.clock import Clock

SIOCGIFCONF, SIOCGIFNETMASK = 0x8912, 0x891B  # linux/sockios.h
REQUEST_BYTES = 40  # struct ifreq on 64-bit Linux; 32 on 32-bit
NAME_BYTES = 16
MOST_ADDRESSES = 256
KEPT_S = 5.0

Addresses = Mapping[str, tuple[IPv4Interface, ...]]


def own_addresses() -> Addresses:
    """Give the IPv4 addresses of every interface, with their networks (netdevice(7))."""
    found: dict[str, tuple[IPv4Interface, ...]] = {}
    size = 32 if struct.calcsize("P") == 4 else REQUEST_BYTES
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        room = array.array("B", bytes(MOST_ADDRESSES * size))
        place, length = room.buffer_info()
        answer = fcntl.ioctl(asker, SIOCGIFCONF, struct.pack("iP", length, place))
        used = struct.unpack("iP", answer)[0]
        for at in range(0, used, size):
            entry = room[at : at + size].tobytes()
            name = entry[:NAME_BYTES].split(b"\0", 1)[0].decode(errors="replace")
            mask = fcntl.ioctl(asker, SIOCGIFNETMASK, entry)
            one = IPv4Interface((_ip(entry), str(_ip(mask))))
            device = name.split(":", 1)[0]  # "eth0:1" is an old-style second address of eth0
            found[device] = (*found.get(device, ()), one)
    return found


def _ip(request: bytes) -> IPv4Address:
    return IPv4Address(request[NAME_BYTES + 4 : NAME_BYTES + 8])


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read, and when."""

    mono: float
    addresses: tuple[IPv4Interface, ...]


class Lan:
    """The addresses of *interfaces*, read again when they are older than a few seconds."""

    def __init__(
        self,
        interfaces: tuple[str, ...],
        clock: Clock,
        read: Callable[[], Addresses] = own_addresses,
    ) -> None:
        self._interfaces = interfaces
        self._clock = clock
        self._read = read
        self._known: _Known | None = None

    def lets_in(self, local: str, peer: str) -> bool:
        """Tell whether a connection from *peer* to our address *local* is of the LAN or our own."""
        with contextlib.suppress(ValueError):
            ours, theirs = IPv4Address(local), IPv4Address(peer)
            if ours.is_loopback or theirs.is_loopback:
                return ours.is_loopback and theirs.is_loopback
            return any(ours == one.ip and theirs in one.network for one in self._addresses())
        return False

    def is_ours(self, host: str) -> bool:
        """Tell whether *host* is an address of ours on the LAN, or of this machine itself."""
        with contextlib.suppress(ValueError):
            address = IPv4Address(host)
            return address.is_loopback or any(address == one.ip for one in self._addresses())
        return False

    def addresses(self) -> tuple[str, ...]:
        """Give our addresses on the LAN, as text."""
        return tuple(sorted(str(one.ip) for one in self._addresses()))

    def _addresses(self) -> tuple[IPv4Interface, ...]:
        mono = self._clock.now().mono
        if self._known is None or mono - self._known.mono > KEPT_S:
            read = self._read()
            mine = tuple(one for name in self._interfaces for one in read.get(name, ()))
            self._known = _Known(mono, mine)
        return self._known.addresses
