#!/usr/bin/python3
"""Stands in for the program, to try units and harness: `run --only watch|desk --config FILE`.

It does what the units count on and nothing else: READY=1, WATCHDOG=1, an end at SIGTERM; the watch
half adds a rule and a route and takes them away at an orderly end; the desk half answers on the
socket that systemd hands over.  STUB_END=crash fails at SIGTERM, STUB_END=ignore ignores it.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ADD = (
    "rule add pref 6900 lookup 7100 protocol 237",
    "route add default via 203.0.113.1 table 7100 proto 237",
)
TAKE = ("rule del pref 6900", "route flush table 7100")


def tell(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])


def ip(commands: Sequence[str]) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=False)


def main() -> None:
    half = sys.argv[sys.argv.index("--only") + 1]
    Path(sys.argv[sys.argv.index("--config") + 1]).read_text()
    stop, woken = socket.socketpair()
    stop.setblocking(False)
    signal.set_wakeup_fd(stop.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    door = [socket.socket(fileno=3)] if half == "desk" else []
    ip(ADD if half == "watch" else ())
    tell(f"READY=1\nSTATUS=stub of the {half} half")
    period_s = int(os.environ["WATCHDOG_USEC"]) / 3e6
    while woken not in (ready := select.select([woken, *door], [], [], period_s)[0]):
        tell("WATCHDOG=1")
        for one in ready:
            with one.accept()[0] as visitor:
                visitor.recv(4096)
                visitor.sendall(b"HTTP/1.0 200 OK\r\n\r\nstub")
    match os.environ.get("STUB_END"):
        case "crash":
            sys.exit(3)
        case "ignore":
            signal.pause()
    ip(TAKE if half == "watch" else ())


main()
