"""Vendors' APIs, each against a contract fake: what is understood, and the traps."""

import base64
import datetime as dt
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, Mark, Span
from edge_watchdog.daybook.acuity import Acuity
from edge_watchdog.daybook.clouds import MindbodyOptions
from edge_watchdog.daybook.mapping import preset, presets
from edge_watchdog.daybook.mindbody import Mindbody
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.square import Square
from tests.daybook.clouds_fake import CLOCK, NINE, SPAN, cloud, looked, pages_of, rest


async def test_cliniko_is_read_by_its_links(key) -> None:
    def visits(request: web.Request) -> Any:
        assert request.query.getall("q[]") == [
            "starts_at:>=2026-11-21T00:00:00Z",
            "starts_at:<2026-11-23T00:00:00Z",
        ]
        one = {
            "id": 7,
            "starts_at": "2026-11-21T09:00:00Z",
            "ends_at": "2026-11-21T09:45:00Z",
            "patient_name": "Anna Beispiel",
            "patient": {"links": {"self": "https://x/v1/patients/3"}},
            "practitioner": {"links": {"self": "https://x/v1/practitioners/5"}},
            "appointment_type": {"links": {"self": "https://x/v1/appointment_types/9"}},
            "patient_arrived": True,
            "did_not_arrive": False,
            "cancelled_at": None,
        }
        gone = {**one, "id": 8, "cancelled_at": "2026-11-20T10:00:00Z"}
        page = {"individual_appointments": [one], "total_entries": 2, "links": {}}
        if "page" in request.query:
            return {**page, "individual_appointments": [gone]}
        page["links"] = {"next": f"{at.url}/individual_appointments?page=2&{request.query_string}"}
        return page

    people = {"practitioners": [{"id": 5, "first_name": "Mia", "last_name": "K"}], "links": {}}
    kinds = {"appointment_types": [{"id": 9, "name": "Massage"}], "links": {}}
    group = {
        "id": 7,
        "starts_at": "2026-11-21T11:00:00Z",
        "ends_at": "2026-11-21T12:00:00Z",
        "max_attendees": 8,
        "patient_ids": ["3", "4"],
        "appointment_type": {"links": {"self": "https://x/v1/appointment_types/9"}},
    }
    groups = {"group_appointments": [group], "total_entries": 1, "links": {}}
    nobody = {"attendees": [], "total_entries": 0, "links": {}}
    async with cloud(
        individual_appointments=visits,
        group_appointments=lambda _: groups,
        group_appointments__7__attendees=lambda _: nobody,
        practitioners=lambda _: people,
        appointment_types=lambda _: kinds,
    ) as at:
        reading = await looked(rest("cliniko", at, key, shard="uk1", contact="o@lotus.example"))
        asked = at.asked[0]
    visit, together = reading.appointments
    assert (together.service, together.capacity, together.booked) == ("Massage", 8, 2)
    assert visit.key != together.key
    assert (visit.start_wall, visit.end_wall) == (NINE, NINE + 2700)
    assert (visit.client, visit.member, visit.service) == ("Anna B.", "Mia K", "Massage")
    assert visit.status is Status.ARRIVED
    assert asked.headers["User-Agent"] == "edge_watchdog (o@lotus.example)"
    assert asked.headers["Authorization"] == f"Basic {base64.b64encode(b'k-1:').decode()}"


async def test_phorest_counts_pages_from_nought(key) -> None:
    many = [
        {
            "appointmentId": f"a{n}",
            "appointmentDate": "2026-11-21",
            "startTime": "09:00:00.000",
            "endTime": "09:30:00.000",
            "staffId": "s1",
            "clientId": "c1",
            "serviceName": "Cut",
            "activationState": "ACTIVE" if n else "CANCELED",
        }
        for n in range(101)
    ]

    def visits(request: web.Request) -> Any:
        here = pages_of(many, request, "size", first=0)
        return {"_embedded": {"appointments": here}, "page": {"totalElements": 101}}

    staff = {"_embedded": {"staffs": [{"staffId": "s1", "firstName": "Mia", "lastName": "K"}]}}
    people = {
        "_embedded": {
            "clients": [
                {"clientId": "c1", "firstName": "Anna", "lastName": "B", "mobile": "555 0100"}
            ]
        }
    }
    async with cloud(
        branch__b1__appointment=visits,
        branch__b1__staff=lambda _: staff,
        branch__b1__service=lambda _: {"_embedded": {"services": []}},
        branch__b1__room=lambda _: {"page": {"totalElements": 0}},  # what is empty is left out
        **{"client-batch": lambda _: people},
    ) as at:
        source = rest("phorest", at, key, "o@x.example", region="eu", business="z", branch="b1")
        reading = await looked(source)
        assert at.asked[0].query["size"] == "100"
        assert [one.query["page"] for one in at.asked[:2]] == ["0", "1"]
    assert len(reading.appointments) == 100
    assert reading.appointments[0].client == "Anna B."
    assert [one.phone for one in reading.clients] == ["555 0100"]
    assert reading.appointments[0].marks == (Mark.ZONE_ASSUMED,)
    assert reading.appointments[0].start_wall == NINE


def test_every_preset_is_whole() -> None:
    assert set(presets()) == {"cliniko", "jane", "mariana_tek", "momence", "phorest", "zenoti"}
    assert all(preset(name).main.columns.id for name in presets())


def acuity_visit(**more: Any) -> dict[str, Any]:
    return {
        "id": 54321,
        "firstName": "Anna",
        "lastName": "Beispiel",
        "phone": "555 0100",
        "email": "anna@example.com",
        "time": "12:00am",
        "endTime": "1:00am",
        "datetime": "2026-11-21T00:00:00+0000",
        "duration": "60",
        "type": "Cut",
        "calendar": "Mia",
        "price": "10.00",
        "paid": "no",
        **more,
    }


async def test_acuity_s_texts_for_people_are_not_read(key) -> None:
    def visits(request: web.Request) -> Any:
        assert request.query["showall"] == "true"
        first = request.query["minDate"] == request.query["maxDate"] == "2026-11-21"
        return [acuity_visit(), acuity_visit(id=2, canceled=True)] if first else []

    async with cloud(appointments=visits) as at:
        source = Acuity("u", key, "GBP", CLOCK, at.url)
        fetched = await source.fetch(SPAN)
        reading = await source.read(fetched.body or b"", SPAN)
    (visit,) = reading.appointments
    assert (visit.start_wall, visit.end_wall) == (SPAN.start_wall, SPAN.start_wall + 3600)
    assert (visit.price, visit.paid) == (Money(1000, "GBP"), False)


async def test_a_full_answer_of_acuity_is_no_whole_day(key) -> None:
    many = [acuity_visit(id=n) for n in range(1000)]
    async with cloud(appointments=lambda _: many) as at:
        with pytest.raises(DaybookError, match="1000 or more"):
            await Acuity("u", key, "GBP", CLOCK, at.url).fetch(SPAN)


def square_cloud(breaks_once: bool = False) -> dict[str, Any]:
    broken = [breaks_once]

    def bookings(request: web.Request) -> Any:
        assert request.query["start_at_min"] == "2026-11-21T00:00:00Z"
        if "cursor" not in request.query:
            return {"bookings": [booking("b1")], "cursor": "c"}
        if broken[0]:
            broken[0] = False
            return web.json_response({"errors": [{"code": "INVALID_CURSOR"}]}, status=400)
        return {"bookings": [booking("b2", status="CANCELLED_BY_SELLER")]}

    def booking(number: str, status: str = "ACCEPTED") -> dict[str, Any]:
        segment = {
            "duration_minutes": 45,
            "intermission_minutes": 15,
            "service_variation_id": "v1",
            "team_member_id": "t1",
        }
        return {
            "id": number,
            "status": status,
            "start_at": "2026-11-21T09:00:00Z",
            "customer_id": "c1",
            "appointment_segments": [segment],
        }

    price = {"amount": 4500, "currency": "GBP"}
    variation = {
        "name": "Regular",
        "item_id": "i1",
        "price_money": price,
        "service_duration": 2_700_000,
    }
    customer = {"given_name": "Anna", "family_name": "Beispiel", "phone_number": "555 0100"}
    return {
        "v2/bookings": bookings,
        "v2/customers/bulk-retrieve": lambda _: {"responses": {"c1": {"customer": customer}}},
        "v2/team-members/search": lambda _: {"team_members": [{"id": "t1", "given_name": "Mia"}]},
        "v2/catalog/batch-retrieve": lambda _: {
            "objects": [{"id": "v1", "item_variation_data": variation}],
            "related_objects": [{"id": "i1", "item_data": {"name": "Colour"}}],
        },
    }


@pytest.mark.parametrize("breaks_once", [False, True])
async def test_square_s_morning_does_not_vanish_nor_does_a_cursor_that_ran_out(
    key, breaks_once
) -> None:
    async with cloud(**square_cloud(breaks_once)) as at:
        reading = await looked(Square("L", key, CLOCK, at.url))
    (visit,) = reading.appointments
    assert (visit.start_wall, visit.end_wall) == (NINE, NINE + 3600)
    assert (visit.client, visit.member, visit.service) == ("Anna B.", "Mia", "Colour")
    assert visit.price == Money(4500, "GBP")
    assert [(one.name, one.minutes) for one in reading.prices] == [("Colour", 45)]


def mindbody_cloud(start: str, end: str) -> dict[str, Any]:
    visit = {
        "Id": 1,
        "Status": "Confirmed",
        "StartDateTime": start,
        "EndDateTime": end,
        "ClientId": "100",
        "SessionTypeId": 5,
        "Staff": {"DisplayName": "Mia"},
    }
    lesson = {
        "Id": 2,
        "StartDateTime": start,
        "EndDateTime": end,
        "ClassDescription": {"Name": "Yoga"},
        "MaxCapacity": 10,
        "TotalBooked": 1,
        "IsCanceled": False,
    }
    roll = [{"ClientId": "100", "SignedIn": True}, {"ClientId": "100", "LateCancelled": True}]
    person = {"Id": "100", "FirstName": "Anna", "LastName": "Beispiel", "MobilePhone": "555 0100"}

    def paged(name: str, *items: Any) -> Any:
        return lambda _: {"PaginationResponse": {"TotalResults": len(items)}, name: list(items)}

    return {
        "usertoken/issue": lambda _: {"AccessToken": "staff"},
        "appointment/staffappointments": paged("Appointments", visit),
        "class/classes": paged("Classes", lesson),
        "class/classvisits": lambda _: {"Class": {"Visits": roll}},
        "site/sessiontypes": paged("SessionTypes", {"Id": 5, "Name": "Massage"}),
        "client/clients": paged("Clients", person),
    }


@pytest.mark.parametrize(
    "day, start, length_s, marks",
    [
        (dt.date(2026, 11, 21), "2026-11-21T09:00:00", 3600, ()),
        (dt.date(2026, 11, 21), "2026-11-21T09:00:00Z", 3600, ()),  # the Z is not meant
        (dt.date(2026, 3, 29), "2026-03-29T00:30:00", 0, None),  # 01:30 does not exist that day
        (dt.date(2026, 10, 25), "2026-10-25T01:00:00", 7200, (Mark.CLOCK_CHANGE,)),
    ],
)
async def test_mindbody_s_times_are_the_site_s_own(key, day, start, length_s, marks) -> None:
    span = Span(day, 2, "Europe/London")
    end = f"{start[:11]}{int(start[11:13]) + 1:02}{start[13:]}"
    async with cloud(**mindbody_cloud(start, end)) as at:
        source = Mindbody("-99", key, "desk", key, CLOCK, at.url)
        reading = await looked(source, span)
        assert at.asked[1].headers["Authorization"] == "staff"
        assert at.asked[1].query["request.startDate"] == day.isoformat()
    visit = next(one for one in reading.appointments if one.service == "Massage")
    assert visit.start_wall - span.start_wall == 3600 * int(start[11:13]) + 60 * int(start[14:16])
    if marks is not None:
        assert (visit.end_wall - visit.start_wall, visit.marks) == (length_s, marks)
    lesson = next(one for one in reading.appointments if one.service == "Yoga")
    assert [(one.name, one.status) for one in lesson.attendees] == [("Anna B.", Status.ARRIVED)]
    assert (lesson.capacity, lesson.booked) == (10, 1)


async def test_mindbody_asks_for_twenty_names_at_a_time(key) -> None:
    routes = mindbody_cloud("2026-11-21T09:00:00", "2026-11-21T10:00:00")
    roll = [{"ClientId": str(n)} for n in range(45)]
    routes["class/classvisits"] = lambda _: {"Class": {"Visits": roll}}
    async with cloud(**routes) as at:
        fetched = await Mindbody("-99", key, "", "", CLOCK, at.url).fetch(SPAN)
        calls = [one for one in at.asked if one.path == "/client/clients"]
    assert [len(one.query.getall("request.clientIds")) for one in calls] == [20, 20, 6]
    assert fetched.requests == len(at.asked)


@pytest.mark.parametrize("location", ["", "2"])
async def test_mindbody_is_asked_for_no_roll_of_a_class_that_is_empty_or_off(key, location) -> None:
    routes = mindbody_cloud("2026-11-21T09:00:00", "2026-11-21T10:00:00")
    (yoga,) = routes["class/classes"](None)["Classes"]
    classes = [yoga, {**yoga, "Id": 3, "TotalBooked": 0}, {**yoga, "Id": 4, "IsCanceled": True}]
    routes["class/classes"] = lambda _: {"Classes": classes}
    async with cloud(**routes) as at:
        options = MindbodyOptions("-99", FilePath(key), location=location, base_url=Url(at.url))
        reading = await looked(options.build(CLOCK, None))
        rolls = [one.query["request.classID"] for one in at.asked if "classvisits" in one.path]
        asked = [one.query.get("request.locationIds", "") for one in at.asked[:2]]
    assert rolls == ["2"]
    assert asked == [location, location]
    lessons = [one for one in reading.appointments if one.service == "Yoga"]
    assert [(one.booked, len(one.attendees)) for one in lessons] == [(1, 1), (0, 0)]
