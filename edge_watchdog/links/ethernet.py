"""Anything that looks like Ethernet: the broadband cable, a HiLink stick, a USB tether, Wi-Fi.

The system's own network manager brings it up and gives it an address; this driver reads and never
configures.
"""

from collections.abc import AsyncIterator

from edge_watchdog.core.model import LinkState, Uplink
from edge_watchdog.links.kernel import Device, Kernel, Snapshot
from edge_watchdog.links.keys import Ethernet
from edge_watchdog.links.leases import find_resolvers


class EthernetDriver:
    """Watches one interface."""

    def __init__(self, options: Ethernet, uplink: Uplink, kernel: Kernel, ask: str) -> None:
        self._options = options
        self._uplink = uplink
        self._kernel = kernel
        self._ask = ask

    async def bring_up(self) -> None:
        """Do nothing: the network manager has it up whenever it can be."""

    async def release(self) -> None:
        """Do nothing: an idle cable costs nothing."""

    async def watch(self) -> AsyncIterator[LinkState]:
        """Give the present state at once, then every change."""
        last: tuple[LinkState, str] | None = None
        async for snapshot in self._kernel.looks():
            state = await self._read(snapshot)
            seen = (state, snapshot.called(self._uplink.interface))  # who is bound must know both
            if seen != last:
                last = seen
                yield state

    async def _read(self, snapshot: Snapshot) -> LinkState:
        device = snapshot.devices.get(self._uplink.interface)
        if device is None:
            return LinkState(present=False)
        gateway: str | None = self._options.gateway or snapshot.gateway_of(device.index)
        addresses = snapshot.addresses.get(device.index, ())
        routed = None
        if gateway and addresses and device.carrier:
            routed = await self._kernel.leads_out(device.index, gateway, self._ask)
        return LinkState(
            present=True,
            carrier=device.carrier,
            addresses=addresses,
            gateway=gateway,
            neighbour=snapshot.neighbours.get((device.index, gateway)) if gateway else None,
            resolvers=self._resolvers(device, gateway),
            routed=routed,
            default=snapshot.leaves_by() == device.index,
        )

    def _resolvers(self, device: Device, gateway: str | None) -> tuple[str, ...]:
        if self._options.resolvers:
            return self._options.resolvers
        found = find_resolvers(
            device.name or self._uplink.interface,
            device.index,
            self._options.resolvers_file or "",
        )
        return found or ((gateway,) if gateway else ())
