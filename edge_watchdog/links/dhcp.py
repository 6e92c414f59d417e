"""One question by DHCP to everybody on a local network: who would give me an address?

In: our MAC.  Out: the question's bytes, and what an answer offers.  The rule: it is a DISCOVER and
nothing ever follows it, so that no lease is taken; its client identifier is always the same, so
that a server sets aside one address at most, and for a moment.  Bytes from outside are read
strictly, up to a limit.

Formats: RFC 2131 section 2, options by RFC 2132.
"""

import socket
import struct
from dataclasses import dataclass

REQUEST, REPLY, ETHERNET, MAC_BYTES = 1, 2, 1, 6
TO_ALL = 0x8000  # the answer is for everybody: we have no address there that it could go to
MAGIC = b"\x63\x82\x53\x63"
DISCOVER, OFFER = 1, 2
PAD, ROUTERS, NAMES, KIND, SERVER, WANTED, CLIENT, END = 0, 3, 6, 53, 54, 55, 61, 255
OPAQUE = 0  # the kind of a client identifier that is no MAC (RFC 2132 section 9.14)
LEAST_BYTES = 300  # relays of old expect a BOOTP message
ADDRESS_BYTES = 4
NOBODY = "0.0.0.0"
_HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s192x")  # up to chiaddr; sname and file stay empty


@dataclass(frozen=True, slots=True)
class Offer:
    """What one server would hand out: *router* and *names* are what computers would believe.

    *server*: the address it gives itself (option 54).  *mac*: who sent it, "" when not known.
    *router* "" : none.  *names*: its name servers, in no order.
    """

    server: str
    router: str
    names: frozenset[str]
    mac: str = ""

    @property
    def facts(self) -> tuple[str, frozenset[str]]:
        """Give what two servers that work together have in common."""
        return self.router, self.names


def discover(mac: bytes, number: int) -> bytes:
    """Give the question of the device *mac*; *number* comes back in the answers."""
    head = _HEAD.pack(
        REQUEST, ETHERNET, MAC_BYTES, 0, number, 0, TO_ALL, *[bytes(ADDRESS_BYTES)] * 4, mac
    )
    who = bytes([OPAQUE]) + b"edge-watchdog" + mac
    options = _option(KIND, bytes([DISCOVER])) + _option(CLIENT, who)
    options += _option(WANTED, bytes([ROUTERS, NAMES])) + bytes([END])
    return (head + MAGIC + options).ljust(LEAST_BYTES, b"\0")


def _option(code: int, value: bytes) -> bytes:
    return bytes([code, len(value)]) + value


def read_offer(data: bytes, number: int) -> Offer | None:
    """Read an answer to question *number*; None for all else, and for what offers no address."""
    if len(data) < _HEAD.size + len(MAGIC):
        return None
    op, _, _, _, came, _, _, _, yours, *_ = _HEAD.unpack_from(data)
    if (op, came) != (REPLY, number) or not any(yours):
        return None  # a server that only helps computers to start up offers no address
    if data[_HEAD.size : _HEAD.size + len(MAGIC)] != MAGIC:
        return None
    found = _options(data[_HEAD.size + len(MAGIC) :])
    server = _addresses(found.get(SERVER, b""))
    if found.get(KIND) != bytes([OFFER]) or not server:
        return None
    routers = _addresses(found.get(ROUTERS, b""))
    names = frozenset(_addresses(found.get(NAMES, b"")))
    return Offer(server[0], routers[0] if routers else "", names)


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 1 < len(data) and data[place] != END:
        if data[place] == PAD:
            place += 1
            continue
        length = data[place + 1]
        found.setdefault(data[place], data[place + 2 : place + 2 + length])
        place += 2 + length
    return found


def _addresses(value: bytes) -> list[str]:
    whole = range(0, len(value) - ADDRESS_BYTES + 1, ADDRESS_BYTES)
    found = [socket.inet_ntoa(value[n : n + ADDRESS_BYTES]) for n in whole]
    return [one for one in found if one != NOBODY]
