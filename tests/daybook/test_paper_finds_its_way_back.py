"""Every kind of entry against every thing that the vendor's list may say of it."""

import dataclasses
from typing import Any

import pytest

from edge_watchdog.daybook.model import Client, Status
from edge_watchdog.daybook.paper import Draft, Kind, State, Visit, Was
from edge_watchdog.daybook.reconcile import SECTIONS, Finding, Fresh, Outcome, next_state, reconcile
from tests.daybook.papers import HOUR, NOON, at, booking, entry, listed, note, payment, sale, visit

WAS = Was(at(14), at(15), "Mia", Status.CONFIRMED)
ANNA: dict[str, Any] = {"client": "Anna B.", "service": "Cut and blow-dry"}


def fresh(*rows: object, asked: float = NOON + HOUR, **changes: object) -> Fresh:
    base = Fresh("front desk", asked, at(0), at(24), tuple(rows), {})  # type: ignore[arg-type]
    return dataclasses.replace(base, **changes)  # type: ignore[arg-type]


def about(kind: Kind, hour: float = 14, **changes: Any) -> Draft:
    made = visit(hour, was=WAS, **changes)
    return Draft(kind, made, appointment_key="key 14", source="front desk")


def outcome(draft: Draft, *rows: object, states: tuple[State, ...] = ()) -> Outcome:
    (found,) = reconcile([entry(1, draft, *states)], [fresh(*rows)])
    return found.outcome


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([listed(14, **ANNA)], Outcome.FOUND),
        ([listed(14 + 5 / 60, **ANNA)], Outcome.FOUND),
        ([listed(14 + 6 / 60, **ANNA)], Outcome.TAKEN),
        ([listed(14, client="Anna", service="Cut")], Outcome.FOUND),
        ([listed(14, client="Anna C.", service="Cut")], Outcome.TAKEN),
        ([listed(14, client="Anna B.", service="Massage")], Outcome.TAKEN),
        ([listed(14, client="Anna B.", service="")], Outcome.FOUND),
        ([listed(14, member="", **ANNA)], Outcome.FOUND),
        ([listed(14, member="Tom", **ANNA)], Outcome.ABSENT),
        ([listed(14, status=Status.CANCELLED, **ANNA)], Outcome.ABSENT),
        ([listed(14)], Outcome.TAKEN),
        ([listed(13), listed(15)], Outcome.ABSENT),
        ([listed(14.5, status=Status.NO_SHOW)], Outcome.ABSENT),
        ([listed(14, member="Tom", room="")], Outcome.ABSENT),
        ([listed(0, 1440, all_day=True, member="")], Outcome.ABSENT),
        ([], Outcome.ABSENT),
    ],
)
def test_a_booking_is_found_taken_or_absent(rows, expected) -> None:
    assert outcome(booking(14), *rows) is expected


def test_a_room_that_is_taken_is_taken() -> None:
    row = listed(14, member="Tom", room="Sun")
    assert outcome(booking(14, room="sun"), row) is Outcome.TAKEN


def test_a_client_who_cannot_be_named_is_known_by_telephone() -> None:
    row = listed(14, client="Annie B.", service="Cut", client_key="c1")
    clients = {"c1": Client("c1", "Annie Bell", phone="+44 1632 960123")}
    one = entry(1, booking(14, phone="(01632) 960 123"))
    assert reconcile([one], [fresh(row, clients=clients)])[0].outcome is Outcome.FOUND
    assert reconcile([one], [fresh(row)])[0].outcome is Outcome.TAKEN
    short = entry(1, booking(14, phone="123"))
    assert reconcile([short], [fresh(row, clients=clients)])[0].outcome is Outcome.TAKEN


def test_what_was_booked_over_another_with_a_reason_is_still_to_be_entered() -> None:
    forced = dataclasses.replace(booking(14), forced="both agreed")
    assert outcome(forced, listed(14)) is Outcome.ABSENT


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([listed(16, key="key 14", **ANNA)], Outcome.FOUND),
        ([listed(14, **ANNA)], Outcome.ABSENT),
        ([listed(14, status=Status.BOOKED, **ANNA)], Outcome.ABSENT),
        ([listed(14, **ANNA), listed(16.5)], Outcome.TAKEN),
        ([listed(17, key="key 14", **ANNA)], Outcome.CHANGED),
        ([listed(14, member="Tom", **ANNA)], Outcome.CHANGED),
        ([listed(14, status=Status.ARRIVED, **ANNA)], Outcome.CHANGED),
        ([listed(14, status=Status.CANCELLED, **ANNA)], Outcome.CHANGED),
        ([], Outcome.CHANGED),
    ],
)
def test_a_move_is_found_open_taken_or_overtaken(rows, expected) -> None:
    assert outcome(about(Kind.RESCHEDULE, 16), *rows) is expected


@pytest.mark.parametrize(
    "kind, status, expected",
    [
        (Kind.CANCEL, Status.CANCELLED, Outcome.FOUND),
        (Kind.CANCEL, Status.LATE_CANCELLED, Outcome.FOUND),
        (Kind.CANCEL, Status.CONFIRMED, Outcome.ABSENT),
        (Kind.CANCEL, Status.ARRIVED, Outcome.CHANGED),
        (Kind.CHECK_IN, Status.ARRIVED, Outcome.FOUND),
        (Kind.CHECK_IN, Status.COMPLETED, Outcome.FOUND),
        (Kind.CHECK_IN, Status.CONFIRMED, Outcome.ABSENT),
        (Kind.CHECK_IN, Status.NO_SHOW, Outcome.CHANGED),
        (Kind.CHECK_IN, Status.CANCELLED, Outcome.CHANGED),
        (Kind.NO_SHOW, Status.NO_SHOW, Outcome.FOUND),
        (Kind.NO_SHOW, Status.CONFIRMED, Outcome.ABSENT),
        (Kind.NO_SHOW, Status.IN_SERVICE, Outcome.CHANGED),
    ],
)
def test_what_happened_to_an_appointment_is_compared(kind, status, expected) -> None:
    assert outcome(about(kind), listed(14, status=status)) is expected


def test_an_appointment_that_is_gone_was_cancelled_only_if_somebody_says_so() -> None:
    assert outcome(about(Kind.CANCEL)) is Outcome.CHANGED
    assert outcome(about(Kind.CANCEL), states=(State.ENTERED,)) is Outcome.FOUND
    assert outcome(about(Kind.CHECK_IN)) is Outcome.CHANGED
    moved = listed(16, key="key 14")
    assert outcome(about(Kind.CANCEL), moved) is Outcome.CHANGED
    assert outcome(about(Kind.CHECK_IN), moved) is Outcome.CHANGED


def test_only_a_list_that_is_newer_and_covers_the_day_tells_anything() -> None:
    one, row = entry(1, booking(14)), listed(14, **ANNA)
    for some in (
        [],
        [fresh(row, asked=NOON)],
        [fresh(row, start_wall=at(24), end_wall=at(48))],
    ):
        assert reconcile([one], some)[0].outcome is Outcome.WAITING
    other = fresh(listed(14), source="other")
    assert reconcile([entry(1, about(Kind.CANCEL))], [other])[0].outcome is Outcome.WAITING


def test_where_the_clock_was_not_set_a_list_newer_than_the_one_then_shown_tells() -> None:
    draft = dataclasses.replace(booking(14), as_of_wall=NOON)
    one = dataclasses.replace(entry(1, draft, wall=NOON - 9e6), clock_known=False)
    row = listed(14, **ANNA)
    assert reconcile([one], [fresh(row, asked=NOON)])[0].outcome is Outcome.WAITING
    assert reconcile([one], [fresh(row, asked=NOON + 1)])[0].outcome is Outcome.FOUND


def test_what_no_list_shows_is_for_a_person() -> None:
    drafts = (
        note("x"),
        Draft(Kind.SALE, sale()),
        payment(Kind.PAYMENT_OWED),
        Draft(Kind.CHECK_IN, visit()),
    )
    for draft in drafts:
        assert outcome(draft, listed(14)) is Outcome.PERSON


def test_the_order_is_the_one_that_staff_need_and_what_is_over_is_left_out() -> None:
    entries = [
        entry(1, Draft(Kind.TASK, note("x").content)),
        entry(2, note("x")),
        entry(3, payment(Kind.PAYMENT_OWED)),
        entry(4, about(Kind.CHECK_IN)),
        entry(5, booking(17)),
        entry(6, booking(16)),
        entry(7, booking(10)),
        entry(8, booking(9), State.VERIFIED),
        entry(9, note("x"), State.ENTERED),
    ]
    found = reconcile(entries, [fresh(listed(17))])
    assert [one.entry.number for one in found] == [5, 7, 6, 4, 3, 2, 1]
    assert [SECTIONS[one.section] for one in found[2:]] == list(SECTIONS)
    forgotten = dataclasses.replace(entry(10, note("x")), draft=None)
    assert reconcile([forgotten], []) == ()
    assert Finding(forgotten, Outcome.PERSON).section == len(SECTIONS) - 1


@pytest.mark.parametrize(
    "outcome, states, expected",
    [
        (Outcome.FOUND, (), State.VERIFIED),
        (Outcome.FOUND, (State.CONFLICT,), State.VERIFIED),
        (Outcome.TAKEN, (), State.CONFLICT),
        (Outcome.TAKEN, (State.CONFLICT,), None),
        (Outcome.ABSENT, (), None),
        (Outcome.CHANGED, (), None),
    ],
)
def test_the_list_verifies_and_finds_conflicts_by_itself(outcome, states, expected) -> None:
    assert next_state(Finding(entry(1, booking(), *states), outcome)) is expected


def test_names_are_compared_as_the_list_keeps_them() -> None:
    row = listed(14, **ANNA)
    assert outcome(Draft(Kind.BOOKING, visit(client="Anna Bell")), row) is Outcome.FOUND
    assert outcome(Draft(Kind.BOOKING, visit(client="12")), row) is Outcome.TAKEN
    assert isinstance(booking().content, Visit)
