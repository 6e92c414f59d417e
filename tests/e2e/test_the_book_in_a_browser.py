"""The book in a real browser: without the box, on paper, drawn anew."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Span
from edge_watchdog.desk.access import Identity, Who
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.books import Book, FullBook, full_reading
from tests.desk.pdfs import pages_of
from tests.desk.studio import ZONE, Running, history, running, view

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRINTED = [
    ("/book?by=time", "Lotus Room, Saturday 21 November, by time"),
    ("/book", "Lotus Room, Saturday 21 November, by team member"),
    ("/", "Lotus Room, the desk page"),
]
MIA = Identity(Who.STAFF, "Mia", "desk PC", secure=True)


def full_book(identity: Identity = MIA, count: int = 12) -> Book:
    book = Book(identity)
    span = Span(date(2026, 11, 21), 3, ZONE)
    book.put("front desk", span, full_reading(span, count))
    book.board.hear(view(Standing.OFFLINE))
    book.board.hear(history())
    return book


@pytest.mark.parametrize("paper", ["A4", "Letter"])
async def test_the_pack_prints_a_sheet_to_a_page_with_its_head_and_age(browser, paper) -> None:
    book = full_book(Identity())
    async with book.client() as client:
        page = await browser.new_page()
        await page.goto(str(client.make_url("/pack/today")))
        await page.emulate_media(media="print")
        assert not await page.is_visible("nav")
        style = "getComputedStyle(document.querySelector('.paper thead')).display"
        assert await page.evaluate(style) == "table-header-group"
        sheets = await page.locator(".sheet").count()
        assert sheets == len(book.packs.pack(date(2026, 11, 21)).sheets)
        body = await page.pdf(format=paper)
    pages = pages_of(body)
    assert sheets <= len(pages) <= sheets + 4
    titles = [one.title for one in book.packs.pack(date(2026, 11, 21)).sheets]
    for number, text in enumerate(pages, 1):
        assert "Lotus Room, Saturday 21 November" in text
        assert any(title in text for title in titles)
        assert "front desk, complete. Made Saturday 21 November 2026, 12:00." in text
        assert text.endswith(f"page {number} of {len(pages)}")


@pytest.mark.parametrize("path, title", PRINTED)
async def test_every_page_of_paper_says_what_it_is_and_how_old(browser, path, title) -> None:
    book = full_book(count=60)
    book.clock.step(1200)
    async with book.client() as client:
        page = await browser.new_page()
        await page.goto(str(client.make_url(path)))
        pages = pages_of(await page.pdf(format="Letter"))
    assert len(pages) >= 2
    age = "As of 12:00 (20 min ago), source front desk, complete."
    for number, text in enumerate(pages, 1):
        count = f" page {number} of {len(pages)}"
        assert count in text
        said = f"{title}. {age} Printed Saturday 21 November 12:20."
        assert said in text.replace(count, ""), text


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path) -> AsyncIterator[Running]:
    source = ScheduleSetting("front desk", 60.0, FullBook())
    async with running(tmp_path, lan_interfaces=("lo",), schedules=(source,)) as made:
        made.watch.show(view(Standing.NORMAL))
        yield made


async def opened(browser: Browser, desk: Running, path: str) -> Page:
    page = await browser.new_page()
    await page.goto(desk.url + path)
    for _ in range(600):
        if "Anna B." in await page.content():
            break
        await page.wait_for_timeout(50)
        await page.reload()
    return page


def read(path: Path) -> str:
    return path.read_text("utf-8")


async def until(page: Page, told: str) -> None:
    """Wait until the expression *told* is true; the page's own policy forbids Playwright's way."""
    for _ in range(500):
        if await page.evaluate(told):
            return
        await page.wait_for_timeout(50)
    raise TimeoutError(told)


async def silenced(page: Page, desk: Running) -> None:
    desk.stop()
    await page.wait_for_selector("text=has not heard from the box since", timeout=30_000)


async def test_with_the_box_off_f5_keeps_the_page_and_a_copy_can_be_kept(browser, desk) -> None:
    page = await opened(browser, desk, "/book")
    await page.evaluate("window.kept = true")
    await silenced(page, desk)
    for keys in ("F5", "Control+r"):
        await page.keyboard.press(keys)
        await page.wait_for_timeout(100)
    assert await page.evaluate("window.kept")
    assert await page.is_visible("text=Anna B.")
    async with page.expect_download() as waiting:
        await page.click("#keep")
    copy = read(await (await waiting.value).path())
    assert "Anna B." in copy
    assert re.search(r"A copy of what the page showed at \d\d:\d\d", copy)
    assert not re.findall(r"<script|<link|<form", copy)
    assert "--green" in copy


async def test_a_book_that_changes_is_drawn_anew_without_a_reload(browser) -> None:
    book = full_book()
    async with book.client() as client:
        page = await browser.new_page()
        await page.goto(str(client.make_url("/book")))
        await page.evaluate("window.kept = true")
        await page.locator("details.write summary").nth(0).click()
        await page.locator("details.write a").nth(0).focus()
        await page.wait_for_timeout(300)
        span = Span(date(2026, 11, 21), 3, ZONE)
        book.put("front desk", span, full_reading(span, 4))
        await until(page, "!document.querySelector('#fresh').textContent.includes('Ella')")
        assert await page.evaluate("window.kept")
        assert await page.locator("details.write[open]").count() == 1  # and the focus is in it
        assert await page.evaluate("document.activeElement.textContent") == "Arrived"
