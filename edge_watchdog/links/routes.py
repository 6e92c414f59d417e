"""The overlay: how new connections of the box are steered without touching anybody's routes.

Rule 6890 keeps the LAN and every connected network in the main table; rule 6900 looks up table
7100, which holds one default route, ours, replaced by one netlink message.  Each uplink has a
table of its own (7001 ...) for sockets that are bound to it by address (rule 6891) or by device
(6892), so that a question asked through a standby leaves by the standby, and an old connection
stays where it began; in gateway mode also for flows that carry its mark (6893).  Addresses that
are to leave by another line than the rest have a rule each (6894).  Everything
carries protocol 237; what carries it unwanted is removed.
"""

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from pyroute2.netlink.exceptions import NetlinkError

from edge_watchdog.links import LinkError
from edge_watchdog.links.kernel import MAIN_TABLE, Kernel

PROTOCOL = 237
OVERLAY_TABLE = 7100
FIRST_TABLE = 7001
LAST_TABLE = 7099
KEEP_LAN = 6890
BY_ADDRESS = 6891
BY_DEVICE = 6892
BY_MARK = 6893
TO_ADDRESS = 6894
OVERLAY = 6900
NO_WAY = frozenset({errno.ENODEV, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH})
PASSES = 5
UNSUPPRESSED = 0xFFFFFFFF  # what the kernel reports for "no suppress_prefixlength"


class NoWayError(LinkError):
    """The kernel does not know the way to a gateway, or not any more."""


@dataclass(frozen=True, slots=True)
class Exit:
    """One uplink as the kernel needs it; *number* counts from 0 in order of preference."""

    number: int
    interface: str
    index: int
    source: str
    gateway: str

    @property
    def table(self) -> int:
        """The table of its own."""
        return table_of(self.number)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One policy rule, as much of it as is ours to set."""

    priority: int
    table: int
    source: str = ""
    device: str = ""
    suppress: bool = False
    mark: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One default route of ours."""

    table: int
    gateway: str
    index: int


class Overlay:
    """Keeps kernel and wish the same; every call may be repeated with the same effect."""

    def __init__(self, kernel: Kernel, *, by_mark: bool = False) -> None:
        self._kernel = kernel
        self._by_mark = by_mark
        self._exits: Mapping[str, Exit] = {}
        self._active: str | None = None
        self._apart: tuple[str | None, tuple[str, ...]] = (None, ())
        self._steered = False  # until then what a crashed run left in the overlay table stays
        self.repairs = 0

    async def know(self, exits: Mapping[str, Exit]) -> None:
        """Take note of the uplinks that have an address and a gateway now, and reconcile."""
        self._exits = exits
        await self.reconcile()

    async def steer(self, uplink: str | None) -> None:
        """Let new connections leave by *uplink*.  Raises LinkError; then nothing has moved."""
        if uplink is not None and uplink not in self._exits:
            raise LinkError(f"{uplink} has no address and gateway now")
        before, self._active = self._active, uplink
        self._steered = True
        try:
            async with self._kernel.lock:
                if uplink is not None:
                    await self._put_route(_overlay_row(self._exits[uplink]))
            await self.reconcile()
        except LinkError:
            self._active = before
            raise

    async def divert(self, uplink: str | None, addresses: tuple[str, ...]) -> None:
        """Let connections to *addresses* alone leave by *uplink*, while it has a way out.

        (None, ()): they follow the others again.  Raises LinkError.
        """
        self._apart = (uplink, addresses)
        await self.reconcile()

    async def reconcile(self) -> None:
        """Put back what is missing, remove what is ours and not wanted, read the result back."""
        async with self._kernel.lock:
            if not await self._mend():
                return
            self.repairs += 1
            for _ in range(PASSES):  # wish and kernel may both have changed meanwhile
                if not await self._mend():
                    return
            raise LinkError("the kernel does not keep our routes or rules")

    async def clear(self) -> None:
        """Remove everything of ours; afterwards the system's own routes decide again."""
        self._exits, self._active, self._steered = {}, None, True
        self._apart = (None, ())
        async with self._kernel.lock:
            await self._mend()

    async def _mend(self) -> bool:
        """Make one pass; tell whether anything had to be changed."""
        # one wish for the whole pass: a steer that comes while we read must not lose its route
        routes, rules, steered = self._wanted_routes(), self._wanted_rules(), self._steered
        has_routes, has_rules = await self._our_routes(steered=steered), await self._our_rules()
        # routes before rules, so that no rule leads to an empty table; the other way at the end
        for route in sorted(routes - has_routes, key=lambda r: -r.table):
            try:
                await self._put_route(route)
            except NoWayError:  # an address that is just being changed; the next look tells
                routes -= {route}
        for rule in sorted(rules - has_rules, key=lambda r: r.priority):
            await self._rule("add", rule)
        for rule in sorted(has_rules - rules, key=lambda r: -r.priority):
            await self._rule("del", rule)
        for route in has_routes - routes:
            if not any(wanted.table == route.table for wanted in routes):
                await self._route("del", route)
        return routes != has_routes or rules != has_rules

    def _wanted_routes(self) -> set[RouteRow]:
        wanted = {RouteRow(e.table, e.gateway, e.index) for e in self._exits.values()}
        if self._active in self._exits:
            wanted.add(_overlay_row(self._exits[self._active or ""]))
        return wanted

    def _wanted_rules(self) -> set[RuleRow]:
        if not self._exits:
            return set()
        wanted = {RuleRow(KEEP_LAN, MAIN_TABLE, suppress=True), RuleRow(OVERLAY, OVERLAY_TABLE)}
        for one in self._exits.values():
            wanted.add(RuleRow(BY_ADDRESS, one.table, source=one.source))
            wanted.add(RuleRow(BY_DEVICE, one.table, device=one.interface))
            if self._by_mark:
                wanted.add(RuleRow(BY_MARK, one.table, mark=one.table))
        apart, addresses = self._apart
        if apart in self._exits:
            table = self._exits[apart or ""].table
            wanted |= {RuleRow(TO_ADDRESS, table, target=address) for address in addresses}
        return wanted

    async def _our_routes(self, *, steered: bool) -> set[RouteRow]:
        found = set()
        async for message in await self._kernel.ipr.get_routes(family=socket.AF_INET):
            table = message.get("table") or message["table"]
            ours = FIRST_TABLE <= table <= LAST_TABLE
            ours = ours or (table == OVERLAY_TABLE and steered)
            if ours and message["proto"] == PROTOCOL and message["dst_len"] == 0:
                found.add(RouteRow(table, message.get("gateway") or "", message.get("oif") or 0))
        return found

    async def _our_rules(self) -> set[RuleRow]:
        found = set()
        async for message in await self._kernel.ipr.get_rules(family=socket.AF_INET):
            if message.get("protocol") == PROTOCOL:
                found.add(
                    RuleRow(
                        message.get("priority") or 0,
                        message.get("table") or message["table"],
                        message.get("src") or "",
                        message.get("oifname") or "",
                        message.get("suppress_prefixlen") != UNSUPPRESSED,
                        message.get("fwmark") or 0,
                        message.get("dst") or "",
                    )
                )
        return found

    async def _put_route(self, row: RouteRow) -> None:
        await self._route("replace", row)

    async def _route(self, verb: str, row: RouteRow) -> None:
        try:
            await self._kernel.ipr.route(
                verb,
                dst="default",
                gateway=row.gateway,
                oif=row.index,
                table=row.table,
                proto=PROTOCOL,
            )
        except NetlinkError as error:
            if verb == "del" and error.code == 3:  # ESRCH: the kernel was faster
                return
            raise _refused(f"route {verb} in table {row.table}", error) from error

    async def _rule(self, verb: str, row: RuleRow) -> None:
        # pyroute2 takes any keyword: the misspelt suppress_prefixlength would be dropped silently
        more: dict[str, object] = {"suppress_prefixlen": 0} if row.suppress else {}
        if row.source:
            more |= {"src": row.source, "src_len": 32}
        if row.target:
            more |= {"dst": row.target, "dst_len": 32}
        if row.device:
            more["oifname"] = row.device
        if row.mark:
            more["fwmark"] = row.mark
        try:
            await self._kernel.ipr.rule(
                verb, priority=row.priority, table=row.table, protocol=PROTOCOL, **more
            )
        except NetlinkError as error:
            if (verb, error.code) in (("add", 17), ("del", 2)):  # EEXIST, ENOENT: already so
                return
            raise _refused(f"rule {verb} {row.priority}", error) from error


def table_of(number: int) -> int:
    """Give the table of the uplink with this number, which is its mark too."""
    return FIRST_TABLE + number


def _overlay_row(one: Exit) -> RouteRow:
    return RouteRow(OVERLAY_TABLE, one.gateway, one.index)


def _refused(what: str, error: NetlinkError) -> LinkError:
    if error.code == 1:
        return LinkError(f"{what}: not permitted; the watch half needs CAP_NET_ADMIN")
    if error.code in NO_WAY:
        return NoWayError(f"{what}: {error}")
    return LinkError(f"{what}: {error}")
