"""The box's clock against two hosts that agree; one alone says nothing."""

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.events import BoxReported, Event, Sampled, Woke
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, Sample
from edge_watchdog.probes.dates import FRESH_S, Dates, with_dates


def page(second: float, host: str, off_s: int | None = None, **fields: object) -> Sample:
    detail = "" if off_s is None else f"date off by {off_s} s"
    known = {"layer": Layer.WEB, "finding": Finding.ANSWERED, "detail": detail} | fields
    at = Instant(second, 0.0)
    return Sample(at, "broadband", target=f"https {host}", sent=1, lost=0, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pages, off_s",
    [
        ([page(0, "a", 700), page(30, "b", 710)], 705.0),
        ([page(0, "a", 700), page(30, "a", 700)], None),
        ([page(0, "a", 700), page(30, "b")], None),
        ([page(0, "a"), page(30, "b")], None),
        ([page(0, "a", 700), page(FRESH_S + 1, "b", 700)], None),
        ([page(0, "a", 700), page(30, "b", 700, finding=Finding.PORTAL)], None),
        ([page(0, "a", 700), page(30, "b", 700, layer=Layer.NAMES)], None),
    ],
    ids=["two agree", "one alone", "two disagree", "both find it right", "long ago", "a portal",
         "no page"],
)  # fmt: skip
def test_two_hosts_must_agree(pages, off_s):
    assert Dates().note(pages) == off_s


def test_it_is_told_once_and_taken_back_when_the_clock_is_right():
    told: list[Event] = []
    tell = with_dates(told.append, SystemClock())
    for second, off_s in ((0, -900), (60, -900), (120, None)):
        tell(Sampled(Instant(second, 0.0), (page(second, "a", off_s), page(second, "b", off_s))))
    tell(Woke(Instant(180, 0.0)))
    found = [e.report.clock_offset_s for e in told if isinstance(e, BoxReported)]
    assert found == [-900.0, 0.0]
    assert len(told) == 6
