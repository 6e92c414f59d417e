"""How fast the desk half answers, and what it weighs, with a studio full of screens.

    python -m bench.pages [--seconds 60] [--appointments 200] [--events 5000]

The desk half runs as shipped, in a process of its own, with that many appointments a day and, as a
second source, a year-long calendar file of so many events that changes before every look, so that
it is read whole again and again (0: none).  Fifty
tablets poll as page.js does where it cannot stream, twenty pages stream, and a watch half says
something new every second, so that everything is drawn again each second: all that in another
process.  This one asks for a page and for its floor, turn and turn about; the waits are the table.
The floor is an aiohttp server of the same interpreter that gives as many bytes from memory and has
no other guests: what it takes in the same seconds is the machine's doing, not the page's.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import psutil
from aiohttp import web

from bench.screens import CALENDAR, STREAMS, TABLETS, load, write_calendar
from edge_watchdog.core.units import FilePath
from edge_watchdog.daybook.registry import IcsOptions
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.books import FullBook
from tests.desk.studio import settings

ASK_EVERY_S = 0.02
READY_S = 30.0
SETTLE_S = 2.0
MIB = 1 << 20
PAGES = ("/", "/book", "/book?by=time", "/next", "/view.json?page=desk", "/pack/today")
LIMIT_MS, LIMIT_MIB = 25.0, 90
LONGEST_MS = 100.0
LOOK_S = 10.0
MOST_BYTES = 4 * MIB

Waits = list[float]  # milliseconds


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


async def _floor(fd: int) -> None:
    """Answer /N with N bytes from memory."""
    kept = bytes(MOST_BYTES)

    async def answer(request: web.Request) -> web.Response:
        size = int(request.match_info["size"])
        return web.Response(body=kept[:size], content_type="text/html")

    app = web.Application()
    app.router.add_get("/{size:[0-9]+}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, socket.socket(fileno=fd)).start()
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def _child(
    *arguments: str, fd: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run this file as one of the other processes."""
    more, passed = (("--fd", str(fd)), (fd,)) if fd is not None else ((), ())
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.pages", *arguments, *more), pass_fds=passed
    )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()


@contextlib.asynccontextmanager
async def _server(*arguments: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Run one of the servers; give its address and its process."""
    with _listener() as listener:
        listener.set_inheritable(True)
        port = listener.getsockname()[1]
        async with _child(*arguments, fd=listener.fileno()) as child:
            yield f"http://127.0.0.1:{port}", psutil.Process(child.pid)


async def _ask(session: aiohttp.ClientSession, url: str) -> tuple[float, int]:
    """Give the wait for *url* in milliseconds, and how many bytes came."""
    began = time.perf_counter()
    async with session.get(url) as answer:
        body = await answer.read()
        answer.raise_for_status()
    return (time.perf_counter() - began) * 1000, len(body)


async def _waits(url: str, floor_url: str, seconds: float) -> tuple[Waits, Waits]:
    """Ask for *url* and for as many bytes of the floor, again and again; give every wait."""
    page: Waits = []
    floor: Waits = []
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            wait, size = await _ask(session, url)
            page.append(wait)
            await asyncio.sleep(ASK_EVERY_S)
            floor.append((await _ask(session, f"{floor_url}/{size}"))[0])
            await asyncio.sleep(ASK_EVERY_S)
    return page, floor


async def _ready(url: str, text: str) -> None:
    async with asyncio.timeout(READY_S), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if text in await answer.text():
                        return
            await asyncio.sleep(0.2)


def _row(name: str, page: Sequence[float], floor: Sequence[float]) -> str:
    figures = [f"{one:8.1f}" for waits in (page, floor) for one in (*_cuts(waits), max(waits))]
    return f"{name:21} {len(page):6} {' '.join(figures)}"


def _cuts(waits: Sequence[float]) -> tuple[float, float]:
    cut = statistics.quantiles(waits, n=100)
    return cut[49], cut[98]


async def _measure(seconds: float, appointments: int, events: int) -> int:
    print(
        f"{TABLETS} tablets, {STREAMS} streams; waits in ms, beside the floor's in the same seconds"
    )
    titles = (f"{one:>8}" for one in ("p50", "p99", "max", "floor50", "floor99", "floormax"))
    print(f"{'page':21} {'asked':>6} {' '.join(titles)}")
    with tempfile.TemporaryDirectory() as place:
        if events:
            write_calendar(Path(place) / CALENDAR, events, 0)
        desk = ("--serve", "desk", "--folder", place, "--appointments", str(appointments))
        guests = ("--serve", "load", "--folder", place, "--events", str(events))
        async with (
            _server("--serve", "floor") as (floor_url, _),
            _server(*desk) as (url, process),
        ):
            await _ready(f"{floor_url}/0", "")
            await _ready(url, "Anna B.")
            idle = process.memory_info().rss
            async with _child(*guests, "--url", url):
                await asyncio.sleep(SETTLE_S)
                found = {
                    path: await _waits(url + path, floor_url, seconds / (1 if path == "/" else 4))
                    for path in PAGES
                }
                loaded = process.memory_info().rss
    for path, (page, floor) in found.items():
        print(_row(path, page, floor))
    one, five, _ = os.getloadavg()
    print(f"load average: {one:.1f} over one minute, {five:.1f} over five; {os.cpu_count()} cores")
    print(
        f"RSS of the desk half: {idle / MIB:.0f} MiB with one page, {loaded / MIB:.0f} MiB loaded"
    )
    return _judge({path: page for path, (page, _) in found.items()}, loaded)


def _judge(found: dict[str, Waits], loaded: int) -> int:
    kept = _cuts(found["/"])[1] <= LIMIT_MS and loaded <= LIMIT_MIB * MIB
    print(f"limits: day page p99 {LIMIT_MS} ms, {LIMIT_MIB} MiB: {'kept' if kept else 'NOT kept'}")
    short = max(max(waits) for waits in found.values()) <= LONGEST_MS
    print(f"limit: no page ever above {LONGEST_MS} ms: {'kept' if short else 'NOT kept'}")
    return 0 if kept and short else 1


def main() -> int:
    """Measure, or be one of the other processes."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--appointments", type=int, default=200)
    options.add_argument("--events", type=int, default=5000)
    options.add_argument("--serve", choices=("desk", "floor", "load"), help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--url", help=argparse.SUPPRESS)
    options.add_argument("--fd", type=int, help=argparse.SUPPRESS)
    asked = options.parse_args()
    match asked.serve:
        case "desk":
            asyncio.run(_desk(asked.folder, asked.fd, asked.appointments))
        case "floor":
            asyncio.run(_floor(asked.fd))
        case "load":
            asyncio.run(load(asked.url, asked.folder, asked.events))
        case _:
            return asyncio.run(_measure(asked.seconds, asked.appointments, asked.events))
    return 0


if __name__ == "__main__":
    sys.exit(main())
