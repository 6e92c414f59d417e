"""The secure pages: whom to trust and how, and a certificate that stays fresh by itself.

Names of the box go in; a context to serve with, and the page /trust, come out.  Whatever fails here
costs the secure pages and nothing else.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable

from aiohttp import web

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError
from edge_watchdog.desk.access import Route, Who
from edge_watchdog.desk.answers import html
from edge_watchdog.desk.badges import is_secure
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.tls import Authority, Names, Root

LOOK_S = 60.0
AGAIN = "a new root was made, which every device must be made to trust (/trust)"

log = logging.getLogger(__name__)


class Secure:
    """Serves HTTPS on *port*, 0 for not at all; *names* gives what the box is called just now."""

    def __init__(
        self,
        authority: Callable[[], Authority],
        names: Callable[[], Names | None],
        clock: Clock,
        pages: Pages,
        *,
        studio: str,
        port: int,
    ) -> None:
        self._authority = authority
        self._names = names
        self._clock = clock
        self._pages = pages
        self._studio = studio
        self.port = port
        self.root: Root | None = None
        self.context: ssl.SSLContext | None = None

    async def keep(self) -> None:
        """Have a certificate that holds, for ever; with another clock or name, another one."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Renew what is due; a box without an address in its LAN waits until it has one."""
        names = self._names()
        if not self.port or names is None:
            return
        try:
            authority = await asyncio.to_thread(self._authority)
            if await asyncio.to_thread(self._renew, authority, names) and self.context:
                authority.show_in(self.context)
        except (OSError, ValueError, DaybookError, ImportError) as error:
            log.error("secure pages: %s", error)  # noqa: TRY400 - one line

    def https_url(self, request: web.Request, path: str = "") -> str:
        """Give the secure address of a page, "" while there is none."""
        if self.root is None or self.context is None:
            return ""
        host = request.url.host or ""
        known = sorted(self._covered(), key=lambda one: not one.endswith(".local"))
        if not known:
            return ""
        return f"https://{host if host in known else known[0]}:{self.port}{path}"

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return (
            Route("GET", "/trust", self.show, Who.LAN),
            Route("GET", "/trust/studio-box.crt", self.download, Who.LAN),
        )

    async def show(self, request: web.Request) -> web.Response:
        """Say how each kind of device is made to trust this box."""
        text = self._pages.draw(
            "trust.html",
            "door",
            live="",
            root=self.root,
            secure=is_secure(request),
            https_url=self.https_url(request, "/sign-in"),
            missing=sorted(self._called() - self._covered()) if self.root else (),
        )
        return html(text)

    async def download(self, _request: web.Request) -> web.Response:
        """Give the root certificate."""
        if self.root is None:
            raise web.HTTPNotFound
        return web.Response(
            body=self.root.der,
            content_type="application/x-x509-ca-cert",
            headers={"Content-Disposition": 'attachment; filename="studio-box.crt"'},
        )

    def _called(self) -> set[str]:
        names = self._names()
        return {*names.hosts, *names.addresses} if names else set()

    def _covered(self) -> set[str]:
        return {one for one in self._called() if self.root and self.root.permits(one)}

    def _renew(self, authority: Authority, names: Names) -> bool:
        """Make what is missing; True when the context that serves must show another one."""
        wall = self._clock.now().wall
        before = self.root
        if before is None or not before.fits(names):
            self.root = authority.root(self._studio, names)
            if before is not None:
                log.warning("secure pages: the box has another address; %s", AGAIN)
        if self.context is None:
            self.context = authority.context(names, wall)
            return False
        return authority.freshen(names, wall)
