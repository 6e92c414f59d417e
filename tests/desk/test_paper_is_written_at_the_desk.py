"""The paper journal's pages: what is written, what is refused, what others may see of it."""

import asyncio
import dataclasses
import re

import pytest

from edge_watchdog.config.hours import parse_hours
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook.model import Money, PriceItem
from edge_watchdog.daybook.paper import State
from edge_watchdog.daybook.price_list import OwnList
from edge_watchdog.desk.access import Identity, Who
from edge_watchdog.desk.pages import Page, Pages
from edge_watchdog.desk.paperkept import FORMS
from edge_watchdog.desk.settings import JournalSettings
from tests.daybook.papers import listed
from tests.desk.papered import MIA, Desk, desk_of
from tests.desk.studio import view

PICK = re.compile(r'name="pick" value="([^"]+)"')
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


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path) as made:
        made.hold(listed(14), listed(16, client="Carol D.", key="carol"))
        yield made


async def test_only_signed_in_people_write(desk: Desk) -> None:
    desk.who = Identity(Who.DEVICE)
    for path in ("/paper", "/paper/list", "/paper/new?kind=booking"):
        assert (await desk.get(path))[0] == 401
    assert (await desk.post("/paper/new", **BOOKING))[0] == 401
    assert (await desk.post("/paper/move", number="1", state="void"))[0] == 401
    assert desk.paper.journal.entries == ()


async def test_a_browser_keeps_every_form_and_nothing_that_was_written(desk: Desk) -> None:
    assert (await desk.post("/paper/new", form="f1", phone="01632 960123", **BOOKING))[0] == 303
    signed_in = {path: await desk.get(path) for path in FORMS}
    desk.who = Identity()
    for path in FORMS:
        status, page = await desk.get(path)
        assert status == 200
        assert (status, page) == signed_in[path]
        assert "data-kept" in page
        for word in ("Anna Bell", "960123", 'name="phone"', 'name="note"', "P-0001"):
            assert word not in page
    assert "Carol D." in (await desk.get("/paper/blank?kind=check-in"))[1]
    assert 'role="alert">Notes' not in (await desk.get("/paper/blank?kind=note"))[1]
    assert (await desk.get("/paper/blank?kind=strange"))[0] == 404


@pytest.mark.parametrize(
    "waited, known, words",
    [
        ("183600", True, "Written 19 November 2026 09:00 on a tablet, and handed over"),
        ("183600", False, "Written some time before on a tablet, and handed over"),
        ("59", True, ""),
        ("-5", True, ""),
        ("soon", True, ""),
    ],
)
async def test_what_a_tablet_held_while_the_box_was_away_says_since_when(
    desk: Desk, waited, known, words
) -> None:
    desk.board.hear(view(Standing.VENDOR, desk.clock.wall, wall_known=known))
    where = (await desk.post("/paper/new", form="f1", waited=waited, **BOOKING))[1]
    page = (await desk.get(where))[1]
    assert "Kept as P-0001." in page
    assert words in page
    assert ("on a tablet, and" in page) is bool(words)


async def test_a_booking_is_kept_in_three_steps_and_shown(desk: Desk) -> None:
    status, page = await desk.get("/paper")
    assert status == 200
    assert 'href="/paper/new?kind=booking"' in page
    status, page = await desk.get("/paper/new?kind=booking")
    assert status == 200
    assert 'name="phone"' in page
    status, where = await desk.post("/paper/new", form="f1", phone="01632 960123", **BOOKING)
    assert (status, where) == (303, "/paper?kept=1")
    page = (await desk.get(where))[1]
    for text in ("Kept as P-0001.", "clients may still be booking online", "Anna Bell", "960123"):
        assert text in page
    assert "Cut and blow-dry with Mia from 15:00 to 15:45" in page
    assert (await desk.post("/paper/new", form="f1", phone="01632 960123", **BOOKING)) == (
        303,
        "/paper?kept=1&again=1",
    )
    assert "Nothing was written twice" in (await desk.get("/paper?kept=1&again=1"))[1]


async def test_others_see_neither_numbers_nor_notes_nor_whole_names(desk: Desk) -> None:
    await desk.post("/paper/new", phone="01632 960123", note="likes tea", **BOOKING)
    await desk.post("/paper/new", kind="note", text="patch test on Friday", do="keep")
    desk.who = dataclasses.replace(MIA, secure=False)
    page = (await desk.get("/paper"))[1]
    for text in ("Bell", "960123", "likes tea", "patch test"):
        assert text not in page
    assert "Anna B." in page
    assert "are hidden" in page
    form = (await desk.get("/paper/new?correct=1"))[1]
    assert 'name="phone"' not in form
    assert "likes tea" not in form
    assert "Bell" not in form


async def test_a_correction_over_plain_http_keeps_what_it_could_not_show(desk: Desk) -> None:
    await desk.post("/paper/new", phone="01632 960123", note="likes tea", **BOOKING)
    desk.who = dataclasses.replace(MIA, secure=False)
    changed = {**BOOKING, "client": "Anna B.", "time": "15:15"}
    status, _ = await desk.post("/paper/new", parent="1", replaces="1", **changed)
    assert status == 303
    old, new = desk.paper.journal.entries
    assert (old.state, new.draft and new.draft.content.client) == (State.VOID, "Anna Bell")
    desk.who = MIA
    page = (await desk.get("/paper"))[1]
    assert "960123" in page
    assert "corrected by P-0002" in page


async def test_notes_are_not_taken_over_plain_http(desk: Desk) -> None:
    desk.who = dataclasses.replace(MIA, secure=False)
    assert "secure address" in (await desk.get("/paper/new?kind=note"))[1]
    status, page = await desk.post("/paper/new", kind="note", text="x", do="keep")
    assert (status, "secure address" in page) == (422, True)
    fields = {**BOOKING, "service": "Cut, call 01632 960123"}
    status, page = await desk.post("/paper/new", **fields)
    assert (status, "secure address" in page) == (422, True)


async def test_a_taken_time_shows_who_what_is_free_and_needs_a_reason(desk: Desk) -> None:
    status, page = await desk.post("/paper/new", **{**BOOKING, "time": "14:30"})
    assert status == 409
    assert "taken: Beth C." in page
    assert 'name="forced"' in page
    assert 'name="pick" value="15:00"' in page
    assert 'name="pick" value="14:00"' not in page
    status, page = await desk.post("/paper/new", pick="15:00", **BOOKING)
    assert status == 200
    assert 'value="15:00"' in page
    assert desk.paper.journal.entries == ()
    forced = {**BOOKING, "time": "14:30", "forced": "Mia does both"}
    assert (await desk.post("/paper/new", **forced))[0] == 303
    assert "Mia does both" in (await desk.get("/paper"))[1]


async def test_free_times_are_shown_before_a_name_is_written(desk: Desk) -> None:
    fields = {**BOOKING, "client": "", "time": "", "do": "times"}
    status, page = await desk.post("/paper/new", **fields)
    assert status == 200
    assert "Choose a time." in page
    assert 'value="12:00"' in page
    assert 'value="11:45"' not in page  # it is noon
    day_off = listed(0, 1440, all_day=True, client="", service="Off")
    desk.hold(day_off)
    page = (await desk.post("/paper/new", **fields))[1]
    assert "Nothing of that length is free" in page
    page = (await desk.post("/paper/new", **{**fields, "minutes": "x"}))[1]
    assert "how many minutes" in page


async def test_fresh_and_quiet_is_free_and_old_is_said(desk: Desk) -> None:
    desk.show(Standing.NORMAL)
    await desk.post("/paper/new", **BOOKING)
    assert desk.paper.journal.entries[0].draft.doubt == ""  # type: ignore[union-attr]
    desk.clock.step(7200)
    await desk.post("/paper/new", **{**BOOKING, "time": "18:00"})
    assert "not fresh" in desk.paper.journal.entries[1].draft.doubt  # type: ignore[union-attr]
    await desk.post("/paper/new", **{**BOOKING, "date": "2026-12-24"})
    assert "does not hold" in desk.paper.journal.entries[2].draft.doubt  # type: ignore[union-attr]


async def test_free_times_keep_to_the_opening_hours_and_leave_room(tmp_path) -> None:
    hours = parse_hours("Sat 10:00-13:00, Sat 15:00-17:00").spans
    journal = JournalSettings(after_s=900.0)
    async with desk_of(tmp_path, open_spans=hours, journal=journal) as desk:
        desk.show(Standing.NORMAL)
        desk.hold(listed(15, 30))
        fields = {**BOOKING, "minutes": "30", "time": "", "do": "times"}
        page = (await desk.post("/paper/new", **fields))[1]
        assert PICK.findall(page) == ["12:00", "12:15", "12:30", "15:45", "16:00", "16:15", "16:30"]
        sunday = (await desk.post("/paper/new", **{**fields, "date": "2026-11-22"}))[1]
        assert "The studio is not open that day." in sunday
        near = {**fields, "time": "15:30"}
        assert "too close to Beth C." in (await desk.post("/paper/new", **near))[1]
        assert (await desk.post("/paper/new", **{**near, "do": "keep"}))[0] == 409
        late = (await desk.post("/paper/new", **{**fields, "time": "18:00"}))[1]
        assert 'class="verdict provisional"' in late
        assert "the studio is not open then" in late


async def test_the_studios_own_prices_serve_sales_where_the_list_brings_none(desk: Desk) -> None:
    balm = PriceItem("Lip balm", Money(350, "GBP"), is_product=True)
    kept_free = {"cut and blow-dry": (0.0, 1800.0)}
    desk.board.own_prices = (OwnList("prices.csv", (balm,), 1793534400.0, kept_free),)
    near = {**BOOKING, "time": "15:00", "minutes": "45", "do": "times"}
    assert "too close to Carol D." in (await desk.post("/paper/new", **near))[1]
    sale = {"kind": "sale", "client": "Carol D.", "method": "cash", "do": "keep"}
    sale |= {"item0": "Lip balm", "quantity0": "2"}
    assert (await desk.post("/paper/new", **sale))[0] == 422  # the vendor's list comes first
    state = desk.board.sources["front desk"]
    assert state.good is not None
    bare = dataclasses.replace(state.good.reading, prices=())
    desk.board.put(dataclasses.replace(state, good=dataclasses.replace(state.good, reading=bare)))
    assert (await desk.post("/paper/new", **sale))[0] == 303
    assert "2 x Lip balm: \u00a37.00" in (await desk.get("/paper"))[1]


async def test_who_has_nothing_in_the_list_that_day_may_not_be_at_work(desk: Desk) -> None:
    desk.show(Standing.NORMAL)
    fields = {**BOOKING, "do": "times"}
    assert 'class="verdict free"' in (await desk.post("/paper/new", **fields))[1]
    page = (await desk.post("/paper/new", **{**fields, "member": "Zo\u00eb"}))[1]
    assert 'class="verdict provisional"' in page
    assert "nothing of Zo\u00eb&#39;s that day" in page
    page = (await desk.post("/paper/new", **{**fields, "date": "2026-12-24"}))[1]
    assert 'class="verdict not-known"' in page


async def test_an_appointment_of_the_book_fills_the_form(desk: Desk) -> None:
    page = (await desk.get("/paper/new?kind=check-in&key=carol"))[1]
    assert "16:00 Carol D. - Colour (Mia)" in page
    fields = {"kind": "check-in", "key": "carol", "do": "keep"}
    assert (await desk.post("/paper/new", **fields))[0] == 303
    assert "Carol D." in (await desk.get("/paper"))[1]
    page = (await desk.get("/paper/new?kind=reschedule&key=carol"))[1]
    assert 'value="16:00"' in page
    move = {**fields, "kind": "reschedule", "date": "2026-11-21", "time": "17:30", "minutes": "60"}
    assert (await desk.post("/paper/new", **move))[0] == 303
    assert "from 17:30 to 18:30 instead of 16:00" in (await desk.get("/paper"))[1]
    page = (await desk.get("/paper/new?kind=no-show"))[1]
    assert '<option value="carol"' in page
    fields = {"kind": "no-show", "client": "", "do": "keep"}
    assert (await desk.post("/paper/new", **fields))[0] == 422


async def test_a_sale_and_a_payment_take_the_list_price_and_settle_a_debt(desk: Desk) -> None:
    page = (await desk.get("/paper/new?kind=sale&key=carol"))[1]
    assert 'data-price="45.00"' in page
    sale = {"kind": "sale", "client": "Carol D.", "method": "owed", "do": "keep"}
    sale |= {"item0": "Shampoo", "quantity0": "2"}
    assert (await desk.post("/paper/new", **sale))[0] == 303
    assert "2 x Shampoo: \u00a325.00, not paid yet" in (await desk.get("/paper"))[1]
    page = (await desk.get("/paper/new?kind=payment&parent=1"))[1]
    assert 'value="25.00"' in page
    paid = {"kind": "payment", "method": "cash", "amount": "25.00", "parent": "1", "do": "keep"}
    assert (await desk.post("/paper/new", **paid))[0] == 303
    assert "\u00a325.00 for P-0001, cash" in (await desk.get("/paper"))[1]
    card = {**paid, "reference": "4111 1111 1111 1111"}
    status, page = await desk.post("/paper/new", **card)
    assert (status, "Never write card numbers" in page) == (422, True)


async def test_steps_are_taken_from_the_list(desk: Desk) -> None:
    await desk.post("/paper/new", kind="task", text="Order foil", due="2026-11-21", do="keep")
    page = (await desk.get("/paper"))[1]
    assert "Tasks for today" in page
    done = {"number": "1", "state": "entered", "back": "//evil.example"}
    assert await desk.post("/paper/move", **done) == (303, "/paper#P-0001")
    page = (await desk.get("/paper"))[1]
    assert "done by Mia" in page
    assert (await desk.post("/paper/move", number="1", state="verified"))[0] == 400
    assert (await desk.post("/paper/move", number="1", state="gone"))[0] == 400
    status, page = await desk.post("/paper/move", number="1", state="void")
    assert (status, "in a few words" in page) == (422, True)
    assert (await desk.post("/paper/move", number="9", state="void", reason="x"))[0] == 422


async def test_what_is_left_from_before_is_still_shown(desk: Desk) -> None:
    await desk.post("/paper/new", **BOOKING)
    desk.clock.step(86400)
    page = (await desk.get("/paper"))[1]
    assert "Left from earlier days" in page
    assert "Nothing yet." in page


async def test_forms_that_do_not_exist_are_not_shown(desk: Desk) -> None:
    assert (await desk.get("/paper/new?kind=gift"))[0] == 404
    assert (await desk.get("/paper/new?correct=7"))[0] == 404
    assert (await desk.post("/paper/new", kind="gift"))[0] == 400


async def test_several_tablets_hear_of_each_other_and_nobody_else_learns_a_name(
    desk: Desk,
) -> None:
    heard: list[int] = []
    desk.board.changed = lambda: heard.append(desk.board.paper_turn)
    tablets = [
        desk.post("/paper/new", form=f"f{n}", **{**BOOKING, "time": f"{17 + n // 2}:{n % 2}5"})
        for n in range(8)
    ]
    answers = await asyncio.gather(*tablets)
    assert {status for status, _ in answers} <= {303, 409}
    kept = [one for one in answers if one[0] == 303]
    assert len(desk.paper.journal.entries) == len(kept) == 4
    assert desk.board.paper_turn == len(kept)
    assert heard
    assert "Anna" not in (await desk.get("/paper/list"))[1].split("<ol")[0]


async def test_the_anonymous_stream_carries_a_number_and_no_more(desk: Desk) -> None:
    await desk.post("/paper/new", **BOOKING)

    parts = Pages(desk.paper.settings, desk.board).parts(Page.PAPER)
    said = {name: text.strip() for name, text in parts.items()}
    assert said == {"today": "Saturday 21 November", "turn": "1"}


async def test_a_disk_that_refuses_and_a_journal_that_does_not_fit_are_said(tmp_path) -> None:
    async with desk_of(tmp_path, broken=True) as desk:
        status, page = await desk.get("/paper")
        assert (status, "Write on real paper" in page) == (503, True)
        status, page = await desk.post("/paper/new", **BOOKING)
        assert (status, "Write on real paper" in page) == (503, True)
        assert (await desk.get("/paper/new?kind=booking"))[0] == 503
        assert (await desk.post("/paper/move", number="1", state="claimed"))[0] == 503
        await desk.paper.forget()
    (tmp_path / "paper.sqlite").write_bytes(b"nonsense" * 999)
    async with desk_of(tmp_path) as desk:
        await desk.post("/paper/new", kind="task", text="one", do="keep")
        assert "numbers go on from P-1001" in (await desk.get("/paper"))[1]
        connection = desk.paper.store._connection  # type: ignore[union-attr]
        connection.execute("DROP TRIGGER journal_is_kept")
        connection.execute("DELETE FROM journal")
        desk.paper.store._version = None  # type: ignore[union-attr]
        page = (await desk.get("/paper"))[1]
        assert "does not fit together: P-1001 was deleted" in page


async def test_what_is_long_over_is_forgotten(desk: Desk) -> None:
    await desk.post("/paper/new", kind="task", text="Order foil", do="keep")
    await desk.post("/paper/move", number="1", state="entered")
    desk.clock.step(91 * 86400)
    await desk.paper.forget()
    assert (await desk.paper.look()).entries[0].draft is None
    assert (await desk.get("/paper/new?correct=1"))[0] == 503


async def test_a_task_waits_for_the_next_open_day(tmp_path) -> None:
    weekdays = tuple((day * 1440 + 540, day * 1440 + 1140) for day in range(5))
    async with desk_of(tmp_path, open_spans=weekdays) as desk:
        page = (await desk.get("/paper/new?kind=task"))[1]
        assert 'value="2026-11-23"' in page  # it is Saturday
    async with desk_of(tmp_path) as desk:
        assert 'value="2026-11-22"' in (await desk.get("/paper/new?kind=task"))[1]
