"""What came with an uplink's lease; every network manager keeps it elsewhere.

Name servers are looked for, in this order, in the file named in the configuration, resolvconf's and
openresolv's per-interface files, and systemd-networkd's link file.  NetworkManager's answer is left
to it: a studio on NetworkManager gets the router, which forwards to the same servers.

Where a network says of itself whether it wants a sign-in (DHCP option 114, RFC 8910) stands in the
file named in the configuration, or in systemd-networkd's link file (CAPTIVE_PORTAL=, from version
254 on).  NetworkManager's own DHCP client neither asks for that option nor tells of it, and
dhcpcd tells its hooks only: such a hook can keep the file.
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


def find_portal_api(index: int, file: str = "", *, networkd: str = NETWORKD) -> str:
    """Give the address of the network's own sign-in service, "" when none is known."""
    if file and (words := _text(file).split()):
        return words[0]
    found = re.search(r"^CAPTIVE_PORTAL=(\S+)$", _text(networkd.format(index=index)), re.MULTILINE)
    return found[1] if found else ""


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
