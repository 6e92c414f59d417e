"""The keys of [studio] and [box]: who we work for, and where the box keeps things."""

from dataclasses import dataclass, field

from edge_watchdog.config.forms import Interface, Ipv4Range, TimeZone
from edge_watchdog.config.hours import Hours
from edge_watchdog.core.model import Mode
from edge_watchdog.core.units import FilePath


@dataclass(frozen=True, slots=True)
class Studio:
    """Who we work for, and when."""

    name: str = field(metadata={"doc": "Shown on every page.", "shipped": "Our studio"})
    time_zone: TimeZone = field(
        metadata={"doc": "All times on the pages are local to it.", "shipped": "Europe/London"}
    )
    opening_hours: Hours | None = field(
        default=None,
        metadata={
            "doc": "Lines are asked more often while the studio is open; without it, always.",
            "example": "Mon-Sat 09:00-19:00, Sun 10:00-16:00",
        },
    )


@dataclass(frozen=True, slots=True)
class Box:
    """What the box may do, and where it keeps things."""

    mode: Mode = field(
        default=Mode.OBSERVE,
        metadata={
            "doc": "observe touches nothing; self moves the box's own new connections to a backup;"
            " gateway moves those of the studio's computers too, which it routes.",
            "shipped": Mode.SELF,
        },
    )
    lan_interfaces: tuple[Interface, ...] = field(
        default=(),
        metadata={
            "doc": "Where the studio's computers are; the pages are served there and nowhere else.",
            "shipped": ["eth0"],
        },
    )
    dhcp_range: Ipv4Range | None = field(
        default=None,
        metadata={
            "doc": "In mode gateway: the addresses the box gives to the studio's computers; without"
            " it, another machine there gives them, with the box as router and name server.",
            "example": "192.168.50.100-192.168.50.199",
        },
    )
    state_dir: FilePath = field(
        default=FilePath("/var/lib/edge-watchdog"),
        metadata={"doc": "What must survive a power cut: journal, outbox, the day."},
    )
    runtime_dir: FilePath = field(
        default=FilePath("/run/edge-watchdog"),
        metadata={"doc": "The socket between the two halves."},
    )

    @property
    def bridge_socket(self) -> str:
        """Name the socket between the halves."""
        return f"{self.runtime_dir}/bridge.sock"

    @property
    def watch_dir(self) -> str:
        """Name the folder that only the watch half writes: journal and outbox."""
        return f"{self.state_dir}/watch"

    @property
    def journal(self) -> str:
        """Name the file that remembers what happened."""
        return f"{self.watch_dir}/journal.db"

    @property
    def names_file(self) -> str:
        """Name the file in which the watch half tells the LAN's name service whom to ask."""
        return f"{self.runtime_dir}/upstreams.conf"

    @property
    def names_dir(self) -> str:
        """Name the folder in which the name service keeps who has which address."""
        return f"{self.state_dir}/names"

    @property
    def desk_dir(self) -> str:
        """Name the folder that only the desk half enters: it holds names."""
        return f"{self.state_dir}/desk"

    @property
    def desk_key(self) -> str:
        """Name the key that seals names, in a folder that a copy of *state_dir* leaves out."""
        return f"{self.state_dir}-key/daybook.key"
