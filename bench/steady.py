"""What must not move the box: each fault for two minutes, and gaps of half a second.

    python -m bench.steady [--seconds 120] [--gaps 40]

Every fault has a studio of its own; they stand side by side.  Printed is how often the route was
moved (0 is right) and what the page said at the end.  Needs root.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab

FAULTS = ("one_anchor_dead", "icmp_filtered", "vendor_down", "dns_dead", "loss:5")
MOVED = "new connections via="


def moves(daemon: Daemon) -> int:
    """Count the orders to move the route, the first one at the start left out."""
    return daemon.log.read_text(errors="replace").count(MOVED) - 1


def hold(fault: str, seconds: float, folder: Path) -> str:
    """Keep *fault* up; gives the row."""
    with Lab("self", phone=False) as lab, Daemon(lab, folder / fault, only="watch") as daemon:
        time.sleep(2)
        lab.inject(fault)
        time.sleep(seconds)
        view = daemon.view()
        return f"| {fault} | {seconds:.0f} s | {moves(daemon)} | {view.banner.headline} |"


def gaps(count: int, folder: Path) -> str:
    """Make *count* gaps of half a second, seven seconds apart; gives the row.

    Closer together they are a line that loses a tenth and more, which is left for that.
    """
    with Lab("self", phone=False) as lab, Daemon(lab, folder / "gaps", only="watch") as daemon:
        time.sleep(2)
        for number in range(count):
            lab.gap(0.5)
            time.sleep(7.0 + (number * 0.037) % 0.25)  # fall on every part of the pulse
        view = daemon.view()
        return f"| gap of 0.5 s | {count} times | {moves(daemon)} | {view.banner.headline} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--gaps", type=int, default=40)
    args = parser.parse_args()
    print("| what | how long | moves | the page says |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        rows = [pool.submit(hold, fault, args.seconds, folder) for fault in FAULTS]
        rows.append(pool.submit(gaps, args.gaps, folder))
        for row in rows:
            print(row.result(), flush=True)


if __name__ == "__main__":
    main()
