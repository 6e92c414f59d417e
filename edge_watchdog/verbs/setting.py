"""Which configuration a verb works with: a file, or none at all for this machine."""

import argparse
import os
from pathlib import Path

from edge_watchdog.config import Config, load, observing

OWN_TIME_ZONE = Path("/etc/localtime")


def config_of(args: argparse.Namespace) -> Config:
    """Read what --config or --observe names; raises ConfigError."""
    if not args.observe:
        return load(args.config)
    return observing(own_interfaces(), time_zone=_own_time_zone(), state_dir=_own_state_dir())


def own_interfaces() -> list[str]:
    """Name the interfaces with a default route, best metric first (proc_net_route)."""
    try:
        rows = [line.split() for line in Path("/proc/net/route").read_text("ascii").splitlines()]
    except OSError:
        return []
    routes = sorted((int(row[6]), row[0]) for row in rows[1:] if row[1] == row[7] == "00000000")
    return list(dict.fromkeys(name for _, name in routes))


def _own_time_zone() -> str:
    """Give the zone that /etc/localtime points to, or UTC."""
    _, found, zone = str(OWN_TIME_ZONE.resolve()).partition("/zoneinfo/")
    return zone if found else "UTC"


def _own_state_dir() -> str:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return f"{base}/edge-watchdog"
