"""Who is measured beside us in bench/peers.py, and how each of them is started in the lab's box.

In: a lab, a folder and a phase.  Out: the program runs and has broadband in use.  Each is set up as
its own manual says, in its favour where there is a choice: profiles in the owner's order, the check
page by its address (no name to look up), ConnMan with fixed addresses.  NetworkManager and ConnMan
manage the box's interfaces themselves, so the lab's DHCP clients are ended first; both run with a
D-Bus of their own, an empty /run and /var/lib and a read-only /sys, and see no other machine.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from bench.calls import Compass
from edge_watchdog.bridge import BridgeError
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.manifest import LabError
from tests.lab.places import ANCHORS, CONNECTIVITY, HOSTS, UPLINKS, Place

HERE = Path(__file__).parent
UNPACKED = HERE.parent / ".peers"
PREFERRED, BACKUP = UPLINKS[0].interface, UPLINKS[1].interface
READY_S = 30.0
SETTLE_S = 3.0
CONNMAN_CHECK = (HOSTS[CONNECTIVITY], 8081)

BUS = """<busconfig><type>system</type><listen>unix:path={folder}/bus</listen>
<auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
"""
ALONE = """set -e
mount -t tmpfs peer /run
mount -t tmpfs peer /var/lib
mount -o remount,ro /sys
exec "$@"
"""
NM_CONF = """[main]
plugins=keyfile
dhcp=internal
dns=none
no-auto-default=*
auth-polkit=false
[keyfile]
path={folder}/profiles
unmanaged-devices=interface-name:phone0
[connectivity]
uri=http://{check}/204
response=
interval={interval_s}
"""
NM_PROFILE = """[connection]
id={interface}
type=ethernet
interface-name={interface}
[ipv4]
method=auto
route-metric={metric}
[ipv6]
method=disabled
"""
CONNMAN_CONF = """[General]
NetworkInterfaceBlacklist=phone0
OnlineCheckIPv4URL=http://{check[0]}:{check[1]}/
"""
CONNMAN_SERVICE = """[service_{leg.interface}]
Type=ethernet
MAC={leg.mac}
IPv4={leg.address}/255.255.255.0/{leg.server_address}
IPv6=off
Nameservers={leg.server_address}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A started program: whose CPU and memory count, and what it calls the fault ("" = nothing)."""

    pid: int
    cause: Callable[[], str] = field(default=str)


@dataclass(frozen=True, slots=True)
class Rival:
    """One row of the table.

    *start* has the lab, a folder of its own and a phase (0 to 1: where in its interval the program
    shall begin, if it can be told).  *needs*: programs.
    """

    name: str
    start: Callable[[Lab, Path, float], AbstractContextManager[Running]]
    needs: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Give the programs that are not on this machine."""
        return [name for name in self.needs if find(name) is None]


def find(program: str) -> Path | None:
    """Give where a program is: as .ci/unpack left it, else on PATH."""
    unpacked = UNPACKED / "usr/sbin" / program
    installed = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return unpacked if unpacked.exists() else Path(installed) if installed else None


@contextmanager
def _ours(lab: Lab, folder: Path, _phase: float) -> Iterator[Running]:
    with Daemon(lab, folder, only="watch") as daemon:
        assert daemon.process is not None

        def cause() -> str:
            try:
                view = daemon.view()
            except (BridgeError, OSError, TimeoutError):
                return ""
            return view.banner.cause

        yield Running(daemon.process.pid, cause)


@contextmanager
def _networkmanager(lab: Lab, folder: Path, _phase: float, *, interval_s: int) -> Iterator[Running]:
    profiles = folder / "profiles"
    profiles.mkdir()
    for leg in UPLINKS[:2]:
        profile = profiles / f"{leg.interface}.nmconnection"
        profile.touch(mode=0o600)
        profile.write_text(NM_PROFILE.format(interface=leg.interface, metric=leg.metric))
    conf = folder / "NetworkManager.conf"
    conf.write_text(NM_CONF.format(folder=folder, check=HOSTS[CONNECTIVITY], interval_s=interval_s))
    empty = folder / "empty"  # what this machine's own NetworkManager is told
    argv = [find("NetworkManager"), "--no-daemon", f"--config={conf}"]
    argv += [f"--config-dir={empty}", f"--system-config-dir={empty}"]
    with _alone(lab, folder, argv) as process:
        _await_broadband(lab, process)
        yield Running(process.pid)


@contextmanager
def _connman(lab: Lab, folder: Path, _phase: float) -> Iterator[Running]:
    # DHCP would do, but ConnMan 1.41 drops answers whose checksum the virtual cable left open.
    services = folder / "studio.config"
    services.write_text("".join(CONNMAN_SERVICE.format(leg=leg) for leg in UPLINKS[:2]))
    conf = folder / "main.conf"
    conf.write_text(CONNMAN_CONF.format(check=CONNMAN_CHECK))
    place = f'mkdir /var/lib/connman && cp "{services}" /var/lib/connman/ && exec "$@"'
    argv = ["sh", "-c", place, "sh", find("connmand"), "-n", "-r", f"--config={conf}"]
    with _check_page(lab), _alone(lab, folder, argv) as process:
        _await_addresses(lab, process)
        _prefer_broadband(folder)
        _await_broadband(lab, process)
        yield Running(process.pid)


@contextmanager
def ping_script(lab: Lab, folder: Path, phase: float, *, numbers: "Numbers") -> Iterator[Running]:
    """Start ping_script.sh with some numbers, beside the DHCP clients of the lab."""
    environment = {
        "TARGETS": " ".join(numbers.targets),
        "NEEDED": numbers.needed,
        "WAIT": numbers.wait_s,
        "EVERY": numbers.every_s,
        "DOWN": numbers.down,
        "UP": numbers.up,
        "PHASE": f"{phase * numbers.every_s:.2f}",
    }
    with (folder / "log").open("wb") as log:
        process = lab.box.popen(
            [HERE / "ping_script.sh"],
            stdout=log,
            stderr=log,
            env=os.environ | {key: str(value) for key, value in environment.items()},
        )
    try:
        _await_broadband(lab, process)
        yield Running(process.pid)
    finally:
        _end(process)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The settings of ping_script.sh."""

    targets: tuple[str, ...]
    every_s: int
    needed: int = 1
    wait_s: int = 2
    down: int = 3
    up: int = 1


ONE_TARGET = (ANCHORS[0].address,)
# Its shipped configuration: two operators, two hosts of each, one after the other.
MWAN3 = Numbers(tuple(a.address for a in ANCHORS[:4]), every_s=10, needed=2, wait_s=4, down=5, up=5)

RIVALS = (
    Rival("edge_watchdog", _ours),
    Rival(
        "NetworkManager, as shipped (300 s)",
        partial(_networkmanager, interval_s=300),
        ("NetworkManager", "dbus-daemon"),
    ),
    Rival(
        "NetworkManager, interval 1 s",
        partial(_networkmanager, interval_s=1),
        ("NetworkManager", "dbus-daemon"),
    ),
    Rival("ConnMan, as shipped", _connman, ("connmand", "dbus-daemon", "dbus-send")),
    Rival(
        "ping script, every minute",
        partial(ping_script, numbers=Numbers(ONE_TARGET, every_s=60)),
        ("ping",),
    ),
    Rival(
        "ping script, every 10 s",
        partial(ping_script, numbers=Numbers(ONE_TARGET, every_s=10)),
        ("ping",),
    ),
    Rival("mwan3's numbers in a loop", partial(ping_script, numbers=MWAN3), ("ping",)),
)


@contextmanager
def _alone(
    lab: Lab, folder: Path, argv: Sequence[str | Path | None]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a network manager in the box with a D-Bus of its own, and nobody else's hands there."""
    _end_dhcp(lab)
    libraries = [str(path) for path in UNPACKED.glob("**/*-linux-gnu*") if path.is_dir()]
    bus_conf, bus = folder / "bus.conf", folder / "bus"
    bus_conf.write_text(BUS.format(folder=folder))
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ALONE, "sh"]
    with (folder / "log").open("wb") as log:
        broker = lab.box.popen(
            ["dbus-daemon", f"--config-file={bus_conf}", "--nofork"], stdout=log, stderr=log
        )
        _await("its D-Bus", broker, bus.exists)
        environment = {
            "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}",
            "LD_LIBRARY_PATH": ":".join(libraries),
        }
        process = lab.box.popen(
            [*command, *(part for part in argv if part)],
            stdout=log,
            stderr=log,
            env=os.environ | environment,
        )
    try:
        yield process
    finally:
        _end(process)
        _end(broker)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _end_dhcp(lab: Lab) -> None:
    """End the lab's DHCP clients and take away what they set.

    Without their pid files the lab's carrier watch does nothing either.
    """
    for leg in UPLINKS:
        pid_file = lab.folder / "run" / f"udhcpc.{leg.interface}.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
            pid_file.unlink(missing_ok=True)
        lab.box.run(["ip", "-4", "address", "flush", "dev", leg.interface], check=True)


def _await(what: str, process: "subprocess.Popen[bytes]", is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_S
    while not is_so():
        if process.poll() is not None or time.monotonic() > end:
            raise LabError(f"no {what} within {READY_S:.0f} s; exit code {process.poll()}")
        time.sleep(0.1)


def _await_addresses(lab: Lab, process: "subprocess.Popen[bytes]") -> None:
    """Wait until both uplinks have their addresses."""

    def there() -> bool:
        text = lab.box.run(["ip", "-4", "-o", "address"]).stdout
        return all(f" {leg.address}/" in text for leg in UPLINKS[:2])

    _await("addresses", process, there)


def _await_broadband(lab: Lab, process: "subprocess.Popen[bytes]") -> None:
    """Wait until both uplinks are up and broadband has been in use for a while."""
    _await_addresses(lab, process)
    compass = Compass(lab)

    def settled() -> bool:
        in_use = compass.look() == PREFERRED
        return in_use and time.clock_gettime(time.CLOCK_BOOTTIME) - compass.turns[-1][0] > SETTLE_S

    _await("broadband in use", process, settled)


def _prefer_broadband(folder: Path) -> None:
    """Tell ConnMan the owner's order; its services have none until somebody moves them."""
    path = "/net/connman/service/ethernet_{}_cable"
    broadband, backup = (path.format(leg.mac.replace(":", "")) for leg in UPLINKS[:2])
    argv = ["dbus-send", f"--bus=unix:path={folder}/bus", "--print-reply", "--dest=net.connman"]
    subprocess.run(
        [*argv, backup, "net.connman.Service.MoveAfter", f"objpath:{broadband}"],
        capture_output=True,
        check=False,  # it refuses what is so already
        timeout=10,
    )


class _Online(BaseHTTPRequestHandler):
    """The page that ConnMan's makers run: 200 with a header of theirs."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("X-ConnMan-Status", "online")
        self.send_header("X-ConnMan-Client-IP", self.client_address[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def _check_page(lab: Lab) -> Iterator[None]:
    """Serve ConnMan's check page in the lab's internet."""
    server = HTTPServer(CONNMAN_CHECK, _Online, bind_and_activate=False)
    server.socket.close()
    server.socket = lab.host(Place.INTERNET).socket()
    server.socket.bind(CONNMAN_CHECK)
    server.server_activate()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
