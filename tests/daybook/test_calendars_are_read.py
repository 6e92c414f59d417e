"""Every hazard a calendar feed is known to bring, each as a small calendar."""

import contextlib
import json
from datetime import UTC, date, datetime

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.core import codec
from edge_watchdog.daybook import DaybookError, Mark, Reading, Span
from edge_watchdog.daybook.child import read_in_child
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.reader import series_limit
from edge_watchdog.daybook.reading import MOST_ROWS, read_calendar

LONDON = Span(date(2026, 11, 21), 2, "Europe/London")
SPRING = Span(date(2026, 3, 28), 2, "Europe/London")


def entry(*lines: str, uid: str = "1") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"])


def calendar(*entries: str, head: str = "") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", *([head] if head else [])]
    return "\r\n".join([*lines, *entries, "END:VCALENDAR", ""]).encode()


def read(body: bytes, span: Span = LONDON, title: Title = Title.SERVICE_CLIENT) -> Reading:
    return read_calendar(body, span, title, contextlib.nullcontext)


def clock_times(reading: Reading) -> list[str]:
    stamps = [(one.start_wall, one.end_wall) for one in reading.appointments]
    return [
        f"{datetime.fromtimestamp(a, UTC):%d %H:%M}-{datetime.fromtimestamp(b, UTC):%H:%M}"
        for a, b in stamps
    ]


TEN = ("DTSTART:20261121T100000Z", "DTEND:20261121T104500Z", "SUMMARY:Cut - Anna Bishop")


def test_an_entry_becomes_an_appointment_with_a_shortened_client() -> None:
    body = calendar(
        entry(
            *TEN,
            "LOCATION:Room 2",
            "STATUS:TENTATIVE",
            "ORGANIZER;CN=Mia Stone:mailto:mia@studio.example",
            "DESCRIPTION:allergic to everything\\, call 07700 900123",
        )
    )
    (one,) = read(body).appointments
    assert (one.service, one.client, one.member) == ("Cut", "Anna B.", "Mia Stone")
    assert (one.room, one.status, one.all_day, one.marks) == ("Room 2", "tentative", False, ())
    assert clock_times(read(body)) == ["21 10:00-10:45"]


@pytest.mark.parametrize(
    "lines, member",
    [
        (("ORGANIZER;CN=Mia:mailto:m@x.example", "RESOURCES:Chair 1"), "Mia"),
        (("ORGANIZER:mailto:m@x.example", "RESOURCES:Noor,Room 1", "CATEGORIES:C"), "Noor"),
        (("CATEGORIES:Kai,Colour",), "Kai"),
        (("CATEGORIES:", "CATEGORIES:Kai"), "Kai"),
        ((), ""),
    ],
)
def test_the_team_member_is_the_organizer_else_a_resource_else_a_category(lines, member) -> None:
    assert read(calendar(entry(*TEN, *lines))).appointments[0].member == member


@pytest.mark.parametrize(
    "bad",
    [
        entry("DTSTART:notadate", "SUMMARY:x", uid="bad"),
        entry("DTSTART:20261399T990000Z", "SUMMARY:x", uid="bad"),
        entry("SUMMARY:no start", uid="bad"),
        entry("DTSTART:20261121T100000Z", "RRULE:FREQ=NONSENSE", uid="bad"),
        entry("DTSTART:20261121T100000Z", "RRULE:FREQ=SECONDLY", uid="bad"),
        entry("DTSTART:20261101T100000Z", "RRULE:FREQ=MINUTELY;INTERVAL=5", uid="bad"),
        entry(
            "DTSTART:20261121T100000Z",
            "RRULE:FREQ=DAILY;BYSECOND=0,1,2,3,4,5,6,7,8,9,"
            "10,11,12,13,14,15,16,17,18,19,20,21,22,23,24",
            uid="bad",
        ),
        entry("DTSTART:20261121T100000Z", "DTEND:rubbish", uid="bad"),
        entry("DTSTART:20261121T100000Z", "DTSTART:20261122T100000Z", uid="bad"),
        entry("DTSTART;TZID=:20261121T100000Z", "SEQUENCE:x", "DTEND:\x07", uid="bad"),
        "BEGIN:VEVENT\r\nUID:bad\r\nSUMMARY:never closed",
    ],
)
def test_a_broken_entry_is_counted_and_leaves_its_neighbours_alone(bad) -> None:
    reading = read(calendar(entry(*TEN, uid="good"), bad))
    assert [one.client for one in reading.appointments] == ["Anna B."]
    assert reading.rejected == 1


def test_a_garbled_line_outside_any_entry_does_no_harm() -> None:
    reading = read(calendar(entry(*TEN), head="this is no property"))
    assert (len(reading.appointments), reading.rejected) == (1, 0)


def test_more_than_twenty_hourly_series_are_refused() -> None:
    hourly = [
        entry("DTSTART:20261121T000000Z", "DURATION:PT5M", "RRULE:FREQ=HOURLY;COUNT=3", uid=f"h{n}")
        for n in range(23)
    ]
    reading = read(calendar(*hourly))
    assert (len(reading.appointments), reading.rejected) == (60, 3)


def test_a_rule_that_never_comes_true_is_cut_off_by_its_timer() -> None:
    endless = entry(
        "DTSTART:19700101T100000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", uid="bad"
    )
    limit = series_limit(SystemClock(), series_s=0.3)
    reading = read_calendar(calendar(endless, entry(*TEN)), LONDON, Title.SERVICE_CLIENT, limit)
    assert (len(reading.appointments), reading.rejected) == (1, 1)


@pytest.mark.parametrize(
    "body, words",
    [
        (b"", "empty"),
        (b"  \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"Welcome <html>", "web page"),
        (b'{"error": "expired"}', "not a calendar"),
        (calendar(entry(*TEN))[:-20], "cut short"),
        (calendar(entry(*TEN)) + b"BEGIN:VCALENDAR\r\n", "cut short"),
    ],
)
def test_what_is_no_whole_calendar_is_refused_in_words(body, words) -> None:
    with pytest.raises(DaybookError, match=words):
        read(body)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.decode().encode("utf-16"),
        lambda body: body.replace(b"\r\n", b"\n"),
        lambda body: body.replace(b"\r\n", b"\r"),
        lambda body: body.replace(b"SUMMARY:Cut", b"SUMMARY:C\r\n ut"),
        lambda body: body + b"\xef\xbb\xbf" + calendar(),
    ],
)
def test_marks_of_order_line_ends_folds_and_joins_make_no_difference(wrap) -> None:
    (one,) = read(wrap(calendar(entry(*TEN)))).appointments
    assert (one.service, one.client) == ("Cut", "Anna B.")


def test_a_calendar_in_windows_letters_keeps_its_accents() -> None:
    body = calendar(entry(*TEN[:2], "SUMMARY:Färben - Zoë Ä")).decode().encode("cp1252")
    (one,) = read(body).appointments
    assert (one.service, one.client) == ("Färben", "Zoë Ä.")


def test_joined_calendars_are_all_read() -> None:
    body = calendar(entry(*TEN, uid="1")) + calendar(entry(*TEN, uid="2"))
    assert len(read(body).appointments) == 2


@pytest.mark.parametrize(
    "lines, head, times, marks",
    [
        (("DTSTART;TZID=Europe/Paris:20261121T100000", "DURATION:PT1H"), "", "21 09:00-10:00", ()),
        (
            ("DTSTART;TZID=GMT Standard Time:20261121T100000", "DURATION:PT1H"),
            "",
            "21 10:00-11:00",
            (),
        ),
        (
            ("DTSTART;TZID=/x.example/Europe/Paris:20261121T100000", "DURATION:PT1H"),
            "",
            "21 09:00-10:00",
            (),
        ),
        (
            ("DTSTART;TZID=Nowhere/Land:20261121T100000", "DURATION:PT1H"),
            "",
            "21 10:00-11:00",
            (Mark.ZONE_UNKNOWN,),
        ),
        (("DTSTART:20261121T100000", "DURATION:PT1H"), "", "21 10:00-11:00", (Mark.ZONE_ASSUMED,)),
        (
            ("DTSTART:20261121T100000", "DURATION:PT1H"),
            "X-WR-TIMEZONE:Europe/Paris",
            "21 09:00-10:00",
            (),
        ),
        (
            ("DTSTART:20261121T100000", "DURATION:PT1H"),
            "X-WR-TIMEZONE:Nowhere/Land",
            "21 10:00-11:00",
            (Mark.ZONE_ASSUMED,),
        ),
        (("DTSTART:20261121T100000Z",), "", "21 10:00-10:00", (Mark.NO_END,)),
        (
            ("DTSTART:20261121T100000Z", "DTEND:20261121T090000Z"),
            "",
            "21 10:00-10:00",
            (Mark.NO_END,),
        ),
    ],
)
def test_times_are_understood_or_marked(lines, head, times, marks) -> None:
    reading = read(calendar(entry(*lines, "SUMMARY:Cut"), head=head))
    assert clock_times(reading) == [times]
    assert reading.appointments[0].marks == marks


def test_a_zone_that_the_calendar_defines_itself_is_used() -> None:
    zone = "\r\n".join(
        [
            *("BEGIN:VTIMEZONE", "TZID:Studio", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
            *("TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE"),
        ]
    )
    reading = read(calendar(zone, entry("DTSTART;TZID=Studio:20261121T130000", "DURATION:PT1H")))
    assert clock_times(reading) == ["21 10:00-11:00"]
    assert reading.appointments[0].marks == ()


def test_a_time_that_the_change_of_clocks_skips_is_marked() -> None:
    lost = entry(
        "DTSTART;TZID=Europe/London:20260329T013000", "DTEND;TZID=Europe/London:20260329T023000"
    )
    (one,) = read(calendar(lost), SPRING).appointments
    assert one.start_wall == one.end_wall
    assert one.marks == (Mark.CLOCK_CHANGE,)


@pytest.mark.parametrize("day, span, hours", [("20260329", SPRING, 23), ("20261121", LONDON, 24)])
def test_a_whole_day_runs_from_midnight_to_midnight_of_the_studio(day, span, hours) -> None:
    reading = read(calendar(entry(f"DTSTART;VALUE=DATE:{day}", "SUMMARY:Closed")), span)
    (one,) = reading.appointments
    assert one.all_day
    assert one.end_wall - one.start_wall == hours * 3600


def test_a_day_off_that_began_last_week_still_shows() -> None:
    days = ("DTSTART;VALUE=DATE:20261115", "DTEND;VALUE=DATE:20261125", "SUMMARY:Leave")
    assert len(read(calendar(entry(*days))).appointments) == 1


def test_cancelled_entries_are_left_out() -> None:
    reading = read(calendar(entry(*TEN, "STATUS:CANCELLED")))
    assert reading == Reading(())


@pytest.mark.parametrize("order", [1, -1])
def test_of_one_entry_given_twice_the_higher_sequence_wins(order) -> None:
    old = entry(*TEN, "SEQUENCE:1")
    new = entry("DTSTART:20261121T120000Z", "DURATION:PT1H", "SEQUENCE:2")
    assert clock_times(read(calendar(*[old, new][::order]))) == ["21 12:00-13:00"]


def test_an_entry_that_moved_out_of_the_days_does_not_leave_its_old_self() -> None:
    moved = entry("DTSTART:20271121T120000Z", "DURATION:PT1H", "SEQUENCE:2")
    assert read(calendar(entry(*TEN), moved)) == Reading(())


def test_a_series_gives_each_day_its_own_with_moved_and_cancelled_ones() -> None:
    weekly = entry(
        "DTSTART;TZID=Europe/London:20260601T100000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY",
        "SUMMARY:Morning class",
    )
    moved = entry(
        "RECURRENCE-ID;TZID=Europe/London:20261121T100000",
        "DTSTART;TZID=Europe/London:20261121T153000",
        "DURATION:PT1H",
        "SUMMARY:Morning class",
    )
    dropped = entry(
        "RECURRENCE-ID;TZID=Europe/London:20261122T100000",
        "DTSTART;TZID=Europe/London:20261122T100000",
        "DURATION:PT1H",
        "STATUS:CANCELLED",
    )
    assert clock_times(read(calendar(weekly))) == ["21 10:00-11:00", "22 10:00-11:00"]
    assert clock_times(read(calendar(weekly, moved, dropped))) == ["21 15:30-16:30"]


def test_the_key_stays_when_an_appointment_moves() -> None:
    before = read(calendar(entry(*TEN))).appointments[0]
    after = read(
        calendar(entry("DTSTART:20261121T150000Z", "DURATION:PT1H", "SUMMARY:x"))
    ).appointments[0]
    assert before.key == after.key
    assert before.key != read(calendar(entry(*TEN, uid="2"))).appointments[0].key


def test_only_entries_that_touch_the_days_are_given() -> None:
    inside = ["20261121T000000Z", "20261122T235900Z"]
    outside = ["20261120T235900Z", "20261123T000000Z"]
    entries = [entry(f"DTSTART:{at}", uid=at) for at in inside + outside]
    assert len(read(calendar(*entries)).appointments) == 2


def test_too_many_entries_for_two_days_are_refused() -> None:
    entries = [entry(*TEN, uid=str(n)) for n in range(MOST_ROWS + 1)]
    with pytest.raises(DaybookError, match="more than 2000"):
        read(calendar(*entries))


def test_nothing_private_survives_the_reading() -> None:
    body = calendar(
        entry(
            *TEN[:2],
            "SUMMARY:Cut 07700 900123 - Anna Maria Bishop-Smith (07700 900123)",
            "DESCRIPTION:diabetic",
            "LOCATION:Room 1 tel:+447700900123",
            "ATTENDEE;CN=Anna Bishop:mailto:anna.bishop@mail.example",
            uid="anna.bishop@mail.example",
        )
    )
    kept = json.dumps(codec.encode(read(body)))
    assert "Anna B." in kept
    for secret in ("Bishop", "Maria", "07700", "900123", "diabetic", "mail.example"):
        assert secret not in kept


async def test_a_child_process_reads_like_we_do() -> None:
    body = calendar(entry(*TEN), entry("SUMMARY:no start", uid="bad"))
    assert await read_in_child(body, LONDON, Title.SERVICE_CLIENT) == read(body)


async def test_what_the_child_refuses_is_said_in_the_same_words() -> None:
    with pytest.raises(DaybookError, match="web page"):
        await read_in_child(b"<html>", LONDON, Title.SERVICE_CLIENT)


async def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(DaybookError, match="too long"):
        await read_in_child(b"", LONDON, Title.SERVICE_CLIENT, deadline_s=0.01)
