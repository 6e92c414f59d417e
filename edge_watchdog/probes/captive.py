"""Does the network itself want a sign-in?  The Captive Portal API (RFC 8908), over one uplink.

In: the API's address as the lease gave it (RFC 8910).  Out: its word, or None, not known.  The
rule: over TLS with a certificate that holds, or not at all; no redirect is followed, little is
read, and a page that people are sent to must be a secure one, too.
"""

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp

from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import CaptiveWord

UNRESTRICTED = "urn:ietf:params:capport:unrestricted"  # RFC 8910 section 2: no captive portal
MEDIA_TYPE = "application/captive+json"
ANSWER_BYTES = 8192
WITHIN_S = 5.0
URL_CHARS = 200  # it is shown to people


async def ask_captive(
    session: aiohttp.ClientSession, api: str, *, clock: Clock
) -> CaptiveWord | None:
    """Ask *api* through *session*."""
    asked = clock.now()
    if api == UNRESTRICTED:
        return CaptiveWord(asked, captive=False)
    if not _is_secure(api):
        return None
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            session.get(api, headers={"Accept": MEDIA_TYPE}, allow_redirects=False) as response,
        ):
            if response.status != 200:
                return None
            body = await _at_most(response.content)
    except (TimeoutError, OSError, ValueError, aiohttp.ClientError):
        return None
    return read_word(asked, body)


async def _at_most(stream: aiohttp.StreamReader) -> bytes:
    """Read to the end; an answer that is too long is cut, and then none."""
    body = b""
    while len(body) <= ANSWER_BYTES and (piece := await stream.read(ANSWER_BYTES)):
        body += piece
    return body[:ANSWER_BYTES]


def read_word(asked: Instant, body: bytes) -> CaptiveWord | None:
    """Read an answer (RFC 8908 section 5): "captive" must be there, and be true or false."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(captive := said.get("captive"), bool):
        return None
    url = said.get("user-portal-url")
    if not captive or not isinstance(url, str) or len(url) > URL_CHARS or not _is_secure(url):
        url = ""
    return CaptiveWord(asked, captive, url)


def _is_secure(url: str) -> bool:
    """Tell whether *url* is a plain https address, without a user's name or odd characters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>{}\\')
    return plain and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
