"""The live stream: pages that are open hear of a change at once, and of life every five seconds.

Changes go in, server-sent events go out: first the whole page, then the parts that look different.
A slow page never holds up another: what waits for it is one flag, and when it wakes it gets the
newest state, not the old ones.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import ClientConnectionResetError, web

from edge_watchdog.desk.access import still_may
from edge_watchdog.desk.pages import HASH_CHARS, Page

HEARTBEAT_S = 5.0
RETRY_MS = 2000
STUCK_S = 20.0
SPACING_S = 0.05  # several changes in a breath become one


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page needs: rendering its parts, the time as text, and what may change by itself."""

    parts: Callable[[Page], Mapping[str, str]]
    clock: Callable[[], str]
    mood: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A page's parts as they were at *time*; *key* as Hub.key() gave it."""

    key: object
    time: str
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Payload:
    """The parts of a page as JSON, for those who poll; *tag* is equal when *body* is."""

    body: bytes
    tag: str


class Hub:
    """Knows every open stream; *most* is how many there may be."""

    def __init__(self, screen: Screen, most: int) -> None:
        self._screen = screen
        self._most = most
        self._flags: set[asyncio.Event] = set()
        self._waiting: set[asyncio.Event] = set()
        self._version = 0
        self._closing = False
        self._drawn: dict[Page, _Drawn] = {}
        self._said: dict[tuple[Page, bool], tuple[_Drawn | None, _Drawn, str]] = {}
        self._polled: dict[Page, tuple[_Drawn, Payload]] = {}
        self._quoted: dict[tuple[Page, str], tuple[str, str]] = {}

    @property
    def streams(self) -> int:
        """How many pages listen."""
        return len(self._flags)

    def changed(self) -> None:
        """Something that pages show is different now."""
        self._version += 1
        for flag in (*self._flags, *self._waiting):
            flag.set()

    def close(self) -> None:
        """End every stream, so that a restart need not wait for them."""
        self._closing = True
        self.changed()

    def key(self) -> object:
        """Give what stays equal as long as no page would look different."""
        return self._version, self._screen.clock(), self._screen.mood()

    def payload(self, page: Page) -> Payload:
        """Give the parts of *page* as JSON, rendered once for everybody who asks."""
        drawn, polled = self._draw(page), self._polled.get(page)
        if polled is None or polled[0] is not drawn:
            body = self._since(page, None, drawn).encode()
            tag = hashlib.sha256(body).hexdigest()[:HASH_CHARS]
            polled = self._polled[page] = drawn, Payload(body, tag)
        return polled[1]

    def _draw(self, page: Page) -> _Drawn:
        key, drawn = self.key(), self._drawn.get(page)
        if drawn is None or drawn.key != key:
            drawn = _Drawn(key, self._screen.clock(), dict(self._screen.parts(page)))
            self._drawn[page] = drawn
        return drawn

    def _since(self, page: Page, shown: _Drawn | None, drawn: _Drawn) -> str:
        """Give as JSON which parts look different than in *shown*; "" when none does."""
        whole = page, shown is None  # asked for by those who poll, between the news of the streams
        said = self._said.get(whole)
        if said is None or said[0] is not shown or said[1] is not drawn:
            before = shown.parts if shown else {}
            parts = {name: text for name, text in drawn.parts.items() if before.get(name) != text}
            text = self._as_json(page, drawn.time, parts) if parts or not shown else ""
            said = self._said[whole] = shown, drawn, text
        return said[2]

    def _as_json(self, page: Page, time: str, parts: Mapping[str, str]) -> str:
        """Write {"time": ..., "parts": {...}}; a part is quoted only when it changed."""
        found = (f"{json.dumps(name)}:{self._quote(page, name, parts[name])}" for name in parts)
        return f'{{"time":{json.dumps(time)},"parts":{{{",".join(found)}}}}}'

    def _quote(self, page: Page, name: str, text: str) -> str:
        kept = self._quoted.get((page, name))
        if kept is None or kept[0] != text:
            kept = self._quoted[page, name] = text, json.dumps(text)
        return kept[1]

    async def next_change(self) -> None:
        """Wait until changed() is called."""
        with _member(self._waiting) as flag:
            await flag.wait()

    async def stream(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Serve one page until it goes away; 503 when there are too many."""
        if self.streams >= self._most:
            return web.Response(status=503, text="Too many pages listen.")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        # A page that went away is no news: without this each one costs a traceback in the log.
        with contextlib.suppress(ClientConnectionResetError, ConnectionError, TimeoutError):
            await response.prepare(request)
            await _write(response, f"retry: {RETRY_MS}\n\n")
            with _member(self._flags) as flag:
                await self._feed(request, response, page, flag)
        return response

    async def _feed(
        self, request: web.Request, response: web.StreamResponse, page: Page, flag: asyncio.Event
    ) -> None:
        shown: _Drawn | None = None
        while not self._closing and still_may(request):  # a role may be taken away meanwhile
            flag.clear()
            drawn = self._draw(page)
            news, shown = self._since(page, shown, drawn), drawn
            if news:
                await _write(response, f"event: view\ndata: {news}\n\n")
            else:
                await _write(response, f"event: beat\ndata: {self._screen.clock()}\n\n")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    await flag.wait()
                await asyncio.sleep(SPACING_S)


@contextlib.contextmanager
def _member(flags: set[asyncio.Event]) -> Iterator[asyncio.Event]:
    flag = asyncio.Event()
    flags.add(flag)
    try:
        yield flag
    finally:
        flags.discard(flag)


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(STUCK_S):
        await response.write(text.encode())
