"""A box without a clock of its own: what it takes for known, and what its pages then say."""

from datetime import date

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Reading, Span
from edge_watchdog.daybook.freshness import Now, Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.day import desk_days, source_lines
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.timekeeping import Timekeeping
from tests.desk.studio import NOON, ZONE, StepClock, view

NIGHT = 9 * 3600.0


def rtc(folder, *, did="1", says=NOON):
    """Write what the kernel tells of a clock with a battery."""
    one = folder / "clocks" / "rtc0"
    one.mkdir(parents=True)
    (one / "hctosys").write_text(f"{did}\n")
    (one / "since_epoch").write_text(f"{int(says)}\n")


@pytest.mark.parametrize(
    ("marks", "is_set"),
    [
        ({}, True),
        ({"did": "0"}, False),  # it is there, and the boot did not use it
        ({"says": 86400.0}, False),  # its battery is dead: it began in 1970
        ({"says": NOON - 3600}, True),  # it keeps local time
    ],
)
def test_a_clock_with_a_battery_is_believed_when_it_set_the_time(tmp_path, marks, is_set) -> None:
    rtc(tmp_path, **marks)
    keeping = Timekeeping(StepClock(), tmp_path / "clocks", tmp_path / "told")
    assert keeping.is_set() is is_set


def test_a_kernel_without_clocks_cannot_tell(tmp_path) -> None:
    assert Timekeeping(StepClock(), tmp_path / "clocks", tmp_path / "told").is_set() is None


def test_a_pi_knows_the_time_once_it_was_told(tmp_path) -> None:
    (tmp_path / "clocks").mkdir()
    clock = StepClock()
    keeping = Timekeeping(clock, tmp_path / "clocks", tmp_path / "told")
    assert keeping.is_set() is False
    (tmp_path / "told").touch()
    assert keeping.is_set() is False  # it looks every ten seconds
    clock.step(11)
    assert keeping.is_set() is True
    (tmp_path / "told").unlink()
    clock.step(11)
    assert keeping.is_set() is True


def kept(*, boot: str, asked_wall: float) -> SourceState:
    stamp = Stamp(Instant(500.0, asked_wall), boot)
    span = Span(date(2026, 11, 21), 2, ZONE)
    return SourceState("x", Snapshot("x", span, stamp, stamp, "", "", Reading(())))


@pytest.fixture
def board() -> Board:
    return Board(StepClock(), "boot 2")


def test_a_list_asked_for_later_than_now_shows_that_the_clock_is_behind(board) -> None:
    board.put(kept(boot="boot 1", asked_wall=NOON + NIGHT))
    board.hear(view(Standing.OFFLINE))
    assert board.wall_known() is False
    assert not board.now().wall_known


def test_inside_one_boot_the_clock_may_have_been_set_back(board) -> None:
    board.put(kept(boot="boot 2", asked_wall=NOON + NIGHT))
    board.hear(view(Standing.OFFLINE))
    assert board.wall_known() is True


def test_a_box_that_nobody_told_the_time_knows_it_from_the_first_page_of_the_internet(
    board,
) -> None:
    board.clock_is_set = lambda: False
    assert board.wall_known() is False
    board.hear(view(Standing.OFFLINE))
    assert board.wall_known() is False
    board.hear(view(Standing.NORMAL))
    assert board.wall_known() is True
    board.hear(view(Standing.OFFLINE))  # the clock has not stopped since
    assert board.wall_known() is True
    board.hear(view(Standing.NORMAL, wall_known=False))
    assert board.wall_known() is False


def test_pages_that_say_our_clock_is_wrong_prove_nothing(board) -> None:
    board.clock_is_set = lambda: False
    board.hear(view(Standing.NORMAL, wall_known=False))
    board.hear(view(Standing.OFFLINE))
    assert board.wall_known() is False


def test_where_nothing_tells_the_clock_is_taken_as_it_is(board) -> None:
    assert board.wall_known() is None
    assert board.now().wall_known
    board.clock_is_set = lambda: True
    assert board.wall_known() is True


def test_after_a_night_without_power_no_day_is_called_today_and_no_age_is_a_number() -> None:
    held = kept(boot="boot 1", asked_wall=NOON)
    stopped = Now(Instant(20.0, NOON + 420), "boot 2", wall_known=False)  # as the card has it
    days, strange = desk_days((held,), stopped, Local(ZONE))
    assert [(day.label, day.is_today) for day in days] == [("", False)] * 2
    assert strange
    (source,) = source_lines((held,), stopped, Local(ZONE))
    assert source.age == "age unknown, clock not set"


def test_a_clock_that_is_behind_still_shows_the_days_that_lie_ahead_of_it() -> None:
    held = kept(boot="boot 1", asked_wall=NOON)
    tomorrow = Now(Instant(20.0, NOON + 86400), "boot 2", wall_known=False)
    days, _ = desk_days((held,), tomorrow, Local(ZONE))
    assert [day.date for day in days] == ["Sunday 22 November"]
