"""The control page of the demo: faults as switches, and what the box did about them.

In: clicks of a browser on the host's loopback, the daemon's log, the state of the box's routes.
Out: one page, one event stream.  Only same-origin requests may change anything.
"""

import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.lab.deeds import Behaviour
from tests.lab.faults import FAULTS, Fault, find
from tests.lab.lab import Lab
from tests.lab.manifest import LabError

PAGE = Path(__file__).parent / "page"
KEPT_LINES = 400
LOOK_EVERY_S = 0.5
TAIL_EVERY_S = 0.1
ROUTES = (
    "echo '# ip rule'; ip rule; echo; echo '# table 7100'; ip route show table 7100 2>/dev/null;"
    " echo; echo '# table main'; ip route show default"
)
LOG_HEAD = re.compile(r"^\S+Z edge_watchdog\.")
BACKUPS = ("lte_", "stick_", "phone_", "hotspot_")
BOOKING = ("app:", "status:", "feed:", "hooks:")


@dataclass(slots=True)
class Panel:
    """What the page shows.  *seen* gives what the mind shows now, or why it cannot be read."""

    lab: Lab
    log: Path
    seen: Callable[[], dict[str, Any]]
    desk_port: int
    lines: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    state: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    async def say(self, who: str, text: str) -> None:
        """Add a line to the log; *who* is "you" or "box"."""
        async with self.news:
            self.count += 1
            self.lines.append({"at": time.strftime("%H:%M:%S"), "who": who, "text": text})
            self.news.notify_all()

    async def follow_log(self) -> None:
        """Pass on what the daemon writes, for ever."""
        at = 0
        while True:
            text = await asyncio.to_thread(_read_from, self.log, at)
            whole = text[: text.rfind(b"\n") + 1]
            at += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                # This page itself asks the daemon for its view, again and again.
                if "client left" not in line:
                    await self.say("box", LOG_HEAD.sub("", line))
            await asyncio.sleep(TAIL_EVERY_S)

    async def follow_state(self) -> None:
        """Look at routes and at the mind, for ever."""
        while True:
            state = await asyncio.to_thread(self._look)
            async with self.news:
                if state != self.state:
                    self.state = state
                    self.news.notify_all()
            await asyncio.sleep(LOOK_EVERY_S)

    def _look(self) -> dict[str, Any]:
        routes = self.lab.box.run(["sh", "-c", ROUTES]).stdout
        return {"present": list(self.lab.present), "routes": routes, "mind": self.seen()}

    async def change(self, name: str, wanted: str) -> None:
        """Inject or heal; raises LabError when it is so already."""
        act = self.lab.inject if wanted == "inject" else self.lab.heal
        await asyncio.to_thread(act, name)
        says = find(name).says if wanted == "inject" else "Everything there is as it was."
        await self.say("you", f"{wanted} {name} - {says}")

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the event stream of one page: kept lines first, then news."""
        sent = self.count - len(self.lines)
        known: dict[str, Any] = {}
        while True:
            fresh = list(self.lines)[-(self.count - sent) :] if self.count > sent else []
            sent = self.count
            for line in fresh:
                yield _event("line", line)
            if self.state != known:
                known = self.state
                yield _event("state", known)
            async with self.news:
                await self.news.wait_for(lambda: self.count != sent or self.state != known)  # noqa: B023


def _read_from(path: Path, at: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(at)
            return file.read(1 << 20)
    except FileNotFoundError:
        return b""


def _event(kind: str, value: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()


def application(panel: Panel, hosts: frozenset[str]) -> web.Application:
    """Make the control page; *hosts* are the Host headers it may be asked by."""

    @web.middleware
    async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
        is_own = request.headers.get("Origin", f"http://{request.host}") == f"http://{request.host}"
        if request.host not in hosts or not is_own:
            raise web.HTTPForbidden(text="This page is for this machine only.")
        response: web.StreamResponse = await handler(request)
        return response

    async def index(_request: web.Request) -> web.Response:
        text = (PAGE / "index.html").read_text()
        facts = {"faults": [_row(fault) for fault in FAULTS], "deskPort": panel.desk_port}
        return web.Response(
            text=text.replace("{{facts}}", json.dumps(facts)), content_type="text/html"
        )

    async def change(request: web.Request) -> web.Response:
        try:
            await panel.change(request.match_info["name"], request.match_info["wanted"])
        except LabError as error:
            return web.Response(status=409, text=str(error))
        return web.Response(status=204)

    async def events(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):  # the browser left
            async for piece in panel.stream():
                await response.write(piece)
        return response

    app = web.Application(middlewares=[guard])
    app.router.add_get("/", index)
    app.router.add_get("/events", events)
    app.router.add_post("/faults/{name}/{wanted:inject|heal}", change)
    app.router.add_static("/page", PAGE)
    return app


def _row(fault: Fault) -> dict[str, str]:
    group = "The line"
    first = fault.deeds[0]
    if fault.name.startswith(BACKUPS):
        group = "The backups"
    elif isinstance(first, Behaviour) and first.word.startswith(BOOKING):
        group = "The booking system"
    return {"name": fault.name, "says": fault.says, "group": group}
