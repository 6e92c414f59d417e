"""How often a source is asked: the owner's budget, a metered line, and what a drop is."""

from dataclasses import dataclass, field
from datetime import date

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Appointment, DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.budget import DAY_S, Purse, sparing_s
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.keeper import Keeper, Source, SourceState, Surroundings, drops
from edge_watchdog.daybook.model import Client, Status
from edge_watchdog.daybook.store import Snapshot, memory_store
from edge_watchdog.desk.board import Board
from tests.desk.studio import StepClock, view

NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 UTC
TODAY = date(2026, 11, 21)


@dataclass
class Costly:
    """A source that takes *requests* for each look, or fails after so many."""

    requests: int = 3
    fails: bool = False
    asked: list[str] = field(default_factory=list)

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        self.asked.append(known)
        if self.fails:
            raise DaybookError("no answer", requests=self.requests)
        return Fetched(b"day", requests=self.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        visit = Appointment("k", NOON, NOON, False, "", "Cut", "Anna Berger", "", Status.BOOKED)
        return Reading((visit,), clients=(Client("c", "Anna Berger", "01632 960 123"),))


def keeper(
    source: Costly, clock: StepClock, budget: int | None = None, metered: bool = False
) -> Keeper:
    def ignore(_state: SourceState) -> None:
        return

    around = Surroundings(memory_store(), clock, "boot", lambda: True, ignore, lambda: metered)
    return Keeper(Source("vendor", source, 300.0, "Europe/London", budget=budget), around)


@pytest.mark.parametrize(
    "budget, requests, period_s",
    [
        (None, 50, 300.0),
        (300, 1, 360.0),  # 240 of 300 by the clock, the rest for urgent looks
        (300, 3, 1080.0),
        (5000, 1, 300.0),
    ],
)
async def test_the_period_is_what_the_budget_bears(budget, requests, period_s) -> None:
    one = keeper(Costly(requests), StepClock(), budget)
    assert await one.look() == pytest.approx(period_s)


async def test_urgent_looks_may_use_up_the_reserve_and_then_must_wait() -> None:
    clock, source = StepClock(), Costly(requests=10)
    one = keeper(source, clock, budget=240)  # a reserve of 48
    for _ in range(4):
        assert one.wait_s() == 0
        await one.look()
    assert one.wait_s() == pytest.approx(2 * DAY_S / 192)
    clock.step(one.wait_s())
    assert one.wait_s() == pytest.approx(0, abs=0.001)


async def test_a_look_that_failed_counts_for_what_it_sent() -> None:
    one = keeper(Costly(requests=48, fails=True), StepClock(), budget=240)
    await one.look()
    assert one.wait_s() == pytest.approx(DAY_S / 192)


def test_whatever_is_asked_no_day_sees_more_than_the_budget() -> None:
    purse, mono, sent = Purse(300), 0.0, 0
    while mono < DAY_S:
        wait_s = purse.wait_s(7, mono)
        if wait_s > 0:
            mono += wait_s
            continue
        purse.spend(7, mono)
        sent += 7
    assert 280 <= sent <= 307


@pytest.mark.parametrize("every_s, on_metered_s", [(60.0, 180.0), (300.0, 840.0), (1800.0, 1800.0)])
async def test_a_metered_line_is_spared_but_the_list_stays_fresh(every_s, on_metered_s) -> None:
    assert sparing_s(every_s) == on_metered_s


async def test_the_line_in_use_decides_not_the_one_that_waits() -> None:
    assert await keeper(Costly(1), StepClock(), metered=True).look() == 840
    clock = StepClock()
    board = Board(clock, "boot")
    assert board.on_metered() is False
    on_backup = view(Standing.BACKUP)
    board.hear(on_backup)
    active = next(one for one in on_backup.uplinks if one.name == on_backup.active)
    assert board.on_metered() is active.metered


async def test_what_is_not_allowed_never_reaches_the_store_or_a_page() -> None:
    one = keeper(Costly(), StepClock())
    await one.look()
    good = one.state.good
    assert good is not None
    assert good.reading.clients == ()
    assert good.reading.appointments[0].client == "Anna B."


def visits(*hours: int) -> tuple[Appointment, ...]:
    midnight = Span(TODAY, 1, "Europe/London").start_wall
    return tuple(
        Appointment(
            str(hour), midnight + 3600 * hour, midnight + 3600 * (hour + 1), False, "Mia", "Cut",
            "", "", Status.BOOKED,
        )
        for hour in hours
    )  # fmt: skip


def snapshot(at_hour: float, *hours: int) -> Snapshot:
    span = Span(TODAY, 2, "Europe/London")
    at = Stamp(Instant(1.0, span.start_wall + 3600 * at_hour), "boot")
    return Snapshot("s", span, at, at, "", "", Reading(visits(*hours)))


@pytest.mark.parametrize(
    "at_hour, left, is_a_drop",
    [
        (8.0, (), True),
        (12.5, (), True),  # 14 and 16 o'clock are still ahead
        (12.5, (14, 16), False),  # only what is over was left out
        (18.0, (), False),  # the evening: all is over
        (12.5, (16,), True),
    ],
)
def test_a_source_that_leaves_out_what_is_over_raises_no_alarm(at_hour, left, is_a_drop) -> None:
    before, after = snapshot(7.0, 9, 10, 11, 14, 16), snapshot(at_hour, *left)
    assert bool(drops(before, after)) is is_a_drop
