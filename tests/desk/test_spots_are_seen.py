"""From a vendor's answer to the desk: who is in a class, on which spot, on screen and on paper."""

import csv
import io
import json
from datetime import date
from html import unescape
from typing import Any

import pytest

from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.mapping import preset
from edge_watchdog.daybook.rest_read import read_visits
from edge_watchdog.desk.access import Identity
from edge_watchdog.desk.pack import BOX, MOST_SPARE
from tests.daybook.test_rolls_of_classes_are_read import INCLUDED, reservation, session
from tests.desk.books import Book
from tests.desk.studio import ZONE

SPAN = Span(date(2026, 11, 21), 2, ZONE)
TITLE = "Class: 09:00\u201309:45 Spin"


def with_people(entry: dict[str, Any]) -> dict[str, Any]:
    """Give a reservation as it is gathered: with its user and its spot beside it."""
    known = {(one["type"], one["id"]): one for one in INCLUDED}
    pointers = {name: to["data"] for name, to in entry["relationships"].items() if to["data"]}
    there = {name: known.get((to["type"], to["id"])) for name, to in pointers.items()}
    return {**entry, "included": there}


def spinning() -> Reading:
    """Give a class of twenty bikes: one came, one is booked without a bike, one waits."""
    roll = [
        reservation(1, "1", "1", check_in_date="2026-11-21T08:55:00Z"),
        reservation(2, "2"),
        reservation(3, None, guest_name="Carol Dean", reservation_type="waitlist"),
    ]
    lesson = session("7", standard_reservation_user_count=3)
    rolls = {"": {"7": [with_people(one) for one in roll]}}
    body = {"visits": [lesson], "more": {}, "joins": {}, "rolls": rolls}
    return read_visits(json.dumps(body).encode(), SPAN, preset("mariana_tek"))


def book_of(reading: Reading) -> Book:
    made = Book(Identity())
    made.put("front desk", SPAN, reading)
    return made


@pytest.mark.parametrize(
    "by, seen",
    [
        ("classes", ("Anna B.", ">Bike 12<", ">arrived<", "Carol D.", ">waiting list<")),
        ("room", (">Anna B. (Bike 12, arrived),<", ">Beth,<", ">Carol D. (waiting list)<")),
    ],
)
async def test_the_book_shows_people_and_their_spots(by, seen) -> None:
    book = book_of(spinning())
    async with book.client() as client:
        page = unescape(await (await client.get(f"/book?by={by}")).text())
    assert all(words in page for words in (*seen, "Bike room", "3 of 20 booked, 17 left"))
    assert "Bell" not in page
    assert "960123" not in page


def test_a_class_sheet_has_the_spots_and_rows_for_whom_the_vendor_did_not_name() -> None:
    (sheet,) = (
        one for one in book_of(spinning()).packs.pack(SPAN.first).sheets if one.title == TITLE
    )
    named, blank = sheet.rows[:3], sheet.rows[3:]
    assert [row[:4] for row in named] == [
        ("Anna B.", "Bike 12", "arrived", BOX),
        ("Beth", "", "booked", BOX),
        ("Carol D.", "", "waiting list", BOX),
    ]
    assert len(blank) == MOST_SPARE + 1  # of three who are booked, two are named


async def test_programs_and_the_kept_copy_have_them_too() -> None:
    async with book_of(spinning()).client() as client:
        said = await (await client.get("/book.json")).json()
        copy = await (await client.get("/book/copy.html")).text()
    (lesson,) = said["days"][0]["appointments"]
    assert lesson["people"][0] == {"client": "Anna B.", "spot": "Bike 12", "status": "arrived"}
    assert [one["client"] for one in lesson["people"]] == ["Anna B.", "Beth", "Carol D."]
    assert ">Bike 12<" in copy
    assert "Bell" not in str(said) + copy


async def test_the_spreadsheet_has_a_row_for_each_who_is_in_a_class() -> None:
    async with book_of(spinning()).client() as client:
        body = await (await client.get("/pack/2026-11-21.csv")).read()
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert {(row["start"], row["service"], row["room"]) for row in rows} == {
        ("09:00", "Spin", "Bike room")
    }
    assert [(row["client"], row["spot"], row["status"], row["booked"]) for row in rows] == [
        ("", "", "", "3"),
        ("Anna B.", "Bike 12", "arrived", ""),
        ("Beth", "", "booked", ""),
        ("Carol D.", "", "waiting list", ""),
    ]
