"""What is seen around a line without hardware of its own: overlapping networks, the Wi-Fi level.

In: the kernel's snapshot and /proc/net/wireless.  Out: the fields of a DriverReport that any
machine can fill; None = not known.
"""

from collections.abc import Iterable
from ipaddress import IPv4Interface
from pathlib import Path

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import DriverReport, LinkState
from edge_watchdog.links.kernel import Snapshot

WIRELESS = Path("/proc/net/wireless")


def look_around(
    at: Instant, interface: str, state: LinkState, snapshot: Snapshot, lan: Iterable[str]
) -> DriverReport:
    """Give what is seen around the line on *interface*; *lan* are the studio's own interfaces."""
    return DriverReport(
        at,
        wifi_signal_dbm=wifi_signal_dbm(snapshot.called(interface)),
        overlaps=overlapping(interface, state, snapshot, lan),
    )


def overlapping(
    interface: str, state: LinkState, snapshot: Snapshot, lan: Iterable[str]
) -> str | None:
    """Name the studio's interface whose network overlaps the line's, "" for none."""
    others = [name for name in lan if name != interface and name in snapshot.devices]
    if not others or not state.addresses:
        return None
    ours = [IPv4Interface(address).network for address in state.addresses]
    for name in others:
        theirs = snapshot.addresses.get(snapshot.devices[name].index, ())
        networks = [IPv4Interface(address).network for address in theirs]
        if any(mine.overlaps(other) for mine in ours for other in networks):
            return name
    return ""


def wifi_signal_dbm(interface: str, file: Path = WIRELESS) -> float | None:
    """Give the level of a Wi-Fi interface (net/wireless/wext-proc.c: level is the fourth word)."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[0] == f"{interface}:":
            return _level(words[3])
    return None


def _level(word: str) -> float | None:
    """Read a level; what is not below zero is a percentage, and says nothing in dBm."""
    try:
        level = float(word)
    except ValueError:
        return None
    return level if level < 0 else None
