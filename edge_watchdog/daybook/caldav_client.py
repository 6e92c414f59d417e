"""A thin CalDAV client over aiohttp: one request at a time, on the host we were told of.

A method, an address and a body in, a status and a body out; errors are in words.  What
signs us in goes to the configured host and its siblings only; a password is read anew for every
look.
"""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from yarl import URL

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.caldav_xml import Multistatus, read_multistatus
from edge_watchdog.daybook.web import LONGEST_PAUSE_S, number_in, whole_body

MOST_HOPS = 5
SHARED = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})  # "co.uk" is nobody's domain
MOST_REQUESTS = 200  # for one look
OTHER_HOST = "the calendar's address led to another place; this may be a sign-in page"
UNREADABLE = "the password file of the calendar could not be read"

_REFUSALS: Mapping[int, str] = {
    403: "the calendar's server does not let this user read the calendar (403)",
    404: "there is no calendar at its address (404)",
    405: "the address is not one of a CalDAV server (405)",
    410: "there is no calendar at its address any more (410)",
    429: "the calendar's server asks us to come less often (429)",
}


class Login(Protocol):
    """Who we are."""

    @property
    def refused(self) -> str:
        """Say that the server did not believe it."""

    async def header(self) -> str:
        """Give the Authorization header; raises DaybookError."""

    async def again(self, refused: str) -> str:
        """Give another header than the one that was *refused*, or the same when there is none."""


@dataclass(frozen=True, slots=True)
class Password:
    """A Login by name; *password_file* holds the password and nothing else."""

    user: str
    password_file: str
    refused: str = "the calendar's server did not accept the user or the password (401)"

    async def header(self) -> str:
        """Give the Authorization header (RFC 7617); raises DaybookError."""
        try:
            text = await asyncio.to_thread(Path(self.password_file).read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise DaybookError(UNREADABLE, requests=0) from None
        pair = f"{self.user}:{text.strip()}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    async def again(self, refused: str) -> str:
        """Give the same: the password was read for this look."""
        return refused


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request brought; *url* is where it was answered in the end."""

    status: int
    body: bytes
    url: URL
    pause_s: float | None = None


class Dav:
    """One look's conversation; counts its *requests*."""

    def __init__(self, session: aiohttp.ClientSession, home: URL, login: Login) -> None:
        self._session = session
        self._home = home
        self._login = login
        self._authorization = ""
        self._asked_again = False
        self.requests = 0

    async def multistatus(
        self, method: str, url: URL, body: bytes, *, depth: int = 0
    ) -> Multistatus:
        """Ask with PROPFIND or REPORT; raises DaybookError for anything but a multistatus."""
        reply = await self.send(method, url, body, {"Depth": str(depth)})
        if reply.status != 207:
            raise self.refusal(reply)
        return await read_multistatus(reply.body)

    async def send(
        self, method: str, url: URL, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request and follow redirects that stay with the host; raises DaybookError."""
        at = url
        for _ in range(MOST_HOPS):
            reply, onward = await self._once(method, at, body, headers or {})
            if onward is None:
                return reply
            at = at.join(URL(onward))
        raise DaybookError("the calendar's address leads in a circle", requests=self.requests)

    async def put(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one PUT, once, wherever it would be led to; raises DaybookError."""
        return (await self._once("PUT", url, body, headers))[0]

    def refusal(self, reply: Reply) -> DaybookError:
        """Say what a status means, with what was asked of us to wait."""
        if reply.status >= 500:
            words = f"the calendar's server has trouble ({reply.status})"
        elif reply.status == 401:
            words = self._login.refused
        else:
            gave_none = f"the calendar's server gave no calendar ({reply.status})"
            words = _REFUSALS.get(reply.status, gave_none)
        return DaybookError(words, after_s=reply.pause_s, requests=self.requests)

    async def _once(
        self, method: str, url: URL, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Reply, str | None]:
        if not _is_kin(self._home, url):
            raise DaybookError(OTHER_HOST, requests=self.requests)
        if self.requests >= MOST_REQUESTS:
            raise DaybookError("the calendar takes too many requests", requests=self.requests)
        self._authorization = self._authorization or await self._login.header()
        found = await self._sent(method, url, body, headers)
        if found[0].status != 401 or self._asked_again:
            return found
        self._asked_again = True  # once a look: a server that refuses all is not asked for ever
        fresh = await self._login.again(self._authorization)
        if fresh == self._authorization:
            return found
        self._authorization = fresh
        return await self._sent(method, url, body, headers)

    async def _sent(
        self, method: str, url: URL, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Reply, str | None]:
        self.requests += 1
        sent = {
            "Authorization": self._authorization,
            "Content-Type": "application/xml; charset=utf-8",
            **headers,
        }
        async with self._session.request(
            method, url, data=body, headers=sent, allow_redirects=False
        ) as response:
            answer = await whole_body(response)
            pause_s = number_in(response.headers.get("Retry-After"), LONGEST_PAUSE_S)
            reply = Reply(response.status, answer, url, pause_s)
            moved = response.status in (301, 302, 303, 307, 308)
            return reply, response.headers.get("Location", "") if moved else None


def _is_kin(home: URL, other: URL) -> bool:
    """Tell whether *other* may have the password: the same host, or one beside it, as safely.

    Large providers answer at "caldav.host.example" and keep the calendars at
    "p7-caldav.host.example".
    """
    if other.scheme not in ("https", home.scheme):
        return False
    ours, theirs = home.host or "", other.host or ""
    _, _, parent = ours.partition(".")
    first, _, rest = parent.partition(".")
    is_beside = bool(rest) and first not in SHARED and not parent.replace(".", "").isdigit()
    if ours == theirs:
        return home.port == other.port or other.scheme == "https"
    return is_beside and other.scheme == "https" and theirs.endswith(f".{parent}")
