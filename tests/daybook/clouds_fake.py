"""Contract fakes of vendors' clouds, on loopback.

Written after the published contracts; nobody has compared them with the live services.
"""

import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook import Reading, ScheduleConnector, Span
from edge_watchdog.daybook.mapping import preset
from edge_watchdog.daybook.rest import Keys, RestSource

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
NINE = 1795251600.0  # Saturday 21 November 2026, 09:00 in London
CLOCK = SystemClock()

Answer = Callable[[web.Request], Any]


@dataclass
class Cloud:
    """Answers each path as it was told to, and remembers what it was asked."""

    routes: dict[str, Answer] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if request.method in ("POST", "PUT"):
            is_json = request.content_type == "application/json"
            self.bodies.append(await request.json() if is_json else dict(await request.post()))
        found = self.routes.get(request.path.lstrip("/"))
        if found is None:
            return web.Response(status=404)
        made = found(request)
        return made if isinstance(made, web.StreamResponse) else web.json_response(made)

    def paths(self) -> list[str]:
        return [one.path.lstrip("/") for one in self.asked]


@contextlib.asynccontextmanager
async def cloud(**routes: Answer) -> AsyncIterator[Cloud]:
    made = Cloud({name.replace("__", "/"): one for name, one in routes.items()})
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


def pages_of(items: list[Any], request: web.Request, size: str, first: int = 1) -> list[Any]:
    """Give the page that *request* asks for."""
    most = int(request.query[size])
    number = int(request.query["page"]) - first
    return items[number * most : (number + 1) * most]


async def looked(source: ScheduleConnector, span: Span = SPAN) -> Reading:
    fetched = await source.fetch(span)
    return await source.read(fetched.body or b"", span)


def rest(name: str, at: Cloud, key: str = "", user: str = "", **values: str) -> RestSource:
    return RestSource(preset(name), Keys(values, user, key, base_url=at.url), CLOCK)
