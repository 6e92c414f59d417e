"""Counters of metered lines are read with the device they belong to."""

import asyncio
import socket

import pytest

from edge_watchdog.core.events import Counted
from edge_watchdog.core.instant import Instant
from edge_watchdog.links.counting import EVERY_S, MUCH_BYTES, Counting, Metered, _is_news


class FakeClock:
    """Stands until it is stepped."""

    def __init__(self) -> None:
        self._now = Instant(1000.0, 1_795_252_440.0)

    def now(self) -> Instant:
        return self._now

    def step(self, seconds: float) -> None:
        self._now = self._now.plus(seconds)


async def test_what_a_device_carried_is_told_and_a_missing_one_is_not() -> None:
    heard: list[Counted] = []
    lines = {
        "loop": Metered("lo", lambda wall: (wall - 10, wall + 10)),
        "gone": Metered("nowhere0", lambda wall: (wall, wall)),
    }
    clock = FakeClock()
    counting = Counting(lines, heard.append, clock)
    task = asyncio.create_task(counting.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (first,) = heard
    assert (first.uplink, first.device) == ("loop", socket.if_nametoindex("lo"))
    assert first.ends - first.month == 20
    send(1)
    clock.step(EVERY_S)
    counting.read()
    assert heard[-1].carried_bytes >= first.carried_bytes + 2000  # there and back


def test_much_is_told_at_once_and_little_with_the_next_turn() -> None:
    heard: list[Counted] = []
    counting = Counting(
        {"loop": Metered("lo", lambda wall: (wall, wall))}, heard.append, FakeClock()
    )
    counting.read()
    send(MUCH_BYTES // 1000)
    counting.read()
    assert len(heard) == 2
    idle = Counting({}, heard.append, FakeClock())
    idle.read()
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("device", "carried", "later_s", "is_news"),
    [
        (1, 600, 1.0, False),
        (1, 600, EVERY_S, True),
        (1, 500 + MUCH_BYTES, 1.0, True),
        (1, 499, 1.0, True),  # it began anew
        (2, 500, 1.0, True),  # as another device did
    ],
)
def test_what_is_news_of_a_counter(
    device: int, carried: int, later_s: float, is_news: bool
) -> None:
    told = Counted(Instant(10.0, 1000.0), "stick", 1, 500, 0.0, 1.0)
    at = told.at.plus(later_s)
    assert _is_news(told, at, device, carried) is is_news


def send(datagrams: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(datagrams):
            sock.sendto(bytes(1000), ("127.0.0.1", 9))
