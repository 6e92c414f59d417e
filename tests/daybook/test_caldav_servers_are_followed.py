"""The CalDAV connector against Radicale and Xandikos: the life of a calendar, and its accidents."""

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import Appointment, DaybookError, Fetched, Span
from edge_watchdog.daybook.caldav import CalDav
from edge_watchdog.daybook.caldav_read import read_calendars
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.reader import series_limit
from edge_watchdog.daybook.registry import CalDavOptions, DavAuth, IcsOptions
from edge_watchdog.daybook.writeback import Booking, Outcome
from tests.daybook.dav import Between, Owner, Server, between, connect, options, serving

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
NEXT = Span(dt.date(2026, 11, 22), 2, "Europe/London")
CUT = """
DTSTART:20261121T100000Z
DTEND:20261121T110000Z
SUMMARY:Cut - Anna Berger
"""
LATER = CUT.replace("T10", "T14").replace("T11", "T15")
LONG_AGO = CUT.replace("20261121", "20250101")


@pytest.fixture(scope="module", params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Server]:
    with serving(request.param, tmp_path_factory.mktemp(request.param)) as one:
        yield one


@pytest.fixture
def owner(server: Server) -> Owner:
    return Owner(server)


def rows(fetched: Fetched, span: Span = SPAN) -> list[Appointment]:
    assert fetched.body is not None
    limit = series_limit(SystemClock())
    reading = read_calendars(fetched.body, span, Title.SERVICE_CLIENT, limit)
    assert reading.rejected == 0
    return list(reading.appointments)


def starts(found: list[Appointment]) -> list[str]:
    return [dt.datetime.fromtimestamp(one.start_wall, dt.UTC).strftime("%d %H:%M") for one in found]


async def test_an_entry_is_created_moved_cancelled_and_keeps_its_identity(server, owner) -> None:
    await owner.make("Life")
    await owner.put("Life", "old", LONG_AGO)
    async with between(server) as way:
        one = connect(server, way.url, "Life")
        first = await one.fetch(SPAN)
        assert rows(first) == []
        await owner.put("Life", "0192f7a4", CUT)
        created = await one.fetch(SPAN, first.token)
        (anna,) = rows(created)
        assert (anna.service, anna.client, anna.ref) == ("Cut", "Anna B.", "0192f7a4")
        way.seen.clear()
        assert (await one.fetch(SPAN, created.token)).body is None
        assert way.seen == ["PROPFIND"]
        await owner.put("Life", "0192f7a4", LATER)
        moved = await one.fetch(SPAN, created.token)
        assert starts(rows(moved)) == ["21 14:00"]
        assert [row.key for row in rows(moved)] == [anna.key]
        await owner.put("Life", "b", CUT)
        await owner.put("Life", "0192f7a4", f"{LATER.strip()}\nSTATUS:CANCELLED")
        way.seen.clear()
        cancelled = await one.fetch(SPAN, moved.token)
        assert starts(rows(cancelled)) == ["21 10:00"]
        assert "REPORT calendar-query" not in way.seen
        await owner.delete("Life", "b")
        assert rows(await one.fetch(SPAN, cancelled.token)) == []


async def test_a_series_has_its_moved_and_its_deleted_day(server, owner) -> None:
    await owner.make("Series")
    series = """
DTSTART;TZID=Europe/London:20261019T180000
DTEND;TZID=Europe/London:20261019T190000
RRULE:FREQ=DAILY
EXDATE;TZID=Europe/London:20261122T180000
SUMMARY:Yoga
"""
    moved = """
RECURRENCE-ID;TZID=Europe/London:20261121T180000
DTSTART;TZID=Europe/London:20261121T200000
DTEND;TZID=Europe/London:20261121T210000
SUMMARY:Yoga
"""
    one = connect(server, server.url, "Series")
    await owner.put("Series", "s", series)
    before = await one.fetch(SPAN)
    assert starts(rows(before)) == ["21 18:00"]
    await owner.put("Series", "s", series, moved)
    after = await one.fetch(SPAN, before.token)
    assert starts(rows(after)) == ["21 20:00"]
    assert rows(after)[0].key
    monday = await one.fetch(NEXT)
    assert starts(rows(monday, NEXT)) == ["23 18:00"]


async def test_several_calendars_are_several_members(server, owner) -> None:
    for name in ("Mia", "Noor"):
        await owner.make(name)
        await owner.put(name, "same uid", CUT)
    one = connect(server, server.url, "Noor", "Mia")
    fetched = await one.fetch(SPAN)
    found = rows(fetched)
    assert [row.member for row in found] == ["Mia", "Noor"]
    assert len({row.key for row in found}) == 2
    in_child = await one.read(fetched.body or b"", SPAN)
    assert list(in_child.appointments) == found


async def test_a_calendar_s_own_address_will_do_too(server, owner) -> None:
    path = await owner.make("Direct")
    await owner.put("Direct", "a", CUT)
    assert len(rows(await connect(server, f"{server.url}{path}").fetch(SPAN))) == 1
    home = connect(server, f"{server.url}{server.home}", "direct")
    assert len(rows(await home.fetch(SPAN))) == 1


async def test_a_bare_server_may_name_another_place_for_its_calendars(server, owner) -> None:
    await owner.make("Known")
    user = server.home.removesuffix("calendars/")

    def lead(_way: Between, request: web.Request, _body: bytes) -> web.Response | None:
        if request.path == "/.well-known/caldav":
            return web.Response(status=301, headers={"Location": user})
        return web.Response(status=405) if request.path == "/" else None

    async with between(server) as way:
        way.breaks = lead
        assert rows(await connect(server, way.url, "Known").fetch(SPAN)) == []


async def test_a_token_that_the_server_forgot_costs_one_whole_look(server, owner) -> None:
    await owner.make("Expiry")
    await owner.put("Expiry", "a", CUT)
    async with between(server) as way:
        one = connect(server, way.url, "Expiry")
        first = await one.fetch(SPAN)
        forget(one)
        await owner.put("Expiry", "b", LATER)
        way.seen.clear()
        assert starts(rows(await one.fetch(SPAN, first.token))) == ["21 10:00", "21 14:00"]
        assert "REPORT sync-collection" in way.seen
        assert "REPORT calendar-query" in way.seen
        assert way.seen.count("REPORT calendar-multiget") == 1  # "a" is known by its ETag


def forget(one: CalDav) -> None:
    """Hold tokens that the server never gave."""
    for path, held in one._held.items():
        mark = held.mark[:-8] + "00000000"
        one._held[path] = dataclasses.replace(held, mark=mark)


async def test_a_server_without_sync_collection_is_compared_by_tags(server, owner) -> None:
    await owner.make("Simple")
    await owner.put("Simple", "a", CUT)

    def refuse(_way: Between, request: web.Request, body: bytes) -> web.Response | None:
        return web.Response(status=501) if b"sync-collection" in body else None

    async with between(server) as way:
        way.breaks = refuse
        one = connect(server, way.url, "Simple")
        first = await one.fetch(SPAN)
        await owner.put("Simple", "b", LATER)
        assert starts(rows(await one.fetch(SPAN, first.token))) == ["21 10:00", "21 14:00"]


async def test_a_server_that_breaks_in_the_middle_changes_nothing_and_is_caught_up_with(
    server, owner
) -> None:
    await owner.make("Broken")
    await owner.put("Broken", "a", CUT)

    def break_multiget(_way: Between, request: web.Request, body: bytes) -> web.Response | None:
        if b"calendar-multiget" in body:
            return web.Response(status=503, headers={"Retry-After": "120"})
        return None

    async with between(server) as way:
        one = connect(server, way.url, "Broken")
        first = await one.fetch(SPAN)
        await owner.put("Broken", "b", LATER)
        way.breaks = break_multiget
        with pytest.raises(DaybookError, match=r"trouble \(503\)") as caught:
            await one.fetch(SPAN, first.token)
        assert (caught.value.after_s, caught.value.requests) == (120, 3)
        way.breaks = lambda _way, _request, _body: None
        assert starts(rows(await one.fetch(SPAN, first.token))) == ["21 10:00", "21 14:00"]


async def test_a_second_look_asks_again_instead_of_trusting_the_first(server, owner) -> None:
    await owner.make("Doubt")
    await owner.put("Doubt", "a", CUT)
    nothing = '<?xml version="1.0"?><multistatus xmlns="DAV:"/>'

    def slip(_way: Between, _request: web.Request, body: bytes) -> web.Response | None:
        return web.Response(status=207, text=nothing) if b"calendar-query" in body else None

    async with between(server) as way:
        way.breaks = slip
        one = connect(server, way.url, "Doubt")
        assert rows(await one.fetch(SPAN)) == []
        way.breaks = lambda _way, _request, _body: None
        assert starts(rows(await one.fetch(SPAN))) == ["21 10:00"]


async def test_a_server_that_restarts_goes_on_where_it_was(server, owner) -> None:
    await owner.make("Restart")
    await owner.put("Restart", "a", CUT)
    one = connect(server, server.url, "Restart")
    before = await one.fetch(SPAN)
    server.stop()
    with pytest.raises(DaybookError, match="could not be reached"):
        await one.fetch(SPAN, before.token)
    server.start()
    assert (await one.fetch(SPAN, before.token)).body is None
    await owner.put("Restart", "b", LATER)
    assert len(rows(await one.fetch(SPAN, before.token))) == 2
    again = connect(server, server.url, "Restart")  # the box restarts: nothing is held, one is told
    assert len(rows(await again.fetch(SPAN))) == 2


@pytest.mark.parametrize(
    "status, words",
    [
        (401, "did not accept the user or the password"),
        (403, "does not let this user"),
        (429, "come less often"),
        (500, "has trouble"),
    ],
)
async def test_a_refusal_is_said_in_words(server, status, words) -> None:
    async with between(server) as way:
        way.breaks = lambda _way, _request, _body: web.Response(status=status)
        with pytest.raises(DaybookError, match=words) as caught:
            await connect(server, way.url).fetch(SPAN)
    assert "127.0.0.1" not in str(caught.value)


async def test_a_wrong_password_is_said(server, owner) -> None:
    await owner.make("Guarded")
    stranger = connect(server, server.url, "Guarded", user="stranger")
    if server.name == "radicale":
        with pytest.raises(DaybookError, match="password"):
            await stranger.fetch(SPAN)
    else:  # this one asks nobody on a plain connection
        assert rows(await stranger.fetch(SPAN)) == []


async def test_a_calendar_that_is_not_there_is_named(server, owner) -> None:
    await owner.make("Front desk")
    with pytest.raises(DaybookError, match='the calendar "Nobody" is not there'):
        await connect(server, server.url, "Nobody").fetch(SPAN)
    with pytest.raises(DaybookError, match="no calendar"):
        await connect(server, f"{server.url}{server.home}nowhere/").fetch(SPAN)


@pytest.mark.parametrize(
    "body, words",
    [
        (b"<html><body>Sign in</body></html>", "a web page"),
        (b"not xml", "no answer of a CalDAV server"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "no answer"),
        (b"<?xml version='1.0'?><a/>", "no answer"),
    ],
)
async def test_what_is_no_multistatus_is_refused(server, body, words) -> None:
    async with between(server) as way:
        way.breaks = lambda _way, _request, _body: web.Response(status=207, body=body)
        with pytest.raises(DaybookError, match=words):
            await connect(server, way.url).fetch(SPAN)


async def test_the_password_is_not_carried_to_another_house(server) -> None:
    def lead_away(_way: Between, _request: web.Request, _body: bytes) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://elsewhere.example/"})

    async with between(server) as way:
        way.breaks = lead_away
        with pytest.raises(DaybookError, match="another place"):
            await connect(server, way.url).fetch(SPAN)


async def test_the_whole_calendar_of_such_a_server_can_be_read_as_a_feed(server, owner) -> None:
    path = await owner.make("Feed")
    await owner.put("Feed", "a", CUT)
    async with between(server) as way:
        way.adds_login = True
        feed = IcsOptions(url=Url(f"{way.url}{path}")).build(SystemClock(), None)
        if server.name == "radicale":
            fetched = await feed.fetch(SPAN)
            assert starts(list((await feed.read(fetched.body or b"", SPAN)).appointments)) == [
                "21 10:00"
            ]
        else:  # this one shows a collection as a web page, which is no calendar
            with pytest.raises(DaybookError, match="web page"):
                await feed.fetch(SPAN)


BOOKING = Booking(
    uid="0192f7a4-1111-7000-8000-000000000001",
    start_wall=1795273200.0,
    end_wall=1795276800.0,
    service="Cut; wash, dry",
    client="Anna B.",
    member="Back",
    note="written on paper\nP-0042 " + "\u00e9" * 60,
)


async def test_a_booking_is_put_in_once_and_found_again(server, owner) -> None:
    await owner.make("Back")
    await owner.make("Other")
    writer = options(server, server.url, "Back", "Other").writer(SystemClock(), None)
    assert await writer.find(BOOKING.uid) is False
    assert await writer.book(BOOKING) is Outcome.CREATED
    assert await writer.book(BOOKING) is Outcome.ALREADY
    assert await writer.find(BOOKING.uid) is True
    (there,) = rows(await connect(server, server.url, "Back", "Other").fetch(SPAN))
    assert (there.member, there.service, there.client) == ("Back", "Cut; wash, dry", "Anna B.")
    assert (there.start_wall, there.end_wall) == (BOOKING.start_wall, BOOKING.end_wall)
    assert there.ref == BOOKING.uid
    stranger = dataclasses.replace(BOOKING, uid="x", member="Nobody")
    assert await writer.book(stranger) is Outcome.REFUSED


async def test_a_booking_whose_answer_was_lost_is_read_back_and_not_sent_again(
    server, owner
) -> None:
    await owner.make("Lost")
    lost = dataclasses.replace(BOOKING, uid="lost-1", member="")

    async with between(server) as way:
        writer = options(server, way.url, "Lost").writer(SystemClock(), None)

        def swallow(_way: Between, request: web.Request, _body: bytes) -> web.Response | None:
            return web.Response(status=502) if request.method == "PUT" else None

        way.breaks = swallow
        assert await writer.book(lost) is Outcome.UNKNOWN
        assert way.seen.count("PUT") == 1
        way.breaks = lambda _way, _request, _body: web.Response(status=503)
        assert await writer.find("lost-1") is None
        assert await writer.book(lost) is Outcome.REFUSED
        way.breaks = lambda _way, _request, _body: None
        assert await writer.book(lost) is Outcome.CREATED


OAUTH = {
    "auth": DavAuth.OAUTH2,
    "user": "",
    "password_file": None,
    "token_url": Url("https://login.bookwell.example/token"),
    "client_id": "studio-7",
    "refresh_token_file": FilePath("/etc/x"),
}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"url": Url("http://caldav.bookwell.example/")}, "must be https://"),
        ({"user": "a:b"}, "colon"),
        ({"user": ""}, 'auth = "basic" needs user'),
        ({"user": "", "password_file": None}, 'auth = "basic" needs user, password_file'),
        ({"client_id": "c"}, 'auth = "basic" has no use for client_id'),
        ({**OAUTH, "user": "desk"}, 'auth = "oauth2" has no use for user'),
        ({**OAUTH, "client_id": ""}, 'auth = "oauth2" needs client_id'),
        ({**OAUTH, "token_url": Url("http://login.example/")}, "token_url must be https://"),
        ({"auth": DavAuth.OAUTH2, "user": "", "password_file": None}, "refresh_token_file"),
    ],
)
def test_a_configuration_that_would_leak_or_cannot_work_is_refused(change, words) -> None:
    good = {
        "url": Url("https://caldav.bookwell.example/"),
        "user": "desk",
        "password_file": FilePath("/etc/x"),
    }
    with pytest.raises(ValueError, match=words):
        CalDavOptions(**{**good, **change})


async def test_a_password_file_that_is_gone_is_said_without_its_path() -> None:
    url, file = Url("https://caldav.bookwell.example/"), FilePath("/no/such")
    gone = CalDavOptions(url, user="desk", password_file=file)
    with pytest.raises(DaybookError, match="password file") as caught:
        await gone.build(SystemClock(), None).fetch(SPAN)
    assert "/no/such" not in str(caught.value)
