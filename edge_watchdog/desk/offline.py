"""The service worker: what a browser keeps of the book for when the box is off.

Only low-detail pages, asked for without a cookie, and the files they need.
"""

import hashlib

from aiohttp import web

from edge_watchdog.desk.access import Route, Who
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperkept import FORMS

BOOK = ("/", "/book", "/next", "/prices", "/contacts", "/pack/today", "/pack/next")
KEPT = (*BOOK, *FORMS)
VERSION_CHARS = 12


class Offline:
    """Answers for /sw.js."""

    def __init__(self, pages: Pages) -> None:
        files = sorted(f"/static/{name}" for name in pages.statics)
        version = hashlib.sha256(" ".join(files).encode()).hexdigest()[:VERSION_CHARS]
        self._text = pages.plain("sw.js", version=version, files=files, pages=KEPT)

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return tuple(Route(one, "/sw.js", self.worker, Who.LAN) for one in ("GET", "HEAD"))

    async def worker(self, _request: web.Request) -> web.Response:
        """Give the worker; at the root, so that it may answer for every page."""
        return web.Response(text=self._text, content_type="text/javascript")
