"""The ICS connector against a real HTTP server on loopback."""

import asyncio
import dataclasses
import datetime as dt
import gzip
import ipaddress
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, Fetched, Span
from edge_watchdog.daybook.registry import CONNECTORS, IcsOptions
from edge_watchdog.daybook.web import MOST_BYTES

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
BODY = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}/secret/feed.ics"
    finally:
        await runner.cleanup()


async def fetch(url: str, known: str = "", ca_file: str | None = None) -> Fetched:
    return await IcsOptions(url=Url(url)).build(SystemClock(), ca_file).fetch(SPAN, known)


def answering(**kwargs: object) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(**kwargs)  # type: ignore[arg-type]

    return handle


async def test_a_calendar_comes_with_its_tag_and_age() -> None:
    headers = {"ETag": '"7"', "Age": "30", "Content-Type": "text/calendar"}
    async with server(answering(body=BODY, headers=headers)) as url:
        assert await fetch(url) == Fetched(BODY, 'etag "7"', 30.0)


@pytest.mark.parametrize(
    "known, header",
    [
        ('etag "7"', ("If-None-Match", '"7"')),
        (
            "date Sat, 21 Nov 2026 09:00:00 GMT",
            ("If-Modified-Since", "Sat, 21 Nov 2026 09:00:00 GMT"),
        ),
    ],
)
async def test_what_is_known_is_asked_for_and_may_be_unchanged(known, header) -> None:
    seen: dict[str, str] = {}

    async def handle(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.Response(status=304)

    async with server(handle) as url:
        assert (await fetch(url, known)).body is None
    assert seen[header[0]] == header[1]


async def test_a_compressed_calendar_is_unpacked() -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/calendar"}
    async with server(answering(body=gzip.compress(BODY), headers=headers)) as url:
        assert (await fetch(url)).body == BODY


async def test_without_a_tag_the_date_of_change_serves() -> None:
    headers = {"Last-Modified": "Sat, 21 Nov 2026 09:00:00 GMT"}
    async with server(answering(body=BODY, headers=headers)) as url:
        assert (await fetch(url)).token == "date Sat, 21 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    "kwargs, words",
    [
        ({"text": "<html>Sign in", "content_type": "text/html"}, "web page instead"),
        ({"status": 401}, "refused us"),
        ({"status": 404}, "no calendar at its address"),
        ({"status": 503}, "has trouble"),
        ({"status": 418}, "gave no calendar"),
        ({"status": 302, "headers": {"Location": "https://login.example/"}}, "another place"),
        ({"status": 302, "headers": {"Location": "/again"}}, "in a circle"),
        ({"body": b"x" * (MOST_BYTES + 1)}, "larger than 5 MiB"),
        (
            {
                "body": gzip.compress(b"x" * (MOST_BYTES + 1)),
                "headers": {"Content-Encoding": "gzip"},
            },
            "larger than 5 MiB",
        ),
        ({"body": b"not gzip", "headers": {"Content-Encoding": "gzip"}}, "reached|cut short"),
    ],
)
async def test_what_is_not_a_calendar_is_refused_without_naming_the_address(kwargs, words) -> None:
    async with server(answering(**kwargs)) as url:
        with pytest.raises(DaybookError, match=words) as caught:
            await fetch(url)
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


async def test_a_redirect_on_the_same_host_is_followed() -> None:
    async def handle(request: web.Request) -> web.Response:
        if request.path == "/new.ics":
            return web.Response(body=BODY)
        raise web.HTTPMovedPermanently("/new.ics")

    async with server(handle) as url:
        assert (await fetch(url)).body == BODY


async def test_a_server_that_asks_for_a_pause_is_heard() -> None:
    async with server(answering(status=429, headers={"Retry-After": "120"})) as url:
        with pytest.raises(DaybookError, match="less often") as caught:
            await fetch(url)
    assert caught.value.after_s == 120


async def test_a_body_that_breaks_off_is_refused() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(BODY)
        if request.transport is not None:
            request.transport.close()
        return response

    async with server(handle) as url:
        with pytest.raises(DaybookError, match="cut short"):
            await fetch(url)


async def test_a_server_that_is_not_there_is_said_to_be_out_of_reach() -> None:
    with pytest.raises(DaybookError, match="could not be reached"):
        await fetch("http://127.0.0.1:1/feed.ics")


async def test_a_certificate_must_be_trusted_and_extra_trust_can_be_given(tmp_path) -> None:
    ca_file = str(tmp_path / "ca.pem")
    async with server(answering(body=BODY), _own_certificate(ca_file)) as url:
        with pytest.raises(DaybookError, match="not trusted"):
            await fetch(url)
        assert (await fetch(url, ca_file=ca_file)).body == BODY


def _own_certificate(path: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    Path(path).write_bytes(pem)
    Path(f"{path}.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, f"{path}.key")
    return context


async def test_a_file_is_as_old_as_its_last_change_and_known_by_it(tmp_path) -> None:
    path = tmp_path / "day.ics"
    path.write_bytes(BODY)
    before = SystemClock().now().wall - 600
    os.utime(path, (before, before))
    connector = IcsOptions(path=FilePath(str(path))).build(SystemClock(), None)
    first = await connector.fetch(SPAN)
    assert first.body == BODY
    assert 600 <= first.age_s < 610
    assert (await connector.fetch(SPAN, first.token)).body is None
    path.write_bytes(BODY * 2)
    assert (await connector.fetch(SPAN, first.token)).body == BODY * 2


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda path: None, "not there"),
        (lambda path: path.mkdir(), "not a file"),
        (os.mkfifo, "not a file"),
        (lambda path: path.write_bytes(b"x" * (MOST_BYTES + 1)), "larger"),
    ],
)
async def test_a_file_that_cannot_be_a_calendar_is_refused(tmp_path, make, words) -> None:
    path = tmp_path / "day.ics"
    make(path)
    connector = IcsOptions(path=FilePath(str(path))).build(SystemClock(), None)
    async with asyncio.timeout(20):
        with pytest.raises(DaybookError, match=words):
            await connector.fetch(SPAN)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({}, "url or path"),
        ({"url": "https://x.example/a", "path": "/a"}, "url or path"),
        ({"url": "http://x.example/a"}, "https"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(keys, words) -> None:
    with pytest.raises(ValueError, match=words):
        IcsOptions(**keys)


def test_every_key_of_every_kind_is_documented() -> None:
    for options in CONNECTORS.values():
        assert dataclasses.is_dataclass(options)
        assert all(field.metadata["doc"].endswith(".") for field in dataclasses.fields(options))


def test_extra_trust_that_is_no_certificate_is_named(tmp_path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("nothing")
    with pytest.raises(DaybookError, match="extra trust"):
        IcsOptions(url=Url("https://x.example/a")).build(SystemClock(), str(bad))
