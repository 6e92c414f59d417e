"""How the box itself is, told only when there is news."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from edge_watchdog.box import LOOK_S, POWER_EVERY_S, BoxWatch, power_low
from edge_watchdog.clock import SystemClock
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import BoxReport
from tests.patience import air

BEGAN = Instant(1000.0, 1_795_252_440.0)


def sensor(hwmon: Path, alarm: str, *, name: str = "rpi_volt") -> None:
    folder = hwmon / "hwmon1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "in0_lcrit_alarm").write_text(f"{alarm}\n")


def told(events: list[Event]) -> list[BoxReport]:
    return [e.report for e in events if isinstance(e, BoxReported)]


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def watch(heard: list[Event], tmp_path: Path) -> BoxWatch:
    return BoxWatch(heard.append, clock=SystemClock(), late_s=0.2, hwmon=tmp_path)


@pytest.mark.parametrize("late_s, lag_s", [(0.0, None), (0.19, None), (0.3, 0.3), (40.0, 40.0)])
def test_a_sleep_that_took_too_long_is_told(watch, heard, late_s, lag_s):
    now = BEGAN.plus(LOOK_S + late_s)
    watch.look(BEGAN, now)
    assert told(heard) == ([] if lag_s is None else [BoxReport(now, lag_s=lag_s)])


def test_power_is_told_when_it_turns(watch, heard, tmp_path):
    for number, alarm in enumerate("0110"):
        sensor(tmp_path, alarm)
        now = BEGAN.plus(number * POWER_EVERY_S)
        watch.look(now.plus(-LOOK_S), now)
    assert [r.power_low for r in told(heard)] == [True, False]


def test_power_is_not_looked_at_more_often(watch, heard, tmp_path):
    watch.look(BEGAN.plus(-LOOK_S), BEGAN)
    sensor(tmp_path, "1")
    watch.look(BEGAN, BEGAN.plus(LOOK_S))
    assert heard == []


def test_without_a_sensor_nothing_is_known(tmp_path):
    assert power_low(tmp_path / "nowhere") is None
    sensor(tmp_path, "1", name="cpu_thermal")
    assert power_low(tmp_path) is None


def test_a_sensor_that_cannot_be_read_says_nothing(tmp_path):
    sensor(tmp_path, "1")
    (tmp_path / "hwmon1" / "in0_lcrit_alarm").unlink()
    assert power_low(tmp_path) is None


async def test_a_loop_that_was_held_up_notices_it(watch, heard):
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.05)
    time.sleep(LOOK_S + 0.3)  # noqa: ASYNC251 - to hold the loop up is the point
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    (report,) = told(heard)
    assert report.lag_s is not None
    assert 0.2 < report.lag_s < air(2)
