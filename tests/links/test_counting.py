"""Counters of metered lines are read with the device they belong to."""

import asyncio
import socket

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.events import Counted
from edge_watchdog.links.counting import Counting, Metered


async def test_what_a_device_carried_is_told_and_a_missing_one_is_not() -> None:
    heard: list[Counted] = []
    lines = {
        "loop": Metered("lo", lambda wall: (wall - 10, wall + 10)),
        "gone": Metered("nowhere0", lambda wall: (wall, wall)),
    }
    counting = Counting(lines, heard.append, SystemClock())
    task = asyncio.create_task(counting.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (first,) = heard
    assert (first.uplink, first.device) == ("loop", socket.if_nametoindex("lo"))
    assert first.ends - first.month == 20
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(bytes(1000), ("127.0.0.1", 9))
    counting.read()
    assert heard[-1].carried_bytes >= first.carried_bytes + 2000  # there and back
