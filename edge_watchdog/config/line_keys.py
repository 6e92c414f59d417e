"""The keys of [[uplink]], [[anchor]], [probe], [metered] and [timing]: the ways out."""

from dataclasses import dataclass, field
from typing import Any

from edge_watchdog.config.forms import Interface, MonthDay, Reachable
from edge_watchdog.core.model import Anchor, Uplink
from edge_watchdog.core.policy import Plan, Restrict, UsedUp
from edge_watchdog.core.units import Ipv4, Ipv6, Seconds, Size, Url

BUILT_IN_ANCHORS = (
    Anchor("Cloudflare", "1.1.1.1", dns=True),
    Anchor("Google", "8.8.8.8", dns=True),
    Anchor("Quad9", "9.9.9.9", dns=True),
    Anchor("OpenDNS", "208.67.222.222", dns=True),
    Anchor("Cloudflare", "1.0.0.1", dns=True),
    Anchor("Google", "8.8.4.4", dns=True),
)
BUILT_IN_IPV6 = (
    Ipv6("2606:4700:4700::1111"),
    Ipv6("2001:4860:4860::8888"),
    Ipv6("2620:fe::fe"),
)
BUILT_IN_WEB = (
    Url("http://connectivitycheck.gstatic.com/generate_204"),
    Url("http://cp.cloudflare.com/generate_204"),
)


@dataclass(frozen=True, slots=True)
class UplinkKeys:
    """A way out of the building; the first in the file is preferred."""

    name: str = field(
        metadata={"doc": "As people call it; shown on the pages.", "shipped": "broadband"}
    )
    kind: str = field(metadata={"doc": "What kind of way out it is.", "shipped": "ethernet"})
    interface: Interface = field(
        metadata={"doc": "The system's name of it; see `ip link`.", "shipped": "eth0"}
    )
    metered: bool = field(
        default=False, metadata={"doc": "Data costs money: ask seldom and keep questions small."}
    )
    monthly_cap: Size | None = field(
        default=None,
        metadata={
            "doc": "What the plan includes a month; told at 50, 80 and 95 %.",
            "example": "5GB",
        },
    )
    month_starts_on: MonthDay = field(
        default=MonthDay(1), metadata={"doc": "The day on which the plan's month begins."}
    )
    when_used_up: UsedUp = field(
        default=UsedUp.KEEP,
        metadata={"doc": "Whether the box still switches to a metered line whose plan is used up."},
    )
    probe_cap: Size = field(
        default=Size(10_000_000),
        metadata={"doc": "What the box's own questions may cost a month while nobody uses it."},
    )
    outage_budget: Size | None = field(
        default=None,
        metadata={
            "doc": "What one outage may cost on a metered line; people are told. In mode gateway,"
            " computers then reach only the vendor and what [metered] allows over it, until the"
            " outage ends or the line is ordered.",
            "example": "500MB",
        },
    )


@dataclass(frozen=True, slots=True)
class UplinkConfig:
    """One [[uplink]]: what the mind knows of it, and the driver's own *options*."""

    uplink: Uplink
    options: Any = None
    plan: Plan | None = None
    month_starts_on: int = 1


@dataclass(frozen=True, slots=True)
class AnchorKeys:
    """A host on the internet that is asked whether it is there; replaces the built-in list."""

    operator: str = field(
        metadata={
            "doc": "Who runs it: one operator's trouble is not ours.",
            "example": "Cloudflare",
        }
    )
    address: Ipv4 = field(metadata={"doc": "Answers ICMP echo.", "example": "1.1.1.1"})
    dns: bool = field(
        default=False, metadata={"doc": "It answers DNS queries too.", "example": True}
    )


@dataclass(frozen=True, slots=True)
class Probe:
    """What else is asked."""

    web: tuple[Url, ...] = field(
        default=BUILT_IN_WEB,
        metadata={"doc": "Pages that answer 204 with nothing in them; anything else is a portal."},
    )
    ipv6: tuple[Ipv6, ...] = field(
        default=BUILT_IN_IPV6,
        metadata={"doc": "Hosts asked by IPv6, over lines that have it; [] asks nobody."},
    )


@dataclass(frozen=True, slots=True)
class MeteredKeys:
    """What the studio's computers may reach over a metered line, in mode gateway."""

    restrict: Restrict = field(
        default=Restrict.NEVER,
        metadata={
            "doc": "When only what is allowed is reached, beside a used-up outage_budget; the rest"
            " is refused at once."
        },
    )
    allow: tuple[Reachable, ...] = field(
        default=(),
        metadata={
            "doc": "What they need beside the vendor: card payments, mail. A name allows all below"
            " it.",
            "example": ["pay.example", "192.0.2.0/24"],
        },
    )


@dataclass(frozen=True, slots=True)
class Timing:
    """Numbers of the mind that a studio may want otherwise."""

    failback_after: Seconds = field(
        default=Seconds(60.0),
        metadata={"doc": "The preferred line must be clean this long before it is taken back."},
    )
    rehearse: bool = field(default=True, metadata={"doc": "Try each backup weekly, after closing."})
    rehearse_after: Seconds = field(
        default=Seconds(4 * 3600.0),
        metadata={"doc": "So long after closing, when those who clean up are gone."},
    )
