"""What becomes of names, old connections, short gaps, and a backup that dies while it is in use.

    python -m bench.fates [--runs 10] [--only gaps|names|backup|connections]

Gateway topology: all is seen from the desk PC behind the box; the daemon is as shipped, but for the
way back of old connections, where bench/hasty.py does not wait a minute.  Needs root.
"""

import argparse
import asyncio
import itertools
import re
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from bench.calls import TARGET, Caller, boottime_s
from bench.cycles import Hasty
from tests.lab.daemon import Daemon
from tests.lab.dns import FRESH
from tests.lab.lab import Lab
from tests.lab.netns import Host
from tests.lab.places import CONNECTIVITY, Place

GAPS = ((0.5, "never left"), (1.0, "back within 2 s"), (1.3, "always left"))
BACK_S = 2.0
LOOK_S = 0.03
SWITCH_S = 20.0
WAY_BACK_S = 30.0
EVICTED = re.compile(r"^(\S+ \S+) .*old connections end uplink=broadband", re.MULTILINE)
LOG_TIME = "%Y-%m-%d %H:%M:%S,%f"  # of bench/hasty.py, in local time
DEAF = "table inet deaf { chain in { type filter hook input priority -10; udp dport 53 drop; }; }"


def gaps(folder: Path, runs: int) -> list[str]:
    """Make gaps; count how often broadband was left, and was not back two seconds later."""
    rows = []
    with Lab("gateway", phone=False) as lab:
        for length_s, wanted in GAPS:
            left = late = 0
            for number in range(runs):
                home = folder / f"gap {length_s} {number}"
                with Daemon(lab, home, only="watch", mode="gateway") as daemon:
                    time.sleep(1.0 + number * 0.037 % 0.25)  # fall on every part of the pulse
                    _, end = lab.gap(length_s)
                    time.sleep(max(0.0, end + BACK_S - boottime_s()))
                    late += daemon.view().active != "broadband"
                    left += "new connections via=LTE stick" in daemon.log.read_text()
            rows.append(f"| gap of {length_s} s | {runs} | {left} | {late} | {wanted} |")
    return rows


def finds(host: Host, server: str, name: str) -> bool:
    """Tell whether *host* gets an address for *name* from *server*."""
    words = b"".join(bytes([len(word)]) + word.encode() for word in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + words + b"\x00\x00\x01\x00\x01"
    with host.socket(kind=socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.sendto(query, (server, 53))
        try:
            answer = sock.recv(512)
        except OSError:
            return False
    return answer[:2] == query[:2] and int.from_bytes(answer[6:8], "big") == 1


def names(folder: Path, runs: int) -> list[float]:
    """Let the router die while the stick's own name server is dead; seconds until names resolve."""
    times = []
    with Lab("gateway", phone=False) as lab:
        lab.host(Place.STICK).run(["nft", DEAF], check=True)
        for number in range(runs):
            home = folder / f"names {number}"
            with Daemon(lab, home, mode="gateway", schedule=False):
                ask = _asking(lab, number)
                _until(ask, SWITCH_S)
                time.sleep(1.0 + number * 0.037 % 0.25)
                cut = lab.inject("router_dead")
                _until(ask, SWITCH_S)
                times.append(boottime_s() - cut)
            lab.heal_all()
            time.sleep(1.0)
    return times


def _asking(lab: Lab, number: int) -> Callable[[], bool]:
    """Give a look for a name that nobody has asked for before."""
    asked = itertools.count()
    return lambda: finds(lab.desk_pc, lab.box_address, f"n{number}x{next(asked)}.{FRESH}")


def backup(folder: Path, runs: int) -> list[float]:
    """Let the stick die while it is in use; seconds until new connections work over the phone."""
    times = []
    with Lab("gateway") as lab:
        for number in range(runs):
            home = folder / f"backup {number}"
            with Daemon(lab, home, only="watch", mode="gateway", phone=True) as daemon:
                time.sleep(1.0)
                lab.inject("cable_out")
                daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", SWITCH_S)
                time.sleep(3.0 + number * 0.137 % 1.0)
                times.append(asyncio.run(_restored(lab, "lte_no_data")))
            lab.heal_all()
            time.sleep(1.0)
    return times


async def _restored(lab: Lab, fault: str) -> float:
    caller = Caller(lab.desk_pc)
    task = asyncio.create_task(caller.run())
    await asyncio.sleep(0.3)
    cut = await asyncio.to_thread(lab.inject, fault)
    restored = None
    while restored is None and boottime_s() < cut + SWITCH_S:
        await asyncio.sleep(0.01)
        restored = caller.restored_after(cut)
    task.cancel()
    return float("inf") if restored is None else restored


def connections(folder: Path, runs: int) -> list[str]:
    """Hold a connection through a gap, through an outage, and through the way back."""
    alive, home_safe, resets = 0, 0, list[float]()
    with Lab("gateway", phone=False) as lab:
        for number in range(runs):
            with Hasty(lab, folder / f"fate {number}", only="watch", mode="gateway") as daemon:
                time.sleep(1.0)
                with closing(_begin(lab.desk_pc)) as sock:
                    lab.gap(2.5)
                    alive += _goes_on(sock)
                daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", WAY_BACK_S)
                with closing(_begin(lab.desk_pc)) as sock:
                    lab.inject("blackhole")
                    reset = _reset_at(sock)
                resets.append(reset - _evicted_at(daemon))
                with closing(_begin(lab.desk_pc)) as sock:
                    lab.heal("blackhole")
                    daemon.wait(
                        lambda v: v.active == "broadband" and v.phase == "settled", WAY_BACK_S
                    )
                    home_safe += _goes_on(sock)
    return [
        f"| alive after a gap of 2.5 s | {alive} of {runs} | all |",
        f"| seconds from eviction to the reset, median (worst) | {_times(resets)} | 0.5 |",
        f"| alive after the way back | {home_safe} of {runs} | all |",
    ]


def _begin(host: Host) -> socket.socket:
    """Open a connection and ask for half a page."""
    sock = host.socket()
    sock.settimeout(10.0)
    sock.connect(TARGET)
    sock.sendall(f"GET /204 HTTP/1.1\r\nHost: {CONNECTIVITY}\r\n".encode())
    return sock


def _goes_on(sock: socket.socket) -> bool:
    """Ask for the other half; tell whether the answer comes."""
    try:
        sock.sendall(b"\r\n")
        return b"204" in sock.recv(4096)
    except OSError:
        return False


def _reset_at(sock: socket.socket) -> float:
    """Wait until the box ends the connection; gives seconds since 1970, infinity if never."""
    sock.settimeout(15.0)
    try:
        sock.recv(1)
    except TimeoutError:
        return float("inf")
    except OSError:
        pass
    return time.time()


def _evicted_at(daemon: Daemon) -> float:
    found = EVICTED.findall(daemon.log.read_text(errors="replace"))
    return datetime.strptime(found[-1], LOG_TIME).astimezone().timestamp() if found else 0.0


def _until(is_so: Callable[[], bool], within_s: float) -> None:
    end = boottime_s() + within_s
    while not is_so():
        if boottime_s() > end:
            raise SystemExit(f"not within {within_s:.0f} s")
        time.sleep(LOOK_S)


def _times(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({max(values):.3f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--only", choices=("gaps", "names", "backup", "connections"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.only in (None, "gaps"):
            print("| what | times | broadband left | not back 2 s later | wanted |")
            print("|---|---|---|---|---|", *gaps(folder, args.runs), sep="\n", flush=True)
        if args.only in (None, "names"):
            words = "router and the stick's name server dead: seconds until names resolve"
            print(f"\n{words}: {_times(names(folder, args.runs))} (wanted: 1.2)", flush=True)
        if args.only in (None, "backup"):
            words = "the backup dies in use: seconds until the next one works"
            print(f"\n{words}: {_times(backup(folder, args.runs))} (wanted: 1.2)", flush=True)
        if args.only in (None, "connections"):
            print("\n| old connections | seen | wanted |\n|---|---|---|")
            print(*connections(folder, args.runs), sep="\n", flush=True)


if __name__ == "__main__":
    main()
