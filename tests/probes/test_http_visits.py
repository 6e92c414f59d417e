"""The 204 page and its TLS twin, asked of real servers on the far side of a wire."""

import asyncio
import contextlib
import os
import socket
import time
from email.utils import formatdate
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.model import Finding, Layer
from edge_watchdog.core.policy import Periods
from edge_watchdog.core.units import Url
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.bind import open_resolver, open_session, trust
from edge_watchdog.probes.http import secure_twin, visit_plain, visit_secure
from edge_watchdog.probes.sampler import Sampler
from tests.patience import air
from tests.probes.kernel import (
    ALPHA,
    ANCHORS,
    BETA,
    NOWHERE,
    answer_with,
    binding,
    dns_server,
    inside,
    wire,
)
from tests.vendors.servers import Authority, serving

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces are made by root")

HOST = "connectivity.example"
PAGE = Url(f"http://{HOST}/204")


@pytest.fixture(scope="module")
def made():
    with wire() as net:
        yield net


@pytest.fixture
def net(made):
    made.filter()
    with inside(made.box):
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@contextlib.asynccontextmanager
async def internet(net, handler, *, port=80, context=None, name=ALPHA):
    """Serve *handler* at a public address and its name at a public name server."""
    with inside(net.far):
        sock = socket.create_server((ALPHA, port))
    async with (
        serving(handler, sock=sock, context=context),
        dns_server(net, ALPHA, answer_with(name)),
    ):
        yield


def saying(status=204, text=None, **headers):
    async def answer(_):
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return answer


async def look(visit, *, root=None, url=PAGE, bound=None):
    async with open_session(bound or binding(), root and str(root)) as session:
        return await visit(session, url, clock=SystemClock())


async def test_an_empty_204_is_an_answer(net):
    async with internet(net, saying()):
        found = await look(visit_plain)
    assert (found.finding, found.detail) == (Finding.ANSWERED, "")
    assert 0 < found.rtt_s < air(1)


@pytest.mark.parametrize(
    "handler, finding, detail",
    [
        (
            saying(302, Location="http://wifi.example/sign-in?next=x"),
            Finding.PORTAL,
            "redirects to wifi.example",
        ),
        (saying(307, Location="/sign-in"), Finding.PORTAL, "redirects to a page of its own"),
        (
            saying(200, "<h1>Sign in</h1>"),
            Finding.PORTAL,
            "status 200 with a page instead of an empty 204",
        ),
        (saying(200, ""), Finding.PORTAL, "status 200 with a page instead of an empty 204"),
        (saying(511, "x"), Finding.PORTAL, "status 511 with a page instead of an empty 204"),
        (saying(500), Finding.WRONG_ANSWER, "status 500"),
        (saying(404), Finding.WRONG_ANSWER, "status 404"),
    ],
)
async def test_anything_in_place_of_the_204_page_is_told(net, handler, finding, detail):
    async with internet(net, handler):
        found = await look(visit_plain)
    assert (found.finding, found.detail) == (finding, detail)


async def test_a_redirect_is_never_followed(net):
    asked = []

    async def move(request):
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async with internet(net, move):
        await look(visit_plain)
    assert asked == ["/204"]


@pytest.mark.parametrize(
    "off_s, detail",
    [(0, ""), (20, ""), (7200, "date off by 7200 s"), (-86400, "date off by -86400 s")],
)
async def test_a_clock_that_differs_from_the_servers_is_told(net, off_s, detail):
    async def answer(_):
        date = formatdate(round(time.time()) + off_s, usegmt=True)
        return web.Response(status=204, headers={"Date": date})

    async with internet(net, answer):
        found = await look(visit_plain)
    assert found.finding is Finding.ANSWERED
    told = found.detail.replace(str(off_s - 1), str(off_s))
    assert told == detail


async def test_a_date_that_is_none_is_passed_over(net):
    async with internet(net, saying(Date="yesterday")):
        assert (await look(visit_plain)).detail == ""


@pytest.mark.parametrize(
    "host, days, trusted, detail",
    [
        (HOST, {}, True, ""),
        (HOST, {"start_days": -9, "end_days": -1}, True, "expired"),
        (HOST, {"start_days": 1}, True, "not yet valid"),
        (HOST, {}, False, "unknown issuer"),
        ("wifi.example", {}, True, "wrong name"),
    ],
)
async def test_the_certificate_is_looked_at(net, authority, host, days, trusted, detail):
    context = authority.context(host, **days)
    async with internet(net, saying(), port=443, context=context):
        found = await look(visit_secure, root=authority.root if trusted else None)
    finding = Finding.BAD_CERTIFICATE if detail else Finding.ANSWERED
    assert (found.finding, found.detail) == (finding, detail)


async def test_a_secure_server_in_trouble_is_a_wrong_answer(net, authority):
    async with internet(net, saying(502), port=443, context=authority.context(HOST)):
        found = await look(visit_secure, root=authority.root)
    assert (found.finding, found.detail) == (Finding.WRONG_ANSWER, "status 502")


async def test_a_server_that_speaks_no_tls_is_a_wrong_answer(net):
    async with internet(net, saying(), port=443):
        found = await look(visit_secure)
    assert found.finding is Finding.WRONG_ANSWER
    assert found.detail.startswith("TLS failed")


async def test_silence_is_silence_and_does_not_last_long(net):
    async with internet(net, saying()):
        net.filter("tcp dport 80 drop")
        begin = time.monotonic()
        found = await look(visit_plain)
    assert (found.finding, found.rtt_s) == (Finding.SILENT, None)
    assert time.monotonic() - begin < air(4)


async def test_a_dead_uplink_is_found_out_within_three_seconds(net):
    net.filter("drop")
    begin = time.monotonic()
    found = await look(visit_plain)
    assert (found.finding, found.detail) == (Finding.SILENT, f"name: {HOST}: silent")
    assert time.monotonic() - begin < air(3)


async def test_a_router_that_knows_no_way_is_not_the_page(net):
    async with internet(net, saying(), name=NOWHERE):
        net.filter(f"ip daddr {NOWHERE} reject with icmp type host-unreachable")
        found = await look(visit_plain)
    assert found.finding is Finding.UNREACHABLE


async def test_a_closed_port_is_a_wrong_answer(net):
    async with internet(net, saying(), name=BETA):
        found = await look(visit_plain)
    assert (found.finding, found.detail) == (Finding.WRONG_ANSWER, "connection refused")


@pytest.mark.parametrize("change", [{"interface": "gone0"}, {"source": "192.0.2.99"}])
async def test_what_we_could_not_ask_accuses_nobody(net, change):
    found = await look(visit_plain, bound=binding(**change))
    assert found.finding is Finding.NOT_ASKED
    literal = Url(f"http://{ALPHA}/204")
    found = await look(visit_plain, bound=binding(**change), url=literal)
    assert found.finding is Finding.NOT_ASKED


async def test_pages_are_fetched_through_their_own_uplink_and_by_its_own_name_servers(net):
    """The default route and the system's resolver would both lead elsewhere."""
    net.filter("iifname up1 drop")
    seen = []

    async def note(request):
        seen.append(request.remote)
        return web.Response(status=204)

    async with internet(net, note):
        found = await look(visit_plain)
    assert found.finding is Finding.ANSWERED
    assert seen == ["192.0.2.10"]


@pytest.mark.parametrize(
    "url, twin",
    [
        ("http://a.example/204?x=1", "https://a.example/204?x=1"),
        ("http://a.example:8080/204", "https://a.example/204"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
    ],
)
def test_the_secure_twin_is_on_the_usual_port(url, twin):
    assert secure_twin(Url(url)) == twin


def test_certificates_that_cannot_be_read_are_told_at_the_start(tmp_path):
    with pytest.raises(ProbeError, match="cannot read certificates"):
        trust(str(tmp_path / "none.pem"))
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(ProbeError, match="cannot read certificates"):
        trust(str(tmp_path / "bad.pem"))


async def test_a_session_without_a_binding_uses_the_systems_route(net):
    net.filter("iifname up0 drop")
    async with (
        internet(net, saying()),
        open_session(None, reserve=(ALPHA,)) as session,
    ):
        found = await visit_plain(session, PAGE, clock=SystemClock())
    assert found.finding is Finding.ANSWERED


async def test_a_session_keeps_no_cookies_and_asks_no_proxy(net, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.99:3128")
    seen = []

    async def note(request):
        seen.append(dict(request.cookies))
        response = web.Response(status=204)
        response.set_cookie("tracked", "yes")
        return response

    async with internet(net, note), open_session(binding()) as session:
        for _ in range(2):
            await visit_plain(session, PAGE, clock=SystemClock())
    assert seen == [{}, {}]


async def test_the_sampler_asks_the_page_and_its_twin(net, authority):
    events: list[Any] = []
    periods = Periods(pulse=None, gateway=None, names=None, web=60, secure=60, journey=None)
    sampler = Sampler(
        ANCHORS,
        (PAGE,),
        clock=SystemClock(),
        emit=events.append,
        ca_file=str(authority.root),
    )
    with inside(net.far):
        sock = socket.create_server((ALPHA, 443))
    task = asyncio.create_task(sampler.run())
    async with (
        internet(net, saying()),
        serving(saying(), sock=sock, context=authority.context(HOST)),
    ):
        sampler.bind("broadband", binding())
        sampler.pace("broadband", periods)
        await asyncio.sleep(0.4)
        sampler.bind("broadband", binding(resolvers=(BETA,)))  # closed there: the reserve helps
        await asyncio.sleep(0.4)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    samples = [sample for event in events for sample in event.samples]
    assert {(s.layer, s.target, s.finding) for s in samples} == {
        (Layer.WEB, "http connectivity.example", Finding.ANSWERED),
        (Layer.WEB, "https connectivity.example", Finding.ANSWERED),
    }
    assert [s.detail for s in samples].count("") == 2
    assert [s.detail for s in samples].count("name by a reserve server") == 2
    assert all((s.sent, s.lost) == (1, 0) for s in samples)


async def test_a_resolver_refuses_what_is_no_ipv4_name(net):
    resolver = open_resolver(binding())
    with pytest.raises(OSError, match="only IPv4"):
        await resolver.resolve(HOST, 80, socket.AF_INET6)
    with pytest.raises(OSError, match="not a host name"):
        await resolver.resolve("a..example", 80)
    (literal,) = await resolver.resolve("192.0.2.7", 80)
    assert literal["host"] == "192.0.2.7"


def test_the_library_still_lets_sockets_be_made_by_us():
    assert "socket_factory" in aiohttp.TCPConnector.__init__.__annotations__
