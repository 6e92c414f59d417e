"""A box that can be switched off and on: the real desk half, over HTTP and HTTPS, on its ports.

What it kept on its disk is there when it comes back, as after a pulled plug.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from edge_watchdog.bridge import BridgeServer
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.view import Standing
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.books import FullBook
from tests.desk.doors import Browser
from tests.desk.studio import settings, view
from tests.ports import free_ports

UP_S = 30.0


class Box:
    """*url* and *secure_url* are where it answers while it is on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = free_ports(2)
        self._desk: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def secure_url(self) -> str:
        return f"https://127.0.0.1:{self._ports[1]}"

    async def on(self, standing: Standing = Standing.OFFLINE) -> None:
        """Start both halves, and come back when the pages answer with the day in them."""
        doors = [socket.create_server(("127.0.0.1", port), backlog=64) for port in self._ports]
        for door in doors:
            door.setblocking(False)
        source = ScheduleSetting("front desk", 60.0, FullBook(12))
        made = settings(
            self.folder, schedules=(source,), lan_interfaces=("lo",), tls_port=self._ports[1]
        )
        self._desk = asyncio.create_task(serve(made, doors=doors))
        watch = BridgeServer(
            self.folder / "bridge.sock",
            allowed_uids=frozenset({os.getuid()}),
            on_message=lambda _order: None,
            clock=SystemClock(),
        )
        self._watch = asyncio.create_task(watch.run())
        watch.show(view(standing, SystemClock().now().wall))
        async with asyncio.timeout(UP_S):
            while not await self._answers():  # noqa: ASYNC110 - another task's doing
                await asyncio.sleep(0.05)

    async def off(self) -> None:
        """Pull the plug: nothing answers any more."""
        for task in (self._desk, self._watch):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._desk = self._watch = None

    async def _answers(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            _, page = await Browser(self.secure_url, ssl=False).get("/book")
            return "Anna B." in page
        return False


@asynccontextmanager
async def box_in(folder: Path) -> AsyncIterator[Box]:
    """Give a box that is on."""
    box = Box(folder)
    await box.on()
    try:
        yield box
    finally:
        await box.off()
