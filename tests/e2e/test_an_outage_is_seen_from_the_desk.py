"""One real outage, end to end: the cable is cut in the lab, Chromium runs on the desk PC.

Run it with -s to see how soon the page tells.
"""

import asyncio
import contextlib
import os
import re
import signal
import stat
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from playwright.async_api import Error as Refused

from tests.chromium import started
from tests.e2e.ears import LEFT, listen, note_what_left
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.netns import boottime_s
from tests.lab.places import Place
from tests.patience import air

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = "Amy J."  # comes tomorrow: on the page before and after a midnight
SOME_CLIENTS = ("Alan", "Amy", "Anna")
PRIVATE = ("07700 900", "window chair", "Patch test", "Allergic")
MS = 1000
SHOWN_S = 1.0  # after the decision, on a quiet machine
DECIDED = re.compile(r"^(\S+)Z .*new connections via=LTE stick", re.MULTILINE)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("self", phone=False) as standing:
        yield standing


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[Daemon]:
    quick = '[timing]\nfailback_after = "2s"\n'
    with Daemon(lab, tmp_path / "daemon", extra=quick) as running:
        yield running
        lab.heal_all()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Chromium on the desk PC: in its network, driven over pipes from here."""
    inside = tmp_path_factory.mktemp("chromium") / "chromium"
    namespace = lab.namespace(Place.DESK)
    inside.write_text(f'#!/bin/sh\nexec nsenter --net=/run/netns/{namespace} chromium "$@"\n')
    inside.chmod(inside.stat().st_mode | stat.S_IXUSR)
    async with started(inside) as made:
        yield made


async def open_desk(lab: Lab, browser: Browser, path: str = "/") -> Page:
    page = await browser.new_page()
    end = time.monotonic() + air(20)
    while True:
        with contextlib.suppress(Refused):  # the desk half may still be on its way
            answer = await page.goto(f"http://{lab.box_address}:8080{path}")
            if answer is not None and answer.ok and CLIENT in await page.content():
                return page
        assert time.monotonic() < end, await page.content()
        await asyncio.sleep(0.2)


async def test_the_page_tells_of_the_cut_within_a_second_and_the_day_never_blinks(
    lab: Lab, daemon: Daemon, browser: Browser
) -> None:
    page = await open_desk(lab, browser)
    await expect(page.get_by_role("heading", name="Everything works.")).to_be_visible()
    seen: list[tuple[float, bool]] = []

    async def look() -> None:
        while True:
            text = await page.inner_text("main")
            seen.append((time.time(), "provider of broadband has a fault" in text))
            assert CLIENT in text
            await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    await asyncio.to_thread(lab.inject, "blackhole")
    await expect(page.get_by_text("provider of broadband has a fault")).to_be_visible(
        timeout=25 * MS
    )
    await asyncio.sleep(0.1)
    told = next(at for at, shows in seen if shows)
    decided = await asyncio.to_thread(when_decided, daemon)
    print(f"\nshown {told - decided:.2f} s after the decision")
    assert 0 <= told - decided <= air(SHOWN_S)
    await asyncio.to_thread(lab.heal, "blackhole")
    await expect(page.get_by_role("heading", name="Everything works.")).to_be_visible(
        timeout=60 * MS
    )
    looking.cancel()
    results = await asyncio.gather(looking, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError), results
    assert where_a_client_stands(daemon) == []


def where_a_client_stands(daemon: Daemon, *more: str) -> list[str]:
    """Name every file of the box, logs included, in which a client of the day can be read.

    What the watch half writes and all that both halves log is among them, and *more*; so is the day
    book, which holds the names, sealed.
    """
    files = [one for one in daemon.folder.rglob("*") if one.is_file()]
    wanted = {"daemon.log", "journal.db", "daybook.sqlite", *more}
    assert wanted <= {one.name for one in files}
    return [
        f"{one.name}: {name}"
        for one in files
        for name in (CLIENT, *SOME_CLIENTS, *PRIVATE)
        if name.encode() in one.read_bytes()
    ]


def when_decided(daemon: Daemon) -> float:
    """Give the wall time of the decision, from the log."""
    found = DECIDED.search(daemon.log.read_text())
    assert found is not None
    stamp, _, millis = found[1].partition(".")
    whole = time.mktime(time.strptime(stamp + "UTC", "%Y-%m-%dT%H:%M:%S%Z")) - time.timezone
    return whole + float(f"0.{millis}")


def desk_half(daemon: Daemon) -> int:
    """Give the process that the watch half started."""
    assert daemon.process is not None
    pid = daemon.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


async def test_the_desk_half_is_back_soon_after_a_kill_and_nothing_is_lost(
    lab: Lab, daemon: Daemon, browser: Browser
) -> None:
    page = await open_desk(lab, browser)
    os.kill(desk_half(daemon), signal.SIGKILL)
    killed = boottime_s()
    while True:
        status = await asyncio.to_thread(
            lambda: (
                lab.desk_pc.run(
                    ["curl", "-s", "-m", "1", f"http://{lab.box_address}:8080/"],
                    capture_output=True,
                    check=False,
                ).stdout
            )
        )
        if CLIENT in str(status):
            break
        assert boottime_s() - killed < 30.0  # two seconds when nobody else computes
        await asyncio.sleep(0.05)
    await expect(page.get_by_text(CLIENT).first).to_be_visible()


async def test_a_broken_calendar_leaves_the_day_in_place_and_is_said_without_a_name(
    lab: Lab, daemon: Daemon, browser: Browser
) -> None:
    listen(lab, daemon)
    page = await open_desk(lab, browser)
    lab.inject("feed_broken:html")
    lab.inject("blackhole")  # the change of line has the day fetched anew
    await expect(page.get_by_text("web page instead of a calendar").first).to_be_visible(
        timeout=40 * MS
    )
    assert CLIENT in await page.inner_text("main")
    await asyncio.to_thread(note_what_left, lab, daemon)
    assert where_a_client_stands(daemon, *LEFT) == []
