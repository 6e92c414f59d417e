"""The scheduling company: what its status page says, and whether its app can be used."""

from typing import Protocol

from edge_watchdog.core.model import VendorReport


class StatusReader(Protocol):
    """Reads one kind of status page."""

    async def read(self) -> VendorReport:
        """Ask once.  Never raises for what the page says or fails to say: that is UNKNOWN."""
