"""The way back and the close of day, as the desk sees them."""

import csv
import dataclasses
import io
import json

import pytest

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.paper import State
from edge_watchdog.desk.access import Identity, Who
from tests.daybook.papers import listed
from tests.desk.papered import MIA, Desk, desk_of
from tests.desk.studio import view

BOOKING = {
    "kind": "booking",
    "client": "Anna Bell",
    "member": "Mia",
    "service": "Cut and blow-dry",
    "date": "2026-11-21",
    "time": "15:00",
    "minutes": "45",
    "do": "keep",
}
SALE = {"kind": "sale", "client": "Carol D.", "item0": "Shampoo", "method": "owed", "do": "keep"}
OPEN = tuple((day * 1440 + 540, day * 1440 + 1140) for day in range(6))  # Monday to Saturday


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path, open_spans=OPEN) as made:
        made.hold(listed(9))
        yield made


def states(desk: Desk) -> list[State]:
    return [entry.state for entry in desk.paper.journal.entries]


async def test_only_signed_in_people_see_it(desk: Desk) -> None:
    desk.who = Identity(Who.DEVICE)
    for path in ("/reconcile", "/reconcile.csv", "/reconcile.json", "/close"):
        assert (await desk.get(path))[0] == 401
    assert (await desk.post("/close", do="close"))[0] == 401


async def test_an_outage_is_cleared_up_from_the_top_down(desk: Desk) -> None:
    for time, client in (("15:00", "Anna Bell"), ("16:00", "Beth Cole"), ("17:00", "Fay Gunn")):
        await desk.post("/paper/new", **{**BOOKING, "time": time, "client": client})
    await desk.post("/paper/new", **SALE)
    page = (await desk.get("/reconcile"))[1]
    assert "compared as soon as a fresh one has come" in page
    assert "Compared at 12:00 with the list as of 12:00 (just now), front desk, complete." in page
    desk.clock.step(3600)
    desk.hold(
        listed(15, 45, client="Anna B.", service="Cut and blow-dry", ref="uid-1"),
        listed(16.25, 30, client="Iris K."),
    )
    desk.clock.step(300)
    page = (await desk.get("/reconcile"))[1]
    assert "Compared at 13:05 with the list as of 13:00 (5 min ago), front desk, complete." in page
    assert states(desk) == [State.VERIFIED, State.CONFLICT, State.OPEN, State.OPEN]
    assert desk.paper.journal.entries[0].moves[-1].ref == "uid-1"
    assert page.index("Beth Cole") < page.index("Fay Gunn") < page.index("Carol D.")
    for text in (
        *(
            "Call the client",
            "Now in the list: 16:15, Iris K.",
            "Free that day: 13:45, 14:00, 14:15, 17:45",
        ),
        *("1 entry has so far", "the way is free: enter it", "No list shows this", "17:00"),
    ):
        assert text in page
    assert "Anna Bell" not in page
    entered = {"number": "3", "state": "entered", "reason": "no 77", "back": "/reconcile"}
    assert await desk.post("/paper/move", **entered) == (303, "/reconcile#P-0003")
    assert "the next fresh list will show it" in (await desk.get("/reconcile"))[1]
    desk.clock.step(600)
    desk.hold(listed(17, 45, client="Fay G.", service="Cut"), listed(16.25, 30, client="Iris K."))
    await desk.paper.settle()
    assert states(desk)[2] is State.VERIFIED
    await desk.post("/paper/move", number="2", state="void", reason="she comes on Monday")
    await desk.post("/paper/move", number="4", state="entered")
    assert "Nothing is left to enter." in (await desk.get("/reconcile"))[1]


async def test_without_a_list_or_a_clock_the_way_back_says_so(desk: Desk) -> None:
    desk.board.hear(view(Standing.NORMAL, desk.clock.wall, wall_known=False))
    page = (await desk.get("/reconcile"))[1]
    assert "Compared with the list as of 12:00 (just now), front desk, complete." in page
    desk.board.sources.clear()
    page = (await desk.get("/reconcile"))[1]
    assert "No list has come yet, so nothing could be compared." in page


async def test_both_versions_are_shown_when_the_appointment_changed(desk: Desk) -> None:
    desk.hold(listed(14, key="k"), listed(16, key="gone"))
    await desk.post("/paper/new", kind="check-in", key="k", do="keep")
    await desk.post("/paper/new", kind="cancel", key="gone", do="keep")
    desk.clock.step(60)
    desk.hold(listed(18, key="k", status=Status.BOOKED))
    page = (await desk.get("/reconcile"))[1]
    for text in ("from 14:00 to 15:00", "Now in the list: 18:00, Beth C.", "no longer in the list"):
        assert text in page
    assert states(desk) == [State.OPEN, State.OPEN]


async def test_a_spreadsheet_gets_no_formula_and_nobody_else_a_number(desk: Desk) -> None:
    bad = {**BOOKING, "client": "=HYPERLINK(1)", "phone": "+44 1632 960123", "note": "@SUM(A1)"}
    await desk.post("/paper/new", **bad)
    await desk.post("/paper/new", **SALE)
    await desk.post("/paper/new", kind="task", text="Order foil", do="keep")
    assert "No list shows this. See to it, then" in (await desk.get("/reconcile"))[1]
    status, text = await desk.get("/reconcile.csv")
    assert status == 200
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0]["client"] == "'=HYPERLINK(1)"
    assert (rows[0]["phone"], rows[0]["note"]) == ("'+44 1632 960123", "'@SUM(A1)")
    assert (rows[0]["date"], rows[0]["time"], rows[0]["minutes"]) == ("2026-11-21", "15:00", "45")
    assert (rows[1]["items"], rows[1]["amount"]) == ("1 x Shampoo 12.50", "12.50")
    held = json.loads((await desk.get("/reconcile.json"))[1])["entries"]
    assert [row["number"] for row in held] == ["P-0001", "P-0002", "P-0003"]
    desk.who = dataclasses.replace(MIA, secure=False)
    for path in ("/reconcile", "/reconcile.csv", "/reconcile.json"):
        page = (await desk.get(path))[1]
        assert "960123" not in page
        assert "@SUM" not in page


async def test_fields_stand_in_the_order_of_the_vendors_form(tmp_path) -> None:
    async with desk_of(tmp_path) as desk:
        order = ("time", "date", "client")
        journal = dataclasses.replace(desk.paper.settings.journal, form_order=order)
        desk.paper.settings = dataclasses.replace(desk.paper.settings, journal=journal)
        await desk.post("/paper/new", **BOOKING)
        page = (await desk.get("/reconcile"))[1]
        places = [page.index(f"<dt>{label}</dt>") for label in ("Time", "Day", "Client")]
        assert places == sorted(places)
        assert "<dt>Service</dt>" not in page


async def test_a_day_is_closed_when_every_missed_payment_has_its_answer(desk: Desk) -> None:
    await desk.post("/paper/new", **BOOKING)
    for method in ("owed", "owed", "owed", "cash"):
        await desk.post("/paper/new", **{**SALE, "method": method})
    page = (await desk.get("/close"))[1]
    assert "3 missed payments have no answer" in page
    assert ">Close the day</button>" not in page
    assert (await desk.post("/close", do="close"))[0] == 409
    pay = {"kind": "payment", "amount": "12.50", "client": "Carol D.", "do": "keep"}
    await desk.post("/paper/new", method="card, own terminal", parent="2", **pay)
    await desk.post("/paper/new", method="payment link", parent="3", contact="her card", **pay)
    off = {"number": "4", "state": "written off", "reason": "goodwill", "back": "/close"}
    assert await desk.post("/paper/move", **off) == (303, "/close#P-0004")
    page = (await desk.get("/close"))[1]
    for text in ("Cash</th><td>\u00a312.50", "Card, on the separate terminal</th><td>\u00a312.50"):
        assert text in page
    assert "Payment link promised: her card" in page
    assert "Monday 23 November" in page
    assert await desk.post("/close", do="close") == (303, "/close")
    assert await desk.post("/close", do="close") == (303, "/close")
    journal = desk.paper.journal
    assert len(journal.closed) == 1
    tasks = [e for e in journal.entries if e.draft is not None and e.draft.kind == "task"]
    texts = [one.draft.content.text for one in tasks]  # type: ignore[union-attr]
    assert "Enter P-0001 in BookWell." in texts
    assert "Collect \u00a312.50 for P-0003 (payment link promised)." in texts
    assert len(texts) == len(set(texts))
    assert {one.draft.content.due for one in tasks} == {"2026-11-23"}  # type: ignore[union-attr]
    assert "closed at 12:00 by Mia" in (await desk.get("/close"))[1]
    assert "Tasks for today" not in (await desk.get("/paper"))[1]
    desk.clock.step(2 * 86400)
    assert "Collect \u00a312.50 for P-0003" in (await desk.get("/paper"))[1]


async def test_without_a_disk_it_is_said(tmp_path) -> None:
    async with desk_of(tmp_path, broken=True) as desk:
        for path in ("/reconcile", "/close", "/reconcile.csv"):
            assert (await desk.get(path))[0] == 503
        assert (await desk.post("/close", do="close"))[0] == 503
