"""The faults of the lab: one table for tests, README and demo.

In: a fault's name, perhaps with an argument ("loss:30").  Out: the deeds that make it so.  A deed
is a state of one thing, can be undone exactly, and knows nothing of other faults: packet filter
rules stand in a table of their own, so any number of faults can be present at once.

``python -m tests.lab`` prints the table.
"""

from dataclasses import dataclass

from edge_watchdog.core.state import Cause
from tests.lab import rules
from tests.lab.deeds import (
    Behaviour,
    Deed,
    LeaseOption,
    LinkDown,
    Narrow,
    NewLease,
    Program,
    Queue,
    filled,
)
from tests.lab.manifest import LabError
from tests.lab.places import (
    DESK_ADDRESS,
    ROUTER_ADDRESS,
    SIGN_IN_API,
    SINK_ADDRESS,
    STICK_ADDRESS,
    UPLINKS,
    Place,
)


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
        return tuple(filled(deed, argument) for deed in self.deeds)


# A load ends by itself.  The foreign one comes from the desk PC: in the gateway topology it goes
# through the box, which then knows it, and nowhere as long as nobody makes the box forward.  (Of a
# load beside the box neither it nor its absence is seen: the line is slow.)
LOAD_S = "120"
FULL_QUEUE = Queue(Place.ROUTER, "line0", "4mbit", "{}")


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
        (rules.DEAF_ROUTER,),
    ),
    Fault(
        "lan_switch_dead",
        "The network switch is stuck: its lights are on, but nobody hears anybody.",
        Cause.LAN_SWITCH_DEAD,
        (rules.DEAD_SWITCH,),
    ),
    Fault(
        "address_conflict",
        "Somebody's new device has the router's address, and the internet comes and goes.",
        Cause.ADDRESS_CONFLICT,
        (Program(Place.DESK, "impostor.py", ("eth0", ROUTER_ADDRESS)),),
    ),
    Fault(
        "own_address_taken",
        "Somebody's new device has the box's address, and the internet comes and goes here only.",
        Cause.ADDRESS_CONFLICT,
        (Program(Place.DESK, "impostor.py", ("eth0", UPLINKS[0].address)),),
    ),
    Fault(
        "rogue_dhcp",
        "Somebody plugged an old router in, and one computer after the other is offline.",
        Cause.ROGUE_DHCP,
        (Program(Place.DESK, "second_server.py", ("eth0", "192.168.1.", DESK_ADDRESS)),),
    ),
    Fault(
        "blackhole",
        "The router is fine, but nothing comes back from the internet.",
        Cause.PROVIDER_DOWN,
        (rules.LINE,),
    ),
    Fault(
        "upstream_dead",
        "The provider's own machines answer, the rest of the internet does not.",
        Cause.PROVIDER_DOWN,
        (rules.UPSTREAM,),
    ),
    Fault(
        "line_not_in_sync",
        "The router's light for the line blinks red; its own page says that it is offline.",
        Cause.LINE_NOT_IN_SYNC,
        (rules.LINE, Program(Place.ROUTER, "router_word.py", ("{}",))),
        argument="natpmp",
    ),
    Fault(
        "reject",
        "Every page says at once that the host cannot be reached.",
        Cause.PROVIDER_DOWN,
        (rules.REJECT,),
    ),
    Fault(
        "dns_dead",
        "Pages do not open, but the video call that was running goes on.",
        Cause.DNS_DEAD,
        (rules.NO_ROUTER_DNS, rules.NO_PROVIDER_DNS),
    ),
    Fault(
        "dns_blocked",
        "No page opens, whatever name service is asked; what was open goes on.",
        Cause.DNS_BLOCKED,
        (rules.NO_ROUTER_DNS, rules.NO_NAMES_BY_UDP),
    ),
    Fault(
        "dns_servfail",
        "Pages do not open; each name gets an error from the provider.",
        Cause.DNS_DEAD,
        (Behaviour("isp-names:servfail"),),
    ),
    Fault(
        "dns_hijack",
        "Whatever page is asked for, the provider's search page comes.",
        Cause.PORTAL,
        (Behaviour("isp-names:hijack"),),
    ),
    Fault(
        "dns_rewrite",
        "Nothing is wrong here; mistyped names lead to the provider's search page.",
        Cause.NONE,
        (Behaviour("isp-names:rewrite"),),
    ),
    Fault(
        "partial_routing",
        "Some sites open, others never do.",
        Cause.PARTIAL_ROUTING,
        (rules.DEAF_OPERATORS,),
    ),
    Fault(
        "tls_intercepted",
        "The browser warns about every secure page.",
        Cause.TLS_INTERCEPTED,
        (rules.WEB_FILTER,),
    ),
    Fault(
        "portal",
        "Every page turns into a sign-in page of the Wi-Fi.",
        Cause.PORTAL,
        (rules.PORTAL,),
    ),
    Fault(
        "portal_told",
        "Nothing opens, no sign-in page either; but the network itself says that it wants one.",
        Cause.PORTAL,
        (LeaseOption("wan0", f"114,{SIGN_IN_API}"), rules.CLOSED),
    ),
    Fault(
        "loss",
        "It works, but everything stutters.",
        Cause.LINE_LOSS,
        (rules.LOSS,),
        argument="30",
    ),
    Fault(
        "loss_down",
        "Pages come in pieces, while what we send arrives.",
        Cause.LINE_LOSS,
        (rules.LOSS_DOWN,),
        argument="30",
    ),
    Fault(
        "no_return",
        "What we send arrives, but no answer ever comes back.",
        Cause.PROVIDER_DOWN,
        (rules.NO_RETURN,),
    ),
    Fault(
        "bufferbloat_own",
        "All is slow while this box uploads something big.",
        Cause.LINE_FULL,
        (FULL_QUEUE, Program(Place.BOX, "load.py", ("wan0", SINK_ADDRESS, LOAD_S))),
        argument="800",
    ),
    Fault(
        "bufferbloat_foreign",
        "All is slow while somebody in the house uploads something big.",
        Cause.LINE_FULL,
        (FULL_QUEUE, Program(Place.DESK, "load.py", ("eth0", SINK_ADDRESS, LOAD_S))),
        argument="800",
    ),
    Fault(
        "line_congested",
        "All is slow each evening, though hardly anything is used here.",
        Cause.LINE_CONGESTED,
        (
            Queue(Place.ISP, "cust0", "4mbit", "{}"),
            Program(Place.ISP, "flood.py", ("cust0", "192.0.2.2", LOAD_S, "4600")),
        ),
        argument="700",
    ),
    Fault(
        "delay",
        "It works, but each click takes a moment.",
        Cause.LINE_SLOW,
        (Program(Place.ISP, "relay.py", ("cust0", "core0", "{}", "0")),),
        argument="80",
    ),
    Fault(
        "jitter",
        "Pages open, but voices in calls sound chopped.",
        Cause.NONE,
        (Program(Place.ISP, "relay.py", ("cust0", "core0", "{}", "{}")),),
        argument="40",
    ),
    Fault(
        "mtu_blackhole",
        "Plain pages open, secure ones load for ever; the line itself seems fine.",
        Cause.MTU_BLACK_HOLE,
        (
            rules.NO_WORD_OF_SIZE,
            Narrow(Place.ISP, "cust0", "{}"),
            Narrow(Place.ISP, "core0", "{}"),
        ),
        argument="1280",
    ),
    Fault(
        "ipv6_broken",
        "Some pages take long to begin; addresses of the newer kind lead nowhere.",
        Cause.IPV6_DEAD,
        (Program(Place.BOX, "six.py", ("wan0", "2001:db8:1::2/64", "2001:db8:1::1")),),
    ),
    Fault(
        "flapping",
        "The internet is gone and back again, all the time.",
        Cause.PROVIDER_DOWN,
        (rules.FLAPPING,),
        argument="3",
    ),
    Fault(
        "slow_recovery",
        "The internet is gone, and when it comes back it stutters at first.",
        Cause.PROVIDER_DOWN,
        (rules.SLOW_RECOVERY,),
        argument="4",
    ),
    Fault(
        "dhcp_change",
        "The router was replaced; everything has another address now.",
        Cause.NO_ADDRESS,
        (NewLease("wan0", "192.168.77"),),
    ),
    Fault(
        "one_anchor_dead",
        "Nothing is wrong here; one host far away is down.",
        Cause.NONE,
        (rules.ONE_ANCHOR,),
    ),
    Fault(
        "icmp_filtered",
        "Nothing is wrong here; the provider stopped answering pings.",
        Cause.NONE,
        (rules.NO_ECHO,),
    ),
    Fault(
        "anchors_filtered",
        "Nothing is wrong here; a filter lets nobody ask the hosts that the box asks.",
        Cause.NONE,
        (rules.NO_ANCHORS,),
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
        "vendor_path",
        "The booking system does not open here, but on the phone it does.",
        Cause.VENDOR_PATH,
        (rules.NO_WAY_TO_APP,),
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
        (rules.LTE,),
    ),
    Fault(
        "lte_zombie",
        "The LTE stick is online, as its own page says, and sends; but nothing comes back.",
        Cause.NO_DATA,
        (rules.LTE_NO_RETURN, Program(Place.STICK, "stick_word.py", (STICK_ADDRESS,))),
    ),
    Fault(
        "lte_dns_dead",
        "Over LTE no page opens, though the line is there.",
        Cause.DNS_DEAD,
        (rules.LTE_NO_DNS,),
    ),
    Fault(
        "lte_data_cap",
        "The data plan is used up; every page is the carrier's offer of more.",
        Cause.ACCOUNT_BLOCKED,
        (rules.LTE_WALLED_GARDEN,),
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
        "hotspot_overlaps",
        "The phone's hotspot gives addresses like those of the studio's own network.",
        Cause.SUBNET_OVERLAP,
        (NewLease("phone0", "192.168.1"),),
    ),
    Fault(
        "both_dead",
        "Broadband and LTE went in the same moment.",
        Cause.PROVIDER_DOWN,
        (rules.LINE, rules.LTE),
    ),
    Fault(
        "everything_down",
        "No internet by any way.",
        Cause.PROVIDER_DOWN,
        (rules.LINE, rules.LTE, rules.PHONE),
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
