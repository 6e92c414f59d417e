"""Does a busy desk half delay the watch half?  Failover, while 50 clients and a calendar press.

    python -m bench.busy [--runs 10] [--fault blackhole ...] [--clients 50] [--events 5000]

Gateway topology, both halves as shipped.  The clients are programs on the desk PC that open the
desk page again and again (bench/crowd.py); the calendar is a file of many appointments that is
written anew every second, so that each look at it is a parse.  Needs root.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.failover import LIMITS_S, measure
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab

PORT = 8080
WARM_UP_S = 8.0
SCHEDULE = """[[schedule]]
name = "front desk"
kind = "ics"
path = "{path}"
every = "{every}"
"""
EVENT = """BEGIN:VEVENT
UID:{number}@busy.example
DTSTAMP:{begin}
DTSTART:{begin}
DTEND:{end}
SUMMARY:Massage {number}
DESCRIPTION:Anna B.
END:VEVENT
"""


def calendar(events: int) -> str:
    """Give a calendar with *events* appointments, spread over a month around today."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    parts = ["BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//busy//EN\n"]
    for number in range(events):
        begin = noon + timedelta(days=number % 30 - 15, minutes=15 * (number // 30 % 20))
        words = (f"{at:%Y%m%dT%H%M%SZ}" for at in (begin, begin + timedelta(minutes=45)))
        parts.append(EVENT.format(number=number, begin=next(words), end=next(words)))
    return "".join([*parts, "END:VCALENDAR\n"]).replace("\n", "\r\n")


@contextmanager
def pressed(lab: Lab, file: Path, text: str, clients: int) -> Iterator[None]:
    """Have the clients ask and the calendar change meanwhile."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(1.0):
            file.write_text(text)

    writer = threading.Thread(target=write)
    writer.start()
    url = f"http://{lab.box_address}:{PORT}/"
    crowd = lab.desk_pc.popen([sys.executable, "-m", "bench.crowd", url, str(clients)])
    try:
        yield
    finally:
        over.set()
        writer.join()
        crowd.terminate()
        crowd.wait(10)


def run_fault(lab: Lab, folder: Path, fault: str, runs: int, load: tuple[int, int]) -> list[float]:
    """Measure *fault* under *load* (clients, events); each run with a fresh daemon."""
    clients, events = load
    text, times = calendar(events), list[float]()
    for number in range(runs):
        home = folder / f"{fault} {number}"
        home.mkdir()
        file = home / "busy.ics"
        file.write_text(text)
        extra = SCHEDULE.format(path=file, every="1m")
        with (
            Daemon(lab, home, mode="gateway", schedule=False, extra=extra),
            pressed(lab, file, text, clients),
        ):
            time.sleep(WARM_UP_S + (number * 0.037) % 0.25)
            restored = asyncio.run(measure(lab, fault))
        if restored is None:
            raise SystemExit(f"{fault}: not restored within 5 s")
        times.append(restored)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--fault", action="append")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--events", type=int, default=5000)
    args = parser.parse_args()
    print(f"{args.clients} clients, {args.events} appointments:\n")
    print("| fault | runs | median s | worst s | limit s |\n|---|---|---|---|---|")
    load = (args.clients, args.events)
    with tempfile.TemporaryDirectory() as name, Lab("gateway", phone=False) as lab:
        for fault in args.fault or ["cable_out", "blackhole", "reject", "router_dead"]:
            times = run_fault(lab, Path(name), fault, args.runs, load)
            median, worst = statistics.median(times), max(times)
            limit = LIMITS_S.get(fault, "")
            print(f"| {fault} | {len(times)} | {median:.3f} | {worst:.3f} | {limit} |", flush=True)


if __name__ == "__main__":
    main()
