"""Packet filter rules that make the lab's lines misbehave; faults.py puts them together.

In: addresses and interfaces of places.py.  Out: Rules.  Each stands on the machine where the real
trouble would be.  A rule on the provider's ``cust0`` meets everything of the studio's broadband,
one on the carrier's ``stick`` everything of its LTE stick.
"""

from tests.lab.deeds import Course, Rules
from tests.lab.places import (
    ANCHORS,
    APP,
    CARRIER_RESOLVER,
    FILTER_PORTS,
    HOSTS,
    ISP_RESOLVER,
    PORTAL_PORT,
    Place,
)


def silent(place: Place, interface: str) -> Rules:
    """Nothing comes in by *interface* and nothing leaves by it; ARP still answers."""
    return Rules(
        place,
        "chain in { type filter hook prerouting priority -450;"
        f' iifname "{interface}" counter drop; }}\n'
        "chain out { type filter hook postrouting priority -450;"
        f' oifname "{interface}" counter drop; }}\n',
    )


def nothing_back(place: Place, interface: str) -> Rules:
    """What comes in by *interface* goes its way, but nothing ever leaves by it."""
    return Rules(
        place,
        "chain out { type filter hook postrouting priority -450;"
        f' oifname "{interface}" counter drop; }}\n',
    )


DEAF_ROUTER = Rules(
    Place.ROUTER,
    'chain in { type filter hook ingress device "lan0" priority -500; drop; }\n'
    'chain out { type filter hook egress device "lan0" priority -500; drop; }\n',
    family="netdev",
)
DEAD_SWITCH = Rules(
    Place.LAN,
    'chain in { type filter hook ingress device "box" priority -500; drop; }\n'
    'chain out { type filter hook egress device "box" priority -500; drop; }\n',
    family="netdev",
)
REJECT = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    ' iifname "cust0" reject with icmp type host-unreachable; }\n'
    "chain in { type filter hook input priority -10;"
    f' iifname "cust0" ip daddr {ISP_RESOLVER} reject with icmp type net-unreachable; }}\n',
)
UPSTREAM = Rules(
    Place.ISP,
    'chain through { type filter hook forward priority -10; iifname "cust0" counter drop; }\n',
)
NO_ROUTER_DNS = Rules(
    Place.ROUTER,
    "chain in { type filter hook input priority -10;"
    ' iifname "lan0" meta l4proto { tcp, udp } th dport 53 drop; }\n',
)
NO_PROVIDER_DNS = Rules(
    Place.ISP,
    "chain in { type filter hook input priority -10;"
    f" ip daddr {ISP_RESOLVER} meta l4proto {{ tcp, udp }} th dport 53 drop; }}\n",
)
NO_NAMES_BY_UDP = Rules(
    Place.ISP,
    'chain in { type filter hook prerouting priority -450; iifname "cust0" udp dport 53 drop; }\n',
)
PORTAL = Rules(
    Place.ROUTER,
    "chain turn { type nat hook prerouting priority -110;"
    f' iifname "lan0" tcp dport 80 redirect to :{PORTAL_PORT}; }}\n'
    "chain through { type filter hook forward priority -10;"
    " udp dport 53 accept; udp sport 53 accept; counter drop; }\n",
)
CLOSED = Rules(
    Place.ROUTER,
    "chain through { type filter hook forward priority -10;"
    " udp dport 53 accept; udp sport 53 accept; counter drop; }\n",
)
LOSS = Rules(
    Place.ISP,
    "chain in { type filter hook prerouting priority -450;"
    ' iifname "cust0" numgen random mod 100 < {} counter drop; }\n',
)
ONE_ANCHOR = Rules(
    Place.INTERNET,
    "chain in { type filter hook prerouting priority -450;"
    f" ip daddr {ANCHORS[0].address} drop; }}\n",
)
NO_ECHO = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    " icmp type { echo-request, echo-reply } drop; }\n",
)
NO_ANCHORS = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    f" ip daddr {{ {', '.join(a.address for a in ANCHORS)} }} drop; }}\n",
)
NO_WORD_OF_SIZE = Rules(
    Place.ISP,
    "chain out { type filter hook output priority -10;"
    " icmp type destination-unreachable icmp code frag-needed counter drop; }\n",
)
DEAF_OPERATORS = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    ' iifname "cust0" ip daddr {'
    f" {', '.join(a.address for a in ANCHORS if a.operator in ('alpha', 'beta'))} }} drop; }}\n",
)
NO_WAY_TO_APP = Rules(
    Place.ISP,
    "chain through { type filter hook forward priority -10;"
    f' iifname "cust0" ip daddr {HOSTS[APP]} drop; }}\n',
)
WEB_FILTER = Rules(
    Place.ROUTER,
    "chain turn { type nat hook prerouting priority -110;"
    ' iifname "lan0" tcp dport 443 redirect to :ip daddr map {'
    f" {', '.join(f'{address} : {port}' for address, port in FILTER_PORTS.items())} }}; }}\n",
)
LOSS_DOWN = Rules(
    Place.ISP,
    "chain out { type filter hook postrouting priority -450;"
    ' oifname "cust0" numgen random mod 100 < {} counter drop; }\n',
)
NO_RETURN = nothing_back(Place.ISP, "cust0")
LTE_NO_RETURN = nothing_back(Place.CARRIER, "stick")
LTE_NO_DNS = Rules(
    Place.STICK,
    "chain in { type filter hook input priority -10;"
    ' iifname "usb0" meta l4proto { tcp, udp } th dport 53 drop; }\n'
    "chain through { type filter hook forward priority -10;"
    f" ip daddr {CARRIER_RESOLVER} meta l4proto {{ tcp, udp }} th dport 53 drop; }}\n",
)
LTE_WALLED_GARDEN = Rules(
    Place.CARRIER,
    "chain turn { type nat hook prerouting priority -110;"
    f' iifname "stick" tcp dport 80 redirect to :{PORTAL_PORT}; }}\n'
    "chain through { type filter hook forward priority -10;"
    ' iifname "stick" counter drop; oifname "stick" counter drop; }\n',
)
LINE = silent(Place.ISP, "cust0")
LTE = silent(Place.CARRIER, "stick")
PHONE = silent(Place.CARRIER, "phone")
FLAPPING = Course(Place.ISP, (("{}", LINE.chains), ("{}", "")), repeats=True)
SLOW_RECOVERY = Course(
    Place.ISP,
    (("5", LINE.chains), *(("{}", LOSS.chains.replace("{}", loss)) for loss in ("60", "40", "20"))),
)
