"""The faults of the lab: one table for tests, README and demo.

In: a fault's name, perhaps with an argument ("loss:30").  Out: the deeds that make it so.  A deed
is a state of one thing, can be undone exactly, and knows nothing of other faults: packet filter
rules stand in a table of their own, so any number of faults can be present at once.

``python -m tests.lab`` prints the table.
"""

from dataclasses import dataclass

from edge_watchdog.core.state import Cause
from tests.lab.manifest import LabError
from tests.lab.places import ANCHORS, ISP_RESOLVER, PORTAL_PORT, Place


@dataclass(frozen=True, slots=True)
class Rules:
    """Chains in an nftables table of their own; *family* is inet or netdev."""

    place: Place
    chains: str
    family: str = "inet"


@dataclass(frozen=True, slots=True)
class LinkDown:
    """An interface is set down, so that its peer loses the carrier."""

    place: Place
    interface: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A server of the lab's internet behaves as *word* says; see world.py and vendor.py."""

    word: str


Deed = Rules | LinkDown | Behaviour


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a day goes wrong.

    *says*: how a person at the desk would put it.  *cause*: the word the product should find.
    *deeds*: what injecting does and healing undoes.  *argument*: the usual value of ``{}`` in the
    deeds, "" if the fault takes none.
    """

    name: str
    says: str
    cause: Cause
    deeds: tuple[Deed, ...]
    argument: str = ""

    def filled(self, argument: str) -> tuple[Deed, ...]:
        """Give the deeds with *argument* put in."""
        return tuple(_fill(deed, argument) for deed in self.deeds)


def _fill(deed: Deed, argument: str) -> Deed:
    match deed:
        case Rules(place, chains, family):
            return Rules(place, chains.replace("{}", argument), family)
        case Behaviour(word):
            return Behaviour(word.replace("{}", argument))
        case LinkDown():
            return deed


def _silent(place: Place, interface: str) -> Rules:
    """Nothing comes in by *interface* and nothing leaves by it; ARP still answers."""
    return Rules(
        place,
        "chain in { type filter hook prerouting priority -450;"
        f' iifname "{interface}" counter drop; }}\n'
        "chain out { type filter hook postrouting priority -450;"
        f' oifname "{interface}" counter drop; }}\n',
    )


_DEAF_ROUTER = Rules(
    Place.ROUTER,
    'chain in { type filter hook ingress device "lan0" priority -500; drop; }\n'
    'chain out { type filter hook egress device "lan0" priority -500; drop; }\n',
    family="netdev",
)
_REJECT = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    ' iifname "cust0" reject with icmp type host-unreachable; }\n'
    "chain in { type filter hook input priority -10;"
    f' iifname "cust0" ip daddr {ISP_RESOLVER} reject with icmp type net-unreachable; }}\n',
)
_UPSTREAM = Rules(
    Place.ISP,
    'chain through { type filter hook forward priority -10; iifname "cust0" counter drop; }\n',
)
_NO_ROUTER_DNS = Rules(
    Place.ROUTER,
    "chain in { type filter hook input priority -10;"
    ' iifname "lan0" meta l4proto { tcp, udp } th dport 53 drop; }\n',
)
_NO_PROVIDER_DNS = Rules(
    Place.ISP,
    "chain in { type filter hook input priority -10;"
    f" ip daddr {ISP_RESOLVER} meta l4proto {{ tcp, udp }} th dport 53 drop; }}\n",
)
_PORTAL = Rules(
    Place.ROUTER,
    "chain turn { type nat hook prerouting priority -110;"
    f' iifname "lan0" tcp dport 80 redirect to :{PORTAL_PORT}; }}\n'
    "chain through { type filter hook forward priority -10;"
    " udp dport 53 accept; udp sport 53 accept; counter drop; }\n",
)
_LOSS = Rules(
    Place.ISP,
    "chain in { type filter hook prerouting priority -450;"
    ' iifname "cust0" numgen random mod 100 < {} counter drop; }\n',
)
_ONE_ANCHOR = Rules(
    Place.INTERNET,
    "chain in { type filter hook prerouting priority -450;"
    f" ip daddr {ANCHORS[0].address} drop; }}\n",
)
_NO_ECHO = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    " icmp type { echo-request, echo-reply } drop; }\n",
)
_LINE = _silent(Place.ISP, "cust0")
_LTE = _silent(Place.CARRIER, "stick")
_PHONE = _silent(Place.CARRIER, "phone")

FAULTS = (
    Fault(
        "cable_out",
        "Somebody pulled the box's network cable.",
        Cause.CABLE_OUT,
        (LinkDown(Place.LAN, "box"),),
    ),
    Fault(
        "router_dead",
        "The router's lights are on, but it does not react to anything.",
        Cause.ROUTER_DEAD,
        (_DEAF_ROUTER,),
    ),
    Fault(
        "blackhole",
        "The router is fine, but nothing comes back from the internet.",
        Cause.PROVIDER_DOWN,
        (_LINE,),
    ),
    Fault(
        "upstream_dead",
        "The provider's own machines answer, the rest of the internet does not.",
        Cause.PROVIDER_DOWN,
        (_UPSTREAM,),
    ),
    Fault(
        "reject",
        "Every page says at once that the host cannot be reached.",
        Cause.PROVIDER_DOWN,
        (_REJECT,),
    ),
    Fault(
        "dns_dead",
        "Pages do not open, but the video call that was running goes on.",
        Cause.DNS_DEAD,
        (_NO_ROUTER_DNS, _NO_PROVIDER_DNS),
    ),
    Fault(
        "portal",
        "Every page turns into a sign-in page of the Wi-Fi.",
        Cause.PORTAL,
        (_PORTAL,),
    ),
    Fault(
        "loss",
        "It works, but everything stutters.",
        Cause.LINE_LOSS,
        (_LOSS,),
        argument="30",
    ),
    Fault(
        "one_anchor_dead",
        "Nothing is wrong here; one host far away is down.",
        Cause.NONE,
        (_ONE_ANCHOR,),
    ),
    Fault(
        "icmp_filtered",
        "Nothing is wrong here; the provider stopped answering pings.",
        Cause.NONE,
        (_NO_ECHO,),
    ),
    Fault(
        "vendor_down",
        "The booking system is down and its status page says all is well.",
        Cause.VENDOR_SILENT,
        (Behaviour("app:{}"),),
        argument="503",
    ),
    Fault(
        "vendor_announced",
        "The booking system is down and its makers say so.",
        Cause.VENDOR_ANNOUNCED,
        (Behaviour("app:503"), Behaviour("status:incident")),
    ),
    Fault(
        "vendor_maintenance",
        "The booking system has planned work going on.",
        Cause.VENDOR_MAINTENANCE,
        (Behaviour("status:maintenance"),),
    ),
    Fault(
        "vendor_slow",
        "The booking system's sign-in page takes ages.",
        Cause.VENDOR_SLOW,
        (Behaviour("app:slow"),),
    ),
    Fault(
        "status_page_down",
        "The booking system works; its status page does not.",
        Cause.STATUS_PAGE_DOWN,
        (Behaviour("status:503"),),
    ),
    Fault(
        "status_page_garbage",
        "The booking system works; its status page makes no sense.",
        Cause.STATUS_PAGE_DOWN,
        (Behaviour("status:{}"),),
        argument="html",
    ),
    Fault(
        "feed_broken",
        "The calendar of the day cannot be fetched any more.",
        Cause.NONE,
        (Behaviour("feed:{}"),),
        argument="500",
    ),
    Fault(
        "hooks_down",
        "Messages to the team are not accepted.",
        Cause.NONE,
        (Behaviour("hooks:500"),),
    ),
    Fault(
        "lte_no_data",
        "The LTE stick says it is online, but nothing moves.",
        Cause.NO_DATA,
        (_LTE,),
    ),
    Fault(
        "stick_pulled",
        "Somebody took the LTE stick for the weekend.",
        Cause.CABLE_OUT,
        (LinkDown(Place.STICK, "usb0"),),
    ),
    Fault(
        "phone_off",
        "The phone with the hotspot went home.",
        Cause.CABLE_OUT,
        (LinkDown(Place.PHONE, "ap0"),),
    ),
    Fault(
        "everything_down",
        "No internet by any way.",
        Cause.PROVIDER_DOWN,
        (_LINE, _LTE, _PHONE),
    ),
)


def deeds_of(name: str) -> tuple[Deed, ...]:
    """Give the deeds of the fault that *name* ("loss" or "loss:30") means."""
    argument = name.partition(":")[2]
    fault = find(name)
    return fault.filled(argument or fault.argument)


def find(name: str) -> Fault:
    """Give the fault that *name* ("loss" or "loss:30") means; raises LabError with all names."""
    word, _, argument = name.partition(":")
    for fault in FAULTS:
        if fault.name == word and (fault.argument or not argument):
            return fault
    raise LabError(f"no fault {name!r}; there are {', '.join(f.name for f in FAULTS)}")


def table() -> str:
    """Give the faults as a Markdown table."""
    rows = [
        f"| `{f.name}{f':{f.argument}' if f.argument else ''}` | {f.says} | {f.cause} |"
        for f in FAULTS
    ]
    return "\n".join(["| fault | what a person would say | cause |", "|---|---|---|", *rows])
