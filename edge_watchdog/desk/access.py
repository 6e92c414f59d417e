"""Who may ask for what, and what every answer carries.

Each route says who may use it, or it is not registered.  A request must name a host that is ours,
one that changes something must come from our own page, and no answer may be kept, framed or run
anything that we did not send.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import hdrs, web
from yarl import URL

from edge_watchdog.desk.forms import FORM, fields_of, own_path
from edge_watchdog.desk.lan import Lan

BODY_BYTES = 64 * 1024
OWN_NAMES = frozenset({"localhost"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[int, str, str], str]
Note = Callable[["Identity", str, str], Awaitable[None]]
PLAIN_SUBJECT = re.compile(r"[0-9A-Za-z:.\-]{1,64}")
SUBJECTS = ("key", "day", "number", "id")  # what may stand in a path and names nobody

WORDS: Mapping[int, str] = {
    400: "That could not be understood.",
    401: "Please sign in first.",
    403: "That is only possible from this box's own page.",
    404: "There is no such page here.",
    405: "That is not possible here.",
    408: "That took too long.",
    413: "That was too much at once.",
    415: "That could not be understood.",
    421: "This box is not known by that name.",
}

FOR_THE_OWNER = "This page is for the owner. Please sign in as the owner."


class AccessError(Exception):
    """A route does not say who may use it."""


class Who(StrEnum):
    """Who may use a route; each may all that those before it may."""

    LAN = "anyone on the LAN"
    DEVICE = "a paired device"
    STAFF = "a signed-in team member"
    OWNER = "the owner"


RANKS = tuple(Who)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the highest role shown, the person's and the device's name, "" when not known.

    *secure*: the connection cannot be read by others (HTTPS, or this machine itself).  *locked*:
    they have done nothing for some minutes, so private details wait for their PIN.
    """

    who: Who = Who.LAN
    person: str = ""
    device: str = ""
    secure: bool = False
    locked: bool = False

    def may(self, needed: Who) -> bool:
        """Tell whether a route for *needed* is open to them."""
        return RANKS.index(self.who) >= RANKS.index(needed)

    @property
    def sees_private(self) -> bool:
        """Tell whether telephone numbers and notes may be shown."""
        return self.secure and not self.locked and self.may(Who.STAFF)


NOBODY = Identity()


@dataclass(slots=True)
class Passage:
    """What the gate found of one request, and what its handler then showed."""

    identity: Identity = NOBODY
    token: str = ""
    still: Callable[[], bool] = lambda: True
    looks: list[tuple[str, str]] = field(default_factory=list)


PASSAGE = web.RequestKey("passage", Passage)


def identity_of(request: web.Request) -> Identity:
    """Give who asks, as the gate found it; NOBODY where no gate was passed."""
    return _passage(request).identity


def showed_private(request: web.Request, screen: str, subject: str = "") -> None:
    """Have the audit say that whoever asks saw private details on *screen*.

    *subject* is a client's key or a range of days ("2026-11-21"), never a name.  Routes for STAFF
    and OWNER are noted by themselves.
    """
    _passage(request).looks.append((screen, subject))


def still_may(request: web.Request) -> bool:
    """Tell whether whoever asked is still what they were; what streams must ask at each event."""
    return _passage(request).still()


def form_token(request: web.Request) -> str:
    """Give the value of the hidden field "csrf" that forms for DEVICE and above must have."""
    return _passage(request).token


def _passage(request: web.Request) -> Passage:
    """Give what the gate found; where no gate was passed, nobody."""
    if PASSAGE not in request:
        request[PASSAGE] = Passage()
    return request[PASSAGE]


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask; *who* has no default on purpose."""

    method: str
    path: str
    handler: Handler
    who: Who


ROUTES = web.AppKey("routes", tuple[Route, ...])


async def _note_nothing(_identity: Identity, _screen: str, _subject: str) -> None:
    """Keep no record."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request is checked against, and what answers carry.

    *error_page* makes a page of a status, words, and the path to go on to when signed in.  *csrf*
    gives what a form must bring along, "" for nothing; *note* keeps who saw which screen.
    """

    lan: Lan
    allowed_hosts: frozenset[str]
    frame_ancestors: tuple[str, ...]
    error_page: ErrorPage
    serving: Callable[[web.BaseRequest], AbstractAsyncContextManager[None]]
    identify: Callable[[web.Request], Identity] = lambda _request: NOBODY
    csrf: Callable[[web.Request], str] = lambda _request: ""
    note: Note = _note_nothing

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this box; the defence against DNS rebinding."""
        try:
            name = URL(f"http://{host}").host or ""
        except ValueError:
            return False
        name = name.lower().rstrip(".")
        return name in OWN_NAMES or name in self.allowed_hosts or self.lan.is_ours(name)


def build(routes: Sequence[Route], gate: Gate) -> web.Application:
    """Make the application; raises AccessError for a route that declares nobody."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        async with gate.serving(request):
            return await _answer(request, handler, gate, declared)

    app = web.Application(middlewares=[guard], client_max_size=BODY_BYTES)
    app[ROUTES] = tuple(routes)
    declared: dict[tuple[str, str], Who] = {}
    for route in routes:
        if not isinstance(route.who, Who):
            raise AccessError(f"{route.method} {route.path} does not say who may use it")
        app.router.add_route(route.method, route.path, route.handler)
        declared[(route.method, route.path)] = route.who

    async def dress(_request: web.BaseRequest, response: web.StreamResponse) -> None:
        _dress(response, gate)

    app.on_response_prepare.append(dress)
    return app


async def _answer(
    request: web.Request,
    handler: Handler,
    gate: Gate,
    declared: Mapping[tuple[str, str], Who],
) -> web.StreamResponse:
    if not gate.knows(request.headers.get(hdrs.HOST, "")):
        return web.Response(status=421, text=WORDS[421])
    resource = request.match_info.route.resource
    asked = (request.method, resource.canonical if resource else "")
    if resource is not None and asked not in declared:
        return _error(404, gate)
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD) and not _from_own_page(request):
        return _error(403, gate)
    identity = gate.identify(request)
    needed = declared.get(asked, Who.LAN)
    if not identity.may(needed):
        known = identity.who is not Who.LAN and needed is Who.OWNER
        return _error(401, gate, _wanted(request), FOR_THE_OWNER if known else "")
    request[PASSAGE] = Passage(
        identity, gate.csrf(request), lambda: gate.identify(request).may(identity.who)
    )
    try:
        if request.method == hdrs.METH_POST and needed is not Who.LAN:
            await _check_form(request)
        response = await handler(request)
    except web.HTTPRedirection:
        if request.method == hdrs.METH_POST:
            await _note(request, asked[1], needed, gate)
        raise
    except web.HTTPException as error:
        return _error(error.status, gate)
    if response.status < 400:
        await _note(request, asked[1], needed, gate)
    return response


async def _check_form(request: web.Request) -> None:
    """Raise HTTPForbidden unless the form, or a header of our own script, has the token."""
    expected = form_token(request)
    if not expected:
        return
    shown = request.headers.get("X-CSRF-Token", "")
    if not shown and request.content_type == FORM:
        shown = (await fields_of(request)).get("csrf", "")
    if not hmac.compare_digest(shown.encode(), expected.encode()):
        raise web.HTTPForbidden


async def _note(request: web.Request, path: str, needed: Who, gate: Gate) -> None:
    """Keep who saw what: what the handler said, and every screen for signed-in people."""
    identity = identity_of(request)
    looks = tuple(_passage(request).looks)
    if not looks and RANKS.index(needed) >= RANKS.index(Who.STAFF):
        named = (request.match_info.get(name, "") for name in SUBJECTS)
        looks = ((path, " ".join(one for one in named if PLAIN_SUBJECT.fullmatch(one))),)
    for screen, subject in looks:
        await gate.note(identity, screen, subject)


def _from_own_page(request: web.Request) -> bool:
    """Tell whether a browser sent this from one of our own pages.

    Sec-Fetch-Site comes only where the connection counts as secure (localhost, HTTPS); over plain
    HTTP on the LAN the Origin header is what there is.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return request.headers.get(hdrs.ORIGIN) == f"{request.scheme}://{request.host}"


def _wanted(request: web.Request) -> str:
    """Give the page that was asked for; of a form, the page of ours that it stood on."""
    if request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        return own_path(request.path_qs)
    try:
        came = URL(request.headers.get(hdrs.REFERER, ""))
    except ValueError:
        return "/"
    return own_path(came.raw_path_qs) if came.authority == request.host else "/"


def _error(status: int, gate: Gate, there: str = "/", words: str = "") -> web.Response:
    words = words or WORDS.get(status, "Something went wrong.")
    page = gate.error_page(status, words, there)
    return web.Response(status=status, text=page, content_type="text/html")


def _dress(response: web.StreamResponse, gate: Gate) -> None:
    headers = response.headers
    framers = " ".join(gate.frame_ancestors) or "'none'"
    headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'; frame-ancestors {framers}; base-uri 'none'; form-action 'self'"
    )
    if not gate.frame_ancestors:
        headers["X-Frame-Options"] = "DENY"
    headers["X-Content-Type-Options"] = "nosniff"
    # "no-referrer" would make browsers send "Origin: null" with our own forms (Fetch standard).
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    headers.pop(hdrs.SERVER, None)
