"""What a form of the paper journal says becomes an entry, or a sentence at the field."""

from datetime import date

import pytest

from edge_watchdog.daybook.model import Money, PriceItem, Status
from edge_watchdog.daybook.money import amount_text
from edge_watchdog.daybook.paper import Draft, Kind, Line, Method, PaperError, Payment, Sale, Visit
from edge_watchdog.desk.paperforms import (
    Around,
    amount_of,
    draft_of,
    fields_of_appointment,
    fields_of_entry,
    wall_of,
)
from tests.daybook.papers import at, booking, entry, listed, note, payment, sale

ZONE = "Europe/London"
CUT = PriceItem("Cut", Money(4500, "GBP"))
BOOK = {"kind": "booking", "client": "Anna Bell", "member": "Mia", "service": "Cut"}
WHEN = {"date": "2026-11-21", "time": "14:00", "minutes": "60"}


def around(**changes: object) -> Around:
    base: dict[str, object] = {
        "zone": ZONE,
        "today": date(2026, 11, 21),
        "currency": "GBP",
        "private": True,
        "prices": (CUT, PriceItem("Oil", None)),
    }
    return Around(**{**base, **changes})  # type: ignore[arg-type]


def read(fields: dict[str, str], **changes: object) -> Draft:
    return draft_of(fields, around(**changes))


def test_a_booking_is_read() -> None:
    draft = read({**BOOK, **WHEN, "phone": "01632 960123", "price": "45,50", "note": "window"})
    assert draft.content == Visit(
        *("Anna Bell", "Mia", "Cut", at(14), at(15), "", "01632 960123", "window"),
        Money(4550, "GBP"),
    )


def test_over_plain_http_only_a_short_name_is_kept_and_no_number() -> None:
    draft = read({**BOOK, **WHEN, "phone": "01632 960123"}, private=False)
    assert isinstance(draft.content, Visit)
    assert (draft.content.client, draft.content.phone) == ("Anna B.", "")
    with pytest.raises(PaperError, match="secure address"):
        read({"kind": "task", "text": "call 01632 960123"}, private=False)


@pytest.mark.parametrize(
    "text, currency, minor",
    [
        ("45", "GBP", 4500),
        ("45.5", "GBP", 4550),
        ("45,50", "EUR", 4550),
        ("\u00a3 45.50", "GBP", 4550),
        ("1200", "JPY", 1200),
        ("1.250", "KWD", 1250),
        ("0", "GBP", 0),
    ],
)
def test_amounts_are_whole_minor_units(text, currency, minor) -> None:
    assert amount_of(text, currency, "amount") == minor
    assert amount_of(amount_text(minor, currency), currency, "amount") == minor


@pytest.mark.parametrize("text", ["", "x", "-5", "4.505", "1,234.50", "1e3", "99999999", "4 5 . ."])
def test_what_is_no_amount_is_refused(text) -> None:
    with pytest.raises(PaperError, match=r"45 or 45\.50"):
        amount_of(text, "GBP", "amount")


@pytest.mark.parametrize(
    "changes, place",
    [
        ({"date": ""}, "date"),
        ({"date": "2026-02-31"}, "date"),
        ({"time": ""}, "time"),
        ({"time": "25:00"}, "time"),
        ({"time": "soon"}, "time"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "an hour"}, "minutes"),
        ({"client": ""}, "client"),
        ({"price": "much"}, "price"),
        ({"kind": "gift"}, "kind"),
        ({"kind": "payment taken"}, "kind"),
        ({"kind": "payment"}, "method"),
        ({"kind": "payment", "method": "cash"}, "amount"),
        ({"kind": "sale", "method": "cash"}, "item0"),
        ({"kind": "sale", "method": "cash", "item0": "Oil"}, "unit0"),
        ({"kind": "sale", "method": "cash", "item0": "Wax"}, "unit0"),
        ({"kind": "sale", "method": "cash", "item0": "Cut", "quantity0": "x"}, "quantity0"),
        ({"kind": "check-in", "client": ""}, "key"),
        ({"kind": "task", "text": "x", "due": "soon"}, "date"),
    ],
)
def test_a_field_that_is_wrong_is_named(changes, place) -> None:
    with pytest.raises(PaperError) as caught:
        read({**BOOK, **WHEN, **changes})
    assert caught.value.place == place


def test_times_that_the_clock_change_leaves_out_do_not_exist() -> None:
    with pytest.raises(PaperError, match="no such time"):
        wall_of("2026-03-29", "01:30", ZONE)
    assert wall_of("2026-10-25", "01:30", ZONE) == wall_of("2026-10-25", "0130", ZONE)


def test_a_sale_takes_the_price_of_the_list_unless_one_is_written() -> None:
    draft = read(
        {
            "kind": "sale",
            "client": "Anna B.",
            "method": "owed",
            "discount": "5",
            "item0": "cut",
            "quantity0": "2",
            "item3": "Tip",
            "unit3": "3.50",
        },
        prices_of_wall=at(9),
    )
    assert draft.content == Sale(
        *("Anna B.", (Line("cut", 2, 4500), Line("Tip", 1, 350)), "GBP", Method.OWED, 500),
        prices_of_wall=at(9),
    )
    assert isinstance(draft.content, Sale)
    assert draft.content.amount == Money(8850, "GBP")


@pytest.mark.parametrize(
    "method, kind",
    [
        ("cash", Kind.PAYMENT_TAKEN),
        ("card, own terminal", Kind.PAYMENT_TAKEN),
        ("voucher", Kind.PAYMENT_TAKEN),
        ("owed", Kind.PAYMENT_OWED),
        ("payment link", Kind.PAYMENT_LINK),
        ("by telephone later", Kind.PHONE_PAYMENT),
    ],
)
def test_how_it_is_paid_says_what_kind_of_entry_it_is(method, kind) -> None:
    fields = {"kind": "payment", "method": method, "amount": "20", "client": "Anna B."}
    draft = read({**fields, "contact": "on her card", "reference": "S1", "parent": "7"})
    assert (draft.kind, draft.parent) == (kind, 7)
    assert isinstance(draft.content, Payment)
    assert bool(draft.content.reference) is (kind is Kind.PAYMENT_TAKEN)
    assert bool(draft.content.contact) is (method in ("payment link", "by telephone later"))


def test_an_appointment_fills_a_form_and_is_remembered_as_it_was() -> None:
    row = listed(14, 45, room="Sun", price=Money(4500, "GBP"), client_key="c1")
    fields = fields_of_appointment(row, ZONE)
    assert (fields["date"], fields["time"], fields["minutes"]) == ("2026-11-21", "14:00", "45")
    assert (fields["unit0"], fields["amount"]) == ("45.00", "45.00")
    draft = read({"kind": "check-in", "key": row.key}, appointment=row, source="front desk")
    assert (draft.appointment_key, draft.client_key, draft.source) == (row.key, "c1", "front desk")
    assert isinstance(draft.content, Visit)
    assert draft.content.was is not None
    assert (draft.content.client, draft.content.was.status) == ("Beth C.", Status.CONFIRMED)
    moved = read({"kind": "reschedule", "key": row.key, **WHEN, "time": "16:00"}, appointment=row)
    assert isinstance(moved.content, Visit)
    assert (moved.content.start_wall, moved.content.room) == (at(16), "Sun")


@pytest.mark.parametrize(
    "draft",
    [
        booking(price=Money(4500, "GBP"), phone="01632 960123", note="window"),
        Draft(Kind.SALE, sale(Line("Cut", 2, 4500), discount_minor=500, note="n")),
        payment(Kind.PAYMENT_LINK, 1250, contact="by post"),
        note("Order foil"),
    ],
)
def test_an_entry_goes_back_into_its_form_and_comes_out_the_same(draft) -> None:
    fields = fields_of_entry(entry(7, draft), ZONE, private=True)
    again = read(fields)
    assert (again.kind, again.content) == (draft.kind, draft.content)
    assert (again.parent, again.replaces) == (7, True)
    hidden = fields_of_entry(entry(7, draft), ZONE, private=False)
    assert not {"phone", "note", "contact"} & set(hidden)


def test_what_is_forgotten_cannot_be_corrected() -> None:
    gone = entry(7, note("x"))
    object.__setattr__(gone, "draft", None)
    with pytest.raises(PaperError, match="P-0007 said has been forgotten"):
        fields_of_entry(gone, ZONE, private=True)
