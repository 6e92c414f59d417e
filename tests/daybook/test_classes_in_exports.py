"""Classes in CSV exports: which rows are one class, and who has which spot."""

import pytest

from edge_watchdog.daybook import Appointment, Reading
from edge_watchdog.daybook.model import Status
from tests.daybook.test_exports_are_read import PLAIN, read

HEAD = "Booking ref,Date,Time,Duration,Class,Teacher,Room,Name,Spot,Status\n"
MAPPED = {"service": "Class", "member": "Teacher"}


def exported(*rows: str, head: str = HEAD) -> Reading:
    keys = type(PLAIN)(PLAIN.export, MAPPED, PLAIN.habits, PLAIN.most_bad_percent, PLAIN.days)
    return read(head + "\n".join(rows) + "\n", keys)


def row(number: int, name: str, spot: str = "", status: str = "Booked", **more: str) -> str:
    said = {"time": "09:00", "service": "Spin", "member": "Mia", "room": "Bike room", **more}
    times = f"21/11/2026,{said['time']},45"
    who = f"{said['service']},{said['member']},{said['room']}"
    return f"R{number},{times},{who},{name},{spot},{status}"


def seats(one: Appointment) -> list[tuple[str, str, Status]]:
    return [(seat.name, seat.spot, seat.status) for seat in one.attendees]


def test_rows_that_share_a_class_with_spots_are_one_class() -> None:
    reading = exported(
        row(1, "Anna Bell", "12", "Checked in"),
        row(2, "Beth Cole", "14"),
        row(3, "Carol Dean"),
        row(4, "Dana Ek", "3", time="10:00"),
    )
    nine, ten = reading.appointments
    assert seats(nine) == [
        ("Anna B.", "12", Status.ARRIVED),
        ("Beth C.", "14", Status.BOOKED),
        ("Carol D.", "", Status.BOOKED),
    ]
    assert (nine.service, nine.member, nine.room, nine.booked) == ("Spin", "Mia", "Bike room", 3)
    assert (nine.client, nine.client_key, nine.status) == ("", "", Status.NOT_SAID)
    assert seats(ten) == [("Dana E.", "3", Status.BOOKED)]
    assert {one.key for one in reading.clients} >= {seat.client_key for seat in nine.attendees}


def test_without_spots_every_row_stays_an_appointment_of_its_own() -> None:
    reading = exported(row(1, "Anna Bell"), row(2, "Beth Cole"))
    found = {one.client: one.attendees for one in reading.appointments}
    assert found == {"Anna B.": (), "Beth C.": ()}


def test_who_cancelled_has_no_place_and_who_waits_stands_last() -> None:
    reading = exported(
        row(1, "Anna Bell", "12", "Cancelled"),
        row(2, "Beth Cole", "", "Waitlisted"),
        row(3, "Carol Dean", "14"),
    )
    (spin,) = reading.appointments
    assert seats(spin) == [("Carol D.", "14", Status.BOOKED), ("Beth C.", "", Status.WAITING)]
    assert spin.booked == 1


def test_a_class_that_everybody_left_is_still_there() -> None:
    (spin,) = exported(row(1, "Anna Bell", "12", "Cancelled")).appointments
    assert (spin.service, spin.booked, spin.attendees) == ("Spin", 0, ())


def test_the_same_booking_again_is_a_correction_of_its_spot() -> None:
    (spin,) = exported(row(1, "Anna Bell", "12"), row(1, "Anna Bell", "15")).appointments
    assert seats(spin) == [("Anna B.", "15", Status.BOOKED)]


@pytest.mark.parametrize(
    "column, is_spot",
    [("Bike", True), ("Mat number", True), ("Place number", True), ("Place", False)],
)
def test_spots_are_known_by_their_usual_names_and_a_place_alone_is_none(column, is_spot) -> None:
    head = HEAD.replace("Spot", column)
    (one,) = exported(row(1, "Anna Bell", "12"), head=head).appointments
    assert [seat.spot for seat in one.attendees] == (["12"] if is_spot else [])
    assert one.client == ("" if is_spot else "Anna B.")


def test_a_class_keeps_its_key_when_somebody_joins() -> None:
    (before,) = exported(row(1, "Anna Bell", "12")).appointments
    (after,) = exported(row(2, "Beth Cole", "1"), row(1, "Anna Bell", "12")).appointments
    assert before.key == after.key
