"""Ways out of the building: what the kernel says of them, and how new connections are steered.

A driver knows one kind of uplink.  Addresses and gateways come from the system's own network
manager; this room reads them and never configures them.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from edge_watchdog.core.model import LinkState


class LinkError(Exception):
    """The device or the system refused; the message says what was tried and the answer."""


class UplinkDriver(Protocol):
    """One way out.  Every method may be called again at any time with the same effect."""

    async def bring_up(self) -> None:
        """Have it ready to carry traffic; may take seconds.  Raises LinkError."""

    async def release(self) -> None:
        """Let it rest.  Raises LinkError."""

    def watch(self) -> AsyncIterator[LinkState]:
        """Give the present state at once, then every change."""
