"""What can go wrong in a studio in memory: the faults by name, the same names as the lab's.

A fault turns a World into a worse one and knows nothing of other faults, so that any number of them
can be present at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from edge_watchdog.core.model import Mode, Stage, Uplink, UplinkKind, VendorLevel
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause
from edge_watchdog.sim.world import Line, Turn, World

BROADBAND, STICK, PHONE = "broadband", "LTE stick", "phone"
EVERY_LINE = "every line"
THE_VENDOR = "the vendor"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a day goes wrong.

    *says*: how a person would put it.  *cause*: the word the mind should find.  *where*: the uplink
    it strikes unless another is named.  *changes*: the fields of its Line (or of the Vendor) that
    differ.  *argument*: the field that takes the usual value of ``name:value`` from *changes*.
    """

    says: str
    cause: Cause
    where: str
    changes: Mapping[str, Any]
    argument: str = ""


FAULTS: Mapping[str, Fault] = {
    "cable_out": Fault(
        "Somebody pulled the box's network cable.", Cause.CABLE_OUT, BROADBAND, {"carrier": False}
    ),
    "no_lease": Fault(
        "The router does not let the box in.", Cause.NO_ADDRESS, BROADBAND, {"lease": False}
    ),
    "router_dead": Fault(
        "The router's lights are on, but it does not react to anything.",
        Cause.ROUTER_DEAD,
        BROADBAND,
        {"router": False},
    ),
    "blackhole": Fault(
        "The router is fine, but nothing comes back from the internet.",
        Cause.PROVIDER_DOWN,
        BROADBAND,
        {"beyond": False},
    ),
    "reject": Fault(
        "Every page says at once that the host cannot be reached.",
        Cause.PROVIDER_DOWN,
        BROADBAND,
        {"rejects": True},
    ),
    "dns_dead": Fault(
        "Pages do not open, but the video call that was running goes on.",
        Cause.DNS_DEAD,
        BROADBAND,
        {"names": False},
    ),
    "portal": Fault(
        "Every page turns into a sign-in page of the Wi-Fi.",
        Cause.PORTAL,
        BROADBAND,
        {"portal": True},
    ),
    "loss": Fault(
        "It works, but everything stutters.",
        Cause.LINE_LOSS,
        BROADBAND,
        {"loss_ratio": 30},
        argument="loss_ratio",
    ),
    "one_anchor_dead": Fault(
        "Nothing is wrong here; one host far away is down.",
        Cause.NONE,
        BROADBAND,
        {"dead": frozenset({"alpha"})},
    ),
    "partial_routing": Fault(
        "Some sites open, others never do.",
        Cause.PARTIAL_ROUTING,
        BROADBAND,
        {"dead": frozenset({"alpha", "beta"})},
    ),
    "icmp_filtered": Fault(
        "Nothing is wrong here; the provider stopped answering pings.",
        Cause.NONE,
        BROADBAND,
        {"echo": False},
    ),
    "lte_no_data": Fault(
        "The LTE stick says it is online, but nothing moves.",
        Cause.NO_DATA,
        STICK,
        {"beyond": False},
    ),
    "stick_pulled": Fault(
        "Somebody took the LTE stick for the weekend.", Cause.DEVICE_GONE, STICK, {"device": False}
    ),
    "phone_off": Fault(
        "The phone with the hotspot went home.", Cause.CABLE_OUT, PHONE, {"carrier": False}
    ),
    "everything_down": Fault(
        "No internet by any way.", Cause.PROVIDER_DOWN, EVERY_LINE, {"beyond": False}
    ),
    "vendor_down": Fault(
        "The booking system is down and its status page says all is well.",
        Cause.VENDOR_SILENT,
        THE_VENDOR,
        {"stage": Stage.HTTP, "status": 503},
        argument="status",
    ),
    "vendor_announced": Fault(
        "The booking system is down and its makers say so.",
        Cause.VENDOR_ANNOUNCED,
        THE_VENDOR,
        {"stage": Stage.HTTP, "status": 503, "page": VendorLevel.MAJOR_OUTAGE},
    ),
    "vendor_maintenance": Fault(
        "The booking system has planned work going on.",
        Cause.VENDOR_MAINTENANCE,
        THE_VENDOR,
        {"page": VendorLevel.MAINTENANCE},
    ),
    "vendor_slow": Fault(
        "The booking system's sign-in page takes ages.",
        Cause.VENDOR_SLOW,
        THE_VENDOR,
        {"seconds": 8.0},
    ),
    "status_page_down": Fault(
        "The booking system works; its status page does not.",
        Cause.STATUS_PAGE_DOWN,
        THE_VENDOR,
        {"page": None},
    ),
}


def turn(name: str, where: str = "") -> Turn:
    """Give what the fault *name* ("loss" or "loss:5", in percent) does to a World.

    *where* names another uplink than the usual one.  Raises KeyError for a fault unknown here.
    """
    word, _, value = name.partition(":")
    fault = FAULTS[word]
    changes = dict(fault.changes)
    if value:
        changes[fault.argument] = int(value)
    if "loss_ratio" in changes:
        changes["loss_ratio"] /= 100
    return partial(_strike, where or fault.where, changes)


def _strike(where: str, changes: Mapping[str, Any], world: World) -> World:
    if where == THE_VENDOR:
        return replace(world, vendor=replace(world.vendor, **changes))
    struck = list(world.lines) if where == EVERY_LINE else [where]
    worse = {name: replace(world.lines[name], **changes) for name in struck}
    return replace(world, lines={**world.lines, **worse})


def usual_policy(mode: Mode = Mode.SELF) -> Policy:
    """Give the usual studio: broadband, a metered LTE stick, a phone's hotspot behind it."""
    uplinks = (
        Uplink(BROADBAND, UplinkKind.ETHERNET, "wan0"),
        Uplink(STICK, UplinkKind.ETHERNET, "lte0", metered=True),
        Uplink(PHONE, UplinkKind.ETHERNET, "phone0", metered=True),
    )
    return Policy(uplinks, mode, "BookWell")


def usual_world() -> World:
    """Give the usual studio on a good day."""
    return World({BROADBAND: Line(rtt_s=0.012), STICK: Line(rtt_s=0.045), PHONE: Line(rtt_s=0.06)})
