"""Alerts on their way to people: kept on the disk until the service has them.

In: alerts, and word that a link is back.  Out: messages by each channel, in order.  The rule: a
newer state replaces an older one that was not sent; an end that is owed is never dropped; one bad
channel never holds up another.  Each is sent at least once: a crash between sending and noting it
repeats the message, with the same key.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_watchdog.alerts import AlertError, Channel
from edge_watchdog.alerts.lane import Lane
from edge_watchdog.alerts.slots import (
    Kind,
    Slot,
    Told,
    begin,
    delivered,
    failed,
    outgoing,
    put,
    refused,
)
from edge_watchdog.alerts.storage import Storage
from edge_watchdog.clock import Clock
from edge_watchdog.core.actions import Alert

SEND_S = 30.0  # a channel has its own, shorter limit; this one is for a channel that hangs
OWED_AGAIN_S = 3600.0  # an owed end that was refused: the owner may have mended the key
LIMIT = 10_000
DAYS = 30
DAY_S = 86400.0

log = logging.getLogger(__name__)
Key = tuple[str, int]


class Outbox:
    """Holds what is to be said; run() says it.  *channels* by the name the owner knows."""

    def __init__(self, path: Path, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._storage = Storage(path)
        self._channels = channels
        self._clock = clock
        self._lanes = {name: Lane(name) for name in channels}
        self._news = {name: asyncio.Event() for name in channels}
        self._slots: dict[Key, Slot] | None = None
        self._loading = asyncio.Lock()
        self._held: dict[Key, float] = {}  # owed ends that were refused: not before (boot time)
        self.limit = LIMIT

    async def put(self, alert: Alert) -> None:
        """Keep *alert* for every channel; on the disk when this returns.  Never raises."""
        slots = await self._load()
        now = self._clock.now()
        changed = []
        for name in self._channels:
            before = slots.get((name, alert.incident))
            seq = 1 + max((slot.seq for slot in slots.values()), default=0)
            after = put(before, name, alert, seq=seq, now_wall=now.wall)
            if after is not before:
                slots[name, alert.incident] = after
                changed.append(after)
        await self._save(changed, self._evict(slots, now.wall))
        for news in self._news.values():
            news.set()

    def wake(self) -> None:
        """A link is back: what waits for one is tried again once it has been up for 10 s."""
        now = self._clock.now()
        for name, lane in self._lanes.items():
            lane.wake(now)
            self._news[name].set()

    async def run(self) -> None:
        """Deliver for ever, by all channels at once."""
        async with asyncio.TaskGroup() as group:
            for name in self._channels:
                group.create_task(self.deliver(name))
            await asyncio.Event().wait()

    async def deliver(self, name: str) -> None:
        """Deliver for ever by the channel *name*."""
        news = self._news[name]
        while True:
            news.clear()
            wait_s = await self.flush(name)
            try:
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                continue

    async def flush(self, name: str) -> float | None:
        """Send what may be sent by *name* now; give the seconds to wait for the rest, or None."""
        await self._load()
        while True:
            now = self._clock.now()
            batch = self._next(name, now.mono)
            if not batch:
                held = [at for key, at in self._held.items() if key[0] == name]
                return max(min(held) - now.mono, 0.0) if held else None
            wait_s = self._lanes[name].wait_s(now)
            if wait_s > 0:
                return wait_s
            await self._send(name, batch)

    def problems(self) -> tuple[str, ...]:
        """Say in words what keeps alerts from people, one sentence per channel."""
        now = self._clock.now()
        said = [lane.problem(now) for lane in self._lanes.values()]
        return tuple(text for text in (self._storage.problem, *said) if text)

    async def close(self) -> None:
        """Close the file; nothing is lost."""
        await self._storage.close()

    async def _load(self) -> dict[Key, Slot]:
        async with self._loading:
            if self._slots is None:
                kept = await self._storage.load()
                self._slots = {(slot.channel, slot.incident): slot for slot in kept}
            return self._slots

    def _next(self, name: str, now_mono: float) -> list[Slot]:
        """Give the head of the line of *name*: one slot, or all its digests together."""
        waiting = [
            slot
            for key, slot in (self._slots or {}).items()
            if key[0] == name and slot.kind is not None and self._held.get(key, 0.0) <= now_mono
        ]
        waiting.sort(key=lambda slot: slot.seq)
        if waiting and waiting[0].kind is Kind.DIGEST:
            return [slot for slot in waiting if slot.kind is Kind.DIGEST]
        return waiting[:1]

    async def _send(self, name: str, batch: Sequence[Slot]) -> None:
        self._lanes[name].spend(self._clock.now())
        await self._keep([begin(slot) for slot in batch])  # before sending: a crash is "maybe"
        try:
            async with asyncio.timeout(SEND_S):
                await self._channels[name].send(outgoing(batch))
        except TimeoutError:
            error = AlertError("no answer in time", again=True, unsure=True)
            await self._failed(name, batch, error)
        except OSError as why:
            await self._failed(name, batch, AlertError(str(why), again=True))
        except AlertError as error:
            await self._failed(name, batch, error)
        else:
            self._lanes[name].worked()
            for slot in batch:
                self._held.pop((name, slot.incident), None)
            await self._keep([delivered(self._now(slot), slot) for slot in batch])

    async def _failed(self, name: str, batch: Sequence[Slot], error: AlertError) -> None:
        now = self._clock.now()
        lane = self._lanes[name]
        log.warning("alerts: channel=%s again=%s %s", name, error.again, error)
        lane.failed(error, now)
        if error.again:
            after = [failed(self._now(slot), slot, unsure=error.unsure) for slot in batch]
        else:
            after = [refused(self._now(slot), slot) for slot in batch]
            owed = [slot for slot in after if slot.kind is Kind.CLOSE]
            self._held |= {(name, slot.incident): now.mono + OWED_AGAIN_S for slot in owed}
        await self._keep(after)

    def _now(self, slot: Slot) -> Slot:
        """Give *slot* as it is by now: alerts may have come in while it was being sent."""
        return (self._slots or {}).get((slot.channel, slot.incident), slot)

    async def _keep(self, slots: Sequence[Slot]) -> None:
        known = await self._load()
        known.update({(slot.channel, slot.incident): slot for slot in slots})
        await self._save(slots)

    async def _save(self, slots: Sequence[Slot], gone: Sequence[Key] = ()) -> None:
        """Write *slots*, or everything when an earlier write failed."""
        if self._storage.problem:
            slots = list((await self._load()).values())
        await self._storage.save(slots, gone)

    def _evict(self, slots: dict[Key, Slot], now_wall: float) -> list[Key]:
        """Drop what is older than 30 days, and the least needed when there is too much."""
        gone = [k for k, slot in slots.items() if now_wall - slot.queued_wall > DAYS * DAY_S]
        surplus = len(slots) - len(gone) - self.limit
        if surplus > 0:
            rest = [key for key in slots if key not in gone]
            rest.sort(key=lambda key: (_worth(slots[key]), slots[key].seq))
            gone += rest[:surplus]
        for key in gone:
            del slots[key]
        return gone


def _worth(slot: Slot) -> int:
    """Rank for eviction, least needed first; an owed end and the newest states go last."""
    match slot.kind:
        case None:
            return 0 if slot.told is not Told.YES else 2
        case Kind.UPDATE:
            return 2
        case Kind.DIGEST:
            return 1
        case Kind.OPEN:
            return 3
        case Kind.CLOSE:
            return 4
