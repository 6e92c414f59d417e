import asyncio
import contextlib
import itertools
import socket
import ssl

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.model import Stage
from edge_watchdog.vendors.journey import visit
from tests.vendors.servers import Authority, serving, session

PAGE = "<!doctype html><title>Sign in - BookWell</title><h1>BookWell</h1>"
HOST = "app.bookwell.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


async def go(handler, *, path="/login", expect_text=None, context=None, root=None):
    scheme = "http" if context is None else "https"
    async with serving(handler, context=context) as port, session(root) as web_session:
        url = f"{scheme}://{HOST}:{port}{path}"
        clock = SystemClock()
        return await visit(web_session, url, expect_text, uplink="broadband", clock=clock)


def answering(status=200, text=PAGE, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_):
        return web.Response(status=status, text=text, content_type="text/html", headers=named)

    return answer


@contextlib.asynccontextmanager
async def raw_server(words, *, hold=False):
    """Take connections, say *words* and close, or *hold* the connection and say nothing."""
    done = asyncio.Event()
    running = []

    async def serve(reader, writer):
        running.append(asyncio.current_task())
        if hold:
            await done.wait()
        else:
            await reader.read(100)
        writer.write(words)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        done.set()
        await asyncio.gather(*filter(None, running))


async def test_a_page_that_answers_is_done(authority):
    report = await go(answering(), context=authority.context(HOST), root=authority.root)
    assert report.ok
    assert (report.stage, report.status, report.detail) == (Stage.DONE, 200, "")
    assert report.uplink == "broadband"
    assert 0 < report.seconds < 2


async def test_a_slow_page_is_done_and_its_seconds_are_told():
    async def slow(_):
        await asyncio.sleep(6)
        return web.Response(text=PAGE)

    report = await go(slow)
    assert report.ok
    assert 6 <= report.seconds < 10


async def test_a_page_that_never_answers_fails_at_http_within_ten_seconds():
    async def hang(_):
        await asyncio.sleep(30)

    begin = asyncio.get_running_loop().time()
    report = await go(hang)
    assert (report.stage, report.detail) == (Stage.HTTP, "no answer within 10 s")
    assert asyncio.get_running_loop().time() - begin < 25


@pytest.mark.parametrize(
    "handler, stage, status, detail",
    [
        (answering(500), Stage.HTTP, 500, "status 500"),
        (answering(404), Stage.HTTP, 404, "status 404"),
        (answering(503), Stage.HTTP, 503, "status 503"),
        (
            answering(503, Retry_After="600"),
            Stage.HTTP,
            503,
            "unavailable (status 503), asks to come back: 600",
        ),
        (answering(403), Stage.HTTP, 403, "refused us (status 403)"),
        (answering(429, Retry_After="60"), Stage.HTTP, 429, "refused us (status 429)"),
        (
            answering(503, cf_mitigated="challenge"),
            Stage.HTTP,
            503,
            "refused us (challenge, status 503)",
        ),
        (
            answering(202, x_amzn_waf_action="challenge"),
            Stage.HTTP,
            202,
            "refused us (challenge, status 202)",
        ),
        (answering(text=""), Stage.CONTENT, 200, "the page is empty"),
        (answering(text="  \n"), Stage.CONTENT, 200, "the page is empty"),
        (answering(300, ""), Stage.HTTP, 300, "status 300"),
    ],
)
async def test_what_the_app_answers_is_told(handler, stage, status, detail):
    report = await go(handler)
    assert (report.stage, report.status, report.detail) == (stage, status, detail)
    assert report.asked
    assert not report.ok


@pytest.mark.parametrize(
    "text, expected, stage",
    [
        (PAGE, "BookWell", Stage.DONE),
        ("<title>Parked</title>", "BookWell", Stage.CONTENT),
        ("<h1>Café</h1>", "Café", Stage.DONE),
        ("x" * 600_000 + "BookWell", "BookWell", Stage.CONTENT),
    ],
)
async def test_an_expected_text_must_stand_in_the_page(text, expected, stage):
    report = await go(answering(text=text), expect_text=expected)
    assert report.stage is stage


async def test_an_unknown_encoding_is_read_as_well_as_can_be():
    async def odd(_):
        headers = {"Content-Type": "text/html; charset=martian"}
        return web.Response(body=PAGE.encode(), headers=headers)

    assert (await go(odd, expect_text="BookWell")).ok


async def test_a_sign_in_page_may_redirect_within_the_site_and_set_cookies():
    async def sign_in(request):
        if request.path == "/login" and "session" not in request.cookies:
            moved = web.HTTPFound("/start")
            moved.set_cookie("session", "1")
            raise moved
        if request.path == "/start":
            raise web.HTTPSeeOther("login")
        return web.Response(text=PAGE)

    assert (await go(sign_in)).ok


async def test_cookies_of_one_visit_are_not_kept_for_the_next():
    seen = []

    async def note(request):
        seen.append(dict(request.cookies))
        response = web.Response(text=PAGE)
        response.set_cookie("session", "1")
        return response

    async with serving(note) as port, session() as web_session:
        for _ in range(2):
            url = f"http://{HOST}:{port}/"
            await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert seen == [{}, {}]


@pytest.mark.parametrize(
    "target, detail",
    [
        ("http://wifi.example/sign-in", "redirects to wifi.example"),
        ("http://192.0.2.1:8000/", "redirects to 192.0.2.1"),
        ("mailto:help@bookwell.example", "redirects to nowhere"),
    ],
)
async def test_redirects_that_lead_nowhere_fail_at_http(target, detail):
    async def move(_):
        return web.Response(status=302, headers={"Location": target})

    report = await go(move)
    assert (report.stage, report.detail) == (Stage.HTTP, detail)


@pytest.mark.parametrize(
    "target, stage, detail",
    [
        ("/login", Stage.LOGIN, "the sign-in page leads back to itself"),
        ("/login?try={}", Stage.LOGIN, "the sign-in page leads back to itself"),
        ("/step/{}", Stage.HTTP, "redirects without an end"),
    ],
)
async def test_redirects_without_an_end(target, stage, detail):
    numbers = itertools.count()

    async def move(_):
        return web.Response(status=302, headers={"Location": target.format(next(numbers))})

    report = await go(move)
    assert (report.stage, report.detail) == (stage, detail)


async def test_a_secure_page_that_redirects_to_an_unprotected_one_fails(authority):
    async def move(_):
        raise web.HTTPFound(f"http://{HOST}/login")

    report = await go(move, context=authority.context(HOST), root=authority.root)
    assert report.detail == f"redirects to an unprotected page of {HOST}"


@pytest.mark.parametrize(
    "host, days, trusted, reason",
    [
        (HOST, {"start_days": -30, "end_days": -1}, True, "expired"),
        (HOST, {"start_days": 1, "end_days": 30}, True, "not yet valid"),
        (HOST, {}, False, "unknown issuer"),
        ("other.example", {}, True, "wrong name"),
    ],
)
async def test_a_bad_certificate_is_told_with_its_reason(authority, host, days, trusted, reason):
    root = authority.root if trusted else None
    report = await go(answering(), context=authority.context(host, **days), root=root)
    assert (report.stage, report.detail) == (Stage.CERTIFICATE, f"certificate: {reason}")
    assert report.asked


async def test_a_server_that_speaks_no_tls_fails_at_tls(authority):
    async with serving(answering()) as port, session(authority.root) as web_session:
        url = f"https://{HOST}:{port}/"
        report = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert report.stage is Stage.TLS


async def test_a_connection_that_is_taken_and_then_hangs_fails_at_tls():
    """As a line does that loses large packets: the connection stands, the handshake does not."""

    async with raw_server(b"", hold=True) as port, session() as web_session:
        url = f"https://{HOST}:{port}/"
        report = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert (report.stage, report.detail) == (
        Stage.TLS,
        "connected, but the secure handshake hangs",
    )


async def test_a_host_that_takes_no_connection_fails_at_connect():
    """A full queue of a listening socket drops what comes, as a dead host does."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        async with session() as web_session:
            url = f"https://{HOST}:{server.getsockname()[1]}/"
            report = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert (report.stage, report.detail) == (Stage.CONNECT, "no connection within 4 s")


@pytest.mark.parametrize(
    "url, stage, asked, detail",
    [
        ("http://127.0.0.1:9/", Stage.CONNECT, True, "connection refused"),
        ("https://app.nowhere/", Stage.NAMES, True, "app.nowhere: NXDOMAIN"),
        ("https://app.unasked/", Stage.NAMES, False, "cannot ask for app.unasked: No such device"),
    ],
)
async def test_a_host_that_cannot_be_reached_is_told_apart_from_our_own_fault(
    url, stage, asked, detail
):
    async with session() as web_session:
        report = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert (report.stage, report.asked, report.detail) == (stage, asked, detail)


async def test_a_page_that_breaks_off_fails_at_content():
    async def tear(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<html>")
        await asyncio.sleep(0.05)
        request.transport.abort()
        return response

    report = await go(tear)
    assert (report.stage, report.detail) == (Stage.CONTENT, "the page broke off")


async def test_an_answer_that_is_no_http_fails_at_http():
    async with raw_server(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as port, session() as web_session:
        url = f"http://{HOST}:{port}/"
        report = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert report.stage is Stage.HTTP


async def test_a_session_closed_under_a_visit_accuses_nobody():
    async def hang(_):
        await asyncio.sleep(30)

    async with serving(hang) as port, session() as web_session:
        url = f"http://{HOST}:{port}/"
        task = asyncio.create_task(visit(web_session, url, uplink="broadband", clock=SystemClock()))
        await asyncio.sleep(0.2)
        await web_session.close()
        first = await task
        second = await visit(web_session, url, uplink="broadband", clock=SystemClock())
    assert not first.asked
    assert not second.asked


def test_the_certificates_of_these_tests_are_real(authority):
    assert isinstance(authority.context(HOST), ssl.SSLContext)
