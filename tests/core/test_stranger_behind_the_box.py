"""When a second device gives out addresses behind the box, people hear of it, and of its end."""

from edge_watchdog.core.actions import Alert, Reason, SendAlert, Severity
from edge_watchdog.core.events import BoxReported, Started
from edge_watchdog.core.model import BoxReport
from edge_watchdog.core.state import Cause
from tests.core.mind import Mind, only, ready

WHO, OTHER = "192.168.50.20 (02:00:5e:00:53:77)", "192.168.50.21"


def hears(mind: Mind, who: str | None) -> list[Alert]:
    mind.second += 5.0
    event = BoxReported(mind.now, BoxReport(mind.now, stranger=who))
    return [one.alert for one in only(SendAlert, mind.feed(event))]


def test_it_is_told_once_and_so_is_its_end() -> None:
    mind = ready()
    assert hears(mind, None) == []
    assert hears(mind, "") == []
    [first] = hears(mind, WHO)
    assert (first.reason, first.severity) == (Reason.FIRST, Severity.WARNING)
    assert first.cause is Cause.ROGUE_DHCP
    assert first.headline == (
        "A device that was added on the studio's own network leads the studio's computers astray."
    )
    assert WHO in first.steps[-1]
    assert hears(mind, WHO) == []
    mind.pass_time(175.0)
    [over] = hears(mind, "")
    assert (over.reason, over.incident) == (Reason.RESOLVED, first.incident)
    assert over.headline == "No second device gives out addresses any more. It took 3 minutes."
    [again] = hears(mind, WHO)
    assert again.incident > first.incident


def test_another_one_is_news_of_the_same_trouble() -> None:
    mind = ready()
    [first] = hears(mind, WHO)
    [other] = hears(mind, OTHER)
    assert (other.reason, other.incident) == (Reason.CHANGED, first.incident)
    assert OTHER in other.steps[-1]


def test_a_restart_remembers_what_was_told_and_a_reboot_looks_anew() -> None:
    mind = ready()
    [first] = hears(mind, WHO)
    mind.feed(Started(mind.now, "boot 1", "1.0"))
    assert hears(mind, WHO) == []
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    [again] = hears(mind, WHO)
    assert again.incident > first.incident
