"""Work that the vendor plans is told in time, once, and not in the night without need."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Action, Alert, Reason, SendAlert, Severity
from edge_watchdog.core.codec import decode, encode
from edge_watchdog.core.events import HoursChanged, Started, VendorReported
from edge_watchdog.core.model import VendorLevel, VendorReport, Window
from edge_watchdog.core.portray import view
from edge_watchdog.core.reminders import remind
from edge_watchdog.core.state import Cause, Diagnosis, State
from tests.core.mind import BOOT, CABLE, Mind, on_backup, only, ready, well

HOUR_S, DAY_S = 3600.0, 86400.0
START = BOOT.wall + 100 * HOUR_S
WORK = Window("m1", "New servers", START, START + 2 * HOUR_S, active=False)
L = VendorLevel


def told(actions: list[Action]) -> list[Alert]:
    """What is told of planned work; the box knows no other maintenance here."""
    found = [one.alert for one in only(SendAlert, actions)]
    return [one for one in found if one.cause is Cause.VENDOR_MAINTENANCE]


def page(
    mind: Mind, *windows: Window, ahead_h: float | None = None, level: L = L.OPERATIONAL
) -> list[Alert]:
    """The status page is read, so many hours before WORK begins, or five minutes later."""
    mind.second = mind.second + 301 if ahead_h is None else (100 - ahead_h) * HOUR_S
    report = VendorReport(mind.now, level, windows=windows)
    return told(mind.feed(VendorReported(mind.now, report)))


def hours(mind: Mind, *, is_open: bool, opens_h: float | None = None) -> list[Alert]:
    opens = None if opens_h is None else START - opens_h * HOUR_S
    return told(mind.feed(HoursChanged(mind.now, is_open=is_open, opens_wall=opens)))


def heads(alerts: list[Alert]) -> list[str]:
    return [one.headline for one in alerts]


def test_it_is_told_once_at_each_step() -> None:
    mind = ready()
    ahead = (99, 72.01, 72, 71.9, 48, 47, 24, 23, 1, 0.9, 0.1)
    heard = {hour: heads(page(mind, WORK, ahead_h=hour)) for hour in ahead}
    assert {hour: words for hour, words in heard.items() if words} == {
        72: ["BookWell plans work that begins in 3 days."],
        48: ["BookWell plans work that begins in 2 days."],
        24: ["BookWell plans work that begins in 24 hours."],
        1: ["BookWell plans work that begins in 60 minutes."],
    }
    begun = replace(WORK, active=True)
    assert page(mind, begun, ahead_h=0) == []
    assert mind.state.reminders == ()


def test_an_alert_says_what_is_known_and_what_to_do() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=99)
    [early] = page(mind, WORK, ahead_h=72)
    assert (early.reason, early.severity) == (Reason.NOTICE, Severity.NOTICE)
    assert early.since_wall == START
    assert early.body == (
        'It is called "New servers". It is meant to take 2 hours. BookWell may be away meanwhile;'
        " today's list stays on the desk page. The owner's page shows the exact time."
    )
    assert early.steps == ("Print the day's list before it begins.",)
    bare = replace(WORK, title="", end_wall=None)
    [late] = page(mind, bare, ahead_h=0.5)
    assert (late.severity, len(late.steps)) == (Severity.WARNING, 2)
    assert late.body.startswith("BookWell may be away meanwhile;")
    assert late.incident > early.incident


def changed_for(mind: Mind, ahead_s: float, *, listed: bool = True) -> tuple[str, int]:
    """What the desk reads of work so far ahead, and how many steps."""
    soon = replace(WORK, start_wall=mind.now.wall + ahead_s)
    report = VendorReport(mind.now, L.OPERATIONAL, windows=(soon,))
    mind.feed(VendorReported(mind.now, report))
    if not listed:
        mind.feed(VendorReported(mind.now, replace(report, windows=())))
    banner = view(mind.state, mind.policy, mind.now).banner
    return banner.changed, len(banner.steps)


def test_the_desk_reads_of_it_in_the_last_hour_while_nothing_else_is_to_be_said() -> None:
    usual = ("No trouble is known.", 0)
    words, steps = changed_for(well(), 0.5 * HOUR_S)
    assert words.startswith("BookWell plans work that begins within the hour, and may be away")
    assert steps == 2
    assert changed_for(well(), 2 * HOUR_S) == usual
    assert changed_for(well(), 0.5 * HOUR_S, listed=False) == usual
    assert "within the hour" not in changed_for(on_backup(), 0.5 * HOUR_S)[0]


@pytest.mark.parametrize(("announced_h", "next_h"), [(71, 48), (30, 24), (24, 1), (2, 1)])
def test_steps_that_are_past_when_it_is_announced_are_not_made_up_for(
    announced_h: float, next_h: float
) -> None:
    mind = ready()
    assert page(mind, WORK, ahead_h=announced_h) == []
    assert len(page(mind, WORK, ahead_h=next_h)) == 1


def test_work_that_is_announced_in_the_last_hour_is_told_at_once_and_begun_work_never() -> None:
    mind = ready()
    assert heads(page(mind, WORK, ahead_h=0.5)) == [
        "BookWell plans work that begins in 30 minutes."
    ]
    late = ready()
    assert page(late, WORK, replace(WORK, id="m2", active=True), ahead_h=-0.1) == []
    assert late.state.reminders == ()


@pytest.mark.parametrize(
    ("off_until_h", "now", "then_h"),
    [(71.5, 1, 48), (60, 0, 48), (30, 0, 24), (23.5, 1, 1), (0.2, 1, None)],
)
def test_a_step_that_came_while_the_box_was_off_is_told_with_the_next(
    off_until_h: float, now: int, then_h: float | None
) -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    assert len(page(mind, WORK, ahead_h=off_until_h)) == now
    if then_h is not None:
        assert len(page(mind, WORK, ahead_h=then_h)) == 1


@pytest.mark.parametrize("boot", ["boot 1", "boot 2"])
def test_a_restart_neither_repeats_nor_loses_one(boot: str) -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    hours(mind, is_open=False, opens_h=40)
    assert page(mind, WORK, ahead_h=48) == []  # it waits
    mind.state = decode(State, encode(mind.state))
    made = told(mind.feed(Started(mind.now, boot, "1.0")))
    made += hours(mind, is_open=False, opens_h=40)
    made += page(mind, WORK, ahead_h=47)
    assert made == []
    mind.second = 60 * HOUR_S
    assert heads(hours(mind, is_open=True)) == ["BookWell plans work that begins in 2 days."]
    assert page(mind, WORK) == []


def test_a_reminder_of_the_night_waits_for_the_morning() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    hours(mind, is_open=False, opens_h=66)
    assert page(mind, WORK, ahead_h=72) == []
    assert page(mind, WORK, ahead_h=67) == []
    mind.second = 34 * HOUR_S
    assert heads(hours(mind, is_open=True)) == ["BookWell plans work that begins in 3 days."]
    assert page(mind, WORK, ahead_h=65) == []


def test_unless_it_begins_before_the_studio_opens() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=20)
    hours(mind, is_open=False, opens_h=-6)
    [alert] = page(mind, WORK, ahead_h=1)
    assert alert.severity is Severity.NOTICE  # it makes no noise


def test_what_waits_for_two_nights_is_told_once() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    hours(mind, is_open=False, opens_h=20)
    for ahead in (72, 48, 24):
        assert page(mind, WORK, ahead_h=ahead) == []
    mind.second = 80 * HOUR_S
    assert len(hours(mind, is_open=True)) == 1


def test_when_opening_is_not_known_only_the_last_hour_does_not_wait() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    hours(mind, is_open=False)
    assert page(mind, WORK, ahead_h=24) == []
    assert len(page(mind, WORK, ahead_h=1)) == 1


def test_work_that_is_moved_is_told_again_by_whom_it_was_known() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    later = replace(WORK, start_wall=START + 2 * DAY_S)
    assert heads(page(mind, later, ahead_h=70)) == [
        "BookWell has moved its planned work: it now begins in 5 days."
    ]
    assert page(mind, later, ahead_h=69) == []
    assert heads(page(mind, later, ahead_h=24)) == ["BookWell plans work that begins in 3 days."]
    begun = replace(later, start_wall=mind.now.wall)
    assert page(mind, begun) == []
    assert mind.state.reminders == ()


def test_a_move_that_nobody_needs_to_hear_of_only_moves_the_steps() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    assert page(mind, replace(WORK, start_wall=START + DAY_S), ahead_h=80) == []
    page(mind, replace(WORK, start_wall=START + DAY_S + 30, title="Newer servers"), ahead_h=79)
    assert mind.state.reminders[0].title == "Newer servers"
    assert mind.state.reminders[0].start_wall == START + DAY_S + 30


def test_a_move_in_the_night_is_told_in_the_morning_with_the_step_that_came_meanwhile() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    hours(mind, is_open=False, opens_h=40)
    moved = replace(WORK, start_wall=START + HOUR_S)
    assert page(mind, moved, ahead_h=60) == []
    assert page(mind, moved, ahead_h=46) == []
    mind.second = 60 * HOUR_S
    assert heads(hours(mind, is_open=True)) == [
        "BookWell has moved its planned work: it now begins in 2 days."
    ]


def test_work_that_is_called_off_is_told_to_whom_it_was_known() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    assert page(mind, ahead_h=70) == []  # a page that stutters
    assert page(mind, WORK) == []
    assert page(mind, level=L.UNKNOWN) == []  # one that was not understood says nothing
    assert page(mind, WORK) == []
    assert page(mind) == []
    [off] = page(mind)
    assert off.headline == "BookWell has called off its planned work."
    assert (off.body, off.steps) == ('It is called "New servers".', ())
    assert page(mind) == []
    assert mind.state.reminders == ()


def test_that_it_is_called_off_waits_for_the_morning_too() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    hours(mind, is_open=False, opens_h=66)
    assert [page(mind), page(mind), page(mind)] == [[], [], []]
    assert len(hours(mind, is_open=True)) == 1


def test_nobody_who_did_not_know_of_it_hears_that_it_is_off() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    assert [page(mind), page(mind)] == [[], []]
    assert mind.state.reminders == ()


def test_what_vanished_shortly_before_it_began_has_begun() -> None:
    mind = ready()
    assert len(page(mind, WORK, ahead_h=0.05)) == 1
    assert page(mind, ahead_h=0.01) == []
    assert page(mind, ahead_h=-0.2) == []
    assert mind.state.reminders == ()


def test_a_reboot_begins_anew_to_miss_it() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    page(mind, WORK, ahead_h=72)
    page(mind)
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    assert page(mind) == []
    assert len(page(mind)) == 1


def test_a_clock_that_is_wrong_reminds_nobody() -> None:
    mind = ready()
    page(mind, WORK, ahead_h=90)
    said = Diagnosis(Cause.CLOCK_WRONG, 0.9, mind.now)
    mind.second = 28 * HOUR_S
    mind.put(CABLE, diagnosis=said)  # which is made anew with each event
    event = VendorReported(mind.now, VendorReport(mind.now, L.OPERATIONAL, windows=(WORK,)))
    assert remind(mind.state, event, mind.now, mind.policy) == (mind.state, ())


def test_a_checkpoint_of_an_older_version_is_read() -> None:
    mind = ready()
    old = encode(mind.state)
    assert isinstance(old, dict)
    assert (old.pop("reminders"), old.pop("opens_wall")) == ([], None)
    assert decode(State, old) == mind.state
    event = encode(HoursChanged(mind.now, is_open=True))
    assert isinstance(event, dict)
    del event["opens_wall"]
    assert decode(HoursChanged, event) == HoursChanged(mind.now, is_open=True)
