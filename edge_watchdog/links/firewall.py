"""The packet filter of gateway mode: one table of our own, loaded whole, changed in one step.

Everything stands in ``table inet edge_watchdog``; nobody else's table is read or touched.  One map
says which mark a new flow from the LAN gets; the mark is the number of the uplink's routing table
(rule 6893).  What has left once is pinned to its uplink by the mark of its conntrack entry.
"""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_watchdog.links import LinkError, advertise, elements, farewell
from edge_watchdog.links.life import ANSWERED_NEARBY, NEARBY
from edge_watchdog.links.netfilter import NETLINK_NETFILTER, generation, no_table
from edge_watchdog.links.program import run_program

TABLE = f"inet {elements.TABLE_NAME}"
SETTLE_S = 0.05  # our own changes ring the bell too
QUIET_LOOK_S = 5.0  # the bell has told of every change; this is for a kernel that forgot to
RETRY_S = 1.0
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1  # include/uapi/linux/netlink.h
HEARD = "heard_"  # counters: that, and the mark
ASKED, TOLD = "names_asked", "names_told"  # counters
NFNLGRP_NFTABLES = 7  # include/uapi/linux/netfilter/nfnetlink.h

ALLOWED = """\
  set limited { type ifname; }
  set allowed { type ipv4_addr; flags interval; auto-merge; }
  set allowed_names { type ipv4_addr; flags timeout; timeout 1d; size 65535; }
"""
ONLY_ALLOWED = """\
  chain only_allowed {
    ip daddr @allowed return
    ip daddr @allowed_names return
    meta l4proto icmp return
    udp dport { 53, 123 } return
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
"""

log = logging.getLogger(__name__)
_BLOCK = r"^\t(?:set|map) (?:%s) \{.*?^\t\}\n"
_PASSES = "|".join((*farewell.PASSING, "allowed", "allowed_names"))
_PASSING = re.compile(_BLOCK % _PASSES, re.MULTILINE | re.DOTALL)
_NEW_FLOWS = re.compile(_BLOCK % "new_flows|apart|limited", re.MULTILINE | re.DOTALL)
_LIMITED = re.compile(r"^\tset limited .*?elements = \{ (.*?) \}", re.MULTILINE | re.DOTALL)
_PAIR = re.compile(r'"?([^\s"]+)"? : (0x[0-9a-f]+)')


@dataclass(frozen=True, slots=True)
class Sides:
    """The interfaces of the studio, and those that lead out with the mark of each."""

    lan: tuple[str, ...]
    uplinks: Mapping[str, int] = field(default_factory=dict)


class Firewall:
    """Keeps kernel and wish the same; every call may be repeated with the same effect.

    *called* gives the present name of an interface, which may have been renamed.
    """

    def __init__(self, sides: Sides, called: Callable[[str], str] = str) -> None:
        self._configured = sides
        self._called = called
        self._names = self._present_names()
        self._mark: int | None = None
        self._apart: Mapping[str, int] = {}  # marks of new flows to these addresses
        self._fence: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._loaded = False
        self._form: str | None = None  # how the kernel lists what we load, but for the marks
        self._seen: int | None = None  # the generation in which all was as it should be
        self._wanted = False  # until the first steer() what a crashed run left stays
        self._lock = asyncio.Lock()
        self.repairs = 0
        self.trouble = ""  # why the kernel does not have what it should; "" = it has

    async def steer(self, mark: int | None) -> None:
        """Let new flows from the LAN have *mark*; None: they follow the other rules.

        What fails stands in *trouble*, and run() tries again.
        """
        async with self._lock:
            self._mark, self._wanted = mark, True
            moved = self._loaded and await self._move(_new_flows(self._sides, mark))
            if not moved:
                await self._load()

    async def divert(self, marks: Mapping[str, int]) -> None:
        """Let new flows from the LAN to these addresses have marks of their own.

        What fails stands in *trouble*, and run() tries again.
        """
        async with self._lock:
            self._apart = dict(marks)
            if not self._wanted or (self._loaded and await self._move(_apart(self._apart))):
                return
            await self._load()

    async def fence(self, interfaces: tuple[str, ...], allowed: tuple[str, ...]) -> None:
        """Refuse what goes out by *interfaces* and not to one of the *allowed* networks.

        What fails stands in *trouble*, and run() tries again.
        """
        async with self._lock:
            self._fence = (interfaces, allowed)
            if not self._wanted or (self._loaded and await self._try(_fence_text(*self._limits))):
                return
            await self._load()

    async def follow(self) -> None:
        """Take note of the present names of the interfaces.

        What fails stands in *trouble*, and run() tries again.
        """
        async with self._lock:
            names = self._present_names()
            if names == self._names:
                return
            self._names, self._form = names, None
            if self._wanted:
                await self._load()

    def _present_names(self) -> Mapping[str, str]:
        names = (*self._configured.lan, *self._configured.uplinks)
        return {name: self._called(name) for name in names}

    @property
    def _sides(self) -> Sides:
        lan, uplinks = self._configured.lan, self._configured.uplinks
        marks = {self._names[name]: mark for name, mark in uplinks.items()}
        return Sides(tuple(self._names[name] for name in lan), marks)

    @property
    def _limits(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        interfaces, allowed = self._fence
        return tuple(self._names.get(name, name) for name in interfaces), allowed

    async def reconcile(self) -> None:
        """Load the table again if it is gone or no longer what we loaded.

        A filter that nobody changed since the last look is not listed again: that is dear.
        """
        async with self._lock:
            if not self._wanted:
                return
            before = await _generation()  # what is changed during the look raises it
            if self._loaded and before is not None and before == self._seen:
                return
            if self._loaded and await self._listed() == self._due():
                self._seen = before
                return
            self.repairs += 1
            log.warning("the packet filter is not as it was loaded; loading it again")
            await self._load()

    async def clear(self) -> None:
        """Remove our table; harmless when it is not there."""
        async with self._lock:
            self._wanted, self._loaded = False, False
            await remove_table()

    async def run(self) -> None:
        """Look after every change that anybody makes to any packet filter, for ever."""
        rung = asyncio.Event()
        with contextlib.closing(open_bell()) as bell:
            loop = asyncio.get_running_loop()
            loop.add_reader(bell, _ring, bell, rung)
            try:
                while True:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(RETRY_S if self.trouble else QUIET_LOOK_S):
                            await rung.wait()
                    await asyncio.sleep(SETTLE_S)
                    rung.clear()
                    await self.reconcile()
            finally:
                loop.remove_reader(bell)

    async def _move(self, sets: Mapping[str, Sequence[elements.Element]]) -> bool:
        """Have *sets* hold something else in one step; tell whether the kernel took it."""
        try:
            await elements.put(sets)
        except LinkError as error:
            log.warning("the packet filter was not changed: %s", error)
            return False
        self.trouble = ""
        return True

    async def _try(self, text: str) -> bool:
        """Apply *text* as one transaction; tell whether the kernel took it."""
        try:
            await run_program(["nft", "-f", "-"], text)
        except LinkError as error:
            self.trouble = str(error)
            log.warning("the packet filter was not changed: %s", error)
            return False
        self.trouble = ""
        return True

    async def _load(self) -> None:
        text = table_text(self._sides, self._mark, self._apart) + _fence_text(*self._limits)
        self._loaded = await self._try(text)
        if self._loaded and self._form is None:
            # once: what is listed after a repair may be a stranger's next deed already
            listed = await self._listed()
            self._form = listed[0] if listed else None

    def _due(self) -> tuple[str | None, Mapping[str, int]]:
        """Give what _listed() should find."""
        lan = {} if self._mark is None else dict.fromkeys(self._sides.lan, self._mark)
        return self._form, {**lan, **self._apart, **_refused(self._limits[0])}

    async def _listed(self) -> tuple[str, Mapping[str, int]] | None:
        """Give our table as the kernel has it, and the marks of new flows; None without it.

        The marks are by interface of the LAN, and by address for those that go apart.
        """
        try:
            text = await run_program(["nft", "-s", "list", "table", *TABLE.split()])
        except LinkError:
            return None
        blocks = "".join(_NEW_FLOWS.findall(text))
        limited = _LIMITED.search(blocks)
        marks = {name: int(mark, 16) for name, mark in _PAIR.findall(blocks)}
        marks |= _refused(re.findall(r'"(\S+?)"', limited[1]) if limited else ())
        return _PASSING.sub("", _NEW_FLOWS.sub("", text)), marks


async def _generation() -> int | None:
    """Give the generation of the kernel's packet filter; None where it does not say."""
    try:
        return await generation()
    except LinkError:
        return None


async def read_heard() -> Mapping[int, int]:
    """Give how many answers from outside the computers have had, by mark.  Raises LinkError.

    Counted from the last load of the table on.
    """
    return {
        int(name.removeprefix(HEARD)): packets
        for name, packets in (await elements.counters()).items()
        if name.startswith(HEARD)
    }


async def read_names() -> tuple[int, int] | None:
    """Give how often the computers asked the box for names, and how often it said something.

    Counted from the last load of the table on; None without it.  Raises LinkError.
    """
    found = await elements.counters()
    return (found[ASKED], found[TOLD]) if ASKED in found and TOLD in found else None


async def remove_table() -> None:
    """Remove our table, whoever left it; harmless when it or nft is not there."""
    with contextlib.suppress(LinkError):
        await run_program(["nft", "-f", "-"], no_table(TABLE))


def table_text(sides: Sides, mark: int | None, apart: Mapping[str, int]) -> str:
    """Give the whole table as one nft transaction; new flows from the LAN get *mark*.

    *apart*: those to these addresses get another.

    No packet is dropped for being "invalid": where answers come back another way, as on a box with
    one leg, conntrack calls good traffic so.
    """
    outside = [name for name in sides.uplinks if name not in sides.lan]
    lan, uplinks = _set(sides.lan), _set(sides.uplinks)
    marks = ", ".join(f'"{name}" : {number}' for name, number in sides.uplinks.items())
    return f"""{no_table(TABLE)}table {TABLE} {{
  map new_flows {{ type ifname : mark; {_elements(sides, mark)} }}
{ALLOWED}\
  map apart {{ type ipv4_addr : mark; {f"elements = {_hosts(apart)};" if apart else ""} }}
  map marks {{ type ifname : mark; elements = {{ {marks} }}; }}
{_counters(sides)}
{farewell.SETS_TEXT}{farewell.CHAIN_TEXT}{advertise.CHAIN_TEXT}{_six_text(sides)}\
{_names_text(lan)}\
  chain choose {{
    type filter hook prerouting priority mangle; policy accept;
    iifname {lan} meta mark 0 ct state established,related ct mark != 0 meta mark set ct mark
    iifname {lan} meta mark 0 ct state new meta mark set ip daddr map @apart
    iifname {lan} meta mark 0 ct state new meta mark set iifname map @new_flows
  }}
  chain pin {{
    type filter hook forward priority mangle; policy accept;
    iifname {lan} oifname {uplinks} ct mark set oifname map @marks
{_counting(sides)}
    oifname {uplinks} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
    iifname {uplinks} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu
  }}
{ONLY_ALLOWED}\
  chain pass {{
    type filter hook forward priority filter; policy accept;
    iifname {lan} oifname {uplinks} meta nfproto ipv6 reject with icmpv6 no-route
    iifname {lan} oifname {uplinks} {farewell.RESET_RULE}
    iifname {lan} oifname @limited jump only_allowed
    iifname {_set(outside)} oifname {lan} ct state established,related accept
    iifname {_set(outside)} oifname {_set([*sides.lan, *outside])} drop
  }}
  chain leave {{
    type nat hook postrouting priority srcnat; policy accept;
    iifname {lan} oifname {uplinks} meta nfproto ipv4 masquerade
  }}
}}
"""


def _six_text(sides: Sides) -> str:
    """Refuse IPv6 where it comes in: the kernel drops it silently where it does not forward it."""
    inside = [name for name in sides.lan if name not in sides.uplinks]
    elsewhere = f"fib daddr oifname != {_set(inside)} " if inside else ""
    return f"""\
  chain six {{
    type filter hook prerouting priority filter; policy accept;
    iifname {_set(sides.lan)} meta pkttype host ip6 daddr 2000::/3 fib daddr type != local\
 {elsewhere}reject with icmpv6 no-route
  }}
"""


def _names_text(lan: str) -> str:
    """Count questions to the box's name service, and its answers."""
    return f"""\
  counter {ASKED} {{ }}
  counter {TOLD} {{ }}
  chain names_in {{
    type filter hook input priority filter; policy accept;
    iifname {lan} udp dport 53 counter name {ASKED}
  }}
  chain names_out {{
    type filter hook output priority filter; policy accept;
    oifname {lan} udp sport 53 counter name {TOLD}
  }}
"""


def _counters(sides: Sides) -> str:
    return "\n".join(f"  counter {HEARD}{mark} {{ }}" for mark in sides.uplinks.values())


def _counting(sides: Sides) -> str:
    """Count what only somebody outside can have said: a router resets connections in any name."""
    near, ports = ", ".join(str(n) for n in NEARBY), ", ".join(ANSWERED_NEARBY)
    outside = f"ct state established ct direction reply ip saddr != {{ {near} }}"
    kinds = (f"tcp sport != {{ {ports} }} tcp flags & (syn | rst) == 0", "udp sport != 53")
    return "\n".join(
        f'    iifname "{name}" oifname {_set(sides.lan)} {outside} {kind}'
        f" counter name {HEARD}{mark}"
        for name, mark in sides.uplinks.items()
        for kind in kinds
    )


def _new_flows(sides: Sides, mark: int | None) -> Mapping[str, Sequence[elements.Element]]:
    lan = () if mark is None else sides.lan
    return {"new_flows": [(elements.interface(n), elements.mark(mark or 0)) for n in lan]}


def _apart(marks: Mapping[str, int]) -> Mapping[str, Sequence[elements.Element]]:
    return {"apart": [(elements.address(a), elements.mark(m)) for a, m in marks.items()]}


def _refused(interfaces: Iterable[str]) -> Mapping[str, int]:
    return {f"limited {name}": 0 for name in interfaces}


def _fence_text(interfaces: tuple[str, ...], allowed: tuple[str, ...]) -> str:
    text = f"flush set {TABLE} limited\nflush set {TABLE} allowed\n"
    if allowed:
        text += f"add element {TABLE} allowed {{ {', '.join(allowed)} }}\n"
    if interfaces:
        text += f"add element {TABLE} limited {_set(interfaces)}\n"
    return text


def _hosts(marks: Mapping[str, int]) -> str:
    return "{ " + ", ".join(f"{address} : {mark}" for address, mark in marks.items()) + " }"


def _elements(sides: Sides, mark: int | None) -> str:
    return "" if mark is None else f"elements = {_pairs(sides, mark)};"


def _pairs(sides: Sides, mark: int) -> str:
    return "{ " + ", ".join(f'"{name}" : {mark}' for name in sides.lan) + " }"


def _set(names: Iterable[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in names) + " }"


def open_bell() -> socket.socket:
    """Open a socket that hears of every change to the packet filter; raises LinkError."""
    bell = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    try:
        bell.setblocking(False)
        bell.bind((0, 0))
        bell.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
    except OSError as error:
        bell.close()
        raise LinkError(f"the packet filter cannot be watched: {error}") from error
    return bell


def _ring(bell: socket.socket, rung: asyncio.Event) -> None:
    """Empty the socket; an overrun (ENOBUFS) is a notification too."""
    while True:
        try:
            bell.recv(65536)
        except BlockingIOError:
            break
        except OSError:
            continue
    rung.set()
