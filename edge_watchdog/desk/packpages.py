"""The day pack's addresses: a page to print, a PDF, a calendar file and a spreadsheet.

Requests in, the day's sheets out; low detail for everybody, with warnings for who may see them.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date

from aiohttp import web

from edge_watchdog.core.units import Paper
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.paper import Entry, Sale, State
from edge_watchdog.daybook.paper_money import debts
from edge_watchdog.desk.access import Route, Who, identity_of, showed_private
from edge_watchdog.desk.answers import refusal
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.book import BookDay, money
from edge_watchdog.desk.bookpages import BookPages
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.clients import notes_of, price_lists, warnings_of
from edge_watchdog.desk.contacts import contacts_model
from edge_watchdog.desk.day import SourceLine, source_lines
from edge_watchdog.desk.files import day_csv, day_ics
from edge_watchdog.desk.pack import Enclosed, Owed, Pack, Printer, day_pack
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.pdf import PdfError, make_pdf
from edge_watchdog.desk.phrases import NO_VENDOR, Local, long_date
from edge_watchdog.desk.settings import DeskSettings


class PackPages:
    """Answers for the day pack; whoever composes it sets *owed*: what is still to be paid."""

    def __init__(
        self,
        settings: DeskSettings,
        pages: Pages,
        board: Board,
        book: BookPages,
        cache: PageCache,
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._board = board
        self._book = book
        self._cache = cache
        self.owed: Callable[[], Sequence[Owed]] = lambda: ()
        self._local = Local(settings.time_zone)
        self._one_pdf = asyncio.Lock()
        self._last: tuple[object, bytes] | None = None

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        gets = {
            "/pack/{day}.pdf": self.pdf,
            "/pack/{day}.ics": self.calendar,
            "/pack/{day}.csv": self.spreadsheet,
            "/pack/{day}": self.page,
        }
        return tuple(
            Route(method, path, handler, Who.LAN)
            for path, handler in gets.items()
            for method in ("GET", "HEAD")
        )

    async def page(self, request: web.Request) -> web.Response:
        """Show all sheets, ready for the printer."""
        one = self._day(request)
        private, me = _private(request, one), identity_of(request)

        def draw() -> str:
            pack = self.pack(one, private=private)
            return self._pages.draw("pack.html", "book", pack=pack, day=one.isoformat(), me=me)

        body = self._cache.get(("pack", one, me), draw)
        return web.Response(body=body, content_type="text/html", charset="utf-8")

    async def pdf(self, request: web.Request) -> web.Response:
        """Give all sheets as PDF; ``?paper=Letter`` for that size."""
        try:
            paper = Paper(request.query.get("paper", self._settings.paper))
        except ValueError:
            raise web.HTTPBadRequest from None
        one = self._day(request)
        try:
            body = await self.pdf_of(self.pack(one, private=_private(request, one)), paper)
        except PdfError as error:
            return refusal(self._pages, error)
        return _file(body, "application/pdf", f"day-pack-{one.isoformat()}.pdf", "inline")

    async def pdf_of(self, pack: Pack, paper: Paper) -> bytes:
        """Draw a pack, one at a time; raises PdfError."""
        async with self._one_pdf:
            asked = (pack, paper)
            if self._last is None or self._last[0] != asked:
                self._last = asked, await make_pdf(pack, paper)
            return self._last[1]

    async def calendar(self, request: web.Request) -> web.Response:
        """Give the day as a calendar file."""
        day, lines, now = self._drawn(request)
        text = day_ics(day, lines, now.at.wall)
        name = f"appointments-{day.day.isoformat()}.ics"
        return _file(text.encode(), "text/calendar", name, "attachment")

    async def spreadsheet(self, request: web.Request) -> web.Response:
        """Give the day as a spreadsheet."""
        day, lines, _ = self._drawn(request)
        text = day_csv(day, lines)
        name = f"appointments-{day.day.isoformat()}.csv"
        return _file(text.encode(), "text/csv", name, "attachment")

    def pack(self, one: date, *, private: bool = False) -> Pack:
        """Put the sheets of a day together as they are now."""
        states, now, local = self._states(), self._board.now(), self._local
        vendor = self._settings.vendor_name or NO_VENDOR
        today = local.day(now.at.wall)
        made = f"{long_date(today)} {today.year}, {local.clock(now.at.wall)}"
        made = made if now.wall_known else "at a time not known"
        more = Enclosed(
            price_lists(states, now, local, self._board.own_prices),
            contacts_model(self._settings.contacts, vendor),
            self.owed(),
            *((warnings_of(states), notes_of(states)) if private else ()),
        )
        return day_pack(
            self._pages.day(one),
            source_lines(states, now, local),
            more,
            Printer(self._settings.studio_name, vendor, made),
        )

    def _drawn(self, request: web.Request) -> tuple[BookDay, tuple[SourceLine, ...], Now]:
        states, now = self._states(), self._board.now()
        day = self._pages.day(self._day(request))
        return day, source_lines(states, now, self._local), now

    def _states(self) -> tuple[SourceState, ...]:
        return tuple(self._board.sources.values())

    def _day(self, request: web.Request) -> date:
        return self._book.day_named(request.match_info["day"])


def owed_on_paper(entries: Sequence[Entry]) -> tuple[Owed, ...]:
    """Give what the paper journal says is still to be paid."""
    return tuple(
        Owed(one.entry.name, one.client, _what(one.entry), money(one.left), one.contact)
        for one in debts(entries)
        if one.left.minor > 0 and one.entry.state is not State.WRITTEN_OFF
    )


def _what(entry: Entry) -> str:
    """Say for what it is owed."""
    content = entry.draft.content if entry.draft else None
    if isinstance(content, Sale) and content.lines:
        return ", ".join(line.name for line in content.lines)
    return str(entry.draft.kind) if entry.draft else ""


def _private(request: web.Request, one: date) -> bool:
    """Tell whether warnings may be shown, and have it noted that they were."""
    private = identity_of(request).sees_private
    if private:
        showed_private(request, "day pack", one.isoformat())
    return private


def _file(body: bytes, content_type: str, name: str, how: str) -> web.Response:
    response = web.Response(body=body, content_type=content_type)
    if content_type.startswith("text/"):
        response.charset = "utf-8"
    response.headers["Content-Disposition"] = f'{how}; filename="{name}"'
    return response
