"""Does the rehearsal of the standby run as it should, and what does it cost?

    python -m bench.rehearsal

The real daemon in the lab, in a studio that has just closed and rehearses a second later: once over
a stick that works, once over one that finds no names, once over one that brings nothing back.
Needs root.
"""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab

TIMING = '[timing]\nfailback_after = "2s"\nrehearse_after = "1s"\n'
CASES = {"": "works", "lte_dns_dead": "no name is found", "lte_zombie": "it does not answer"}
ENDS_S, BACK_S = 120.0, 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one rehearsal said, when it was over, how often new connections moved, its bytes."""

    said: str
    seconds: float
    moves: int
    carried_bytes: int


def closed_now() -> str:
    """Give opening hours that are three days away, whatever the day."""
    day = datetime.now(UTC) + timedelta(days=3)
    return f"{day:%a} 03:00-03:01"


def carried(lab: Lab) -> int:
    """Give the bytes that the stick's interface has carried, both ways."""
    text = lab.box.run(["sh", "-c", "cat /sys/class/net/lte0/statistics/[rt]x_bytes"]).stdout
    return sum(int(line) for line in str(text).split())


def rehearse(lab: Lab, folder: Path, fault: str) -> Run:
    """Have one rehearsal, with *fault* in the lab, and wait until the usual line is in use."""
    if fault:
        lab.inject(fault)
    before, began = carried(lab), time.monotonic()
    options = {"opening_hours": closed_now(), "extra": TIMING}
    with Daemon(lab, folder, only="watch", **options) as daemon:
        view = daemon.wait(lambda v: v.uplinks[1].rehearsed != "", ENDS_S)
        seconds = time.monotonic() - began
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", BACK_S)
        moves = daemon.log.read_text().count("new connections via=") - 1
    lab.heal_all()
    return Run(view.uplinks[1].rehearsed, seconds, moves, carried(lab) - before)


def main() -> None:
    """Measure and print."""
    print("| the stick | said | as it should | after s | moves | kB over the stick |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, Lab("self", phone=False) as lab:
        for number, (fault, wanted) in enumerate(CASES.items()):
            run = rehearse(lab, Path(folder) / f"{number}", fault)
            right = "yes" if wanted in run.said else "NO"
            cells = f"{run.seconds:.0f} | {run.moves} | {run.carried_bytes / 1000:.0f}"
            print(f"| {fault or 'works'} | {run.said} | {right} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
