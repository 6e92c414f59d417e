"""Signing in over real sockets: set-up, pairing, roles, forms, cookies, locks, live revocation."""

import asyncio
import html
import re
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from edge_watchdog.bridge import Order
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.events import OrderKind
from edge_watchdog.core.view import Standing
from edge_watchdog.desk.access import Gate, Identity, Route, Who, build, showed_private
from edge_watchdog.desk.door import Door
from edge_watchdog.desk.forms import own_path
from edge_watchdog.desk.lan import Lan
from edge_watchdog.desk.live import Hub, Screen
from edge_watchdog.desk.pages import Page
from tests.desk.doors import (
    OPEN_LINE,
    PASSWORD,
    PIN,
    Browser,
    device_of,
    new_setup_code,
    owner_of,
    sign_in,
    staff_of,
)
from tests.desk.studio import StepClock, calendar, running, today, view

TOGETHER = pytest.mark.asyncio(loop_scope="module")  # one desk half for most of the tests


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path):
    (tmp_path / "day.ics").write_text(calendar(today()))
    async with running(tmp_path) as made:
        yield made


@TOGETHER
async def test_before_the_set_up_every_door_says_how_to_open_it(desk) -> None:
    browser = Browser(desk.url)
    status, page = await browser.get("/sign-in")
    assert (status, "edge-watchdog setup-code" in page) == (200, True)
    assert (await browser.get("/owner/people"))[0] == 401
    status, page = await browser.post("/setup", code="x", password=PASSWORD, again=PASSWORD)
    assert (status, "That code is not right" in page) == (403, True)


@TOGETHER
async def test_a_day_in_the_life_of_the_doors(desk) -> None:
    owner = await owner_of(desk)
    mia = await staff_of(owner)
    assert "Mia" in (await mia.get("/sign-in"))[1]
    status, page = await mia.get("/owner/people")
    assert (status, "<title>This page is for the owner." in page) == (401, True)
    # the team signs in on devices the box knows, nowhere else; strangers see no names
    assert "Mia" not in (await Browser(desk.url).get("/sign-in"))[1]
    # signing out ends it at the box: the same cookies open nothing
    before = dict(mia.cookies())
    assert (await mia.post("/sign-out"))[0] == 303
    assert "ew_session" not in mia.cookies()
    thief = Browser(desk.url, {"Cookie": "; ".join(f"{k}={v}" for k, v in before.items())})
    assert "signed in as" not in (await thief.get("/sign-in"))[1]
    # what happened stands in the record, and who looked at it too
    status, page = await owner.get("/owner/looks")
    assert status == 200
    assert "The list is whole" in page
    assert all(
        f"<td>{word}</td>" in page for word in ("Mia", "setup", "pair", "sign-in", "PIN set")
    )


@TOGETHER
async def test_a_removed_device_and_a_new_pin_end_sessions_at_once(desk) -> None:
    owner = await owner_of(desk)
    mia, tom = await staff_of(owner, "Mia"), await staff_of(owner, "Tom")
    await owner.post("/owner/people/add", name="Tom", pin="736251")
    assert "signed in as" not in (await tom.get("/sign-in"))[1]
    _, page = await owner.get("/owner/people")
    number = re.search(r'tablet of Mia.*?name="id" value="(\d+)"', page, re.DOTALL)
    assert number
    assert (await owner.post("/owner/devices/remove", id=number[1]))[0] == 303
    _, page = await mia.get("/sign-in")
    assert "signed in as" not in page
    assert "not known to the box" in page


@TOGETHER
async def test_the_password_is_changed_and_other_sessions_of_the_owner_end(desk) -> None:
    owner, other = await owner_of(desk), Browser(desk.url)
    assert (await other.post("/sign-in", password=PASSWORD, next="/"))[0] == 303
    new = {"password": "other calm words", "again": "other calm words"}
    status, page = await owner.post("/owner/password", old="wrong old words", **new)
    assert (status, "present password is not right" in page) == (403, True)
    assert (await owner.post("/owner/password", old=PASSWORD, **new))[0] == 303
    assert (await owner.get("/owner/people"))[0] == 200
    assert (await other.get("/owner/people"))[0] == 401


@pytest.mark.parametrize(
    "path, fields, words",
    [
        ("/owner/people/add", {"name": "Mia", "pin": "111111"}, "too easy"),
        ("/owner/people/remove", {"id": "99"}, "not there any more"),
        ("/owner/devices/code", {"name": ""}, "name"),
        ("/owner/devices/here", {"name": " "}, "name"),
        ("/owner/devices/remove", {"id": "99"}, "not there any more"),
        ("/owner/password", {"password": "a", "again": "b"}, "not the same"),
    ],
)
@TOGETHER
async def test_the_owner_is_told_why_something_is_refused(owner, path, fields, words) -> None:
    status, page = await owner.post(path, **fields)
    assert (status, words in page) == (403, True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    (folder / "day.ics").write_text(calendar(today()))
    async with running(folder) as made:
        made.watch.show(view(Standing.NORMAL, SystemClock().now().wall))
        browser = await owner_of(made)
        browser.desk = made  # type: ignore[attr-defined]
        yield browser


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
@TOGETHER
async def test_a_form_without_the_token_of_this_browser_changes_nothing(owner, token) -> None:
    true, owner.token = owner.token, token
    assert (await owner.post("/owner/people/add", name="Eve", pin="736251"))[0] == 403
    owner.token = true
    assert "Eve" not in (await owner.get("/owner/people"))[1]


@TOGETHER
async def test_a_form_from_another_site_changes_nothing_though_it_has_the_token(owner) -> None:
    thief = Browser(owner.url, {"Sec-Fetch-Site": "cross-site"}, owner.jar, owner.token)
    assert (await thief.post("/owner/people/add", name="Eve", pin="736251"))[0] == 403
    assert "Eve" not in (await owner.get("/owner/people"))[1]


@TOGETHER
async def test_the_owner_orders_a_line_and_lets_the_box_choose_again(owner) -> None:
    async with asyncio.timeout(30):
        while "LTE stick" not in (await owner.get("/owner/people"))[1]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert (await owner.post("/owner/use", uplink="LTE stick", hours=2))[0] == 303
        assert (await owner.post("/owner/use", uplink="", hours=1))[0] == 303
        orders = owner.desk.orders
        while len([one for one in orders if isinstance(one, Order)]) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    said = "ordered by the owner"
    assert [one for one in orders if isinstance(one, Order)] == [
        Order(OrderKind.USE, "LTE stick", 7200.0, said),
        Order(OrderKind.AUTO, None, 0.0, said),
    ]
    for wrong in ({"uplink": "none", "hours": 1}, {"uplink": "LTE stick", "hours": 99}):
        assert (await owner.post("/owner/use", **wrong))[0] == 400


@TOGETHER
async def test_a_pairing_code_is_shown_to_scan_and_names_this_box(owner) -> None:
    _, page = await owner.post("/owner/devices/code", name="tablet")
    assert 'src="data:image/svg+xml' in page
    assert ".local" in page
    _, page = await Browser(owner.url).get("/pair?code=%3Cscript%3E")
    assert "<script>" not in page.partition("<main")[2]


@TOGETHER
async def test_cookies_are_for_the_box_alone_and_no_script_reads_them(owner) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{owner.url}/sign-in",
            data={"password": PASSWORD},
            headers={"Origin": owner.url},
            allow_redirects=False,
        ) as answer,
    ):
        cookie = answer.headers["Set-Cookie"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 43  # 256 bits


@TOGETHER
async def test_over_a_line_that_others_can_read_the_page_says_so_and_nothing_is_private(
    owner,
) -> None:
    plain = Browser(owner.url, OPEN_LINE)
    assert "Others on this network could read" in (await plain.get("/sign-in"))[1]
    assert "Others on this network could read" not in (await Browser(owner.url).get("/sign-in"))[1]
    thief = Browser(owner.url, jar=plain.jar)  # a token that was overheard, on a secure line
    assert (await plain.post("/sign-in", password=PASSWORD, next="/"))[0] == 303
    assert (await plain.get("/owner/people"))[0] == 200
    assert (await thief.get("/owner/people"))[0] == 401


@pytest.mark.parametrize(
    "asked, given",
    [
        ("/book?day=2026-11-21", "/book?day=2026-11-21"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
        ("/%2F/evil.example", "/%2F/evil.example"),
        ("/" + 200 * "a", "/"),
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(asked, given) -> None:
    assert own_path(asked) == given


@TOGETHER
async def test_names_with_line_breaks_do_not_reach_the_log_or_the_page_as_such(
    owner, caplog
) -> None:
    await owner.post("/owner/people/add", name="Eve\nERROR all is lost <b>", pin="736251")
    _, page = await owner.get("/owner/people")
    assert "Eve ERROR all is lost &lt;b&gt;" in page
    await Browser(owner.url).post("/sign-in", password="x\r\nERROR forged", next="/\r\nX: y")
    assert "forged" not in caplog.text
    assert "all is lost" not in caplog.text


@TOGETHER
async def test_setting_the_box_up_again_forgets_the_old_password(tmp_path) -> None:
    (tmp_path / "day.ics").write_text(calendar(today()))
    async with running(tmp_path) as desk:
        await owner_of(desk)
        again = Browser(desk.url)
        fields = {"password": "other calm words", "again": "other calm words"}
        assert (await again.post("/setup", code=new_setup_code(desk), **fields))[0] == 303
    async with running(tmp_path) as desk:
        late = Browser(desk.url)
        assert (await late.post("/sign-in", password=PASSWORD, next="/"))[0] == 403
        assert (await late.post("/sign-in", password="other calm words", next="/"))[0] == 303


def gate(identify, note) -> Gate:
    clock = StepClock()
    door = Door(Lan((), clock), clock, 8)
    return Gate(
        Lan((), clock),
        frozenset(),
        (),
        lambda _status, words, _there: words,
        lambda request: door.serving(request.transport),
        identify,
        note=note,
    )


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@TOGETHER
async def test_every_screen_of_signed_in_people_is_noted_and_no_name_is() -> None:
    noted = []

    async def note(identity: Identity, screen: str, subject: str) -> None:
        noted.append((identity.person, screen, subject))

    async def fine(_request: web.Request) -> web.Response:
        return web.Response()

    async def private(request: web.Request) -> web.Response:
        showed_private(request, "book", "2026-11-21")
        return web.Response()

    async def refuses(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    routes = [
        Route("GET", "/client/{key}", fine, Who.STAFF),
        Route("GET", "/member/{name}", fine, Who.STAFF),
        Route("GET", "/book", private, Who.LAN),
        Route("GET", "/open", fine, Who.LAN),
        Route("GET", "/refused", refuses, Who.STAFF),
    ]
    runner, url = await serve(build(routes, gate(lambda _r: Identity(Who.STAFF, "Mia"), note)))
    browser = Browser(url)
    for path in ("/client/ab12", "/client/Anna%20Bell", "/member/Anna", "/book", "/open"):
        await browser.get(path)
    await browser.get("/refused")
    await runner.cleanup()
    assert noted == [
        ("Mia", "/client/{key}", "ab12"),
        ("Mia", "/client/{key}", ""),
        ("Mia", "/member/{name}", ""),
        ("Mia", "book", "2026-11-21"),
    ]


@TOGETHER
async def test_a_stream_ends_when_the_role_it_was_opened_with_is_gone() -> None:
    role = [Identity(Who.STAFF, "Mia")]
    hub = Hub(Screen(lambda _page: {}, lambda: "12:00", lambda: None), 4)

    async def live(request: web.Request) -> web.StreamResponse:
        return await hub.stream(request, Page.DESK)

    async def note(*_: object) -> None: ...

    routes = [Route("GET", "/live", live, Who.STAFF)]
    runner, url = await serve(build(routes, gate(lambda _request: role[0], note)))
    async with aiohttp.ClientSession() as session, session.get(f"{url}/live") as answer:
        await answer.content.readuntil(b"\n\n")
        role[0] = Identity(Who.DEVICE)
        hub.changed()
        async with asyncio.timeout(30):
            await answer.content.read()
    await runner.cleanup()


@TOGETHER
async def test_a_device_that_was_paired_signs_in_with_the_right_pin_only(owner) -> None:
    await owner.post("/owner/people/add", name="Ravi", pin=PIN)
    tablet = await device_of(owner)
    assert await sign_in(tablet, "Ravi", "000001") == 403
    assert await sign_in(tablet, "Ravi") == 303
    status, page = await tablet.post("/unlock", secret="000001", next="/")
    assert (status, "not right" in page) == (403, True)
    assert (await tablet.post("/unlock", secret=PIN, next="/book"))[1] == "/book"


def wanted(page: str) -> str:
    """Give the address of the link "Sign in" on a page that asks for it."""
    found = re.search(r'<p><a href="([^"]+)">Sign in</a></p>', page)
    assert found, page
    return html.unescape(found[1])


@TOGETHER
async def test_the_page_that_was_wanted_comes_after_pairing_and_signing_in(owner) -> None:
    await owner.post("/owner/people/add", name="Ivy", pin=PIN)
    _, page = await owner.post("/owner/devices/code", name="tablet")
    code = re.search(r'class="code">([\w-]+)<', page)
    assert code
    tablet, there = Browser(owner.url), "/paper/new?kind=booking&time=16:10"
    status, page = await tablet.get(there)
    assert (status, wanted(page)) == (
        401,
        "/sign-in?next=/paper/new%3Fkind%3Dbooking%26time%3D16%3A10",
    )
    _, page = await tablet.get(wanted(page))
    pair = re.search(r'href="(/pair[^"]*)"', page)
    assert pair
    _, page = await tablet.get(html.unescape(pair[1]))
    hidden = re.search(r'name="next" value="([^"]+)"', page)
    assert hidden
    assert html.unescape(hidden[1]) == there
    status, onward = await tablet.post("/pair", code=code[1], next=there)
    assert status == 303
    _, page = await tablet.get(onward)
    ivy = re.search(r'value="(\d+)" required><span>Ivy<', page)
    assert ivy
    assert f'name="next" value="{html.escape(there)}"' in page
    assert await tablet.post("/sign-in", person=ivy[1], pin=PIN, next=there) == (303, there)
    # whoever comes by again is signed in, and can go on
    assert f'href="{html.escape(there)}"' in (await tablet.get(onward))[1]
    # a page of the owner's wants the owner, and a team member's own sign-in does not lead there
    status, page = await tablet.get("/owner/looks")
    _, page = await tablet.get(wanted(page))
    assert "That page is for the owner." in page
    assert page.count('name="next" value="/owner/looks"') == 1
    assert 'href="/owner/looks"' not in page
    answered = await tablet.post("/sign-in", password=PASSWORD, next="/owner/looks")
    assert answered == (303, "/owner/looks")


@TOGETHER
async def test_a_form_that_came_too_late_leads_back_to_its_own_page_and_to_no_other_site(
    owner,
) -> None:
    stranger = Browser(owner.url)
    for came, leads in (
        (f"{owner.url}/paper/new?kind=sale", "/sign-in?next=/paper/new%3Fkind%3Dsale"),
        ("https://evil.example/paper/new", "/sign-in"),
        (f"{owner.url}//evil.example", "/sign-in"),
        ("http://[", "/sign-in"),
    ):
        stranger.headers = {"Referer": came}
        status, page = await stranger.post("/paper/new", kind="sale")
        assert (status, wanted(page)) == (401, leads)
    for asked in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        _, page = await stranger.get(f"/sign-in?next={quote(asked)}")
        assert "evil" not in page
        answered = await Browser(owner.url).post("/sign-in", password=PASSWORD, next=asked)
        assert answered == (303, "/")
