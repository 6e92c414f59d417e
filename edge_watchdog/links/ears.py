"""Does another device say that it has an address of ours, and who answers for the router's?

In: our addresses by interface, and the MACs of all our interfaces.  Out: those that another device
claimed within the last minutes (RFC 5227 section 2.4); for a moment, who answers a question that
others ask.  The rule: nothing is sent here; the kernel's packet filter listens, so that it takes
no privilege beyond the one that routes need; what it hears goes its way.

Whatever one of our own interfaces says is no claim: on two legs in one network they hear each
other.  Formats: include/uapi/linux/netfilter/nf_tables.h.
"""

import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterable, Mapping

from edge_watchdog.links import LinkError, elements
from edge_watchdog.links.kernel import Snapshot
from edge_watchdog.links.netfilter import RefusedError, no_table
from edge_watchdog.links.program import run_program

TABLE, SET, REMEMBERED = "edge_watchdog", "claims", "5m"
ANSWERS = "answers"
ARP_TABLE = f"arp {TABLE}"
MOST = 64  # whoever makes addresses up fills no memory
FAMILY_ARP = 3
IFNAME_BYTES, ADDRESS_BYTES, MAC_BYTES = 16, 4, 6

Claim = tuple[str, str]  # interface and address
Own = Mapping[str, frozenset[str]]  # addresses by interface


def our_own(snapshot: Snapshot, interfaces: Iterable[str]) -> tuple[Own, frozenset[str]]:
    """Give the addresses of *interfaces*, by their present names, and the MACs we speak with."""
    own: dict[str, frozenset[str]] = {}
    for interface in interfaces:
        device = snapshot.devices.get(interface)
        found = snapshot.addresses.get(device.index, ()) if device is not None else ()
        if found:
            own[snapshot.called(interface)] = frozenset(a.partition("/")[0] for a in found)
    speak = (one for one in snapshot.devices.values() if one.index in snapshot.addresses)
    return own, frozenset(one.mac for one in speak if one.mac)


class Ears:
    """Listens to the claims of others; every call may be repeated with the same effect."""

    def __init__(self) -> None:
        self._loaded: str | None = None

    async def claimed(self, own: Own, macs: frozenset[str]) -> frozenset[Claim]:
        """Give what was claimed of *own* lately; listens from the first call on.

        Raises LinkError when the kernel does not let us listen.
        """
        wanted = table_text(own, macs)
        if wanted != self._loaded:
            await run_program(["nft", "-f", "-"], wanted)
            self._loaded = wanted
        try:
            found = [read_key(key) for key in await elements.keys(FAMILY_ARP, TABLE, SET)]
        except RefusedError as error:
            if error.code != errno.ENOENT:
                raise
            self._loaded = None  # somebody flushed it: the next call begins anew
            return frozenset()
        return frozenset((name, address) for name, address in found if address in own.get(name, ()))

    @contextlib.asynccontextmanager
    async def asking(self, interface: str, address: str) -> AsyncIterator[None]:
        """Note for a while who answers that it has *address*; raises LinkError."""
        await run_program(["nft", "-f", "-"], question_text(interface, address))
        try:
            yield
        finally:
            with contextlib.suppress(LinkError):
                await run_program(["nft", "-f", "-"], question_over())

    async def answered(self) -> frozenset[str]:
        """Give the MACs of those who have answered since asking() began; raises LinkError."""
        return frozenset(
            key[:MAC_BYTES].hex(":") for key in await elements.keys(FAMILY_ARP, TABLE, ANSWERS)
        )

    async def close(self) -> None:
        """Listen no more; nothing of ours is left in the kernel."""
        self._loaded = None
        with contextlib.suppress(LinkError):
            await run_program(["nft", "-f", "-"], no_table(ARP_TABLE))


def table_text(own: Own, macs: Iterable[str]) -> str:
    """Give the table as one nft transaction, which replaces the one before."""
    others = f"arp saddr ether != {_set(macs)}" if macs else ""
    rules = "".join(
        f'    iifname "{name}" arp saddr ip {_set(addresses)} {others}'
        f" update @{SET} {{ iifname . arp saddr ip . arp saddr ether }}\n"
        for name, addresses in sorted(own.items())
        if addresses
    )
    return f"""{no_table(ARP_TABLE)}table {ARP_TABLE} {{
  set {SET} {{
    type ifname . ipv4_addr . ether_addr
    flags dynamic,timeout
    timeout {REMEMBERED}
    size {MOST}
  }}
  chain hear {{
    type filter hook input priority 0; policy accept;
{rules}  }}
}}
"""


def question_text(interface: str, address: str) -> str:
    """Give what notes the answers of one question; what an earlier one left is forgotten."""
    rule = f'iifname "{interface}" arp operation reply arp saddr ip {address}'
    return f"""add table {ARP_TABLE}
add set {ARP_TABLE} {ANSWERS} {{ type ether_addr; flags dynamic; size {MOST}; }}
flush set {ARP_TABLE} {ANSWERS}
add chain {ARP_TABLE} {ANSWERS} {{ type filter hook input priority 1; policy accept; }}
flush chain {ARP_TABLE} {ANSWERS}
add rule {ARP_TABLE} {ANSWERS} {rule} add @{ANSWERS} {{ arp saddr ether }}
"""


def question_over() -> str:
    """Give what ends a question."""
    return f"delete chain {ARP_TABLE} {ANSWERS}\ndelete set {ARP_TABLE} {ANSWERS}\n"


def _set(words: Iterable[str]) -> str:
    return "{ " + ", ".join(sorted(words)) + " }"


def read_key(key: bytes) -> Claim:
    """Read interface and address from the key of a claim."""
    name, _, _ = key[:IFNAME_BYTES].partition(b"\0")
    address = key[IFNAME_BYTES : IFNAME_BYTES + ADDRESS_BYTES]
    return name.decode(errors="replace"), socket.inet_ntoa(address)
