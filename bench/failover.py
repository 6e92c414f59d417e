"""How long is the box without the internet?  Real daemon, real kernel, the studio of tests/lab.

    python -m bench.failover [--runs 20] [--fault blackhole ...] [--topology self|gateway]

A program in the box, or on the desk PC behind it in the topology "gateway", that knows nothing of
the daemon opens a new TCP connection every 10 ms.  The
time runs from the moment the fault took hold (CLOCK_BOOTTIME) to the first new connection that
was opened after it and succeeded.  Needs root; everything stays in network namespaces.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bench.calls import Caller
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab

LIMITS_S = {"blackhole": 1.5, "cable_out": 0.2}


async def measure(lab: Lab, fault: str) -> float | None:
    """Break, wait until it works again, heal; gives the seconds without the internet."""
    caller = Caller(lab.desk_pc if lab.topology == "gateway" else lab.box)
    task = asyncio.create_task(caller.run())
    try:
        await asyncio.sleep(0.3)
        cut = await asyncio.to_thread(lab.inject, fault)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if caller.restored_after(cut) is not None:
                break
        restored = caller.restored_after(cut)
    finally:
        task.cancel()
    await asyncio.to_thread(lab.heal, fault)
    return restored


def run_fault(fault: str, runs: int, folder: Path, topology: str = "self") -> list[float]:
    """Measure *fault* in *runs* outages, each with a daemon that remembers no earlier one."""
    times: list[float] = []
    with Lab(topology, phone=False) as lab:
        for number in range(runs):
            with Daemon(lab, folder / f"{fault} {number}", only="watch", mode=topology):
                time.sleep(1.0 + (number * 0.037) % 0.25)  # fall on every part of the pulse
                restored = asyncio.run(measure(lab, fault))
            if restored is None:
                raise SystemExit(f"{fault}: not restored within 5 s")
            times.append(restored)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--fault", action="append")
    parser.add_argument("--topology", choices=("self", "gateway"), default="self")
    args = parser.parse_args()
    print("| fault | runs | median s | worst s | limit s |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for fault in args.fault or ["cable_out", "blackhole", "reject", "router_dead"]:
            times = run_fault(fault, args.runs, Path(folder), args.topology)
            limit = LIMITS_S.get(fault)
            print(
                f"| {fault} | {len(times)} | {statistics.median(times):.3f} | {max(times):.3f}"
                f" | {limit if limit is not None else ''} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
