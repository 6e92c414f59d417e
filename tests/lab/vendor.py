"""The web servers of the lab's internet: vendor, status page, connectivity checks, hooks, portal.

In: a Stage, which says how each of them behaves now.  Out: aiohttp applications.  Whatever is asked
is written down on the Stage, for tests to read.
"""

import asyncio
import datetime as dt
import hashlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.lab import feed, status
from tests.lab.netns import boottime_s
from tests.lab.places import PORTAL_PORT, SIGN_IN

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HUGE_BYTES = 5_000_000
SLOW_S = 6.0
LOGIN_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in - BookWell</title></head>
<body><h1>BookWell</h1>
<form method="post" action="/session">
<label>E-mail <input type="email" name="email" autocomplete="username"></label>
<label>Password <input type="password" name="password" autocomplete="current-password"></label>
<button>Sign in</button>
</form></body></html>
"""
PORTAL_PAGE = """<!doctype html>
<html lang="en"><head><title>Guest Wi-Fi</title></head>
<body><h1>Please sign in to use this Wi-Fi</h1><form><button>Accept</button></form></body></html>
"""
HELP_PAGE = """<!doctype html>
<html lang="en"><head><title>Search</title></head>
<body><h1>Did you mean one of these?</h1></body></html>
"""


@dataclass(slots=True)
class Stage:
    """What the servers are told and what they saw."""

    words: frozenset[str] = frozenset()
    since: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    feed_text: str | None = None
    asked: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=20_000))
    sink: list[dict[str, Any]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def of(self, server: str) -> frozenset[str]:
        """Give the words for one server: "app:503" is the word "503" of "app"."""
        pairs = (word.partition(":") for word in self.words)
        return frozenset(word for name, _, word in pairs if name == server)

    async def tell(self, words: frozenset[str]) -> None:
        """Change the behaviour; whoever hangs because of the old one looks again."""
        async with self.changed:
            if words != self.words:
                self.since = dt.datetime.now(dt.UTC)
            self.words = words
            self.changed.notify_all()

    async def hang(self, server: str) -> None:
        """Wait while *server* has the word "hang"."""
        async with self.changed:
            await self.changed.wait_for(lambda: "hang" not in self.of(server))


def application(stage: Stage, name: str, serve: Handler) -> web.Application:
    """Make a server that writes down every request and behaves by the common words."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = {"host": name, "path": request.path_qs, "method": request.method}
        stage.asked.append(asked | {"from": request.remote, "at": boottime_s()})
        await stage.hang(name)
        codes = [int(word) for word in stage.of(name) if word.isdecimal()]
        return (
            web.Response(status=codes[0], text="unavailable") if codes else await handler(request)
        )

    app = web.Application(middlewares=[note], client_max_size=1 << 20)
    app.router.add_route("*", "/{path:.*}", serve)
    return app


def checks(stage: Stage) -> web.Application:
    """Make a connectivity-check server."""

    async def handle(request: web.Request) -> web.Response:
        if request.path in ("/204", "/generate_204"):
            return web.Response(status=204)
        return web.Response(text="<html><body>connectivity check</body></html>")

    return application(stage, "check", handle)


def app(stage: Stage) -> web.Application:
    """Make the vendor's application: sign-in page and calendar feed."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/feed.ics":
            return _feed(stage, request)
        if request.path == "/":
            raise web.HTTPFound("/login")
        if request.path != "/login":
            raise web.HTTPNotFound
        if "slow" in stage.of("app"):
            await asyncio.sleep(SLOW_S)
        return web.Response(text=LOGIN_PAGE, content_type="text/html")

    return application(stage, "app", handle)


def _feed(stage: Stage, request: web.Request) -> web.Response:
    words = stage.of("feed")
    if "html" in words:
        return web.Response(text=LOGIN_PAGE, content_type="text/html")
    if codes := [int(word) for word in words if word.isdecimal()]:
        return web.Response(status=codes[0], text="unavailable")
    text = stage.feed_text if stage.feed_text is not None else feed.of_today()
    if "truncated" in words:
        text = text[: len(text) * 2 // 3]
    if "empty" in words:
        text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//lab//EN\r\nEND:VCALENDAR\r\n"
    return _tagged(request, text.encode(), "text/calendar", {"Cache-Control": "no-cache"})


def status_page(stage: Stage) -> web.Application:
    """Make the vendor's status page."""

    async def handle(request: web.Request) -> web.Response:
        words = stage.of("status")
        if "html" in words:
            return web.Response(text=PORTAL_PAGE, content_type="text/html")
        path = request.path.removeprefix("/api/v2/")
        body = status.part(path, status.summary(words, stage.since))
        if body is None or not request.path.startswith("/api/v2/"):
            return _bare_404()
        text = json.dumps(body)
        if "truncated" in words:
            text = text[: len(text) // 2]
        if "huge" in words:
            text = text[:-1] + ', "padding": "' + "x" * HUGE_BYTES + '"}'
        headers = {
            "Age": "3",
            "Cache-Control": "max-age=10, public, s-maxage=10,"
            " stale-while-revalidate=20, stale-if-error=3600",
            "Vary": "Accept,Accept-Encoding",
        }
        return _tagged(request, text.encode(), "application/json", headers)

    return application(stage, "status", handle)


def _bare_404() -> web.Response:
    missing = web.Response(status=404)
    missing.headers["Content-Type"] = ""
    return missing


def _tagged(
    request: web.Request, body: bytes, content_type: str, headers: dict[str, str]
) -> web.Response:
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag} | headers
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


def hooks(stage: Stage) -> web.Application:
    """Make the sink for webhooks: what is posted is kept and can be read by tests."""

    async def handle(request: web.Request) -> web.Response:
        text = await request.text()
        stage.sink.append(
            {
                "path": request.path_qs,
                "method": request.method,
                "headers": dict(request.headers),
                "text": text,
                "from": request.remote,
                "at": boottime_s(),
            }
        )
        return web.json_response({"ok": True})

    return application(stage, "hooks", handle)


def portal(stage: Stage, address: str) -> web.Application:
    """Make the sign-in page of a Wi-Fi that lets nobody out before; it stands at *address*."""

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/sign-in":
            return web.Response(text=PORTAL_PAGE, content_type="text/html")
        raise web.HTTPFound(f"http://{address}:{PORTAL_PORT}/sign-in")

    return application(stage, "portal", handle)


def sign_in(stage: Stage) -> web.Application:
    """Make the service by which a network says itself whether it wants a sign-in (RFC 8908).

    It wants one, unless the words for "sign-in" say "free".
    """

    async def handle(_request: web.Request) -> web.Response:
        captive = "free" not in stage.of("sign-in")
        said = {"captive": captive, "user-portal-url": f"https://{SIGN_IN}/welcome"}
        return web.json_response(said, content_type="application/captive+json")

    return application(stage, "sign-in", handle)


def search_help(stage: Stage) -> web.Application:
    """Make the page to which a provider sends people who asked for another name."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(text=HELP_PAGE, content_type="text/html")

    return application(stage, "help", handle)
