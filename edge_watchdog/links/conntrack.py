"""Flows of the studio's computers: counted and ended, by the uplink they hang on.

A conntrack entry carries the mark of its uplink (firewall.py).  The program ``conntrack`` is asked
instead of the kernel itself: it has the kernel filter by mark, and says what it ended.
"""

import re
from collections.abc import Iterable, Mapping

from edge_watchdog.links import LinkError, farewell
from edge_watchdog.links.drain import Flow
from edge_watchdog.links.program import run_program

PASSES = 2
NONE_FOUND = 1  # exit code of `conntrack -D` when nothing matched
CLOSING = frozenset({"TIME_WAIT", "CLOSE", "LAST_ACK"})
_HEAD = re.compile(r"^(\S+)\s+\d+\s+(\d+) (\w*)")
_TUPLE = re.compile(r"src=(\S+) dst=(\S+)(?: sport=(\d+) dport=(\d+))?")


class LanFlows:
    """The studio's flows as Connections; *marks* gives each uplink's mark."""

    def __init__(self, marks: Mapping[str, int]) -> None:
        self._marks = marks

    async def list(self, uplink: str) -> tuple[Flow, ...]:
        """Give those on *uplink*; raises LinkError."""
        return await list_flows(self._marks[uplink])

    async def begin(self, uplink: str) -> None:
        """End what never heard an answer there; raises LinkError."""
        await _delete("-m", str(self._marks[uplink]), "-p", "tcp", "--state", "SYN_SENT")

    async def end(self, flows: tuple[Flow, ...]) -> None:
        """End these, and tell their computers; raises LinkError."""
        talking = _talking(flows)
        told = await farewell.announce(talking)
        for flow in flows:
            await _delete(*_words(flow))
        if told:
            await farewell.wake(talking)

    async def sweep(self, uplink: str) -> int:
        """End all on *uplink*, gives how many; raises LinkError when some are left."""
        return await sweep(self._marks[uplink])


async def list_flows(mark: int) -> tuple[Flow, ...]:
    """Give the flows that carry *mark*; raises LinkError."""
    text = await run_program(["conntrack", "-L", "-f", "ipv4", "-m", str(mark)])
    return tuple(flow for line in text.splitlines() if (flow := _flow_of(line)) is not None)


async def sweep(mark: int) -> int:
    """End every flow that carries *mark*, UDP first: it recovers by its next packet.

    Gives how many were ended; raises LinkError when some are still there afterwards.
    """
    ended = 0
    for _ in range(PASSES):  # a packet on its way may have made one anew
        talking = _talking(await list_flows(mark))
        told = await farewell.announce(talking)
        ended += await _delete("-m", str(mark), "-p", "udp")
        ended += await _delete("-m", str(mark), "-p", "tcp")
        ended += await _delete("-m", str(mark))
        if told:
            await farewell.wake(talking)
        left = [flow for flow in await list_flows(mark) if not flow.closing]
        if not left:
            return ended
    raise LinkError(f"{len(left)} flows could not be ended")


def _talking(flows: Iterable[Flow]) -> list[farewell.Ends]:
    """Give the connections whose computer believes that they are open."""
    return [
        farewell.Ends((f.source, int(f.source_port)), (f.target, int(f.target_port)))
        for f in flows
        if f.protocol == "tcp" and not f.closing
    ]


async def _delete(*words: str) -> int:
    argv = ["conntrack", "-D", "-f", "ipv4", *words]
    return len((await run_program(argv, fine=(0, NONE_FOUND))).splitlines())


def _words(flow: Flow) -> list[str]:
    words = ["-p", flow.protocol, "-s", flow.source, "-d", flow.target]
    if flow.source_port:
        words += ["--sport", flow.source_port, "--dport", flow.target_port]
    return words


def _flow_of(line: str) -> Flow | None:
    """Read one line of `conntrack -L`; None for what has no time-out or addresses."""
    head, addresses = _HEAD.search(line), _TUPLE.search(line)
    if head is None or addresses is None:
        return None
    source, target, source_port, target_port = addresses.groups("")
    ends = (source, target, source_port, target_port)
    return Flow(head[1], *ends, expires_s=float(head[2]), closing=head[3] in CLOSING)
