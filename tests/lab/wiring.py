"""Cables, addresses, routes and NAT of the lab.

In: the namespaces' prefix and the topology.  Out: the network stands; no program runs in it yet.
Every interface is made inside the namespace it belongs to, so the host's own network never has one.
"""

import subprocess
from pathlib import Path

from tests.lab.manifest import LabError
from tests.lab.netns import packet_filter
from tests.lab.places import (
    ACCESS_WIRES,
    BROKER_ADDRESS,
    DESK_WIRE,
    FORWARDERS,
    GATEWAY_BOX_ADDRESS,
    NAT_LEGS,
    OWN_ADDRESSES,
    ROUTER_ADDRESS,
    ROUTES,
    UPLINKS,
    Place,
    Wire,
)

MASQUERADE = (
    "table ip lab {{ chain post {{ type nat hook postrouting priority 100;"
    " oifname {legs} masquerade; }}; }}"
)


def build(prefix: str, topology: str) -> None:
    """Make all namespaces and wire them; raises LabError if the kernel refuses."""
    _ip("", [f"netns add {prefix}{place}" for place in Place])
    for place in Place:
        _settle(prefix + place, place)
    wires = (*ACCESS_WIRES, DESK_WIRE[topology])
    for place in Place:
        _ip(prefix + place, _cables(prefix, place, wires))
    for place in Place:
        _ip(prefix + place, _ends(place, wires, topology))


def open_box(namespace: str) -> None:
    """Have the box forward for its LAN with masquerade on every uplink (gateway topology)."""
    with packet_filter(namespace) as nft:
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        nft.run(MASQUERADE.format(legs='{ "wan0", "lte0", "phone0" }'))


def address_of(place: Place, interface: str) -> str:
    """Give the address and prefix length that an end of an access wire has from the start."""
    for w in ACCESS_WIRES:
        if (w.left, w.left_if) == (place, interface):
            return w.left_address
        if (w.right, w.right_if) == (place, interface):
            return w.right_address
    raise LabError(f"no cable at {interface} of {place}")


def readdress(namespace: str, interface: str, address: str) -> None:
    """Give an interface another address in place of all it has."""
    _ip(namespace, [f"addr flush dev {interface}", f"addr add {address} dev {interface}"])


def _ip(namespace: str, lines: list[str]) -> None:
    if not lines:
        return
    argv = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(
        argv, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip()}")


def _settle(namespace: str, place: Place) -> None:
    """Set the kernel's settings and the NAT before there is any interface."""
    settings = {
        "ipv6/conf/all/disable_ipv6": "1",
        "ipv6/conf/default/disable_ipv6": "1",
        "ipv4/ping_group_range": "0 2147483647",
        "ipv4/ip_forward": "1" if place in FORWARDERS else "0",
        "ipv4/icmp_ratelimit": "0",
        "ipv4/conf/all/rp_filter": "0",
        "ipv4/conf/default/rp_filter": "0",
    }
    with packet_filter(namespace) as nft:
        for key, value in settings.items():
            setting = Path("/proc/sys/net", key)
            if setting.exists():
                setting.write_text(value)
        if place in NAT_LEGS:
            nft.run(MASQUERADE.format(legs=f'"{NAT_LEGS[place]}"'))


def _cables(prefix: str, place: Place, wires: tuple[Wire, ...]) -> list[str]:
    macs = {leg.interface: f" address {leg.mac}" for leg in UPLINKS}
    lines = [
        f"link add {w.left_if}{macs.get(w.left_if, '')}"
        f" type veth peer name {w.right_if} netns {prefix}{w.right}"
        for w in wires
        if w.left is place
    ]
    if place is Place.LAN:
        lines += ["link add br0 type bridge mcast_snooping 0"]
    return lines


def _ends(place: Place, wires: tuple[Wire, ...], topology: str) -> list[str]:
    lines = ["link set lo up"]
    lines += [f"addr add {a}/32 dev lo" for a in OWN_ADDRESSES.get(place, ())]
    for wire in wires:
        for end, interface, address in (
            (wire.left, wire.left_if, wire.left_address),
            (wire.right, wire.right_if, wire.right_address),
        ):
            if end is place:
                lines += [f"addr add {address} dev {interface}"] if address else []
                lines += [f"link set dev {interface} master br0"] if place is Place.LAN else []
                lines += [f"link set dev {interface} up"]
    if place is Place.LAN:
        lines += ["link set br0 up", f"addr add {BROKER_ADDRESS}/24 dev br0"]
    lines += [f"route add {route}" for route in ROUTES.get(place, ())]
    if place is Place.DESK:
        gateway = ROUTER_ADDRESS if topology == "self" else GATEWAY_BOX_ADDRESS
        lines += [f"route add default via {gateway}"]
    return lines
