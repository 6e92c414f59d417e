"""What can be configured: one dataclass for each table of the file, one field for each key.

The sentence beside a field is the one that stands in the shipped file and in the README.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from edge_watchdog.config.forms import (
    HostName,
    HostPort,
    Interface,
    Ipv4Range,
    MonthDay,
    Origin,
    Reachable,
    TimeZone,
)
from edge_watchdog.config.hours import Hours
from edge_watchdog.config.journal_keys import WRITE_BACK, Journal
from edge_watchdog.core.model import Anchor, Mode, Uplink
from edge_watchdog.core.policy import Plan, Restrict, UsedUp
from edge_watchdog.core.units import Detail, FilePath, Ipv4, Ipv6, Returned, Seconds, Size, Url

FEWEST_REQUESTS = 24  # one an hour
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
            "doc": "Tell people when one outage has cost this much on a metered line.",
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
class VendorKeys:
    """The company that runs the appointment book."""

    name: str = field(metadata={"doc": "As people call it.", "example": "BookWell"})
    app_url: Url | None = field(
        default=None,
        metadata={
            "doc": "Its sign-in page, visited to see whether the app can be used.",
            "example": "https://app.bookwell.example/login",
        },
    )
    hosts: tuple[HostName, ...] = field(
        default=(),
        metadata={
            "doc": "Other hosts that its app needs; they go with it when it takes another line.",
            "example": ["api.bookwell.example"],
        },
    )
    ca_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "Certificates trusted beside the system's, such as a filtering proxy's.",
            "example": "/etc/edge-watchdog/extra-ca.pem",
        },
    )


@dataclass(frozen=True, slots=True)
class KindOnly:
    """The status page of the vendor."""

    kind: str = field(metadata={"doc": "What kind of page it is."})


@dataclass(frozen=True, slots=True)
class Vendor:
    """[vendor]; *status* is the options of a reader in vendors/registry.py, or None."""

    name: str
    app_url: Url | None = None
    hosts: tuple[HostName, ...] = ()
    ca_file: FilePath | None = None
    status: Any = None


@dataclass(frozen=True, slots=True)
class ScheduleKeys:
    """Where the day comes from."""

    name: str = field(metadata={"doc": "Shown beside the day.", "example": "front desk"})
    kind: str = field(metadata={"doc": "What kind of source it is."})
    every: Seconds = field(
        default=Seconds(300.0), metadata={"doc": "How often the day is fetched while all is well."}
    )
    keep: tuple[Detail, ...] = field(
        default=(Detail.PRICE, Detail.ATTENDEES),
        metadata={
            "doc": "What is kept beside first name, initial, service and time; the rest is dropped."
        },
    )
    budget: int | None = field(
        default=None,
        metadata={
            "doc": "Requests a day at most; without it, what the kind of source bears.",
            "example": 300,
        },
    )
    write_back: tuple[Returned, ...] = field(default=(), metadata=WRITE_BACK)

    def __post_init__(self) -> None:
        """Refuse a budget that allows nothing."""
        if self.budget is not None and self.budget < FEWEST_REQUESTS:
            raise ValueError(f"budget = {self.budget} is too few; write {FEWEST_REQUESTS} or more")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One [[schedule]] with the connector's own *options*; *budget* None: the kind's own."""

    name: str
    kind: str
    every: Seconds
    options: Any
    keep: tuple[Detail, ...] = (Detail.PRICE, Detail.ATTENDEES)
    budget: int | None = None
    write_back: tuple[Returned, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertKeys:
    """Whom to tell."""

    kind: str = field(metadata={"doc": "What kind of channel it is."})


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """One [[alert]] with the channel's own *options*."""

    kind: str
    options: Any


@dataclass(frozen=True, slots=True)
class Desk:
    """The pages on the studio's network."""

    listen: HostPort = field(
        default=HostPort("0.0.0.0:8080"),
        metadata={"doc": "Where the pages are served; under systemd the socket unit says it."},
    )
    listen_tls: HostPort = field(
        default=HostPort("0.0.0.0:8443"),
        metadata={
            "doc": "Where the secure pages are served, which may show telephone numbers and notes;"
            " the socket unit must name the same port."
        },
    )
    allowed_hosts: tuple[HostName, ...] = field(
        default=(),
        metadata={
            "doc": "Names the pages may be asked by, beside the box's own name and addresses.",
            "example": ["desk.lotus.example"],
        },
    )
    frame_ancestors: tuple[Origin, ...] = field(
        default=(),
        metadata={
            "doc": "Sites that may show the pages inside their own; none without it.",
            "example": ["http://homeassistant.local:8123"],
        },
    )
    retention: Seconds = field(
        default=Seconds(48 * 3600.0),
        metadata={"doc": "How long after its end a day stays on the box's disk."},
    )
    key_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "The key that seals names on the disk; else one is made beside state_dir.",
            "example": "/media/key/daybook.key",
        },
    )


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call; shown on a page of its own and printed with every day pack."""

    vendor_support: str = field(
        default="",
        metadata={
            "doc": "The vendor's support, in a line.",
            "example": "01632 960111, Mon-Fri 9-17, customer number 4711",
        },
    )
    provider: str = field(
        default="",
        metadata={
            "doc": "The internet provider's fault line, in a line.",
            "example": "01632 960222, contract 0815",
        },
    )
    cash_machine: str = field(
        default="",
        metadata={
            "doc": "Where clients find cash when cards do not work.",
            "example": "The bank at the corner, 100 m to the left",
        },
    )
    others: tuple[str, ...] = field(
        default=(),
        metadata={"doc": "More lines of the same.", "example": ["Electrician: 01632 960333"]},
    )
    hotspot: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Steps to go online by a phone, in place of the built-in ones.",
            "example": ["Take the phone from the drawer.", "Settings, Hotspot: on."],
        },
    )


class Paper(StrEnum):
    """A size of paper."""

    A4 = "A4"
    LETTER = "Letter"


@dataclass(frozen=True, slots=True)
class Printing:
    """The day pack on paper, by itself: the next open day's, when the studio has closed."""

    command: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "A program that takes a PDF on its standard input, and its arguments; needs"
            " opening_hours. `lp` comes with the package cups-client.",
            "example": ["lp", "-d", "front-desk"],
        },
    )
    paper: Paper = field(default=Paper.A4, metadata={"doc": "The paper in the printer."})


@dataclass(frozen=True, slots=True)
class MeteredKeys:
    """What the studio's computers may reach over a metered line, in mode gateway."""

    restrict: Restrict = field(
        default=Restrict.NEVER,
        metadata={"doc": "When only what is allowed is reached; the rest is refused at once."},
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


@dataclass(frozen=True, slots=True)
class Outline:
    """Who we work for and where things are: enough to ask a running box."""

    studio: Studio
    box: Box


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured; *path* is the file, "" when there was none."""

    studio: Studio
    uplinks: tuple[UplinkConfig, ...]
    box: Box = field(default_factory=Box)
    anchors: tuple[Anchor, ...] = BUILT_IN_ANCHORS
    probe: Probe = field(default_factory=Probe)
    vendor: Vendor | None = None
    schedules: tuple[Schedule, ...] = ()
    desk: Desk = field(default_factory=Desk)
    mqtt: Any = None
    alerts: tuple[AlertConfig, ...] = ()
    timing: Timing = field(default_factory=Timing)
    contacts: Contacts = field(default_factory=Contacts)
    printing: Printing = field(default_factory=Printing)
    metered: MeteredKeys = field(default_factory=MeteredKeys)
    journal: Journal = field(default_factory=Journal)
    path: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Name all that may be reached over a limited line: the vendor, and what the owner says.

        () when no line is ever limited.
        """
        stops = any(u.plan and u.plan.when_used_up is UsedUp.STOP for u in self.uplinks)
        if self.metered.restrict is Restrict.NEVER and not stops:
            return ()
        return tuple(dict.fromkeys((*self.vendor_hosts, *self.metered.allow)))

    @property
    def vendor_hosts(self) -> tuple[str, ...]:
        """Name the hosts that the vendor's app needs."""
        if self.vendor is None or self.vendor.app_url is None:
            return ()
        host = urlsplit(self.vendor.app_url).hostname or ""
        return tuple(dict.fromkeys((host, *self.vendor.hosts)))
