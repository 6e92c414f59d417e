"""What the presets must know of vendors' APIs: each trap, against a fake that keeps the rules."""

import base64
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import Appointment, DaybookError, Reading
from edge_watchdog.daybook.clouds import RestOptions
from edge_watchdog.daybook.mapping import preset, read_mapping
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.rest import Keys, RestSource
from edge_watchdog.daybook.shape import text_of
from tests.daybook.clouds_fake import CLOCK, NINE, SPAN, Cloud, cloud, looked, pages_of, rest


def by_ref(reading: Reading) -> dict[str, Appointment]:
    return {one.ref: one for one in reading.appointments}


def guest_at_zenoti(number: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "appointment_id": number,
        "start_time": f"{day}T10:00:00",  # of the center's own clock, which is another one here
        "start_time_utc": f"{day}T09:00:00",
        "end_time_utc": f"{day}T09:30:00",
        "guest": {"id": "g", "first_name": "Anna", "last_name": "B", "mobile": None},
        "therapist": {"id": "t", "display_name": None, "first_name": "Mia", "last_name": "K"},
        "service": {"name": "Facial"},
        "status": 0,
        "price": {"sales": 40.5},
        **more,
    }


def zenoti(*visits: dict[str, Any]) -> Any:
    """Answer as Zenoti does: a bare list, the last day not in it, no pages, no-shows if asked."""

    def answer(request: web.Request) -> Any:
        asked = request.query
        assert asked.keys() == {"center_id", "start_date", "end_date", "include_no_show_cancel"}
        days = (asked["start_date"], asked["end_date"])
        return [one for one in visits if days[0] <= one["start_time_utc"][:10] < days[1]]

    return answer


async def test_zenoti_s_last_day_is_asked_for_though_its_end_is_left_out(key) -> None:
    visits = (
        guest_at_zenoti("z1", "2026-11-21", status=-2),
        guest_at_zenoti("z2", "2026-11-22", status=4),
        guest_at_zenoti("z3", "2026-11-22", status=-1),
        guest_at_zenoti("z4", "2026-11-23"),
    )
    async with cloud(appointments=zenoti(*visits)) as at:
        found = by_ref(await looked(rest("zenoti", at, key, center="c")))
        assert at.asked[0].headers["Authorization"] == "apikey k-1"
    assert {ref: one.status for ref, one in found.items()} == {
        "z1": Status.NO_SHOW,
        "z2": Status.CONFIRMED,
    }
    assert (found["z1"].start_wall, found["z1"].member) == (NINE, "Mia K")


async def test_zenoti_s_breaks_keep_a_time_taken_and_many_visits_are_one_question(key) -> None:
    rest_time = {"service": None, "guest": None, "status": 10, "blockout": {"name": "Lunch"}}
    visits = [guest_at_zenoti(f"z{n}", "2026-11-21") for n in range(150)]
    visits.append(guest_at_zenoti("", "2026-11-22", **rest_time))
    async with cloud(appointments=zenoti(*visits)) as at:
        reading = await looked(rest("zenoti", at, key, center="c"))
        assert len(at.asked) == 1
    assert (len(reading.appointments), reading.rejected) == (151, 0)
    lunch = reading.appointments[-1]
    assert (lunch.service, lunch.client, lunch.status) == ("Lunch", "", Status.NOT_SAID)


@pytest.mark.parametrize("currency, price", [("GBP", Money(4050, "GBP")), ("", None)])
async def test_the_owner_says_the_currency_of_prices_that_come_without(
    key, currency, price
) -> None:
    async with cloud(appointments=zenoti(guest_at_zenoti("z1", "2026-11-21"))) as at:
        options = RestOptions(
            preset="zenoti",
            key_file=FilePath(key),
            values={"center": "c"},
            currency=currency,
            base_url=Url(at.url),
        )
        (visit,) = (await looked(options.build(CLOCK, None))).appointments
    assert visit.price == price


def lesson(number: int) -> dict[str, Any]:
    attributes = {
        "start_datetime": "2026-11-21T09:00:00Z",
        "end_datetime": "2026-11-21T09:50:00Z",
        "class_type_display": "Barre",
        "instructor_names": ["Mia"],
        "capacity": 20,
        "standard_reservation_user_count": 7,
        "cancellation_datetime": None,
    }
    return {"type": "class_sessions", "id": str(number), "attributes": attributes}


async def test_mariana_tek_s_pages_may_be_shorter_than_asked_for(key) -> None:
    lessons = [lesson(number) for number in range(5)]

    def sessions(request: web.Request) -> Any:
        assert (request.query["min_date"], request.query["max_date"]) == (
            "2026-11-21",
            "2026-11-22",
        )
        begin = 2 * (int(request.query["page"]) - 1)
        meta = {"pagination": {"count": 5, "pages": 3, "per_page": 2}}
        return {"data": lessons[begin : begin + 2], "meta": meta, "links": None}

    nobody = {"data": [], "meta": {"pagination": {"count": 0}}}
    async with cloud(class_sessions=sessions, reservations=lambda _: nobody) as at:
        found = by_ref(await looked(rest("mariana_tek", at, key, brand="b", location="1")))
    assert sorted(found) == ["0", "1", "2", "3", "4"]
    assert found["0"].end_wall == NINE + 3000
    assert (found["0"].member, found["0"].capacity, found["0"].booked) == ("Mia", 20, 7)


async def test_phorest_leaves_out_what_is_empty_and_that_is_an_empty_day(key) -> None:
    nothing = {"page": {"size": 100, "totalElements": 0, "totalPages": 0, "number": 0}}
    routes = {f"branch/b1/{name}": nothing for name in ("appointment", "staff", "service", "room")}
    values = {"region": "eu", "business": "z", "branch": "b1"}
    async with cloud(**{path: lambda _, it=it: it for path, it in routes.items()}) as at:
        reading = await looked(rest("phorest", at, key, "o@x.example", **values))
        assert reading.appointments == ()
        at.routes["branch/b1/appointment"] = lambda _: {"page": {"totalElements": 3}}
        with pytest.raises(DaybookError, match="not its list"):
            await looked(rest("phorest", at, key, "o@x.example", **values))


def jane(at: Cloud, key: str, token_file: str) -> RestSource:
    values = {"clinic": "x", "token_url": f"{at.url}/token", "client_id": "c"}
    keys = Keys(values, key_file=key, token_file=token_file, base_url=at.url)
    return RestSource(preset("jane"), keys, CLOCK)


def jane_cloud() -> dict[str, Any]:
    """Answer as Jane does: filters that are not known are refused, lists are cut by the limit."""

    def visits(request: web.Request) -> Any:
        assert request.headers["Authorization"] == "Bearer access"
        number = 2 if "page[cursor]" in request.query else 1
        one = {
            "id": f"v{number}",
            "start_at": "2026-11-21T09:00:00+00:00",
            "end_at": "2026-11-21T10:00:00+00:00",
            "patient_id": f"p{number}",
            "staff_member_id": "m1",
            "treatment_id": "t1",
            "state": "arrived" if number == 1 else "reserved",
        }
        return {"items": [one], "cursor": "next" if number == 1 else None}

    def patients(request: web.Request) -> Any:
        known = {"page[cursor]", "page[limit]", "sort", "public_id[eq]"}
        if request.query.keys() - known:
            return web.json_response({"errors": [{"message": "not a filter"}]}, status=400)
        wanted = request.query["public_id[eq]"].split(",")
        begin = int(request.query.get("page[cursor]", "0"))
        people: list[dict[str, Any]] = [
            {"id": "p1", "first_name": "Elizabeth", "last_name": "Bell", "preferred_name": "Beth"},
            {
                "id": "p2",
                "first_name": "Anna",
                "last_name": "Cole",
                "email": "anna@mail.example",
                "phone_numbers": [{"type": "mobile", "number": "01632 960123"}],
            },
        ]
        found = [one for one in people if one["id"] in wanted]
        return {"items": found[begin : begin + 1], "cursor": "1" if begin == 0 else None}

    def named(name: str, number: str) -> Any:
        return lambda _: {"items": [{"id": number, "name": name, "first_name": name}]}

    base = "api/2026-01-01"
    return {
        "token": lambda _: {"access_token": "access", "refresh_token": "k-2"},
        f"{base}/appointments": visits,
        f"{base}/patients": patients,
        f"{base}/staff_members": named("Mia", "m1"),
        f"{base}/treatments": named("Massage", "t1"),
        f"{base}/locations": named("", ""),
    }


async def test_jane_s_people_are_found_page_by_page_and_no_family_name_stands_alone(
    key, tmp_path
) -> None:
    async with cloud(**jane_cloud()) as at:
        reading = await looked(jane(at, key, str(tmp_path / "token")))
    found = by_ref(reading)
    assert {ref: one.client for ref, one in found.items()} == {"v1": "Beth B.", "v2": "Anna C."}
    assert [found[ref].status for ref in ("v1", "v2")] == [Status.ARRIVED, Status.TENTATIVE]
    assert [(one.phone, one.email) for one in reading.clients] == [
        ("", ""),
        ("01632 960123", "anna@mail.example"),
    ]


async def test_jane_s_renewed_token_is_kept_until_the_owner_signs_in_anew(key, tmp_path) -> None:
    file = tmp_path / "token"
    async with cloud(**jane_cloud()) as at:
        await looked(jane(at, key, str(file)))
        assert at.bodies[0]["refresh_token"] == "k-1"
        assert file.read_text().splitlines()[0] == "k-2"
        assert file.stat().st_mode & 0o777 == 0o600
        await looked(jane(at, key, str(file)))
        assert at.bodies[1]["refresh_token"] == "k-2"
        (tmp_path / "key").write_text("k-9")
        await looked(jane(at, key, str(file)))
        assert at.bodies[2]["refresh_token"] == "k-9"


def momence_cloud() -> dict[str, Any]:
    """Answer as Momence does: a client of its own by Basic, classes, rolls and appointments."""
    teacher = {"id": 1, "firstName": "Mia", "lastName": "K"}
    times = {"startsAt": "2026-11-21T09:00:00.000Z", "endsAt": "2026-11-21T10:00:00.000Z"}
    yin = {
        "id": 4,
        "name": "Yin",
        **times,
        "capacity": 12,
        "bookingCount": 3,
        "isCancelled": False,
        "isDraft": False,
        "teacher": teacher,
    }
    empty = {**yin, "id": 5, "name": "Flow", "bookingCount": 0}
    people = [("Anna", "Bell", True, None), ("Beth", "Cole", False, None), ("X", "Y", False, "t")]
    roll = [
        {
            "id": number,
            "member": {"id": number, "firstName": first, "lastName": last, "phoneNumber": None},
            "checkedIn": came,
            "cancelledAt": gone,
        }
        for number, (first, last, came, gone) in enumerate(people)
    ]
    visit = {
        "id": 4,
        **times,
        "cancelledAt": None,
        "priceInCurrency": 60,
        "currency": "eur",
        "isPaid": False,
        "service": {"id": 2, "name": "Massage"},
        "teacher": teacher,
        "appointmentAttendees": [
            {"memberId": 7, "firstName": "Carol", "lastName": "Dean", "attendanceStatus": "booked"}
        ],
    }

    def token(request: web.Request) -> Any:
        basic = base64.b64encode(b"c:s").decode()
        fine = request.headers.get("Authorization") == f"Basic {basic}"
        return {"access_token": "a"} if fine else web.Response(status=401)

    def paged(*items: Any) -> Any:
        def answer(request: web.Request) -> Any:
            assert request.headers["Authorization"] == "Bearer a"
            here = pages_of(list(items), request, "pageSize", first=0)
            return {"payload": here, "pagination": {"totalCount": len(items)}}

        return answer

    host = "api/v2/host"
    return {
        "api/v2/auth/token": token,
        f"{host}/sessions": paged(yin, empty),
        f"{host}/sessions/4/bookings": paged(*roll),
        f"{host}/appointments/reservations": paged(visit),
    }


async def test_momence_s_classes_have_their_people_and_its_appointments_come_along(key) -> None:
    async with cloud(**momence_cloud()) as at:
        source = rest("momence", at, key, "o@x.example", client_id="c", client_secret="s")
        fetched = await source.fetch(SPAN)
        found = by_ref(await source.read(fetched.body or b"", SPAN))
        assert at.bodies == [
            {"grant_type": "password", "username": "o@x.example", "password": "k-1"}
        ]
        assert fetched.requests == len(at.asked) == 4
    yin, visit = found["4"], found["appointments 4"]
    assert (yin.capacity, yin.booked, yin.service, yin.member) == (12, 3, "Yin", "Mia K")
    assert [(who.name, who.status) for who in yin.attendees] == [
        ("Anna B.", Status.ARRIVED),
        ("Beth C.", Status.BOOKED),
    ]
    assert found["5"].attendees == ()
    assert (visit.client, visit.service, visit.status) == ("Carol D.", "Massage", Status.BOOKED)
    assert (visit.price, visit.paid) == (Money(6000, "EUR"), False)
    assert yin.key != visit.key


async def test_a_roll_that_cannot_be_had_makes_no_day(key) -> None:
    async with cloud(**momence_cloud()) as at:
        del at.routes["api/v2/host/sessions/4/bookings"]
        with pytest.raises(DaybookError, match="did not understand"):
            await looked(rest("momence", at, key, "o@x.example", client_id="c", client_secret="s"))


async def test_what_is_missing_from_a_body_is_no_day(key) -> None:
    async with cloud() as at:
        source = rest("momence", at, key, client_id="c", client_secret="s")
    for body in (b'{"visits": [], "joins": {}}', b"[]", b"no"):
        with pytest.raises(DaybookError, match="could not be read"):
            await source.read(body, SPAN)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[more.x]\nvisit = 1", "more.x.visit: is not known here; known are visits, columns"),
        ('[more.x.columns]\nid = "i"', "more.x.columns: is incomplete; it needs id, start"),
        ("[more]\nx = 1", "more.x: write a table"),
        ('[roll]\npath = "p"\nnames = "n"', "roll: names is not known here"),
        ('[roll]\npath = "p"\nflags = {a = "gone"}', 'roll.flags.a: "gone" is none of'),
        ('[roll]\nname = "n"', "roll: is incomplete; it needs path"),
    ],
)
def test_mistakes_in_rolls_and_further_parts_are_named_with_their_place(text, words) -> None:
    with pytest.raises(DaybookError) as error:
        read_mapping(text, "bookwell.toml")
    assert f"bookwell.toml, {words}" in str(error.value)


@pytest.mark.parametrize(
    "options, requests",
    [
        (RestOptions(preset="cliniko", values={"shard": "uk1", "contact": "o@x.example"}), 6000),
        (RestOptions(preset="zenoti", values={"center": "c"}), 1000),
        (RestOptions(mapping=FilePath("/nowhere/m.toml")), 1000),
    ],
)
def test_a_preset_says_how_much_its_vendor_bears(options, requests) -> None:
    assert options.requests_a_day == requests


@pytest.mark.parametrize(
    "item, text",
    [
        ({"known_as": "Beth", "first": "Elizabeth", "last": "Bell"}, "Beth Bell"),
        ({"first": "Elizabeth", "last": "Bell"}, "Elizabeth Bell"),
        ({"first": "Elizabeth"}, "Elizabeth"),
        ({"last": "Bell"}, "Bell"),
        ({}, ""),
    ],
)
def test_of_several_names_the_one_with_a_given_name_is_taken(item, text) -> None:
    assert text_of(item, "known_as+last|first+last") == text


def test_a_list_may_be_counted() -> None:
    assert text_of({"ids": ["1", "2"]}, "ids#count") == "2"
    assert text_of({"ids": None}, "ids#count") == ""
