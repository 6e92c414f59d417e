"""Is the studio's own network still there, behind a box with two legs?  Nobody else can tell.

In: the kernel's snapshot, and its own way of asking neighbours.  Out: BoxReported when the whole of
it is lost or found again, and a sentence for each interface.  The rule: a cable that is pushed in
anew, and one computer that is switched off, are no news; devices that vanish together are.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.model import BoxReport, Neighbour
from edge_watchdog.links import LinkError
from edge_watchdog.links.kernel import Kernel, Snapshot
from edge_watchdog.links.neighbours import peers_answer, there_lately

GONE_S = 10.0
ASK_AGAIN_S = 30.0  # while nobody answers
TOGETHER = 2  # so many devices do not go off in one moment

NO_SIGNAL = (
    "The cable between the box and the studio's own network ({name}) is out, or the network switch"
    " has no power: the studio's computers are offline."
)
NOBODY = (
    "No device of the studio's own network ({name}) answers any more. If its computers are offline,"
    " look whether the network switch works."
)

Ask = Callable[[Kernel, int, dict[str, str]], Awaitable[bool | None]]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Side:
    """One interface of the studio's network: who was there, and since when nothing is (mono)."""

    peers: dict[str, str] = field(default_factory=dict)
    since: float | None = None
    words: str = ""
    asked_at: float = 0.0


class LanWatch:
    """Looks at *interfaces*, which are no way out."""

    def __init__(
        self,
        kernel: Kernel,
        interfaces: tuple[str, ...],
        *,
        emit: Callable[[Event], None],
        clock: Clock,
        ask: Ask = peers_answer,
    ) -> None:
        self._kernel = kernel
        self._ask = ask
        self._emit = emit
        self._clock = clock
        self._sides = {name: Side() for name in interfaces}
        self._told: bool | None = None

    def problems(self) -> tuple[str, ...]:
        """Say which interfaces reach nothing."""
        return tuple(side.words for side in self._sides.values() if side.words)

    async def run(self) -> None:
        """Look whenever the kernel says something, for ever, where there is anything to look at."""
        if self._sides:
            async for _ in self._kernel.looks():
                await self.look()

    async def look(self) -> None:
        """Look once, and tell what has turned."""
        for name, side in self._sides.items():
            try:
                words = await self._judge(name, side)
            except LinkError as error:
                log.info("the studio's network was not looked at interface=%s: %s", name, error)
                continue
            if not words:
                side.since = None
            elif side.since is None:
                side.since = self._clock.now().mono
            side.words = words.format(name=self._kernel.snapshot.called(name))
        lost = bool(self._sides) and len(self._gone()) == len(self._sides)
        if lost is not self._told:
            self._told, now = lost, self._clock.now()
            self._emit(BoxReported(now, BoxReport(now, lan_lost=lost)))

    def _gone(self) -> list[Side]:
        now = self._clock.now().mono
        return [s for s in self._sides.values() if s.since is not None and now - s.since >= GONE_S]

    async def _judge(self, name: str, side: Side) -> str:
        """Give what is wrong with one interface, "" for nothing; raises LinkError."""
        snapshot = self._kernel.snapshot
        device = snapshot.devices.get(name)
        if device is None or not device.carrier:
            side.peers = {}
            return NO_SIGNAL
        lately = there_lately(self._kernel, device.index, None)
        waits = side.words if side.since is not None and side.peers else ""
        if not waits:
            silent = _silent(snapshot, device.index, side.peers)
            side.peers = silent | lately
            if len(silent) < TOGETHER:
                return ""
        now = self._clock.now().mono
        if waits and now - side.asked_at < ASK_AGAIN_S and not lately:
            return NOBODY
        side.asked_at = now
        known = side.peers | lately
        answer = await self._ask(self._kernel, device.index, known)
        side.peers = known if answer is False else lately  # who is off is not asked all the time
        return NOBODY if answer is False else ""


def _silent(snapshot: Snapshot, index: int, peers: dict[str, str]) -> dict[str, str]:
    """Give those of the *peers* that the kernel asked in vain."""
    seen = snapshot.neighbours
    return {a: mac for a, mac in peers.items() if seen.get((index, a)) is Neighbour.FAILED}
