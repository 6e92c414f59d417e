"""Does a second device hand out addresses in the studio's own network, as an old router does?

In: the networks as they stand, and what their servers offer.  Out: the stranger, told of a line or
said of the network behind the box.  The rule: asked seldom, in a network that is the studio's own:
not at a provider, not of a stick or a phone.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from edge_watchdog.clock import Clock
from edge_watchdog.config import Config
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.model import BoxReport, LinkState, Mode, Stranger
from edge_watchdog.links import LinkError
from edge_watchdog.links.dhcp import Offer
from edge_watchdog.links.kernel import Kernel
from edge_watchdog.links.offers import Servers, Side, ask_for_offers, forget

LOOK_S = 1.0

IN_LAN = (
    "A second device gives out addresses in the studio's own network and leads computers past the"
    " box: {who}. Unplug the router or Wi-Fi box that was added last."
)

Ask = Callable[[str, str], Awaitable[tuple[Offer, ...]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of the lines by name, and whom to tell.

    *tell* is of a line, and gets None when all is well; *emit* is of the network behind the box.
    """

    state_of: Callable[[str], LinkState | None]
    fails: Callable[[str], bool]
    tell: Callable[[str, Stranger | None], None]
    emit: Callable[[Event], None]


class Strangers:
    """Asks now and then who hands out addresses."""

    def __init__(
        self,
        config: Config,
        kernel: Kernel,
        sight: Sight,
        *,
        clock: Clock,
        ask: Ask = ask_for_offers,
    ) -> None:
        self._config = config
        self._kernel = kernel
        self._sight = sight
        self._clock = clock
        self._ask = ask
        self._servers: dict[str, Servers] = {}
        self._said: dict[str, str] = {}
        self._lines = {
            one.uplink.interface: one.uplink.name
            for one in config.uplinks
            if not one.uplink.metered
        }

    def problems(self) -> tuple[str, ...]:
        """Say who leads the computers behind the box astray."""
        return tuple(
            IN_LAN.format(who=words_of(servers.stranger))
            for interface, servers in self._servers.items()
            if servers.stranger is not None and interface not in self._lines
        )

    async def run(self) -> None:
        """Look for ever; nothing of ours is left in the kernel at the end."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_S)
        finally:
            await forget()

    async def look(self) -> None:
        """Ask where it is due, once."""
        sides = dict(self._sides())
        for gone in self._servers.keys() - sides.keys():
            del self._servers[gone]  # what comes back may be another network
            if gone in self._lines:
                self._tell(gone, None)
        for name, side in sides.items():
            servers = self._servers.setdefault(name, Servers())
            if not servers.is_due(side, self._clock.now().mono):
                continue
            servers.asked_at = self._clock.now().mono
            try:
                offers = await self._ask(side.interface, side.mac)
            except LinkError as error:
                log.info("not asked who gives out addresses interface=%s: %s", name, error)
                continue
            servers.take(self._of_others(offers), side)
            self._tell(name, servers.stranger)

    def _of_others(self, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
        ours = {a.partition("/")[0] for f in self._kernel.snapshot.addresses.values() for a in f}
        return tuple(one for one in offers if one.server not in ours)

    def _tell(self, interface: str, offer: Offer | None) -> None:
        line = self._lines.get(interface)
        if line is None:
            who = "" if offer is None else words_of(offer)
            if who != self._said.get(interface):  # at the start, too: it may be gone since
                now, self._said[interface] = self._clock.now(), who
                self._sight.emit(BoxReported(now, BoxReport(now, stranger=who)))
        else:
            found = None if offer is None else Stranger(offer.server, offer.mac, offer.router)
            self._sight.tell(line, found)

    def _sides(self) -> Iterator[tuple[str, Side]]:
        """Give the studio's own networks that can be asked now, by the name in the settings."""
        lan, gateway = self._config.box.lan_interfaces, self._config.box.mode is Mode.GATEWAY
        for interface, name in self._lines.items():
            if not gateway or interface in lan:
                yield from self._line(interface, name)
        for interface in lan if gateway else ():
            if interface not in self._lines:
                yield from self._behind(interface)

    def _line(self, interface: str, name: str) -> Iterator[tuple[str, Side]]:
        device, state = self._kernel.snapshot.devices.get(interface), self._sight.state_of(name)
        if device is None or state is None or not (device.mac and state.carrier and state.gateway):
            return
        if ipaddress.ip_address(state.gateway).is_private:
            called, fails = self._kernel.snapshot.called(interface), self._sight.fails(name)
            yield interface, Side(called, device.mac, state.gateway, fails=fails)

    def _behind(self, interface: str) -> Iterator[tuple[str, Side]]:
        snapshot = self._kernel.snapshot
        device = snapshot.devices.get(interface)
        if device is None or not device.carrier or not device.mac:
            return
        for address in snapshot.addresses.get(device.index, ())[:1]:
            own = address.partition("/")[0]
            yield interface, Side(snapshot.called(interface), device.mac, own, ours=True)


def words_of(offer: Offer) -> str:
    """Name a server so that somebody can find it."""
    return f"{offer.server} ({offer.mac})" if offer.mac else offer.server
