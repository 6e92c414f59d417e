"""Source states in, the day as people read it out."""

import dataclasses
from datetime import date

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import Appointment, Mark, Reading, Span
from edge_watchdog.daybook.freshness import Band, Now, Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.store import Drop, Snapshot, Trouble
from edge_watchdog.desk.day import DayModel, Row, counts, desk_days, source_lines
from edge_watchdog.desk.phrases import Local, lasting, long_date
from tests.desk.studio import NOON, ZONE

TODAY = date(2026, 11, 21)
LOCAL = Local(ZONE)


def visit(hour: float, client: str = "Anna B.", member: str = "Mia", **more: object) -> Appointment:
    start = NOON + (hour - 12) * 3600
    key, status = f"{member}{hour}", Status.CONFIRMED
    made = Appointment(key, start, start + 1800, False, member, "Cut", client, "Chair 1", status)
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def state(*visits: Appointment, first: date = TODAY, age_s: float = 720.0, **more: object):
    stamp = Stamp(Instant(10_000.0 - age_s, NOON - age_s), "boot")
    reading = Reading(tuple(sorted(visits, key=lambda one: one.start_wall)))
    good = Snapshot("front desk", Span(first, 2, ZONE), stamp, stamp, "", "", reading)
    return SourceState("front desk", dataclasses.replace(good, **more))  # type: ignore[arg-type]


def now(wall: float = NOON, *, known: bool = True) -> Now:
    return Now(Instant(10_000.0, wall), "boot", known)


def drawn(*states: SourceState, at: Now | None = None) -> DayModel:
    days, strange = desk_days(states, at or now(), LOCAL)
    return DayModel(days, source_lines(states, at or now(), LOCAL), strange)


def rows(model: DayModel) -> list[Row]:
    return [row for day in model.days for member in day.members for row in member.rows]


def test_appointments_stand_by_team_member_in_order() -> None:
    model = drawn(state(visit(15, member="Tom"), visit(14), visit(9), visit(34)))
    assert [(d.label, d.date, d.count) for d in model.days] == [
        ("Today", "Saturday 21 November", 3),
        ("Tomorrow", "Sunday 22 November", 1),
    ]
    assert [(m.name, [r.start for r in m.rows]) for m in model.days[0].members] == [
        ("Mia", ["09:00", "14:00"]),
        ("Tom", ["15:00"]),
    ]


def test_now_next_and_past_are_told_apart() -> None:
    model = drawn(state(visit(9), visit(11.75), visit(12.5), visit(15)))
    assert [row.tag for row in rows(model)] == ["past", "now", "next", ""]
    assert model.days[0].members[0].upcoming == "next 12:30 Anna B."


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.LATE_CANCELLED, Status.NO_SHOW])
def test_who_does_not_come_is_neither_now_nor_next(status) -> None:
    gone = (visit(hour, "Beth C.", status=status) for hour in (9, 11.75, 12.5))
    model = drawn(state(*gone, visit(15)))
    assert [(row.tag, row.is_gone) for row in rows(model)] == [
        *[("past", True), ("", True), ("", True)],
        ("next", False),
    ]
    assert model.days[0].members[0].upcoming == "next 15:00 Anna B."


@pytest.mark.parametrize("hours, words", [((9,), "no more today"), ((11.75,), "last one")])
def test_the_end_of_a_members_day_is_said(hours, words) -> None:
    model = drawn(state(*(visit(hour) for hour in hours)))
    assert model.days[0].members[0].upcoming == words


def test_with_a_clock_that_is_not_set_nothing_is_now_or_next() -> None:
    model = drawn(state(visit(11.75), visit(12.5)), at=now(known=False))
    assert [row.tag for row in rows(model)] == ["", ""]


def test_a_clock_that_is_years_off_shows_the_days_that_are_held() -> None:
    model = drawn(state(visit(9)), at=now(NOON - 4e7, known=False))
    assert model.strange_date
    assert [(d.label, d.date, d.count) for d in model.days] == [
        ("", "Saturday 21 November", 1),
        ("", "Sunday 22 November", 0),
    ]


def test_what_is_for_everybody_all_day_is_a_note() -> None:
    closed = visit(0, member="", client="", all_day=True, service="Boiler", end_wall=NOON + 43200)
    model = drawn(state(closed, visit(9, member="")))
    assert [note.service for note in model.days[0].notes] == ["Boiler"]
    assert [member.name for member in model.days[0].members] == ["Whole studio"]


def test_an_all_day_entry_of_one_member_stands_in_their_list() -> None:
    leave = visit(0, all_day=True, end_wall=NOON + 43200)
    assert [(row.start, row.end, row.tag) for row in rows(drawn(state(leave)))] == [
        ("all day", "", "")
    ]


def test_an_entry_over_midnight_shows_on_both_days() -> None:
    late = visit(23.5, end_wall=NOON + 13 * 3600)
    assert [row.start for row in rows(drawn(state(late)))] == ["23:30", "earlier"]


def test_marks_and_status_are_words() -> None:
    (row,) = rows(drawn(state(visit(9, marks=(Mark.ZONE_ASSUMED,), status="tentative"))))
    assert (row.marks, row.status) == (("time zone assumed",), "tentative")


@pytest.mark.parametrize(
    "age_s, as_of, age, band",
    [
        (720.0, "11:48", "12 min ago", Band.FRESH),
        (7800.0, "09:50", "2 h 10 min ago", Band.OLD),
        (50_000.0, "Friday 22:06", "13 h 53 min ago", Band.VERY_OLD),
    ],
)
def test_the_age_stands_with_the_source(age_s, as_of, age, band) -> None:
    (line,) = drawn(state(age_s=age_s)).sources
    assert (line.name, line.as_of, line.age, line.band) == ("front desk", as_of, age, band)
    assert line.facts == ()


def test_an_age_that_cannot_be_known_is_no_number() -> None:
    held = state()
    other_boot = Now(Instant(5.0, NOON), "another boot", wall_known=False)
    (line,) = drawn(held, at=other_boot).sources
    assert (line.age, line.band) == ("age unknown, clock not set", Band.UNKNOWN)


def test_trouble_is_said_beside_the_good_list() -> None:
    trouble = Trouble("the calendar was cut short", Stamp(Instant(9_400.0, NOON - 600), "boot"))
    (line,) = drawn(dataclasses.replace(state(), trouble=trouble)).sources
    assert line.facts == (
        "The calendar was cut short (since 11:50). The list below is the last good one.",
    )


def test_a_source_that_never_came_says_so() -> None:
    model = drawn(SourceState("front desk"))
    assert model.sources[0].facts == ("The list has not come yet.",)
    assert [day.missing for day in model.days] == [("front desk",)] * 2


def test_tomorrow_that_is_not_held_is_named() -> None:
    model = drawn(state(visit(9), first=date(2026, 11, 20)))
    assert [day.missing for day in model.days] == [(), ("front desk",)]


def test_both_facts_of_a_doubtful_loss_are_said() -> None:
    good = state(visit(9))
    held = dataclasses.replace(good.good, drops=(Drop(TODAY, 12, 0),))
    (line,) = drawn(dataclasses.replace(good, held=held)).sources
    doubt = "The list below is the earlier one, until a second look agrees."
    assert line.facts == (f"For today the calendar went from 12 entries to 0. {doubt}",)
    (line,) = drawn(state(drops=(Drop(date(2026, 11, 22), 12, 3),))).sources
    assert line.facts == ("For tomorrow the calendar went from 12 entries to 3. It said so twice.",)


@pytest.mark.parametrize("count, words", [(1, "1 entry"), (3, "3 entries")])
def test_entries_that_were_not_understood_are_counted(count, words) -> None:
    (line,) = drawn(state(reading=Reading((), count))).sources
    assert line.facts[0].startswith(words)


def test_the_hours_of_a_day_that_is_25_hours_long_are_all_there() -> None:
    autumn = Span(date(2026, 10, 25), 1, ZONE)
    assert autumn.end_wall - autumn.start_wall == 25 * 3600


def test_counts_are_of_today_and_tomorrow() -> None:
    assert counts(state(visit(9), visit(34)), now(), LOCAL) == (1, 1)
    assert counts(SourceState("x"), now(), LOCAL) == (None, None)


@pytest.mark.parametrize(
    "wall, text",
    [
        (NOON, "12:00"),
        (NOON - 86400, "Friday 12:00"),
        (NOON + 86400, "Sunday 12:00"),
        (NOON - 86400 * 30, "22 October 2026 13:00"),
    ],
)
def test_moments_name_their_day_when_it_is_not_today(wall, text) -> None:
    assert LOCAL.moment(wall, NOON) == text


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.2, "1 s"),
        (40, "40 s"),
        (720, "12 min"),
        (7800, "2 h 10 min"),
        (7200, "2 h"),
        (86400 * 3, "3 days"),
    ],
)
def test_lengths_are_said_shortly(seconds, text) -> None:
    assert lasting(seconds) == text


def test_dates_are_written_out() -> None:
    assert long_date(date(2026, 1, 2)) == "Friday 2 January"
