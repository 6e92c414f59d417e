"""The calendar feed: an address over HTTPS or a file in, its bytes or "not changed" out.

The address is a secret, and what comes back is personal: neither ever stands in an error.  Whatever
is not plainly a calendar of the host we asked (a sign-in page, a portal, another host) is refused.
Calendars (RFC 5545) know rooms and attendees, but no spot in a class: none is read from one.
"""

import contextlib
import ipaddress
import os
import ssl
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.aside import look
from edge_watchdog.daybook.blocks import WEB_PAGE
from edge_watchdog.daybook.child import read_in_child
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.web import (
    LONGEST_AGE_S,
    LONGEST_PAUSE_S,
    MOST_BYTES,
    TOO_LARGE,
    number_in,
    open_session,
    plain_errors,
    whole_body,
)

MOST_HOPS = 5
OTHER_HOST = "the calendar's address led to another place; this may be a sign-in page"

_REFUSALS: Mapping[int, str] = {
    401: "the calendar's server refused us (401); its address may have been changed",
    403: "the calendar's server refused us (403); its address may have been changed",
    404: "there is no calendar at its address any more (404)",
    410: "there is no calendar at its address any more (410)",
    429: "the calendar's server asks us to come less often (429)",
}


@dataclass(frozen=True, slots=True)
class IcsFeed:
    """A calendar at an HTTPS address; plain HTTP only on this machine itself."""

    url: str
    title: Title
    tls: ssl.SSLContext

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - all comes at once
        """Get the calendar, or learn that it is still the one of *known* (an ETag or a date)."""
        with plain_errors():
            async with open_session(self.tls) as session:
                return await self._follow(session, known)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a child process; raises DaybookError."""
        return await read_in_child(body, span, self.title)

    async def _follow(self, session: aiohttp.ClientSession, known: str) -> Fetched:
        """Follow redirects that stay on the host we were told of."""
        at = asked = URL(self.url, encoded=True)
        for _ in range(MOST_HOPS):
            async with _get(session, at, known) as response:
                if response.status not in (301, 302, 303, 307, 308):
                    return await _take(response)
                at = at.join(URL(response.headers.get("Location", "")))
            if at.host != asked.host or at.scheme not in ("https", asked.scheme):
                raise DaybookError(OTHER_HOST)
        raise DaybookError("the calendar's address leads in a circle")


@dataclass(frozen=True, slots=True)
class IcsFile:
    """A calendar that something else writes into a file; as old as the file's last change."""

    path: str
    title: Title
    clock: Clock

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - all comes at once
        """Read the file, unless *known* says that it is still the same."""
        return await look(self._fetch, known)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a child process; raises DaybookError."""
        return await read_in_child(body, span, self.title)

    def _fetch(self, known: str) -> Fetched:
        try:
            with _regular(self.path) as file:
                before = os.fstat(file)
                token = f"file {before.st_mtime_ns} {before.st_size} {before.st_ino}"
                age_s = max(0.0, self.clock.now().wall - before.st_mtime)
                if token == known:
                    return Fetched(None, token, age_s)
                body = _read_whole(file)
                if os.fstat(file).st_mtime_ns != before.st_mtime_ns:
                    raise DaybookError("the calendar's file is being written just now")
        except FileNotFoundError:
            raise DaybookError("the calendar's file is not there") from None
        except OSError as error:
            reason = error.strerror or "not readable"
            raise DaybookError(f"the calendar's file could not be read ({reason})") from None
        return Fetched(body, token, age_s)


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Give a context that trusts the system's authorities and those of *ca_file*.

    Raises DaybookError when the file is no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise DaybookError(f"{ca_file} could not be used as extra trust: {error}") from error
    return context


def may_be_plain(url: str) -> bool:
    """Tell whether *url* stays on this machine, where plain HTTP shows names to nobody."""
    host = URL(url).host or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _get(
    session: aiohttp.ClientSession, at: URL, known: str
) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
    headers = {"Accept": "text/calendar, */*;q=0.1", "Accept-Encoding": "gzip"}
    if known.startswith("etag "):
        headers["If-None-Match"] = known.removeprefix("etag ")
    elif known.startswith("date "):
        headers["If-Modified-Since"] = known.removeprefix("date ")
    return session.get(at, headers=headers, allow_redirects=False)


async def _take(response: aiohttp.ClientResponse) -> Fetched:
    age_s = number_in(response.headers.get("Age"), LONGEST_AGE_S) or 0.0
    if response.status == 304:
        return Fetched(None, age_s=age_s)
    if response.status != 200:
        pause_s = number_in(response.headers.get("Retry-After"), LONGEST_PAUSE_S)
        raise DaybookError(_refusal(response.status), after_s=pause_s)
    if response.content_type in ("text/html", "application/xhtml+xml"):
        raise DaybookError(WEB_PAGE)
    body = await whole_body(response)
    token = f"etag {etag}" if (etag := response.headers.get("ETag")) else ""
    if not token and (changed := response.headers.get("Last-Modified")):
        token = f"date {changed}"
    return Fetched(body, token, age_s)


def _refusal(status: int) -> str:
    if status >= 500:
        return f"the calendar's server has trouble ({status})"
    return _REFUSALS.get(status, f"the calendar's server gave no calendar ({status})")


@contextlib.contextmanager
def _regular(path: str) -> Iterator[int]:
    """Open a regular file without waiting on a pipe or a device that stands in its place."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise DaybookError("the calendar's path is not a file")
        yield file
    finally:
        os.close(file)


def _read_whole(file: int) -> bytes:
    parts, size = [], 0
    while part := os.read(file, 2**20):
        size += len(part)
        if size > MOST_BYTES:
            raise DaybookError(TOO_LARGE)
        parts.append(part)
    return b"".join(parts)
