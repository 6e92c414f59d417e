"""What may stand in the journal, what may follow what, and what it all comes to."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.paper import (
    NEXT,
    Draft,
    Kind,
    Line,
    Method,
    Move,
    PaperError,
    Payment,
    Sale,
    State,
    Words,
    check,
    check_move,
    check_open,
    is_over,
)
from edge_watchdog.daybook.paper_guard import (
    Buffers,
    Busy,
    Knowledge,
    Verdict,
    answer,
    busy,
    clashes,
    gaps,
)
from edge_watchdog.daybook.paper_money import debts, taken
from edge_watchdog.daybook.paper_text import holds_card_number, holds_contact, luhn
from tests.daybook.papers import MIA, NOON, at, booking, entry, listed, note, payment, sale, visit

SURE = Knowledge(60.0, covers=True, trouble=False, online_booking=True)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "card 4111 1111 1111 1111 please",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "5555.5555.5555.4444",
        "4111 1111 1111 1111 12/27 123",
        "41111111111111111227123",
        "\uff14111 1111 1111 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4111 1111\n1111 1111",
        "tel 01632 960123 4111 1111 1111 1111",
    ],
)
def test_a_card_number_is_seen_however_it_is_written(text) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "01632 960123", "01632 960123 01632 960456", "at 10:00, 45 min, 60"],
)
def test_other_digits_are_no_card_number(text) -> None:
    assert not holds_card_number(text)


@given(st.integers(10**11, 10**17), st.sampled_from(["", " ", "-", "  "]), st.text(max_size=5))
@settings(max_examples=30, deadline=None)
def test_every_number_that_passes_the_check_is_refused_everywhere(stem, gap, around) -> None:
    last = next(d for d in "0123456789" if luhn(f"{stem}{d}"))
    words = f"{''.join(c for c in around if not c.isnumeric())} x {gap.join(f'{stem}{last}')}"
    for draft in (
        note(words),
        booking(client=words),
        booking(phone=words),
        booking(note=words),
        Draft(Kind.SALE, sale(Line(words, 1, 1))),
        Draft(Kind.SALE, sale(reference=words)),
        payment(Kind.PAYMENT_LINK, contact=words),
        dataclasses.replace(booking(), forced=words),
    ):
        with pytest.raises(PaperError, match="Never write card numbers down"):
            check(draft)
    with pytest.raises(PaperError, match="Never write card numbers down"):
        check_move(entry(1, note("x")), State.ENTERED, words)


@pytest.mark.parametrize(
    "draft, place",
    [
        (booking(minutes=0), "minutes"),
        (booking(minutes=25 * 60), "minutes"),
        (booking(client=" "), "client"),
        (booking(client="x" * 81), "client"),
        (booking(price=Money(-1, "GBP")), "price"),
        (Draft(Kind.CHECK_IN, visit(client="", service="")), "client"),
        (Draft(Kind.SALE, sale(*[Line("Cut", 1, 1)] * 13)), "item0"),
        (Draft(Kind.SALE, sale(Line("", 1, 1))), "item0"),
        (Draft(Kind.SALE, sale(Line("Cut", 1, 1), Line("Cut", 0, 1))), "quantity1"),
        (Draft(Kind.SALE, sale(Line("Cut", 1, -1))), "unit0"),
        (Draft(Kind.SALE, sale(discount_minor=4501)), "discount"),
        (Draft(Kind.SALE, sale(method=Method.LINK)), "contact"),
        (payment(Kind.PAYMENT_TAKEN, 0), "amount"),
        (payment(Kind.PAYMENT_TAKEN, method=Method.OWED), "method"),
        (payment(Kind.PAYMENT_OWED, client=""), "client"),
        (payment(Kind.PHONE_PAYMENT), "contact"),
        (note(""), "text"),
        (note("x" * 601), "text"),
        (Draft(Kind.SALE, Words("a sale")), ""),
    ],
)
def test_what_cannot_be_kept_names_its_field(draft, place) -> None:
    with pytest.raises(PaperError) as caught:
        check(draft)
    assert caught.value.place == place


def test_what_is_complete_is_kept() -> None:
    for draft in (
        booking(price=Money(4500, "GBP")),
        Draft(Kind.CANCEL, visit(client="")),
        Draft(Kind.SALE, sale(method=Method.PHONE, contact="on her card in BookWell")),
        payment(Kind.PAYMENT_TAKEN, client=""),
        note("Order foil"),
    ):
        check(draft)
        check_open(draft)


@pytest.mark.parametrize(
    "text, private",
    [
        ("call 01632 960123", True),
        ("anna@studio.example", True),
        ("from 2026-11-24 on, 24.11.2026, 10:00-11:30", False),
        ("on her card in BookWell", False),
    ],
)
def test_contacts_are_seen_where_others_could_read_along(text, private) -> None:
    assert holds_contact(text) is private
    if private:
        with pytest.raises(PaperError, match="secure address"):
            check_open(note(text))


def test_a_terminals_number_is_no_contact() -> None:
    check_open(payment(Kind.PAYMENT_TAKEN, reference="00012345678"))


@pytest.mark.parametrize("now", State)
@pytest.mark.parametrize("then", State)
def test_only_what_follows_may_follow(now, then) -> None:
    one = entry(1, booking(), *(() if now is State.OPEN else (now,)))
    if then in NEXT[now]:
        check_move(one, then, "a reason")
    else:
        with pytest.raises(PaperError, match="P-0001 is"):
            check_move(one, then, "a reason")


def test_a_way_out_needs_a_reason_and_words_are_over_when_they_are_done() -> None:
    for state in (State.VOID, State.WRITTEN_OFF):
        with pytest.raises(PaperError, match="in a few words"):
            check_move(entry(1, booking()), state, " ")
    assert is_over(entry(1, note("x"), State.ENTERED))
    assert not is_over(entry(1, booking(), State.ENTERED))
    assert is_over(entry(1, booking(), State.VERIFIED))


@pytest.mark.parametrize(
    "wanted, others, verdict",
    [
        (booking(14), [listed(13)], Verdict.FREE),
        (booking(14), [listed(15)], Verdict.FREE),
        (booking(14), [listed(14.5)], Verdict.TAKEN),
        (booking(14), [listed(13.5, member="mia ")], Verdict.TAKEN),
        (booking(14), [listed(14, member="Tom")], Verdict.FREE),
        (booking(14, room="Sun"), [listed(14, member="Tom", room="sun")], Verdict.TAKEN),
        (booking(14), [listed(14, status=Status.CANCELLED)], Verdict.FREE),
        (booking(14), [listed(14, member="")], Verdict.PROVISIONAL),
        (booking(14, member=""), [listed(14, member="")], Verdict.TAKEN),
        (booking(14), [listed(0, 1440, member="", all_day=True)], Verdict.FREE),
        (booking(14), [listed(0, 1440, all_day=True, client="", service="Off")], Verdict.TAKEN),
    ],
)
def test_a_time_is_free_or_taken(wanted, others, verdict) -> None:
    hold = busy([], [entry(9, wanted)])[0]
    assert answer(hold, busy(others, []), SURE).verdict is verdict


def test_paper_holds_time_until_it_is_void_or_verified_and_frees_what_it_cancels() -> None:
    hold = busy([], [entry(9, booking(14))])[0]
    for state, count in (
        *((s, 1) for s in (State.CLAIMED, State.ENTERED, State.CONFLICT, State.UNKNOWN)),
        *((s, 0) for s in (State.VERIFIED, State.VOID, State.WRITTEN_OFF)),
    ):
        assert len(clashes(hold, busy([], [entry(1, booking(14.5), state)]))) == count
    cancel = Draft(Kind.CANCEL, visit(14), appointment_key="key 14")
    row = listed(14)
    assert busy([row], [entry(1, cancel)]) == ()
    assert len(busy([row], [entry(1, cancel, State.VOID)])) == 1
    assert len(busy([row], [entry(1, cancel, State.CONFLICT)])) == 1


KNOWN, DOUBT = Verdict.NOT_KNOWN, Verdict.PROVISIONAL


@pytest.mark.parametrize(
    "known, verdict, words",
    [
        (Knowledge(60.0, covers=False, trouble=False, online_booking=True), KNOWN, "does not hold"),
        (Knowledge(None, covers=True, trouble=False, online_booking=True), KNOWN, "nobody can say"),
        (Knowledge(60.0, covers=True, trouble=True, online_booking=True), DOUBT, "booking online"),
        (Knowledge(60.0, covers=True, trouble=True, online_booking=False), DOUBT, "not fresh"),
        (Knowledge(901.0, covers=True, trouble=False, online_booking=False), DOUBT, "not fresh"),
        (dataclasses.replace(SURE, closed=True), DOUBT, "is not open then"),
        (dataclasses.replace(SURE, unseen="Mia"), DOUBT, "nothing of Mia's that day"),
        (dataclasses.replace(SURE, covers=False, closed=True), KNOWN, "does not hold"),
    ],
)
def test_what_the_box_cannot_know_is_said_and_never_called_free(known, verdict, words) -> None:
    said = answer(Busy(NOON, NOON + 60, "Mia", "", "x"), (), known)
    assert (said.verdict, words in said.sentence) == (verdict, True)
    assert said.sentence.lower().startswith(f"{verdict}.")


TEN, FIVE = 600.0, 300.0
AROUND = Buffers(FIVE, TEN, {"massage": (0.0, 1800.0), "class": (0.0, 0.0)})


@pytest.mark.parametrize(
    "wanted, other, said",
    [
        (booking(14), listed(13), "too close to"),  # ten after theirs and five before ours
        (booking(14), listed(12.75), "Free."),  # exactly that
        (booking(14), listed(15), "too close to"),
        (booking(14), listed(15.25), "Free."),
        (booking(14), listed(14.5), "time is taken: Beth C."),
        (booking(14), listed(12.5, service="Massage"), "too close to"),  # half an hour after
        (booking(14), listed(13, member="Tom"), "Free."),
        (booking(14), listed(0, 720, all_day=True), "Free."),
    ],
)
def test_time_is_kept_free_around_appointments(wanted, other, said) -> None:
    hold = busy([], [entry(9, wanted)], AROUND)[0]
    assert said in answer(hold, busy([other], [], AROUND), SURE).sentence


def test_free_times_leave_room_and_may_end_at_closing() -> None:
    wanted = Busy(0, 3600, "Mia", "", "x", before_s=FIVE, after_s=TEN)
    others = busy([listed(10, 60)], [], AROUND)
    found = gaps(wanted, others, [(at(8.75), at(10)), (at(11), at(13))])
    assert found == tuple(map(at, (8.75, 11.25, 11.5, 11.75, 12)))


def test_gaps_begin_where_it_fits() -> None:
    wanted = Busy(0, 3600, "Mia", "", "x")
    others = busy([listed(10, 50), listed(13, 30), listed(9, 600, member="Tom")], [])
    found = gaps(wanted, others, [(at(9), at(15))])
    assert found == (
        at(9),
        *(at(11 + q / 4) for q in range(5)),
        *(at(13.5 + q / 4) for q in (0, 1, 2)),
    )


MONEY = st.integers(1, 20_000)
LINES = st.lists(
    st.builds(Line, st.just("Cut"), st.integers(1, 9), st.integers(0, 9_000)),
    min_size=1,
    max_size=4,
)
SOLD = st.builds(
    lambda lines, method, share: Draft(
        Kind.SALE,
        sale(
            *lines,
            method=method,
            discount_minor=sum(one.total_minor for one in lines) * share // 10,
            contact="by post",
        ),
    ),
    LINES,
    st.sampled_from(Method),
    st.integers(0, 10),
)
PAID = st.builds(
    lambda kind, minor: payment(kind, minor, contact="x"),
    st.sampled_from([Kind.PAYMENT_TAKEN, Kind.PAYMENT_OWED, Kind.PAYMENT_LINK, Kind.PHONE_PAYMENT]),
    MONEY,
)


def amount(draft: Draft) -> int:
    assert isinstance(draft.content, (Sale, Payment))
    return draft.content.amount.minor


@given(st.lists(st.one_of(SOLD, PAID), max_size=8), st.sets(st.integers(1, 8)))
@settings(max_examples=50, deadline=None)
def test_what_was_taken_and_what_is_owed_add_up_to_what_was_written(drafts, voided) -> None:
    entries = [
        entry(n, one, *([State.VOID] if n in voided else [])) for n, one in enumerate(drafts, 1)
    ]
    for draft in drafts:
        check(draft)
    written = sum(amount(one) for n, one in enumerate(drafts, 1) if n not in voided)
    owed = sum(debt.left.minor for debt in debts(entries))
    assert sum(taken(entries).values()) + owed == written


@given(MONEY, st.lists(MONEY, max_size=5))
def test_a_debt_is_what_is_left_after_what_came_in(owed, paid) -> None:
    parts = [payment(Kind.PAYMENT_TAKEN, minor, parent=1) for minor in paid]
    entries = [entry(n, one) for n, one in enumerate([payment(Kind.PAYMENT_OWED, owed), *parts], 1)]
    (debt,) = debts(entries)
    assert debt.left.minor == owed - sum(paid)
    assert debt.blocks is (sum(paid) < owed)
    assert sum(taken(entries).values()) == sum(paid)


def test_a_debt_stops_the_closing_until_it_is_promised_or_written_off() -> None:
    owed = payment(Kind.PAYMENT_OWED)
    assert [d.blocks for d in debts([entry(1, owed)])] == [True]
    assert [d.blocks for d in debts([entry(1, owed, State.WRITTEN_OFF)])] == [False]
    promise = payment(Kind.PAYMENT_LINK, parent=1, contact="on her card")
    (debt,) = debts([entry(1, owed), entry(2, promise)])
    assert (debt.blocks, debt.promised, debt.contact) == (False, Method.LINK, "on her card")
    other = payment(Kind.PAYMENT_TAKEN, parent=1, amount=Money(1000, "EUR"))
    assert debts([entry(1, owed), entry(2, other)])[0].left == Money(1000, "GBP")


def test_moves_tell_how_an_entry_stands() -> None:
    one = entry(42, booking(), State.CLAIMED)
    assert (one.state, one.name) == (State.CLAIMED, "P-0042")
    assert one.moves == (Move(State.CLAIMED, NOON, MIA, "said so"),)
