"""A move or a cancellation from paper, made in a calendar on real servers, never over another's."""

import dataclasses
import datetime as dt
import urllib.request
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook import Appointment, Span
from edge_watchdog.daybook.caldav_change import changed_text, find_event, state_of
from edge_watchdog.daybook.caldav_read import read_calendars
from edge_watchdog.daybook.caldav_write import CalDavWriter
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.reader import series_limit
from edge_watchdog.daybook.writeback import Change, Changed, Outcome
from tests.daybook.dav import (
    Between,
    Owner,
    Server,
    authorized,
    between,
    connect,
    options,
    serving,
)

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")

UID = "0192f7a4-2222-7000-8000-000000000001"
NINE = 1795251600.0  # Saturday 21 November 2026, 09:00 in London
MOVE = Change("entry-1", UID, NINE, NINE + 7200, NINE + 7200 + 2700)
CANCEL = Change("entry-1", UID, NINE, is_cancelled=True)
EVENT = """\
DTSTART;TZID=Europe/London:20261121T090000
DTEND;TZID=Europe/London:20261121T094500
SUMMARY:Cut - Anna Bell
SEQUENCE:3
X-SALON-COLOUR:7/3
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:soon
TRIGGER;RELATED=START:-PT15M
END:VALARM
"""


@pytest.fixture(scope="module", params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Server]:
    with serving(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
async def owner(server: Server) -> AsyncIterator[Owner]:
    made = Owner(server)
    await made.make("Mia")
    await made.put("Mia", UID, EVENT)
    yield made
    await made.send("DELETE", f"{server.home}mia/", "")


def writer(server: Server, url: str = "") -> CalDavWriter:
    made = options(server, url or server.url, "Mia").writer(SystemClock(), None)
    assert isinstance(made, CalDavWriter)
    return made


async def rows(server: Server) -> list[Appointment]:
    fetched = await connect(server, server.url, "Mia").fetch(SPAN)
    assert fetched.body is not None
    limit = series_limit(SystemClock())
    return list(read_calendars(fetched.body, SPAN, Title.SERVICE_CLIENT, limit).appointments)


def kept(server: Server) -> str:
    asked = urllib.request.Request(f"{server.url}{server.home}mia/{UID}.ics", headers=authorized())
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return str(answer.read().decode())


async def test_an_appointment_is_moved_and_all_else_in_it_stays(server, owner) -> None:
    assert await writer(server).changed(MOVE) is Changed.AS_SEEN
    assert await writer(server).change(MOVE) is Outcome.CREATED
    (there,) = await rows(server)
    assert (there.start_wall, there.end_wall) == (MOVE.start_wall, MOVE.end_wall)
    assert (there.client, there.ref) == ("Anna B.", UID)
    text = kept(server)
    for line in ("X-SALON-COLOUR:7/3", "SEQUENCE:4", "-PT15M", "DTSTART;TZID=Europe/London"):
        assert line in text
    assert await writer(server).change(MOVE) is Outcome.ALREADY
    assert await writer(server).changed(MOVE) is Changed.DONE


async def test_a_cancelled_appointment_stays_there_marked_as_such(server, owner) -> None:
    assert await writer(server).change(CANCEL) is Outcome.CREATED
    assert await rows(server) == []
    assert "STATUS:CANCELLED" in kept(server)
    assert await writer(server).change(CANCEL) is Outcome.ALREADY
    await owner.delete("Mia", UID)
    assert await writer(server).changed(CANCEL) is Changed.GONE
    assert await writer(server).change(CANCEL) is Outcome.REFUSED


async def test_what_somebody_changed_meanwhile_is_left_alone(server, owner) -> None:
    await owner.put("Mia", UID, EVENT.replace("T0900", "T1000").replace("T0945", "T1045"))
    for change in (MOVE, CANCEL):
        assert await writer(server).changed(change) is Changed.OTHERWISE
        assert await writer(server).change(change) is Outcome.REFUSED
    assert "T100000" in kept(server)


def send(server: Server, request: web.Request | None, body: bytes) -> None:
    """Put an entry in from elsewhere, without waiting for the loop that serves the proxy."""
    headers = {**authorized(), "Content-Type": "text/calendar"}
    if request is not None:
        headers["If-Match"] = request.headers["If-Match"]
    url = f"{server.url}{server.home}mia/{UID}.ics"
    put = urllib.request.Request(url, body, headers, method="PUT")
    with urllib.request.urlopen(put, timeout=20) as answer:
        assert answer.status < 300


async def test_a_change_between_our_look_and_our_word_wins(server, owner) -> None:
    theirs = kept(server).replace("Cut", "Colour").encode()

    def slip_in(_way: Between, request: web.Request, _body: bytes) -> web.Response | None:
        if request.method == "PUT":
            send(server, None, theirs)
        return None

    async with between(server) as way:
        way.breaks = slip_in
        assert await writer(server, way.url).change(MOVE) is Outcome.REFUSED
        assert way.seen.count("PUT") == 1
    assert "SUMMARY:Colour" in kept(server)
    assert "T090000" in kept(server)


@pytest.mark.parametrize(
    "arrives, outcome, stands",
    [(True, Outcome.CREATED, Changed.DONE), (False, Outcome.UNKNOWN, Changed.AS_SEEN)],
)
async def test_an_answer_that_was_lost_is_read_back_and_nothing_is_sent_twice(
    server, owner, arrives, outcome, stands
) -> None:
    def swallow(_way: Between, request: web.Request, body: bytes) -> web.Response | None:
        if request.method != "PUT":
            return None
        if arrives:
            send(server, request, body)
        return web.Response(status=502)

    async with between(server) as way:
        way.breaks = swallow
        assert await writer(server, way.url).change(MOVE) is outcome
        assert way.seen.count("PUT") == 1
        way.breaks = lambda _way, _request, _body: web.Response(status=503)
        assert await writer(server, way.url).changed(MOVE) is None
        assert await writer(server, way.url).change(MOVE) is Outcome.REFUSED
    assert await writer(server).changed(MOVE) is stands


async def test_a_series_is_left_to_people(server, owner) -> None:
    await owner.put("Mia", UID, f"{EVENT}RRULE:FREQ=WEEKLY\n")
    assert await writer(server).change(CANCEL) is Outcome.REFUSED
    assert "CANCELLED" not in kept(server)


def text(event: str, uid: str = UID) -> str:
    return f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{uid}\r\n{event}END:VEVENT\r\nEND:VCALENDAR\r\n"


@pytest.mark.parametrize(
    "event, lines",
    [
        (
            "DTSTART:20261121T090000Z\nDTEND:20261121T094500Z\n",
            ["DTSTART:20261121T110000Z", "DTEND:20261121T114500Z", "SEQUENCE:1"],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20261121T100000\nDURATION:PT45M\nSEQUENCE:x\n",
            ["DTSTART;TZID=Europe/Berlin:20261121T120000", "DURATION:PT45M", "SEQUENCE:1"],
        ),
        (
            'DTSTART;X-A="b:c";TZID=Europe/London:20261121T090000\nLAST-MODIFIED:20200101T000000Z\n',
            [
                'DTSTART;X-A="b:c";TZID=Europe/London:20261121T110000',
                'DTEND;X-A="b:c";TZID=Europe/London:20261121T114500',
                "LAST-MODIFIED:20261121T090000Z",
            ],
        ),
        ("DTSTART:20261121T09000\n 0Z\nDTEND:20261121T094500Z\n", ["DTSTART:20261121T110000Z"]),
    ],
)
def test_times_are_written_in_the_form_they_had(event, lines) -> None:
    found = find_event(text(event), UID)
    assert found is not None
    assert state_of(found, MOVE) is Changed.AS_SEEN
    made = changed_text(found, MOVE, NINE)
    assert made is not None
    assert set(lines) <= set(made.splitlines())
    again = find_event(made, UID)
    assert again is not None
    assert state_of(again, MOVE) is Changed.DONE


@pytest.mark.parametrize(
    "event",
    [
        "DTSTART;VALUE=DATE:20261121\n",
        "DTSTART:20261121T090000\n",
        "DTSTART;TZID=Nowhere/Land:20261121T090000\n",
        "DTSTART:20261399T990000Z\n",
        "SUMMARY:no begin\n",
        "DTSTART:20261121T090000Z\nDTSTART:20261121T090000Z\n",
    ],
)
def test_a_time_that_is_not_plain_is_left_alone(event) -> None:
    found = find_event(text(event), UID)
    assert found is not None
    assert state_of(found, MOVE) is Changed.OTHERWISE
    assert state_of(found, CANCEL) is Changed.OTHERWISE


@pytest.mark.parametrize(
    "whole",
    [
        "",
        text("DTSTART:20261121T090000Z\n", "another"),
        text("DTSTART:20261121T090000Z\n") * 2,
        text("RECURRENCE-ID:20261121T090000Z\nDTSTART:20261121T090000Z\n"),
        text("UID:second\n"),
        f"BEGIN:VEVENT\nUID:{UID}\nBEGIN:VALARM\n",
    ],
)
def test_what_is_not_plainly_one_appointment_is_not_found(whole) -> None:
    assert find_event(whole, UID) is None


def test_an_end_in_another_form_than_the_begin_is_left_alone() -> None:
    odd = "DTSTART:20261121T090000Z\nDTEND;VALUE=DATE:20261121\n"
    found = find_event(text(odd), UID)
    assert found is not None
    assert changed_text(found, MOVE, NINE) is None
    bare = find_event(text("SUMMARY:x\n"), UID)
    assert bare is not None
    assert changed_text(bare, MOVE, NINE) is None
    gone = dataclasses.replace(CANCEL, was_start_wall=0.0)
    assert state_of(found, gone) is Changed.OTHERWISE
