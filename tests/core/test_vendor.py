# mypy: disable-error-code="union-attr"
"""Is it the vendor?  Never said in haste, never said while it may be us."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.model import Health, JourneyReport, Stage, VendorLevel, VendorReport
from edge_watchdog.core.state import Cause, Diagnosis, Silence, UplinkState
from edge_watchdog.core.vendor import app_health, conclude, read, visited
from tests.core.mind import CABLE, POLICY, STICK, UNPLUGGED, UP, at

WELL = Diagnosis(Cause.NONE, 0.97, at(0))
LINE = UplinkState(link=UP, diagnosis=WELL)
DOUBT = Silence(at(3), at(3), 1, ("alpha",))
GREEN = VendorReport(at(4), VendorLevel.OPERATIONAL)
UNREADABLE = VendorReport(at(4), VendorLevel.UNKNOWN, reason="not_json")
RED = VendorReport(at(4), VendorLevel.MAJOR_OUTAGE, "Bookings do not load")
WORK = VendorReport(at(4), VendorLevel.MAINTENANCE, "New version")


def visit(second: float = 0.0, stage: Stage = Stage.DONE, **fields: Any) -> JourneyReport:
    return replace(JourneyReport(at(second), CABLE, stage), **fields)


def after(*visits: JourneyReport, known: UplinkState = LINE) -> UplinkState:
    for one in visits:
        known = visited(known, one)
    return known


FINE = after(visit(1, seconds=0.4))
DOWN = after(visit(1, Stage.HTTP, status=503), visit(2, Stage.HTTP, status=503))
HICCUP = after(visit(2, Stage.HTTP))


def found(
    active: UplinkState,
    report: VendorReport | None = GREEN,
    *others: UplinkState,
    before: Diagnosis | None = None,
    second: float = 5.0,
) -> Diagnosis | None:
    uplinks = {CABLE: active} | {f"{STICK} {n}": other for n, other in enumerate(others)}
    return conclude(uplinks, CABLE, report, before, now=at(second), policy=POLICY)


@pytest.mark.parametrize(
    "active, report, others, cause",
    [
        (FINE, GREEN, [], Cause.NONE),
        (LINE, None, [], Cause.NONE),
        (HICCUP, GREEN, [], Cause.CHECKING),
        (DOWN, GREEN, [], Cause.VENDOR_SILENT),
        (DOWN, None, [], Cause.VENDOR_SILENT),
        (DOWN, UNREADABLE, [], Cause.VENDOR_SILENT),
        (HICCUP, GREEN, [HICCUP], Cause.VENDOR_SILENT),
        (DOWN, RED, [], Cause.VENDOR_ANNOUNCED),
        (FINE, RED, [], Cause.VENDOR_ANNOUNCED),
        (DOWN, WORK, [], Cause.VENDOR_MAINTENANCE),
        (FINE, WORK, [], Cause.VENDOR_MAINTENANCE),
        (DOWN, GREEN, [after(visit(1.5))], Cause.VENDOR_PATH),
        (DOWN, GREEN, [replace(after(visit(1.5)), silence=DOUBT)], Cause.VENDOR_PATH),
        (DOWN, GREEN, [after(visit(0.5))], Cause.VENDOR_SILENT),
        (DOWN, GREEN, [after(visit(3))], Cause.CHECKING),
        (after(visit(1, Stage.CONNECT), visit(2, Stage.CONNECT, until=at(4))),
         GREEN, [after(visit(3))], Cause.VENDOR_PATH),
        (FINE, UNREADABLE, [], Cause.STATUS_PAGE_DOWN),
        (LINE, UNREADABLE, [], Cause.NONE),
        (after(visit(1, seconds=8.0)), GREEN, [], Cause.VENDOR_SLOW),
        (after(visit(1, Stage.HTTP, status=403), visit(2, Stage.HTTP, status=403)),
         GREEN, [], Cause.VENDOR_REFUSES),
        (after(visit(1, Stage.HTTP, status=403), visit(2, Stage.HTTP, status=403)),
         GREEN, [after(visit(1.5))], Cause.VENDOR_REFUSES),
        (after(visit(1, Stage.LOGIN), visit(2, Stage.LOGIN)), GREEN, [], Cause.VENDOR_LOGIN),
        (after(visit(1, Stage.NAMES), visit(2, Stage.NAMES)), GREEN, [], Cause.VENDOR_NAME),
        (after(visit(1, Stage.CERTIFICATE), visit(2, Stage.CERTIFICATE)),
         GREEN, [], Cause.VENDOR_NAME),
        (after(visit(1, Stage.TLS), visit(2, Stage.TLS)), GREEN, [], Cause.VENDOR_SILENT),
    ],
    ids=[
        "the app answers",
        "never visited",
        "one failed visit is a hiccup",
        "two failed visits are news",
        "the page was not read",
        "the page makes no sense",
        "one failed visit each from two lines",
        "the page admits it",
        "the page says more than we see",
        "planned work stops the app",
        "planned work, the app answers",
        "another line reached the app between two failures here",
        "another line reached it, whatever is asked of that line by now",
        "another line reached it before",
        "another line reached it after: perhaps it is back",
        "another line reached it while we waited in vain",
        "only the page is broken",
        "a broken page proves nothing while the app was not visited",
        "slow",
        "it refuses us",
        "it refuses us on one line only",
        "signing in leads in a circle",
        "its name is not known",
        "its certificate is broken",
        "its secure connection only hangs",
    ],
)  # fmt: skip
def test_the_vendor_s_trouble_is_named(active, report, others, cause):
    assert found(active, report, *others).cause is cause


def test_a_visit_during_which_our_line_was_away_says_nothing_of_the_vendor_s_pace():
    slow = after(visit(1, seconds=8.0))
    assert found(slow).cause is Cause.VENDOR_SLOW
    for ours in (replace(slow, back_at=at(3)), replace(slow, slow_since=at(0))):
        assert found(ours).cause is Cause.NONE


def test_it_stays_our_way_to_the_vendor_while_another_line_reaches_the_app():
    path = found(DOWN, GREEN, after(visit(1.5)))
    later = after(visit(3))
    assert found(DOWN, GREEN, later, before=path).cause is Cause.VENDOR_PATH
    failed = after(visit(3, Stage.HTTP))
    assert found(DOWN, GREEN, failed, before=path).cause is Cause.VENDOR_SILENT


ASKED = replace(LINE, pace=Pace.STANDBY)
OLD = replace(GREEN, at=at(0))


@pytest.mark.parametrize(
    "report, other, second, cause",
    [
        (OLD, LINE, 5, Cause.CHECKING),
        (OLD, LINE, 16, Cause.VENDOR_SILENT),
        (GREEN, LINE, 5, Cause.VENDOR_SILENT),
        (GREEN, ASKED, 5, Cause.CHECKING),
        (GREEN, after(visit(0.5), known=ASKED), 5, Cause.CHECKING),
        (GREEN, after(visit(3), known=ASKED), 5, Cause.CHECKING),
        (GREEN, after(visit(3), known=ASKED), 16, Cause.CHECKING),
        (GREEN, after(visit(3), known=ASKED), 32, Cause.VENDOR_SILENT),
        (GREEN, after(visit(3, Stage.HTTP), known=ASKED), 5, Cause.VENDOR_SILENT),
        (OLD, after(visit(1.5), known=ASKED), 5, Cause.VENDOR_PATH),
    ],
    ids=[
        "the page was read before",
        "the page does not answer",
        "the page has been read since, and nobody else may be asked",
        "another line has not been asked yet",
        "another line was asked before",
        "another line reached it after: perhaps it is back",
        "one more visit here is due",
        "nobody says more",
        "another line does not reach it either",
        "it is our way to it, whatever the page says",
    ],
)
def test_who_is_first_to_answer_does_not_decide_whom_we_accuse(report, other, second, cause):
    assert found(DOWN, report, other, second=second).cause is cause


@pytest.mark.parametrize(
    "cause",
    [Cause.PROVIDER_DOWN, Cause.CABLE_OUT, Cause.PORTAL, Cause.CHECKING, Cause.ROUTER_DEAD],
)
def test_the_vendor_is_not_accused_while_our_own_line_is_not_verified(cause):
    active = replace(DOWN, diagnosis=Diagnosis(cause, 0.9, at(0)))
    assert found(active) is None


@pytest.mark.parametrize("cause", [Cause.LINE_SLOW, Cause.LINE_FULL, Cause.LINE_LOSS])
def test_the_vendor_is_not_called_slow_over_a_line_that_is(cause):
    slow = after(visit(1, seconds=8.0))
    assert found(slow).cause is Cause.VENDOR_SLOW
    assert found(replace(slow, diagnosis=Diagnosis(cause, 0.9, at(0)))).cause is Cause.NONE


def test_nothing_is_said_before_there_is_a_line():
    assert conclude({CABLE: DOWN}, None, GREEN, None, now=at(5), policy=POLICY) is None
    assert found(replace(DOWN, diagnosis=None)) is None


def test_what_was_known_of_the_vendor_outlasts_our_own_outage():
    active = replace(DOWN, diagnosis=Diagnosis(Cause.PROVIDER_DOWN, 0.9, at(0)))
    silent, fine = Diagnosis(Cause.VENDOR_SILENT, 0.9, at(0)), Diagnosis(Cause.NONE, 0.9, at(0))
    assert found(active, before=silent) is silent
    assert found(active, before=fine) is None


def test_a_missed_question_changes_nothing():
    active = replace(DOWN, silence=Silence(at(4), at(4), 1, ("alpha",)))
    fine = Diagnosis(Cause.NONE, 0.9, at(0))
    assert found(active, before=fine) is fine


def test_a_trouble_keeps_its_date():
    first = found(DOWN, second=3)
    assert found(DOWN, before=first, second=9).since == at(3)
    assert found(FINE, before=first, second=9).since == at(9)


@pytest.mark.parametrize(
    "other",
    [
        replace(HICCUP, diagnosis=Diagnosis(Cause.PORTAL, 0.9, at(0))),
        replace(HICCUP, diagnosis=None),
        replace(HICCUP, silence=Silence(at(0), at(0), 1, ("alpha",))),
    ],
    ids=["behind a sign-in page", "not diagnosed", "silent"],
)
def test_a_line_with_a_fault_of_its_own_is_no_second_witness(other):
    assert found(HICCUP, GREEN, other).cause is Cause.CHECKING


def test_a_failure_of_hours_ago_is_no_second_witness():
    assert found(after(visit(999, Stage.HTTP)), GREEN, HICCUP, second=1000).cause is Cause.CHECKING


SLOW = Diagnosis(Cause.LINE_SLOW, 0.97, at(0))


@pytest.mark.parametrize(
    "change", [{"slow_since": at(0)}, {"diagnosis": SLOW}], ids=["it turned slow", "it is slow"]
)
def test_a_slow_line_of_ours_accuses_nobody_of_silence(change):
    slow = replace(LINE, **change)
    hanging = after(visit(1, Stage.TLS), visit(2, Stage.TLS), known=slow)
    assert found(hanging).cause is Cause.CHECKING
    assert found(hanging, GREEN, HICCUP).cause is Cause.VENDOR_SILENT
    refused = after(visit(1, Stage.HTTP, status=503), visit(2, Stage.HTTP, status=503), known=slow)
    assert found(refused).cause is Cause.VENDOR_SILENT


class TestVisits:
    def test_a_visit_that_could_not_be_made_says_nothing(self):
        assert after(visit(1, Stage.CONNECT, asked=False)) == LINE

    def test_failures_are_counted_from_the_first_one(self):
        assert (DOWN.journey_failures, DOWN.journey_since) == (2, at(1))
        assert after(visit(3), known=DOWN).journey_since is None

    @pytest.mark.parametrize(
        "change",
        [
            {"silence": Silence(at(0), at(0), 1, ("alpha",))},
            {"link": UNPLUGGED},
            {"back_at": at(2)},
        ],
        ids=["our line is silent", "our cable is out", "it was begun before our line came back"],
    )
    def test_a_visit_that_our_own_outage_broke_is_no_failure_of_the_vendor(self, change):
        known = replace(LINE, **change)
        assert after(visit(1, Stage.CONNECT), known=known) == known
        assert after(visit(1), known=known).journey is not None

    def test_a_visit_after_our_line_came_back_counts(self):
        assert after(visit(3, Stage.HTTP), known=replace(LINE, back_at=at(2))).journey_failures == 1

    @pytest.mark.parametrize(
        "known, second, health",
        [
            (None, 0, Health.UNKNOWN),
            (LINE, 0, Health.UNKNOWN),
            (FINE, 5, Health.UP),
            (FINE, 1000, Health.UNKNOWN),
            (HICCUP, 5, Health.UNKNOWN),
            (DOWN, 5, Health.DOWN),
        ],
    )
    def test_the_app_is_judged_by_fresh_visits(self, known, second, health):
        assert app_health(known, at(second)) is health


class TestPage:
    def test_what_can_be_read_is_taken(self):
        assert read(GREEN, RED, LINE) is RED
        assert read(None, UNREADABLE, LINE) is UNREADABLE

    @pytest.mark.parametrize(
        "via", [None, replace(LINE, link=UNPLUGGED), replace(LINE, back_at=at(5))]
    )
    def test_a_page_that_our_own_outage_hid_is_no_news(self, via):
        assert read(GREEN, UNREADABLE, via) is GREEN


@pytest.mark.parametrize(
    "active, report, words",
    [
        (LINE, None, ("app: not visited yet", "status page: not read yet")),
        (FINE, RED, ("app: answers through cable in 0.4 s",
                     "status page: major outage, Bookings do not load")),
        (after(visit(1)), GREEN, ("app: answers through cable", "status page: operational")),
        (HICCUP, UNREADABLE, ("app: failed at http through cable (1 in a row)",
                              "status page: not known (not_json)")),
        (after(visit(1, Stage.TLS, detail="certificate expired")),
         replace(UNREADABLE, reason=""),
         ("app: certificate expired through cable (1 in a row)",
          "status page: not known (no reason given)")),
    ],
)  # fmt: skip
def test_the_evidence_is_told_in_words(active, report, words):
    assert found(active, report).because == words


def test_every_witness_is_told():
    assert len(found(DOWN, GREEN, HICCUP, LINE).because) == 3
