"""What can be configured of each kind of uplink.

Apart from the drivers: whoever only reads a configuration must not load netlink.
"""

from dataclasses import dataclass, field

from edge_watchdog.core.units import FilePath, Ipv4


@dataclass(frozen=True, slots=True)
class Ethernet:
    """Anything that looks like Ethernet: broadband cable, HiLink stick, USB tether, Wi-Fi."""

    gateway: Ipv4 | None = field(
        default=None,
        metadata={"doc": "The router's address, if the system keeps no default route for it."},
    )
    resolvers: tuple[Ipv4, ...] = field(
        default=(),
        metadata={"doc": "Its name servers, if the box does not find them; else the router."},
    )
    resolvers_file: FilePath | None = field(
        default=None,
        metadata={"doc": "A file in resolv.conf form that the DHCP client keeps for this line."},
    )
    portal_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "A file in which the DHCP client keeps option 114: who says if a sign-in is due."
        },
    )
