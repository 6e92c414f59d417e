"""What was written down of a class, against the vendor's list of who is in it."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import Attendee, Client, Status
from edge_watchdog.daybook.paper import Draft, Kind, State
from edge_watchdog.daybook.paper_back import changeable, sendable
from edge_watchdog.daybook.reconcile import Outcome, reconcile
from tests.daybook.papers import booking, entry, listed, visit
from tests.daybook.test_paper_finds_its_way_back import about, fresh, outcome

WAITS = replace(booking(14, service="Spin"), lesson="key 14", waits=True)
OVER = replace(booking(14, service="Spin"), lesson="key 14", forced="the teacher agreed")
BETH = Attendee("Beth C.", Status.BOOKED, "c-beth")


def spin(*attendees: Attendee, hour: float = 14, **more: Any) -> Appointment:
    said = {"client": "", "service": "Spin", "status": Status.NOT_SAID, **more}
    return listed(hour, key="key 14", attendees=attendees, **said)


def anna(status: Status = Status.BOOKED, key: str = "") -> Attendee:
    return Attendee("Anna B.", status, key)


@pytest.mark.parametrize(
    "row, expected",
    [
        (spin(BETH, anna()), Outcome.FOUND),
        (spin(BETH, anna(Status.ARRIVED), service="Spin 45"), Outcome.FOUND),
        (spin(BETH, anna(), member="Tom"), Outcome.ABSENT),
        (spin(BETH, anna(), hour=14.5), Outcome.TAKEN),
        (spin(BETH, anna(), service="Yoga"), Outcome.TAKEN),
        (spin(BETH, anna(Status.WAITING), capacity=2, booked=1), Outcome.ABSENT),
        (spin(BETH, anna(Status.WAITING), capacity=1, booked=1), Outcome.TAKEN),
        (spin(BETH, anna(Status.CANCELLED)), Outcome.ABSENT),
        (spin(BETH), Outcome.ABSENT),
        (spin(capacity=8), Outcome.ABSENT),
        (spin(booked=8, capacity=8), Outcome.TAKEN),
        (spin(booked=0), Outcome.ABSENT),
        (spin(), Outcome.TAKEN),
    ],
)
def test_a_place_in_a_class_is_found_still_to_be_had_or_gone(row, expected) -> None:
    assert outcome(booking(14, service="Spin"), row) is expected


def test_who_cannot_be_named_is_known_in_a_class_by_telephone() -> None:
    row = spin(BETH, Attendee("Annie B.", Status.BOOKED, "c1"), capacity=2, booked=2)
    clients = {"c1": Client("c1", "Annie Bell", phone="+44 1632 960123")}
    one = entry(1, booking(14, service="Spin", phone="(01632) 960 123"))
    assert reconcile([one], [fresh(row, clients=clients)])[0].outcome is Outcome.FOUND
    assert reconcile([one], [fresh(row)])[0].outcome is Outcome.TAKEN


@pytest.mark.parametrize(
    "kind, status, expected",
    [
        (Kind.CHECK_IN, Status.ARRIVED, Outcome.FOUND),
        (Kind.CHECK_IN, Status.BOOKED, Outcome.ABSENT),
        (Kind.CHECK_IN, Status.NO_SHOW, Outcome.CHANGED),
        (Kind.NO_SHOW, Status.NO_SHOW, Outcome.FOUND),
        (Kind.CANCEL, Status.CANCELLED, Outcome.FOUND),
        (Kind.CANCEL, Status.BOOKED, Outcome.ABSENT),
    ],
)
def test_how_somebody_stands_in_a_class_is_compared_and_not_the_class(
    kind, status, expected
) -> None:
    arrived = Attendee("Beth C.", Status.ARRIVED)
    assert outcome(about(kind), spin(arrived, anna(status))) is expected


def test_who_is_in_the_class_no_more_was_cancelled_once_somebody_says_so() -> None:
    assert outcome(about(Kind.CANCEL), spin(BETH)) is Outcome.ABSENT
    assert outcome(about(Kind.CANCEL), spin(BETH), states=(State.ENTERED,)) is Outcome.FOUND
    assert outcome(about(Kind.CANCEL), spin(anna()), states=(State.ENTERED,)) is Outcome.ABSENT
    whole = about(Kind.CANCEL, client="")
    assert outcome(whole, spin(BETH), states=(State.ENTERED,)) is Outcome.ABSENT


TWO_ANNAS = (anna(), anna())


@pytest.mark.parametrize(
    "draft, row, expected",
    [
        (replace(booking(14, service="Spin"), namesakes=1), spin(BETH, anna()), Outcome.ABSENT),
        (replace(booking(14, service="Spin"), namesakes=1), spin(*TWO_ANNAS), Outcome.FOUND),
        (WAITS, spin(anna(Status.WAITING), capacity=1, booked=1), Outcome.FOUND),
        (WAITS, spin(BETH, capacity=1), Outcome.ABSENT),
        (OVER, spin(BETH, capacity=1), Outcome.ABSENT),
        (OVER, spin(BETH, anna(), capacity=1), Outcome.FOUND),
        # the vendor moved the class, or called it off
        (OVER, spin(BETH, hour=15, capacity=9), Outcome.CHANGED),
        (OVER, spin(BETH, anna(), hour=15, capacity=9), Outcome.FOUND),
        (OVER, spin(BETH, anna(), status=Status.CANCELLED), Outcome.CHANGED),
    ],
)
def test_namesakes_and_who_waits_or_is_over_the_limit_find_their_way(draft, row, expected) -> None:
    assert reconcile([entry(1, draft)], [fresh(row)])[0].outcome is expected


def evening(*attendees: Attendee) -> Appointment:
    return replace(spin(*attendees, hour=18, capacity=2), key="key 18")


@pytest.mark.parametrize(
    "rows, expected",
    [
        ((spin(BETH, anna()), evening()), Outcome.ABSENT),
        ((spin(BETH), evening(anna())), Outcome.FOUND),
        ((spin(BETH, anna()), evening(BETH, BETH)), Outcome.TAKEN),
        ((spin(BETH, anna(), status=Status.CANCELLED), evening()), Outcome.CHANGED),
    ],
)
def test_who_moves_to_another_class_is_looked_for_there(rows, expected) -> None:
    moved = Draft(Kind.RESCHEDULE, visit(18, service="Spin"), appointment_key="key 14")
    assert reconcile([entry(1, moved)], [fresh(*rows)])[0].outcome is expected


def test_the_box_never_changes_a_class_for_one_of_its_people() -> None:
    row = spin(BETH, anna(), ref="uid-1", capacity=9)
    for kind in (Kind.CANCEL, Kind.BOOKING):
        draft = replace(about(kind), lesson="key 14") if kind is Kind.BOOKING else about(kind)
        (found,) = reconcile([entry(1, draft)], [fresh(row)])
        assert not changeable(found, row)
        assert not sendable(found)


def test_what_the_teacher_has_beside_a_class_takes_no_place_in_it() -> None:
    lesson, massage = spin(BETH, capacity=8, booked=1), listed(14.3, 60, key="other")
    (found,) = reconcile([entry(1, booking(14, service="Spin"))], [fresh(massage, lesson)])
    assert (found.outcome, found.theirs) == (Outcome.ABSENT, lesson)
    full = spin(capacity=8, booked=8)
    (found,) = reconcile([entry(1, booking(14, service="Spin"))], [fresh(massage, full)])
    assert (found.outcome, found.theirs) == (Outcome.TAKEN, full)
    (found,) = reconcile([entry(1, WAITS)], [fresh(massage, full)])
    assert (found.outcome, found.theirs) == (Outcome.ABSENT, full)


def test_who_leaves_a_class_is_entered_before_who_gets_the_place() -> None:
    leaving = about(Kind.CANCEL, client="Beth C.", service="Spin")
    found = reconcile([entry(1, WAITS), entry(2, leaving)], [fresh(spin(BETH, capacity=1))])
    assert [one.entry.number for one in found] == [2, 1]
