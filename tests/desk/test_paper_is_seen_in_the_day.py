"""The day with what stands on paper: booked, moved, cancelled, arrived; wherever it is shown."""

import csv
import io

import pytest

from edge_watchdog.daybook.model import Client, Status
from edge_watchdog.daybook.paper import State
from edge_watchdog.desk.book import JOURNAL
from edge_watchdog.desk.files import BOM
from tests.daybook.papers import listed
from tests.desk.papered import Desk, desk_of, plain

BOOKING = {
    "kind": "booking",
    "client": "Anna Bell",
    "member": "Mia",
    "service": "Cut",
    "date": "2026-11-21",
    "time": "14:00",
    "minutes": "60",
    "phone": "01632 960123",
    "do": "keep",
}
PLACES = ("/", "/book", "/book?by=time", "/next", "/pack/today", "/book.json", "/book/copy.html")


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path) as made:
        made.hold(listed(16, key="carol", client="Carol D."), listed(17, key="beth"))
        yield made


async def keep(desk: Desk, **more: str) -> None:
    assert (await desk.post("/paper/new", **{**BOOKING, **more}))[0] == 303


async def day(desk: Desk) -> list[dict[str, str]]:
    text = (await desk.get("/pack/today.csv"))[1].lstrip(BOM)
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("path", PLACES)
async def test_a_booking_on_paper_stands_in_its_place_everywhere(desk: Desk, path) -> None:
    assert "P-0001" not in (await desk.get(path))[1]
    await keep(desk)
    page = plain((await desk.get(path))[1])
    assert "on paper, P-0001" in page
    assert "Anna B." in page
    assert "Anna Bell" not in page
    assert "960123" not in page


async def test_what_became_of_an_appointment_on_paper_is_said_at_it(desk: Desk) -> None:
    await keep(desk, kind="cancel", key="carol", client="Carol D.")
    await keep(desk, kind="reschedule", key="beth", client="Beth C.", time="18:00")
    rows = [(row["start"], row["client"], row["status"]) for row in await day(desk)]
    assert rows == [
        ("16:00", "Carol D.", str(Status.CANCELLED)),
        ("17:00", "Beth C.", str(Status.CANCELLED)),
        ("18:00", "Beth C.", ""),
    ]
    page = plain((await desk.get("/book?by=time"))[1])
    for words in ("cancelled on paper, P-0001", "moved on paper, P-0002", "on paper, P-0002"):
        assert words in page
    kept = [one.good.reading.appointments for one in desk.paper.sources().values() if one.good]
    assert not any(row.on_paper for rows in kept for row in rows)  # the list is as it came


async def test_who_arrived_or_did_not_come_is_seen(desk: Desk) -> None:
    await keep(desk, kind="check-in", key="carol", client="Carol D.")
    await keep(desk, kind="no-show", key="beth", client="Beth C.")
    rows = [row["status"] for row in await day(desk)]
    assert rows == [str(Status.ARRIVED), str(Status.NO_SHOW)]
    page = plain((await desk.get("/book"))[1])
    assert "arrived, on paper, P-0001" in page
    assert "did not come, on paper, P-0002" in page


async def test_what_is_void_or_in_the_list_by_now_is_not_there_twice(desk: Desk) -> None:
    await keep(desk)
    await keep(desk, client="Ella Ford", time="15:00")
    await desk.post("/paper/move", number="2", state="void", reason="cannot come")
    assert [row["client"] for row in await day(desk)] == ["Anna B.", "Carol D.", "Beth C."]
    desk.clock.step(600)
    desk.hold(listed(14, key="new", client="Anna B.", service="Cut"), listed(16, key="carol"))
    rows = await day(desk)
    assert [(row["start"], row["source"]) for row in rows] == [
        ("14:00", "front desk"),
        ("16:00", "front desk"),
    ]


async def test_what_the_list_has_moved_by_itself_is_not_struck_out(desk: Desk) -> None:
    await keep(
        desk, kind="reschedule", key="beth", client="Beth C.", service="Colour", time="18:00"
    )
    desk.clock.step(600)
    desk.hold(listed(18, key="beth"))
    (row,) = await day(desk)
    assert (row["start"], row["status"]) == ("18:00", str(Status.CONFIRMED))
    assert "P-0001" not in plain((await desk.get("/book"))[1])


async def test_a_time_that_is_taken_meanwhile_is_said_and_nothing_is_written_for_paper(
    desk: Desk,
) -> None:
    await keep(desk)
    await desk.paper.move(1, State.CONFLICT, desk.who, "")
    page = plain((await desk.get("/book?by=time"))[1])
    assert "on paper, P-0001, but the time is taken" in page
    assert (
        "key=paper-1" not in (await desk.get("/book?by=time"))[1]
    )  # what is on paper is corrected on the paper's own page
    row = (await day(desk))[0]
    assert (row["source"], row["price"]) == (JOURNAL, "")


async def test_a_client_s_card_has_what_was_written_for_them(desk: Desk) -> None:
    anna = Client("c-anna", "Anna Bell")
    desk.hold(listed(16, key="anna", client="Anna B.", client_key="c-anna"), clients=(anna,))
    await keep(desk, kind="reschedule", key="anna", client="Anna B.", time="18:00")
    page = plain((await desk.get("/client/c-anna"))[1])
    assert "16:00: Colour with Mia (cancelled, moved on paper, P-0001)" in page
    assert "18:00: Cut with Mia (on paper, P-0001)" in page
