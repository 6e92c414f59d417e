"""How fast the desk half answers, and what it weighs, with a studio full of screens.

    python -m bench.pages [--seconds 60] [--appointments 200] [--events 5000]

The desk half runs as shipped, in a process of its own, with that many appointments a day and, as a
second source, a year-long calendar file of so many events that changes before every look, so that
it is read whole again and again (0: none).  Fifty
tablets poll as page.js does where it cannot stream, twenty pages stream, and a watch half says
something new every second, so that everything is drawn again each second.  One more client asks
for pages one after the other; its waits are the table.  The floor is an aiohttp server of the same
interpreter with an empty handler, asked in the same way in the same run, unloaded.
"""

import argparse
import asyncio
import contextlib
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
from aiohttp import web

from edge_watchdog.bridge import BridgeServer
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.units import FilePath
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook.registry import IcsOptions
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.books import FullBook
from tests.desk.studio import history, settings, view

TABLETS, POLL_S = 50, 15.0
STREAMS = 20
ASK_EVERY_S = 0.02
READY_S = 30.0
MIB = 1 << 20
PAGES = ("/", "/book", "/book?by=time", "/next", "/view.json?page=desk", "/pack/today")
LIMIT_MS, LIMIT_MIB = 25.0, 90
LONGEST_MS = 100.0
CALENDAR = "year.ics"
LOOK_S, CHANGE_S = 10.0, 4.0


def _listener() -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    made.listen(128)
    made.setblocking(False)
    return made


async def _desk(folder: Path, fd: int, appointments: int) -> None:
    sources = [ScheduleSetting("front desk", 60.0, FullBook(appointments))]
    if (folder / CALENDAR).exists():
        sources.append(
            ScheduleSetting("year", LOOK_S, IcsOptions(path=FilePath(str(folder / CALENDAR))))
        )
    await serve(settings(folder, schedules=tuple(sources)), doors=[socket.socket(fileno=fd)])


def _write_calendar(path: Path, events: int, turn: int) -> None:
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
        await asyncio.to_thread(_write_calendar, path, events, turn)


async def _floor(fd: int) -> None:
    async def nothing(_request: web.Request) -> web.Response:
        return web.Response(text="")

    app = web.Application()
    app.router.add_get("/", nothing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, socket.socket(fileno=fd)).start()
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def _child(*arguments: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Run this file as one of the servers; give its address and its process."""
    with _listener() as listener:
        listener.set_inheritable(True)
        port, fd = listener.getsockname()[1], listener.fileno()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.pages", *arguments, "--fd", str(fd)), pass_fds=(fd,)
        )
    try:
        yield f"http://127.0.0.1:{port}", psutil.Process(child.pid)
    finally:
        child.terminate()
        await child.wait()


async def _waits(url: str, seconds: float) -> list[float]:
    """Ask for *url* again and again; give every wait in milliseconds."""
    found = []
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            began = time.perf_counter()
            async with session.get(url) as answer:
                await answer.read()
                answer.raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(ASK_EVERY_S)
    return found


async def _tablet(url: str, number: int) -> None:
    await asyncio.sleep(POLL_S * number / TABLETS)
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/view.json?page=desk") as answer:
                await answer.read()
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
    wall = SystemClock().now().wall
    watch.tell(history(wall))
    number = 0
    while True:
        shown = view(Standing.NORMAL, SystemClock().now().wall)
        first = replace(shown.uplinks[0], rtt_s=0.01 + number % 10 / 1000)
        watch.show(replace(shown, uplinks=(first, *shown.uplinks[1:])))
        number += 1
        await asyncio.sleep(1.0)


async def _ready(url: str, text: str) -> None:
    async with asyncio.timeout(READY_S), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if text in await answer.text():
                        return
            await asyncio.sleep(0.2)


def _row(name: str, waits: Sequence[float]) -> str:
    cut = statistics.quantiles(waits, n=100)
    return f"{name:24} {len(waits):6} {cut[49]:9.1f} {cut[98]:9.1f} {max(waits):9.1f}"


async def _measure(seconds: float, appointments: int, events: int) -> int:
    print(f"{'page':24} {'asked':>6} {'p50 ms':>9} {'p99 ms':>9} {'max ms':>9}")
    async with _child("--serve", "floor") as (url, _):
        await _ready(url, "")
        print(_row("floor: empty handler", await _waits(url, seconds / 4)))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if events:
            _write_calendar(folder / CALENDAR, events, 0)
        watch = BridgeServer(
            folder / "bridge.sock",
            allowed_uids=frozenset({0, psutil.Process().uids().real}),
            on_message=lambda _message: None,
            clock=SystemClock(),
        )
        more = ("--folder", place, "--appointments", str(appointments))
        async with _child("--serve", "desk", *more) as (url, process), asyncio.TaskGroup() as group:
            tasks = [group.create_task(watch.run()), group.create_task(_say_something_new(watch))]
            await _ready(url, "Anna B.")
            idle = process.memory_info().rss
            tasks += [group.create_task(_tablet(url, n)) for n in range(TABLETS)]
            tasks += [group.create_task(_stream(url)) for _ in range(STREAMS)]
            if events:
                tasks.append(group.create_task(_change_calendar(folder / CALENDAR, events)))
            await asyncio.sleep(2.0)
            day = await _waits(url, seconds)
            print(_row("/", day))
            longest = max(day)
            for path in PAGES[1:]:
                others = await _waits(url + path, seconds / 4)
                longest = max(longest, *others)
                print(_row(path, others))
            loaded = process.memory_info().rss
            for task in tasks:
                task.cancel()
    print(
        f"RSS of the desk half: {idle / MIB:.0f} MiB with one page, {loaded / MIB:.0f} MiB loaded"
    )
    kept = statistics.quantiles(day, n=100)[98] <= LIMIT_MS and loaded <= LIMIT_MIB * MIB
    print(f"limits: day page p99 {LIMIT_MS} ms, {LIMIT_MIB} MiB: {'kept' if kept else 'NOT kept'}")
    short = longest <= LONGEST_MS
    print(f"limit: no page ever above {LONGEST_MS} ms: {'kept' if short else 'NOT kept'}")
    return 0 if kept and short else 1


def main() -> int:
    """Measure, or be one of the servers."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--appointments", type=int, default=200)
    options.add_argument("--events", type=int, default=5000)
    options.add_argument("--serve", choices=("desk", "floor"), help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.serve == "desk":
        asyncio.run(_desk(asked.folder, asked.fd, asked.appointments))
        return 0
    if asked.serve == "floor":
        asyncio.run(_floor(asked.fd))
        return 0
    return asyncio.run(_measure(asked.seconds, asked.appointments, asked.events))


if __name__ == "__main__":
    sys.exit(main())
