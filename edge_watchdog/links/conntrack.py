"""Flows of the studio's computers: counted, ended or left to run out, by the uplink they hang on.

A conntrack entry carries the mark of its uplink (firewall.py).  The program ``conntrack`` is asked
instead of the kernel itself: it has the kernel filter by mark, and says what it ended.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_watchdog.clock import Clock
from edge_watchdog.links import LinkError
from edge_watchdog.links.program import run_program

SWEEPS_S = (2.0, 10.0, 30.0)  # after the first; a packet on its way may have made an entry anew
DRAIN_S = 600.0
IDLE_S = 30.0
LOOK_EVERY_S = 5.0
HAIR_S = 2.0  # the kernel counts time-outs in whole seconds
NONE_FOUND = 1  # exit code of `conntrack -D` when nothing matched

log = logging.getLogger(__name__)
CLOSING = frozenset({"TIME_WAIT", "CLOSE", "LAST_ACK"})
_HEAD = re.compile(r"^(\S+)\s+\d+\s+(\d+) (\w*)")
_TUPLE = re.compile(r"src=(\S+) dst=(\S+)(?: sport=(\d+) dport=(\d+))?")


@dataclass(frozen=True, slots=True)
class Flow:
    """One conntrack entry, by its original direction; *expires_s* until the kernel forgets it.

    *closing*: both ends have said goodbye; it hinders and helps nobody.
    """

    protocol: str
    source: str
    target: str
    source_port: str
    target_port: str
    expires_s: float
    closing: bool = False

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes it this flow and no other."""
        return self.protocol, self.source, self.target, self.source_port, self.target_port


@dataclass(slots=True)
class Draining:
    """The flows left on one uplink; a flow whose time-out only runs down is idle."""

    seen: dict[tuple[str, str, str, str, str], tuple[float, float]] = field(default_factory=dict)

    def note(self, flows: tuple[Flow, ...], now_s: float) -> tuple[Flow, ...]:
        """Give those that have carried nothing for IDLE_S."""
        seen, idle = {}, []
        for flow in flows:
            ends_at, since = self.seen.get(flow.key, (0.0, now_s))
            if now_s + flow.expires_s > ends_at + HAIR_S:
                ends_at, since = now_s + flow.expires_s, now_s
            seen[flow.key] = (ends_at, since)
            if now_s - since >= IDLE_S:
                idle.append(flow)
        self.seen = seen
        return tuple(idle)


class Flows:
    """Ends and drains flows; *marks* gives each uplink's mark."""

    def __init__(self, marks: Mapping[str, int], clock: Clock) -> None:
        self._marks = marks
        self._clock = clock
        self._later: dict[str, asyncio.Task[None]] = {}
        self._left: dict[str, int] = {}

    def left(self) -> Mapping[str, int]:
        """Give how many flows are left on each uplink that drains."""
        return {name: count for name, count in self._left.items() if count}

    def spare(self, uplink: str) -> None:
        """Let everything on *uplink* be: it is in use again."""
        task = self._later.pop(uplink, None)
        if task is not None:
            task.cancel()
        self._left.pop(uplink, None)

    async def evict(self, uplink: str) -> int:
        """End every flow on *uplink*, now and three times more; gives how many.

        Raises LinkError when some cannot be ended.
        """
        self.spare(uplink)
        ended = await sweep(self._marks[uplink])
        self._later[uplink] = asyncio.create_task(self._sweep_again(uplink))
        return ended

    def drain(self, uplink: str) -> None:
        """Let flows on *uplink* end by themselves; idle ones are ended, after 10 minutes all."""
        self.spare(uplink)
        self._later[uplink] = asyncio.create_task(self._drain(uplink))

    async def close(self) -> None:
        """Leave every flow as it is."""
        tasks = tuple(self._later.values())
        for uplink in tuple(self._later):
            self.spare(uplink)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sweep_again(self, uplink: str) -> None:
        begin = self._clock.now().mono
        for due_s in SWEEPS_S:
            await asyncio.sleep(max(0.0, begin + due_s - self._clock.now().mono))
            try:
                await sweep(self._marks[uplink])
            except LinkError as error:
                log.warning("flows uplink=%s %s", uplink, error)

    async def _drain(self, uplink: str) -> None:
        begin, draining = self._clock.now().mono, Draining()
        with contextlib.suppress(LinkError):
            # what never heard an answer there may begin anew at once
            await _delete("-m", str(self._marks[uplink]), "-p", "tcp", "--state", "SYN_SENT")
        while (now_s := self._clock.now().mono) < begin + DRAIN_S:
            try:
                flows = await list_flows(self._marks[uplink])
                for flow in draining.note(flows, now_s):
                    await _delete(*_words(flow))
            except LinkError as error:
                log.warning("draining uplink=%s %s", uplink, error)
            else:
                self._left[uplink] = sum(not flow.closing for flow in flows)
                if not self._left[uplink]:
                    break
            await asyncio.sleep(LOOK_EVERY_S)
        self._left.pop(uplink, None)
        await self._sweep_again(uplink)


async def list_flows(mark: int) -> tuple[Flow, ...]:
    """Give the flows that carry *mark*; raises LinkError."""
    text = await run_program(["conntrack", "-L", "-f", "ipv4", "-m", str(mark)])
    return tuple(flow for line in text.splitlines() if (flow := _flow_of(line)) is not None)


async def sweep(mark: int) -> int:
    """End every flow that carries *mark*, UDP first: it recovers by its next packet.

    Gives how many were ended; raises LinkError when some are still there afterwards.
    """
    ended = await _delete("-m", str(mark), "-p", "udp")
    ended += await _delete("-m", str(mark), "-p", "tcp")
    ended += await _delete("-m", str(mark))
    left = await list_flows(mark)
    if left:
        raise LinkError(f"{len(left)} flows could not be ended")
    return ended


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
