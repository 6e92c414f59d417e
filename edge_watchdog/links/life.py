"""When a program of this box last heard somebody outside through one uplink.

``ss`` asks the kernel for the TCP connections from the uplink's address (TCP_INFO): it dates the
last acknowledgement and the last data of each to the millisecond.  What a router may say in
somebody else's name is no proof: plain pages and names, and everybody nearby.
"""

import ipaddress
import re
from collections.abc import Iterable

from edge_watchdog.links.program import run_program

ANSWERED_NEARBY = ("53", "80")  # ports that routers and portals are known to answer themselves
NEARBY = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16"),
    )
)
_SOCKET = re.compile(r"^\S+\s+\S+\s+\S+\s+(\S+):(\d+)\s+(.*)$")
_LAST = re.compile(r"\blast(?:rcv|ack):(\d+)")


async def heard_ago_s(source: str, on_link: Iterable[str]) -> float | None:
    """Give the seconds since anybody outside was heard by a connection from *source*.

    None when there is no such connection.  *on_link*: the box's own addresses, "192.0.2.7/24".
    Raises LinkError.
    """
    argv = ["ss", "-HntiO", "state", "established", "src", source]
    near = (*NEARBY, *(ipaddress.IPv4Interface(a).network for a in on_link))
    return youngest(await run_program(argv), near)


def youngest(text: str, near: Iterable[ipaddress.IPv4Network]) -> float | None:
    """Read what ``ss`` said; it leaves out what is less than a millisecond ago."""
    networks = tuple(near)
    ages = []
    for line in text.splitlines():
        found = _SOCKET.match(line)
        if found is None or found[2] in ANSWERED_NEARBY or not _is_outside(found[1], networks):
            continue
        words = _LAST.findall(found[3])
        if "rto:" in found[3]:  # else the kernel told nothing of this one
            ages.append(min((int(word) for word in words), default=0) if len(words) == 2 else 0)
    return min(ages) / 1000 if ages else None


def _is_outside(text: str, networks: tuple[ipaddress.IPv4Network, ...]) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not any(address in network for network in networks)
