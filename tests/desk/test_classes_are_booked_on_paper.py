"""Classes at the desk: how many places are left, until when they are given, and in which words."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import Attendee, Status
from edge_watchdog.daybook.paper import State
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.files import BOM
from edge_watchdog.desk.lessons import Lessons
from edge_watchdog.desk.phrases import Local
from tests.daybook.papers import listed
from tests.desk.papered import Desk, desk_of, plain
from tests.desk.studio import ZONE, StepClock

BETH = Attendee("Beth C.", Status.BOOKED, "", "Bike 7")
BOOKING = {
    "kind": "booking",
    "client": "Anna Bell",
    "member": "Mia",
    "service": "Spin",
    "date": "2026-11-21",
    "time": "15:00",
    "minutes": "60",
    "do": "keep",
}


def spin(hour: float = 15, *people: Attendee, **more: Any) -> Appointment:
    said = {"client": "", "service": "Spin", "status": Status.NOT_SAID, "room": "Bikes", **more}
    return listed(hour, 45, key=f"class {hour}", attendees=people, **said)


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path) as made:
        made.show(Standing.NORMAL)
        made.hold(spin(15, BETH, capacity=2), spin(18, capacity=12, booked=9), listed(16.5))
        yield made


async def keep(desk: Desk, **more: str) -> tuple[int, str]:
    status, page = await desk.post("/paper/new", **{**BOOKING, **more})
    return status, unescape(page)


async def test_a_class_is_filled_and_then_asks_what_to_do(desk: Desk) -> None:
    assert (await keep(desk))[0] == 303
    status, page = await keep(desk, client="Ella F.")
    assert status == 409
    for words in (
        "That class is full: 2 of 2 places are taken as of 12:00, counting 1 on paper.",
        "Waits for a place",
        "Comes anyway, over the limit",
        "Spin with Mia: 3 of 12 places free",
        'class="quiet full"',
    ):
        assert words in page, words
    assert (await keep(desk, client="Ella F.", waits="1"))[0] == 303
    assert (await keep(desk, client="Fay G.", forced="the teacher agreed"))[0] == 303
    page = unescape((await desk.get("/paper"))[1])
    assert "Waits for a place." in page
    assert "Over the limit of the class: the teacher agreed" in page
    await desk.post("/paper/move", number="1", state="void", reason="cannot come")
    assert (await keep(desk, client="Gina H."))[0] == 409  # the one over the limit has it
    await desk.post("/paper/move", number="3", state="void", reason="cannot come")
    assert (await keep(desk, client="Gina H."))[0] == 303


async def test_what_a_tablet_held_follows_the_same_rules(desk: Desk) -> None:
    assert (await keep(desk, form="f1"))[0] == 303
    held = {"client": "Ella F.", "form": "f2", "waited": "3600"}
    assert (await keep(desk, **held))[0] == 409
    assert (await keep(desk, **held, waits="1"))[0] == 303
    assert (await keep(desk, **held, waits="1"))[1].endswith("&again=1")
    one = desk.paper.journal.entries[-1].draft
    assert one is not None
    assert (one.waits, one.lesson) == (True, "class 15")
    assert "Written" in one.doubt


async def test_free_times_of_a_class_are_its_places(desk: Desk) -> None:
    status, page = await keep(desk, do="times")
    assert status == 200
    assert re.search(r'verdict free" role="status">Free. 1 of 2 places free as of \d\d:\d\d.', page)
    assert 'name="pick"' not in page
    assert "Nothing of that length" not in page
    desk.show(Standing.VENDOR)
    page = (await keep(desk, do="times"))[1]
    assert "Clients may still be booking online: say that you will confirm it." in page
    page = (await keep(desk, do="times", service="Massage", time="16:30"))[1]
    assert 'name="lesson"' not in page
    assert 'name="pick"' in page


async def test_a_class_is_chosen_by_a_tap(desk: Desk) -> None:
    page = (await keep(desk, lesson="class 18", member="", service="", time=""))[1]
    for words in ('value="18:00"', 'value="45"', 'value="Spin"', 'name="key" value="class 18"'):
        assert words in page, words
    assert "3 of 12 places free" in page
    page = (await keep(desk, lesson="class none"))[1]
    assert "15:00" in page or page.startswith("/paper")


async def test_who_of_a_class_goes_is_asked_and_their_place_is_free_again(desk: Desk) -> None:
    await keep(desk)
    page = (await desk.get("/paper/new?kind=cancel&key=class+15"))[1]
    assert "Who of the class?" in page
    assert '<option value="Beth C.">' in page
    assert "leave it empty only if the whole class is cancelled" in page
    cancel = {"kind": "cancel", "key": "class 15", "client": "Beth Cole", "do": "keep"}
    assert (await desk.post("/paper/new", **cancel))[0] == 303
    assert (await keep(desk, client="Ella F."))[0] == 303
    move = {**BOOKING, "kind": "reschedule", "key": "class 15", "client": "Anna Bell"}
    assert (await desk.post("/paper/new", **move, lesson="class 18"))[0] == 200
    moved = {**move, "time": "18:00", "minutes": "45"}
    assert (await desk.post("/paper/new", **moved))[0] == 303
    assert (await keep(desk, client="Fay G."))[0] == 303
    assert (await keep(desk, client="Gina H."))[0] == 409


async def test_a_spot_that_is_taken_is_marked_and_kept_ones_are_shown(desk: Desk) -> None:
    status, page = await keep(desk, spot="7", forced="she insists")
    assert status == 422
    assert "Beth C. has 7 in this class already. Choose another spot" in page
    assert 'name="spot" type="text" value="7"' in page
    assert (await keep(desk, spot="Bike 8"))[0] == 303
    assert "Spot: Bike 8" in (await desk.get("/paper"))[1]
    assert "Bike 8" in (await desk.get("/reconcile.csv"))[1]


async def test_the_way_back_says_how_many_places_the_class_has(desk: Desk) -> None:
    await keep(desk, time="18:00")
    await keep(desk, client="Ella F.")
    await keep(desk, client="Fay G.", waits="1")
    await keep(desk, client="Gina H.", forced="the teacher agreed")
    desk.clock.step(3600)
    dana = Attendee("Dana E.")
    desk.hold(spin(15, BETH, dana, capacity=2), spin(18, capacity=12, booked=9))
    page = unescape((await desk.get("/reconcile"))[1])
    for words in (
        "Not in the list yet. The class there: 3 of 12 places free. Enter it.",
        "The class is full now. Call the client and agree on another.",
        "Free that day: 18:00.",
        "Put them on the waiting list there.",
        "they were promised a place over the limit",
    ):
        assert words in page, words
    sheet = (await desk.get("/reconcile.csv"))[1]
    assert "to enter, waiting list" in sheet
    assert "to enter, over the limit" in sheet
    states = [one.state for one in desk.paper.journal.entries]
    assert states == [State.OPEN, State.CONFLICT, State.OPEN, State.OPEN]


COUNTED = re.compile(r"full, 2 of 2 places taken as of \d\d:\d\d, counting 1 on paper")


@pytest.mark.parametrize(
    "path",
    [
        *(f"/book?by={by}" for by in ("classes", "room", "time", "staff")),
        *("/next", "/pack/today", "/book.json", "/book/copy.html"),
    ],
)
async def test_the_day_counts_what_stands_on_paper_wherever_it_is_shown(desk: Desk, path) -> None:
    await keep(desk)
    status, page = await desk.get(path)
    assert status == 200
    assert COUNTED.search(unescape(page))
    assert "1 of 2 booked" not in page
    assert "Anna Bell" not in page


async def test_a_class_sheet_names_who_is_in_it_on_paper_and_who_left(desk: Desk) -> None:
    await keep(desk, spot="Bike 8")
    await desk.post("/paper/new", kind="cancel", key="class 15", client="Beth Cole", do="keep")
    await keep(desk, client="Ella F.")
    await keep(desk, client="Fay Green", waits="1")
    rows = list(csv.DictReader(io.StringIO((await desk.get("/pack/today.csv"))[1].lstrip(BOM))))
    spinning = [row for row in rows if row["service"] == "Spin" and row["start"] == "15:00"]
    assert [(row["client"], row["spot"], row["status"]) for row in spinning] == [
        ("", "", ""),
        ("Beth C.", "Bike 7", "not coming, on paper"),
        ("Anna B.", "Bike 8", "on paper, P-0001"),
        ("Ella F.", "", "on paper, P-0003"),
        ("Fay G.", "", "waits for a place, P-0004"),
    ]
    assert [spinning[0][name] for name in ("capacity", "booked", "left")] == ["2", "1", "0"]
    page = (await desk.get("/pack/today"))[1]
    sheet = page[page.index("Class: 15:00") : page.index("Class: 18:00")]
    assert sheet.count("P-000") == 3
    assert "<td></td><td></td><td></td>" not in sheet  # full, and everybody is named


async def test_who_is_not_named_in_the_list_is_counted_and_who_leaves_is_named(desk: Desk) -> None:
    await desk.post("/paper/new", kind="cancel", key="class 18", client="Dana Elm", do="keep")
    page = plain((await desk.get("/book?by=classes"))[1])
    assert "4 of 12 places free" in page
    assert "not coming, on paper, P-0001" in page
    assert "The calendar does not name 8 more who are booked." in page
    sheet = (await desk.get("/pack/today"))[1].partition("Class: 18:00")[2]
    assert "The calendar does not name 8 of them: have them write their name." in sheet


async def test_a_place_that_opened_is_told_to_who_waits_for_one(desk: Desk) -> None:
    await keep(desk)
    await keep(desk, client="Ella Ford", waits="1")
    await keep(desk, client="Fay Green", waits="1")
    assert "A place is free" not in (await desk.get("/paper"))[1]
    await desk.post("/paper/move", number="1", state="void", reason="cannot come")
    page = (await desk.get("/paper"))[1]
    told = re.findall(
        r"A place is free now in Spin with Mia, 15:00: (.+) waits for one", plain(page)
    )
    assert told == ["Ella F. (P-0002)"]  # one place, so one of them, who came first
    assert "/paper/new?correct=2" in page
    form = unescape((await desk.get("/paper/new?correct=2"))[1])
    assert 'value="Ella Ford"' in form
    given = {"client": "Ella Ford", "parent": "2", "replaces": "1", "key": "class 15"}
    assert (await keep(desk, **given))[0] == 303
    assert "A place is free" not in (await desk.get("/paper"))[1]
    entry = desk.paper.journal.entries[-1].draft
    assert entry is not None
    assert (entry.lesson, entry.waits) == ("class 15", False)


def test_without_a_list_there_are_no_classes() -> None:
    lessons = Lessons(Board(StepClock(), "boot 1"), Local(ZONE), tuple)
    assert lessons.of(["class 15"]) == {}
    assert lessons.as_of("class 15") == ""
