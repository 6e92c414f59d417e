"""The hands of the watch half: every action of the mind, carried out by the room it belongs to.

In: actions.  Out: Done events, and the events of the workers that this file names.  carry_out()
never waits: what takes time becomes a task, and its outcome comes back through *emit*.
"""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp

from edge_watchdog.alerts import Channel
from edge_watchdog.alerts.outbox import Outbox
from edge_watchdog.bridge import BridgeServer
from edge_watchdog.clock import Clock
from edge_watchdog.config import Config
from edge_watchdog.config.months import month_of
from edge_watchdog.core.actions import (
    Action,
    AskByTcp,
    Evict,
    FetchSchedule,
    Limit,
    LookInto,
    ProbeBurst,
    ProbeEvery,
    Ready,
    Release,
    RouteVia,
    SendAlert,
    SteerVendor,
    WatchVendor,
)
from edge_watchdog.core.events import Done, Event, LinkChanged
from edge_watchdog.core.evidence import is_hard_down
from edge_watchdog.core.model import LinkState, Mode
from edge_watchdog.core.policy import PACES, Policy
from edge_watchdog.core.view import StudioView
from edge_watchdog.links import LinkError, UplinkDriver
from edge_watchdog.links.counting import Counting, Metered
from edge_watchdog.links.drain import Flows, end_those_to, meter
from edge_watchdog.links.ethernet import EthernetDriver
from edge_watchdog.links.finger import Finger
from edge_watchdog.links.firewall import remove_table
from edge_watchdog.links.forwarder import Forwarder
from edge_watchdog.links.gateway import Gateway
from edge_watchdog.links.kernel import Kernel
from edge_watchdog.links.keys import Ethernet
from edge_watchdog.links.names import Upstreams
from edge_watchdog.links.own import OwnConnections
from edge_watchdog.links.routes import Exit, Overlay
from edge_watchdog.links.steer import VendorWay
from edge_watchdog.mqtt import MqttFace
from edge_watchdog.probes.bind import Binding, open_resolver, open_session
from edge_watchdog.probes.dates import with_dates
from edge_watchdog.probes.sampler import Sampler
from edge_watchdog.probes.timetable import Rung
from edge_watchdog.senses import Known, Senses
from edge_watchdog.supervise import attempt, end_all
from edge_watchdog.vendors.watcher import VendorWatcher

ACT_S = 10.0  # longer than the first look at all lines takes

Touching = RouteVia | Evict | Ready | Release | SteerVendor | Limit | AskByTcp

log = logging.getLogger(__name__)


class Hands:
    """Everything of the watch half that touches the world."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        *,
        bridge: BridgeServer,
        emit: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._config = config
        self._policy = policy
        self._bridge = bridge
        self._emit = emit
        self._clock = clock
        self._ca_file = config.vendor.ca_file if config.vendor else None
        self._reserve = tuple(a.address for a in config.anchors if a.dns)
        interfaces = {u.uplink.name: u.uplink.interface for u in config.uplinks}
        self._kernel = Kernel(interfaces.values())
        self._gateway = self._gateway_mode()
        self._addresses: dict[str, str] = {}  # with which connections begin, or last did
        self._connections = OwnConnections(self._addresses.get)
        costly = {u.uplink.name: u.uplink.interface for u in config.uplinks if u.uplink.metered}
        self._own = Flows(self._connections, clock, meter(costly, self._called))
        self._overlay = Overlay(self._kernel, by_mark=self._gateway is not None)
        self._sampler = self._make_sampler()
        self._finger = self._make_finger(interfaces)
        self._links: dict[str, LinkState] = {}
        known = Known(self._links.get, self._binding_of, self._gateway)
        self._senses = Senses(config, self._kernel, known, emit=emit, clock=clock)
        self._read: dict[str, LinkState] = {}  # the same, as the drivers gave them
        self._bindings: dict[str, Binding] = {}
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._counting = Counting(_metered(config), emit, clock, self._called)
        self._active: str | None = None
        self._seen_all = asyncio.Event()  # every line has been looked at once
        self._tasks: set[asyncio.Task[None]] = set()
        self._drivers = {
            one.uplink.name: self._driver(one.options, i) for i, one in enumerate(config.uplinks)
        }
        self._mqtt = MqttFace(config.mqtt, box_id=_box_id(), clock=clock) if config.mqtt else None
        path = Path(config.box.state_dir) / "watch" / "outbox.db"
        self._outbox = Outbox(path, self._channels(), clock)
        self._vendor = self._vendor_watcher()
        self._way = VendorWay(config.vendor_hosts, self._look_up, self._divert)
        gate = self._gateway
        self._fence = None if gate is None else gate.fence(config.allowed, self._look_up)
        self._names = Upstreams(Path(config.box.names_file), config.anchors)
        self._apart: str | None = None  # by which line the vendor goes alone

    def _make_sampler(self) -> Sampler:
        tell = with_dates(self._emit, self._clock)
        anchors, web = self._config.anchors, self._config.probe.web
        return Sampler(anchors, web, clock=self._clock, emit=tell, ca_file=self._ca_file)

    def _make_finger(self, interfaces: Mapping[str, str]) -> Finger:
        ring, doubt = self._kernel.ring, self._wonder
        return Finger(interfaces, on_signal=ring, on_doubt=doubt, called=self._called)

    def _gateway_mode(self) -> Gateway | None:
        if self._config.box.mode is not Mode.GATEWAY:
            return None
        interfaces = {u.uplink.name: u.uplink.interface for u in self._config.uplinks}
        metered = frozenset(u.uplink.name for u in self._config.uplinks if u.uplink.metered)
        lan = self._config.box.lan_interfaces
        return Gateway(lan, interfaces, clock=self._clock, metered=metered, called=self._called)

    def _called(self, interface: str) -> str:
        """Give the present name of an interface, which may have been renamed."""
        return self._kernel.snapshot.called(interface)

    def _driver(self, options: object, number: int) -> UplinkDriver:
        assert options is None or isinstance(options, Ethernet)  # noqa: S101 - the registry's only kind
        uplink = self._config.uplinks[number].uplink
        ask = self._config.anchors[0].address
        return EthernetDriver(options or Ethernet(), uplink, self._kernel, ask)

    def _channels(self) -> dict[str, Channel]:
        channels: dict[str, Channel] = {}
        for number, one in enumerate(self._config.alerts, 1):
            channels[f"{one.kind} {number}"] = one.options.build(self._session_in_use)
        if self._mqtt is not None:
            channels["mqtt"] = self._mqtt
        return channels

    def _vendor_watcher(self) -> VendorWatcher | None:
        vendor = self._config.vendor
        if vendor is None:
            return None
        reader = None if vendor.status is None else vendor.status.build(self._clock)
        return VendorWatcher(
            reader,
            vendor.app_url,
            session_for=self._session_for,
            clock=self._clock,
            emit=self._emit,
        )

    async def open(self) -> None:
        """Connect to the kernel; raises LinkError."""
        await self._kernel.open()
        if self._gateway is not None:
            self._gateway.open()
        elif self._config.box.mode is Mode.SELF:
            await remove_table()  # of a run in gateway mode, which a new configuration ended

    async def close(self, *, keep_route: bool) -> None:
        """Remove everything of ours from the kernel, unless the next run goes on at once."""
        await end_all(self._tasks)
        for session in self._sessions.values():
            await session.close()
        await self._outbox.close()
        if self._mqtt is not None:
            await self._mqtt.close()
        await self._own.close()
        self._names.close()
        if self._gateway is not None:
            await self._gateway.close(keep=keep_route)
        if not keep_route and self._config.box.mode is not Mode.OBSERVE:
            await self._overlay.clear()
        await self._kernel.close()

    def workers(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Give what must run for ever, by name."""
        workers: dict[str, Callable[[], Awaitable[None]]] = {
            "kernel": self._kernel.run,
            "sampler": self._sampler.run,
            "outbox": self._outbox.run,
            "counting": self._counting.run,
            "finger": self._finger.run,
            "senses": self._senses.run,
        }
        for name in self._drivers:
            workers[f"link {name}"] = self._watcher(name)
        if self._vendor is not None:
            workers["vendor"] = self._vendor.run
            workers["vendor way"] = self._way.run
        if self._mqtt is not None:
            workers["mqtt"] = self._mqtt.run
        if self._config.box.mode is not Mode.OBSERVE:
            workers["overlay"] = self._keep_overlay
        if self._gateway is not None:
            workers["gateway"] = self._gateway.run
            workers["ipv6"] = self._gateway.advertise
            workers["forwarder"] = Forwarder(self._doubt_names).run
        if self._fence is not None:
            workers["fence"] = self._fence.run
        return workers

    def show(self, view: StudioView) -> None:
        """Pass a view on to the faces of this half."""
        if self._mqtt is not None:
            self._mqtt.show(view)

    def problems(self) -> tuple[str, ...]:
        """Say what the owner should know: alerts that do not get through, a LAN not routed."""
        broker = self._mqtt.problem if self._mqtt is not None else ""
        routing = self._gateway.problems() if self._gateway is not None else ()
        uplinks = {u.uplink.interface: u.uplink.name for u in self._config.uplinks}
        renamed = self._kernel.followed.problems(uplinks)
        heard = (*renamed, *self._senses.problems())
        return (*routing, *heard, *self._outbox.problems(), *((broker,) if broker else ()))

    def carry_out(self, action: Action) -> None:
        """Begin *action*; RouteVia, Evict, Ready and Release come back as Done."""
        match action:
            case ProbeEvery():
                self._sampler.pace(action.uplink, PACES[action.pace], action.avoid)
            case ProbeBurst():
                self._sampler.burst(
                    action.uplink,
                    action.for_s,
                    triage=action.triage,
                    secure=action.secure,
                    at_once=action.at_once,
                )
            case LookInto():
                self._senses.look_into(action)
            case WatchVendor():
                self._follow_vendor(action)
            case FetchSchedule():
                self._bridge.ask_fetch(action)
            case SendAlert():
                self._begin(action.id, self._outbox.put(action.alert))
            case _:
                self._begin(action.id, self._touch(action))

    def _begin(self, number: int, work: Awaitable[None]) -> None:
        task = asyncio.create_task(self._report(number, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report(self, number: int, work: Awaitable[None]) -> None:
        refused = await attempt(str(number), work, within_s=ACT_S)
        self._emit(Done(self._clock.now(), number, ok=not refused, detail=refused))

    def _wonder(self, uplink: str) -> None:
        """Ask the line in use now rather than at its turn: it sends and hears nothing."""
        if uplink == self._active:
            self._sampler.hasten(uplink)

    def _doubt_names(self) -> None:
        """Ask the line in use now, for names too: the studio's computers get no answers."""
        if self._active is not None:
            self._sampler.hasten(self._active, Rung.NAMES)

    async def _touch(self, action: Touching) -> None:
        match action:
            case SteerVendor():
                await self._way.steer(action.uplink)
            case AskByTcp():
                await self._names.ask_by_tcp(wanted=action.wanted)
            case Limit() if self._fence is not None:
                await self._fence.limit(self._interfaces(action.uplinks))
            case RouteVia():
                await self._seen_all.wait()
                await self._steer(action.uplink)
                self._leave(action.uplink)
                self._outbox.wake()
            case Evict():
                await self._evict(action.uplink)
            case Ready():
                await self._drivers[action.uplink].bring_up()
            case Release():
                await self._drivers[action.uplink].release()

    async def _steer(self, uplink: str | None) -> None:
        """Move box and LAN in the same moment; where the box cannot go, the LAN comes back."""
        gateway = self._gateway
        if gateway is None:
            await self._overlay.steer(uplink)
            return
        self._name_upstreams(uplink)
        lan = asyncio.create_task(gateway.steer(uplink))
        try:
            await self._overlay.steer(uplink)
        except LinkError:
            await lan
            await gateway.steer(self._active)
            self._name_upstreams(self._active)
            raise
        await lan

    async def _look_up(self, host: str) -> tuple[str, ...]:
        """Give the addresses of *host* that any line's name servers know."""
        found: dict[str, None] = {}
        for binding in tuple(self._bindings.values()):
            resolver = open_resolver(binding, reserve=self._reserve, clock=self._clock)
            with contextlib.suppress(OSError):  # another line may know it
                found |= dict.fromkeys(a["host"] for a in await resolver.resolve(host))
        return tuple(found)

    async def _divert(self, uplink: str | None, addresses: tuple[str, ...]) -> None:
        await self._overlay.divert(uplink, addresses)
        if self._gateway is not None:
            await self._gateway.divert(uplink, addresses)
        if uplink is not None and self._active is not None:
            await end_those_to(addresses, self._connections, self._active)
        before, self._apart = self._apart, uplink
        if before not in (None, uplink, self._active):
            self._own.drain(before or "")

    def _interfaces(self, uplinks: tuple[str, ...]) -> tuple[str, ...]:
        known = (one.uplink for one in self._config.uplinks)
        return tuple(uplink.interface for uplink in known if uplink.name in uplinks)

    def _name_upstreams(self, uplink: str | None) -> None:
        """Tell the LAN's name service whom to ask while *uplink* is in use."""
        state = self._links.get(uplink or "")
        self._names.follow(state.resolvers if state else ())

    def _leave(self, to: str | None) -> None:
        """Have the box's own connections drain from the uplink that was in use until now."""
        before, self._active = self._active, to
        if to is None:
            return
        self._own.spare(to)
        for one in self._config.uplinks:
            # after a crash nobody knows where they began; those on a metered line cost money
            left = one.uplink.name == before or (before is None and one.uplink.metered)
            if left and one.uplink.name not in (to, self._apart):
                self._own.drain(one.uplink.name)

    async def _evict(self, uplink: str) -> None:
        """End the LAN's and the box's own side by side: neither waits for the other."""
        halves: list[tuple[str, Flows | Gateway]] = [("connections", self._own)]
        if self._gateway is not None:
            halves.insert(0, ("flows", self._gateway))
        ends = [half.evict(uplink) for _, half in halves]
        outcomes = await asyncio.gather(*ends, return_exceptions=True)
        for (what, _), outcome in zip(halves, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            log.info("evicted uplink=%s %s=%d", uplink, what, outcome)

    def _follow_vendor(self, action: WatchVendor) -> None:
        if action.via is not None:
            self._active = action.via
        if self._vendor is None:
            return
        self._vendor.follow(action.every_s, action.via)
        for name in self._drivers:
            self._vendor.visit_every(name, action.visits.get(name))

    def _watcher(self, name: str) -> Callable[[], Awaitable[None]]:
        async def watch() -> None:
            async for state in self._drivers[name].watch():
                await self._link_changed(name, state)

        return watch

    async def _link_changed(self, name: str, state: LinkState) -> None:
        """Bad news first: the mind is told before tables are tidied; good news after they stand."""
        self._read[name] = state
        state = self._judged(name, state)
        self._links[name] = state
        if state.addresses:
            self._addresses[name] = state.addresses[0]
        if self._gateway is not None and name == self._active:
            self._name_upstreams(name)
        event = LinkChanged(self._clock.now(), name, state)
        if is_hard_down(state):
            self._emit(event)
        await self._know_exits()
        await self._bind(name, state)
        if not is_hard_down(state):
            self._emit(event)

    def _judged(self, name: str, state: LinkState) -> LinkState:
        """Take the way out from an uplink that nobody could route beside the LAN."""
        gateway = self._gateway
        if gateway is None or not gateway.refuses(name, state.addresses, self._kernel.snapshot):
            return state
        return replace(state, gateway=None, routed=False)

    def _exits(self) -> dict[str, Exit]:
        exits = {}
        for number, one in enumerate(self._config.uplinks):
            state = self._links.get(one.uplink.name)
            device = self._kernel.snapshot.devices.get(one.uplink.interface)
            if state is None or device is None or is_hard_down(state) or state.gateway is None:
                continue
            exits[one.uplink.name] = Exit(
                number,
                self._called(one.uplink.interface),
                device.index,
                _address(state),
                state.gateway,
            )
        return exits

    async def _bind(self, name: str, state: LinkState) -> None:
        binding = None
        if not is_hard_down(state):
            interface = next(
                u.uplink.interface for u in self._config.uplinks if u.uplink.name == name
            )
            interface = self._called(interface)
            binding = Binding(name, interface, _address(state), state.gateway, state.resolvers)
        if binding is not None:
            changed = self._bindings.get(name) != binding
            self._bindings[name] = binding
            if changed:
                await self._open_session(name, binding)
        self._sampler.bind(name, binding)
        if state.routed is False and binding is not None:
            self._sampler.misrouted(name)

    async def _open_session(self, name: str, binding: Binding) -> None:
        old = self._sessions.get(name)
        self._sessions[name] = open_session(binding, self._ca_file, reserve=self._reserve)
        if old is not None:
            await old.close()

    def _binding_of(self, uplink: str) -> Binding | None:
        state = self._links.get(uplink)
        return None if state is None or is_hard_down(state) else self._bindings.get(uplink)

    def _session_for(self, uplink: str | None) -> aiohttp.ClientSession | None:
        state = self._links.get(uplink or "")
        if state is None or is_hard_down(state):
            return None
        return self._sessions.get(uplink or "")

    def _session_in_use(self) -> aiohttp.ClientSession | None:
        return self._session_for(self._active)

    async def _keep_overlay(self) -> None:
        """Put back what others removed: after every look at the kernel, at least every 5 s."""
        async for _ in self._kernel.looks():
            for name, state in tuple(self._read.items()):
                if self._judged(name, state) != self._links[name]:  # the LAN has other addresses
                    await self._link_changed(name, state)
            await self._know_exits()

    async def _know_exits(self) -> None:
        """Tell the overlay, once every line has been looked at: a restart may leave no gap."""
        if len(self._links) < len(self._drivers):
            return
        if self._config.box.mode is not Mode.OBSERVE:
            await self._overlay.know(self._exits())
        if self._gateway is not None:
            await self._gateway.follow()
        self._seen_all.set()


def _address(state: LinkState) -> str:
    return state.addresses[0].partition("/")[0]


def _metered(config: Config) -> dict[str, Metered]:
    zone = config.studio.time_zone
    return {
        one.uplink.name: Metered(
            one.uplink.interface,
            functools.partial(month_of, time_zone=zone, first_day=one.month_starts_on),
        )
        for one in config.uplinks
        if one.plan is not None
    }


def _box_id() -> str:
    return socket.gethostname() or "box"
