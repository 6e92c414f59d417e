"""Whole pages from a board: what they say, what they never say."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from edge_watchdog.bridge import Heartbeat
from edge_watchdog.core.model import Health
from edge_watchdog.core.view import Banner, History, OverrideView, Standing, Stretch
from edge_watchdog.daybook import Appointment, Reading, Span
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.charts import LEFT, WIDTH, chart
from edge_watchdog.desk.pages import PARTS, Page, Pages
from edge_watchdog.desk.phrases import SIGNS, Local
from edge_watchdog.desk.settings import DeskSettings
from tests.desk.studio import NOON, ZONE, StepClock, history, view

WHOLE = (Page.DESK, Page.OWNER)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "</title></style></textarea><svg/onload=alert(1)>",
    "\u202egnp.exe",
    "a\r\nSet-Cookie: x=1",
)


class Outline(HTMLParser):
    """Every tag and attribute that a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs)}

    @staticmethod
    def of(markup: str) -> set[str]:
        outline = Outline()
        outline.feed(markup)
        return outline.found


class Desk:
    """A board and its pages, with a clock to step."""

    def __init__(self, **changes: object) -> None:
        self.clock = StepClock()
        self.board = Board(self.clock, "boot")
        made = DeskSettings("Lotus Room", ZONE, "/x", "/y", "/z", "BookWell", "Mon-Sat 09:00-19:00")
        made = dataclasses.replace(made, **changes)  # type: ignore[arg-type]
        self.pages = Pages(made, self.board)

    def text(self, page: Page = Page.DESK) -> str:
        words = " ".join(re.sub(r"<[^>]+>", " ", self.pages.page(page)).split())
        return re.sub(r" ([,.:;)])", r"\1", words)

    def hold(self, *visits: Appointment) -> None:
        stamp = Stamp(self.clock.now(), "boot")
        span = Span(Local(ZONE).day(NOON), 2, ZONE)
        snapshot = Snapshot("front desk", span, stamp, stamp, "", "", Reading(visits))
        self.board.put(SourceState("front desk", snapshot))


def visit(text: str = "Anna B.") -> Appointment:
    return Appointment(
        "k", NOON + 1800, NOON + 3600, False, text, text, text, text, Status.CONFIRMED
    )


@pytest.mark.parametrize("standing", list(Standing))
def test_each_standing_has_its_sentence_word_icon_and_place(standing) -> None:
    desk = Desk()
    desk.board.hear(view(standing))
    page = desk.pages.page(Page.DESK)
    said = view(standing).banner
    for sentence in (said.headline, said.can_work, said.changed, *said.steps):
        assert sentence in page.replace("&#39;", "'")
    assert f'class="status {standing}"' in page
    assert re.search(rf'<li class="{standing} here">', page)
    assert len(re.findall(r'class="\w+ here"', page)) == 1


def test_no_two_standings_look_alike_without_colour() -> None:
    assert len({sign.word for sign in SIGNS.values()}) == len(SIGNS) == len(Standing)
    assert len({sign.icon for sign in SIGNS.values()}) == len(SIGNS)


@pytest.mark.parametrize("page", WHOLE)
def test_a_watch_half_that_fell_silent_is_said_on_every_page(page) -> None:
    desk = Desk()
    desk.hold(visit())
    desk.board.hear(view(Standing.NORMAL))
    desk.clock.step(15)
    assert "cannot say" not in desk.text(page)
    desk.clock.step(1)
    text = desk.text(page)
    assert "Since 12:00 the box cannot say whether the internet works." in text
    assert "What it said last may be over: Everything works." in text
    assert "here" not in re.findall(r'<li class="([^"]*)"', desk.pages.page(page))
    if page is Page.DESK:
        assert "Anna B." in text
    desk.board.hear(Heartbeat(desk.clock.now()))
    assert "cannot say" not in desk.text(page)


def test_a_lost_link_is_said_at_once() -> None:
    desk = Desk()
    desk.board.hear(view(Standing.NORMAL))
    desk.board.lose()
    assert "Since 12:00 the box cannot say whether the internet works." in desk.text()


def test_before_the_first_word_the_box_is_starting_and_then_not_heard() -> None:
    desk = Desk()
    assert "The box is starting." in desk.text()
    assert not desk.board.is_heard
    desk.clock.step(11)
    assert "The box cannot say whether the internet works. " in desk.text()
    assert "It has said nothing yet." in desk.text()


def test_the_copy_is_unmistakably_read_only_and_dated() -> None:
    desk = Desk()
    desk.hold(visit())
    desk.clock.step(720)
    text = desk.text()
    assert "Read-only copy. Changes here do not reach BookWell." in text
    assert "as of 12:00 (12 min ago), source front desk" in text


def test_without_a_vendor_the_copy_is_read_only_as_well() -> None:
    assert "Changes here do not reach the appointment system." in Desk(vendor_name="").text()


def test_without_a_schedule_the_page_says_so() -> None:
    assert "No appointment list is set up on this box." in Desk().text()


def test_an_incident_that_nobody_saw_has_a_button_and_one_that_was_seen_a_name() -> None:
    desk = Desk()
    opened = view(Standing.OFFLINE)
    desk.board.hear(opened)
    assert 'name="incident" value="7"' in desk.pages.page(Page.DESK)
    seen = dataclasses.replace(opened.incidents[0], acknowledged_by="the desk")
    desk.board.hear(dataclasses.replace(opened, incidents=(seen,)))
    page = desk.pages.page(Page.DESK)
    assert 'name="incident"' not in page
    assert "The desk has seen this." in page


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("page", WHOLE)
def test_hostile_text_from_anywhere_stays_text(hostile, page) -> None:
    desk = Desk(studio_name=hostile, vendor_name=hostile, opening_hours=hostile)
    clean = Desk()
    clean.hold(visit())
    clean.board.hear(view(Standing.VENDOR))
    clean.board.hear(history())
    base = view(Standing.VENDOR)
    said = Banner(Standing.VENDOR, hostile, hostile, hostile, hostile, (hostile,) * 3, hostile)
    up = dataclasses.replace(
        base.uplinks[0],
        name=hostile,
        interface=hostile,
        cause=hostile,
        because=(hostile,),
        role=hostile,
        rungs=(dataclasses.replace(base.uplinks[0].rungs[0], evidence=hostile),),
    )
    assert base.vendor is not None
    vendor = dataclasses.replace(
        base.vendor,
        name=hostile,
        page_title=hostile,
        page_reason=hostile,
        app_evidence=hostile,
        windows=(dataclasses.replace(base.vendor.windows[0], title=hostile),),
    )
    incident = dataclasses.replace(
        base.incidents[0],
        cause=hostile,
        headline=hostile,
        because=(hostile,),
        acknowledged_by=hostile,
    )
    desk.hold(visit(hostile))
    desk.board.hear(
        dataclasses.replace(
            base,
            banner=said,
            uplinks=(up,),
            vendor=vendor,
            incidents=(incident,),
            notices=(hostile,),
            override=OverrideView(hostile, hostile, hostile, NOON, in_force=False, note=hostile),
            version=hostile,
            phase=hostile,
        )
    )
    desk.board.hear(History((Stretch(hostile, NOON - 600, 600.0, Health.DOWN, True),), (incident,)))
    markup = desk.pages.page(page)
    assert "{{ 7*7 }}" in markup or "7*7" not in hostile
    assert Outline.of(markup) <= Outline.of(clean.pages.page(page))


@pytest.mark.parametrize("page", WHOLE)
def test_nothing_inline_and_nothing_from_elsewhere_is_in_a_page(page) -> None:
    desk = Desk()
    desk.hold(visit())
    desk.board.hear(view(Standing.BACKUP))
    desk.board.hear(history())
    markup = desk.pages.page(page)
    found = Outline.of(markup)
    assert not [one for one in found if one.endswith(" style") or " on" in one or one == "style"]
    assert markup.count("<script") == markup.count("<script src=") == 1
    assert set(re.findall(r'(?:src|href)="(?!/)([^"]*)', markup)) <= {"#main"}


@pytest.mark.parametrize("page", WHOLE)
def test_parts_are_what_the_page_holds(page) -> None:
    desk = Desk()
    desk.hold(visit())
    desk.board.hear(view(Standing.NORMAL))
    parts = desk.pages.parts(page)
    assert set(parts) == {*PARTS[page], "title"}
    markup = desk.pages.page(page)
    for name in PARTS[page]:
        assert f'id="part-{name}"' in markup
        assert parts[name] in markup


def test_the_owner_sees_no_client() -> None:
    desk = Desk()
    desk.hold(visit())
    desk.board.hear(view(Standing.NORMAL))
    assert "Anna B." in desk.text(Page.DESK)
    assert "Anna B." not in desk.text(Page.OWNER)
    assert "Anna B." not in str(desk.pages.parts(Page.OWNER))


def test_the_owner_sees_lines_vendor_incidents_and_versions() -> None:
    desk = Desk()
    desk.board.hear(view(Standing.BACKUP, notices=("LTE stick: 80 % of the plan is used.",)))
    desk.board.hear(history())
    text = desk.text(Page.OWNER)
    for piece in (
        "down: internet provider down (93 % sure)",
        "0 of 6 anchors answered for 12 min",
        "metered, 18 ms",
        "The app, seen from here works sign-in page in 0.4 s",
        "Database upgrade",
        "broadband: router not responding outage",
        "seen by the desk, number 6",
        "still open for 12 min",
        "80 % of the plan is used",
        "version 0.1.0, switches its own connections",
        "No lan_interfaces are configured",
    ):
        assert piece in text, piece


def test_the_chart_covers_a_day_and_shows_what_nobody_watched() -> None:
    made = chart(history(), ["broadband", "LTE stick", "new line"], NOON, Local(ZONE))
    lane = made.lanes[0]
    assert [run.health for run in lane.runs] == [
        "up",
        "unknown",
        "up",
        "degraded",
        "up",
        "down",
        "up",
    ]
    assert sum(run.width for run in lane.runs) == pytest.approx(WIDTH, abs=1)
    assert lane.runs[0].x == LEFT
    assert lane.runs[1].length == "2 h"
    assert lane.runs[5].title == "04:40 to 05:25 (45 min): down, 100.0 % lost"
    assert [run.health for run in made.lanes[2].runs] == ["unknown"]
    assert made.summary == (
        "The last 24 hours. Broadband: down once, partly not known; LTE stick: never down, partly "
        "not known; new line: never down, partly not known."
    )


def test_stretches_that_overlap_or_lie_outside_do_not_break_the_chart() -> None:
    odd = (
        Stretch("a", NOON - 90000, 7200.0, Health.UP, True),
        Stretch("a", NOON - 80000, 600.0, Health.DOWN, True),
        Stretch("a", NOON - 80000, 300.0, Health.UP, True),
        Stretch("a", NOON - 300, 9000.0, Health.UP, True),
    )
    lane = chart(History(odd), ["a"], NOON, Local(ZONE)).lanes[0]
    assert [run.health for run in lane.runs] == ["up", "unknown", "down", "unknown", "up"]
    assert sum(run.width for run in lane.runs) == pytest.approx(WIDTH, abs=2)


@pytest.mark.parametrize("page", WHOLE)
def test_a_page_that_is_the_same_for_everybody_asks_nobody_to_sign_in(page) -> None:
    made = Desk().pages.page(page)
    assert '<a href="/sign-in">Staff</a>' in made
    assert "Sign in" not in made


@pytest.mark.parametrize("page", Page)
def test_a_page_that_stays_open_over_midnight_shows_the_new_day(page) -> None:
    desk = Desk()
    assert desk.pages.parts(page)["today"].strip() == "Saturday 21 November"
    desk.clock.step(12 * 3600)
    assert desk.pages.parts(page)["today"].strip() == "Sunday 22 November"
    desk.board.hear(view(Standing.NORMAL, desk.clock.wall, wall_known=False))
    assert desk.pages.parts(page)["today"].strip() == "The clock is not set yet"
    assert "Printed at a time not known." in desk.pages.page(Page.OWNER)
