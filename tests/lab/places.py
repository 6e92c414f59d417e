"""Who has which address in the lab.  The rest of the room reads these names and makes none up.

The internet uses documentation ranges only; the private ranges are those of the real devices.
"""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """One network namespace; its full name is the lab's prefix plus this word."""

    DESK = "desk"
    LAN = "lan"
    BOX = "box"
    ROUTER = "router"
    ISP = "isp"
    STICK = "stick"
    PHONE = "phone"
    CARRIER = "carrier"
    INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Wire:
    """A cable between two places: each end has an interface and perhaps an address."""

    left: Place
    left_if: str
    right: Place
    right_if: str
    left_address: str = ""
    right_address: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A host that answers ICMP echo and DNS on UDP and TCP port 53."""

    operator: str
    address: str


ANCHORS = (
    Anchor("alpha", "198.51.100.1"),
    Anchor("alpha", "198.51.100.2"),
    Anchor("beta", "198.51.100.65"),
    Anchor("beta", "198.51.100.66"),
    Anchor("gamma", "203.0.113.1"),
    Anchor("gamma", "203.0.113.2"),
    Anchor("delta", "203.0.113.65"),
    Anchor("delta", "203.0.113.66"),
)

CONNECTIVITY = "connectivity.example"
SECOND_CHECK = "check.second.example"
APP = "app.bookwell.example"
STATUS = "status.bookwell.example"
HOOKS = "hooks.example"
BROKER = "broker.lan.example"
SIGN_IN = "welcome.guest.example"

BROKER_ADDRESS = "192.168.1.10"

ROUTER_ADDRESS = "192.168.1.1"

HOSTS = {
    CONNECTIVITY: "198.51.100.10",
    SECOND_CHECK: "203.0.113.10",
    APP: "203.0.113.80",
    STATUS: "198.51.100.90",
    HOOKS: "198.51.100.100",
    BROKER: BROKER_ADDRESS,
    SIGN_IN: ROUTER_ADDRESS,
}
INSIDE = (BROKER, SIGN_IN)

STICK_ADDRESS = "192.168.8.1"
PHONE_ADDRESS = "172.20.10.1"
DESK_ADDRESS = "192.168.1.20"
GATEWAY_DESK_ADDRESS = "192.168.50.20"
GATEWAY_BOX_ADDRESS = "192.168.50.1"
ISP_RESOLVER = "192.0.2.53"
CARRIER_RESOLVER = "192.0.2.153"
CARRIER_ADDRESS = "192.0.2.33"
PORTAL_PORT = 8090
SIGN_IN_PORT = 8453
SIGN_IN_API = f"https://{SIGN_IN}:{SIGN_IN_PORT}/captive-portal/api"

# What is sent to its port 9 is thrown away (RFC 863).
SINK_ADDRESS = "203.0.113.99"

# A provider that answers for names it does not have sends people to a page of its own.
LIE_ADDRESS = ISP_RESOLVER

# Where a filter on the router answers in place of each host, with a certificate of its own.
FILTER_PORTS = {
    HOSTS[name]: 8441 + n for n, name in enumerate((CONNECTIVITY, SECOND_CHECK, APP, STATUS, HOOKS))
}

ACCESS_WIRES = (
    Wire(Place.ROUTER, "lan0", Place.LAN, "router", f"{ROUTER_ADDRESS}/24"),
    Wire(Place.BOX, "wan0", Place.LAN, "box"),
    Wire(Place.BOX, "lte0", Place.STICK, "usb0", "", f"{STICK_ADDRESS}/24"),
    Wire(Place.BOX, "phone0", Place.PHONE, "ap0", "", f"{PHONE_ADDRESS}/28"),
    Wire(Place.ROUTER, "line0", Place.ISP, "cust0", "192.0.2.2/30", "192.0.2.1/30"),
    Wire(Place.ISP, "core0", Place.INTERNET, "isp", "192.0.2.6/30", "192.0.2.5/30"),
    Wire(Place.STICK, "radio0", Place.CARRIER, "stick", "192.0.2.34/30", f"{CARRIER_ADDRESS}/30"),
    Wire(Place.PHONE, "radio0", Place.CARRIER, "phone", "192.0.2.38/30", "192.0.2.37/30"),
    Wire(Place.CARRIER, "core0", Place.INTERNET, "carrier", "192.0.2.42/30", "192.0.2.41/30"),
)

DESK_WIRE = {
    "self": Wire(Place.DESK, "eth0", Place.LAN, "desk", f"{DESK_ADDRESS}/24"),
    "gateway": Wire(
        Place.DESK,
        "eth0",
        Place.BOX,
        "lan0",
        f"{GATEWAY_DESK_ADDRESS}/24",
        f"{GATEWAY_BOX_ADDRESS}/24",
    ),
}

OWN_ADDRESSES = {
    Place.INTERNET: tuple(a.address for a in ANCHORS)
    + tuple(address for name, address in HOSTS.items() if name not in INSIDE)
    + (SINK_ADDRESS,),
    Place.ISP: (ISP_RESOLVER,),
    Place.CARRIER: (CARRIER_RESOLVER,),
}

ROUTES = {
    Place.ROUTER: ("default via 192.0.2.1",),
    Place.ISP: ("default via 192.0.2.5",),
    Place.STICK: (f"default via {CARRIER_ADDRESS}",),
    Place.PHONE: ("default via 192.0.2.37",),
    Place.CARRIER: ("default via 192.0.2.41",),
    Place.INTERNET: (
        "192.0.2.0/30 via 192.0.2.6",
        f"{ISP_RESOLVER} via 192.0.2.6",
        "192.0.2.32/29 via 192.0.2.42",
        f"{CARRIER_RESOLVER} via 192.0.2.42",
    ),
}

NAT_LEGS = {Place.ROUTER: "line0", Place.STICK: "radio0", Place.PHONE: "radio0"}
FORWARDERS = (Place.ROUTER, Place.ISP, Place.STICK, Place.PHONE, Place.CARRIER)


@dataclass(frozen=True, slots=True)
class UplinkLeg:
    """One of the box's uplinks: its metric as NetworkManager gives it, and who serves DHCP.

    *address* is what the DHCP server has reserved for *mac*, the box's own.
    """

    interface: str
    metric: int
    mac: str
    address: str
    server: Place
    server_if: str
    server_address: str
    resolver: str
    pool: str


UPLINKS = (
    UplinkLeg(
        "wan0",
        100,
        "02:00:5e:00:53:01",
        "192.168.1.100",
        Place.ROUTER,
        "lan0",
        ROUTER_ADDRESS,
        ISP_RESOLVER,
        "192.168.1.100,192.168.1.150,255.255.255.0,12h",
    ),
    UplinkLeg(
        "lte0",
        101,
        "02:00:5e:00:53:02",
        "192.168.8.100",
        Place.STICK,
        "usb0",
        STICK_ADDRESS,
        CARRIER_RESOLVER,
        "192.168.8.100,192.168.8.150,255.255.255.0,12h",
    ),
    UplinkLeg(
        "phone0",
        102,
        "02:00:5e:00:53:03",
        "172.20.10.2",
        Place.PHONE,
        "ap0",
        PHONE_ADDRESS,
        CARRIER_RESOLVER,
        "172.20.10.2,172.20.10.14,255.255.255.240,1h",
    ),
)
