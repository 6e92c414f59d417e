"""When the studio's own network is gone, people outside hear of it, and of its end."""

from edge_watchdog.core.actions import Action, Alert, Reason, SendAlert, Severity
from edge_watchdog.core.events import BoxReported, HoursChanged, Started
from edge_watchdog.core.model import BoxReport
from edge_watchdog.core.state import Cause
from tests.core.mind import Mind, only, ready


def lan(mind: Mind, *, lost: bool) -> list[Alert]:
    mind.second += 5.0
    return told(mind.feed(BoxReported(mind.now, BoxReport(mind.now, lan_lost=lost))))


def told(actions: list[Action]) -> list[Alert]:
    return [one.alert for one in only(SendAlert, actions)]


def hours(mind: Mind, *, is_open: bool) -> list[Alert]:
    return told(mind.feed(HoursChanged(mind.now, is_open=is_open)))


def test_it_is_told_once_and_so_is_its_end() -> None:
    mind = ready()
    assert lan(mind, lost=False) == []
    [gone] = lan(mind, lost=True)
    assert (gone.reason, gone.severity) == (Reason.FIRST, Severity.OUTAGE)
    assert gone.cause is Cause.LAN_SWITCH_DEAD
    assert "network switch" in gone.steps[0]
    assert lan(mind, lost=True) == []
    mind.pass_time(175.0)
    [back] = lan(mind, lost=False)
    assert (back.reason, back.incident) == (Reason.RESOLVED, gone.incident)
    assert back.headline == "The studio's own network is back. It took 3 minutes."
    [again] = lan(mind, lost=True)
    assert again.incident > gone.incident


def test_an_empty_studio_misses_nothing_until_it_opens() -> None:
    mind = ready()
    hours(mind, is_open=False)
    assert lan(mind, lost=True) == []
    assert lan(mind, lost=False) == []  # nobody was told, nobody is owed its end
    assert lan(mind, lost=True) == []
    [gone] = hours(mind, is_open=True)
    assert gone.reason is Reason.FIRST


def test_a_restart_remembers_what_was_told_and_a_reboot_looks_anew() -> None:
    mind = ready()
    [gone] = lan(mind, lost=True)
    mind.feed(Started(mind.now, "boot 1", "1.0"))
    assert lan(mind, lost=True) == []
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    assert mind.state.box.lan is None
    [again] = lan(mind, lost=True)
    assert again.incident > gone.incident
