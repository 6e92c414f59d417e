"""The name service of the LAN in gateway mode: dnsmasq, with upstreams that move with the route.

The router that gave the studio its names may be what is dead, so the box answers instead.  The
watch half writes which name servers to ask; dnsmasq notices the new file by itself (inotify), and
asks all of them at once: the first answer counts, a dead one costs nothing.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from edge_watchdog.core.model import Anchor
from edge_watchdog.links import LinkError
from edge_watchdog.links.by_tcp import ADDRESS, ByTcp

RESERVES = 2  # public servers, of different operators, beside those that came with the line
LEASE = "10m"  # when the box dies, the computers look for another way out soon
STALE_S = 3600

log = logging.getLogger(__name__)


def upstreams(resolvers: Iterable[str], anchors: Iterable[Anchor]) -> tuple[str, ...]:
    """Give whom to ask: the line's own name servers, then public ones in reserve."""
    reserve = {a.operator: a.address for a in reversed(tuple(anchors)) if a.dns}
    public = tuple(reversed(reserve.values()))[:RESERVES]
    return tuple(dict.fromkeys((*resolvers, *public)))


def write_upstreams(file: Path, servers: Iterable[str]) -> None:
    """Write *servers* in the form of resolv.conf; nothing is touched when that stands there."""
    text = "".join(f"nameserver {server}\n" for server in servers)
    if file.exists() and file.read_text("ascii") == text:
        return
    fresh = file.with_suffix(".new")
    fresh.write_text(text, "ascii")
    fresh.replace(file)


class Upstreams:
    """Tells the LAN's name service whom to ask; *file* is read by it, *anchors* are the reserve."""

    def __init__(self, file: Path, anchors: Iterable[Anchor]) -> None:
        self._file = file
        self._anchors = tuple(anchors)
        self._resolvers: tuple[str, ...] = ()
        self._by_tcp = ByTcp(upstreams((), self._anchors))
        self._is_open = False

    def follow(self, resolvers: tuple[str, ...]) -> None:
        """Have the *resolvers* of the line in use asked, and the reserve."""
        self._resolvers = resolvers
        servers = upstreams(resolvers, self._anchors)
        try:
            write_upstreams(self._file, (*servers, *((ADDRESS,) if self._is_open else ())))
        except OSError as error:
            log.warning("names: the upstreams were not written: %s", error)

    async def ask_by_tcp(self, *, wanted: bool) -> None:
        """Have the reserve asked by TCP as well, or not any more; raises LinkError."""
        try:
            if wanted:
                await self._by_tcp.open()
        except OSError as error:
            raise LinkError(f"names cannot be asked for by TCP: {error}") from error
        self._is_open = wanted
        self.follow(self._resolvers)
        if not wanted:
            self._by_tcp.close()

    def close(self) -> None:
        """Ask no more."""
        self._by_tcp.close()


def dnsmasq_command(
    lan: Iterable[str],
    file: Path,
    *,
    leases: Path,
    dhcp_range: str | None,
    allowed: Iterable[str] = (),
) -> list[str]:
    """Give the argv that serves names on the *lan* interfaces, and addresses from *dhcp_range*.

    *dhcp_range*: "192.0.2.100-192.0.2.199"; None: another machine gives addresses.  The addresses
    of *allowed* names, and of names below them, are put into the packet filter (see fence.py).
    """
    options = [
        "keep-in-foreground",
        "conf-file=/dev/null",
        "pid-file=",
        "log-facility=-",
        "no-hosts",
        f"resolv-file={file}",
        "all-servers",
        "no-negcache",
        "cache-size=1000",
        f"use-stale-cache={STALE_S}",
        "domain-needed",
        "except-interface=lo",
        "bind-dynamic",
        *(f"interface={name}" for name in lan),
        *(f"nftset=/{name}/4#inet#edge_watchdog#allowed_names" for name in allowed),
    ]
    if os.geteuid() == 0:
        options.append("user=root")  # it keeps to the folder of whoever started it
    if dhcp_range is not None:
        first, _, last = dhcp_range.partition("-")
        options += [f"dhcp-range={first},{last},{LEASE}", "dhcp-authoritative", "no-ping"]
        options.append(f"dhcp-leasefile={leases}")
    return ["dnsmasq", *(f"--{option}" for option in options)]
