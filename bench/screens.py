"""The screens of a full studio, and the other halves, as load on a desk half that is measured.

An address and a bridge socket go in, requests come out, for ever.  It runs in a process of its own
so that what it costs is not taken for the page's own time.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil

from edge_watchdog.bridge import BridgeServer
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.view import Standing
from tests.desk.studio import history, view

TABLETS, POLL_S = 50, 15.0
STREAMS = 20
SOCKET = "bridge.sock"
CALENDAR = "year.ics"
CHANGE_S = 4.0


async def load(url: str, folder: Path, events: int) -> None:
    """Be the watch half, fifty tablets and twenty open pages; with *events*, a calendar as well."""
    watch = BridgeServer(
        folder / SOCKET,
        allowed_uids=frozenset({0, psutil.Process().uids().real}),
        on_message=lambda _message: None,
        clock=SystemClock(),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.run())
        group.create_task(_say_something_new(watch))
        for number in range(TABLETS):
            group.create_task(_tablet(url, number))
        for _ in range(STREAMS):
            group.create_task(_stream(url))
        if events:
            group.create_task(_change_calendar(folder / CALENDAR, events))


def write_calendar(path: Path, events: int, turn: int) -> None:
    """Write a calendar of *events* over the year around now, never twice the same."""
    now = int(SystemClock().now().wall)
    first = now - now % 900 - 182 * 86400
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for number in range(events):
        begin = first + number * 365 * 86400 // events
        start, end = (
            datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
            for at in (begin, begin + 2700)
        )
        lines += ["BEGIN:VEVENT", f"UID:{number}@bench", f"DTSTART:{start}", f"DTEND:{end}"]
        lines += [f"SUMMARY:Cut {turn} - Anna B.", "END:VEVENT"]
    fresh = path.with_suffix(".new")
    fresh.write_text("\r\n".join([*lines, "END:VCALENDAR", ""]), encoding="ascii")
    fresh.replace(path)


async def _change_calendar(path: Path, events: int) -> None:
    turn = 0
    while True:
        await asyncio.sleep(CHANGE_S)
        turn += 1
        await asyncio.to_thread(write_calendar, path, events, turn)


async def _tablet(url: str, number: int) -> None:
    await asyncio.sleep(POLL_S * number / TABLETS)
    tag = ""
    async with aiohttp.ClientSession() as session:
        while True:
            known = {"If-None-Match": tag} if tag else {}
            async with session.get(f"{url}/view.json?page=desk", headers=known) as answer:
                await answer.read()
                tag = answer.headers["ETag"]
            await asyncio.sleep(POLL_S)


async def _stream(url: str) -> None:
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"{url}/live?page=desk") as answer,
    ):
        async for _ in answer.content.iter_any():
            pass


async def _say_something_new(watch: BridgeServer) -> None:
    """Show a view that differs from the last one, every second."""
    watch.tell(history(SystemClock().now().wall))
    number = 0
    while True:
        shown = view(Standing.NORMAL, SystemClock().now().wall)
        first = replace(shown.uplinks[0], rtt_s=0.01 + number % 10 / 1000)
        watch.show(replace(shown, uplinks=(first, *shown.uplinks[1:])))
        number += 1
        await asyncio.sleep(1.0)
