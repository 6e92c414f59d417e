"""Does anything pile up?  Failover and failback, many times over, and then: what is left?

    python -m bench.cycles [--cycles 200] [--topology gateway|self]

The real watch half in the studio of tests/lab, without its patience (bench/hasty.py).  A cycle is
an outage, by the cable as a rule and every tenth time by a line that falls silent, and the way back
after it; the desk PC and the box each hold a connection throughout.  Before, half way and after,
when drained lines are empty, the same things are counted.  Exit code 1 when something was left, or
the memory still grows in the second half.  Needs root; everything stays in network namespaces.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.netns import Host
from tests.lab.places import CONNECTIVITY, HOSTS

WARM_CYCLES = 3
TOLD_EVERY = 10
SILENT_EVERY = 10
SWITCH_S, BACK_S = 20.0, 30.0
DRAINED_S = 150.0
GROWTH_MIB = 2.0
MIB = 1 << 20
WEB = (HOSTS[CONNECTIVITY], 80)
BACKUP_MARK = "7002"
MEMORY = "memory (RSS), MiB"


class Hasty(Daemon):
    """The daemon of bench/hasty.py."""

    def argv(self) -> list[str]:
        """Give what is run in the box."""
        return [sys.executable, "-m", "bench.hasty", str(self.config)]


@contextlib.contextmanager
def speaking(host: Host) -> Iterator[None]:
    """Hold a connection from *host*, opened over whatever line is in use."""
    with host.socket() as sock, contextlib.suppress(OSError):
        sock.settimeout(1.0)
        sock.connect(WEB)
        sock.sendall(f"GET /204 HTTP/1.1\r\nHost: {CONNECTIVITY}\r\n\r\n".encode())
        sock.recv(4096)
        yield
        return
    yield


def cycle(lab: Lab, daemon: Daemon, number: int) -> None:
    """Break the line, wait until the box has left it, heal, wait until it is back."""
    fault = "blackhole" if number % SILENT_EVERY == SILENT_EVERY - 1 else "cable_out"
    with speaking(lab.desk_pc), speaking(lab.box):
        lab.inject(fault)
        daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", SWITCH_S)
        with speaking(lab.desk_pc), speaking(lab.box):
            lab.heal(fault)
            daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", BACK_S)


def count(lab: Lab, daemon: Daemon) -> dict[str, float]:
    """Count what could pile up."""
    assert daemon.process is not None
    process = psutil.Process(daemon.process.pid)
    files = sum(1 for path in daemon.folder.rglob("*") if path.is_file())
    return {
        "open files and sockets": process.num_fds(),
        "threads": process.num_threads(),
        "child processes": len(process.children()),
        "rules": _ours(lab, "ip", "rule"),
        "routes": _ours(lab, "ip", "route", "show", "table", "all"),
        "packet filter, lines": _lines(lab, "nft", "-t", "list", "ruleset"),
        "flows pinned to the backup": _pinned(lab),
        "sockets of the box": _lines(lab, "ss", "-Htua", "state", "established"),
        "files": files,
        MEMORY: round(process.memory_info().rss / MIB, 1),
    }


def _ours(lab: Lab, *argv: str) -> int:
    return sum("proto 237" in line for line in _text(lab, *argv).splitlines())


def _lines(lab: Lab, *argv: str) -> int:
    return len(_text(lab, *argv).splitlines())


def _pinned(lab: Lab) -> int:
    text = _text(lab, "conntrack", "-L", "-m", BACKUP_MARK)
    return sum("TIME_WAIT" not in line and "CLOSE" not in line for line in text.splitlines())


def _text(lab: Lab, *argv: str) -> str:
    return str(lab.box.run(list(argv)).stdout)


def rest(lab: Lab, daemon: Daemon, before: Mapping[str, float]) -> dict[str, float]:
    """Give the counts when what drains has drained, or when it should have."""
    end = time.monotonic() + DRAINED_S
    while leaks(before, now := count(lab, daemon)) and time.monotonic() < end:
        time.sleep(2.0)
    return now


def leaks(before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """Name what has become more, memory aside."""
    return [name for name in before if name != MEMORY and after[name] > before[name]]


def run(lab: Lab, folder: Path, cycles: int) -> list[dict[str, float]]:
    """Go through *cycles*; gives the counts before, half way and after."""
    with Hasty(lab, folder, only="watch", mode=lab.topology) as daemon:
        for number in range(WARM_CYCLES):
            cycle(lab, daemon, number)
        time.sleep(5.0)
        seen = [rest(lab, daemon, dict.fromkeys(("flows pinned to the backup",), 0))]
        for number in range(cycles):
            cycle(lab, daemon, number)
            if number + 1 in (cycles // 2, cycles):
                seen.append(rest(lab, daemon, seen[0]))
            if (number + 1) % TOLD_EVERY == 0:
                memory = count(lab, daemon)[MEMORY]
                print(f"cycle {number + 1} of {cycles}: {memory} MiB", file=sys.stderr, flush=True)
        return seen


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--topology", choices=("gateway", "self"), default="gateway")
    args = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Lab(args.topology, phone=False) as lab:
        before, half, after = run(lab, Path(folder) / "daemon", args.cycles)
    seconds = time.monotonic() - begin
    print(f"{args.cycles} cycles, topology {args.topology}, {seconds:.0f} s\n")
    print("| what | before | half way | after |\n|---|---|---|---|")
    for name in before:
        print(f"| {name} | {before[name]:g} | {half[name]:g} | {after[name]:g} |")
    left = leaks(before, after)
    grown = after[MEMORY] - half[MEMORY]
    if grown > GROWTH_MIB:
        left.append(f"memory, {grown:.1f} MiB more in the second half")
    print(f"\nleft behind: {', '.join(left)}" if left else "\nnothing is left behind")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
