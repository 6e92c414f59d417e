"""Every page of the route table in a real browser: no barrier, nothing cut off, nothing too small.

The table below holds every address that answers with a page; a route that is in no table is found.
"""

from collections.abc import AsyncIterator
from importlib import resources

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page

from edge_watchdog.core.view import Standing
from edge_watchdog.desk.access import Who
from edge_watchdog.desk.paperwords import FORM_TITLES
from tests.desk.whole import WRITTEN, Whole, whole_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
WIDTHS = (320, 768, 1920)
IDLE_S = 400.0
LAN = (
    *("/", "/?kiosk=1", "/book", "/book?by=time", "/book?by=classes", "/book?q=nobody"),
    *("/next?kiosk=1", "/prices", "/contacts", "/pack/today", "/owner"),
    "/paper/blank",
    *("/sign-in", "/setup", "/pair", "/trust", "/nowhere"),
)
STAFF = (
    *("/book", "/next", "/client/c-anna", "/sign-in", "/paper", "/reconcile", "/close"),
    *(f"/paper/new?kind={kind}" for kind in FORM_TITLES),
    *("/paper/new?correct=1", "/paper/new?kind=payment&parent=4"),
    *("/book?by=classes", "/paper/new?kind=cancel&key=full-2026-11-21"),
)
OWNER = ("/sign-in", "/owner/people", "/owner/looks")
NO_PAGES = {
    *("/view.json", "/health", "/live", "/book.json", "/book/copy.html", "/book/print"),
    *("/static/{name}", "/sw.js", "/trust/studio-box.crt", "/paper/list"),
    *("/reconcile.csv", "/reconcile.json", "/pack/{day}.pdf", "/pack/{day}.csv", "/pack/{day}.ics"),
}
BARRIERS = """async (rules) => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];
  const options = rules ? { runOnly: rules }
    : { runOnly: { type: "tag", values: tags }, rules: { "target-size": { enabled: true } } };
  const found = await axe.run(document, { ...options, resultTypes: ["violations"] });
  return found.violations
    .map((one) => [one.id, one.nodes.map((node) => node.target.join(" ") + node.failureSummary)]);
}"""
SMALL = """() => {
  const wide = document.documentElement.scrollWidth;
  const over = wide > innerWidth ? [`${wide} wide on ${innerWidth}`] : [];
  const all = "button, nav a, summary, select, textarea, .tools a, .onward a, .write a, .finish a, "
    + "input:not([type=hidden], [type=radio])";
  const shown = [...document.querySelectorAll(all)].filter((one) => one.getClientRects().length);
  return over.concat(shown
    .map((one) => [one.textContent.trim() || one.name, one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 44).map(([text]) => text + " is small"));
}"""


@pytest_asyncio.fixture(loop_scope="module")
async def whole(tmp_path) -> AsyncIterator[Whole]:
    async with whole_desk(tmp_path, count=4) as made:
        made.clock.step(600)
        made.show(Standing.OFFLINE)
        await made.write(*WRITTEN)
        yield made


async def page_of(browser: Browser, whole: Whole, role: Who) -> Page:
    context: BrowserContext = await browser.new_context(ignore_https_errors=True)
    await context.add_cookies(await whole.cookies(role))  # type: ignore[arg-type]
    return await context.new_page()


async def troubles(page: Page) -> list[object]:
    """Give everything that is in somebody's way on this page."""
    await page.evaluate(AXE)
    found: list[object] = await page.evaluate(BARRIERS, None)
    await page.emulate_media(color_scheme="dark")
    found += await page.evaluate(BARRIERS, ["color-contrast"])
    await page.emulate_media(color_scheme="light")
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        found += await page.evaluate(SMALL)
    return found


@pytest.mark.parametrize("role, paths", [(Who.LAN, LAN), (Who.STAFF, STAFF), (Who.OWNER, OWNER)])
async def test_no_page_has_a_barrier_in_either_theme_at_any_size(
    browser, whole, role, paths
) -> None:
    page = await page_of(browser, whole, role)
    for path in paths:
        await page.goto(whole.urls["https"] + path)
        assert await page.locator("h1").count() == 1, path
        assert await troubles(page) == [], path


async def test_the_pages_that_come_later_have_no_barrier_either(browser, whole) -> None:
    """After the outage: conflicts to be solved; after five minutes: a PIN is wanted."""
    page = await page_of(browser, whole, Who.STAFF)
    whole.clock.step(60)
    whole.hold(4)
    for path in ("/reconcile", "/close"):
        await page.goto(whole.urls["https"] + path)
        assert await troubles(page) == [], path
    await page.goto(whole.urls["https"] + "/paper/new?kind=booking")
    await page.fill("[name=client]", "Anna Bell")
    await page.fill("[name=member]", "Mia")
    await page.fill("[name=time]", "16:15")
    await page.click("text=Keep it")
    await page.wait_for_selector("text=That time is taken")
    assert await troubles(page) == []
    await page.goto(whole.urls["https"] + "/paper/new?kind=booking&key=full-2026-11-21")
    await page.fill("[name=client]", "Anna Bell")
    await page.click("text=Keep it")
    await page.wait_for_selector("text=That class is full")
    assert await troubles(page) == []
    whole.clock.step(IDLE_S)
    await page.goto(whole.urls["https"] + "/sign-in")
    await page.wait_for_selector("text=Private details are locked")
    assert await troubles(page) == []


async def test_every_page_of_the_route_table_is_looked_at(whole) -> None:
    looked = {path.partition("?")[0] for path in (*LAN, *STAFF, *OWNER)}
    known = [one for one in whole.rooms.app.router.resources() if isinstance(one, web.Resource)]
    reached = {one.canonical for one in known if any(_leads(one, path) for path in looked)}
    gets = {route.path for route in whole.routes if route.method == "GET"}
    assert gets - reached == NO_PAGES


def _leads(one: web.Resource, path: str) -> bool:
    return one._match(path) is not None
