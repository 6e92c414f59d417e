"""What the owner does: people, devices, the password, who looked at what, and which line to use."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from edge_watchdog.bridge import Order, ToWatch
from edge_watchdog.core.events import OrderKind
from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.people import IDLE_S, PAIRING_S, People, RefusedError
from edge_watchdog.desk.access import Route, Who, form_token, identity_of, showed_private
from edge_watchdog.desk.answers import html
from edge_watchdog.desk.badges import DEVICE, SESSION, Badges, hand_out, is_secure
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.forms import fields_of, number_in
from edge_watchdog.desk.handlers import NOT_PASSED_ON
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.signing import DISK, TWICE

PEOPLE = "/owner/people"
LONGEST_USE_H = 24

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Team:
    """The owner's pages; *send* passes an order to the watch half, False when it cannot.

    *own_host* is how other devices call this box when the owner's browser says "localhost".
    """

    people: People
    badges: Badges
    pages: Pages
    board: Board
    send: Callable[[ToWatch], bool]
    own_host: str

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        posts = {
            "/owner/people/add": self.add,
            "/owner/people/remove": self.remove,
            "/owner/devices/code": self.code,
            "/owner/devices/here": self.here,
            "/owner/devices/remove": self.revoke,
            "/owner/password": self.password,
            "/owner/use": self.use,
        }
        return (
            Route("GET", PEOPLE, self.show, Who.OWNER),
            Route("GET", "/owner/looks", self.looks, Who.OWNER),
            *(Route("POST", path, handler, Who.OWNER) for path, handler in posts.items()),
        )

    async def show(self, request: web.Request) -> web.Response:
        """Show people and devices."""
        return self._page(request)

    async def add(self, request: web.Request) -> web.Response:
        """Add a team member, or give one another PIN."""
        fields = await fields_of(request)
        try:
            person = await self.people.put_person(fields.get("name", ""), fields.get("pin", ""))
        except (RefusedError, DaybookError) as error:
            return self._page(request, _words(error), status=403)
        showed_private(request, "PIN set", person.name)
        raise web.HTTPSeeOther(PEOPLE)

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a team member."""
        number = number_in(await fields_of(request), "id")
        try:
            person = await self.people.drop_person(number)
        except (RefusedError, DaybookError) as error:
            return self._page(request, _words(error), status=403)
        showed_private(request, "person removed", person.name)
        raise web.HTTPSeeOther(PEOPLE)

    async def code(self, request: web.Request) -> web.Response:
        """Show a code, to scan or to type, that pairs one device."""
        fields = await fields_of(request)
        try:
            code = self.people.begin_pairing(fields.get("name", ""))
        except RefusedError as error:
            return self._page(request, _words(error), status=403)
        host = request.host
        if host.partition(":")[0] in ("localhost", "127.0.0.1"):
            host = host.replace(host.partition(":")[0], self.own_host, 1)
        base = f"{request.scheme}://{host}/pair"
        shown = {"code": code, "base": base, "qr": _qr(f"{base}?code={code}")}
        return self._page(request, pairing=shown)

    async def here(self, request: web.Request) -> web.Response:
        """Pair the device that the owner sits at."""
        fields = await fields_of(request)
        try:
            token = await self.people.pair_as(fields.get("name", ""))
        except (RefusedError, DaybookError) as error:
            return self._page(request, _words(error), status=403)
        response = web.Response(status=303, headers={"Location": PEOPLE})
        hand_out(response, request, DEVICE, token)
        return response

    async def revoke(self, request: web.Request) -> web.Response:
        """Forget a device."""
        number = number_in(await fields_of(request), "id")
        try:
            device = await self.people.revoke(number)
        except (RefusedError, DaybookError) as error:
            return self._page(request, _words(error), status=403)
        showed_private(request, "device removed", device.name)
        raise web.HTTPSeeOther(PEOPLE)

    async def password(self, request: web.Request) -> web.Response:
        """Change the owner's password; all sessions of theirs end but the one that follows."""
        fields = await fields_of(request)
        new = fields.get("password", "")
        try:
            if new != fields.get("again", ""):
                raise RefusedError(TWICE)  # noqa: TRY301 - said like every other refusal
            by = self.badges.visitor(request)
            token = await self.people.change_password(fields.get("old", ""), new, by)
        except (RefusedError, DaybookError) as error:
            return self._page(request, _words(error), status=403)
        response = web.Response(status=303, headers={"Location": PEOPLE})
        hand_out(response, request, SESSION, token)
        return response

    async def looks(self, request: web.Request) -> web.Response:
        """Show who looked at what."""
        audit = await self.people.audit()
        return self._draw(request, "looks.html", {"audit": audit})

    async def use(self, request: web.Request) -> web.Response:
        """Keep to one line for some hours, or let the box choose again."""
        fields = await fields_of(request)
        uplink = fields.get("uplink", "")
        known = {one.name for one in self.board.view.uplinks} if self.board.view else set()
        if uplink and uplink not in known:
            raise web.HTTPBadRequest
        hours = number_in(fields, "hours") if uplink else 0
        if uplink and not 1 <= hours <= LONGEST_USE_H:
            raise web.HTTPBadRequest
        order = Order(
            OrderKind.USE if uplink else OrderKind.AUTO,
            uplink or None,
            3600.0 * hours,
            "ordered by the owner",
        )
        if not self.send(order):
            return html(self.pages.error(503, NOT_PASSED_ON), 503)
        showed_private(request, "line ordered", uplink or "automatic")
        raise web.HTTPSeeOther(PEOPLE)

    def _page(
        self,
        request: web.Request,
        words: str = "",
        *,
        status: int = 200,
        pairing: Mapping[str, str] | None = None,
    ) -> web.Response:
        view = self.board.view
        more = {
            "words": words,
            "pairing": pairing,
            "staff": self.people.staff,
            "devices": self.people.devices,
            "uplinks": [one.name for one in view.uplinks] if view else [],
            "idle_min": round(IDLE_S / 60),
            "pairing_min": round(PAIRING_S / 60),
        }
        return self._draw(request, "people.html", more, status=status)

    def _draw(
        self, request: web.Request, template: str, more: Mapping[str, object], status: int = 200
    ) -> web.Response:
        context = {
            **more,
            "me": identity_of(request),
            "csrf": form_token(request),
            "secure": is_secure(request),
        }
        text = self.pages.draw(template, "team", live="", **context)
        return html(text, status)


def _words(error: Exception) -> str:
    if isinstance(error, RefusedError):
        return str(error)
    log.error("people: %s", error)
    return DISK


def _qr(text: str) -> str:
    """Give *text* as a picture to scan, in a data: address."""
    import segno  # noqa: PLC0415 - needed some minutes a year

    made = segno.make(text, error="m", micro=False)
    return str(made.svg_data_uri(scale=6, border=4, dark="#000", light="#fff"))
