"""The vendor's addresses, and the line they leave by while the way over the usual one is broken.

In: the names of the vendor's hosts, and a way to look them up through any line.  Out: addresses,
handed to whoever changes routes.  A host far away may have other addresses for each who asks, so
every line is asked, and asked again while it lasts; an address once given stays in use by those who
were given it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edge_watchdog.links import LinkError

AGAIN_S = 60.0
MOST = 64  # addresses; the newest count

log = logging.getLogger(__name__)

LookUp = Callable[[str], Awaitable[tuple[str, ...]]]
Divert = Callable[[str | None, tuple[str, ...]], Awaitable[None]]


class VendorWay:
    """Keeps the addresses of *hosts* on one line; every call may be repeated.

    *look_up* gives the addresses of a host, by any line that answers, () when nobody knows it.
    *divert* has them leave by an uplink, or (None, ()) as everything else does.
    """

    def __init__(self, hosts: tuple[str, ...], look_up: LookUp, divert: Divert) -> None:
        self._hosts = hosts
        self._look_up = look_up
        self._divert = divert
        self._uplink: str | None = None
        self._addresses: tuple[str, ...] = ()
        self._turned = asyncio.Event()

    async def steer(self, uplink: str | None) -> None:
        """Have the vendor's addresses leave by *uplink*; None: as everything else.

        Raises LinkError when there are none, or the kernel refuses; then they leave as before.
        """
        self._turned.set()
        self._uplink, self._addresses = None, ()
        if uplink is None:
            await self._divert(None, ())
            return
        found = await self._found()
        if not found:
            raise LinkError(f"nobody knows an address of {', '.join(self._hosts) or 'the vendor'}")
        try:
            await self._divert(uplink, found)
        except LinkError:
            await self._divert(None, ())
            raise
        self._uplink, self._addresses = uplink, found

    async def run(self) -> None:
        """Look again while it lasts, for ever."""
        while True:
            self._turned.clear()
            try:
                async with asyncio.timeout(AGAIN_S):
                    await self._turned.wait()
            except TimeoutError:
                await self.look_again()

    async def look_again(self) -> None:
        """Take in what addresses the hosts have now; those known before stay."""
        uplink = self._uplink
        if uplink is None:
            return
        found = await self._found()
        fresh = tuple(dict.fromkeys((*found, *self._addresses)))[:MOST]
        if uplink == self._uplink and set(fresh) != set(self._addresses):
            self._addresses = fresh
            await self._divert(uplink, fresh)
            log.info("vendor addresses=%d via=%s", len(fresh), uplink)

    async def _found(self) -> tuple[str, ...]:
        looks = await asyncio.gather(*(self._look_up(host) for host in self._hosts))
        return tuple(dict.fromkeys(address for look in looks for address in look))[:MOST]
