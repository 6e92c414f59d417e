"""Status page and app asked through one uplink of two, over a real wire."""

import os
import socket
import time

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.model import Stage, VendorLevel
from edge_watchdog.probes.bind import open_session
from edge_watchdog.vendors.journey import visit
from edge_watchdog.vendors.statuspage import StatusPage
from tests.probes.kernel import ALPHA, answer_with, binding, dns_server, inside, wire
from tests.vendors.pages import summary
from tests.vendors.servers import Authority, serving

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces are made by root")

APP = "https://app.bookwell.example/login"
STATUS = "https://status.bookwell.example"


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


async def ask(authority, bound):
    """Visit the app and read the page through *bound*."""
    clock = SystemClock()
    async with open_session(bound, str(authority.root)) as session:
        journey = await visit(session, APP, "BookWell", uplink="broadband", clock=clock)
        report = await StatusPage(STATUS, (), clock).read(session)
    return journey, report


async def test_app_and_page_answer_through_the_uplink(net, authority):
    async def vendor(request):
        if request.path == "/login":
            return web.Response(text="<h1>BookWell</h1>")
        return web.Response(body=summary(), content_type="application/json")

    with inside(net.far):
        sock = socket.create_server((ALPHA, 443))
    context = authority.context("*.bookwell.example")
    async with (
        serving(vendor, sock=sock, context=context),
        dns_server(net, ALPHA, answer_with(ALPHA)),
    ):
        journey, report = await ask(authority, binding())
    assert journey.ok
    assert report.level is VendorLevel.OPERATIONAL


@pytest.mark.parametrize("change", [{"interface": "gone0"}, {"source": "192.0.2.99"}])
async def test_an_uplink_that_is_gone_accuses_nobody(net, authority, change):
    journey, report = await ask(authority, binding(**change))
    assert (journey.asked, journey.stage) == (False, Stage.NAMES)
    assert report.level is VendorLevel.UNKNOWN
    assert report.reason.startswith("unreachable: cannot ask for status.bookwell.example")


async def test_a_black_hole_ends_a_visit_at_the_names_soon(net, authority):
    net.filter("drop")
    begin = time.monotonic()
    journey, report = await ask(authority, binding())
    assert time.monotonic() - begin < 9  # a visit that nobody ends takes 10 s
    assert (journey.asked, journey.stage) == (True, Stage.NAMES)
    assert report.reason == "unreachable: status.bookwell.example: silent"


async def test_an_app_that_drops_what_comes_fails_at_connect(net, authority):
    net.filter("tcp dport 443 drop")
    async with dns_server(net, ALPHA, answer_with(ALPHA)):
        journey, _ = await ask(authority, binding())
    assert (journey.asked, journey.stage) == (True, Stage.CONNECT)


@pytest.mark.parametrize("rcode, words", [(2, "SERVFAIL"), (3, "NXDOMAIN")])
async def test_a_name_that_is_broken_at_the_vendors_is_told(net, authority, rcode, words):
    async with dns_server(net, ALPHA, answer_with(None, rcode=rcode)):
        journey, report = await ask(authority, binding())
    assert (journey.asked, journey.stage) == (True, Stage.NAMES)
    assert journey.detail == f"app.bookwell.example: {words}"
    assert report.reason == f"unreachable: status.bookwell.example: {words}"
