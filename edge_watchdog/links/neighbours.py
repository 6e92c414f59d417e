"""Who else is there on a line's local network, and has one device the router's address, or two?

In: the kernel's table of neighbours, and its own way of asking them again (ARP).  Out: None, True
or False.  The rule: only devices that were there a moment ago can vanish, and only a device that
answers for an address has it.  An address that has gone to another device is no conflict: a second
router took over (VRRP), or the first was exchanged.  It is one when both answer.
"""

import asyncio
import math
from dataclasses import dataclass

from edge_watchdog.core.model import Neighbour
from edge_watchdog.links.ears import Ears
from edge_watchdog.links.kernel import Kernel, Near

RECENT_S = 120.0  # a printer that was switched off yesterday is no news
MOST = 8
GIVES_UP_S = 1.6  # the kernel has asked twice by then
LOOK_S = 0.2
REMEMBERED_S = 300.0  # a router that is exchanged for another does not come back by then
ASK_EVERY_S, ASK_SOON_S = 5.0, 1.0  # while it is open; when it has just changed hands
ASK_KNOWN_S, ALONE_ROUNDS = 30.0, 3  # while two are known; so often one must be alone to be the one
ANSWERS_S, LISTEN_S = 0.3, 0.03  # a device of the same network answers within milliseconds
ROUNDS = 2  # one answer may have been on its way while the address was handed over


@dataclass(slots=True)
class Claims:
    """Which devices answered for the router's address, the one before the present one too.

    Times are CLOCK_BOOTTIME; *asked_at*: when all devices were asked last who has it.  *rightful*:
    who had it before there were two.  *alone*: how often in a row one only has answered since.
    """

    mac: str | None = None
    former: str | None = None
    changed_at: float = 0.0
    twofold_until: float = 0.0
    asked_at: float = -math.inf
    rightful: str | None = None
    alone: int = 0

    def note(self, near: Near | None, now: float, *, asks: bool) -> None:
        """Take in who has it *now* (CLOCK_BOOTTIME); the former one only when it has answered.

        *asks*: all devices can be asked who has it, and that tells a pair of routers that hands its
        address back (VRRP, CARP) from two that both have it.  Where not, coming back is the proof.
        """
        if near is None or near.mac == self.mac:
            return
        if near.mac == self.doubted(now):
            if near.state is not Neighbour.REACHABLE:
                return
            if not asks:
                self.twofold_until = now + REMEMBERED_S
        self.mac, self.former, self.changed_at = near.mac, self.mac, now

    def doubted(self, now: float) -> str | None:
        """Give the device that had the address until lately, if another one has it now."""
        return self.former if now - self.changed_at < REMEMBERED_S else None

    @property
    def is_new(self) -> bool:
        """Tell whether it has changed hands since all devices were asked."""
        return self.former is not None and self.changed_at > self.asked_at

    def is_to_ask(self, now: float) -> bool:
        """Tell, every few seconds, that it is open whether two devices have the address."""
        known = now < self.twofold_until
        if not known and self.doubted(now) is None:
            return False
        pause_s = ASK_KNOWN_S if known else ASK_SOON_S if self.is_new else ASK_EVERY_S
        if now - self.asked_at < pause_s:
            return False
        self.asked_at = now
        return True

    def answered(self, now: float, *, both: bool) -> None:
        """Take in what asking all devices found *now* (CLOCK_BOOTTIME)."""
        known = now < self.twofold_until
        self.alone = 0 if both else self.alone + 1
        if both:
            self.rightful = self.rightful if known else self.former
            self.twofold_until = now + REMEMBERED_S
        elif known and self.alone >= ALONE_ROUNDS:
            self.twofold_until = now

    def to_call(self, now: float, *, asks: bool) -> str | None:
        """Give the device that the router's traffic should go to instead, if it is still there.

        Where all can be asked that is only whoever had the address before there were two: from a
        router that another one stands in for, all traffic would go to a dead one meanwhile.
        """
        if not asks:
            return self.doubted(now)
        known = now < self.twofold_until and self.mac != self.rightful
        return self.rightful if known else None


@dataclass(frozen=True, slots=True)
class Router:
    """A router as a line sees it: the device's index and present name, and its own address."""

    index: int
    interface: str
    address: str


async def two_answer(kernel: Kernel, ears: Ears, router: Router) -> bool:
    """Ask everybody who is *router*: do the same two devices answer, twice running?

    Raises LinkError.
    """
    both: frozenset[str] | None = None
    for _ in range(ROUNDS):
        async with ears.asking(router.interface, router.address):
            await kernel.ask_everybody(router.index, router.address)
            found = await _answers(ears)
        both = found if both is None else both & found
        if len(both) < 2:
            return False
    return True


async def _answers(ears: Ears) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for _ in range(round(ANSWERS_S / LISTEN_S)):
        await asyncio.sleep(LISTEN_S)
        found = await ears.answered()
        if len(found) > 1:
            break
    return found


def there_lately(kernel: Kernel, index: int, gateway: str | None) -> dict[str, str]:
    """Give the other devices that were there a moment ago, MAC by address."""
    found = {
        address: near
        for (device, address), near in kernel.snapshot.near.items()
        if device == index and address != gateway and near.proven_ago_s <= RECENT_S
    }
    newest = sorted(found, key=lambda address: found[address].proven_ago_s)[:MOST]
    return {address: found[address].mac for address in newest}


async def peers_answer(kernel: Kernel, index: int, peers: dict[str, str]) -> bool | None:
    """Tell whether any of the *peers* is still there; None when there were none.

    Raises LinkError.
    """
    for address, mac in peers.items():
        await kernel.ask_again(index, address, mac)
    for _ in range(round(GIVES_UP_S / LOOK_S) if peers else 0):
        await asyncio.sleep(LOOK_S)
        seen = (await kernel.look()).neighbours  # one from before the question says nothing
        if any(seen.get((index, address)) is Neighbour.REACHABLE for address in peers):
            return True
    return False if peers else None
