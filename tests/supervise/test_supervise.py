import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from edge_watchdog.core.events import Event, WorkerFailed
from edge_watchdog.core.instant import Instant
from edge_watchdog.supervise import keep_running


@dataclass
class Stage:
    """A clock, a sleep that steps it, and a worker that plays a list of deeds."""

    deeds: list[tuple[float, BaseException | None]]
    mono: float = 0.0
    slept: list[float] = field(default_factory=list)
    failures: list[Event] = field(default_factory=list)

    def now(self):
        return Instant(self.mono, 1.7e9 + self.mono)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.mono += seconds

    async def work(self):
        if not self.deeds:
            raise asyncio.CancelledError
        lived_s, error = self.deeds.pop(0)
        self.mono += lived_s
        if error is not None:
            raise error

    async def play(self):
        with pytest.raises(asyncio.CancelledError):
            await keep_running(
                "probe", self.work, clock=self, on_failure=self.failures.append, sleep=self.sleep
            )


async def test_the_pause_doubles_to_half_a_minute():
    stage = Stage([(0.0, ValueError("no"))] * 9)
    await stage.play()
    assert stage.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_minute_of_health_forgives_earlier_crashes():
    stage = Stage([(0, ValueError()), (0, ValueError()), (61, ValueError()), (59, ValueError())])
    await stage.play()
    assert stage.slept == [0.5, 1, 0.5, 1]


@pytest.mark.parametrize(
    "error, text",
    [
        (ValueError("bad\n  thing"), "ValueError: bad thing"),
        (KeyError(), "KeyError"),
        (ExceptionGroup("many", [ExceptionGroup("x", [OSError("gone")])]), "OSError: gone"),
        (None, "ended by itself"),
        (ValueError("x" * 1000), ("ValueError: " + "x" * 1000)[:300]),
    ],
    ids=["one line", "no message", "group", "returned", "long"],
)
async def test_a_crash_becomes_an_event_of_one_line(error, text):
    stage = Stage([(3.0, error)])
    await stage.play()
    (event,) = stage.failures
    assert isinstance(event, WorkerFailed)
    assert (event.worker, event.error, event.at.mono) == ("probe", text, 3.0)


async def test_the_traceback_goes_to_the_log_and_not_into_the_event(caplog):
    stage = Stage([(0, ValueError("no"))])
    await stage.play()
    assert "Traceback" in caplog.text
    assert "Traceback" not in str(stage.failures[0])


async def test_a_worker_that_fails_while_it_is_stopped_stays_stopped():
    began = asyncio.Event()

    async def breaks():
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            raise OSError("link gone")

    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(breaks())

    stage = Stage([])
    task = asyncio.create_task(
        keep_running("w", work, clock=stage, on_failure=stage.failures.append, sleep=stage.sleep)
    )
    await began.wait()
    task.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait([task])
    assert task.cancelled()
    assert stage.failures == []


NOTIFY = """
from edge_watchdog.supervise import Notifier
n = Notifier()
print(n.watchdog_s)
n.ready(); n.status("Broadband ok \\u2013 41\\nappointments"); n.beat(); n.stopping()
"""


def run_notifier(**env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFY", "WATCHDOG"))}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTIFY],
        env=clean | env, capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert env or result.stderr == ""  # systemd's socket is held until the process ends
    return result.stdout.strip()


def test_systemd_is_told_in_utf8_and_one_line(tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(20)
        assert run_notifier(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="30000000") == "30.0"
        heard = [manager.recv(1000).decode() for _ in range(4)]
    assert heard == [
        "READY=1",
        "STATUS=Broadband ok \u2013 41 appointments",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"},
    ],
    ids=["nothing", "no number", "zero", "another process"],
)
def test_outside_systemd_nothing_happens(env):
    assert run_notifier(**env) == "None"
