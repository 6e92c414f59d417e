"""The day book's pages: what they show to whom, how old they say it is, what they never show."""

import dataclasses
import re
from datetime import date

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.freshness import Now, Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.model import Money, PriceItem, Status
from edge_watchdog.daybook.price_list import OwnList
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.access import Identity, Who
from edge_watchdog.desk.book import By, book_day, days_held, grouped, matching, money
from edge_watchdog.desk.phrases import Local
from tests.desk.books import CLIENT, PRICES, Book, busy_day, visit, yoga
from tests.desk.studio import NOON, ZONE, view

TODAY, TOMORROW, MONDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)
LOCAL = Local(ZONE)
MIA = Identity(Who.STAFF, "Mia", "desk PC", secure=True)
PAGES = ("/book", "/book?by=time", "/book?by=room", "/book?by=classes", "/next", "/book/copy.html")


def words(markup: str) -> str:
    plain = " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", markup, flags=re.DOTALL).split())
    return re.sub(r" ([,.:;)])", r"\1", plain.replace("&ldquo;", '"').replace("&rdquo;", '"'))


async def asked(book: Book, path: str, status: int = 200) -> str:
    async with book.client() as client, client.get(path) as answer:
        assert answer.status == status
        return await answer.text()


def drawn(*visits, day: date = TODAY, wall: float = NOON, known: bool = True):
    stamp = Stamp(Instant(1.0, NOON), "boot")
    span = Span(TODAY, 3, ZONE)
    rows = tuple(sorted(visits, key=lambda one: one.start_wall))
    state = SourceState("x", Snapshot("x", span, stamp, stamp, "", "", Reading(rows)))
    return book_day([state], day, Now(Instant(1.0, wall), "boot", known), LOCAL)


def test_the_same_day_stands_by_member_by_time_by_room_and_by_class() -> None:
    tom = visit(TODAY, 8, member="Tom", room="")
    entries = drawn(visit(TODAY, 9), yoga(TODAY, 10), tom).entries
    assert {
        by: [(group.name, [one.start for one in group.entries]) for group in grouped(entries, by)]
        for by in By
    } == {
        By.STAFF: [("Mia", ["09:00"]), ("Ravi", ["10:00"]), ("Tom", ["08:00"])],
        By.TIME: [("", ["08:00", "09:00", "10:00"])],
        By.ROOM: [("Chair 1", ["09:00"]), ("Lotus", ["10:00"]), ("No room given", ["08:00"])],
        By.CLASSES: [("Slow yoga", ["10:00"])],
    }


@pytest.mark.parametrize(
    "capacity, booked, said",
    [
        (10, 2, "2 of 10 booked, 8 left"),
        (10, 10, "10 of 10 booked, full"),
        (10, 12, "12 of 10 booked, full"),
        (None, 4, "4 booked"),
        (10, None, "2 of 10 booked, 8 left"),
    ],
)
def test_a_class_says_how_full_it_is(capacity, booked, said) -> None:
    lesson = dataclasses.replace(yoga(TODAY, 10), capacity=capacity, booked=booked)
    assert drawn(lesson).entries[0].places == said


def test_a_class_of_which_only_the_size_is_known_guesses_nothing() -> None:
    lesson = dataclasses.replace(yoga(TODAY, 10), booked=None, attendees=())
    (one,) = drawn(lesson).entries
    assert (one.places, one.free) == ("10 places, bookings not known", None)


def test_who_cancelled_is_neither_now_nor_next() -> None:
    off = visit(TODAY, 13, status=Status.CANCELLED)
    entries = drawn(visit(TODAY, 9), off, visit(TODAY, 14), visit(TODAY, 11.5)).entries
    assert [(one.start, one.tag) for one in entries] == [
        ("09:00", "past"),
        ("11:30", "now"),
        ("13:00", ""),
        ("14:00", "next"),
    ]


@pytest.mark.parametrize(
    "wanted, count",
    [("ANNA", 1), ("zoe", 1), ("anna zoe", 0), ("ravi", 1), ("carol", 1), ("chair 2", 1), ("", 3)],
)
def test_a_search_finds_names_services_staff_and_who_is_in_a_class(wanted, count) -> None:
    other = visit(TODAY, 8, client="Zo\u00eb C.", room="Chair 2")
    assert len(matching(drawn(visit(TODAY, 9), other, yoga(TODAY, 10)).entries, wanted)) == count


@pytest.mark.parametrize(
    "minor, currency, text",
    [
        (4500, "GBP", "\u00a345.00"),
        (-5, "EUR", "-0.05 \u20ac"),
        (1200, "JPY", "1200 JPY"),
        (950, "SEK", "9.50 SEK"),
        (450_000, "HUF", "4500.00 HUF"),
        (1250, "KWD", "1.250 KWD"),
    ],
)
def test_amounts_are_written_with_their_currency(minor, currency, text) -> None:
    assert money(Money(minor, currency)).replace("\u20ac-0.05", "-0.05 \u20ac") == text


def test_every_day_that_is_held_can_be_chosen() -> None:
    book = Book()
    now = book.board.now()
    assert days_held((), now, LOCAL) == (TODAY, TOMORROW)
    book.hold(days=3)
    assert days_held(tuple(book.board.sources.values()), now, LOCAL) == (TODAY, TOMORROW, MONDAY)


def test_with_a_clock_that_is_not_set_the_days_that_are_held_are_shown() -> None:
    book = Book()
    book.hold(days=2)
    lost = Now(Instant(1.0, NOON - 4e7), "boot 2", wall_known=False)
    assert days_held(tuple(book.board.sources.values()), lost, LOCAL) == (TODAY, TOMORROW)


async def test_the_book_shows_a_day_and_its_links_work_without_javascript() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), visit(MONDAY, 10, client="Beth C."))
    page = await asked(book, "/book")
    assert "Today, Saturday 21 November" in words(page)
    assert "Anna B. Cut and blow-dry" in words(page)
    monday = re.findall(r'href="([^"]+)"[^>]*>Monday 23<', page)[0].replace("&amp;", "&")
    page = words(await asked(book, monday))
    assert "Beth C." in page
    assert "Anna B." not in page


async def test_a_search_looks_through_every_day() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), visit(MONDAY, 10), visit(TOMORROW, 9, client="Beth C."))
    page = words(await asked(book, "/book?q=anna"))
    assert 'Found for "anna"' in page
    assert "Today, Saturday 21 November" in page
    assert "Monday 23 November" in page
    assert "Beth C." not in page
    assert "Nothing found" in await asked(book, "/book?q=nobody")


async def test_one_members_list_can_be_seen_alone() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), visit(TODAY, 10, member="Tom", client="Beth C."))
    page = words(await asked(book, "/book?staff=Tom"))
    assert "Beth C." in page
    assert "Anna B." not in page
    assert "Sam has no appointments on this day." in await asked(book, "/book?staff=Sam")


async def test_a_class_shows_its_sign_in_list_and_places() -> None:
    book = Book()
    book.hold(yoga(TODAY, 10))
    page = words(await asked(book, "/book?by=classes"))
    for piece in ("Slow yoga", "2 of 10 booked, 8 left", "Beth C.", "with Ravi, Lotus", "arrived"):
        assert piece in page


@pytest.mark.parametrize("path", [*PAGES, "/prices"])
async def test_every_page_says_how_old_it_is_and_that_it_is_a_copy(path) -> None:
    book = Book()
    book.hold(visit(TODAY, 12.5), prices=PRICES)
    book.clock.step(7800)
    page = words(await asked(book, path))
    assert "as of 12:00 (2 h 10 min ago)" in page
    assert "complete" in page
    assert "front desk" in page
    assert "copy" in page.lower()


@pytest.mark.parametrize("path", PAGES)
async def test_an_age_that_cannot_be_known_is_said_in_words(path) -> None:
    book = Book()
    stamp = Stamp(Instant(5.0, NOON), "an earlier boot")
    good = Snapshot("front desk", Span(TODAY, 2, ZONE), stamp, stamp, "", "", Reading(()))
    book.board.put(SourceState("front desk", good))
    book.board.hear(view(Standing.NORMAL, wall_known=False))
    page = words(await asked(book, path))
    assert "age unknown, clock not set" in page
    assert "ago" not in page


async def test_programs_get_the_book_with_its_age() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), yoga(TODAY, 10), rejected=1)
    book.clock.step(600)
    async with book.client() as client, client.get("/book.json") as answer:
        said = await answer.json()
        assert answer.headers["X-As-Of"] == "2026-11-21T12:00:00+00:00"
    wanted = {
        "as_of": "2026-11-21T12:00:00+00:00",
        "age_s": 600,
        "complete": False,
        "source": "front desk",
        "tz": ZONE,
        "read_only": True,
        "words": "as of 12:00 (10 min ago), front desk, not complete",
    }
    assert {name: said[name] for name in wanted} == wanted
    first, lesson = said["days"][0]["appointments"]
    assert (first["start"], first["client"]) == ("2026-11-21T09:00:00+00:00", "Anna B.")
    assert (lesson["capacity"], lesson["booked"], lesson["left"]) == (10, 2, 8)
    assert "c-anna" not in str(said)


async def test_a_book_without_a_source_has_no_age() -> None:
    async with Book().client() as client, client.get("/book.json") as answer:
        said = await answer.json()
    assert (said["as_of"], said["age_s"], said["complete"]) == (None, None, False)
    assert said["words"] == "no appointment list is set up"


async def test_who_is_here_and_who_comes_next() -> None:
    book = Book()
    off = visit(TODAY, 12.2, client="Gina H.", status=Status.CANCELLED)
    many = [visit(TODAY, 15 + n / 4, client="Hana I.", key=f"h{n}") for n in range(4)]
    coming = visit(TODAY, 12.5, client="Beth C.", member="Tom")
    book.hold(visit(TODAY, 11.5), coming, off, *many)
    page = words(await asked(book, "/next?kiosk=1"))
    now, _, following = page.partition("Next")
    assert "11:30 Anna B. Cut and blow-dry with Mia, Chair 1, until 12:15" in now
    assert "12:30 Beth C. Cut and blow-dry with Tom" in following
    assert "Gina H." not in page
    assert "4 more later today." in page


async def test_with_a_clock_that_is_not_set_nobody_is_said_to_come() -> None:
    book = Book()
    book.hold(visit(TODAY, 12.5))
    book.board.hear(view(Standing.NORMAL, wall_known=False))
    page = words(await asked(book, "/next"))
    assert "cannot tell who comes next" in page
    assert "Anna B." not in page


async def test_prices_stand_with_their_date() -> None:
    book = Book()
    assert "No price list has come" in await asked(book, "/prices")
    oil = PriceItem("Almond oil", Money(999, "GBP"), is_product=True)
    book.board.own_prices = (OwnList("prices.csv", (oil,), NOON - 20 * 86400),)
    page = words(await asked(book, "/prices"))
    assert "Prices as of 1 November 2026, your own list prices.csv" in page
    assert "Almond oil \u00a39.99" in page
    bad = dataclasses.replace(book.board.own_prices[0], problems=("line 3: write a name",))
    book.board.own_prices = (bad,)
    page = words(await asked(book, "/prices"))
    assert "has a mistake, so it was not taken over. The last good one is shown." in page
    assert "prices.csv, line 3: write a name." in page
    assert "Almond oil" in words(await asked(book, "/pack/today"))
    book.hold(prices=PRICES)
    assert "used when the appointments bring none" in await asked(book, "/prices")
    assert "Almond oil" not in words(await asked(book, "/pack/today"))
    page = words(await asked(book, "/prices"))
    for piece in (
        "Cut and blow-dry 45 min \u00a345.00",
        "Consultation 15 min not given",
        "Products",
    ):
        assert piece in page


async def test_contacts_are_what_was_noted_and_the_steps_always_help() -> None:
    page = words(await asked(Book(), "/contacts"))
    assert "BookWell support 01632 960111" in page
    assert "Personal Hotspot" in page
    assert '<a href="tel:01632960111">01632 960111</a>, Mon-Fri 9-17' in await asked(
        Book(), "/contacts"
    )
    other = Book()
    bare = words(await asked(Book(contacts=other.settings.contacts.__class__()), "/contacts"))
    assert "not noted yet" in bare


@pytest.mark.parametrize("path", [*PAGES, "/book.json", "/prices", "/contacts"])
@pytest.mark.parametrize(
    "identity",
    [Identity(), Identity(Who.DEVICE, device="x"), dataclasses.replace(MIA, secure=False)],
)
async def test_no_page_shows_a_telephone_number_or_a_note_to_who_may_not_see_it(
    path, identity
) -> None:
    book = Book(identity)
    book.hold(visit(TODAY, 12.5), clients=(CLIENT,))
    page = await asked(book, path)
    for private in ("960123", "PPD", "allergy", "Bell", "c-anna", "anna@"):
        assert private not in page


async def test_a_signed_in_member_sees_the_card_and_the_look_is_noted() -> None:
    book = Book(MIA)
    book.hold(visit(TODAY, 12.5), clients=(CLIENT,))
    page = await asked(book, "/book")
    assert 'href="/client/c-anna"' in page
    assert "allergy, patch test" in page
    assert book.looked == [(MIA, "book", "2026-11-21")]
    card = words(await asked(book, "/client/c-anna"))
    for piece in (
        "Anna Bell",
        "01632 960123",
        "Allergy (2 March 2026): Hair dye containing PPD",
        "1 September 2026 6/0 + 7/3",
        "Saturday 21, 12:30: Cut and blow-dry with Mia (confirmed)",
    ):
        assert piece in card
    assert card.index("1 September") < card.index("1 June")
    assert book.looked[1:] == [(MIA, "client", "c-anna")]
    await asked(book, "/client/nobody", 404)
    assert len(book.looked) == 2


@pytest.mark.parametrize(
    "identity, status, said",
    [
        (Identity(), 401, "sign in"),
        (Identity(Who.DEVICE, secure=True), 401, "sign in"),
        (dataclasses.replace(MIA, secure=False), 403, "https://"),
    ],
)
async def test_a_card_that_may_not_be_seen_says_why(identity, status, said) -> None:
    book = Book(identity)
    book.hold(visit(TODAY, 12.5), clients=(CLIENT,))
    page = await asked(book, "/client/c-anna", status)
    assert said in page
    assert "Anna" not in page
    assert book.looked == []


async def test_pages_drawn_for_a_member_never_reach_somebody_else() -> None:
    book = Book(MIA)
    book.hold(visit(TODAY, 12.5), clients=(CLIENT,))
    assert "/client/" in await asked(book, "/book")
    book.identity = Identity()
    assert "/client/" not in await asked(book, "/book")


async def test_a_page_is_drawn_again_when_something_changed() -> None:
    book = Book()
    book.hold(visit(TODAY, 12.5))
    assert "Anna B." in await asked(book, "/book")
    book.hold(visit(TODAY, 12.5, client="Beth C."))
    assert "Beth C." in await asked(book, "/book")


@pytest.mark.parametrize("path", ["/book?day=31-02", "/book?day=2026-02-31"])
async def test_a_day_that_is_none_is_refused(path) -> None:
    await asked(Book(), path, 400)


async def test_a_day_that_is_not_held_says_so() -> None:
    book = Book()
    book.hold(visit(TODAY, 9), days=2)
    page = words(await asked(book, "/book?day=2026-12-24"))
    assert "Thursday 24 December is not known yet from front desk." in page


async def test_a_kept_copy_is_one_file_that_needs_nothing_else() -> None:
    book = Book()
    book.hold(*busy_day(TODAY))
    async with book.client() as client, client.get("/book/copy.html") as answer:
        page = await answer.text()
        assert "appointments-2026-11-21.html" in answer.headers["Content-Disposition"]
    assert not re.findall(r"<script|<link|(?:src|href)=", page)
    assert "Saturday 21 November" in page


@pytest.mark.parametrize(
    "identity, led",
    [(Identity(), False), (Identity(Who.DEVICE), False), (Identity(Who.STAFF, "Mia"), True)],
)
async def test_only_a_signed_in_member_is_led_from_a_row_to_the_paper(identity, led) -> None:
    book = Book(identity)
    book.hold(visit(TODAY, 14.5))
    shown = await asked(book, "/book")
    assert (f'href="/paper/new?kind=check-in&amp;key={TODAY}-14.5"' in shown) is led
    assert "/paper/new" not in await asked(book, "/book/copy.html")
