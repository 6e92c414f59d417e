"""Who is in a class, and on which spot: rolls of vendors' classes, against contract fakes.

Written after the published contracts; nobody has compared the fakes with the live services.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.daybook import Appointment, DaybookError, Span
from edge_watchdog.daybook.mapping import Listing, Pages, Paging, read_mapping
from edge_watchdog.daybook.model import Attendee, Status
from edge_watchdog.daybook.paging import all_of
from edge_watchdog.daybook.rest import MOST_ONE_BY_ONE
from edge_watchdog.daybook.rest_read import flag_of
from tests.daybook.clouds_fake import CLOCK, SPAN, Cloud, cloud, looked, pages_of, rest

Entry = dict[str, Any]


def session(number: str, **more: Any) -> Entry:
    attributes = {
        "start_datetime": "2026-11-21T09:00:00Z",
        "end_datetime": "2026-11-21T09:45:00Z",
        "class_type_display": "Spin",
        "classroom_display": "Bike room",
        "capacity": 20,
        "standard_reservation_user_count": 3,
        "cancellation_datetime": None,
        **more,
    }
    return {"type": "class_sessions", "id": number, "attributes": attributes}


def reservation(
    number: int, user: str | None, spot: str | None = None, of: str = "7", **more: Any
) -> Entry:
    attributes = {
        "status": "pending",
        "reservation_type": "standard",
        "cancel_date": None,
        "check_in_date": None,
        "guest_name": None,
        "guest_email": None,
        "reserved_for_guest": False,
        **more,
    }
    pointers = {
        "user": {"data": user and {"type": "users", "id": user}},
        "spot": {"data": spot and {"type": "spots", "id": spot}},
        "class_session": {"data": {"type": "class_sessions", "id": of}},
        "tags": {"data": []},
    }
    made = {"type": "reservations", "id": str(number)}
    return {**made, "attributes": attributes, "relationships": pointers}


ANNA = {"first_name": "Anna", "last_name": "Bell", "phone_number": "01632 960123", "email": ""}
BETH = {"first_name": "Beth", "last_name": None, "full_name": "Beth", "email": "b@x.example"}
INCLUDED = [
    {"type": "users", "id": "1", "attributes": ANNA},
    {"type": "users", "id": "2", "attributes": BETH},
    {"type": "spots", "id": "1", "attributes": {"name": "Bike 12"}},
]


def reservations(*entries: Entry, heeds: bool = True) -> Any:
    """Answer as JSON:API does: filtered, by pages, and with what "include" asks for beside it."""

    def answer(request: web.Request) -> Any:
        assert request.query["include"] == "user,spot"
        wanted = request.query["class_session"]

        def of(one: Entry) -> object:
            return one["relationships"]["class_session"]["data"]["id"]

        found = [one for one in entries if not heeds or of(one) == wanted]
        meta = {"pagination": {"count": len(found), "page": 1, "per_page": 100}}
        return {"data": pages_of(found, request, "page_size"), "included": INCLUDED, "meta": meta}

    return answer


def sessions(*entries: Entry) -> Any:
    meta = {"pagination": {"count": len(entries)}}
    return lambda _: {"data": list(entries), "meta": meta, "links": None}


async def roll_of(*entries: Entry) -> list[tuple[str, Status, str]]:
    """Give the roll of class 7 as the day book has it: who, how they stand, and where."""
    async with cloud(
        class_sessions=sessions(session("7")), reservations=reservations(*entries)
    ) as at:
        (lesson,) = (await looked(rest("mariana_tek", at, brand="b", location="1"))).appointments
    return [(one.name, one.status, one.spot) for one in lesson.attendees]


async def test_mariana_tek_s_people_stand_on_their_spots() -> None:
    found = await roll_of(reservation(1, "1", "1"), reservation(2, "2"))
    assert found == [("Anna B.", Status.BOOKED, "Bike 12"), ("Beth", Status.BOOKED, "")]


@pytest.mark.parametrize(
    "said, status",
    [
        ({"status": "pending"}, Status.BOOKED),
        ({"status": "check in", "check_in_date": "2026-11-21T08:55:00Z"}, Status.ARRIVED),
        ({"status": "Check in"}, Status.ARRIVED),
        ({"status": "graced no show"}, Status.NO_SHOW),
        ({"status": "penalty no show", "check_in_date": None}, Status.NO_SHOW),
        ({"status": "standard cancel"}, None),
        ({"status": "penalty cancel"}, None),
        ({"status": "removed", "reservation_type": "waitlist"}, None),
        ({"status": "pending", "cancel_date": "2026-11-20T08:00:00Z"}, None),
        ({"status": "pending", "reservation_type": "standby"}, Status.WAITING),
    ],
)
async def test_how_somebody_stands_at_mariana_tek_is_said_in_our_words(said, status) -> None:
    found = await roll_of(reservation(1, "1", "1", **said))
    assert found == ([] if status is None else [("Anna B.", status, "Bike 12")])


async def test_who_waits_for_a_place_stands_behind_those_who_have_one() -> None:
    found = await roll_of(
        reservation(1, "1", reservation_type="waitlist"), reservation(2, "2", "1")
    )
    assert found == [("Beth", Status.BOOKED, "Bike 12"), ("Anna B.", Status.WAITING, "")]


async def test_a_guest_is_named_and_is_not_who_booked() -> None:
    guest = reservation(2, "1", guest_name="Carol Dean", reserved_for_guest=True)
    alone = reservation(3, None, guest_name="Dana Ek", guest_email="d@x.example")
    routes = {
        "class_sessions": sessions(session("7")),
        "reservations": reservations(reservation(1, "1", "1"), guest, alone),
    }
    async with cloud(**routes) as at:
        reading = await looked(rest("mariana_tek", at, brand="b", location="1"))
    (lesson,) = reading.appointments
    assert [one.name for one in lesson.attendees] == ["Anna B.", "Carol D.", "Dana E."]
    assert len({one.client_key for one in lesson.attendees}) == 3
    assert {one.name: one.phone for one in reading.clients} == {
        "Anna Bell": "01632 960123",
        "Carol Dean": "01632 960123",
        "Dana Ek": "",
    }


async def test_no_roll_is_asked_for_where_nobody_comes_and_each_question_is_counted() -> None:
    lessons = (
        session("7"),
        session("8", standard_reservation_user_count=0),
        session("9", cancellation_datetime="2026-11-20T10:00:00Z"),
    )
    many = [reservation(n, "1") for n in range(101)]
    routes = {"class_sessions": sessions(*lessons), "reservations": reservations(*many)}
    async with cloud(**routes) as at:
        fetched = await rest("mariana_tek", at, brand="b", location="1").fetch(SPAN)
        rolls = [one.query["class_session"] for one in at.asked if one.path == "/reservations"]
    assert rolls == ["7", "7"]  # two pages
    assert fetched.requests == len(at.asked) == 3


async def test_a_filter_that_is_not_heeded_puts_nobody_into_a_wrong_class() -> None:
    everybody = (reservation(1, "1"), reservation(2, "2", of="6"))
    routes = {
        "class_sessions": sessions(session("7")),
        "reservations": reservations(*everybody, heeds=False),
    }
    async with cloud(**routes) as at:
        with pytest.raises(DaybookError, match="the people of another class"):
            await looked(rest("mariana_tek", at, brand="b", location="1"))


@pytest.mark.parametrize("status, words", [(503, "maintenance"), (429, "less often")])
async def test_a_roll_that_fails_makes_no_half_day(status, words) -> None:
    def answer(request: web.Request) -> Any:
        if request.query["class_session"] == "7":
            return reservations(reservation(1, "1"))(request)
        return web.Response(status=status, headers={"Retry-After": "120"})

    routes = {"class_sessions": sessions(session("7"), session("8")), "reservations": answer}
    async with cloud(**routes) as at:
        with pytest.raises(DaybookError, match=words) as error:
            await looked(rest("mariana_tek", at, brand="b", location="1"))
    assert (error.value.after_s, error.value.requests) == (120.0, 3)


@dataclass
class Clinic:
    """Cliniko with one group of *people*; *gone* are patients that were deleted since."""

    people: int = 3
    gone: tuple[int, ...] = ()
    fails: list[int] = field(default_factory=list)

    def attendees(self, request: web.Request) -> Any:
        begin = 0 if "page" not in request.query else 2
        number = request.path.split("/")[2]
        ids = range(self.people) if begin == 0 and self.people > 3 else range(begin, self.people)
        here = [self.attendee(n, number) for n in ids]
        if self.people > 3:
            return {"attendees": here, "total_entries": self.people, "links": {}}
        links = {"next": f"{request.url.origin()}{request.path}?page=2"} if begin == 0 else {}
        return {"attendees": here[:2], "total_entries": self.people, "links": links}

    @staticmethod
    def attendee(number: int, group: str) -> Entry:
        return {
            "id": str(100 + number),
            "arrived": True if number == 0 else None,
            "cancelled_at": "2026-11-20T10:00:00Z" if number == 2 else None,
            "deleted_at": None,
            "booking": {"links": {"self": f"https://x/v1/bookings/{group}"}},
            "patient": {"links": {"self": f"https://x/v1/patients/{number}"}},
        }

    def patient(self, number: int) -> Any:
        def answer(_: web.Request) -> Any:
            if number in self.gone:
                return web.Response(status=404)
            if number in self.fails:
                return web.Response(status=500)
            return {
                "id": str(number),
                "first_name": "Anna" if number == 0 else f"Fay{chr(97 + number % 26)}",
                "last_name": "Bell",
                "date_of_birth": "1990-01-01",
                "email": "anna@mail.example",
                "patient_phone_numbers": [{"phone_type": "Mobile", "number": "01632 960123"}],
            }

        return answer

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Cloud]:
        group = {
            "id": "70",
            "starts_at": "2026-11-21T11:00:00Z",
            "ends_at": "2026-11-21T12:00:00Z",
            "max_attendees": 8,
            "patient_ids": [str(n) for n in range(self.people)],
            "appointment_type": {"links": {"self": "https://x/v1/appointment_types/9"}},
        }
        empty = {**group, "id": "71", "patient_ids": []}
        alone = {
            "id": "70",
            "starts_at": group["starts_at"],
            "ends_at": group["ends_at"],
            "patient_name": "Anna Bell",
            "patient": {"links": {"self": "https://x/v1/patients/0"}},
        }

        def listed(name: str, *entries: Entry) -> Any:
            return lambda _: {name: list(entries), "total_entries": len(entries), "links": {}}

        routes = {
            "individual_appointments": listed("individual_appointments", alone),
            "group_appointments": listed("group_appointments", group, empty),
            "group_appointments/70/attendees": self.attendees,
            "practitioners": listed("practitioners"),
            "appointment_types": listed("appointment_types", {"id": "9", "name": "Pilates"}),
            **{f"patients/{n}": self.patient(n) for n in range(self.people)},
        }
        async with cloud(**routes) as at:
            yield at


def cliniko(at: Cloud) -> Any:
    return rest("cliniko", at, shard="uk1", contact="o@lotus.example")


def group_in(appointments: tuple[Appointment, ...]) -> Appointment:
    (found,) = (one for one in appointments if one.ref == "groups 70")
    return found


async def test_cliniko_s_groups_have_their_people_by_name() -> None:
    async with Clinic().open() as at:
        reading = await looked(cliniko(at))
        assert Counter(at.paths())["group_appointments/70/attendees"] == 2
        assert "group_appointments/71/attendees" not in at.paths()
    group = group_in(reading.appointments)
    anna = next(one for one in reading.appointments if one.ref == "70")
    assert (group.service, group.capacity, group.booked) == ("Pilates", 8, 3)
    assert group.attendees == (
        Attendee("Anna B.", Status.ARRIVED, anna.client_key),
        Attendee("Fayb B.", Status.BOOKED, group.attendees[1].client_key),
    )
    assert {one.phone for one in reading.clients} == {"01632 960123"}


async def test_a_name_is_asked_for_once_a_day_and_nothing_else_of_it_is_kept() -> None:
    async with Clinic().open() as at:
        source = cliniko(at)
        first = await source.fetch(SPAN)
        again = await source.fetch(SPAN)
        assert (first.requests, again.requests) == (9, 6)
        assert first.body == again.body
        assert "1990" not in str(source.known)
        tomorrow = Span(SPAN.dates[1], 2, SPAN.zone)
        assert (await source.fetch(tomorrow)).requests == 9
    assert {day for day, _, _ in source.known} == {"2026-11-22"}


async def test_a_patient_nobody_knows_any_more_has_no_name_but_a_place() -> None:
    async with Clinic(gone=(1,)).open() as at:
        group = group_in((await looked(cliniko(at))).appointments)
    assert [one.name for one in group.attendees] == ["Anna B.", ""]


async def test_a_name_that_cannot_be_had_makes_no_half_day_and_the_next_look_goes_on() -> None:
    clinic = Clinic(fails=[1])
    async with clinic.open() as at:
        source = cliniko(at)
        with pytest.raises(DaybookError, match="has trouble"):
            await source.fetch(SPAN)
        clinic.fails.clear()
        await source.fetch(SPAN)
        asked = Counter(path for path in at.paths() if path.startswith("patients/"))
    assert asked == {"patients/0": 1, "patients/1": 2, "patients/2": 1}


async def test_more_people_than_one_look_may_ask_for_are_had_by_the_next() -> None:
    people = MOST_ONE_BY_ONE + 10
    async with Clinic(people).open() as at:
        source = cliniko(at)
        with pytest.raises(DaybookError, match="the next one goes on") as error:
            await source.fetch(SPAN)
        assert error.value.requests == MOST_ONE_BY_ONE + 3
        group = group_in((await looked(source)).appointments)
        names = [path for path in at.paths() if path.startswith("patients/")]
    assert len(names) == len(set(names)) == people
    assert len(group.attendees) == people - 1
    assert all(one.name for one in group.attendees)


@pytest.mark.parametrize(
    "answer, related",
    [
        ({"data": ["odd", {"id": 1}]}, None),
        ({"data": ["odd", {"id": 1}], "included": {}}, None),
        ({"data": ["odd", {"id": 1}], "included": []}, {}),
        ({"data": ["odd", {"id": 1, "relationships": 3}], "included": []}, {}),
    ],
)
async def test_what_was_not_sent_along_is_not_there(answer, related) -> None:
    listing = Listing("p", {}, "data", Pages(Paging.NONE), included="included")

    class Said:
        async def get(self, path: str, params: object = ()) -> Any:
            assert (path, list(params)) == ("p", [])  # type: ignore[call-overload]
            return answer

    odd, one = await all_of(Said(), listing, {})  # type: ignore[arg-type]
    assert odd == "odd"
    assert one.get("included") == related


@pytest.mark.parametrize(
    "item, status",
    [
        ({"kind": "Wait list"}, Status.WAITING),
        ({"kind": "waiting"}, None),
        ({"kind": None}, None),
        ({"kind": "waiting", "came": "yes"}, Status.ARRIVED),
    ],
)
def test_a_flag_may_be_one_word_of_a_place(item, status) -> None:
    assert flag_of(item, {"kind=wait list": Status.WAITING, "came": Status.ARRIVED}) is status


def test_a_mapping_of_one_s_own_may_hold_rolls_for_each_of_its_parts() -> None:
    text = """
        label = "BookWell"
        base_url = "https://api.bookwell.example"
        visits = { path = "visits" }
        columns = { id = "id", start = "at" }
        [more.classes]
        visits = { path = "classes" }
        columns = { id = "id", start = "at" }
        roll = { path = "classes/{visit}/people", name = "who", spot = "bike" }
    """
    made = read_mapping(text, "m.toml")
    assert made.main.roll is None
    roll = made.more["classes"].roll
    assert roll is not None
    assert (roll.listing.path, roll.name, roll.spot) == ("classes/{visit}/people", "who", "bike")
    with pytest.raises(DaybookError, match="main is not known here; known are visits, columns"):
        read_mapping(f"main = 1\n{text}", "m.toml")


def test_what_the_owner_gives_stands_in_no_print_of_a_source() -> None:
    source = rest("cliniko", Cloud(url="http://x"), shard="uk1", contact="o@x.example")
    known = {("2026-11-21", "patients", "1"): {"email": "anna@mail.example"}}
    assert "anna@mail" not in repr(replace(source, known=known, clock=CLOCK))
