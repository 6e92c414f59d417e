"""The senses against the real kernel: two namespaces, real routers' words, real drops."""

import asyncio
import contextlib
import gc
import itertools
import os
import socket
import ssl
import statistics
import time
import tracemalloc
from pathlib import Path

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.actions import Pace
from edge_watchdog.core.events import Sampled
from edge_watchdog.core.model import Anchor, Finding, Layer, Sample
from edge_watchdog.core.policy import PACES, Periods
from edge_watchdog.core.units import Url
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.asking import Method, Target
from edge_watchdog.probes.bind import open_resolver, open_socket
from edge_watchdog.probes.dns import Question
from edge_watchdog.probes.dns_asker import DnsAsker
from edge_watchdog.probes.errands import CANARY_EVERY, NEW_TURN, ROUNDS, Errands, Plan
from edge_watchdog.probes.icmp import checksum, open_icmp
from edge_watchdog.probes.line import NO_ICMP, Line
from edge_watchdog.probes.sampler import Sampler
from edge_watchdog.probes.tcp import TcpAsker
from edge_watchdog.probes.timetable import Rung
from tests.patience import air, soon
from tests.probes.kernel import (
    ALPHA,
    ANCHORS,
    BETA,
    BOX2,
    GAMMA,
    GATEWAY,
    GATEWAY2,
    NOWHERE,
    answer_with,
    binding,
    dns_server,
    inside,
    tcp_dns_server,
    wire,
    without_raw_sockets,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces are made by root")

QUIET = Periods(None, None, None, None, None, None)
FAST = Periods(pulse=0.05, gateway=None, names=None, web=None, secure=None, journey=None)


@pytest.fixture(scope="module")
def made():
    with wire() as net:
        yield net


@pytest.fixture
def net(made):
    made.filter()
    made.allow_ping_sockets(allowed=False)
    with inside(made.box):
        yield made


class Listener:
    """Takes events as the daemon's loop does."""

    def __init__(self) -> None:
        self.events: list[Sampled] = []

    def __call__(self, event) -> None:
        self.events.append(event)

    @property
    def samples(self):
        return [sample for event in self.events for sample in event.samples]

    def of(self, target):
        return [sample for sample in self.samples if sample.target == target]


@contextlib.asynccontextmanager
async def sampling(anchors=ANCHORS, web=()):
    listener = Listener()
    sampler = Sampler(anchors, web, clock=SystemClock(), emit=listener)
    task = asyncio.create_task(sampler.run())
    await asyncio.sleep(0)
    try:
        yield sampler, listener
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def receive(asker, timeout_s=10.0):
    """Wait for the next thing heard."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        heard = asker.receive()
        if heard:
            return heard
        await asyncio.sleep(0.005)
    return []


def by(method, address, port=0):
    return Target(method, address, port=port)


def open_echo(bound):
    asker = open_icmp(bound)
    assert asker is not None
    return asker


# --- ICMP -----------------------------------------------------------------------------------


@pytest.fixture(params=["raw socket", "ping socket"])
def icmp(request, net):
    net.allow_ping_sockets(allowed=request.param == "ping socket")
    asker = open_echo(binding())
    assert asker.method.endswith(request.param)
    yield asker
    asker.close()


async def test_an_echo_is_answered_and_numbered(icmp):
    icmp.ask(by(Method.ICMP, ALPHA), 7)
    icmp.ask(by(Method.ICMP, BETA), 65535)
    heard = [item for _ in range(2) for item in await receive(icmp, 0.2)]
    assert {(h.number, h.address, h.finding) for h in heard} == {
        (7, ALPHA, Finding.ANSWERED),
        (65535, BETA, Finding.ANSWERED),
    }
    assert all(0 <= h.age_s < air(0.2) for h in heard)


async def test_the_time_an_answer_waited_in_the_kernel_is_told(icmp):
    await asyncio.sleep(0.05)  # the kernel begins to stamp a moment after it was asked to
    icmp.ask(by(Method.ICMP, ALPHA), 7)
    time.sleep(0.12)  # noqa: ASYNC251 - the loop is blocked on purpose
    (heard,) = icmp.receive()
    assert 0.1 < heard.age_s < air(0.3)


async def test_a_router_that_knows_no_way_is_named(icmp):
    icmp.ask(by(Method.ICMP, NOWHERE), 9)
    (heard,) = await receive(icmp)
    assert heard.number == 9
    assert heard.address == NOWHERE
    assert heard.finding is Finding.UNREACHABLE
    assert heard.detail == f"host unreachable, says {GATEWAY}"


async def test_a_router_that_prohibits_is_named(icmp, net):
    net.filter(f"ip daddr {NOWHERE} reject with icmp type admin-prohibited")
    icmp.ask(by(Method.ICMP, NOWHERE), 9)
    (heard,) = await receive(icmp)
    assert heard.finding is Finding.UNREACHABLE
    assert heard.detail == f"prohibited by a filter, says {GATEWAY}"


async def test_a_target_that_prohibits_echo_itself_is_alive(icmp, net):
    net.filter(f"ip daddr {ALPHA} reject with icmp type admin-prohibited", hook="input")
    icmp.ask(by(Method.ICMP, ALPHA), 9)
    (heard,) = await receive(icmp)
    assert (heard.number, heard.finding) == (9, Finding.ANSWERED)


async def test_a_reported_error_does_not_swallow_the_next_question(icmp, net):
    net.filter(f"ip daddr {NOWHERE} reject with icmp type host-unreachable")
    icmp.ask(by(Method.ICMP, NOWHERE), 1)
    await asyncio.sleep(0.05)
    icmp.ask(by(Method.ICMP, ALPHA), 2)
    await asyncio.sleep(0.05)
    assert {(h.number, h.finding) for h in icmp.receive()} == {
        (1, Finding.UNREACHABLE),
        (2, Finding.ANSWERED),
    }


async def test_a_host_that_does_not_answer_arp_is_told_as_ours_to_say(net):
    net.allow_ping_sockets(allowed=True)
    icmp = open_echo(binding())
    icmp.ask(by(Method.ICMP, "192.0.2.77"), 3)
    (heard,) = await receive(icmp, 5.0)
    assert heard.finding is Finding.UNREACHABLE
    assert heard.detail == "no answer on the local network (ARP)"
    icmp.close()


async def test_answers_to_other_programs_are_not_ours(icmp, net):
    other = open_echo(binding())
    other.ask(by(Method.ICMP, ALPHA), 7)
    assert [h.number for h in await receive(other)] == [7]
    assert icmp.receive() == []
    other.close()


async def test_a_reply_with_a_foreign_cookie_is_not_ours(icmp):
    other = open_echo(binding())
    other._ident = icmp._ident
    icmp.ask(by(Method.ICMP, ALPHA), 7)
    await asyncio.sleep(0.05)
    assert [h for h in other.receive() if h.number == 7] == []
    assert [h.number for h in icmp.receive()] == [7]
    other.close()


async def test_without_permission_icmp_says_that_it_is_not_there(net):
    with without_raw_sockets():
        assert open_icmp(binding()) is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"interface": "gone0"}, "cannot use gone0 with address 192.0.2.10: No such device"),
        ({"source": "192.0.2.99"}, "cannot use up0 with address 192.0.2.99: Cannot assign"),
    ],
)
async def test_what_the_kernel_refuses_is_said_in_its_words(net, change, words):
    with pytest.raises(ProbeError, match=words):
        open_socket(binding(**change), socket.SOCK_DGRAM)
    with pytest.raises(ProbeError, match=words):
        open_icmp(binding(**change))


@pytest.mark.parametrize("raw_capability", [True, False])
async def test_questions_leave_by_their_own_uplink_and_no_other(net, raw_capability):
    """The default route leads to the second uplink; the first one is asked all the same."""
    with contextlib.nullcontext() if raw_capability else without_raw_sockets():
        net.allow_ping_sockets(allowed=True)
        first = open_echo(binding())
        second = open_echo(binding(interface="up1", source=BOX2, gateway=GATEWAY2))
    net.filter("iifname up1 drop")
    for asker in (first, second):
        asker.ask(by(Method.ICMP, ALPHA), 5)
    assert [h.number for h in await receive(first)] == [5]
    assert await receive(second, 0.2) == []
    for asker in (first, second):
        asker.close()


@pytest.mark.parametrize(
    "data, total",
    [(b"", 0xFFFF), (b"\x08\x00\x00\x00\x00\x01\x00\x02", 0xF7FC), (b"\x01", 0xFEFF)],
)
def test_the_checksum_is_that_of_rfc_1071(data, total):
    assert checksum(data) == total


# --- DNS ------------------------------------------------------------------------------------


@pytest.fixture
def dns(net):
    asker = DnsAsker(binding(), Question("connectivity.example"))
    yield asker
    asker.close()


@pytest.mark.parametrize("rcode, detail", [(0, ""), (2, "SERVFAIL"), (5, "REFUSED")])
async def test_any_response_to_our_question_proves_the_path(net, dns, rcode, detail):
    async with dns_server(net, ALPHA, answer_with(None, rcode=rcode)):
        dns.ask(by(Method.DNS, ALPHA), 700)
        (heard,) = await receive(dns)
    assert (heard.number, heard.finding, heard.detail) == (700, Finding.ANSWERED, detail)


async def test_a_closed_port_on_the_target_proves_the_path_too(dns):
    dns.ask(by(Method.DNS, GAMMA), 701)
    (heard,) = await receive(dns)
    assert (heard.number, heard.address) == (701, GAMMA)
    assert (heard.finding, heard.detail) == (Finding.ANSWERED, "port unreachable")


async def test_a_router_that_says_port_unreachable_in_place_of_the_target_proves_nothing(net, dns):
    net.filter(f"ip daddr {NOWHERE} reject with icmp type port-unreachable")
    dns.ask(by(Method.DNS, NOWHERE), 702)
    (heard,) = await receive(dns)
    assert heard.finding is Finding.UNREACHABLE
    assert heard.detail == f"port unreachable, says {GATEWAY}"


@pytest.mark.parametrize("reply", [b"", b"\0" * 40, None])
async def test_rubbish_is_not_an_answer(net, dns, reply):
    async with dns_server(net, ALPHA, lambda query: reply and query[:2] + reply):
        dns.ask(by(Method.DNS, ALPHA), 703)
        assert await receive(dns, 0.1) == []


# --- TCP ------------------------------------------------------------------------------------


@pytest.fixture
async def tcp(net):
    asker = TcpAsker(binding(), lambda: None)
    yield asker
    asker.close()


async def test_a_connect_that_is_taken_proves_the_path_and_leaves_nothing(net, tcp):
    with inside(net.far):
        server = socket.create_server((ALPHA, 53))
    tcp.ask(by(Method.TCP, ALPHA, 53), 1)
    (heard,) = await receive(tcp)
    assert (heard.number, heard.finding, heard.detail) == (1, Finding.ANSWERED, "")
    assert tcp._open == {}
    server.close()


async def test_a_reset_proves_the_path(tcp):
    tcp.ask(by(Method.TCP, GAMMA, 443), 2)
    (heard,) = await receive(tcp)
    assert (heard.number, heard.finding, heard.detail) == (2, Finding.ANSWERED, "reset")


@pytest.mark.parametrize(
    "kind, words",
    [("port-unreachable", "port unreachable"), ("net-unreachable", "network unreachable")],
)
async def test_a_router_that_refuses_a_connect_is_not_the_target(net, tcp, kind, words):
    net.filter(f"ip daddr {NOWHERE} reject with icmp type {kind}")
    tcp.ask(by(Method.TCP, NOWHERE, 443), 3)
    (heard,) = await receive(tcp)
    assert heard.finding is Finding.UNREACHABLE
    assert heard.detail == f"{words}, says {GATEWAY}"


async def test_a_silent_connect_is_given_up_without_a_trace(net, tcp):
    net.filter(f"ip daddr {ALPHA} drop")
    tcp.ask(by(Method.TCP, ALPHA, 443), 4)
    assert await receive(tcp, 0.1) == []
    tcp.forget(4)
    assert tcp._open == {}


# --- the resolver ---------------------------------------------------------------------------


async def test_names_are_looked_up_by_the_uplinks_own_servers_first(net):
    resolver = open_resolver(binding(), reserve=(BETA,))
    async with (
        dns_server(net, ALPHA, answer_with("203.0.113.9")) as own,
        dns_server(net, BETA, answer_with("203.0.113.10")) as reserve,
    ):
        (result,) = await resolver.resolve("connectivity.example", 80)
        again = await resolver.resolve("connectivity.example", 80)
    assert (result["host"], result["port"]) == ("203.0.113.9", 80)
    assert again == [result]
    assert (len(own), len(reserve)) == (1, 0)
    assert not found(resolver).reserve


@pytest.mark.parametrize("own", ["dead", "servfail", "closed"])
async def test_the_reserve_helps_when_the_uplinks_own_servers_do_not_and_is_seen_to(net, own):
    resolver = open_resolver(binding(), reserve=(BETA,))
    async with contextlib.AsyncExitStack() as stack:
        if own == "dead":
            net.filter(f"ip daddr {ALPHA} drop")
        if own == "servfail":
            refusal = answer_with(None, rcode=2)
            await stack.enter_async_context(dns_server(net, ALPHA, refusal))
        await stack.enter_async_context(dns_server(net, BETA, answer_with("203.0.113.10")))
        begin = time.monotonic()
        (result,) = await resolver.resolve("connectivity.example")
        took_s = time.monotonic() - begin
    assert result["host"] == "203.0.113.10"
    assert found(resolver).reserve
    assert (0.25 if own == "dead" else 0) <= took_s < air(0.4)


async def test_the_reserve_is_asked_by_tcp_when_nobody_answers_by_udp(net):
    net.filter("ip daddr { 198.51.100.1, 198.51.100.2 } udp dport 53 drop")
    resolver = open_resolver(binding(), reserve=(ALPHA, BETA))  # ALPHA is the uplink's own, too
    async with tcp_dns_server(net, BETA, answer_with("203.0.113.9")):
        (result,) = await resolver.resolve("connectivity.example")
    assert result["host"] == "203.0.113.9"
    assert found(resolver).reserve  # by UDP its own server did not help


async def test_a_name_that_nobody_knows_is_not_asked_by_tcp(net):
    resolver, unknown = open_resolver(binding(), reserve=(BETA,)), answer_with(None, rcode=3)
    async with (
        dns_server(net, ALPHA, unknown),
        dns_server(net, BETA, unknown),
        tcp_dns_server(net, BETA, answer_with("203.0.113.9")),
    ):
        with pytest.raises(OSError, match="NXDOMAIN"):
            await resolver.resolve("nobody.example")


async def test_a_dead_uplink_fails_fast_and_names_what_was_tried(net):
    net.filter("ip daddr { 198.51.100.1, 198.51.100.2 } drop")
    resolver = open_resolver(binding(), reserve=(BETA,))
    begin = time.monotonic()
    with pytest.raises(OSError, match=r"connectivity.example: silent"):
        await resolver.resolve("connectivity.example")
    assert time.monotonic() - begin < air(2.6)


async def test_a_name_nobody_knows_is_told_in_dns_words(net):
    resolver = open_resolver(binding())
    async with dns_server(net, ALPHA, answer_with(None, rcode=3)):
        with pytest.raises(OSError, match="NXDOMAIN"):
            await resolver.resolve("nobody.example")
    async with dns_server(net, ALPHA, answer_with(None)):
        with pytest.raises(OSError, match="no address"):
            await resolver.resolve("nobody.example")


async def test_a_lookup_that_cannot_leave_is_told_apart(net):
    resolver = open_resolver(binding(interface="gone0"))
    with pytest.raises(OSError, match=r"cannot ask for .*: No such device"):
        await resolver.resolve("connectivity.example")
    with pytest.raises(OSError, match="no name server is known"):
        await open_resolver(binding(resolvers=())).resolve("connectivity.example")


async def test_an_old_answer_serves_when_nobody_answers_any_more(net):
    clock = StepClock()
    resolver = open_resolver(binding(), clock=clock)
    async with dns_server(net, ALPHA, answer_with("203.0.113.9")):
        await resolver.resolve("connectivity.example")
    clock.step(120)
    (result,) = await resolver.resolve("connectivity.example")
    assert result["host"] == "203.0.113.9"
    assert found(resolver).stale
    clock.step(4000)
    with pytest.raises(OSError):
        await resolver.resolve("connectivity.example")


async def test_the_cache_stays_small(net):
    resolver = open_resolver(binding())
    async with dns_server(net, ALPHA, answer_with("203.0.113.9")):
        for number in range(80):
            await resolver.resolve(f"host{number}.example")
    assert len(resolver._known) == 64
    await resolver.close()


async def test_a_truncated_answer_is_asked_for_again_by_tcp(net):
    resolver = open_resolver(binding())
    cut = answer_with(None, flags=0x0200)
    async with dns_server(net, ALPHA, cut), tcp_dns_server(net, ALPHA, answer_with("203.0.113.9")):
        (result,) = await resolver.resolve("connectivity.example")
    assert result["host"] == "203.0.113.9"


def found(resolver):
    known = resolver.found("connectivity.example")
    assert known is not None
    return known


class StepClock(SystemClock):
    def __init__(self) -> None:
        self.ahead_s = 0.0

    def step(self, seconds: float) -> None:
        self.ahead_s += seconds

    def now(self):
        return super().now().plus(self.ahead_s)


# --- the sampler ----------------------------------------------------------------------------


async def test_pulses_are_answered_and_counted(net):
    async with sampling() as (sampler, heard), dns_server(net, ALPHA, answer_with(None, rcode=5)):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", FAST)
        await asyncio.sleep(1.0)
    assert 6 <= len(heard.samples) <= 25
    assert {s.finding for s in heard.samples} == {Finding.ANSWERED}
    assert {(s.uplink, s.layer, s.sent, s.lost) for s in heard.samples} == {
        ("broadband", Layer.INTERNET, 1, 0)
    }
    assert {s.operator for s in heard.samples} == {"alpha", "beta", "gamma"}
    assert all(s.rtt_s < air(0.05) for s in heard.samples)
    assert {"dns 198.51.100.1", "dns 198.51.100.2"} < {s.target for s in heard.samples}


async def test_a_burst_finds_a_black_hole_by_three_operators_within_a_second(net):
    async with sampling() as (sampler, heard), dns_server(net, ALPHA, answer_with(ALPHA)):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", FAST)
        await asyncio.sleep(0.6)
        heard.events.clear()
        net.filter("drop")
        began = SystemClock().now()
        sampler.burst("broadband", 2.0)
        await asyncio.sleep(0.85)
        lost = [
            s
            for e in heard.events
            for s in e.samples
            if s.lost and s.layer is Layer.INTERNET and e.at.since(began) < 0.8
        ]
        assert len(lost) >= 6
        assert {s.operator for s in lost} == {"alpha", "beta", "gamma"}
        assert max(s.at.mono for s in lost) - min(s.at.mono for s in lost) >= 0.4
        assert not [s for s in heard.samples if s.sent and not s.lost and s.at.since(began) > 0]
        assert [s.target for s in heard.samples if s.layer is Layer.GATEWAY]


async def test_a_burst_ticks_evenly_and_stops_by_itself(net):
    async with sampling() as (sampler, heard):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", QUIET)
        sampler.burst("broadband", 1.0)
        await asyncio.sleep(1.5)
        times = sorted(s.at.mono for s in heard.of(f"icmp {GAMMA}"))
        count = len(heard.samples)
        await asyncio.sleep(0.3)
        assert len(heard.samples) == count
    assert 5 <= len(times) <= 10
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert 0.09 < statistics.median(gaps) < 0.13  # a busy machine may be late for one or two
    dns = [s for s in heard.samples if s.target.startswith("dns")]
    anchors_with_dns = [s for s in heard.samples if s.operator in ("alpha", "beta")]
    assert 0.28 <= len(dns) / len(anchors_with_dns) <= 0.4


async def test_a_burst_is_one_event_for_what_closes_in_one_turn(net):
    async with sampling() as (sampler, heard):
        sampler.bind("broadband", binding())
        await asyncio.sleep(0.05)
        net.filter("drop")
        sampler.burst("broadband", 0.05)
        await soon(lambda: heard.samples)
    assert len(heard.samples) == 5
    assert len(heard.events) == 1


async def test_a_late_answer_cancels_the_loss_it_comes_for(net):
    """A gateway that answers ARP only after a second delays the first echo."""
    async with sampling((Anchor("alpha", ALPHA),)) as (sampler, heard):
        net.in_box("ip", "neighbour", "flush", "dev", "up0")
        net.in_far("ip", "link", "set", "up0", "arp", "off")
        try:
            sampler.bind("broadband", binding(gateway=None))
            sampler.burst("broadband", 0.05)
            await asyncio.sleep(1.2)
        finally:
            net.in_far("ip", "link", "set", "up0", "arp", "on")
        await asyncio.sleep(1.5)
    first, second = heard.of(f"icmp {ALPHA}")
    assert (first.sent, first.lost, first.finding) == (1, 1, Finding.SILENT)
    assert (second.sent, second.lost, second.finding) == (0, 0, Finding.ANSWERED)
    assert second.at == first.at
    assert second.rtt_s > 0.8


async def test_a_box_that_was_busy_accuses_nobody(net):
    async with sampling() as (sampler, heard):
        sampler.bind("broadband", binding())
        await asyncio.sleep(0.05)
        net.filter("drop")
        sampler.burst("broadband", 0.05)
        await asyncio.sleep(0.02)
        time.sleep(1.2)  # noqa: ASYNC251 - the loop is blocked on purpose
        await asyncio.sleep(0.1)
    assert {(s.sent, s.finding, s.detail) for s in heard.samples} == {
        (0, Finding.NOT_ASKED, "this box was late")
    }


async def test_a_box_that_was_busy_still_hears_what_was_answered_in_time(net):
    async with sampling() as (sampler, heard), dns_server(net, ALPHA, answer_with(ALPHA)):
        sampler.bind("broadband", binding())
        sampler.burst("broadband", 0.05)
        await asyncio.sleep(0.01)
        heard.events.clear()
        sampler.burst("broadband", 0.05)
        asyncio.get_running_loop().call_later(0.02, time.sleep, 1.2)
        await asyncio.sleep(0.1)
    assert {s.finding for s in heard.samples} <= {Finding.ANSWERED}
    assert all(s.rtt_s < 0.1 for s in heard.samples)


async def test_without_icmp_the_box_says_so_and_still_tells_a_dead_line_from_a_live_one(net):
    async with sampling() as (sampler, heard), dns_server(net, ALPHA, answer_with(ALPHA)):
        with without_raw_sockets():
            sampler.bind("broadband", binding())
            assert sampler.methods("broadband") == NO_ICMP
            sampler.pace("broadband", FAST)
            await asyncio.sleep(0.6)
            assert {s.finding for s in heard.samples} == {Finding.ANSWERED}
            assert {s.operator for s in heard.samples} == {"alpha", "beta", "gamma"}
            assert not [s for s in heard.samples if s.target.startswith("icmp")]
            net.filter("drop")
            heard.events.clear()
            sampler.burst("broadband", 1.0)
            await asyncio.sleep(1.0)
    late = [s for s in heard.samples if s.layer is Layer.INTERNET][4:]
    assert {s.finding for s in late} == {Finding.SILENT}
    assert {s.target.split()[0] for s in late} == {"tcp", "dns"}


async def test_an_uplink_that_cannot_be_asked_is_silent_and_says_why(net):
    async with sampling() as (sampler, heard):
        sampler.pace("broadband", FAST)
        sampler.burst("broadband", 1.0)
        await asyncio.sleep(0.2)
        assert heard.events == []
        assert sampler.methods("broadband") == "not asked: no address to ask from"
        sampler.bind("broadband", binding())
        await soon(lambda: heard.samples)
        sampler.bind("broadband", None)
        heard.events.clear()
        await asyncio.sleep(0.2)
        assert heard.events == []


async def test_a_misrouted_uplink_is_said_once_and_asked_no_more(net):
    async with sampling() as (sampler, heard):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", FAST)
        await asyncio.sleep(0.1)
        heard.events.clear()
        sampler.misrouted("broadband")
        sampler.misrouted("broadband")
        await soon(lambda: len(heard.samples) >= 3)
        assert {(s.finding, s.sent) for s in heard.samples} == {(Finding.MISROUTED, 0)}
        assert len(heard.samples) == 3
        assert "another link" in sampler.methods("broadband")
        heard.events.clear()
        sampler.bind("broadband", binding())
        await soon(lambda: heard.samples)
        assert {s.finding for s in heard.samples} == {Finding.ANSWERED}


def plug_in(net):
    net.in_box(
        "ip", "link", "add", "usb0", "type", "veth", "peer", "name", "usb0", "netns", net.far
    )
    net.in_box("ip", "address", "add", "192.0.2.201/32", "dev", "usb0")
    net.in_box("ip", "link", "set", "usb0", "up")
    net.in_far("ip", "link", "set", "usb0", "up")
    net.in_far("ip", "route", "add", "192.0.2.201/32", "dev", "usb0")


async def test_a_device_that_goes_and_comes_back_is_asked_again(net):
    plug_in(net)
    async with sampling() as (sampler, heard):
        sampler.bind("phone", binding(uplink="phone", interface="usb0", source="192.0.2.201"))
        sampler.pace("phone", FAST)
        await soon(lambda: heard.samples)
        assert {s.finding for s in heard.samples} == {Finding.ANSWERED}
        net.in_box("ip", "link", "delete", "usb0")
        await asyncio.sleep(0.05)
        heard.events.clear()
        await asyncio.sleep(2.2)
        said = {s.detail for s in heard.samples}
        assert any("cannot send: Network is unreachable" in words for words in said), said
        assert any("No such device" in words for words in said), said
        assert {(s.sent, s.finding) for s in heard.samples} == {(0, Finding.NOT_ASKED)}
        assert max(len(heard.of(f"icmp {a}")) for a in (ALPHA, BETA, GAMMA)) <= 3
        assert "No such device" in sampler.methods("phone")
        plug_in(net)
        await soon(lambda: Finding.ANSWERED in {s.finding for s in heard.samples})
        heard.events.clear()
        await soon(lambda: heard.samples)
        assert {s.finding for s in heard.samples} == {Finding.ANSWERED}
    net.in_box("ip", "link", "delete", "usb0")


async def test_names_are_judged_by_what_the_uplinks_own_server_says(net):
    names = Periods(pulse=None, gateway=None, names=60, web=None, secure=None, journey=None)
    table = [
        (answer_with("203.0.113.9"), Finding.ANSWERED, ""),
        (answer_with(None, rcode=2), Finding.WRONG_ANSWER, "SERVFAIL"),
        (answer_with(None, rcode=3), Finding.WRONG_ANSWER, "NXDOMAIN"),
        (answer_with(None), Finding.WRONG_ANSWER, "no address"),
        (answer_with(GATEWAY), Finding.FALSE_ANSWER, "a false address (192.0.2.1)"),
        (answer_with("0.0.0.0"), Finding.FALSE_ANSWER, "a false address (0.0.0.0)"),
        (lambda _: None, Finding.SILENT, ""),
    ]
    for respond, finding, detail in table:
        async with (
            sampling(web=("http://connectivity.example/204",)) as (sampler, heard),
            dns_server(net, ALPHA, respond),
        ):
            sampler.bind("broadband", binding())
            sampler.pace("broadband", names)
            rounds = ROUNDS if finding is Finding.SILENT else 1
            await soon(lambda: len(heard.samples) >= rounds)  # noqa: B023 - waited for here
        assert len(heard.samples) == rounds
        for sample in heard.samples:
            assert sample.target == "dns 198.51.100.1 connectivity.example"
            assert (sample.layer, sample.finding, sample.detail) == (Layer.NAMES, finding, detail)
            assert (sample.sent, sample.lost) == (1, int(finding is Finding.SILENT))


async def test_while_no_server_answers_other_names_are_asked_for_as_well(net):
    pages = tuple(Url(f"http://{name}.example/204") for name in ("a", "b", "c"))
    errands = Errands(binding(), Plan(pages, (), ssl.create_default_context()), SystemClock())
    heard: list[bytes] = []

    def respond(query: bytes) -> bytes | None:
        heard.append(query)
        return answer_with("203.0.113.9")(query) if len(heard) == 2 else None

    async with dns_server(net, ALPHA, respond):
        task = errands.start(Rung.NAMES)
        assert task is not None
        found = await task
    await errands.close()
    assert [b"\x01" + n in q for q, n in zip(heard, (b"a", b"b"), strict=True)] == [True, True]
    assert [s.finding for s in found] == [Finding.SILENT, Finding.ANSWERED]
    assert found[0].at == found[1].at, "what was answered excuses what left no later"


async def test_a_name_that_leads_elsewhere_has_its_page_looked_at_and_soon_no_other(net):
    plan = Plan((Url("http://connectivity.example/204"),), (), ssl.create_default_context())
    errands = Errands(binding(), plan, SystemClock())
    leads = iter(("203.0.113.9", "203.0.113.9", "0.0.0.0", "203.0.113.66", "203.0.113.67"))
    astray = []

    def respond(query: bytes) -> bytes | None:
        return answer_with(next(leads))(query)

    async with dns_server(net, ALPHA, respond):
        for _ in range(5):
            task = errands.start(Rung.NAMES)
            assert task is not None
            assert [s.finding for s in await task] == [Finding.ANSWERED]
            astray.append(errands.take_astray())
    await errands.close()
    assert astray == [False, False, False, True, False]


async def test_a_page_whose_name_leads_elsewhere_is_visited_out_of_turn(net):
    periods = Periods(pulse=None, gateway=None, names=0.2, web=60, secure=None, journey=None)
    place = [ALPHA]

    def respond(query: bytes) -> bytes | None:
        return answer_with(place[0])(query)

    async with (
        dns_server(net, ALPHA, respond),
        sampling(web=("http://connectivity.example/204",)) as (sampler, heard),
    ):

        def visits() -> int:
            return sum(s.layer is Layer.WEB for s in heard.samples)

        sampler.bind("broadband", binding())
        sampler.pace("broadband", periods)
        await soon(lambda: len(heard.samples) > 3)
        assert visits() == 1
        place[0] = BETA
        await soon(lambda: visits() == 2)


@pytest.mark.parametrize(
    "respond, finding",
    [
        (answer_with(None, rcode=3), Finding.ANSWERED),
        (answer_with(None), Finding.ANSWERED),
        (answer_with("203.0.113.99"), Finding.FALSE_ANSWER),
        (lambda _: None, None),
    ],
    ids=["no such name", "no address", "an address", "silence says nothing"],
)
async def test_a_name_that_cannot_exist_shows_who_makes_names_up(net, respond, finding):
    plan = Plan((Url("http://connectivity.example/204"),), (), ssl.create_default_context())
    errands = Errands(binding(), plan, SystemClock())
    found: list[Sample] = []
    async with dns_server(net, ALPHA, respond) as queries:
        errands._turns[Rung.NAMES] = CANARY_EVERY - 1
        task = errands.start(Rung.NAMES)
        assert task is not None
        found += await task
        assert b"invalid" in queries[0]
    await errands.close()
    assert [(s.target, s.finding) for s in found] == (
        [] if finding is None else [("dns 198.51.100.1 invalid", finding)]
    )


@pytest.mark.parametrize(
    "fails, finding, detail",
    [
        (answer_with(None, rcode=2), Finding.WRONG_ANSWER, "SERVFAIL"),
        (lambda _: None, Finding.SILENT, ""),
    ],
    ids=["an error", "silence"],
)
async def test_a_name_nobody_asked_for_shows_what_kept_names_hide(net, fails, finding, detail):
    plan = Plan((Url("http://connectivity.example/204"),), (), ssl.create_default_context())
    errands = Errands(binding(), plan, SystemClock())
    upstream = [answer_with(None, rcode=3)]

    def respond(query: bytes) -> bytes | None:
        return (upstream[0] if b"invalid" in query else answer_with("203.0.113.9"))(query)

    async def turn() -> list[tuple[str, Finding, str]]:
        task = errands.start(Rung.NAMES)
        assert task is not None
        return [(s.target.partition(ALPHA)[2], s.finding, s.detail) for s in await task]

    kept, new = " connectivity.example", " (new name)"
    async with dns_server(net, ALPHA, respond):
        said = [await turn() for _ in range(NEW_TURN + 1)]
        assert said[-2:] == [[(kept, Finding.ANSWERED, "")], [(new, Finding.ANSWERED, "")]]
        upstream[0] = fails
        errands._turns[Rung.NAMES] = NEW_TURN
        assert [await turn() for _ in range(2)] == 2 * [[(new, finding, detail)]]
        upstream[0] = answer_with("203.0.113.99")  # who makes names up is heard, too
        assert await turn() == [(new, Finding.ANSWERED, "")]
        assert await turn() == [(kept, Finding.ANSWERED, "")]
    await errands.close()


async def test_a_server_that_never_answered_for_a_new_name_is_not_judged_by_one(net):
    plan = Plan((Url("http://connectivity.example/204"),), (), ssl.create_default_context())
    errands = Errands(binding(), plan, SystemClock())

    def respond(query: bytes) -> bytes | None:
        return (answer_with(None, rcode=5) if b"invalid" in query else answer_with(BETA))(query)

    async with dns_server(net, ALPHA, respond):
        errands._turns[Rung.NAMES] = NEW_TURN
        task = errands.start(Rung.NAMES)
        assert task is not None
        assert [s.target for s in await task] == [f"dns {ALPHA} connectivity.example"]
    await errands.close()


async def test_orders_given_before_the_start_hold_and_it_can_start_again(net):
    listener = Listener()
    sampler = Sampler(ANCHORS, (), clock=SystemClock(), emit=listener)
    sampler.bind("broadband", binding())
    sampler.pace("broadband", FAST)
    for _ in range(2):
        listener.events.clear()
        task = asyncio.create_task(sampler.run())
        await asyncio.sleep(0.2)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert listener.samples


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_ten_thousand_questions_leave_nothing_behind(net):
    line = Line(binding(), ANCHORS, Question("connectivity.example"), SystemClock())
    async with dns_server(net, ALPHA, answer_with(ALPHA)) as queries:
        line.open(lambda: None)
        samples, base, open_before = 0, 0, 0
        for number in range(12_000):
            samples += len(line.pulse(frozenset()))
            if number % 8 == 0:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                samples += len(line.settle(lambda: None))
            if number == 2_000:
                queries.clear()
                tracemalloc.start()
                gc.collect()
                base, open_before = tracemalloc.get_traced_memory()[0], handles()
        await asyncio.sleep(0.02)
        samples += len(line.settle(lambda: None))
        queries.clear()
        line._book.expire(SystemClock().now().plus(10))  # the memory of losses runs out
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - base
        tracemalloc.stop()
        kept, still_open = len(line._book), handles()
        line.close()
    assert samples >= 12_000  # a late answer is one more
    assert still_open == open_before
    assert kept == 0
    assert grown < 20_000, grown


async def test_many_new_bindings_leave_no_socket_behind(net):
    async with sampling() as (sampler, _):
        before = handles()
        for number in range(51):
            sampler.bind("broadband", None if number % 2 else binding())
            sampler.burst("broadband", 0.3)
            await asyncio.sleep(0.005)
        sampler.bind("broadband", None)
        await asyncio.sleep(0.1)
        assert handles() == before


@pytest.mark.parametrize("pace", [Pace.ACTIVE, Pace.STANDBY])
async def test_asking_costs_next_to_nothing(net, pace):
    async with sampling() as (sampler, _heard), dns_server(net, ALPHA, answer_with(ALPHA)):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", PACES[pace])
        await asyncio.sleep(0.5)
        begin = time.process_time()
        await asyncio.sleep(2)
        used = (time.process_time() - begin) / 2
    print(f"{pace}: {used:.2%} of one core")
    assert used < 0.05
