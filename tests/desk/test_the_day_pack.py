"""The day pack: what is on its sheets, as page, PDF, calendar file and spreadsheet."""

import asyncio
import csv
import io
import os
import re
import sys
from datetime import date
from pathlib import Path

import aiohttp
import icalendar
import pytest

from edge_watchdog.config.hours import parse_hours
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.units import FilePath, Paper
from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.model import Attendee, Status
from edge_watchdog.daybook.paper import Kind
from edge_watchdog.daybook.registry import IcsOptions
from edge_watchdog.desk.access import Identity, Who
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.pack import BOX, Owed
from edge_watchdog.desk.packpages import owed_on_paper
from edge_watchdog.desk.pdf import PdfError, make_pdf
from edge_watchdog.desk.printing import Press, PrintError, due, keep_printing, print_pdf
from edge_watchdog.desk.settings import ScheduleSetting
from tests.daybook.papers import entry, payment
from tests.desk.books import CLIENT, PRICES, Book, FullBook, busy_day, visit, yoga
from tests.desk.pdfs import pages_of
from tests.desk.studio import NOON, ZONE, running

TODAY, TOMORROW, MONDAY = date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)
MIA = Identity(Who.STAFF, "Mia", "desk PC", secure=True)
SHOP = Opening(parse_hours("Mon-Sat 09:00-19:00").spans, ZONE)
HOUR = 3600.0


def held(*visits, **more) -> Book:
    book = Book(**more)
    book.hold(*visits, clients=(CLIENT,), prices=PRICES)
    return book


def sheets(book: Book, **more):
    return {sheet.title: sheet for sheet in book.packs.pack(TODAY, **more).sheets}


async def asked(book: Book, path: str, status: int = 200):
    async with book.client() as client, client.get(path) as answer:
        assert answer.status == status
        return await answer.read(), answer.headers


def test_a_pack_has_every_sheet_that_a_day_on_paper_needs() -> None:
    assert list(sheets(held(visit(TODAY, 9), yoga(TODAY, 10)))) == [
        "Day pack, Saturday 21 November",
        "Day sheet: Mia",
        "Day sheet: Ravi",
        "Class: 10:00\u201311:00 Slow yoga",
        "The whole studio, by time",
        "Prices",
        "Still to be paid",
        "Whom to call",
        "Bookings taken on paper",
        "Sales taken on paper",
    ]


def test_a_day_sheet_has_boxes_to_tick_and_no_box_for_who_cancelled() -> None:
    off = visit(TODAY, 11, status=Status.CANCELLED)
    rows = sheets(held(visit(TODAY, 9), visit(TODAY, 10, paid=True), off))["Day sheet: Mia"].rows
    assert rows[0] == (
        *("09:00\u201309:45", "Anna B.", "Cut and blow-dry", "45 min", "\u00a345.00", "", BOX, BOX),
    )
    assert rows[1][-1] == "yes"
    assert rows[2][2:] == ("Cut and blow-dry, cancelled", "45 min", "\u00a345.00", "", "", "")
    assert rows[3:] == (("", "", "", "", "", "", BOX, BOX),) * 3


def test_a_class_sheet_has_a_row_for_every_place_that_is_left() -> None:
    rows = sheets(held(yoga(TODAY, 10)))["Class: 10:00\u201311:00 Slow yoga"].rows
    assert [row[0] for row in rows[:3]] == ["Beth C.", "Carol D.", "Dana E."]
    assert len(rows) == 3 + 8
    assert rows[2][3] == ""


def test_warnings_are_on_a_pack_only_for_who_may_see_them() -> None:
    book = held(visit(TODAY, 9))
    book.owed = (Owed("P-0007", "Anna B.", "Shampoo", "\u00a312.50", "01632 960123"),)
    plain, private = sheets(book), sheets(book, private=True)
    assert plain["Day sheet: Mia"].rows[0][5] == ""
    assert private["Day sheet: Mia"].rows[0][5] == "allergy, patch test"
    assert plain["Still to be paid"].rows[0] == (
        *("P-0007", "Anna B.", "Shampoo", "\u00a312.50", "", BOX),
    )
    assert private["Still to be paid"].rows[0][4] == "01632 960123"
    assert "960123" not in str(plain)


def test_what_a_treatment_needs_to_know_is_on_paper_only_for_who_may_see_it() -> None:
    lesson = yoga(TODAY, 10, attendees=(Attendee("Anna B.", Status.BOOKED, "c-anna"),))
    off = visit(TODAY, 11, status=Status.CANCELLED)
    book = held(visit(TODAY, 9), lesson, off, visit(TODAY, 12, client_key="c-beth"))
    assert "Notes on clients, private" not in sheets(book)
    rows = sheets(book, private=True)["Notes on clients, private"].rows
    nine = ("09:00, 10:00", "Anna B.", "Mia, Ravi")  # once, however often
    assert rows[:4] == (
        (*nine, "allergy", "Hair dye containing PPD", "2 March 2026"),
        (*nine, "patch test", "Done, no reaction", "18 November 2026"),
        (*nine, "colour formula", "6/0 + 7/3, 20 vol, 35 min", "1 September 2026"),
        (*nine, "colour formula", "6/0, 20 vol", "1 June 2026"),
    )
    assert len(rows) == 5
    assert "Notes on clients, private" not in sheets(held(), private=True)


def test_what_is_owed_comes_from_the_paper_journal() -> None:
    owed, some = payment(Kind.PAYMENT_OWED, 4500), payment(Kind.PAYMENT_TAKEN, 500, parent=1)
    paid = (payment(Kind.PAYMENT_OWED, 900), payment(Kind.PAYMENT_TAKEN, 900, parent=3))
    entries = [entry(n, draft) for n, draft in enumerate((owed, some, *paid), 1)]
    assert [(one.number, one.client, one.amount) for one in owed_on_paper(entries)] == [
        ("P-0001", "Anna B.", "\u00a340.00")
    ]


def test_the_forms_are_blank_and_numbered() -> None:
    numbers: list[str] = []
    for title in ("Bookings taken on paper", "Sales taken on paper"):
        form = sheets(Book())[title]
        assert all(set(row[1:]) == {"", BOX} for row in form.rows)
        numbers += [row[0] for row in form.rows]
        assert len(form.rows) >= 12
        assert "Never write a card number" in form.notes[0]
    assert numbers == [f"F-{n}" for n in range(1, len(numbers) + 1)]


def test_every_sheet_has_as_many_cells_as_columns() -> None:
    for sheet in held(*busy_day(TODAY)).packs.pack(TODAY).sheets:
        assert len(sheet.shares) == len(sheet.columns)
        assert {len(row) for row in sheet.rows} <= {len(sheet.columns)}


async def test_the_page_says_at_the_foot_of_every_sheet_how_old_it_is() -> None:
    book = held(*busy_day(TODAY))
    book.clock.step(7800)
    page = (await asked(book, "/pack/today"))[0].decode()
    said = "as of 12:00 (2 h 10 min ago), front desk, complete. Made Saturday 21 November 2026,"
    assert page.count(said) == page.count('<section class="sheet') + page.count(
        '"foot screen-only"'
    )
    assert page.count(">Lotus Room, Saturday 21 November</p>") == page.count("studio-name")
    assert "For Saturday 21 November: as of 12:00" in page
    assert "960123" not in page
    assert "allergy" not in page


@pytest.mark.parametrize("paper, size", [(Paper.A4, (595, 842)), (Paper.LETTER, (612, 792))])
async def test_the_pdf_has_every_page_on_the_paper_that_is_there(paper, size) -> None:
    book = held(*busy_day(TODAY, 60), visit(TODAY, 9, client="\u0141ucja <b>", service="&"))
    body, headers = await asked(book, f"/pack/2026-11-21.pdf?paper={paper}")
    assert headers["Content-Type"] == "application/pdf"
    found = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", body)
    assert {(round(float(w)), round(float(h))) for w, h in found} == {size}
    assert len(found) >= 12
    pages = pages_of(body)
    for number, page in enumerate(pages, 1):
        assert page.startswith("Lotus Room, Saturday 21 November: "), page
        assert "For Saturday 21 November: as of 12:00 (just now), front desk, complete." in page
        assert page.endswith(f"page {number} of {len(pages)}")
    whole = [page for page in pages if ": The whole studio, by time, " in page]
    assert len(whole) >= 2
    for number, page in enumerate(whole, 1):
        assert f": The whole studio, by time, {number} of {len(whole)} " in page


async def test_lists_from_many_places_do_not_push_the_age_off_the_page() -> None:
    book, names = (
        held(visit(TODAY, 9)),
        [f"calendar of the treatment room number {n}" for n in range(5)],
    )
    for name in names:
        book.put(name, Span(TODAY, 3, ZONE), Reading(()))
    for page in pages_of((await asked(book, "/pack/today.pdf"))[0]):
        assert all(name in page for name in names)
        assert "Made Saturday 21 November 2026, 12:00." in page


async def test_a_pdf_is_drawn_once_for_everybody_who_asks() -> None:
    book = held(visit(TODAY, 9))
    first, again = book.packs.pack(TODAY), book.packs.pack(TODAY)
    made = await book.packs.pdf_of(first, Paper.A4)
    assert await book.packs.pdf_of(again, Paper.A4) is made


async def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(PdfError, match="from the browser"):
        await make_pdf(held(visit(TODAY, 9)).packs.pack(TODAY), Paper.A4, deadline_s=0.0)


@pytest.mark.parametrize(
    "path", ["/pack/31-02", "/pack/2026-13-01.csv", "/pack/today.pdf?paper=A5"]
)
async def test_what_is_no_day_or_no_paper_is_refused(path) -> None:
    await asked(held(), path, 400)


async def test_a_spreadsheet_has_a_row_for_each_and_runs_nothing() -> None:
    evil = visit(TODAY, 10, client="=HYPERLINK(1)", service="+1", member="@x", room="-2\t3")
    body, headers = await asked(held(visit(TODAY, 9), evil), "/pack/today.csv")
    assert headers["Content-Disposition"] == 'attachment; filename="appointments-2026-11-21.csv"'
    head, first, second = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    assert len(head) == len(first) == len(second)
    assert first[:5] == ["2026-11-21", "09:00", "09:45", "45", "Anna B."]
    assert first[-1] == "as of 12:00 (just now), front desk, complete"
    assert second[4:8] == ["'=HYPERLINK(1)", "'+1", "'@x", "'-2\t3"]


async def test_a_calendar_file_is_read_back_by_a_calendar() -> None:
    off = visit(TODAY, 13, status=Status.CANCELLED, service="Cut, wash; dry\\x " + "\u00e9" * 60)
    leave = visit(TODAY, 0, all_day=True, service="Leave", client="")
    body, _ = await asked(held(visit(TODAY, 9), off, leave, yoga(TODAY, 10)), "/pack/today.ics")
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert [str(one["SUMMARY"]) for one in events][1:3] == [
        "Cut and blow-dry - Anna B.",
        "Slow yoga",
    ]
    assert str(events[3]["SUMMARY"]).startswith("Cut, wash; dry\\x \u00e9")
    assert str(events[3]["STATUS"]) == "CANCELLED"
    assert [one["DTSTART"].to_ical() for one in events[:2]] == [b"20261121", b"20261121T090000Z"]


@pytest.mark.parametrize(
    "at_h, printed, wanted",
    [
        (12, None, None),  # open
        (19, None, MONDAY),
        (21.9, None, MONDAY),
        (22.1, None, None),  # too late, and too early for the morning
        (24 + 24 + 7.5, None, MONDAY),
        (19, TODAY, MONDAY),
        (19, MONDAY, None),
    ],
)
def test_the_next_open_days_pack_is_due_at_closing_time_once(at_h, printed, wanted) -> None:
    now = Now(Instant(1.0, NOON + (at_h - 12) * HOUR), "boot")
    assert due(SHOP, now, printed) == wanted


def test_without_a_clock_or_opening_hours_nothing_is_printed() -> None:
    closed = Instant(1.0, NOON + 7.5 * HOUR)
    assert due(SHOP, Now(closed, "boot", wall_known=False), None) is None
    assert due(Opening((), ZONE), Now(closed, "boot"), None) is None


def printer(folder: Path, code: int = 0) -> tuple[str, ...]:
    """Give a program that takes a PDF as a printer's would."""
    taken = f"open({str(folder / 'taken')!r}, 'ab').write(sys.stdin.buffer.read())"
    return (sys.executable, "-c", f"import sys; {taken}; sys.exit({code})")


@pytest.mark.parametrize("code, said", [(0, ""), (3, "refused it (exit code 3)")])
async def test_a_pack_is_printed_once_also_over_a_restart(tmp_path, code, said) -> None:
    complaints: list[str] = []
    looks: list[Now] = []

    async def draw(day: date) -> bytes:
        assert day == MONDAY
        return b"%PDF"

    def now() -> Now:
        looks.append(Now(Instant(1.0, NOON + 7.1 * HOUR), "boot"))
        return looks[-1]

    note = tmp_path / "printed.json"
    press = Press(printer(tmp_path, code), note, draw, lambda _day: True, complaints.append)
    for run, tries in enumerate((1, 1 if code == 0 else 2), 1):
        keeping = asyncio.create_task(keep_printing(press, SHOP, now))
        async with asyncio.timeout(30):
            while (len(looks), len(complaints), note.exists()) != (run, tries, code == 0):  # noqa: ASYNC110 - a child writes
                await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    times = 1 if code == 0 else 2
    assert (tmp_path / "taken").read_bytes() == b"%PDF" * times
    assert note.exists() is (code == 0)
    assert complaints[0].endswith(said)
    assert (complaints[0] == "") is (code == 0)


async def test_a_printer_that_is_not_there_is_said_without_a_name() -> None:
    with pytest.raises(PrintError, match="cannot be run"):
        await print_pdf((f"/nowhere/{os.getpid()}",), b"%PDF")


async def test_rebooted_with_every_cable_out_the_book_and_the_pack_are_there(tmp_path) -> None:
    full = (ScheduleSetting("front desk", 60.0, FullBook()),)
    async with running(tmp_path, schedules=full) as desk:
        assert "Anna B." in await told(desk.url + "/book", "Anna B.")
    gone = (ScheduleSetting("front desk", 60.0, IcsOptions(path=FilePath("/nowhere/day.ics"))),)
    async with running(tmp_path, schedules=gone) as desk:
        for path in ("/", "/book", "/next", "/pack/today", "/pack/tomorrow"):
            page = await told(desk.url + path, "The list below is the last good one.")
            assert "ago)" in page or "just now)" in page
        assert "Anna B." in await told(desk.url + "/pack/today", "Anna B.")
        pdf = desk.url + "/pack/today.pdf"
        async with aiohttp.ClientSession() as session, session.get(pdf) as answer:
            assert (await answer.read()).startswith(b"%PDF")


async def told(url: str, text: str) -> str:
    """Ask until the page says *text*; it is still starting."""
    page = ""
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            async with session.get(url) as answer:
                page = await answer.text()
            if text in page:
                break
            await asyncio.sleep(0.05)
    return page
