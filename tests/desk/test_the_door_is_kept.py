"""Who gets in: routes, hosts, origins, headers, idlers and crowds, over real sockets."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from ipaddress import IPv4Interface
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from edge_watchdog.bridge import Acknowledge
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.actions import FetchSchedule
from edge_watchdog.core.units import Url
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook.registry import IcsOptions
from edge_watchdog.desk import door as door_module
from edge_watchdog.desk.access import AccessError, Gate, Identity, Route, Who, build
from edge_watchdog.desk.door import Door, listeners
from edge_watchdog.desk.handlers import Handlers
from edge_watchdog.desk.lan import Lan, own_addresses
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.studio import StepClock, calendar, running, settings, today, view
from tests.patience import air

PATHS = ("/", "/owner", "/view.json", "/health", "/?kiosk=1", "/nothing-here", "/static/x.js")


TOGETHER = pytest.mark.asyncio(loop_scope="module")  # for those that ask one desk half


@pytest.fixture
async def desk(tmp_path):
    async with offline(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def same_desk(tmp_path_factory):
    """Give a desk half that is asked many things and changed by none."""
    async with offline(tmp_path_factory.mktemp("desk")) as made:
        yield made


@contextlib.asynccontextmanager
async def offline(folder):
    (folder / "day.ics").write_text(calendar(today()))
    async with running(folder) as made:
        made.watch.show(view(Standing.OFFLINE, SystemClock().now().wall))
        await until(lambda: seen(made.url, "Anna B."))
        await until(lambda: seen(made.url, "No internet."))
        yield made


async def until(check, seconds: float = 20.0) -> None:
    async with asyncio.timeout(air(seconds)):
        while not await check():  # noqa: ASYNC110 - what is waited for is another program's doing
            await asyncio.sleep(0.05)


async def get(url: str, **kwargs: object) -> tuple[int, str, aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as session, session.get(url, **kwargs) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text(), answer


async def post(url: str, data: object, **headers: str) -> tuple[int, str]:
    more = {"headers": headers, "allow_redirects": False}
    async with aiohttp.ClientSession() as session, session.post(url, data=data, **more) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text()


async def seen(url: str, text: str) -> bool:
    return text in (await get(url))[1]


async def nothing(_request: web.BaseRequest) -> web.Response:
    return web.Response()


def gate() -> Gate:
    door = Door(Lan((), StepClock()), StepClock(), 8)
    return Gate(
        Lan((), StepClock()),
        frozenset(),
        (),
        lambda _status, words, _there: words,
        lambda request: door.serving(request.transport),
    )


def test_a_route_that_does_not_say_who_may_use_it_is_refused() -> None:
    with pytest.raises(AccessError, match="/secret"):
        build([Route("GET", "/secret", nothing, None)], gate())  # type: ignore[arg-type]


async def test_every_route_there_is_is_declared(desk) -> None:
    declared = {(r.method, r.path): r.who for r in Handlers(*(None,) * 6).routes()}  # type: ignore[arg-type]
    app = build(Handlers(*(None,) * 6).routes(), gate())  # type: ignore[arg-type]
    for route in app.router.routes():
        assert route.resource is not None
        assert declared[(route.method, route.resource.canonical)] in Who
    changing = {path for method, path in declared if method not in ("GET", "HEAD")}
    assert changing == {"/acknowledge"}


@pytest.mark.parametrize("path", PATHS)
@TOGETHER
async def test_every_answer_is_dressed(same_desk, path) -> None:
    _, text, answer = await get(same_desk.url + path)
    headers = answer.headers
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Server" not in headers
    assert not [name for name in headers if name.startswith("Access-Control")]
    assert "Traceback" not in text


@TOGETHER
async def test_static_files_carry_their_hash_and_may_be_kept(same_desk) -> None:
    page = (await get(same_desk.url))[1]
    names = [part.split('"')[0] for part in page.split('"/static/')[1:]]
    assert len(names) == 3
    for name in names:
        status, _, answer = await get(f"{same_desk.url}/static/{name}")
        assert status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (await get(f"{same_desk.url}/static/../app.py"))[0] == 404
    assert (await get(f"{same_desk.url}/static/%2e%2e%2fapp.py"))[0] == 404


@pytest.mark.parametrize(
    "host, status",
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        (socket.gethostname(), 200),
        (f"{socket.gethostname().partition('.')[0]}.local:80".upper(), 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.1", 421),
        ("localhost@evil.example", 421),
        ("", 421),
        ("[::1]", 421),
        ("a b", 421),
    ],
)
@TOGETHER
async def test_only_our_own_names_are_answered(same_desk, host, status) -> None:
    found, text, _ = await get(same_desk.url, headers={"Host": host})
    assert found == status
    if status == 421:
        assert "Anna" not in text


async def test_a_name_from_the_configuration_is_ours_and_a_framer_may_be_named(tmp_path) -> None:
    changes = {"allowed_hosts": ("Desk.Lotus.example",), "frame_ancestors": ("http://x.example",)}
    async with running(tmp_path, **changes) as desk:
        status, _, answer = await get(desk.url, headers={"Host": "desk.lotus.example:8080"})
        assert status == 200
        assert "frame-ancestors http://x.example;" in answer.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer.headers


@pytest.mark.parametrize(
    "headers, status",
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "OWN"}, 303),
    ],
)
@TOGETHER
async def test_only_our_own_page_may_say_got_it(same_desk, headers, status) -> None:
    sent = {name: same_desk.url if value == "OWN" else value for name, value in headers.items()}
    same_desk.orders.clear()
    found, _ = await post(f"{same_desk.url}/acknowledge", {"incident": "7"}, **sent)
    assert found == status
    assert same_desk.orders.count(Acknowledge(7, "the desk")) == (status == 303)


@pytest.mark.parametrize(
    "data, status",
    [
        ({"incident": "x"}, 400),
        ({"incident": "-1"}, 400),
        ({"incident": "\u0667"}, 400),
        ({}, 400),
        ({"incident": "999"}, 303),
        ({"incident": "7", "x": "y" * 70_000}, 413),
    ],
)
@TOGETHER
async def test_a_got_it_that_makes_no_sense_changes_nothing(same_desk, data, status) -> None:
    same_desk.orders.clear()
    found, _ = await post(f"{same_desk.url}/acknowledge", data, Origin=same_desk.url)
    assert found == status
    assert not [order for order in same_desk.orders if isinstance(order, Acknowledge)]


RAW = {
    b"GARBAGE": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000: 400,
    b"GET /\x00 HTTP/1.1\r\nHost: localhost": 400,
    b"GET / HTTP/1.0": 421,
    b"POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 0": 415,
    b"POST /acknowledge HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=nonsense\r\nContent-Length: 0": 400,
}


@pytest.mark.parametrize("raw", RAW)
@TOGETHER
async def test_nonsense_is_answered_shortly_and_not_written_down(same_desk, raw, caplog) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", same_desk.port)
    writer.write(raw + b"\r\n\r\n")
    async with asyncio.timeout(air(3)):
        assert b" %d " % RAW[raw] in await reader.readline()
    writer.close()
    assert "Traceback" not in caplog.text
    assert "aaaa" not in caplog.text


async def test_a_got_it_that_cannot_be_passed_on_is_said(desk) -> None:
    desk.stop_watch()
    await until(lambda: seen(desk.url, "cannot say whether"))
    status, text = await post(f"{desk.url}/acknowledge", {"incident": "7"}, Origin=desk.url)
    assert (status, "nobody was told" in text) == (503, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
@TOGETHER
async def test_other_methods_are_refused(same_desk, method) -> None:
    async with aiohttp.ClientSession(headers={"Origin": same_desk.url}) as session:
        answer = await session.request(method, same_desk.url)
        assert answer.status in (403, 405)


async def test_health_tells_machines_counts_and_no_names(desk) -> None:
    status, text, _ = await get(f"{desk.url}/health")
    body = json.loads(text)
    assert status == 200
    assert body["watch_heard"] is True
    assert body["standing"] == "offline"
    assert body["sources"][0]["today"] == 27
    assert body["sources"][0]["problem"] is None
    assert "Anna" not in text
    desk.stop_watch()
    await until(lambda: seen(desk.url, "cannot say whether"))
    assert (await get(f"{desk.url}/health"))[0] == 503


async def test_the_watch_half_is_told_counts_and_can_ask_for_the_day(desk) -> None:
    reports = [order for order in desk.orders if not isinstance(order, Acknowledge)]
    assert reports[-1].today == 27
    assert "Anna" not in repr(reports)
    desk.write_day("<html>Sign in</html>")
    desk.watch.ask_fetch(FetchSchedule(1, "trouble is suspected"))
    await until(lambda: seen(desk.url, "sent a web page instead of a calendar"), 15)
    assert await seen(desk.url, "Anna B.")


async def test_a_stream_brings_the_parts_then_changes_then_a_beat(desk) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{desk.url}/live") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = answer.content
        assert await lines.readline() == b"retry: 2000\n"
        await lines.readline()
        assert await lines.readline() == b"event: view\n"
        first = json.loads((await lines.readline())[6:])
        assert "No internet." in first["parts"]["status"]
        await lines.readline()
        desk.watch.show(view(Standing.NORMAL, SystemClock().now().wall))
        assert await lines.readline() == b"event: view\n"
        second = json.loads((await lines.readline())[6:])
        assert "Everything works." in second["parts"]["status"]
        await lines.readline()
        async with asyncio.timeout(air(7)):
            assert await lines.readline() in (b"event: beat\n", b"event: view\n")


async def test_the_owners_stream_holds_no_client(desk) -> None:
    text = (await get(f"{desk.url}/view.json?page=owner"))[1]
    assert "Anna" not in text
    assert (await get(f"{desk.url}/view.json?page=admin"))[0] == 400


async def test_too_many_streams_are_turned_away_and_pages_still_come(tmp_path) -> None:
    async with running(tmp_path, most_streams=2) as desk, aiohttp.ClientSession() as session:
        streams = [await session.get(f"{desk.url}/live") for _ in range(3)]
        assert [one.status for one in streams] == [200, 200, 503]
        assert (await get(desk.url))[0] == 200
        for one in streams:
            one.close()


async def test_pages_that_vanish_leave_nothing_behind(desk, caplog) -> None:
    for _ in range(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        writer.write(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"event: view")
        writer.transport.abort()

    async def gone() -> bool:
        desk.watch.show(view(Standing.NORMAL, SystemClock().now().wall))
        return '"streams": 0,' in (await get(f"{desk.url}/health"))[1]

    await until(gone, 10)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_an_idler_is_shown_out_and_a_crowd_is_kept_out(tmp_path) -> None:
    clock = StepClock()
    door = Door(Lan((), clock), clock, 3)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    listener.setblocking(False)
    runner = web.ServerRunner(web.Server(nothing), access_log=None)
    await runner.setup()
    assert runner.server is not None
    tasks = [
        asyncio.create_task(door.admit(listener, runner.server)),
        asyncio.create_task(door.sweep()),
    ]
    port = listener.getsockname()[1]
    guests = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.close()
    guests[0][1].write(b"GET / HT")
    clock.step(door_module.IDLE_S + 1)
    async with asyncio.timeout(air(door_module.SWEEP_S)):
        for guest, _ in guests:
            assert await guest.read() == b""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _, guest_writer in guests:
        guest_writer.close()
    listener.close()
    await runner.cleanup()


ADDRESSES = {
    "lan0": (IPv4Interface("192.168.50.2/24"), IPv4Interface("10.9.0.1/16")),
    "wan0": (IPv4Interface("203.0.113.2/24"),),
}


@pytest.mark.parametrize(
    "local, peer, lets_in",
    [
        ("192.168.50.2", "192.168.50.10", True),
        ("10.9.0.1", "10.9.77.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("192.168.50.2", "203.0.113.9", False),
        ("203.0.113.2", "203.0.113.9", False),
        ("203.0.113.2", "192.168.50.10", False),
        ("192.168.50.2", "10.9.0.7", False),
        ("127.0.0.1", "192.168.50.10", False),
        ("192.168.50.2", "127.0.0.1", False),
        ("::1", "::1", False),
        ("", "", False),
    ],
)
def test_only_both_ends_on_the_lan_are_let_in(local, peer, lets_in) -> None:
    lan = Lan(("lan0",), StepClock(), lambda: ADDRESSES)
    assert lan.lets_in(local, peer) is lets_in


@pytest.mark.parametrize(
    "host, ours",
    [("192.168.50.2", True), ("203.0.113.2", False), ("127.0.0.1", True), ("x", False)],
)
def test_a_host_header_may_name_our_lan_address_only(host, ours) -> None:
    assert Lan(("lan0",), StepClock(), lambda: ADDRESSES).is_ours(host) is ours


def test_addresses_are_read_again_after_a_while() -> None:
    clock, found = StepClock(), dict(ADDRESSES)
    lan = Lan(("lan0",), clock, lambda: found)
    assert not lan.is_ours("192.168.7.7")
    found["lan0"] = (IPv4Interface("192.168.7.7/24"),)
    assert not lan.is_ours("192.168.7.7")
    clock.step(6)
    assert lan.is_ours("192.168.7.7")


def test_the_systems_own_addresses_can_be_read() -> None:
    assert IPv4Interface("127.0.0.1/8") in own_addresses()["lo"]


def test_without_systemd_we_listen_ourselves() -> None:
    (one,) = listeners("127.0.0.1", 0)
    assert one.getsockname()[0] == "127.0.0.1"
    one.close()


def test_sockets_that_systemd_passes_are_taken_over_in_a_child() -> None:
    program = (
        "import os, sys\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "from edge_watchdog.desk.door import listeners\n"
        "one, = listeners('127.0.0.1', 1)\n"
        "print(one.getsockname()[1], 'LISTEN_FDS' in os.environ)\n"
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        said = subprocess.run(
            ["bash", "-c", f'exec "$0" -c "$1" 3<&{listener.fileno()}', sys.executable, program],
            pass_fds=[listener.fileno()],
            env={**os.environ, "LISTEN_FDS": "1", "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.stdout.split() == [str(port), "False"]


async def test_a_disk_that_refuses_costs_the_memory_not_the_page(tmp_path) -> None:
    (tmp_path / "day.ics").write_text(calendar(today()))
    (tmp_path / "state").write_text("in the way")
    async with running(tmp_path) as desk:
        await until(lambda: seen(desk.url, "Anna B."))
        assert await seen(desk.url, "would be lost if the box restarts")


async def test_a_source_that_cannot_be_built_is_said_on_the_page(tmp_path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    source = ScheduleSetting("front desk", 60.0, IcsOptions(url=Url("https://x.example/a")))
    changes = {"schedules": (source,), "ca_file": str(tmp_path / "ca.pem")}
    async with running(tmp_path, **changes) as desk:
        await until(lambda: seen(desk.url, "could not be used as extra trust"))


async def test_the_day_is_there_at_once_after_a_restart_without_its_source(tmp_path) -> None:
    (tmp_path / "day.ics").write_text(calendar(today()))
    async with running(tmp_path) as desk:
        await until(lambda: seen(desk.url, "Anna B."))
    (tmp_path / "day.ics").unlink()
    async with running(tmp_path) as desk:
        await until(lambda: seen(desk.url, "Anna B."))
        await until(lambda: seen(desk.url, "file is not there"))


def test_settings_have_sober_defaults(tmp_path) -> None:
    made = settings(tmp_path)
    assert made.lan_interfaces == ()
    assert made.frame_ancestors == ()


@pytest.mark.parametrize("needed", list(Who))
@pytest.mark.parametrize("shown", list(Who))
def test_each_role_may_what_those_before_it_may(shown, needed) -> None:
    roles = list(Who)
    assert Identity(shown).may(needed) is (roles.index(shown) >= roles.index(needed))


def test_private_things_need_a_person_and_a_connection_that_nobody_reads() -> None:
    assert Identity(Who.STAFF, secure=True).sees_private
    assert not Identity(Who.STAFF).sees_private
    assert not Identity(Who.DEVICE, secure=True).sees_private


async def test_a_route_for_the_owner_is_closed_to_the_lan() -> None:
    app = build([Route("GET", "/secret", nothing, Who.OWNER)], gate())
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        status, text, _ = await get(f"http://localhost:{runner.addresses[0][1]}/secret")
    finally:
        await runner.cleanup()
    assert (status, text) == (401, "Please sign in first.")
