"""Gateway mode: the studio's computers are routed through the box and move with it.

In: the same orders as the box's own route.  Out: the packet filter's map is moved, flows are ended
or drained, the kernel forwards.  It never refuses an order: the box's own way out must not wait for
the packet filter, which is tried again and its trouble told.
"""

import ipaddress
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_watchdog.clock import Clock
from edge_watchdog.links.conntrack import LanFlows
from edge_watchdog.links.drain import Flows, end_those_to, meter
from edge_watchdog.links.fence import Fence, LookUp
from edge_watchdog.links.firewall import Firewall, Sides, read_heard
from edge_watchdog.links.kernel import Snapshot
from edge_watchdog.links.routes import table_of

SYSCTL = Path("/proc/sys/net/ipv4")
SYSCTL_FILE = "/usr/lib/edge-watchdog/60-edge-watchdog-gateway.conf"
PROGRAMS = {  # and the Debian package of each
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
}

SAID_FOR_S = 600.0

log = logging.getLogger(__name__)


class Gateway:
    """The LAN's side of the failover; *uplinks* are interfaces by name, most preferred first."""

    def __init__(
        self,
        lan: tuple[str, ...],
        uplinks: Mapping[str, str],
        *,
        clock: Clock,
        metered: frozenset[str] = frozenset(),
    ) -> None:
        self._lan = lan
        self._clock = clock
        self._interfaces = dict(uplinks)
        self._marks = {name: table_of(number) for number, name in enumerate(uplinks)}
        sides = Sides(lan, {uplinks[name]: mark for name, mark in self._marks.items()})
        self._firewall = Firewall(sides)
        carried = meter({name: uplinks[name] for name in metered})
        self._lan_flows = LanFlows(self._marks)
        self._flows = Flows(self._lan_flows, clock, carried)
        self._active: str | None = None
        self._apart: str | None = None
        self._before: dict[Path, str] = {}  # kernel settings as they were
        self._refused: dict[str, str] = {}

    def open(self) -> None:
        """Have the kernel forward, where this process may say so."""
        for setting, value in _settings(self._lan).items():
            if (was := _read(setting)) not in (value, None):
                try:
                    setting.write_text(value)
                except OSError:
                    continue  # under systemd the sysctl file does it; problems() tells
                self._before[setting] = was or ""

    async def close(self, *, keep: bool) -> None:
        """Take everything of ours out of the kernel, unless the next run goes on at once."""
        await self._flows.close()
        if keep:
            return
        await self._firewall.clear()
        for setting, value in self._before.items():
            setting.write_text(value)

    async def run(self) -> None:
        """Repair what others do to our packet filter, for ever."""
        await self._firewall.run()

    async def steer(self, uplink: str | None) -> None:
        """Let new flows leave by *uplink*; those on the others stay where they are and drain."""
        left = [self._active] if self._active else [n for n in self._marks if n != uplink]
        await self._firewall.steer(self._marks[uplink] if uplink else None)
        self._active = uplink
        if uplink is not None:
            self._flows.spare(uplink)
        for name in left:
            if name not in (uplink, self._apart):
                self._flows.drain(name)

    async def divert(self, uplink: str | None, addresses: tuple[str, ...]) -> None:
        """Let flows to *addresses* alone leave by *uplink*; None: new ones as the others.

        Raises LinkError when those that hang on the line in use could not be ended.
        """
        marks = {} if uplink is None else dict.fromkeys(addresses, self._marks[uplink])
        await self._firewall.divert(marks)
        before, self._apart = self._apart, uplink
        if uplink is not None:
            self._flows.spare(uplink)
            if self._active is not None:
                await end_those_to(addresses, self._lan_flows, self._active)
        if before not in (None, uplink, self._active):
            self._flows.drain(before or "")

    def fence(self, allow: Iterable[str], look_up: LookUp) -> Fence:
        """Give what limits lines to what the owner allows."""
        return Fence(self._firewall, allow, look_up)

    async def evict(self, uplink: str) -> int:
        """End every flow that hangs on *uplink*, gives how many; raises LinkError."""
        return await self._flows.evict(uplink)

    async def heard(self, uplink: str) -> int | None:
        """Give how many answers the studio's computers have had from outside; raises LinkError."""
        return (await read_heard()).get(self._marks[uplink])

    def refuses(self, uplink: str, addresses: tuple[str, ...], snapshot: Snapshot) -> bool:
        """Tell whether *uplink* has addresses that are the LAN's too; nobody could route that."""
        self._refused.pop(uplink, None)
        if self._interfaces[uplink] in self._lan:
            return False
        for near in _networks(lan_addresses(self._lan, snapshot)):
            for far in _networks(addresses):
                if near.overlaps(far):
                    self._refused[uplink] = (
                        f"{uplink} is not used: it has the same addresses ({far}) as the studio's"
                        f" own network ({near}). Give one of them another range."
                    )
        return uplink in self._refused

    def problems(self) -> tuple[str, ...]:
        """Say what keeps the studio's computers from being routed, and what still drains."""
        found = [*self._refused.values(), *shortcomings(self._lan)]
        if self._firewall.trouble:
            found.append(f"The studio's computers are not routed: {self._firewall.trouble}.")
        found += [
            f"Connections that began on {name} and still run there: {count}."
            for name, count in self._flows.left().items()
        ]
        now_s = self._clock.now().mono
        found += [
            f"No connection is left on {name}."
            for name, since_s in self._flows.empty().items()
            if now_s - since_s < SAID_FOR_S
        ]
        return tuple(found)


def lan_addresses(lan: tuple[str, ...], snapshot: Snapshot) -> tuple[str, ...]:
    """Give the addresses that the box has on the LAN, "192.0.2.7/24"."""
    indexes = [snapshot.devices[name].index for name in lan if name in snapshot.devices]
    return tuple(a for index in indexes for a in snapshot.addresses.get(index, ()))


def shortcomings(lan: tuple[str, ...]) -> tuple[str, ...]:
    """Say what this machine lacks for routing the LAN; () when it is ready."""
    wrong = [
        f"net.ipv4.{'.'.join(setting.relative_to(SYSCTL).parts)} is not {value}"
        for setting, value in _settings(lan).items()
        if _read(setting) not in (value, None)
    ]
    found = [
        f"The program {program} is missing: apt-get install {package}"
        for program, package in PROGRAMS.items()
        if shutil.which(program) is None
    ]
    if wrong:
        found.append(
            f"The kernel does not route the studio's computers as it should ({', '.join(wrong)}):"
            f" sudo cp {SYSCTL_FILE} /etc/sysctl.d/ and sudo sysctl -p {SYSCTL_FILE}"
        )
    return tuple(found)


def _settings(lan: tuple[str, ...]) -> Mapping[Path, str]:
    """Give what must hold; a redirect would teach a computer a way round the box."""
    redirects = (SYSCTL / "conf" / name / "send_redirects" for name in ("all", *lan))
    return {SYSCTL / "ip_forward": "1", **dict.fromkeys(redirects, "0")}


def _read(setting: Path) -> str | None:
    try:
        return setting.read_text("ascii").strip()
    except OSError:
        return None  # the interface is not there yet


def _networks(addresses: Iterable[str]) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Interface(address).network for address in addresses]
