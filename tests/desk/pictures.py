"""Pictures of every page at every size, for a person to look at.

`python -m tests.desk.pictures FOLDER` takes screens of a phone, a tablet and a wall display, light
and dark, in an outage; some after it; and what a printer would get on A4 and Letter.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page

from edge_watchdog.core.view import Standing
from edge_watchdog.desk.access import Who
from tests.chromium import CHROMIUM, started
from tests.desk.whole import WRITTEN, Whole, whole_desk

SIZES = {
    "phone": (360, 740, "light"),
    "phone dark": (360, 740, "dark"),
    "tablet": (820, 1180, "light"),
    "tablet dark": (820, 1180, "dark"),
    "wall": (1920, 1080, "light"),
    "wall dark": (1920, 1080, "dark"),
}
OPEN = (
    *("/", "/book", "/book?by=time", "/book?by=room", "/book?by=classes", "/book?q=anna"),
    *("/next", "/prices", "/contacts", "/pack/today", "/owner", "/sign-in", "/pair", "/trust"),
    *("/setup", "/nowhere", "/paper"),
)
STAFF = (
    *("/book", "/next", "/client/c-anna", "/sign-in", "/paper", "/reconcile", "/close"),
    *(
        f"/paper/new?kind={kind}"
        for kind in (
            *("booking", "reschedule", "cancel", "check-in", "no-show"),
            *("sale", "payment", "note", "task"),
        )
    ),
)
OWNER = ("/owner", "/owner/people", "/owner/looks")
KIOSK = ("/?kiosk=1", "/next?kiosk=1")
AFTERWARDS = ("/", "/owner", "/reconcile", "/close", *KIOSK)
PRINTED = (
    *("/", "/book", "/book?by=time", "/book?by=classes", "/pack/today", "/prices", "/contacts"),
    *("/client/c-anna", "/paper", "/paper/new?kind=sale", "/reconcile", "/close", "/trust"),
)


def named(path: str) -> str:
    return path.strip("/").translate(str.maketrans("/?=&", "----")) or "desk"


async def context_of(
    browser: Browser, whole: Whole, role: Who, scheme: str, **more: object
) -> BrowserContext:
    """Open a browser of *role*."""
    made = await browser.new_context(ignore_https_errors=True, **more)  # type: ignore[arg-type]
    await made.add_cookies(await whole.cookies(role, scheme))  # type: ignore[arg-type]
    return made


async def take(page: Page, whole: Whole, scheme: str, paths: tuple[str, ...], into: Path) -> None:
    for path in paths:
        await page.goto(whole.urls[scheme] + path)
        await page.wait_for_timeout(150)
        await page.screenshot(path=into / f"{named(path)}.png", full_page=True)


async def printed(page: Page, whole: Whole, into: Path) -> None:
    await page.emulate_media(media="print")
    for path in PRINTED:
        await page.goto(whole.urls["https"] + path)
        for paper in ("A4", "Letter"):
            await page.pdf(path=into / f"{named(path)}-{paper}.pdf", format=paper)


async def main(folder: Path, state: Path) -> None:
    """Take them all: in the outage, and the way back as it stands after a fresh list."""
    async with started(CHROMIUM) as browser, whole_desk(state) as whole:
        whole.clock.step(600)
        whole.show(Standing.OFFLINE)
        await whole.write(*WRITTEN)
        for size, (width, height, theme) in SIZES.items():
            for role, scheme, paths in (
                (Who.LAN, "http", (*OPEN, *(KIOSK if size.startswith("wall") else ()))),
                (Who.STAFF, "https", STAFF),
                (Who.OWNER, "https", OWNER),
            ):
                view = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
                made = await context_of(browser, whole, role, scheme, **view)
                await take(
                    await made.new_page(), whole, scheme, paths, folder / size / role.name.lower()
                )
                await made.close()
        made = await context_of(browser, whole, Who.STAFF, "https")
        page = await made.new_page()
        await printed(page, whole, folder / "print")
        whole.clock.step(60)
        whole.show(Standing.NORMAL)
        whole.hold()
        await page.emulate_media(media="screen")
        await take(page, whole, "https", AFTERWARDS, folder / "afterwards")


def as_pictures(file: Path) -> None:
    """Draw the pages of a PDF."""
    subprocess.run(["pdftoppm", "-png", "-r", "50", file, file.with_suffix("")], check=True)


if __name__ == "__main__":
    there = Path(sys.argv[1])
    (there / "print").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as kept:
        asyncio.run(main(there, Path(kept)))
    for drawn in sorted((there / "print").glob("*.pdf")):
        as_pictures(drawn)
