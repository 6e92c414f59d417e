"""The provider's first machine beyond the router: learned while the line is well, asked when not.

A packet that may live for two or three hops dies there, and the machine says so.  Whether it still
does tells a line that is cut from a provider that is cut off.
"""

import ipaddress
from dataclasses import dataclass

from edge_watchdog.probes.bind import Binding
from edge_watchdog.probes.echoes import Shape, echo

FIRST_HOPS = (2, 3)  # one is the router
TRIES = 3
AT_HOME = tuple(ipaddress.IPv4Network(t) for t in ("192.168.0.0/16", "172.16.0.0/12"))


@dataclass(frozen=True, slots=True)
class Hop:
    """A machine, by the number of hops to it on the way to *to*."""

    hops: int
    address: str
    to: str


async def find_edge(binding: Binding, to: str) -> Hop | None:
    """Find the first machine that does not stand in the house; None when none says so."""
    for hops in FIRST_HOPS:
        heard = await echo(binding, to, Shape(hops=hops))
        if heard is not None and heard.hop is not None and not _is_at_home(heard.hop):
            return Hop(hops, heard.hop, to)
    return None


async def edge_answers(binding: Binding, hop: Hop) -> bool | None:
    """Tell whether *hop* still says that a packet died there; None when it could not be asked."""
    for _ in range(TRIES):
        heard = await echo(binding, hop.to, Shape(hops=hop.hops))
        if heard is None:
            return None
        if heard.hop is not None and not _is_at_home(heard.hop):
            return True
    return False


def _is_at_home(text: str) -> bool:
    return any(ipaddress.IPv4Address(text) in network for network in AT_HOME)
