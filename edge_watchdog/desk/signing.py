"""Signing in and out, the first set-up and the pairing of devices: the doors into what is private.

Forms in, cookies out.  A refusal is a sentence on the same page; nothing tells whether a name or a
secret was the wrong one.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.audit import Look
from edge_watchdog.daybook.people import OWNER, People, RefusedError
from edge_watchdog.desk.access import Route, Who, form_token, identity_of
from edge_watchdog.desk.answers import html
from edge_watchdog.desk.badges import DEVICE, SESSION, Badges, hand_out, is_secure
from edge_watchdog.desk.forms import fields_of, number_in, own_path, sign_in_for
from edge_watchdog.desk.pages import Pages

DISK = "The box's disk refuses just now. Please try again in a moment."
OWNERS = "/owner/"  # what begins so is the owner's alone
TWICE = "The two passwords are not the same."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signing:
    """The doors; *take_code* tells, once and blocking, whether a bare setup code holds.

    *https_url* gives the address of the secure pages for a request, "" when there are none.
    """

    people: People
    badges: Badges
    pages: Pages
    take_code: Callable[[str], bool]
    https_url: Callable[[web.Request], str] = lambda _request: ""

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return (
            Route("GET", "/sign-in", self.show_sign_in, Who.LAN),
            Route("POST", "/sign-in", self.sign_in, Who.LAN),
            Route("POST", "/sign-out", self.sign_out, Who.STAFF),
            Route("POST", "/unlock", self.unlock, Who.STAFF),
            Route("GET", "/setup", self.show_setup, Who.LAN),
            Route("POST", "/setup", self.set_up, Who.LAN),
            Route("GET", "/pair", self.show_pair, Who.LAN),
            Route("POST", "/pair", self.pair, Who.LAN),
        )

    async def show_sign_in(self, request: web.Request) -> web.Response:
        """Show who may sign in here, or who is signed in."""
        return self._sign_in_page(request, "", own_path(request.query.get("next", "/")))

    async def sign_in(self, request: web.Request) -> web.Response:
        """Begin a session with a PIN, or with the owner's password."""
        fields = await fields_of(request)
        there = own_path(fields.get("next", "/"))
        by = self.badges.visitor(request)

        async def begin() -> str:
            if "password" in fields:
                return await self.people.sign_in_owner(fields["password"], by)
            return await self.people.sign_in(number_in(fields, "person"), fields.get("pin", ""), by)

        token, words = await self._try(begin)
        if words:
            await self._note(request, "refused", "sign-in")
            return self._sign_in_page(request, words, there, status=403)
        await self._note(request, self._name_of(token, request), "sign-in")
        return self._go(there, request, SESSION, token)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session."""
        session = self.badges.session(request)
        if session is not None:
            await self.people.sign_out(session)
        return self._go("/", request, SESSION, "")

    async def unlock(self, request: web.Request) -> web.Response:
        """Show private details again, for a PIN or password."""
        fields = await fields_of(request)
        there = own_path(fields.get("next", "/"))
        session = self.badges.session(request)
        if session is None:
            raise web.HTTPForbidden
        secret = fields.get("secret", "")
        by = self.badges.visitor(request)

        async def open_again() -> str:
            await self.people.unlock(session, secret, by)
            return ""

        _, words = await self._try(open_again)
        if words:
            return self._sign_in_page(request, words, there, status=403)
        raise web.HTTPSeeOther(there)

    async def show_setup(self, request: web.Request) -> web.Response:
        """Ask for the setup code and a password."""
        return self._page(request, "setup.html", {"words": ""})

    async def set_up(self, request: web.Request) -> web.Response:
        """Set the owner's password, for a setup code."""
        fields = await fields_of(request)
        password, by = fields.get("password", ""), self.badges.visitor(request)

        async def begin() -> str:
            if password != fields.get("again", ""):
                raise RefusedError(TWICE)
            code = fields.get("code", "")
            return await self.people.set_up(self.take_code, code, password, by)

        token, words = await self._try(begin)
        if words:
            return self._page(request, "setup.html", {"words": words}, status=403)
        await self._note(request, OWNER, "setup")
        return self._go("/owner/people", request, SESSION, token)

    async def show_pair(self, request: web.Request) -> web.Response:
        """Ask whether this device is to be paired; a look alone changes nothing."""
        code = request.query.get("code", "")[:40]
        more = {"words": "", "code": code, "next": own_path(request.query.get("next", "/"))}
        return self._page(request, "pair.html", more)

    async def pair(self, request: web.Request) -> web.Response:
        """Make this device known, for a one-time code."""
        fields = await fields_of(request)
        code, there = fields.get("code", "")[:40], own_path(fields.get("next", "/"))
        by = self.badges.visitor(request)
        token, words = await self._try(lambda: self.people.pair(code, by))
        if words:
            more = {"words": words, "code": code, "next": there}
            return self._page(request, "pair.html", more, status=403)
        device = self.people.device_of(token)
        await self._note(request, "", "pair", device.name if device else "")
        return self._go(sign_in_for(there), request, DEVICE, token)

    def _sign_in_page(
        self, request: web.Request, words: str, there: str, status: int = 200
    ) -> web.Response:
        session, secure_page = self.badges.session(request), self.https_url(request)
        more = {
            "words": words,
            "next": there,
            "for_owner": there.startswith(OWNERS),
            "pair": sign_in_for(there, "/pair"),
            "https_url": secure_page and sign_in_for(there, secure_page),
            "staff": self.people.staff if identity_of(request).may(Who.DEVICE) else (),
            "is_set_up": self.people.owner is not None,
            "ends": session.ends_wall if session else None,
        }
        return self._page(request, "sign_in.html", more, status=status)

    def _page(
        self, request: web.Request, template: str, more: Mapping[str, object], status: int = 200
    ) -> web.Response:
        context = {
            "me": identity_of(request),
            "csrf": form_token(request),
            "secure": is_secure(request),
            "https_url": self.https_url(request),
            **more,
        }
        text = self.pages.draw(template, "door", live="", **context)
        return html(text, status)

    def _name_of(self, token: str, request: web.Request) -> str:
        found = self.people.session_of(token, secure=is_secure(request))
        return found[1].name if found else ""

    async def _note(self, request: web.Request, person: str, screen: str, device: str = "") -> None:
        device = device or identity_of(request).device or f"at {request.remote}"
        try:
            await self.people.note(Look(person, device, screen))
        except DaybookError as error:
            log.error("people: %s", error)  # noqa: TRY400 - one line

    @staticmethod
    async def _try(work: Callable[[], Awaitable[str]]) -> tuple[str, str]:
        """Give what *work* gives and "", or "" and why it was refused."""
        try:
            return await work(), ""
        except RefusedError as error:
            return "", str(error)
        except DaybookError as error:
            log.error("people: %s", error)  # noqa: TRY400 - one line
            return "", DISK

    @staticmethod
    def _go(there: str, request: web.Request, name: str, token: str) -> web.Response:
        """Lead on to *there*, with a cookie."""
        response = web.Response(status=303, headers={"Location": there})
        hand_out(response, request, name, token)
        return response
