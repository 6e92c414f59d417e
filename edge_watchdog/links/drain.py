"""How connections leave an uplink: at once when it is dead, in their own time when it is not.

In: connections of one kind, listed and ended by whoever knows that kind.  Out: an uplink on which
nothing is left after a known time, and the proof of it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge_watchdog.clock import Clock
from edge_watchdog.links import LinkError
from edge_watchdog.links.usage import read_usage

SWEEPS_S = (2.0, 10.0, 30.0)  # after the first; a packet on its way may have made an entry anew
DRAIN_S = 600.0
DRAIN_BYTES = 20_000_000  # of a line that costs by the amount
IDLE_S = 30.0
IDLE_UDP_S = 15.0  # a call or QUIC speaks all the time; what is begun anew there costs nothing
LOOK_EVERY_S = 5.0
HAIR_S = 2.0  # the kernel counts time-outs in whole seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Flow:
    """One conntrack entry, by its original direction; *expires_s* until the kernel forgets it.

    *closing*: both ends have said goodbye; it hinders and helps nobody.  *handle*: what the kernel
    itself calls it, where it is ended by that.
    """

    protocol: str
    source: str
    target: str
    source_port: str
    target_port: str
    expires_s: float
    closing: bool = False
    handle: bytes = field(default=b"", compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes it this flow and no other."""
        return self.protocol, self.source, self.target, self.source_port, self.target_port

    @property
    def idle_s(self) -> float:
        """After how long without a packet it is held for idle."""
        return IDLE_UDP_S if self.protocol == "udp" else IDLE_S


@dataclass(slots=True)
class Draining:
    """The flows left on one uplink; a flow whose time-out only runs down is idle."""

    seen: dict[tuple[str, str, str, str, str], tuple[float, float]] = field(default_factory=dict)

    def note(self, flows: tuple[Flow, ...], now_s: float) -> tuple[Flow, ...]:
        """Give those that have carried nothing for as long as makes them idle."""
        seen, idle = {}, []
        for flow in flows:
            ends_at, since = self.seen.get(flow.key, (0.0, now_s))
            if now_s + flow.expires_s > ends_at + HAIR_S:
                ends_at, since = now_s + flow.expires_s, now_s
            seen[flow.key] = (ends_at, since)
            if now_s - since >= flow.idle_s:
                idle.append(flow)
        self.seen = seen
        return tuple(idle)


def never_counted(_uplink: str) -> int | None:
    """Stand in for a counter where the amount costs nothing."""
    return None


def meter(interfaces: Mapping[str, str]) -> Callable[[str], int | None]:
    """Give what reads the bytes carried by each uplink of *interfaces*, None for any other."""

    def carried(uplink: str) -> int | None:
        usage = read_usage().get(interfaces.get(uplink, ""))
        return None if usage is None else usage.received_bytes + usage.sent_bytes

    return carried


class Connections(Protocol):
    """Connections by the uplink they hang on; every method raises LinkError."""

    async def list(self, uplink: str) -> tuple[Flow, ...]:
        """Give those on *uplink*."""

    async def begin(self, uplink: str) -> None:
        """End what was only being tried there: it may begin anew at once."""

    async def end(self, flows: tuple[Flow, ...]) -> None:
        """End these."""

    async def sweep(self, uplink: str) -> int:
        """End all on *uplink*, gives how many; an error when some are left."""


class Flows:
    """Ends and drains *connections*.

    *carried* gives the bytes that a line has carried where they cost money, else None.
    """

    def __init__(
        self,
        connections: Connections,
        clock: Clock,
        carried: Callable[[str], int | None] = never_counted,
    ) -> None:
        self._connections = connections
        self._clock = clock
        self._carried = carried
        self._later: dict[str, asyncio.Task[None]] = {}
        self._left: dict[str, int] = {}
        self._empty: dict[str, float] = {}

    def left(self) -> Mapping[str, int]:
        """Give how many flows are left on each uplink that drains."""
        return {name: count for name, count in self._left.items() if count}

    def empty(self) -> Mapping[str, float]:
        """Give the uplinks that were drained and seen to carry nothing more, and when (mono)."""
        return self._empty

    def spare(self, uplink: str) -> None:
        """Let everything on *uplink* be: it is in use again."""
        task = self._later.pop(uplink, None)
        if task is not None:
            task.cancel()
        self._left.pop(uplink, None)
        self._empty.pop(uplink, None)

    async def evict(self, uplink: str) -> int:
        """End every flow on *uplink*, now and three times more; gives how many.

        Raises LinkError when some cannot be ended.
        """
        self.spare(uplink)
        try:
            return await self._connections.sweep(uplink)
        finally:
            again = self._sweep_at(uplink, SWEEPS_S, prove=False)
            self._later[uplink] = asyncio.create_task(again)

    def drain(self, uplink: str) -> None:
        """Let flows on *uplink* end by themselves; idle ones are ended, and in the end all.

        The end is after 10 minutes, or when they cost 20 MB.
        """
        self.spare(uplink)
        self._later[uplink] = asyncio.create_task(self._drain(uplink))

    async def close(self) -> None:
        """Leave every flow as it is."""
        tasks = tuple(self._later.values())
        for uplink in tuple(self._later):
            self.spare(uplink)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sweep_at(self, uplink: str, delays_s: Iterable[float], *, prove: bool) -> None:
        """End what is left there after each delay; to *prove* is to note that nothing was left."""
        begin = self._clock.now().mono
        for due_s in delays_s:
            await asyncio.sleep(max(0.0, begin + due_s - self._clock.now().mono))
            try:
                await self._connections.sweep(uplink)
            except LinkError as error:
                log.warning("flows uplink=%s %s", uplink, error)
            else:
                if prove and uplink not in self._empty:
                    self._empty[uplink] = self._clock.now().mono
                    log.info("drained uplink=%s: 0 flows left on it", uplink)

    async def _drain(self, uplink: str) -> None:
        begin, draining = self._clock.now().mono, Draining()
        carried = self._carried(uplink)
        with contextlib.suppress(LinkError):
            await self._connections.begin(uplink)
        while (now_s := self._clock.now().mono) < begin + DRAIN_S:
            try:
                flows = await self._connections.list(uplink)
                self._left[uplink] = sum(not flow.closing for flow in flows)
                await self._connections.end(draining.note(flows, now_s))
            except LinkError as error:
                log.warning("draining uplink=%s %s", uplink, error)
            else:
                if not self._left[uplink]:
                    break
            if spent_since(carried, self._carried(uplink)) >= DRAIN_BYTES:
                log.info("drain uplink=%s is over: it cost %d bytes", uplink, DRAIN_BYTES)
                break
            await asyncio.sleep(LOOK_EVERY_S)
        self._left.pop(uplink, None)
        await self._sweep_at(uplink, (0.0, *SWEEPS_S), prove=True)


async def end_those_to(addresses: tuple[str, ...], connections: Connections, uplink: str) -> None:
    """End what hangs on *uplink* and leads to one of *addresses*; raises LinkError."""
    flows = await connections.list(uplink)
    await connections.end(tuple(flow for flow in flows if flow.target in addresses))


def spent_since(before: int | None, now: int | None) -> int:
    """Give the bytes between two readings; a counter that began anew counts from nothing."""
    if before is None or now is None:
        return 0
    return now - before if now >= before else now
