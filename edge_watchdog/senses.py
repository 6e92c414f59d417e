"""The senses of the watch half: everything of a DriverReport that any machine can fill.

In: what the mind wants looked into (LookInto), counters, neighbours.  Out: DriverReported.  The
rule: nobody looked is None, and what was found for an inquiry is forgotten when the inquiry ends.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edge_watchdog.clock import Clock
from edge_watchdog.config import Config
from edge_watchdog.core.actions import Inquiry, LookInto
from edge_watchdog.core.events import DriverReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import DriverReport, LinkState, Mode, Uplink
from edge_watchdog.core.signs import BUSY_RATIO
from edge_watchdog.links import LinkError
from edge_watchdog.links.ears import Ears, our_own
from edge_watchdog.links.gateway import Gateway
from edge_watchdog.links.kernel import Kernel
from edge_watchdog.links.keys import Ethernet
from edge_watchdog.links.lan import LanWatch
from edge_watchdog.links.leases import find_portal_api
from edge_watchdog.links.life import heard_ago_s
from edge_watchdog.links.load import Load
from edge_watchdog.links.nearby import look_around
from edge_watchdog.links.neighbours import (
    Claims,
    Router,
    peers_answer,
    there_lately,
    two_answer,
)
from edge_watchdog.links.usage import read_usage
from edge_watchdog.probes.bind import Binding, open_session
from edge_watchdog.probes.captive import ask_captive
from edge_watchdog.probes.edge import Hop, edge_answers, find_edge
from edge_watchdog.probes.router import router_online
from edge_watchdog.probes.six import global_address, ipv6_works
from edge_watchdog.probes.sizes import path_mtu_bytes
from edge_watchdog.strangers import Sight, Strangers

LOOK_S = 1.0
TELL_S = 5.0  # the mind forgets a report after 150 s; load is worth less than that
LOOK_AROUND_S = 20.0
RETRY_S = 1.0
LISTEN_S, LISTEN_CLOSELY_S = 1.0, 0.1  # while nothing fails, and while something does
DEAF_S = 600.0  # where the kernel does not let us listen
LIFE_S = 0.15  # the mind decides half a second after the first lost question

# Seconds between two questions of a kind while it is wanted; on a metered line the second one.
AGAIN_S: Mapping[Inquiry, tuple[float, float]] = {
    Inquiry.NEIGHBOURS: (5.0, 5.0),
    Inquiry.ROUTER: (30.0, 30.0),  # the router stands in the next room
    Inquiry.EDGE: (30.0, 1800.0),
    Inquiry.SIZES: (60.0, 1800.0),
    Inquiry.SIGN_IN: (15.0, 1800.0),
}
SETTLE_S = 5.0
SIX_S = (60.0, 21_600.0)
EDGE_S = (600.0, 86_400.0)
# What an inquiry found, and is forgotten with it.
FOUND: Mapping[Inquiry, tuple[str, ...]] = {
    Inquiry.NEIGHBOURS: ("peers_answer", "asking_peers"),
    Inquiry.ROUTER: ("router_online",),
    Inquiry.EDGE: ("edge_answers",),
    Inquiry.SIZES: ("path_mtu_bytes",),
    Inquiry.SIGN_IN: ("captive",),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """What the hands know of an uplink by its name; *binding_of* is None while it is down."""

    state_of: Callable[[str], LinkState | None]
    binding_of: Callable[[str], Binding | None]
    gateway: Gateway | None = None


@dataclass(slots=True)
class Post:
    """Everything kept for one uplink.

    *looked_at*, *addresses*: when it was last looked around, and what the line had then.
    *claims*: who has the router's address.  *heard*: the gateway's count and when it was read.
    *edge*: the provider's first machine, by *met*, the binding it was met through.  *portal_file*:
    where option 114 of its lease is kept; *portal_api*: what it said last.  *six*: the IPv6 address
    it was last tried with.
    """

    uplink: Uplink
    report: DriverReport
    load: Load = field(default_factory=Load)
    looked_at: float = 0.0
    addresses: tuple[str, ...] = ()
    what: frozenset[Inquiry] = frozenset()
    tasks: dict[Inquiry, asyncio.Task[None]] = field(default_factory=dict)
    heard: tuple[int, Instant] | None = None
    edge: Hop | None = None
    met: Binding | None = None
    claims: Claims = field(default_factory=Claims)
    portal_file: str = ""
    portal_api: str = ""
    six: str | None = None


class Senses:
    """Looks at every uplink once a second, and into what the mind asks for."""

    def __init__(
        self,
        config: Config,
        kernel: Kernel,
        known: Known,
        *,
        emit: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._kernel = kernel
        self._known = known
        self._emit = emit
        self._clock = clock
        now = clock.now()
        self._posts = {
            one.uplink.name: Post(
                one.uplink, DriverReport(now), portal_file=_portal_file(one.options)
            )
            for one in config.uplinks
        }
        self._group: asyncio.TaskGroup | None = None
        self._ears = Ears()
        self._hears = False
        self._stirred = asyncio.Event()  # something fails
        self._taken: frozenset[str] = frozenset()  # addresses of ours in the LAN
        lines = {one.uplink.interface for one in config.uplinks}
        lan = tuple(n for n in config.box.lan_interfaces if known.gateway and n not in lines)
        self._lan = LanWatch(kernel, lan, emit=emit, clock=clock)
        sight = Sight(
            known.state_of,
            lambda name: bool(self._posts[name].what),
            lambda name, who: self._found(self._posts[name], stranger=who),
            emit,
        )
        self._strangers = Strangers(config, kernel, sight, clock=clock)
        hosts = {a.operator: a.address for a in reversed(config.anchors)}
        self._hosts = tuple(hosts.values())[::-1]  # one of each operator, the first first
        self._work: dict[Inquiry, Callable[[Post], Awaitable[None]]] = {
            Inquiry.LIFE: self._life,
            Inquiry.NEIGHBOURS: self._ask_neighbours,
            Inquiry.ROUTER: self._ask_router,
            Inquiry.EDGE: self._ask_edge,
            Inquiry.SIZES: self._try_sizes,
            Inquiry.SIGN_IN: self._ask_sign_in,
        }

    def look_into(self, action: LookInto) -> None:
        """Have exactly what is ordered looked into; never waits."""
        post = self._posts[action.uplink]
        before, post.what = post.what, frozenset(action.what)
        for inquiry in before - post.what:
            self._end(post, inquiry)
        ended = [name for one in before - post.what for name in FOUND.get(one, ())]
        self._found(post, **dict.fromkeys(ended))
        self._begin(post)
        self._stirred.set()

    def problems(self) -> tuple[str, ...]:
        """Say what the owner should know of the studio's own network."""
        taken = (
            f"Another device in the studio's network uses the box's own address, {address}."
            " Unplug the device that was added last, if there is one."
            for address in sorted(self._taken)
        )
        return (*self._lan.problems(), *taken, *self._strangers.problems())

    async def run(self) -> None:
        """Look for ever."""
        try:
            async with asyncio.TaskGroup() as self._group:
                for post in self._posts.values():
                    self._begin(post)
                    self._group.create_task(self._keep(post, self._get_to_know))
                if self._may_ask:
                    self._group.create_task(self._listen())
                    self._group.create_task(self._lan.run())
                    self._group.create_task(self._strangers.run())
                self._group.create_task(self._meet_routers())
                while True:
                    self._look()
                    await asyncio.sleep(LOOK_S)
        finally:
            self._group = None
            for post in self._posts.values():
                post.tasks.clear()
            if self._may_ask:
                await self._ears.close()

    def _begin(self, post: Post) -> None:
        for inquiry in post.what - post.tasks.keys():
            work = self._work.get(inquiry)
            if work is not None and self._group is not None:
                name = f"{post.uplink.name} {inquiry}"
                post.tasks[inquiry] = self._group.create_task(self._keep(post, work), name=name)

    def _end(self, post: Post, inquiry: Inquiry) -> None:
        task = post.tasks.pop(inquiry, None)
        if task is not None:
            task.cancel()

    async def _keep(self, post: Post, work: Callable[[Post], Awaitable[None]]) -> None:
        while True:
            try:
                await work(post)
            except LinkError as error:
                log.info("not looked into uplink=%s: %s", post.uplink.name, error)
            await asyncio.sleep(RETRY_S)

    def _look(self) -> None:
        """Read the counters of all lines, and tell what is due to be told."""
        usage, now = read_usage(), self._clock.now()
        for post in self._posts.values():
            post.load.note(now.mono, usage.get(self._kernel.snapshot.called(post.uplink.interface)))
            news: dict[str, Any] = {
                "load_ratio": self._load_ratio(post),
                "hears_nothing": post.load.hears_nothing,
                "address_taken": self._is_taken(post, now.mono),
            }
            state = self._known.state_of(post.uplink.name)
            addresses = () if state is None else state.addresses
            if addresses != post.addresses or now.mono - post.looked_at >= LOOK_AROUND_S:
                post.looked_at, post.addresses = now.mono, addresses
                news |= self._around(post, state)
            report = replace(post.report, **news)
            turned = _proofs(post.report) != _proofs(report)
            period_s = LOOK_S if Inquiry.LOAD in post.what else TELL_S
            if turned or now.since(post.report.at) >= period_s - LOOK_S / 2:
                self._tell(post, report, now)

    def _load_ratio(self, post: Post) -> float | None:
        """Give the load as far as it is known: behind a router, others use the line unseen."""
        ratio = post.load.ratio
        sees_all = self._config.box.mode is Mode.GATEWAY
        if ratio is None or (not sees_all and ratio < BUSY_RATIO):
            return None
        return round(ratio, 3)

    def _around(self, post: Post, state: LinkState | None) -> dict[str, Any]:
        if state is None:
            return {"overlaps": None, "wifi_signal_dbm": None}
        lan, snapshot = self._config.box.lan_interfaces, self._kernel.snapshot
        seen = look_around(post.report.at, post.uplink.interface, state, snapshot, lan)
        return {"overlaps": seen.overlaps, "wifi_signal_dbm": seen.wifi_signal_dbm}

    def _tell(self, post: Post, report: DriverReport, now: Instant) -> None:
        post.report = replace(report, at=now)
        if post.report != DriverReport(now):
            self._emit(DriverReported(now, post.uplink.name, post.report))

    def _found(self, post: Post, **news: Any) -> None:
        """Tell at once what an inquiry found, if it is new."""
        report = replace(post.report, **news)
        if report != post.report:
            self._tell(post, report, self._clock.now())

    async def _life(self, post: Post) -> None:
        """Look for answers from outside, several times a second."""
        post.heard = None
        while True:
            proof = max(
                (
                    one
                    for one in (await self._heard_here(post), await self._heard_behind(post))
                    if one
                ),
                key=lambda one: one.mono,
                default=None,
            )
            last = post.report.alive_at
            if proof is not None and (last is None or proof.mono > last.mono):
                self._found(post, alive_at=proof)
            await asyncio.sleep(LIFE_S)

    def _is_taken(self, post: Post, now: float) -> bool | None:
        """Tell whether two devices have the router's address; None: nothing speaks for it."""
        state, device = self._seen(post)
        if state is None or device is None or not state.carrier:
            post.claims = Claims()  # what comes back may be another network
            return None
        near = self._kernel.snapshot.near.get((device, state.gateway or ""))
        post.claims.note(near, now, asks=self._hears)
        return True if now < post.claims.twofold_until else None

    async def _meet_routers(self) -> None:
        """Note, whenever the kernel says something, which device is the router, for ever."""
        async for _ in self._kernel.looks():
            for post in self._posts.values():
                self._is_taken(post, self._clock.now().mono)

    async def _listen(self) -> None:
        """Hear of other devices that say they have an address of ours, for ever."""
        lines = {post.uplink.interface for post in self._posts.values()}
        lan = frozenset(self._config.box.lan_interfaces) - lines
        while True:
            snapshot = self._kernel.snapshot
            try:
                claimed = await self._ears.claimed(*our_own(snapshot, lines | lan))
            except LinkError as error:
                self._hears = False
                log.info("claims of other devices are not heard: %s", error)
                await asyncio.sleep(DEAF_S)
                continue
            self._hears = True
            names = {name for name, _ in claimed}
            for post in self._posts.values():
                taken = snapshot.called(post.uplink.interface) in names
                self._found(post, own_address_taken=taken or None)
            in_lan = {snapshot.called(name) for name in lan}
            self._taken = frozenset(address for name, address in claimed if name in in_lan)
            for post in self._posts.values():
                await self._settle_router(post)
            await self._until_stirred()

    async def _settle_router(self, post: Post) -> None:
        """Where something fails, and another device has the router's address: do both have it?"""
        (state, device), now = self._seen(post), self._clock.now().mono
        if state is None or device is None or not state.gateway:
            return
        taken, claims = self._is_taken(post, now), post.claims
        if not (post.what or taken):
            return
        new = claims.is_new and not taken
        if not claims.is_to_ask(now):
            return
        router = Router(device, self._kernel.snapshot.called(post.uplink.interface), state.gateway)
        if new:  # nobody is accused before it is known
            self._found(post, asking_router=True)
        try:
            both = await two_answer(self._kernel, self._ears, router)
            claims.answered(self._clock.now().mono, both=both)
        except LinkError as error:
            log.info("not asked who is the router uplink=%s: %s", post.uplink.name, error)
        taken = self._is_taken(post, self._clock.now().mono)
        self._found(post, asking_router=None, address_taken=taken)

    async def _until_stirred(self) -> None:
        """Wait until it is time to listen again: at once where something begins to fail."""
        if any(post.what for post in self._posts.values()):
            await asyncio.sleep(LISTEN_CLOSELY_S)
            return
        self._stirred.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_S):
                await self._stirred.wait()

    def _seen(self, post: Post) -> tuple[LinkState | None, int | None]:
        device = self._kernel.snapshot.devices.get(post.uplink.interface)
        return self._known.state_of(post.uplink.name), None if device is None else device.index

    async def _ask_neighbours(self, post: Post) -> None:
        """Ask who else is there, and whether the router's address is still that of another.

        Who has vanished is asked again, and not forgotten: it may come back.
        """
        peers: dict[str, str] = {}
        while True:
            state, device = self._seen(post)
            if state is not None and device is not None and self._may_ask:
                now = self._clock.now().mono
                self._is_taken(post, now)
                other = post.claims.to_call(now, asks=self._hears)
                if other is not None and state.gateway:
                    await self._kernel.ask_again(device, state.gateway, other)
                peers = there_lately(self._kernel, device, state.gateway) or peers
                await self._ask_peers(post, device, peers)
            await asyncio.sleep(self._pick(post, AGAIN_S[Inquiry.NEIGHBOURS]))

    async def _ask_peers(self, post: Post, device: int, peers: dict[str, str]) -> None:
        if peers and post.report.peers_answer is None:
            self._found(post, asking_peers=True)
        try:
            answer = await peers_answer(self._kernel, device, peers)
        except LinkError:
            self._found(post, asking_peers=None)
            raise
        self._found(post, peers_answer=answer, asking_peers=None)

    @property
    def _may_ask(self) -> bool:
        """Whoever only looks on leaves the kernel's table of neighbours alone."""
        return self._config.box.mode is not Mode.OBSERVE

    async def _ask_router(self, post: Post) -> None:
        """Ask the router whether it is online itself."""
        while True:
            binding = self._known.binding_of(post.uplink.name)
            if binding is not None:
                self._found(post, router_online=await router_online(binding))
            await asyncio.sleep(self._pick(post, AGAIN_S[Inquiry.ROUTER]))

    async def _ask_edge(self, post: Post) -> None:
        """Ask the provider's first machine, if it was met while the line was well."""
        while True:
            binding = self._known.binding_of(post.uplink.name)
            if binding is not None and binding == post.met and post.edge is not None:
                self._found(post, edge_answers=await edge_answers(binding, post.edge))
            await asyncio.sleep(self._pick(post, AGAIN_S[Inquiry.EDGE]))

    async def _try_sizes(self, post: Post) -> None:
        """Try how large a packet may be."""
        while True:
            binding = self._known.binding_of(post.uplink.name)
            if binding is not None:
                self._found(post, path_mtu_bytes=await path_mtu_bytes(binding, self._hosts))
            await asyncio.sleep(self._pick(post, AGAIN_S[Inquiry.SIZES]))

    async def _ask_sign_in(self, post: Post) -> None:
        """Ask the network itself whether it wants a sign-in, where its lease says whom to ask."""
        while True:
            await self._hear_network(post, self._portal_api(post))
            await asyncio.sleep(self._pick(post, AGAIN_S[Inquiry.SIGN_IN]))

    def _portal_api(self, post: Post) -> str:
        device = self._kernel.snapshot.devices.get(post.uplink.interface)
        return find_portal_api(device.index, post.portal_file) if device is not None else ""

    async def _hear_network(self, post: Post, api: str) -> None:
        binding, word = self._known.binding_of(post.uplink.name), None
        post.portal_api = api
        if api and binding is not None:
            ca_file = self._config.vendor.ca_file if self._config.vendor else None
            async with open_session(binding, ca_file) as session:
                word = await ask_captive(session, api, clock=self._clock)
        self._found(post, captive=word)

    async def _get_to_know(self, post: Post) -> None:
        """Meet the provider's first machine, and try IPv6: now and then, and at new addresses.

        A new lease may be that of a network that wants a sign-in: it is asked then, too.
        """
        edge_at = six_at = 0.0
        while True:
            binding, now = self._known.binding_of(post.uplink.name), self._clock.now().mono
            new = binding is not None and binding != post.met
            if new:
                post.met, post.edge = binding, None
                edge_at = six_at = now
            api = self._portal_api(post) if binding is not None else ""
            if new or api != post.portal_api:
                await self._hear_network(post, api)
            if binding is not None and now >= edge_at and Inquiry.EDGE not in post.what:
                edge_at = now + self._pick(post, EDGE_S)
                post.edge = await find_edge(binding, self._hosts[0]) or post.edge
            if binding is not None and self._config.probe.ipv6:
                six = global_address(binding.interface)
                if now >= six_at or six != post.six:
                    post.six, six_at = six, now + self._pick(post, SIX_S)
                    works = await ipv6_works(binding.interface, self._config.probe.ipv6)
                    self._found(post, ipv6_works=works)
            await asyncio.sleep(SETTLE_S)

    def _pick(self, post: Post, periods: tuple[float, float]) -> float:
        return periods[post.uplink.metered]

    async def _heard_here(self, post: Post) -> Instant | None:
        """Date the last word to a program of this box."""
        binding = self._known.binding_of(post.uplink.name)
        if binding is None:
            return None
        now = self._clock.now()
        near = [a for found in self._kernel.snapshot.addresses.values() for a in found]
        ago_s = await heard_ago_s(binding.source, near)
        return None if ago_s is None else now.plus(-ago_s)

    async def _heard_behind(self, post: Post) -> Instant | None:
        """Date the last word to the studio's computers: later than the count before it."""
        if self._known.gateway is None:
            return None
        now = self._clock.now()
        count = await self._known.gateway.heard(post.uplink.name)
        before, post.heard = post.heard, None if count is None else (count, now)
        if before is None or count is None or count <= before[0]:
            return None
        return before[1]


def _portal_file(options: object) -> str:
    return (options.portal_file or "") if isinstance(options, Ethernet) else ""


def _proofs(report: DriverReport) -> tuple[bool, bool, bool]:
    """Give what is told at once when it turns."""
    return report.hears_nothing is True, report.address_taken is True, bool(report.overlaps)
