"""The kernel's own view of the network: snapshots in, taken anew after every netlink notification.

A notification only says "look again": the state is always read whole, so that a lost or merged
message can do no harm.  This file and routes.py are the only ones that speak rtnetlink.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

from pyroute2 import AsyncIPRoute
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from edge_watchdog.core.model import Neighbour
from edge_watchdog.links import LinkError
from edge_watchdog.links.identity import Followed, Marks

RTMGRP = 0x1 | 0x4 | 0x10 | 0x40 | 0x80  # links, neighbours, IPv4 addresses, routes and rules
MAIN_TABLE = 254
IFF_UP = 0x1
ARPHRD_ETHER = 1
QUIET_LOOK_S = 5.0  # look again even when nothing was announced
SETTLE_S = 0.002  # one cause makes several notifications; take them together
NUD_NONE, NUD_PROBE = 0x00, 0x10
NTF_USE = 0x01  # ask now, rather than when there is something to send
USER_HZ = os.sysconf("SC_CLK_TCK")  # the kernel dates neighbours in it
NEVER_TICKS = 1 << 31
NEIGHBOUR_STATES: Mapping[int, Neighbour] = {  # include/uapi/linux/neighbour.h
    0x01: Neighbour.PROBING,
    0x02: Neighbour.REACHABLE,
    0x04: Neighbour.STALE,
    0x08: Neighbour.PROBING,
    0x10: Neighbour.PROBING,
    0x20: Neighbour.FAILED,
    0x80: Neighbour.REACHABLE,
}


@dataclass(frozen=True, slots=True)
class Device:
    """One interface; *carrier* is False while it is switched off.

    *name*: what it is called now, where it is followed under another (identity.py); "" = the same.
    *mac*: its address on the wire, "" where it has none.
    """

    index: int
    carrier: bool
    name: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """One default route of the main table; the lowest *metric* wins."""

    metric: int
    index: int
    gateway: str | None


@dataclass(frozen=True, slots=True)
class Near:
    """A device of a local network: *mac*, and how many seconds ago it was proven to be there."""

    mac: str
    state: Neighbour
    proven_ago_s: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """IPv4 as the kernel has it at one moment; addresses are "192.0.2.7/24" by device index."""

    devices: Mapping[str, Device] = field(default_factory=dict)
    addresses: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    defaults: tuple[DefaultRoute, ...] = ()
    neighbours: Mapping[tuple[int, str], Neighbour] = field(default_factory=dict)
    near: Mapping[tuple[int, str], Near] = field(default_factory=dict)

    def called(self, interface: str) -> str:
        """Give the present name of a configured interface, which may have been renamed."""
        device = self.devices.get(interface)
        return interface if device is None else device.name or interface

    def gateway_of(self, index: int) -> str | None:
        """Give the gateway of the best default route through the device, if there is one."""
        return next((r.gateway for r in self.defaults if r.index == index and r.gateway), None)

    def leaves_by(self) -> int | None:
        """Give the device that the system's own best default route uses."""
        return self.defaults[0].index if self.defaults else None


class Kernel:
    """One rtnetlink connection of this process; open() before use, close() after.

    The interfaces of *follow* are found again when they are renamed; the snapshot has them under
    the names given here.
    """

    def __init__(self, follow: Iterable[str] = ()) -> None:
        self.followed = Followed(follow)
        self._ipr: AsyncIPRoute | None = None
        self._bell: socket.socket | None = None
        self._rung = asyncio.Event()
        self._looked = asyncio.Condition()
        self.lock = asyncio.Lock()  # netlink(7): one dump at a time on one socket
        self.snapshot = Snapshot()

    async def open(self) -> None:
        """Connect and take the first snapshot; raises LinkError."""
        self._ipr = AsyncIPRoute()
        await self._ipr.setup_endpoint()
        bell = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        bell.setblocking(False)
        bell.bind((0, RTMGRP))
        self._bell = bell
        asyncio.get_running_loop().add_reader(bell, self._ring)
        self.snapshot = await self.look()

    async def close(self) -> None:
        """Let go of both sockets; harmless when done twice."""
        if self._bell is not None:
            asyncio.get_running_loop().remove_reader(self._bell)
            self._bell.close()
            self._bell = None
        if self._ipr is not None:
            self._ipr.close()
            self._ipr = None

    @property
    def ipr(self) -> AsyncIPRoute:
        """The connection, to be used under *lock*; raises LinkError when it is not open."""
        if self._ipr is None:
            raise LinkError("the netlink connection is not open")
        return self._ipr

    async def run(self) -> None:
        """Keep the snapshot fresh for ever; run again after a LinkError, it connects anew."""
        if self._ipr is None:
            await self.open()
        try:
            await self._keep_looking()
        except LinkError:
            await self.close()
            raise

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUIET_LOOK_S):
                    await self._rung.wait()
            await asyncio.sleep(SETTLE_S)
            self._rung.clear()
            fresh = await self.look()
            async with self._looked:
                self.snapshot = fresh
                self._looked.notify_all()

    def ring(self) -> None:
        """Have it look again: somebody has reason to think that something changed."""
        self._rung.set()

    async def looks(self) -> AsyncIterator[Snapshot]:
        """Give the present snapshot, then one after every look."""
        yield self.snapshot
        while True:
            async with self._looked:
                await self._looked.wait()
            yield self.snapshot

    def _ring(self) -> None:
        """Empty the notification socket; an overrun (ENOBUFS) is a notification too."""
        bell = self._bell
        while bell is not None:
            try:
                bell.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                continue
        self._rung.set()

    async def look(self) -> Snapshot:
        """Take a look of one's own, later than this call; raises LinkError."""
        try:
            async with self.lock:
                return Snapshot(
                    await self._devices(),
                    await self._addresses(),
                    await self._defaults(),
                    *await self._neighbours(),
                )
        except (NetlinkError, OSError) as error:
            raise LinkError(f"reading the network state failed: {error}") from error

    async def _devices(self) -> Mapping[str, Device]:
        found: dict[str, Device] = {}
        marks: dict[str, Marks] = {}
        async for message in await self.ipr.get_links():
            name = message.get("ifname")
            carrier = bool(message["flags"] & IFF_UP) and bool(message.get("carrier"))
            mac = str(message.get("address") or "") if message["ifi_type"] == ARPHRD_ETHER else ""
            found[name] = Device(message["index"], carrier, name, mac)
            marks[name] = _marks(message)
        now = self.followed.resolve(marks)
        strangers = {name: one for name, one in found.items() if name not in self.followed.names}
        return strangers | {name: found[called] for name, called in now.items()}

    async def _addresses(self) -> Mapping[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        async for message in await self.ipr.get_addr(family=socket.AF_INET):
            text = f"{message.get('local') or message.get('address')}/{message['prefixlen']}"
            found[message["index"]] = (*found.get(message["index"], ()), text)
        return found

    async def _defaults(self) -> tuple[DefaultRoute, ...]:
        found = [
            DefaultRoute(message.get("priority") or 0, message.get("oif"), message.get("gateway"))
            async for message in await self.ipr.get_routes(family=socket.AF_INET, table=MAIN_TABLE)
            if message["dst_len"] == 0 and message.get("oif")
        ]
        return tuple(sorted(found, key=lambda route: route.metric))

    async def _neighbours(
        self,
    ) -> tuple[Mapping[tuple[int, str], Neighbour], Mapping[tuple[int, str], Near]]:
        states: dict[tuple[int, str], Neighbour] = {}
        near: dict[tuple[int, str], Near] = {}
        async for message in await self.ipr.get_neighbours(family=socket.AF_INET):
            key, state = (
                (message["ifindex"], message.get("dst")),
                NEIGHBOUR_STATES.get(message["state"]),
            )
            if state is None:
                continue
            states[key] = state
            if (mac := message.get("lladdr")) is not None:
                ticks = (message.get("cacheinfo") or {}).get("ndm_confirmed", NEVER_TICKS)
                near[key] = Near(mac, state, ticks / USER_HZ)
        return states, near

    async def ask_again(self, index: int, address: str, mac: str) -> None:
        """Have the kernel ask the device with *mac* whether it still is *address*.

        It asks three times, a second apart, and then holds it for gone; raises LinkError.
        """
        try:
            async with self.lock:
                await self.ipr.neigh(
                    "replace", dst=address, lladdr=mac, ifindex=index, state=NUD_PROBE
                )
        except (NetlinkError, OSError) as error:
            raise LinkError(f"{address} cannot be asked whether it is there: {error}") from error

    async def ask_everybody(self, index: int, address: str) -> None:
        """Have the kernel forget which device is *address*, and ask all of them.

        The first to answer has it from then on; what is to be sent there waits for that.  Raises
        LinkError.
        """
        place = {"dst": address, "ifindex": index}
        try:
            async with self.lock:
                with contextlib.suppress(NetlinkError):  # it may not have known
                    await self.ipr.neigh("del", **place)
                await self.ipr.neigh("replace", state=NUD_NONE, flags=NTF_USE, **place)
        except (NetlinkError, OSError) as error:
            raise LinkError(f"nobody can be asked who is {address}: {error}") from error

    async def leads_out(self, index: int, gateway: str, to: str) -> bool:
        """Tell whether a packet to *to* that is bound to the device would go by *gateway*."""
        try:
            async with self.lock:
                answers = await self.ipr.route("get", dst=to, oif=index)
        except NetlinkError:
            return False
        return any(
            answer.get("gateway") == gateway and answer.get("oif") == index for answer in answers
        )


def _marks(message: ifinfmsg) -> Marks:
    properties = message.get("prop_list")
    others = properties.get_attrs("IFLA_ALT_IFNAME") if properties else ()
    place = (message.get("parent_dev_bus_name"), message.get("parent_dev_name"))
    return Marks(
        message["index"],
        str(message.get("perm_address") or ""),
        " ".join(place) if all(place) else "",
        frozenset(others),
    )
