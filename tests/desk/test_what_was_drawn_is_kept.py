"""Days and pieces of pages are drawn once, are right at every minute, and go when the list goes."""

import dataclasses
import itertools
import json
from datetime import date

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.desk.book import book_day
from edge_watchdog.desk.day import desk_days
from edge_watchdog.desk.pages import Page
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.shelf import Pieces, Shelf
from tests.desk.books import Book, busy_day, visit
from tests.desk.studio import ZONE, view

TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)
LOCAL = Local(ZONE)


def full() -> Book:
    book = Book()
    book.hold(*busy_day(TODAY), *busy_day(TOMORROW))
    return book


def test_a_kept_day_looks_at_every_minute_as_if_it_were_drawn_then() -> None:
    states = tuple(full().board.sources.values())
    shelf, midnight = Shelf(LOCAL), Span(TODAY, 1, ZONE).start_wall
    for minute in (*range(0, 25 * 60, 55), 600, 60, 720):  # the clock may be put back, too
        wall = midnight + 60 * minute
        for known in (True, False):
            now = Now(Instant(1.0, wall), "boot", known)
            for day in (TODAY, TOMORROW):
                assert shelf.day(states, day, now) == book_day(states, day, now, LOCAL)
            assert shelf.desk(states, now) == desk_days(states, now, LOCAL)


def test_between_two_appointments_nothing_is_drawn_anew() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), visit(TODAY, 15))
    first, desk = book.pages.day(TODAY), book.pages._model().days
    book.clock.step(3600)
    book.hold(visit(TODAY, 9), visit(TODAY, 15))  # the same list, fetched again
    assert book.pages.day(TODAY) is first
    assert book.pages._model().days is desk
    book.clock.step(2.25 * 3600)
    assert [one.tag for one in book.pages.day(TODAY).entries] == ["past", "now"]


def test_another_list_shows_at_once() -> None:
    book = full()
    assert "Zelda" not in book.pages.page(Page.DESK)
    book.hold(*busy_day(TODAY), visit(TODAY, 16.5, client="Zelda Q."))
    assert "Zelda Q." in book.pages.page(Page.DESK)
    assert "Zelda Q." in [one.client for one in book.pages.day(TODAY).entries]


def test_a_piece_is_drawn_once_and_forgotten_when_two_lists_do_without_it() -> None:
    pieces = Pieces()
    drawn: list[str] = []

    def get(name: str) -> str:
        def draw() -> str:
            drawn.append(name)
            return f"<p>{name}</p>"

        return pieces.get(name, draw)

    assert get("Anna B.") == get("Anna B.") == "<p>Anna B.</p>"
    pieces.turn()
    get("Anna B.")
    pieces.turn()
    get("Beth C.")
    assert drawn == ["Anna B.", "Beth C."]
    pieces.turn()
    get("Anna B.")
    assert drawn == ["Anna B.", "Beth C.", "Anna B."]


def test_pieces_never_grow_without_end() -> None:
    pieces = Pieces(most=10)
    for number in range(100):
        pieces.get(number, lambda: "x")
    assert sum(map(len, (pieces._young, pieces._old))) <= 20


def test_who_left_the_list_is_in_no_kept_page_two_lists_later() -> None:
    book = Book()
    for client in ("Zelda Q.", "Beth C.", "Carol D."):
        book.put("x", Span(TODAY, 2, ZONE), Reading((visit(TODAY, 9, client=client),)))
        book.pages.page(Page.DESK)
        book.pages.day(TODAY)
    shelf = book.pages._shelf
    assert "Carol" in repr(shelf.pieces._young)
    assert "Zelda" not in repr((shelf.pieces._young, shelf.pieces._old, shelf._present))
    assert "Zelda" not in repr((book.pages._modelled, book.pages._drawn))


def test_a_kept_page_ends_with_whatever_it_shows() -> None:
    book = full()
    seen = [book.pages.still()]
    book.clock.step(60)
    seen.append(book.pages.still())
    book.board.hear(view(Standing.OFFLINE))
    seen.append(book.pages.still())
    book.board.notices = ("The disk refuses.",)
    seen.append(book.pages.still())
    book.board.paper_turn += 1
    seen.append(book.pages.still())
    book.hold(visit(TODAY, 9))
    seen.append(book.pages.still())
    assert all(one != other for one, other in itertools.pairwise(seen))


def test_what_a_page_does_not_show_leaves_it_as_it_is() -> None:
    book = full()
    book.board.hear(view(Standing.NORMAL))
    before = book.pages.still()
    shown = view(Standing.NORMAL)
    faster = dataclasses.replace(shown.uplinks[0], rtt_s=0.123)
    book.board.hear(dataclasses.replace(shown, uplinks=(faster, *shown.uplinks[1:])))
    assert book.pages.still() == before


async def test_a_stream_says_only_what_is_new() -> None:
    book = full()
    async with book.client() as client, client.get("/live") as answer:

        async def next_view() -> dict[str, str]:
            while await answer.content.readline() != b"event: view\n":
                pass
            said: dict[str, dict[str, str]] = json.loads((await answer.content.readline())[6:])
            return said["parts"]

        assert set(await next_view()) == {"today", "status", "sources", "day", "title"}
        book.board.hear(view(Standing.OFFLINE))
        assert set(await next_view()) == {"status", "title"}
        async with client.get("/view.json") as polled:
            assert set((await polled.json())["parts"]) == {
                "today",
                "status",
                "sources",
                "day",
                "title",
            }
        book.hold(visit(TODAY, 16, client="Zelda Q."))
        later = await next_view()
        assert "Zelda Q." in later["day"]
        assert "status" not in later


async def test_who_polls_again_is_told_that_it_is_still_the_same() -> None:
    book = full()
    book.board.hear(view(Standing.NORMAL))
    async with book.client() as client:
        async with client.get("/view.json") as first:
            assert first.status == 200
            tag = first.headers["ETag"]
        async with client.get("/view.json", headers={"If-None-Match": tag}) as again:
            assert again.status == 304
            assert await again.read() == b""
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == "no-store"
        async with client.get("/view.json", headers={"If-None-Match": '"other"'}) as other:
            assert other.status == 200
        book.board.hear(view(Standing.OFFLINE))
        async with client.get("/view.json", headers={"If-None-Match": tag}) as later:
            assert "No internet." in (await later.json())["parts"]["status"]
            assert later.headers["ETag"] != tag
