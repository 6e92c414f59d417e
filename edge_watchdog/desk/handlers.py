"""What each address answers."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from aiohttp import web
from yarl import URL

from edge_watchdog import __version__
from edge_watchdog.bridge import Acknowledge, ToWatch
from edge_watchdog.desk.access import Route, Who, identity_of
from edge_watchdog.desk.answers import html
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.day import counts
from edge_watchdog.desk.live import Hub
from edge_watchdog.desk.pages import Page, Pages
from edge_watchdog.desk.phrases import Local

FOREVER = "public, max-age=31536000, immutable"
BODY_S = 10.0
MOST_FIELDS = 8
MOST_DIGITS = 12
PASSED_ON_S = 1.5
BY = "the desk"
NOT_PASSED_ON = (
    "The box could not pass that on just now, so nobody was told. Please try again in a moment."
)


@dataclass(frozen=True, slots=True)
class Handlers:
    """The desk's answers; *send* passes a message to the watch half, False when it cannot."""

    pages: Pages
    board: Board
    hub: Hub
    local: Local
    send: Callable[[ToWatch], bool]
    cache: PageCache

    def routes(self) -> tuple[Route, ...]:
        """Give every route there is, and who may use it."""
        gets = {
            "/": self.desk,
            "/owner": self.owner,
            "/view.json": self.view_json,
            "/health": self.health,
            "/static/{name}": self.static,
        }
        plain = [
            Route(method, path, handler, Who.LAN)
            for path, handler in gets.items()
            for method in ("GET", "HEAD")
        ]
        return (
            *plain,
            Route("GET", "/live", self.live, Who.LAN),
            Route("POST", "/acknowledge", self.acknowledge, Who.LAN),
        )

    async def desk(self, request: web.Request) -> web.Response:
        """Show the desk page."""
        kiosk = request.query.get("kiosk") == "1"
        name = (Page.DESK, kiosk, identity_of(request))
        body = self.cache.get(name, lambda: self.pages.page(Page.DESK, kiosk=kiosk))
        return web.Response(body=body, content_type="text/html", charset="utf-8")

    async def owner(self, _request: web.Request) -> web.Response:
        """Show the owner's page."""
        return html(self.pages.page(Page.OWNER))

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Stream changes."""
        return await self.hub.stream(request, _page(request))

    async def view_json(self, request: web.Request) -> web.Response:
        """Give what the stream would, for pages that cannot keep one; 304 when they have it."""
        payload = self.hub.payload(_page(request))
        known = any(one.value == payload.tag for one in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=payload.body)
        response.etag = payload.tag
        response.content_type, response.charset = "application/json", "utf-8"
        return response

    async def static(self, request: web.Request) -> web.Response:
        """Give a file from memory."""
        found = self.pages.statics.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(
            body=found.body,
            content_type=found.content_type,
            charset="utf-8",
            headers={"Cache-Control": FOREVER},
        )

    async def health(self, _request: web.Request) -> web.Response:
        """Tell machines how the desk half is: 503 when the watch half is not heard."""
        heard = self.board.is_heard
        now = self.board.now()
        sources = [
            {
                "name": state.name,
                "today": day[0],
                "tomorrow": day[1],
                "as_of": state.good.as_of.wall(now) if state.good else None,
                "age_s": state.good.as_of.age_s(now) if state.good else None,
                "problem": state.trouble.words if state.trouble else None,
            }
            for state in self.board.sources.values()
            for day in [counts(state, now, self.local)]
        ]
        body = {
            "watch_heard": heard,
            "standing": str(self.board.view.banner.standing) if self.board.view else None,
            "version": __version__,
            "streams": self.hub.streams,
            "sources": sources,
        }
        return web.json_response(body, status=200 if heard else 503)

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Take a "Got it" and pass it on; asking twice is harmless."""
        incident = await _incident_in(request)
        if self._is_open(incident):
            if not self.send(Acknowledge(incident, BY)):
                return html(self.pages.error(503, NOT_PASSED_ON), status=503)
            await self._wait_until_known(incident)
        raise web.HTTPSeeOther(_back(request))

    def _is_open(self, incident: int) -> bool:
        return any(
            one.id == incident and not one.acknowledged_by for one in self.board.open_incidents()
        )

    async def _wait_until_known(self, incident: int) -> None:
        """Wait a moment for the answer, so that the page that follows shows it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PASSED_ON_S):
                while self._is_open(incident):
                    await self.hub.next_change()


async def _incident_in(request: web.Request) -> int:
    """Read the one field of the form; raises HTTPException for anything else than a plain form."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        form = parse_qs(body.decode("ascii"), max_num_fields=MOST_FIELDS)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except ValueError:
        raise web.HTTPBadRequest from None
    number = form.get("incident", [""])[0]
    if not number.isascii() or not number.isdigit() or len(number) > MOST_DIGITS:
        raise web.HTTPBadRequest
    return int(number)


def _back(request: web.Request) -> str:
    """Give the page of ours that the form stood on."""
    try:
        came = URL(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    if came.path == "/owner":
        return "/owner"
    return "/?kiosk=1" if came.query.get("kiosk") == "1" else "/"


def _page(request: web.Request) -> Page:
    try:
        return Page(request.query.get("page", Page.DESK))
    except ValueError:
        raise web.HTTPBadRequest from None
