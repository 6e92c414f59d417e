"""The box itself is off: what stands open stays readable, and over HTTPS a reload shows the book.

Chromium trusts the box's own authority, as a device does after the steps of /trust, and nothing
else is eased for it; the page itself registers what keeps the book.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, expect

from edge_watchdog.desk.offline import KEPT as PAGES
from tests.chromium import CHROMIUM, started, trust
from tests.desk.doors import PIN, Browser, device_of, owner_of, sign_in
from tests.desk.studio import ZONE, Running
from tests.desk.switched import Box, box_in

SOON_MS = 30_000
SINCE = re.compile(r"has not heard from the box since \d\d:\d\d\. What stands below is from then\.")
KEPT = """async () => {
  const name = (await caches.keys())[0];
  const cache = name && await caches.open(name);
  const keys = cache ? await cache.keys() : [];
  return Promise.all(keys.map(async (key) => [new URL(key.url).pathname + new URL(key.url).search,
    await (await cache.match(key)).text()]));
}"""
PAPER = ("client", "service", "member", "date", "time", "minutes")


@pytest.fixture
async def box(tmp_path) -> AsyncIterator[Box]:
    async with box_in(tmp_path) as made:
        yield made


@pytest.fixture
async def browser(box, tmp_path) -> AsyncIterator[Chromium]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{box.url}/trust/studio-box.crt") as answer,
    ):
        (tmp_path / "root.crt").write_bytes(await answer.read())
    await asyncio.to_thread(trust, tmp_path, tmp_path / "root.crt")
    async with started(CHROMIUM, env={"HOME": str(tmp_path)}) as made:
        yield made


async def mia_of(box: Box, url: str) -> Browser:
    owner = await owner_of(Running(box.url, 0, box.folder, None), url, ssl=False)  # type: ignore[arg-type]
    assert (await owner.post("/owner/people/add", name="Mia", pin=PIN))[0] == 303
    device = await device_of(owner)
    assert await sign_in(device) == 303
    return device


async def page_of(browser: Chromium, url: str, mia: Browser, path: str) -> Page:
    context = await browser.new_context()
    context.set_default_timeout(SOON_MS)
    jar = [{"name": n, "value": v, "url": url} for n, v in mia.cookies().items()]
    await context.add_cookies(jar)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(url + path)
    return page


async def kept_by(page: Page) -> dict[str, str]:
    """Wait until the browser keeps every page of the book; gives their text by path."""
    for _ in range(300):
        kept: dict[str, str] = dict(await page.evaluate(KEPT))
        if kept.keys() >= set(PAGES):
            return kept
        await page.wait_for_timeout(100)
    raise TimeoutError(kept.keys())


async def says_since_when(page: Page) -> None:
    await expect(page.locator("#box")).to_have_text(SINCE, timeout=SOON_MS)


async def test_over_https_a_reload_shows_the_book_and_since_when_it_is_old(browser, box) -> None:
    mia = await mia_of(box, box.secure_url)
    page = await page_of(browser, box.secure_url, mia, "/book")
    await page.wait_for_selector("a[href*='/client/']")
    kept = await kept_by(page)
    told = "".join(kept.values())
    for private in ("960123", "/client/"):
        assert private not in told
    await box.off()
    await page.reload()
    await says_since_when(page)
    assert await page.is_visible("text=Read-only copy.")
    assert await page.is_visible("text=as of")
    assert await page.is_visible("text=Anna B.")
    for path, text in (("/next", "Read-only copy."), ("/pack/today", "Bookings taken on paper")):
        await page.goto(box.secure_url + path)
        await says_since_when(page)
        assert await page.is_visible(f"text={text}")
    await written_into_kept_forms(page, box.secure_url)
    await box.on()
    said = "What was kept on this tablet is in the journal now."
    await expect(page.locator("#waiting")).to_have_text(said, timeout=SOON_MS)
    await expect(page.locator("#list")).to_contain_text("P-0002", timeout=SOON_MS)
    rows = json.loads((await mia.get("/reconcile.json"))[1])["entries"]
    assert [(one["client"], one["time"]) for one in rows] == [
        ("Anna B.", "15:00"),
        ("Beth C.", "16:00"),
    ]
    await expect(page.locator("#box")).to_be_empty(timeout=SOON_MS)
    await page.goto(f"{box.secure_url}/sign-in")
    await page.click("text=Sign out")
    await page.wait_for_url(f"{box.secure_url}/")
    await page.evaluate("navigator.serviceWorker.controller.postMessage('wipe')")
    for _ in range(300):
        if not await page.evaluate("caches.keys()"):
            return
        await page.wait_for_timeout(100)
    raise TimeoutError


async def written_into_kept_forms(page: Page, url: str) -> None:
    """Write two bookings while the box is off, and come back to the buttons."""
    day = f"{datetime.now(ZoneInfo(ZONE)) + timedelta(days=1):%Y-%m-%d}"
    await page.goto(f"{url}/paper/new?kind=booking")
    await says_since_when(page)
    await expect(page.locator(".away")).to_contain_text("The box is off or cannot be reached")
    for number, (client, time) in enumerate((("Anna Bell", "15:00"), ("Beth Cole", "16:00")), 1):
        for name, value in zip(PAPER, (client, "Cut", "Nia", day, time, "45"), strict=True):
            await page.fill(f"[name={name}]", value)
        await page.click("[value=keep]")
        await expect(page.locator("#waiting")).to_contain_text(f"{number} entr", timeout=SOON_MS)
        await page.reload()  # another form of the same page is another entry
        await says_since_when(page)
    await page.goto(f"{url}/paper/new?kind=check-in")
    assert "Anna B." in await page.inner_text("[name=key]")
    await page.goto(f"{url}/paper/new?kind=payment&parent=1")  # needs the entry that is owed
    await expect(page.locator("[data-kept]")).to_contain_text("kept on this tablet")
    await page.goto(f"{url}/paper")
    await says_since_when(page)


async def test_every_page_that_stands_open_stays_readable_and_says_since_when(browser, box) -> None:
    mia = await mia_of(box, box.url)
    first = await page_of(browser, box.url, mia, "/book")
    pages = {first: "Anna B."}
    for path, text in (("/prices", "Cut and blow-dry"), ("/paper", "Written today")):
        page = await first.context.new_page()
        await page.goto(box.url + path)
        pages[page] = text
    await box.off()
    for page, text in pages.items():
        await says_since_when(page)
        assert await page.is_visible(f"text={text}")
        assert await page.is_visible("text=blank numbered forms of the printed day pack")
    await page.click("a[href='/paper/new?kind=booking']")
    assert page.url == f"{box.url}/paper"  # what stands open is not lost to an error page
    await box.on()
    for page in pages:
        await expect(page.locator("#box")).to_be_empty(timeout=SOON_MS)
