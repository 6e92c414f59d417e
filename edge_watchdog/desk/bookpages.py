"""The pages of the day book: the book, who comes next, prices, contacts, a client's card.

Requests in, pages out.  Everybody on the LAN sees the low-detail book; what is private needs a
signed-in team member on a secure connection, and each look at it is noted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.desk.access import Identity, Route, Who, identity_of, showed_private
from edge_watchdog.desk.answers import html
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.book import (
    WHOLE_STUDIO,
    BookDay,
    By,
    Entry,
    Group,
    days_held,
    grouped,
    matching,
    weekday,
)
from edge_watchdog.desk.booked import book_json, copy_day, oldest
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.clients import card_of, find_client, price_facts, price_lists, warnings_of
from edge_watchdog.desk.contacts import contacts_model
from edge_watchdog.desk.day import source_lines
from edge_watchdog.desk.forms import own_path, sign_in_for
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.phrases import NO_VENDOR, Local
from edge_watchdog.desk.settings import DeskSettings

QUERY_CHARS = 60
SOON_S = 90 * 60.0
MOST_NEXT = 10
BY_WORDS = {
    By.STAFF: "By team member",
    By.TIME: "By time",
    By.ROOM: "By room",
    By.CLASSES: "Classes",
}
NOT_SECURE = (
    "Telephone numbers and notes are shown over the secure address only (https://), "
    "so that nobody on the network can read along. Open the book there and sign in."
)
NO_CLIENT = "This client is not in the days that are kept here, or the details are not kept."


@dataclass(frozen=True, slots=True)
class Link:
    """One choice; *here* tells that it is the present one."""

    text: str
    url: str
    here: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One day as the book shows it."""

    title: str
    date: str
    groups: tuple[Group, ...]
    missing: tuple[str, ...]
    empty: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants to see."""

    day: date
    by: By
    staff: str
    wanted: str

    def url(self, **changes: object) -> str:
        """Give the address of the book with something else wanted."""
        query = {"day": self.day.isoformat(), "by": str(self.by)}
        query |= {"staff": self.staff} if self.staff else {}
        query |= {"q": self.wanted} if self.wanted else {}
        query |= {name: str(value) for name, value in changes.items()}
        return "/book?" + urlencode({name: value for name, value in query.items() if value})


class BookPages:
    """Answers for the day book."""

    def __init__(
        self,
        settings: DeskSettings,
        pages: Pages,
        board: Board,
        cache: PageCache,
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._board = board
        self._cache = cache
        self._local = Local(settings.time_zone)

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        gets = {
            "/book": (self.book, Who.LAN),
            "/book.json": (self.as_json, Who.LAN),
            "/book/copy.html": (self.copy, Who.LAN),
            "/book/print": (self.to_print, Who.LAN),
            "/next": (self.coming, Who.LAN),
            "/prices": (self.prices, Who.LAN),
            "/contacts": (self.contacts, Who.LAN),
            "/client/{key}": (self.client, Who.STAFF),
        }
        return tuple(
            Route(method, path, handler, who)
            for path, (handler, who) in gets.items()
            for method in ("GET", "HEAD")
        )

    async def book(self, request: web.Request) -> web.Response:
        """Show the book."""
        asked = self._asked(request)
        identity = identity_of(request)
        if identity.sees_private:
            showed_private(request, "book", asked.day.isoformat())
        return self._page(request, lambda: self._draw_book(asked, identity))

    async def coming(self, request: web.Request) -> web.Response:
        """Show who is here and who comes next."""
        kiosk = request.query.get("kiosk") == "1"
        identity = identity_of(request)
        if identity.sees_private:
            showed_private(request, "next")
        return self._page(request, lambda: self._draw_next(identity, kiosk=kiosk))

    async def prices(self, request: web.Request) -> web.Response:
        """Show the price list."""
        own, states, now = self._board.own_prices, self._states(), self._board.now()

        def draw() -> str:
            used = not any(one.good and one.good.reading.prices for one in states)
            return self._pages.draw(
                "prices.html",
                "prices",
                me=identity_of(request),
                lists=price_lists(states, now, self._local, own),
                facts=price_facts(own, used=used),
            )

        return self._page(request, draw)

    async def contacts(self, request: web.Request) -> web.Response:
        """Show whom to call."""
        vendor = self._settings.vendor_name or NO_VENDOR
        model = contacts_model(self._settings.contacts, vendor)
        return self._page(
            request,
            lambda: self._pages.draw(
                "contacts.html", "contacts", contacts=model, me=identity_of(request)
            ),
        )

    async def client(self, request: web.Request) -> web.Response:
        """Show a client's card, and note who looked; without HTTPS say why not."""
        identity = identity_of(request)
        if identity.secure and identity.locked:
            raise web.HTTPSeeOther(sign_in_for(own_path(request.path_qs)))
        if not identity.sees_private:
            return html(self._pages.error(403, NOT_SECURE), 403)
        found = find_client(self._states(), request.match_info["key"])
        if found is None:
            return html(self._pages.error(404, NO_CLIENT), 404)
        showed_private(request, "client", found.key)
        card = card_of(found, self._board.shown(), self._local)
        page = self._pages.draw(
            "client.html", "client", client=found, card=card, person=identity.person, me=identity
        )
        return html(page)

    async def as_json(self, request: web.Request) -> web.Response:
        """Give the low-detail book to programs."""
        states, now = self._states(), self._board.now()
        days = map(self._pages.day, days_held(states, now, self._local))
        return self._answer(
            request, lambda: book_json(states, tuple(days), now, self._local), "application/json"
        )

    async def copy(self, request: web.Request) -> web.Response:
        """Give the low-detail book as one file that needs nothing else."""
        days = [self._pages.day(one) for one in self._days()]
        response = self._answer(
            request,
            lambda: self._pages.draw("copy.html", "copy", days=list(map(copy_day, days))),
            "text/html",
        )
        name = f"appointments-{days[0].day.isoformat()}.html"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    async def to_print(self, _request: web.Request) -> web.Response:
        """Lead to the sheets for paper."""
        raise web.HTTPSeeOther("/pack/today")

    def _page(self, request: web.Request, draw: Callable[[], str]) -> web.Response:
        return self._answer(request, draw, "text/html")

    def _answer(
        self, request: web.Request, draw: Callable[[], str], content_type: str
    ) -> web.Response:
        """Answer, drawn once for everybody who is the same to us; say in a header how old it is."""
        body = self._cache.get((request.path_qs, identity_of(request)), draw)
        response = web.Response(body=body, content_type=content_type, charset="utf-8")
        as_of = oldest(source_lines(self._states(), self._board.now(), self._local), self._local)
        response.headers["X-As-Of"] = as_of or "not known"
        return response

    def _states(self) -> tuple[SourceState, ...]:
        return tuple(self._board.sources.values())

    def _days(self) -> tuple[date, ...]:
        return days_held(self._states(), self._board.now(), self._local)

    def _asked(self, request: web.Request) -> Asked:
        query = request.query
        day = self.day_named(query.get("day", "today"))
        try:
            by = By(query.get("by", By.STAFF))
        except ValueError:
            by = By.STAFF
        wanted = " ".join(query.get("q", "").split())[:QUERY_CHARS]
        return Asked(day, by, query.get("staff", "")[:QUERY_CHARS], wanted)

    def day_named(self, text: str) -> date:
        """Understand "today", "tomorrow", "next" or a date; raises HTTPBadRequest."""
        held = self._days()
        today = self._local.day(self._board.now().at.wall)
        if today not in held:  # the clock is not set: the first day that is held is the best guess
            today = held[0]
        later = [day for day in held if day > today]
        match text:
            case "today":
                return today
            case "tomorrow":
                return later[0] if later else today
            case "next":
                return later[-1] if later else today
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise web.HTTPBadRequest(reason="no such day") from None

    def _draw_book(self, asked: Asked, me: Identity) -> str:
        whole = self._pages.day(asked.day)
        days = [self._pages.day(one) for one in self._days()] if asked.wanted else [whole]
        shown = [self._shown(day, asked) for day in days]
        return self._pages.draw(
            "book.html",
            "book",
            days=[one for one in shown if one.groups] if asked.wanted else shown,
            wanted=asked.wanted,
            order=BY_WORDS[asked.by].lower(),
            by=str(By.TIME if asked.wanted and asked.by is not By.CLASSES else asked.by),
            me=me,
            private=me.sees_private,
            writes=me.may(Who.STAFF),
            alerts=warnings_of(self._states()) if me.sees_private else {},
            pack_day=asked.day.isoformat(),
            **self._links(asked, whole),
        )

    def _shown(self, day: BookDay, asked: Asked) -> Shown:
        found: Sequence[Entry] = day.entries
        if asked.wanted:
            found = matching(found, asked.wanted)
        if asked.staff:
            found = [one for one in found if (one.member or WHOLE_STUDIO) == asked.staff]
        by = By.TIME if asked.wanted and asked.by is not By.CLASSES else asked.by
        empty = "The calendar has no appointments for this day."
        if by is By.CLASSES and day.entries:
            empty = "The calendar has no classes for this day."
        elif asked.staff and day.entries:
            empty = f"{asked.staff} has no appointments on this day."
        return Shown(day.title, day.date, grouped(found, by), day.missing, empty)

    def _links(self, asked: Asked, whole: BookDay) -> Mapping[str, list[Link]]:
        today = self._local.day(self._board.now().at.wall)
        held = self._days()
        names = {0: "Today", 1: "Tomorrow"} if today in held else {}
        plain = Asked(asked.day, asked.by, asked.staff, "")
        return {
            "day_links": [
                Link(
                    names.get((one - today).days, weekday(one)),
                    plain.url(day=one.isoformat()),
                    one == asked.day and not asked.wanted,
                )
                for one in held
            ],
            "by_links": [
                Link(words, plain.url(by=str(by)), by is asked.by and not asked.wanted)
                for by, words in BY_WORDS.items()
            ],
            "staff_links": [
                Link("Everybody", plain.url(staff=""), not asked.staff),
                *(Link(name, plain.url(staff=name), name == asked.staff) for name in whole.members),
            ],
        }

    def _draw_next(self, me: Identity, *, kiosk: bool) -> str:
        now = self._board.now()
        day = self._pages.day(self._local.day(now.at.wall))
        timed = [one for one in day.entries if not one.is_all_day and not one.is_gone]
        coming = [one for one in timed if one.start_wall > now.at.wall]
        until = max(coming[0].start_wall, now.at.wall + SOON_S) if coming else 0.0
        soon = [one for one in coming if one.start_wall <= until][:MOST_NEXT]
        left = len(coming) - len(soon)
        return self._pages.draw(
            "next.html",
            "next",
            known=now.wall_known,
            present=[one for one in timed if one.tag == "now"],
            upcoming=soon,
            later=f"{left} more later today." if left else "",
            missing=day.missing,
            me=me,
            private=me.sees_private,
            alerts=warnings_of(self._states()) if me.sees_private else {},
            kiosk=kiosk,
        )
