"""What the studio's computers may reach over a line that costs by the amount, when that is limited.

In: names and addresses that are allowed, and which lines are limited now.  Out: the packet
filter's sets.  Everything else is refused at once, so that programs go on without it instead of
waiting.  The addresses of names come from two sides: looked up here, now and then, and put in by
the studio's name service as it gives them out, which covers every name below an allowed one.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable

from edge_watchdog.links.firewall import Firewall

AGAIN_S = 60.0
SOON_S = 5.0  # while a name has no address yet, as at the start
MOST = 1000

LookUp = Callable[[str], Awaitable[tuple[str, ...]]]


class Fence:
    """Keeps the lines that are limited, and what is allowed there; every call may be repeated."""

    def __init__(self, firewall: Firewall, allow: Iterable[str], look_up: LookUp) -> None:
        names, networks = sort_out(allow)
        self._firewall = firewall
        self._names = names
        self._known = networks
        self._look_up = look_up
        self._interfaces: tuple[str, ...] = ()
        self._lacking = False
        self._turned = asyncio.Event()

    async def limit(self, interfaces: tuple[str, ...]) -> None:
        """Limit what goes out by *interfaces*, and by no other."""
        self._interfaces = interfaces
        self._turned.set()
        await self._firewall.fence(interfaces, self._known)  # at once; names take a moment
        await self.look_again()

    async def run(self) -> None:
        """Look names up again while a line is limited, for ever."""
        while True:
            self._turned.clear()
            try:
                async with asyncio.timeout(SOON_S if self._lacking else AGAIN_S):
                    await self._turned.wait()
            except TimeoutError:
                await self.look_again()

    async def look_again(self) -> None:
        """Take in what addresses the names have now; those known before stay."""
        if not self._interfaces:
            return
        looks = await asyncio.gather(*(self._look_up(name) for name in self._names))
        self._lacking = not all(looks)
        found = (address for look in looks for address in look)
        known = tuple(dict.fromkeys((*self._known, *found)))[-MOST:]
        if known != self._known:
            self._known = known
            await self._firewall.fence(self._interfaces, known)


def sort_out(allow: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell names from addresses and networks ("192.0.2.0/24")."""
    names: list[str] = []
    networks: list[str] = []
    for one in dict.fromkeys(allow):
        (networks if _is_network(one) else names).append(one)
    return tuple(names), tuple(networks)


def _is_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True
