"""Deeds done and undone: the hands of Lab.inject and Lab.heal.

In: a deed and the key under which it is held.  Out: it is so, and when it took hold
(CLOCK_BOOTTIME).  The rule of the room: undoing gives exactly the former state.  Where two deeds
are about the same thing, the younger holds; when it goes, the older one holds again.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.lab import programs, wiring
from tests.lab.control import Control
from tests.lab.deeds import (
    Behaviour,
    Course,
    Deed,
    LeaseOption,
    LinkDown,
    Narrow,
    NewLease,
    Program,
    Queue,
    Rules,
)
from tests.lab.manifest import LabError
from tests.lab.netns import Filter, Host, boottime_s, packet_filter, set_link, set_mtu
from tests.lab.places import UPLINKS, Place, UplinkLeg

USUAL_MTU_BYTES = 1500
COURSE_S = 600.0
LEASE_S = 5.0
RENEWAL_S = 1.5
END_S = 5.0


class Doer:
    """Holds what is wrong in one lab.

    *servers*: the DHCP and DNS server of each uplink, by the box's interface.
    """

    def __init__(self, hosts: Mapping[Place, Host], folder: Path, control: Control) -> None:
        self._hosts, self._folder, self._control = hosts, folder, control
        self._held: dict[str, Deed] = {}
        self._running: dict[str, subprocess.Popen[Any] | _Player] = {}
        self.servers: dict[str, subprocess.Popen[Any]] = {}

    def do(self, deed: Deed, key: str) -> float:
        """Make *deed* so and hold it under *key*; raises LabError, and then it is not so."""
        self._held[key] = deed
        try:
            return self._do(deed, key)
        except BaseException:
            self.undo(key)
            raise

    def undo(self, key: str) -> float:
        """Undo what is held under *key*, if anything."""
        deed = self._held.pop(key, None)
        if deed is None:
            return boottime_s()
        older = [held for held in self._held.values() if _thing(held) == _thing(deed)]
        if older:
            return self._do(older[-1], key)
        return self._undo(deed, key)

    def close(self) -> None:
        """Stop what goes on by itself; the lab is about to end."""
        for running in self._running.values():
            if isinstance(running, _Player):
                running.stop()

    def _do(self, deed: Deed, key: str) -> float:
        match deed:
            case Rules(place, chains, family):
                return self._filter(place, _table(family, key, chains))
            case LinkDown(place, interface):
                return set_link(self._hosts[place].namespace, interface, up=False)
            case Narrow(place, interface, mtu_bytes):
                return set_mtu(self._hosts[place].namespace, interface, int(mtu_bytes))
            case Queue(place, interface, rate, wait_ms):
                shape = ["tbf", "rate", rate, "burst", "16kb", "latency", f"{wait_ms}ms"]
                return self._tc(place, ["replace", "dev", interface, "root", *shape])
            case NewLease() | LeaseOption():
                return self._lease(deed)
            case Course(place):
                player = _Player(self._hosts[place].namespace, deed, key)
                self._running[key] = player
                return player.start()
            case Program():
                return self._start(deed, key)
            case Behaviour():
                return self._behave()

    def _undo(self, deed: Deed, key: str) -> float:
        match deed:
            case Rules(place=place, family=family):
                return self._filter(place, _no_table(family, key))
            case LinkDown(place, interface):
                return set_link(self._hosts[place].namespace, interface, up=True)
            case Narrow(place, interface):
                return set_mtu(self._hosts[place].namespace, interface, USUAL_MTU_BYTES)
            case Queue(place, interface):
                return self._tc(place, ["del", "dev", interface, "root"])
            case NewLease(interface):
                leg = _leg(interface)
                return self._serve_leases(leg, wiring.address_of(leg.server, leg.server_if))
            case LeaseOption(interface):
                return self._renew(_leg(interface), "")
            case Course() | Program():
                return self._stop(key)
            case Behaviour():
                return self._behave()

    def _filter(self, place: Place, text: str) -> float:
        with packet_filter(self._hosts[place].namespace) as nft:
            nft.run(text)
            return boottime_s()

    def _tc(self, place: Place, words: list[str]) -> float:
        done = self._hosts[place].run(["tc", "qdisc", *words])
        if done.returncode != 0:
            raise LabError(f"tc qdisc {' '.join(words)}: {done.stderr.strip()}")
        return boottime_s()

    def _behave(self) -> float:
        self._control.behave({d.word for d in self._held.values() if isinstance(d, Behaviour)})
        return boottime_s()

    def _lease(self, deed: NewLease | LeaseOption) -> float:
        leg = _leg(deed.interface)
        if isinstance(deed, LeaseOption):
            return self._renew(leg, deed.option)
        return self._serve_leases(_moved(leg, deed.prefix), f"{deed.prefix}.1/24")

    def _serve_leases(self, leg: UplinkLeg, address: str) -> float:
        """Have the server of an uplink anew at *address*, and the box ask for a lease anew."""
        server = self.servers[leg.interface]
        server.terminate()
        server.wait(END_S)
        host = self._hosts[leg.server]
        wiring.readdress(host.namespace, leg.server_if, address)
        self.servers[leg.interface] = programs.start_router_services(host, self._folder, leg)
        self._tell_client(leg, signal.SIGUSR2, signal.SIGUSR1)  # give the lease back, ask for one
        resolvers = self._folder / f"run/resolvers.{leg.interface}"
        # Without a carrier no lease comes; the box asks for it when the carrier is back.
        shown = self._hosts[Place.BOX].run(["ip", "-o", "link", "show", leg.interface]).stdout
        end = time.monotonic() + (0.0 if "NO-CARRIER" in shown else LEASE_S)
        while time.monotonic() < end and leg.server_address not in _words(resolvers):
            time.sleep(0.01)
        return boottime_s()

    def _renew(self, leg: UplinkLeg, option: str) -> float:
        """Have the server send *option*, and the box renew its lease until it knows."""
        (self._folder / f"dhcp-options.{leg.interface}").write_text(f"{option}\n")
        self.servers[leg.interface].send_signal(signal.SIGHUP)
        seen, end = self._folder / f"run/portal.{leg.interface}", time.monotonic() + LEASE_S
        while seen.exists() is not bool(option) and time.monotonic() < end:
            # a second word before the answer to the first would make it give up its address
            self._tell_client(leg, signal.SIGUSR1)
            again = time.monotonic() + RENEWAL_S
            while seen.exists() is not bool(option) and time.monotonic() < again:
                time.sleep(0.01)
        return boottime_s()

    def _tell_client(self, leg: UplinkLeg, *signals: signal.Signals) -> None:
        pid = int((self._folder / f"run/udhcpc.{leg.interface}.pid").read_text())
        for one in signals:
            os.kill(pid, one)

    def _start(self, deed: Program, key: str) -> float:
        argv: list[str | Path] = [sys.executable, "-I", programs.HERE / deed.file, *deed.arguments]
        host = self._hosts[deed.place]
        with programs.log_file(self._folder, key) as log:
            process = host.popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        self._running[key] = process
        assert process.stdout is not None
        with process.stdout as words:
            if words.readline().strip() != b"ready":
                raise LabError(f"{deed.file} did not start; see {key}.log")
        return boottime_s()

    def _stop(self, key: str) -> float:
        match self._running.pop(key, None):
            case _Player() as player:
                player.stop()
            case subprocess.Popen() as process:
                process.terminate()
                process.wait(END_S)
        return boottime_s()


@dataclass(slots=True)
class _Player:
    """Plays a course in a thread of its own, from start() to stop()."""

    namespace: str
    course: Course
    key: str
    _over: threading.Event = field(default_factory=threading.Event)
    _begun: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> float:
        """Give the moment at which the first step had taken hold."""
        self._thread = threading.Thread(target=self._run, name=self.key, daemon=True)
        self._thread.start()
        if not self._begun.wait(END_S):
            raise LabError(f"{self.key} did not begin")
        return boottime_s()

    def stop(self) -> None:
        """End it; its rules are gone when this returns."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(END_S)

    def _run(self) -> None:
        with packet_filter(self.namespace) as nft:
            try:
                self._play(nft)
            finally:
                nft.run(_no_table("inet", self.key))

    def _play(self, nft: Filter) -> None:
        end = time.monotonic() + COURSE_S
        while time.monotonic() < end:
            for seconds, chains in self.course.steps:
                nft.run(_no_table("inet", self.key) + _table("inet", self.key, chains))
                self._begun.set()
                if self._over.wait(float(seconds)):
                    return
            if not self.course.repeats:
                return


def _thing(deed: Deed) -> tuple[object, ...]:
    """Tell what a deed is a state of; deeds that stand side by side are things of their own."""
    match deed:
        case LinkDown(place, interface) | Narrow(place, interface) | Queue(place, interface):
            return type(deed), place, interface
        case NewLease(interface) | LeaseOption(interface):
            return type(deed), interface
        case _:
            return (object(),)


def _table(family: str, name: str, chains: str) -> str:
    return f"table {family} {name} {{\n{chains}}}\n"


def _no_table(family: str, name: str) -> str:
    """Remove a table whether it is there or not: what is made first can be deleted."""
    return f"table {family} {name}\ndelete table {family} {name}\n"


def _leg(interface: str) -> UplinkLeg:
    return next(leg for leg in UPLINKS if leg.interface == interface)


def _moved(leg: UplinkLeg, prefix: str) -> UplinkLeg:
    pool = f"{prefix}.130,{prefix}.150,255.255.255.0,1h"
    return replace(leg, server_address=f"{prefix}.1", address=f"{prefix}.130", pool=pool)


def _words(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []
