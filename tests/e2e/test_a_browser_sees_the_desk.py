"""The desk page in a real browser: live, without JavaScript, without the box, on paper."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from edge_watchdog.bridge import Acknowledge
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.view import Standing
from tests.desk.studio import Running, calendar, history, running, today, view

pytestmark = pytest.mark.asyncio(loop_scope="module")

AA = 4.5
SOON_MS = 10_000

CONTRAST = """(least) => {
  const parse = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (byte) => { const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const lum = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const c = parse(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.closest("svg, script, noscript")) continue;
    if (!node.getClientRects().length) continue;
    const a = lum(parse(getComputedStyle(node).color)), b = lum(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) bad.push([ratio.toFixed(2), walker.currentNode.textContent.trim()]);
  }
  return bad;
}"""

SMALL = """() => [...document.querySelectorAll("button, nav a, summary")]
  .filter((one) => one.getClientRects().length)
  .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 44 || box.width < 44)
  .map(([text]) => text)"""


@asynccontextmanager
async def desk_half(folder: Path) -> AsyncIterator[Running]:
    (folder / "day.ics").write_text(calendar(today()))
    async with running(folder, lan_interfaces=("lo",)) as made:
        made.watch.tell(history(SystemClock().now().wall))
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory) -> AsyncIterator[Running]:
    async with desk_half(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def desk(shared: Running) -> Running:
    """The desk half of all tests that leave it alive, in calm again."""
    shared.orders.clear()
    stand(shared, Standing.NORMAL)
    await ready(shared)
    return shared


@pytest_asyncio.fixture(loop_scope="module")
async def mortal(tmp_path) -> AsyncIterator[Running]:
    """A desk half for one test, to be stopped or given another day."""
    async with desk_half(tmp_path) as made:
        stand(made, Standing.NORMAL)
        await ready(made)
        yield made


async def ready(desk: Running) -> None:
    """Wait until the desk half has heard of the studio and of the day."""
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            async with session.get(desk.url) as answer:
                page = await answer.text()
            if "Anna B." in page and "Everything works." in page:
                return
            await asyncio.sleep(0.05)
    raise TimeoutError


def stand(desk: Running, standing: Standing, **changes: object) -> None:
    desk.watch.show(view(standing, SystemClock().now().wall, **changes))


async def opened(browser: Browser, desk: Running, path: str = "/", **options: object) -> Page:
    """Open a page, and have every complaint of the browser collected in page.complaints."""
    page = await browser.new_page(**options)  # type: ignore[arg-type]
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.complaints = complaints  # type: ignore[attr-defined]
    await page.goto(desk.url + path)
    await page.wait_for_selector("text=Everything works.")
    await page.wait_for_selector("text=Anna B.")
    return page


def complaints(page: Page) -> list[str]:
    found: list[str] = page.complaints  # type: ignore[attr-defined]
    return found


async def shown(page: Page, text: str, timeout_ms: float = SOON_MS) -> None:
    await page.wait_for_selector(f"text={text}", timeout=timeout_ms)


async def test_a_change_is_on_the_page_within_a_breath_without_a_reload(browser, desk) -> None:
    page = await opened(browser, desk)
    await page.evaluate("window.kept = true")
    stand(desk, Standing.OFFLINE)
    await shown(page, "The network cable of broadband is out.")
    assert await page.evaluate("window.kept")
    assert (await page.title()).startswith("No internet")
    assert complaints(page) == []


async def test_got_it_reaches_the_watch_half_and_shows(browser, desk) -> None:
    page = await opened(browser, desk)
    stand(desk, Standing.VENDOR)
    await shown(page, "Got it")

    async def answer() -> None:
        while Acknowledge(7, "the desk") not in desk.orders:  # noqa: ASYNC110 - a browser's doing
            await asyncio.sleep(0.02)
        now = SystemClock().now().wall
        said = view(Standing.VENDOR, now)
        seen = dataclasses.replace(said.incidents[0], acknowledged_by="the desk")
        stand(desk, Standing.VENDOR, incidents=(seen,))

    waiting = asyncio.create_task(answer())
    await page.click("text=Got it")
    await shown(page, "The desk has seen this.")
    await waiting
    assert await page.locator("text=Got it").count() == 0


async def test_everything_works_without_javascript(browser, desk) -> None:
    page = await opened(browser, desk, java_script_enabled=False)
    assert 'http-equiv="refresh"' in await page.content()
    stand(desk, Standing.OFFLINE)
    await asyncio.sleep(0.3)
    await page.reload()
    await shown(page, "The network cable of broadband is out.")
    await page.click("text=Got it")
    await shown(page, "The network cable of broadband is out.")
    assert Acknowledge(7, "the desk") in desk.orders


async def test_a_page_whose_box_is_gone_says_so_soon_and_keeps_the_day(browser, mortal) -> None:
    page = await opened(browser, mortal)
    mortal.stop()
    await shown(page, "has not heard from the box since")
    assert await page.is_visible("text=Anna B.")
    assert re.search(r"since \d\d:\d\d\.", await page.inner_text("#box"))


async def test_a_page_says_that_the_box_is_not_heard_when_only_silence_comes(browser, desk) -> None:
    page = await browser.new_page()
    await page.clock.install()
    for silent in ("**/live*", "**/view.json*"):  # nothing arrives, and nothing is refused either
        await page.route(silent, lambda _route: None)
    await page.goto(desk.url)
    await shown(page, "Anna B.")
    await page.clock.run_for(10_000)
    assert await page.inner_text("#box") == ""
    await page.clock.run_for(20_000)
    await shown(page, "has not heard from the box since")


async def test_the_page_comes_back_by_itself(browser, desk) -> None:
    page = await opened(browser, desk)
    blocked = True

    async def gate(route: Route) -> None:
        await (route.abort() if blocked else route.continue_())

    await page.route("**/view.json*", gate)
    await page.route("**/live*", gate)
    await page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    await shown(page, "has not heard from the box since", 20_000)
    blocked = False
    await expect(page.locator("#box")).to_be_empty(timeout=30_000)


async def test_where_streams_are_refused_the_page_asks_every_quarter_minute(browser, desk) -> None:
    page = await browser.new_page()
    await page.route("**/live*", lambda route: route.fulfill(status=503, body="full"))
    await page.goto(desk.url)
    stand(desk, Standing.BACKUP)
    await shown(page, "The internet provider of broadband has a fault.", 17_000)
    assert await page.inner_text("#box") == ""


async def test_a_page_that_asks_is_not_sent_again_what_it_shows(browser, desk) -> None:
    page = await browser.new_page()
    await page.clock.install()
    await page.route("**/live*", lambda route: route.fulfill(status=503, body="full"))
    async with page.expect_response("**/view.json*") as answer:
        await page.goto(desk.url)
    statuses = [(await answer.value).status]
    while statuses[-1] != 304 and len(statuses) < 5:  # a new minute is news
        async with page.expect_response("**/view.json*") as answer:
            await page.clock.run_for(16_000)
        statuses.append((await answer.value).status)
    assert (statuses[0], statuses[-1]) == (200, 304)
    stand(desk, Standing.BACKUP)
    async with page.expect_response("**/view.json*"):
        await page.clock.run_for(16_000)
    await shown(page, "The internet provider of broadband has a fault.", 10_000)
    assert await page.inner_text("#box") == ""


async def test_a_silent_watch_half_is_said_and_the_day_stays(browser, mortal) -> None:
    page = await opened(browser, mortal)
    mortal.stop_watch()
    await shown(page, "the box cannot say whether the internet works")
    assert await page.is_visible("text=Anna B.")


async def test_hostile_text_that_arrives_live_stays_text(browser, desk) -> None:
    page = await opened(browser, desk)
    bad = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    stand(
        desk,
        Standing.NORMAL,
        banner=view(Standing.NORMAL).banner.__class__(
            Standing.LIMITED, bad, bad, bad, bad, (bad,), bad
        ),
    )
    await page.wait_for_selector(".status.limited")
    await asyncio.sleep(0.2)
    assert await page.title() != "owned"
    assert await page.locator("main img, main script").count() == 0
    assert await page.inner_text("h1") == bad


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_and_targets_can_be_hit(browser, desk, scheme) -> None:
    page = await browser.new_page(color_scheme=scheme, viewport={"width": 1366, "height": 768})
    for standing in Standing:
        stand(desk, standing)
        await asyncio.sleep(0.1)
        for path in ("/", "/owner", "/?kiosk=1"):
            await page.goto(desk.url + path)
            assert await page.evaluate(CONTRAST, AA) == [], (standing, path)
            assert await page.evaluate(SMALL) == [], (standing, path)


@pytest.mark.parametrize("path", ["/", "/owner", "/?kiosk=1"])
async def test_nothing_runs_over_the_edge(browser, desk, path) -> None:
    stand(desk, Standing.OFFLINE)
    page = await browser.new_page()
    for width in (320, 360, 768, 1366, 1920):
        await page.set_viewport_size({"width": width, "height": 740})
        await page.goto(desk.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, width


async def test_a_wall_display_has_large_type(browser, desk) -> None:
    page = await browser.new_page(viewport={"width": 1920, "height": 1080})
    await page.goto(f"{desk.url}/?kiosk=1")
    size = await page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)"
    )
    assert size >= 48


@pytest.mark.parametrize("paper", ["A4", "Letter"])
async def test_the_day_prints_with_its_age_and_a_head_on_each_page(browser, mortal, paper) -> None:
    mortal.write_day(calendar(today(), rows=15))
    page = await opened(browser, mortal)
    await page.emulate_media(media="print")
    assert await page.is_visible("text=Read-only copy.")
    assert await page.locator("p.asof >> visible=true").count() == 1
    assert not await page.is_visible("nav")
    assert (
        await page.evaluate("getComputedStyle(document.querySelector('.member thead')).display")
        == "table-header-group"
    )
    assert await page.evaluate(CONTRAST, AA) == []
    body = await page.pdf(format=paper)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", body)) <= 5


NAVIGATION = ("Skip to the page", "Desk", "Book", "Paper", "Owner", "Staff")


async def test_the_pages_can_be_used_by_keyboard_alone(browser, desk) -> None:
    stand(desk, Standing.OFFLINE)
    await asyncio.sleep(0.2)
    page = await browser.new_page()
    await page.goto(desk.url)
    reached = []
    for _ in range(7):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    assert reached == [*NAVIGATION, "Got it"]


async def test_focus_and_open_details_survive_a_change(browser, desk) -> None:
    page = await opened(browser, desk)
    stand(desk, Standing.OFFLINE)
    await page.wait_for_selector("#got-it")
    await page.focus("#got-it")
    stand(desk, Standing.VENDOR)
    await shown(page, "It is not us.")
    assert await page.evaluate("document.activeElement.id") == "got-it"
    await page.goto(f"{desk.url}/owner")
    await page.click("text=Show as table")
    stand(desk, Standing.BACKUP)
    await shown(page, "The internet provider of broadband has a fault.")
    assert await page.is_visible("#chart-table table")


async def test_a_reload_is_questioned_only_while_the_box_is_silent(browser, mortal) -> None:
    page = await opened(browser, mortal)
    check = "!window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert await page.evaluate(check) is False
    mortal.stop()
    await shown(page, "has not heard from the box since")
    assert await page.evaluate(check) is True


async def test_the_page_may_be_framed_only_where_that_is_allowed(browser, desk) -> None:
    page = await browser.new_page()
    await page.route(
        "http://frame.example/",
        lambda route: route.fulfill(
            body=f'<iframe src="{desk.url}"></iframe>', content_type="text/html"
        ),
    )
    await page.goto("http://frame.example/")
    await asyncio.sleep(0.5)
    framed = [await one.content() for one in page.frames[1:]]
    assert len(framed) == 1
    assert "Everything works." not in framed[0]
