"""Opening hours in, the days that are held and the time since closing out."""

from datetime import date

import pytest

from edge_watchdog.config.hours import parse_hours
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.phrases import Local
from tests.desk.studio import NOON, ZONE

SATURDAY = date(2026, 11, 21)
HOUR = 3600.0


def opening(text: str) -> Opening:
    return Opening(parse_hours(text).spans if text else (), ZONE)


@pytest.mark.parametrize(
    "hours, next_day, days",
    [
        ("", 22, 2),
        ("Mon-Sun 09:00-19:00", 22, 2),
        ("Mon-Sun 00:00-24:00", 22, 2),
        ("Mon-Sat 09:00-19:00", 23, 3),
        ("Tue-Sat 09:00-19:00", 24, 4),
        ("Sat 09:00-19:00", 28, 8),
        ("Mon-Fri 09:00-19:00, Sat 18:00-02:00", 23, 3),
        ("Sun 04:00-10:00", 22, 2),
    ],
)
def test_days_are_held_through_the_next_open_day(hours, next_day, days) -> None:
    assert opening(hours).next_day(SATURDAY) == date(2026, 11, next_day)
    assert opening(hours).days_from(SATURDAY) == days


@pytest.mark.parametrize(
    "hours, at_h, closed_for_h, opens_in_h",
    [
        ("Mon-Sat 09:00-19:00", 12, None, None),
        ("Mon-Sat 09:00-19:00", 19, 0, 38),
        ("Mon-Sat 09:00-19:00", 20.5, 1.5, 36.5),
        ("Mon-Sat 09:00-19:00", 24 + 24 + 8, 24 + 13, 1),
        ("Mon-Sun 00:00-24:00", 3, None, None),
        ("Sat 18:00-02:00", 27, 1, 6 * 24 + 15),
        ("", 3, None, None),
    ],
)
def test_how_long_it_is_closed_is_known(hours, at_h, closed_for_h, opens_in_h) -> None:
    wall = NOON + (at_h - 12) * HOUR
    said = opening(hours).closed_for_s(wall), opening(hours).opens_in_s(wall)
    wanted = tuple(None if h is None else h * HOUR for h in (closed_for_h, opens_in_h))
    assert said == wanted


@pytest.mark.parametrize(
    "day, hours",
    [
        (date(2026, 11, 20), ["09:00-13:00", "14:00-18:00", "20:00-00:00"]),
        (date(2026, 11, 21), ["00:00-02:00"]),  # Friday's late evening
        (date(2026, 11, 22), []),
        (date(2026, 3, 27), ["09:00-13:00", "14:00-18:00", "20:00-00:00"]),
    ],
)
def test_when_the_studio_is_open_on_a_day_is_what_its_clocks_show(day, hours) -> None:
    local = Local(ZONE)
    found = opening("Fri 09:00-13:00, Fri 14:00-18:00, Fri 20:00-02:00").walls_on(day)
    assert [f"{local.clock(o)}-{local.clock(c)}" for o, c in found] == hours


def test_a_day_of_23_hours_opens_when_its_clocks_say_so() -> None:
    ((opens, closes),) = opening("Sun 00:30-09:00").walls_on(date(2026, 3, 29))
    assert (closes - opens) / HOUR == 7.5
