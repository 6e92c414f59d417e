"""Reads a Statuspage over HTTP: conditionally, politely, and never further than its own host.

Whatever comes instead of a summary (a sign-in page, a torn body, a redirect elsewhere, an answer
kept too long by a cache) is UNKNOWN with a reason.
"""

import asyncio
import email.utils
import re
from urllib.parse import urljoin, urlsplit

import aiohttp

from edge_watchdog import __version__
from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import VendorLevel, VendorReport
from edge_watchdog.vendors.plain import error_words
from edge_watchdog.vendors.statuspage_parse import Reading, parse

SUMMARY = "/api/v2/summary.json"
CONNECT_S, TOTAL_S = 5.0, 10.0
BODY_BYTES = 2 * 1024 * 1024
HOPS = 3
STALE_S = 300.0  # pages are cached for seconds; an origin that fails is served for an hour
SHORTEST_FRESH_S, LONGEST_FRESH_S = 10.0, 600.0
REST_FIRST_S, REST_LONGEST_S = 60.0, 600.0
NOT_MODIFIED = 304
REFUSALS = frozenset({403, 429})
MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})")


class _GaveUpError(Exception):
    """The page gave no summary; the message is the reason."""


class StatusPage:
    """One Statuspage; see StatusReader."""

    def __init__(
        self, url: str, components: tuple[str, ...], clock: Clock, *, total_s: float = TOTAL_S
    ) -> None:
        """Read *url* (the page, or its summary.json), watching *components* (ids or names).

        An answer that takes longer than *total_s* seconds is none.
        """
        is_summary = urlsplit(url).path.endswith(".json")
        self._url = url if is_summary else url.rstrip("/") + SUMMARY
        self._components = components
        self._clock = clock
        self._total_s = total_s
        self._etag: str | None = None
        self._last: Reading | None = None
        self._pinned: dict[str, str] = {}
        self._refused = 0
        self._fresh_s = SHORTEST_FRESH_S
        self._rest_s = 0.0

    @property
    def fresh_s(self) -> float:
        """Give for how long the last answer stays fresh."""
        return self._fresh_s

    @property
    def rest_s(self) -> float:
        """Give for how long the page asked to be left alone after the last answer."""
        return self._rest_s

    async def read(self, session: aiohttp.ClientSession) -> VendorReport:
        """Ask once; never raises for the network or the page."""
        at = self._clock.now()
        self._rest_s = 0.0
        try:
            async with asyncio.timeout(self._total_s):
                reading, age_s = await self._fetch(session)
        except _GaveUpError as error:
            return VendorReport(at, VendorLevel.UNKNOWN, reason=str(error))
        except TimeoutError:
            return VendorReport(at, VendorLevel.UNKNOWN, reason="unreachable: no answer in time")
        except (OSError, aiohttp.ClientError) as error:
            return VendorReport(
                at, VendorLevel.UNKNOWN, reason=f"unreachable: {error_words(error)}"
            )
        return _report(at, reading, age_s)

    async def _fetch(self, session: aiohttp.ClientSession) -> tuple[Reading, float]:
        url = self._url
        for _ in range(HOPS):
            async with session.get(url, **self._how()) as response:  # type: ignore[arg-type]
                moved = response.headers.get("Location")
                if 300 <= response.status < 400 and response.status != NOT_MODIFIED and moved:
                    url = _stay(url, moved)
                    continue
                return await self._take(response)
        raise _GaveUpError("redirected: in a circle")

    def _how(self) -> dict[str, object]:
        headers = {"Accept": "application/json", "User-Agent": f"edge-watchdog/{__version__}"}
        if self._etag is not None and self._last is not None:
            headers["If-None-Match"] = self._etag
        timeout = aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=CONNECT_S)
        return {"headers": headers, "timeout": timeout, "allow_redirects": False}

    async def _take(self, response: aiohttp.ClientResponse) -> tuple[Reading, float]:
        self._note_manners(response)
        age_s = _seconds(response.headers.get("Age")) or 0.0
        if response.status == NOT_MODIFIED and self._last is not None:
            return self._last, age_s
        if response.status != 200:
            raise _GaveUpError(f"http_{response.status}")
        if response.headers.get("Content-Type") and "json" not in response.content_type:
            raise _GaveUpError(f"not_json: {response.content_type}")
        data = await _read_body(response)
        reading = parse(data, self._components, self._pinned)
        self._pinned |= reading.pinned or {}
        understood = reading.level is not VendorLevel.UNKNOWN
        self._last = reading if understood else None
        self._etag = response.headers.get("ETag") if understood else None
        return reading, age_s

    def _note_manners(self, response: aiohttp.ClientResponse) -> None:
        found = MAX_AGE.search(response.headers.get("Cache-Control", ""))
        fresh_s = float(found.group(1)) if found else 0.0
        self._fresh_s = min(max(fresh_s, SHORTEST_FRESH_S), LONGEST_FRESH_S)
        asked_s = self._retry_after(response.headers.get("Retry-After"))
        if response.status in REFUSALS:
            own_s = min(REST_FIRST_S * 2**self._refused, REST_LONGEST_S)
            self._refused = min(self._refused + 1, 10)
            self._rest_s = max(own_s, asked_s)
            return
        self._refused = 0
        self._rest_s = asked_s if response.status >= 400 else 0.0

    def _retry_after(self, text: str | None) -> float:
        """Read Retry-After (RFC 9110 section 10.2.3): seconds, or a date."""
        if text is None:
            return 0.0
        seconds = _seconds(text)
        if seconds is None:
            try:
                until = email.utils.parsedate_to_datetime(text).timestamp()
            except (ValueError, OverflowError):
                return 0.0
            seconds = until - self._clock.now().wall
        return min(max(seconds, 0.0), REST_LONGEST_S)


def _report(at: Instant, reading: Reading, age_s: float) -> VendorReport:
    as_of = at.wall - age_s
    if age_s > STALE_S:
        return VendorReport(
            at, VendorLevel.UNKNOWN, reason=f"stale: {age_s:.0f} s old", as_of_wall=as_of
        )
    return VendorReport(
        at,
        reading.level,
        reading.title,
        reading.started_wall,
        reading.windows,
        reading.reason,
        as_of,
    )


def _stay(url: str, moved: str) -> str:
    """Give the next address if it is on the same host, and as safe."""
    target = urljoin(url, moved)
    before, after = urlsplit(url), urlsplit(target)
    if after.hostname != before.hostname:
        raise _GaveUpError(f"redirected: to {(after.hostname or 'nowhere')[:100]}")
    if after.scheme not in ("https", before.scheme):
        raise _GaveUpError("redirected: to an unprotected page")
    return target


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for part in response.content.iter_chunked(65_536):
        data += part
        if len(data) > BODY_BYTES:
            raise _GaveUpError("too_large")
    return bytes(data)


def _seconds(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
