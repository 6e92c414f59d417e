"""Connections of programs on the box itself, by the uplink whose address they began with.

``ss`` lists them and has the kernel end them (SOCK_DESTROY); their programs are told at once.  A
kernel built without that says so, and they end by their own time-outs.  Spared is who asked for
this very device, as our own questions do, and whoever speaks with the line's own network, as the
desk page does.
"""

import ipaddress
import re
from collections.abc import Callable

from edge_watchdog.links import LinkError
from edge_watchdog.links.drain import Flow
from edge_watchdog.links.program import run_program

AT_ONCE = 100  # connections named in one call
CLOSING = frozenset({"TIME-WAIT", "CLOSE", "LAST-ACK", "FIN-WAIT-2", "CLOSING"})
TRYING = "SYN-SENT"
NEVER_S = 0.0
_ROW = re.compile(r"^(\S+)\s+(\S+)\s+\d+\s+\d+\s+([\d.]+)(%\S+)?:(\d+)\s+([\d.]+)\S*:(\d+)")
_LAST = re.compile(r"\blast(?:snd|rcv):(\d+)")


class OwnConnections:
    """The box's own as Connections; *address_of* an uplink gives "192.0.2.7/24", or None."""

    def __init__(self, address_of: Callable[[str], str | None]) -> None:
        self._address_of = address_of

    async def list(self, uplink: str) -> tuple[Flow, ...]:
        """Give those on *uplink* that nobody bound to it; raises LinkError."""
        address = self._address_of(uplink)
        return () if address is None else await list_own(address)

    async def begin(self, uplink: str) -> None:
        """End what never heard an answer there; raises LinkError."""
        address = self._address_of(uplink)
        if address is not None:
            await self.end(await list_own(address, TRYING))

    async def end(self, flows: tuple[Flow, ...]) -> None:
        """End these; raises LinkError."""
        for start in range(0, len(flows), AT_ONCE):
            which = " or ".join(
                f"( src {f.source}:{f.source_port} and dst {f.target}:{f.target_port} )"
                for f in flows[start : start + AT_ONCE]
            )
            await run_program([*_SS, "--kill", *which.split()])

    async def sweep(self, uplink: str) -> int:
        """End all on *uplink*, gives how many; raises LinkError when some are left."""
        flows = await self.list(uplink)
        await self.end(flows)
        left = {f.key for f in await self.list(uplink) if not f.closing}
        if left & {f.key for f in flows}:
            raise LinkError(f"{len(left)} connections of the box could not be ended")
        return len(flows)


_SS = ("ss", "--no-header", "--numeric", "--oneline", "--tcp", "--udp")


async def list_own(address: str, state: str = "") -> tuple[Flow, ...]:
    """Give the box's connections from *address* ("192.0.2.7/24") to beyond its network.

    *state*: only those that ss calls so.  Raises LinkError.
    """
    which = ["src", address.partition("/")[0], "and", "not", "dst", _network(address)]
    text = await run_program([*_SS, "--info", *which])
    return tuple(f for line in text.splitlines() if (f := _flow_of(line, state)) is not None)


def _flow_of(line: str, state: str) -> Flow | None:
    """Read one line of ss; None for what is bound to a device, or in another state."""
    row = _ROW.match(line)
    if row is None or row[4] or state not in ("", row[2]):
        return None
    last = [int(ms) / 1000 for ms in _LAST.findall(line)]
    # idle is who has not moved the moment at which it last carried something
    return Flow(
        row[1],
        row[3],
        row[6],
        row[5],
        row[7],
        expires_s=-min(last) if last else NEVER_S,
        closing=row[2] in CLOSING,
    )


def _network(address: str) -> str:
    return str(ipaddress.IPv4Interface(address).network)
