"""An appointment that a vendor moved under a new id; and what a huge calendar costs the pages."""

import asyncio
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook import Appointment, Mark, Reading, Span
from edge_watchdog.daybook.changes import hinted
from edge_watchdog.daybook.ics import IcsFile
from edge_watchdog.daybook.keeper import Keeper, Source, Surroundings
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.store import memory_store
from tests.desk.studio import StepClock

ZONE = "Europe/London"
DAY = Span(date(2026, 11, 21), 2, ZONE).start_wall
OLD = Appointment(
    "old", DAY + 36000, DAY + 39600, False, "Mia", "Cut", "Anna B.", "", Status.BOOKED
)
LATER = replace(OLD, key="new", start_wall=DAY + 50400, end_wall=DAY + 54000)


@pytest.mark.parametrize(
    "new, is_hinted",
    [
        (LATER, True),
        (replace(LATER, member="Noor"), True),
        (replace(LATER, key="old"), False),  # the id tells: moved, and no doubt
        (replace(LATER, service="Colour"), False),
        (replace(LATER, client="Ben C."), False),
        (replace(LATER, start_wall=DAY + 90000), False),  # tomorrow
    ],
)
def test_a_booking_made_anew_on_the_same_day_may_be_the_old_one(new, is_hinted) -> None:
    (found,) = hinted(Reading((OLD,)), Reading((new,)), ZONE).appointments
    assert (Mark.MOVED in found.marks) is is_hinted


def test_one_gone_entry_explains_one_new_one() -> None:
    twice = Reading((LATER, replace(LATER, key="second")))
    marked = [Mark.MOVED in one.marks for one in hinted(Reading((OLD,)), twice, ZONE).appointments]
    assert marked == [True, False]


def test_an_entry_without_a_client_is_never_guessed_at() -> None:
    before = Reading((replace(OLD, client=""),))
    assert hinted(before, Reading((replace(LATER, client=""),)), ZONE).appointments[0].marks == ()


def test_the_hint_stays_until_the_entry_moves_again() -> None:
    first = hinted(Reading((OLD,)), Reading((LATER,)), ZONE)
    second = hinted(first, Reading((LATER,)), ZONE)
    assert second == first
    moved = replace(LATER, start_wall=DAY + 57600)
    assert hinted(second, Reading((moved,)), ZONE).appointments[0].marks == ()


def year_of_entries(count: int) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
    for number in range(count):
        day = date(2026, 1, 1) + timedelta(days=number % 365)
        clock = f"{8 + number // 365 % 10:02}{number % 4 * 15:02}00"
        lines += [
            *("BEGIN:VEVENT", f"UID:{number:08}", "DTSTAMP:20260101T000000Z"),
            *(f"DTSTART:{day:%Y%m%d}T{clock}Z", "DURATION:PT45M"),
            *(f"SUMMARY:Cut - Client {number}", "END:VEVENT"),
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


async def test_a_year_of_five_thousand_entries_keeps_the_pages_waiting_for_no_tenth_of_a_second(
    tmp_path,
) -> None:
    """Counts the CPU time that the loop's own thread spends between two turns of a page."""
    path = tmp_path / "year.ics"
    path.write_text(year_of_entries(5000))
    feed = IcsFile(str(path), Title.SERVICE_CLIENT, SystemClock())
    around = Surroundings(memory_store(), StepClock(), "boot", lambda: True, lambda _state: None)
    keeper = Keeper(Source("year", feed, 300.0, ZONE), around)
    busy_s: list[float] = []

    async def page() -> None:
        while True:
            before_s = time.thread_time()
            await asyncio.sleep(0.001)
            busy_s.append(time.thread_time() - before_s)

    visitor = asyncio.create_task(page())
    await keeper.look()
    visitor.cancel()
    good = keeper.state.good
    assert good is not None
    assert len(good.reading.appointments) == 26
    assert max(busy_s) < 0.1
