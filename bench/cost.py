"""What the daemon costs while nothing happens: two uplinks, the second one metered.

    python -m bench.cost [--seconds 300]

Both halves run as shipped in the studio of tests/lab.  CPU is the share of one core; RSS and PSS
are taken at the end; bytes on the wire are those of IP, counted where the provider does (the lab's
radio is a cable with ARP, which no radio has); what is asked once an hour or seldomer is seen only
in as long a run, see bench/month.py.  Bytes written are taken from
/proc/PID/io (what the halves had written back to the disk).  The floor is an idle asyncio program
of the same interpreter, measured in the same run.  Needs root.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.places import Place

FLOOR = "import asyncio; asyncio.run(asyncio.sleep(86400))"
WARM_UP_S = 90.0  # the first minute after a start is written down event by event
MIB = 1 << 20
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One process: CPU seconds used and bytes written so far."""

    cpu_s: float
    written_bytes: int

    @classmethod
    def of(cls, process: psutil.Process) -> "Reading":
        """Read *process* now."""
        times = process.cpu_times()
        return cls(times.user + times.system, process.io_counters().write_bytes)


METERS = {"broadband": (Place.ISP, "cust0"), "LTE stick": (Place.CARRIER, "stick")}


COUNTERS = """table inet counted {{
  chain in {{ type filter hook prerouting priority -460
    iifname "{0}" counter
  }}
  chain out {{ type filter hook postrouting priority 460
    oifname "{0}" counter
  }}
}}
"""


def begin_counting(lab: Lab) -> None:
    """Have provider and carrier count."""
    for place, device in METERS.values():
        lab.host(place).run(["nft", "-f", "-"], input=COUNTERS.format(device), check=True)


def wire_bytes(lab: Lab) -> dict[str, int]:
    """Give the bytes that provider and carrier have seen in both directions."""
    return {name: _counted(lab, place) for name, (place, _) in METERS.items()}


def _counted(lab: Lab, place: Place) -> int:
    text = lab.host(place).run(["nft", "list", "table", "inet", "counted"], check=True).stdout
    return sum(int(count) for count in re.findall(r"bytes (\d+)", text))


def report(name: str, process: psutil.Process, before: Reading, seconds: float) -> None:
    """Print one process's row."""
    after, memory = Reading.of(process), process.memory_full_info()
    share = (after.cpu_s - before.cpu_s) / seconds
    written = (after.written_bytes - before.written_bytes) * HOUR_S / seconds
    print(
        f"| {name} | {share:.2%} | {memory.rss / MIB:.1f} | {memory.pss / MIB:.1f}"
        f" | {written / 1e6:.2f} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    seconds = parser.parse_args().seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        Lab("self", phone=False) as lab,
        Daemon(lab, Path(folder)) as daemon,
        subprocess.Popen([sys.executable, "-c", FLOOR]) as floor,
    ):
        try:
            measure(lab, daemon, floor.pid, seconds)
        finally:
            floor.terminate()


def measure(lab: Lab, daemon: Daemon, floor: int, seconds: float) -> None:
    """Let *seconds* pass and print what they cost; *floor* is the pid of the idle program."""
    time.sleep(WARM_UP_S)
    assert daemon.process is not None
    watch = psutil.Process(daemon.process.pid)
    halves = {
        "watch": watch,
        "desk": watch.children()[0],
        "floor": psutil.Process(floor),
    }
    begin_counting(lab)
    before = {name: Reading.of(process) for name, process in halves.items()}
    wire = wire_bytes(lab)
    time.sleep(seconds)
    print("| half | CPU of one core | RSS MiB | PSS MiB | written MB/h |\n|---|---|---|---|---|")
    for name, process in halves.items():
        report(name, process, before[name], seconds)
    print("\n| uplink | MB/h on the wire | MB/month |\n|---|---|---|")
    after = wire_bytes(lab)
    for name, was in wire.items():
        hourly = (after[name] - was) * HOUR_S / seconds / 1e6
        print(f"| {name} | {hourly:.3f} | {hourly * 720:.1f} |")


if __name__ == "__main__":
    main()
