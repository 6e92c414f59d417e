"""The programs that run in the lab: DHCP and DNS servers, DHCP clients, broker, the world.

In: a host and the lab's folder.  Out: the program runs and its output goes to ``log/`` there.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.lab.manifest import Manifest
from tests.lab.netns import Host
from tests.lab.places import BROKER_ADDRESS, UplinkLeg

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
NEEDED = ("ip", "tc", "nft", "nsenter", "dnsmasq", "mosquitto", "busybox")


def start_world(manifest: Manifest) -> "subprocess.Popen[Any]":
    """Start the process behind all servers; its open stdin tells it that the owner lives."""
    with log_file(manifest.folder, "world") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.lab.world", manifest.id, manifest.folder],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )


def start_router_services(host: Host, folder: Path, leg: UplinkLeg) -> "subprocess.Popen[Any]":
    """Start DHCP and a DNS forwarder as broadband routers, sticks and phones have them.

    It sends the options that stand in ``dhcp-options.IF`` besides, and reads that anew at SIGHUP.
    """
    options = [
        "keep-in-foreground",
        "conf-file=/dev/null",
        "user=root",
        "pid-file=",
        "no-hosts",
        "no-resolv",
        f"server={leg.resolver}",
        f"interface={leg.server_if}",
        "except-interface=lo",
        "bind-interfaces",
        f"dhcp-range={leg.pool}",
        f"dhcp-host={leg.mac},{leg.address}",
        f"dhcp-optsfile={folder / f'dhcp-options.{leg.interface}'}",
        f"dhcp-leasefile={folder / f'leases.{leg.interface}'}",
        "dhcp-authoritative",
        "no-ping",
        f"log-facility={folder / 'log' / f'dnsmasq.{leg.interface}.log'}",
    ]
    return start(
        host, folder, f"dnsmasq.{leg.interface}", ["dnsmasq", *(f"--{o}" for o in options)]
    )


def start_broker(host: Host, folder: Path) -> None:
    """Start an MQTT broker on the LAN."""
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener 1883 {BROKER_ADDRESS}\nallow_anonymous true\npersistence false\nuser root\n"
    )
    start(host, folder, "mosquitto", ["mosquitto", "-c", settings])


def start_dhcp_client(host: Host, folder: Path, leg: UplinkLeg) -> None:
    """Start a DHCP client that does with a lease what a network manager does."""
    argv: list[str | Path] = ["busybox", "udhcpc", "-f", "-S", "-i", leg.interface]
    argv += ["-s", HERE / "dhcp.sh", "-p", folder / "run" / f"udhcpc.{leg.interface}.pid"]
    argv += ["-t", "3", "-T", "1", "-A", "1", "-O", "114"]
    environment = {"LAB_RUN": str(folder / "run"), "LAB_METRIC": str(leg.metric)}
    start(host, folder, f"udhcpc.{leg.interface}", argv, environment)


def start_carrier_watch(host: Host, folder: Path) -> None:
    """Start the program that takes routes away and brings them back with the carrier."""
    environment = {"LAB_RUN": str(folder / "run")}
    start(host, folder, "carrier", [HERE / "carrier.sh"], environment)


def start(
    host: Host,
    folder: Path,
    name: str,
    argv: list[str | Path],
    environment: dict[str, str] | None = None,
) -> "subprocess.Popen[Any]":
    """Start a program of the lab on *host* with its output in ``log/NAME.log``."""
    with log_file(folder, name) as log:
        return host.popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )


def log_file(folder: Path, name: str) -> Any:
    """Open the log of one program for appending."""
    return (folder / "log" / f"{name}.log").open("ab")
