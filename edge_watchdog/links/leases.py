"""Which name servers came with an uplink's lease; every network manager keeps them elsewhere.

Looked at, in this order: the file named in the configuration, systemd-networkd's link file,
resolvconf's and openresolv's per-interface files, NetworkManager's answer is left to it: a studio
on NetworkManager gets the router, which forwards to the same servers.
"""

import ipaddress
import re
from pathlib import Path

PLACES = (
    "/run/resolvconf/interface/{interface}.dhcp",
    "/run/resolvconf/interface/{interface}.udhcpc",
    "/run/resolvconf/interfaces/{interface}.dhcp",
    "/run/dhcpcd/hook-state/resolv.conf/{interface}.dhcp",
)
NETWORKD = "/run/systemd/netif/links/{index}"
MOST_BYTES = 4096


def find_resolvers(interface: str, index: int, file: str = "") -> tuple[str, ...]:
    """Give the IPv4 name servers known for *interface*, in order; () when none are known."""
    for place in (file, *(p.format(interface=interface) for p in PLACES)):
        if place and (found := _addresses(r"^nameserver\s+(\S+)", _text(place))):
            return found
    return _addresses(
        r"(\S+)",
        " ".join(re.findall(r"^DNS=(.*)$", _text(NETWORKD.format(index=index)), re.MULTILINE)),
    )


def _text(place: str) -> str:
    try:
        with Path(place).open(encoding="utf-8", errors="replace") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return ""  # not kept by this network manager


def _addresses(pattern: str, text: str) -> tuple[str, ...]:
    found = []
    for word in re.findall(pattern, text, re.MULTILINE):
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            continue
        if address.version == 4 and not address.is_loopback:
            found.append(str(address))
    return tuple(dict.fromkeys(found))
