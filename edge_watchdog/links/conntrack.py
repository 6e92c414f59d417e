"""Flows of the studio's computers: counted and ended, by the uplink they hang on.

A conntrack entry carries the mark of its uplink (firewall.py).  The kernel itself picks them by
mark, and ends all of one mark by one message.

Format: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
"""

import errno
import socket
import struct
from collections.abc import AsyncIterator, Iterable, Mapping

from edge_watchdog.links import LinkError, farewell
from edge_watchdog.links.drain import Flow
from edge_watchdog.links.netfilter import CT, IPV4, Message, ask, attribute, attributes, nest, tell

PASSES = 2
GET, DELETE = 1, 2
TUPLE, PROTOCOL_INFO, TIMEOUT, MARK, MARK_MASK = 1, 4, 7, 8, 21
TUPLE_IP, TUPLE_PROTOCOL = 1, 2
SOURCE, TARGET = 1, 2
NUMBER, SOURCE_PORT, TARGET_PORT = 1, 2, 3
INFO_TCP, TCP_STATE = 1, 1
SYN_SENT, LAST_ACK, TIME_WAIT, CLOSE = 1, 6, 7, 8  # nf_conntrack_tcp.h
CLOSING = frozenset({LAST_ACK, TIME_WAIT, CLOSE})
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}
GONE = frozenset({errno.ENOENT})


class LanFlows:
    """The studio's flows as Connections; *marks* gives each uplink's mark."""

    def __init__(self, marks: Mapping[str, int]) -> None:
        self._marks = marks

    async def list(self, uplink: str) -> tuple[Flow, ...]:
        """Give those on *uplink*; raises LinkError."""
        return await list_flows(self._marks[uplink])

    async def begin(self, uplink: str) -> None:
        """End what never heard an answer there; raises LinkError."""
        entries = [one async for one in _ask(self._marks[uplink])]
        await _delete(flow for flow, state in entries if state == SYN_SENT)

    async def end(self, flows: tuple[Flow, ...]) -> None:
        """End these, and tell their computers; raises LinkError."""
        talking = _talking(flows)
        told = await farewell.announce(talking)
        await _delete(flows)
        if told:
            await farewell.wake(talking)

    async def sweep(self, uplink: str) -> int:
        """End all on *uplink*, gives how many; raises LinkError when some are left."""
        return await sweep(self._marks[uplink])


async def list_flows(mark: int) -> tuple[Flow, ...]:
    """Give the flows that carry *mark*; raises LinkError."""
    return tuple([flow async for flow, _ in _ask(mark)])


async def sweep(mark: int) -> int:
    """End every flow that carries *mark*.

    Gives how many were ended; raises LinkError when some are still there afterwards.
    """
    ended, flows = 0, await list_flows(mark)
    for _ in range(PASSES):  # a packet on its way may have made one anew
        talking = _talking(flows)
        told = await farewell.announce(talking)
        await tell([Message(CT, DELETE, _marked(mark))])
        ended += len(flows)
        if told:
            await farewell.wake(talking)
        flows = await list_flows(mark)
        if all(flow.closing for flow in flows):
            return ended
    raise LinkError(f"{len(flows)} flows could not be ended")


async def _ask(mark: int) -> AsyncIterator[tuple[Flow, int | None]]:
    """Give each flow that carries *mark*, and the state of its connection."""
    async for entry in ask(Message(CT, GET, _marked(mark), IPV4)):
        yield _flow_of(entry)


def _talking(flows: Iterable[Flow]) -> list[farewell.Ends]:
    """Give the connections whose computer believes that they are open."""
    return [
        farewell.Ends((f.source, int(f.source_port)), (f.target, int(f.target_port)))
        for f in flows
        if f.protocol == "tcp" and not f.closing
    ]


async def _delete(flows: Iterable[Flow]) -> None:
    await tell([Message(CT, DELETE, nest(TUPLE, flow.handle), IPV4) for flow in flows], fine=GONE)


def _marked(mark: int) -> bytes:
    return attribute(MARK, struct.pack(">I", mark)) + attribute(MARK_MASK, b"\xff" * 4)


def _flow_of(entry: Mapping[int, bytes]) -> tuple[Flow, int | None]:
    """Read one entry; one that is just dying has no time-out any more."""
    ends = attributes(entry[TUPLE])
    ip, protocol = attributes(ends[TUPLE_IP]), attributes(ends[TUPLE_PROTOCOL])
    number = protocol[NUMBER][0]
    info = attributes(attributes(entry.get(PROTOCOL_INFO, b"")).get(INFO_TCP, b""))
    state = info[TCP_STATE][0] if TCP_STATE in info else None
    flow = Flow(
        PROTOCOLS.get(number, str(number)),
        socket.inet_ntoa(ip[SOURCE]),
        socket.inet_ntoa(ip[TARGET]),
        _port(protocol, SOURCE_PORT),
        _port(protocol, TARGET_PORT),
        expires_s=float(int.from_bytes(entry.get(TIMEOUT, b""), "big")),
        closing=state in CLOSING,
        handle=entry[TUPLE],
    )
    return flow, state


def _port(protocol: Mapping[int, bytes], which: int) -> str:
    return str(int.from_bytes(protocol[which], "big")) if which in protocol else ""
