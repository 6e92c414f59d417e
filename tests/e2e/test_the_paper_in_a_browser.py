"""The paper journal in a real browser: with keys alone, without scripts, with the box off."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Page, expect

from edge_watchdog.core.view import Standing
from edge_watchdog.desk.access import Who
from tests.desk.doors import PIN, Browser, device_of, owner_of
from tests.desk.studio import ZONE, Running
from tests.desk.switched import Box, box_in
from tests.desk.whole import WRITTEN, Whole, whole_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_MS = 30_000


@pytest_asyncio.fixture(loop_scope="module")
async def box(tmp_path) -> AsyncIterator[Box]:
    async with box_in(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def whole(tmp_path) -> AsyncIterator[Whole]:
    async with whole_desk(tmp_path, count=4) as made:
        made.clock.step(600)
        made.show(Standing.OFFLINE)
        yield made


async def tablet_of(browser: Chromium, box: Box, **more: object) -> tuple[BrowserContext, Browser]:
    """Give a paired tablet, and the same one as a plain client; Mia is in the team."""
    owner = await owner_of(Running(box.url, 0, box.folder, None), box.secure_url, ssl=False)  # type: ignore[arg-type]
    assert (await owner.post("/owner/people/add", name="Mia", pin=PIN))[0] == 303
    device = await device_of(owner)
    context = await browser.new_context(ignore_https_errors=True, **more)  # type: ignore[arg-type]
    context.set_default_timeout(SOON_MS)
    jar = [{"name": n, "value": v, "url": box.secure_url} for n, v in device.cookies().items()]
    await context.add_cookies(jar)  # type: ignore[arg-type]
    return context, owner


async def signed_in(context: BrowserContext, box: Box, there: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{box.secure_url}/sign-in?next={there}")
    await page.check("[name=person]")
    await page.fill("[name=pin]", PIN)
    await page.press("[name=pin]", "Enter")
    await page.wait_for_url(f"**{there}")
    return page


A_WEEK_AGO = """() => {
  const kept = JSON.parse(localStorage.getItem("paper-waiting"));
  for (const one of kept) one.at -= 7 * 86400e3;
  localStorage.setItem("paper-waiting", JSON.stringify(kept));
}"""


async def written(owner: Browser) -> list[dict[str, str]]:
    """Give what stands in the journal."""
    found: list[dict[str, str]] = json.loads((await owner.get("/reconcile.json"))[1])["entries"]
    return found


def tomorrow() -> str:
    return f"{datetime.now(ZoneInfo(ZONE)) + timedelta(days=1):%Y-%m-%d}"


async def fill(page: Page, client: str, time: str) -> None:
    for name, value in (
        *(("client", client), ("service", "Cut and blow-dry"), ("member", "Nia")),
        *(("date", tomorrow()), ("time", time), ("minutes", "45")),
    ):
        await page.fill(f"[name={name}]", value)


async def tab_to(page: Page, what: str, text: str = "") -> None:
    """Go there with the Tab key alone, and type."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("(what) => document.activeElement.matches(what)", what):
            return await page.keyboard.type(text)
    raise AssertionError(what)


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_booking_and_a_cash_sale_are_written_in_an_outage_with_keys_alone(
    browser, box, scripts
) -> None:
    tablet, owner = await tablet_of(browser, box, java_script_enabled=scripts)
    page = await tablet.new_page()
    await page.goto(f"{box.secure_url}/")
    await expect(page.get_by_role("heading", name="No internet")).to_be_visible()
    await tab_to(page, "a[href='/sign-in']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/sign-in")
    await tab_to(page, "[name=person]", " ")
    await tab_to(page, "[name=pin]", PIN)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/paper")
    await tab_to(page, "[href='/paper/new?kind=booking']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/paper/new?kind=booking")
    for name, text in (("client", "Anna Bell"), ("service", "Cut"), ("member", "Nia")):
        await tab_to(page, f"[name={name}]", text)
    await tab_to(page, "[name=date]", f"{date.fromisoformat(tomorrow()):%m%d%Y}")
    await tab_to(page, "[value=times]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[name=pick]")
    await tab_to(page, "[name=pick][value='15:00']", " ")
    await expect(page.locator("[name=time]")).to_have_value("15:00")
    await tab_to(page, "[value=keep]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Kept as P-0001.")
    await tab_to(page, "[href='/paper/new?kind=sale']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/paper/new?kind=sale")
    await tab_to(page, "[name=item0]", "Shampoo 250 ml")
    await tab_to(page, "[value=keep]")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Kept as P-0002.")
    rows = await written(owner)
    assert [(one["client"], one["time"], one["amount"]) for one in rows] == [
        ("Anna Bell", "15:00", ""),
        ("", "", "12.50"),
    ]


async def test_what_was_kept_while_the_box_was_off_arrives_once_from_two_tabs(browser, box) -> None:
    tablet, owner = await tablet_of(browser, box)
    first = await signed_in(tablet, box, "/paper/new?kind=booking")
    await fill(first, "Anna Bell", "15:00")
    await first.reload()
    await expect(first.locator("[name=client]")).to_have_value("Anna Bell")
    second = await tablet.new_page()
    await second.goto(f"{box.secure_url}/paper/new?kind=booking")
    await expect(second.locator("[name=client]")).to_have_value("")
    await box.off()
    await first.click("[value=times]")
    await first.wait_for_selector("text=free times cannot be shown")
    await first.click("[value=keep]")
    await first.wait_for_selector("text=1 entry is kept on this tablet only.")
    await expect(first.locator("[name=client]")).to_have_value("")
    await fill(second, "Beth Cole", "16:00")
    await second.click("[value=keep]")
    await second.wait_for_selector("text=2 entries are kept on this tablet only.")
    await first.evaluate(A_WEEK_AGO)  # however long the box is away, nothing is forgotten
    await box.on()
    third = await tablet.new_page()
    await third.goto(f"{box.secure_url}/paper")
    for page in (first, second):
        await expect(page.locator("#waiting")).not_to_contain_text("tablet only", timeout=SOON_MS)
    rows = await written(owner)
    assert sorted((one["client"].split()[0], one["time"]) for one in rows) == [
        ("Anna", "15:00"),  # since the box was off, the owner's PIN is wanted for whole names
        ("Beth", "16:00"),
    ]
    assert await first.evaluate("localStorage.length") == 0
    await third.reload()
    assert await third.locator("text=/Written .* on a tablet, and handed over/").count() == 2


async def test_an_entry_that_is_refused_later_stays_until_somebody_decides(browser, box) -> None:
    tablet, owner = await tablet_of(browser, box)
    page = await signed_in(tablet, box, "/paper/new?kind=booking")
    taken = await tablet.new_page()
    await taken.goto(f"{box.secure_url}/paper/new?kind=booking")
    await fill(taken, "Carol Dean", "15:00")
    await taken.click("[value=keep]")
    await taken.wait_for_selector("text=Kept as P-0001.")
    await taken.close()
    await box.off()
    await fill(page, "Anna Bell", "15:15")
    await page.click("[value=keep]")
    await page.wait_for_selector("text=1 entry is kept on this tablet only.")
    await box.on()
    await page.wait_for_selector("text=Could not be kept as it stands: booking Anna Bell at 15:15.")
    await page.goto(f"{box.secure_url}/book")
    await page.wait_for_selector("text=Open Paper to hand it over.")
    await page.click("nav >> text=Paper")
    await page.click("text=Look at it")
    await page.wait_for_selector("text=That time is taken")
    await page.fill("[name=time]", "16:00")
    await page.click("[value=keep]")
    await page.wait_for_selector("text=Kept as P-0002.")
    assert await page.evaluate("localStorage.length") == 0
    assert [one["time"] for one in await written(owner)] == ["15:00", "16:00"]


async def test_who_was_signed_out_meanwhile_loses_no_word(browser, box) -> None:
    tablet, _ = await tablet_of(browser, box)
    page = await signed_in(tablet, box, "/paper/new?kind=booking")
    await fill(page, "Anna Bell", "15:00")
    other = await tablet.new_page()
    await other.goto(f"{box.secure_url}/sign-in")
    await other.click("text=Sign out")
    await other.wait_for_url(f"{box.secure_url}/")
    await page.click("[value=keep]")
    await page.wait_for_selector("text=what you typed stays here")
    await page.click("#waiting >> text=Sign in")
    await page.check("[name=person]")
    await page.fill("[name=pin]", PIN)
    await page.press("[name=pin]", "Enter")
    await expect(page.locator("[name=client]")).to_have_value("Anna Bell")
    await page.click("[value=keep]")
    await page.wait_for_selector("text=Kept as P-0001.")


async def page_of(browser: Chromium, whole: Whole, path: str, scheme: str = "https") -> Page:
    context = await browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(SOON_MS)
    allowed = ["clipboard-read", "clipboard-write"] if scheme == "https" else []
    await context.grant_permissions(allowed)
    await context.add_cookies(await whole.cookies(Who.STAFF, scheme))  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(whole.urls[scheme] + path)
    return page


async def test_each_field_is_copied_for_the_vendors_form_and_ticked_off(browser, whole) -> None:
    await whole.write(*WRITTEN[:1])
    page = await page_of(browser, whole, "/reconcile")
    for label, value in (("Client", "Anna Bell"), ("Telephone", "01632 960123"), ("Time", "16:10")):
        button = page.get_by_role("button", name=f"Copy {label}")
        await button.click()
        await expect(page.get_by_role("button", name=f"Copied {label}")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == value
    await page.fill(".step [name=reason]", "B-77")
    await page.get_by_role("button", name="Entered").click()
    await page.wait_for_selector("text=Not entered after all")


async def test_a_day_is_closed_only_when_each_missed_payment_has_an_answer(browser, whole) -> None:
    await whole.write(WRITTEN[3])
    page = await page_of(browser, whole, "/close")
    await page.wait_for_selector("text=the day cannot be closed")
    assert await page.get_by_role("button", name="Close the day").count() == 0
    await page.click("text=Collected or promised")
    await expect(page.locator("[name=amount]")).to_have_value("70.00")
    await page.click("[value=keep]")
    await page.wait_for_selector("text=Kept as P-0002.")
    await page.click("text=Close the day")
    await page.get_by_role("button", name="Close the day").click()
    found = await page.wait_for_selector("text=The day was closed at")
    assert found is not None
    assert re.search(r"closed at 12:10 by Mia", await page.inner_text("main"))
