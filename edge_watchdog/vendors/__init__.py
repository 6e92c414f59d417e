"""The scheduling company: what its status page says, and whether its app can be used."""

from typing import Protocol

import aiohttp

from edge_watchdog.core.model import VendorReport


class StatusReader(Protocol):
    """Reads one kind of status page."""

    @property
    def fresh_s(self) -> float:
        """Give for how long the last answer stays fresh: asking earlier gives the same again."""

    @property
    def rest_s(self) -> float:
        """Give for how long the page asked to be left alone after the last answer."""

    async def read(self, session: aiohttp.ClientSession) -> VendorReport:
        """Ask once.  Never raises for what the page says or fails to say: that is UNKNOWN."""
