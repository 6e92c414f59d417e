"""The box's own authority: what it vouches for, how it renews, and what plain pages never show."""

import asyncio
import html
import re
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from playwright.async_api import Error as BrowserError
from playwright.async_api import Page

from edge_watchdog.daybook.seal import KeySeal
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.secure import Secure
from edge_watchdog.desk.tls import Authority, Names
from tests.chromium import CHROMIUM, started, trust
from tests.desk.doors import OPEN_LINE, Browser, owner_of, staff_of
from tests.desk.studio import NOON, StepClock, calendar, running, settings, today

DAY_S = 86400.0
NOW = time.time()  # OpenSSL and browsers judge by their own clock
NAMES = Names(("lotus.local", "lotus"), ("192.168.50.2",))
SEAL = KeySeal(bytes(32), "tls")


def shakes_hands(context: ssl.SSLContext, root: bytes, name: str) -> str:
    """Connect in memory, as a client that trusts *root*; gives what was wrong, "" for nothing."""
    trusting = ssl.create_default_context(cadata=root.decode("ascii"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return ""


def authority(folder: Path) -> Authority:
    return Authority(folder / "tls", SEAL)


@pytest.mark.parametrize("name", ["lotus.local", "lotus", "192.168.50.2"])
def test_each_name_of_the_box_is_trusted(tmp_path, name) -> None:
    made = authority(tmp_path)
    root = made.root("Lotus Room", NAMES)
    context = made.context(NAMES, NOW)
    assert shakes_hands(context, root.pem, name) == ""


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("bank.example", "permitted subtree violation"),
        ("local", "permitted subtree violation"),
        ("203.0.113.7", "permitted subtree violation"),
        ("11.0.0.1", "permitted subtree violation"),
        ("172.32.0.1", "permitted subtree violation"),
        ("192.169.0.1", "permitted subtree violation"),
        ("127.0.0.1", "permitted subtree violation"),
        ("fd00::1", "permitted subtree violation"),
    ],
)
def test_a_stolen_root_vouches_for_nothing_that_a_site_could_have(tmp_path, other, why) -> None:
    made = authority(tmp_path)
    root = made.root("Lotus Room", NAMES)
    (tmp_path / "forged.pem").write_bytes(made._leaf([other], NOW))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "forged.pem")
    assert shakes_hands(context, root.pem, other) == why


@pytest.mark.parametrize("address", ["192.168.1.7", "172.31.0.2", "10.0.0.138", "169.254.3.4"])
def test_another_private_address_needs_no_other_root(tmp_path, address) -> None:
    root = authority(tmp_path).root("Lotus Room", NAMES)
    moved, made = Names(NAMES.hosts, (address,)), authority(tmp_path)
    assert made.root("Lotus Room", moved).pem == root.pem
    context = made.context(moved, NOW)
    assert [shakes_hands(context, root.pem, one) for one in ("lotus.local", address)] == ["", ""]


def test_a_root_for_one_address_serves_as_long_as_it_fits_and_is_then_made_anew(tmp_path) -> None:
    def called(*addresses: str) -> Names:
        return Names(NAMES.hosts, addresses)

    made = authority(tmp_path)
    first = made.root("Lotus Room", called("203.0.113.2"))
    assert (first.lone, first.ranges, first.instead_of) == (("203.0.113.2",), (), "")
    for names in (
        called(),
        called("169.254.9.9"),  # no router gives one just now: no reason to trust anew
        called("192.168.1.7", "203.0.113.2"),
    ):
        assert made.root("Lotus Room", names).pem == first.pem
    assert shakes_hands(made.context(called("192.168.1.7"), NOW), first.pem, "lotus.local") == ""
    second = made.root("Lotus Room", called("192.168.1.7"))
    assert second.pem != first.pem
    assert second.instead_of.startswith("Lotus Room: the studio's box ")
    context = made.context(called("192.168.1.7"), NOW)
    assert shakes_hands(context, second.pem, "192.168.1.7") == ""
    assert shakes_hands(context, first.pem, "lotus.local") != ""


def test_a_box_without_an_address_vouches_for_no_address_at_all(tmp_path) -> None:
    made = authority(tmp_path)
    root = made.root("Lotus Room", Names(("lotus.local",)))
    (tmp_path / "forged.pem").write_bytes(made._leaf(["192.168.50.1"], NOW))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "forged.pem")
    assert shakes_hands(context, root.pem, "192.168.50.1") == "excluded subtree violation"


def dates(folder: Path) -> tuple[float, float]:
    text = ssl._ssl._test_decode_cert(str(folder / "tls" / "leaf.pem"))  # type: ignore[attr-defined]
    return (
        ssl.cert_time_to_seconds(text["notBefore"]),
        ssl.cert_time_to_seconds(text["notAfter"]),
    )


def test_the_certificate_renews_itself_and_the_root_stays(tmp_path) -> None:
    made = authority(tmp_path)
    root = made.root("Lotus Room", NAMES)
    context = made.context(NAMES, NOON)
    since, until = dates(tmp_path)
    assert until - since <= 397 * DAY_S
    made.renew(context, NAMES, NOON + 359 * DAY_S)
    assert dates(tmp_path) == (since, until)
    made.renew(context, NAMES, NOON + 361 * DAY_S)
    assert dates(tmp_path) == (since + 361 * DAY_S, until + 361 * DAY_S)
    made.renew(context, NAMES, NOON - 9000 * DAY_S)  # the clock was wrong; it is right again below
    made.renew(context, NAMES, NOON)
    assert dates(tmp_path) == (since, until)
    assert authority(tmp_path).root("another name", Names(("x.local",))).pem == root.pem


def test_an_address_that_the_root_may_not_vouch_for_is_left_out(tmp_path) -> None:
    made = authority(tmp_path)
    root = made.root("Lotus Room", NAMES)
    context = made.context(Names(NAMES.hosts, ("203.0.113.9",)), NOW)
    assert shakes_hands(context, root.pem, "lotus.local") == ""
    assert "203.0.113.9" not in (tmp_path / "tls" / "leaf.pem").read_text()
    assert not root.permits("203.0.113.9")


def test_keys_are_their_owners_alone_and_the_roots_is_sealed(tmp_path) -> None:
    made = authority(tmp_path)
    before = made.root("Lotus Room", NAMES)
    made.context(NAMES, NOON)
    assert {f.stat().st_mode & 0o077 for f in (tmp_path / "tls").iterdir()} == {0}
    assert b"PRIVATE" not in (tmp_path / "tls" / "root.key").read_bytes()
    other = Authority(tmp_path / "tls", KeySeal(b"k" * 32, "tls"))
    assert other.root("Lotus Room", NAMES).pem != before.pem  # a lost key costs the trust, no more
    other.context(NAMES, NOON)


class Watched(Authority):
    """Notes which thread changed a context."""

    def __init__(self, folder: Path, seen: list[int]) -> None:
        super().__init__(folder, SEAL)
        self.seen = seen

    def show_in(self, context: ssl.SSLContext) -> None:
        self.seen.append(threading.get_ident())
        super().show_in(context)


async def test_a_context_that_serves_is_changed_only_when_due_and_by_the_thread_that_serves(
    tmp_path,
) -> None:
    seen: list[int] = []
    clock = StepClock()
    pages = Pages(settings(tmp_path), Board(clock, "boot"))
    made = Watched(tmp_path / "tls", seen)
    secure = Secure(lambda: made, lambda: NAMES, clock, pages, studio="Lotus Room", port=1)
    await secure.look()
    assert len(seen) == 1  # when it was made; nobody was served with it yet
    for _ in range(3):
        clock.step(60)
        await secure.look()
    assert len(seen) == 1
    clock.step(361 * DAY_S)
    await secure.look()
    assert seen[1:] == [threading.get_ident()]


def called_by(folder: Path, *names: Names) -> tuple[Secure, Callable[[], None]]:
    """Give secure pages of a box with the first of *names*, and what gives it the next one."""
    left = list(names)
    clock = StepClock(wall=NOW)
    pages = Pages(settings(folder), Board(clock, "boot"))
    made = authority(folder)
    secure = Secure(lambda: made, lambda: left[0], clock, pages, studio="Lotus Room", port=1)
    return secure, lambda: left.__delitem__(0)


async def test_a_new_address_is_served_without_a_restart_under_the_same_root(tmp_path) -> None:
    secure, move = called_by(tmp_path, NAMES, Names(NAMES.hosts, ("10.0.0.138",)))
    await secure.look()
    assert secure.root
    assert secure.context
    before, serving = secure.root.pem, secure.context
    move()
    await secure.look()
    assert secure.context is serving
    assert secure.root.pem == before
    assert shakes_hands(serving, before, "10.0.0.138") == ""
    page = text_of(await secure.show(make_mocked_request("GET", "/trust")))
    assert "Printed <span" in page
    assert "it need not be done again when the box gets another such address" in page
    assert "192.168.0.0/16" in page
    assert "new certificate" not in page


async def test_a_root_that_had_to_be_made_anew_is_said_on_the_page_and_served(tmp_path) -> None:
    secure, move = called_by(tmp_path, Names(NAMES.hosts, ("203.0.113.2",)), NAMES)
    await secure.look()
    assert secure.root
    assert secure.context
    before = secure.root
    page = text_of(await secure.show(make_mocked_request("GET", "/trust")))
    assert "such address" not in page
    move()
    await secure.look()
    assert secure.root.pem != before.pem
    assert shakes_hands(secure.context, secure.root.pem, "192.168.50.2") == ""
    page = text_of(await secure.show(make_mocked_request("GET", "/trust")))
    assert "The box had to make a new certificate" in page
    assert "must do these steps again" in page


def text_of(answer: web.Response) -> str:
    assert isinstance(answer.text, str)
    return html.unescape(answer.text)


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Serve one page over *context*; gives the port."""

    async def hello(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(hello))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def is_trusted_at_its_next_address_alone(page: Page, made: Authority, folder: Path) -> None:
    moved = made.context(Names(NAMES.hosts, ("10.0.0.138",)), NOW)
    (folder / "forged.pem").write_bytes(made._leaf(["203.0.113.7"], NOW))
    forged = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    forged.load_cert_chain(folder / "forged.pem")
    async with serving(moved) as ours, serving(forged) as theirs:
        await page.goto(f"https://10.0.0.138:{ours}/")
        assert await page.evaluate("isSecureContext") is True
        with pytest.raises(BrowserError, match="ERR_CERT_INVALID"):
            await page.goto(f"https://203.0.113.7:{theirs}/")


@pytest.fixture
async def desk(tmp_path):
    (tmp_path / "day.ics").write_text(calendar(today()))
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        port = door.getsockname()[1]
        async with running(tmp_path, more_doors=[door], tls_port=port) as made:
            made.secure_url = f"https://127.0.0.1:{port}"  # type: ignore[attr-defined]
            await until_served(made.secure_url)  # type: ignore[attr-defined]
            yield made


async def until_served(url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await Browser(url, ssl=False).get("/health")
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_the_same_pages_come_over_https_with_cookies_of_their_own(desk) -> None:
    owner = await owner_of(desk, desk.secure_url, ssl=False)
    assert set(owner.cookies()) == {"__Host-ew_session"}
    mia = await staff_of(owner)
    assert set(mia.cookies()) == {"__Host-ew_session", "__Host-ew_device"}
    assert "signed in as" in (await mia.get("/sign-in"))[1]
    # what was signed in openly is nobody here, whatever the cookie is called
    plain = await owner_of(desk, headers=OPEN_LINE)
    stolen = plain.cookies()["ew_session"]
    thief = Browser(desk.secure_url, {"Cookie": f"__Host-ew_session={stolen}"}, ssl=False)
    assert (await thief.get("/owner/people"))[0] == 401


async def test_a_caller_that_never_finishes_its_greeting_keeps_nobody_waiting(desk) -> None:
    port = int(desk.secure_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        async with asyncio.timeout(20):
            assert (await Browser(desk.secure_url, ssl=False).get("/sign-in"))[0] == 200


async def test_a_browser_that_trusts_the_root_sees_secure_pages_at_each_address_and_no_warning(
    desk, tmp_path
) -> None:
    moving = Authority(tmp_path / "moving", SEAL)
    (tmp_path / "moving.crt").write_bytes(moving.root("Lotus Room", NAMES).pem)
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{desk.url}/trust/studio-box.crt") as answer,
    ):
        assert answer.content_type == "application/x-x509-ca-cert"
        (tmp_path / "root.crt").write_bytes(await answer.read())
    _, page = await Browser(desk.url, OPEN_LINE).get("/trust")
    found = re.search(r'href="(https://([\w.-]+):\d+)/sign-in"', page)
    assert found, page
    await asyncio.to_thread(trust, tmp_path, tmp_path / "root.crt", tmp_path / "moving.crt")
    rules = "--host-resolver-rules=MAP * 127.0.0.1"
    async with started(CHROMIUM, rules, env={"HOME": str(tmp_path)}) as browser:
        page_ = await browser.new_page()
        answered = await page_.goto(f"{found[1]}/sign-in")
        assert answered is not None
        assert answered.status == 200
        assert await page_.evaluate("isSecureContext") is True
        await is_trusted_at_its_next_address_alone(page_, moving, tmp_path)
