"""Lab: the studio, standing.  See places.py for who is who and faults.py for what can go wrong."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.lab import faults, pki, programs, settings, wiring
from tests.lab.control import Control
from tests.lab.deeds import Deed, Rules
from tests.lab.doing import Doer
from tests.lab.manifest import ROOT, LabError, Manifest, new_manifest, sweep
from tests.lab.netns import Host, boottime_s, packet_filter
from tests.lab.places import (
    APP,
    CONNECTIVITY,
    DESK_WIRE,
    GATEWAY_BOX_ADDRESS,
    HOOKS,
    SECOND_CHECK,
    SIGN_IN,
    STATUS,
    UPLINKS,
    Place,
)

READY_S = 60.0  # a second on a quiet machine
TLS_HOSTS = (CONNECTIVITY, SECOND_CHECK, APP, STATUS, HOOKS, SIGN_IN)


def missing() -> list[str]:
    """Give what this machine lacks for a lab: "root" and names of programs."""
    lacking = [] if os.geteuid() == 0 else ["root"]
    return lacking + [name for name in programs.NEEDED if shutil.which(name) is None]


class Lab:
    """A studio in network namespaces, from ``with`` to its end.

    *topology*: "self" (box and desk PC are two hosts of the router's LAN) or "gateway" (the desk PC
    is behind the box).  *forward*: have the lab itself make a gateway of the box.  *phone*: the
    phone's hotspot is there from the start.  *root*: where labs are written down, to be swept.

    ``lab.box``, ``lab.desk_pc`` and ``lab.host(Place.ISP)`` are hosts to run programs on;
    ``lab.control`` is what the servers saw; ``lab.ca_file`` is the authority they are signed by.
    """

    def __init__(
        self,
        topology: str = "self",
        *,
        forward: bool = False,
        phone: bool = True,
        root: Path = ROOT,
    ) -> None:
        if topology not in DESK_WIRE:
            raise LabError(f"no topology {topology!r}; there are {', '.join(DESK_WIRE)}")
        self.topology = topology
        self._forward, self._phone, self._root = forward, phone, root
        self._programs: list[subprocess.Popen[Any]] = []
        self._present: dict[str, tuple[Deed, ...]] = {}
        self._doer: Doer | None = None
        self._manifest: Manifest | None = None

    def __enter__(self) -> Self:
        """Build it; raises LabError when something is missing or does not come up."""
        if lacking := missing():
            raise LabError(f"a lab needs {', '.join(lacking)}")
        sweep(self._root)
        self._manifest = new_manifest(self._root)
        try:
            self._build(self._manifest)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        """Take everything down."""
        self.close()

    def close(self) -> None:
        """End all programs and remove namespaces and folder.  May be called again."""
        if self._manifest is None:
            return
        if self._doer is not None:
            self._doer.close()
        self._manifest.remove()
        for process in self._programs:
            process.wait(timeout=5)
            if process.stdin is not None:
                process.stdin.close()
        self._programs.clear()
        self._manifest = self._doer = None

    # -- what is there ---------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The lab's folder: log/, run/resolvers.IF, pki/, filter_pki/."""
        return self._standing().folder

    @property
    def ca_file(self) -> Path:
        """The certificate authority of all HTTPS hosts of the lab."""
        return self.folder / "pki/ca.pem"

    @property
    def box_address(self) -> str:
        """The box's address for the desk PC."""
        return UPLINKS[0].address if self.topology == "self" else GATEWAY_BOX_ADDRESS

    def host(self, place: Place) -> Host:
        """Give one machine of the lab."""
        return self._hosts[place]

    def namespace(self, place: Place) -> str:
        """Give the full name of a machine's network namespace."""
        return self._standing().prefix + place

    def resolvers(self, interface: str) -> list[str]:
        """Give the name servers that came with the lease of an uplink; none without carrier."""
        file = self.folder / f"run/resolvers.{interface}"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.split()[1] for line in lines]

    def config_text(self, **options: Any) -> str:
        """Give an edge_watchdog configuration for this lab; *options* as in settings.Studio."""
        lan = ("wan0",) if self.topology == "self" else ("lan0",)
        studio = settings.Studio(**({"lan_interfaces": lan} | options))
        return settings.config_text(studio, self.folder)

    # -- what goes wrong -------------------------------------------------------------------------

    @property
    def present(self) -> tuple[str, ...]:
        """The faults that are injected now, oldest first."""
        return tuple(self._present)

    def inject(self, name: str) -> float:
        """Make a fault so, wholly or not at all; gives the CLOCK_BOOTTIME of its taking hold."""
        deeds = faults.deeds_of(name)
        if name in self._present:
            raise LabError(f"{name} is present already")
        self._present[name] = deeds
        try:
            return max(self._hands().do(deed, _key(name, n)) for n, deed in enumerate(deeds))
        except BaseException:
            self.heal(name)
            raise

    def heal(self, name: str) -> float:
        """Undo a fault; gives the CLOCK_BOOTTIME at which it was gone."""
        if name not in self._present:
            raise LabError(f"{name} is not present")
        deeds = self._present.pop(name)
        return max(self._hands().undo(_key(name, n)) for n in range(len(deeds)))

    def heal_all(self) -> None:
        """Undo every fault."""
        for name in reversed(self.present):
            self.heal(name)

    def cut(self) -> float:
        """Make the broadband line silent; the same as injecting "blackhole"."""
        return self.inject("blackhole")

    def gap(self, seconds: float) -> tuple[float, float]:
        """Make the broadband line silent for exactly *seconds*; gives its begin and end.

        Both are CLOCK_BOOTTIME.  The calling thread waits: beside an event loop, use a thread.
        """
        rules = faults.deeds_of("blackhole")[0]
        assert isinstance(rules, Rules)
        with packet_filter(self.namespace(rules.place)) as nft:
            nft.run(f"table inet gap {{\n{rules.chains}}}")
            begin = boottime_s()
            time.sleep(max(0.0, begin + seconds - boottime_s()))
            nft.run("delete table inet gap")
            return begin, boottime_s()

    # -- how it comes up -------------------------------------------------------------------------

    def _standing(self) -> Manifest:
        if self._manifest is None:
            raise LabError("the lab does not stand")
        return self._manifest

    def _hands(self) -> Doer:
        if self._doer is None:
            raise LabError("the lab does not stand")
        return self._doer

    def _note(self, process: "subprocess.Popen[Any]") -> None:
        self._standing().note_process(process.pid)
        self._programs.append(process)

    def _build(self, manifest: Manifest) -> None:
        folder = manifest.folder
        for name in ("log", "run"):
            (folder / name).mkdir()
        pki.make(folder / "pki", TLS_HOSTS)
        pki.make(folder / "filter_pki", TLS_HOSTS, "Web filter")
        wiring.build(manifest.prefix, self.topology)
        self._note(programs.start_world(manifest))
        self._hosts = {place: Host(manifest.prefix + place, self._note) for place in Place}
        self.box, self.desk_pc = self._hosts[Place.BOX], self._hosts[Place.DESK]
        self.control = Control(folder / "control.sock")
        self._doer = Doer(self._hosts, folder, self.control)
        self._start_programs(folder)
        if self._forward:
            wiring.open_box(self.box.namespace)
        if not self._phone:
            self.inject("phone_off")
        self._await("forwarding switch", self._switch_forwards)
        self._await("name and web servers", (folder / "control.sock").exists)
        for leg in UPLINKS[: 3 if self._phone else 2]:
            self._await(
                f"lease on {leg.interface}", (folder / f"run/resolvers.{leg.interface}").exists
            )

    def _start_programs(self, folder: Path) -> None:
        resolver = UPLINKS[0].server_address if self.topology == "self" else "198.51.100.1"
        (folder / "run/desk.conf").write_text(f"nameserver {resolver}\n")
        (folder / "run/resolv.conf").write_text("")
        for leg in UPLINKS:
            (folder / f"dhcp-options.{leg.interface}").touch()
            server = programs.start_router_services(self.host(leg.server), folder, leg)
            self._hands().servers[leg.interface] = server
        programs.start_broker(self.host(Place.LAN), folder)
        self.box.give_files(folder / "run/resolv.conf")
        self.desk_pc.give_files(folder / "run/desk.conf")
        for leg in UPLINKS:
            programs.start_dhcp_client(self.box, folder, leg)
        programs.start_carrier_watch(self.box, folder)

    def _switch_forwards(self) -> bool:
        """Tell whether every port lets frames through; the kernel opens them a moment late."""
        ports = self.host(Place.LAN).run(["bridge", "link"]).stdout.splitlines()
        return bool(ports) and all("state forwarding" in port for port in ports)

    def _await(self, what: str, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + READY_S
        while not is_so():
            if time.monotonic() > end:
                raise LabError(f"no {what} within {READY_S:.0f} s; {self._last_words()}")
            time.sleep(0.01)

    def _last_words(self) -> str:
        logs = sorted((self.folder / "log").iterdir())
        tails = [f"{log.name}: {log.read_text(errors='replace')[-300:].strip()}" for log in logs]
        return " | ".join(tails)


def _key(name: str, number: int) -> str:
    """Give the name under which one deed of a fault is held; nftables tables have it too."""
    return "fault_" + "".join(c if c.isalnum() else "_" for c in name) + f"_{number}"
