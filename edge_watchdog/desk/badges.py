"""Cookies in, identities out: who a request comes from, and how its browser is told who it is.

The rule: what was shown over a connection that others can read never opens what is private.
"""

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import web

from edge_watchdog.daybook.people import People, Visitor
from edge_watchdog.daybook.people_file import Device, Person, Role, Session
from edge_watchdog.desk.access import Identity, Who

DEVICE, SESSION = "ew_device", "ew_session"
HOST = "__Host-"  # RFC 6265bis: sent by this host over HTTPS only, and set by it alone
DEVICE_S = 400 * 86400  # as long as browsers keep one
POLLED = ("/live", "/view.json", "/health", "/static/")
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@dataclass(frozen=True, slots=True)
class Badges:
    """Reads and hands out badges: cookies with tokens that *people* knows."""

    people: People

    def identify(self, request: web.Request) -> Identity:
        """Give who asks; a request made by a person keeps private details open."""
        device = self._device(request)
        found = self._session(request, device)
        secure = is_secure(request)
        if found is None:
            name = device.name if device else ""
            return Identity(Who.DEVICE if device else Who.LAN, device=name, secure=secure)
        session, person = found
        if _is_a_persons_doing(request):
            self.people.touch(session)
        return Identity(
            Who.OWNER if person.role is Role.OWNER else Who.STAFF,
            person.name,
            device.name if device else "",
            secure,
            locked=self.people.is_locked(session),
        )

    def session(self, request: web.Request) -> Session | None:
        """Give the session of whoever asks."""
        found = self._session(request, self._device(request))
        return found[0] if found else None

    def visitor(self, request: web.Request) -> Visitor:
        """Give where a guess comes from."""
        return Visitor(
            request.remote or "",
            self._device(request),
            is_secure(request),
            _cookie(request, SESSION),
        )

    def csrf(self, request: web.Request) -> str:
        """Give what a form of this browser must bring along; "" when it has no badge.

        Only our own pages know it: it is made of a token that no script and no other site can read.
        """
        token = _cookie(request, SESSION) or _cookie(request, DEVICE)
        return hashlib.sha256(f"form {token}".encode()).hexdigest() if token else ""

    def _device(self, request: web.Request) -> Device | None:
        token = _cookie(request, DEVICE) or request.cookies.get(DEVICE, "")
        return self.people.device_of(token) if token else None

    def _session(
        self, request: web.Request, device: Device | None
    ) -> tuple[Session, Person] | None:
        token = _cookie(request, SESSION)
        found = self.people.session_of(token, secure=is_secure(request)) if token else None
        if found is None:
            return None
        bound_to = found[0].device_id
        return found if bound_to is None or (device and device.id == bound_to) else None


def is_secure(request: web.Request) -> bool:
    """Tell whether nobody else can read the connection: HTTPS, or this machine itself.

    A proxy on this machine would speak for anybody, so what is forwarded does not count.
    """
    if request.scheme == "https":
        return True
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


def hand_out(response: web.StreamResponse, request: web.Request, name: str, token: str) -> None:
    """Have the browser keep *token* as *name* (SESSION or DEVICE); "" makes it forget."""
    https = request.scheme == "https"
    age_s = 0 if not token else DEVICE_S if name == DEVICE else None
    response.set_cookie(
        HOST + name if https else name,
        token,
        max_age=age_s,
        path="/",
        secure=https,
        httponly=True,
        samesite="Strict",
    )


def _cookie(request: web.Request, name: str) -> str:
    return request.cookies.get(HOST + name if request.scheme == "https" else name, "")[:100]


def _is_a_persons_doing(request: web.Request) -> bool:
    """Tell a click from a page that asks by itself (Sec-Fetch-User, Fetch Metadata)."""
    if request.method == "POST":
        return True
    if "Sec-Fetch-Mode" in request.headers:
        return request.headers.get("Sec-Fetch-User") == "?1"
    return not request.path.startswith(POLLED)
