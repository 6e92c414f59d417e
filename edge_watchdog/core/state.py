"""All that the mind remembers between two events; a value, so that replay equals live.

Mappings in here are never changed in place: whoever learns something builds a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge_watchdog.core.actions import (
    Action,
    Inquiry,
    Limit,
    Pace,
    ProbeEvery,
    Severity,
    WatchVendor,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    CacheReport,
    DriverReport,
    Finding,
    JourneyReport,
    Layer,
    LinkState,
    VendorReport,
)


class Phase(StrEnum):
    """Where the failover stands.  "Failed over" is SETTLED while active is not the preferred."""

    SETTLED = "settled"
    SUSPECT = "suspect"
    SWITCHING = "switching"
    DIVERTED = "diverted"
    HOLDING = "holding"
    STRANDED = "stranded"


class How(StrEnum):
    """How an uplink is left: with a way back for a moment, for good, or in good health."""

    PROVISIONAL = "provisional"
    HARD = "hard"
    GENTLE = "gentle"


class Cause(StrEnum):
    """What is broken, in one word for machines; words.py has the words for people."""

    NONE = "none"
    CHECKING = "checking"
    CABLE_OUT = "cable out"
    DEVICE_GONE = "device gone"
    NO_ADDRESS = "no address"
    ROUTER_DEAD = "router dead"
    PROVIDER_DOWN = "provider down"
    PARTIAL_ROUTING = "partial routing"
    DNS_DEAD = "dns dead"
    PORTAL = "portal"
    TLS_INTERCEPTED = "tls intercepted"
    CLOCK_WRONG = "clock wrong"
    LINE_LOSS = "line loss"
    LOCAL_LOSS = "local loss"
    NO_DATA = "no data"
    MISROUTED = "misrouted"
    WIFI_WEAK = "wifi weak"
    LAN_SWITCH_DEAD = "lan switch dead"
    ADDRESS_CONFLICT = "address conflict"
    ROGUE_DHCP = "rogue dhcp"
    SUBNET_OVERLAP = "subnet overlap"
    MODEM_DEAD = "modem dead"
    LINE_NOT_IN_SYNC = "line not in sync"
    IPV4_DEAD = "ipv4 dead"
    IPV6_DEAD = "ipv6 dead"
    DNS_BLOCKED = "dns blocked"
    DNS_HIJACKED = "dns hijacked"
    ACCOUNT_BLOCKED = "account blocked"
    MTU_BLACK_HOLE = "mtu black hole"
    LINE_SLOW = "line slow"
    LINE_FULL = "line full"
    LINE_CONGESTED = "line congested"
    LINE_UNSTABLE = "line unstable"
    SIM_MISSING = "sim missing"
    SIM_LOCKED = "sim locked"
    NO_SIGNAL = "no signal"
    NOT_REGISTERED = "not registered"
    DATA_CAP = "data cap"
    ZOMBIE = "zombie"
    HOTSPOT_ABSENT = "hotspot absent"
    HOTSPOT_PASSWORD = "hotspot password"  # noqa: S105 - a cause, no password
    BOX_POWER = "box power"
    REHEARSAL_FAILED = "rehearsal failed"
    VENDOR_ANNOUNCED = "vendor announced"
    VENDOR_SILENT = "vendor silent"
    VENDOR_SLOW = "vendor slow"
    VENDOR_PATH = "vendor path"
    VENDOR_REFUSES = "vendor refuses"
    VENDOR_NAME = "vendor name"
    VENDOR_LOGIN = "vendor login"
    VENDOR_MAINTENANCE = "vendor maintenance"
    STATUS_PAGE_DOWN = "status page down"


class Scope(StrEnum):
    """What an incident is about; one open incident at most in each."""

    LINE = "line"
    VENDOR = "vendor"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Track:
    """What one target told lately, on one layer of one uplink.

    *asked*: when the newest closed question left.  *answered*: when the newest answered one left.
    *heard*: when an answer last came in.  *losing_since*: when the first question newer than
    *answered* left that got no answer; *misses* counts those in a row.  *returned*: when the
    newest answered one left after a miss.  *base_s*: its usual round-trip time.
    """

    layer: Layer
    target: str
    operator: str
    asked: Instant
    answered: Instant | None = None
    heard: Instant | None = None
    losing_since: Instant | None = None
    misses: int = 0
    returned: Instant | None = None
    finding: Finding = Finding.NOT_ASKED
    detail: str = ""
    rtt_s: float | None = None
    deaf: bool = False
    base_s: float | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody beyond the gateway has answered a question that left after *since*.

    *since*: when it began at the latest; *newest*: when the last lost question left.  *refusals*:
    to how many of the questions the network said that there is no way; *refused_since*: when the
    first of those left.
    """

    since: Instant
    newest: Instant
    probes: int
    operators: tuple[str, ...]
    refusals: int = 0
    refused_since: Instant | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Questions of five seconds; *slot* is CLOCK_BOOTTIME divided by five."""

    slot: int
    sent: int
    lost: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why an uplink, or the vendor, is as it is.  *because* is the evidence in words."""

    cause: Cause
    confidence: float
    since: Instant
    because: tuple[str, ...] = ()
    runner_up: Cause | None = None


@dataclass(frozen=True, slots=True)
class UplinkState:
    """All that is known of one uplink.  *back_at*: when the last proven outage over it ended.

    *slow_since*: since when most answers take far longer than usual.  *browned*: it lost much, and
    has not been proven free of loss since.  *alive_until*: so long (CLOCK_BOOTTIME) what the line
    was seen to carry during a silence speaks for it; *vetoed*: it does so now.  *returns*: when it
    last came back from being proven dead, a few times.
    """

    link: LinkState | None = None
    link_at: Instant | None = None
    tracks: Mapping[str, Track] = field(default_factory=dict)
    silence: Silence | None = None
    back_at: Instant | None = None
    losses: tuple[Bucket, ...] = ()
    cusum: float = 0.0
    clean_since: Instant | None = None
    burst_until: float = 0.0
    burst_at: float = 0.0
    pace: Pace = Pace.OFF
    journey: JourneyReport | None = None
    journey_failures: int = 0
    journey_since: Instant | None = None
    diagnosis: Diagnosis | None = None
    report: DriverReport | None = None
    slow_since: Instant | None = None
    browned: bool = False
    returns: tuple[Instant, ...] = ()
    alive_until: float = 0.0
    vetoed: bool = False


@dataclass(frozen=True, slots=True)
class LanLost:
    """The studio's own network is out of reach; *told*: the number people were told of it under."""

    since: Instant
    told: int | None = None


@dataclass(frozen=True, slots=True)
class StrangerBehind:
    """A second device gives out addresses behind the box; *told*: the number people know it by."""

    who: str
    since: Instant
    told: int


@dataclass(frozen=True, slots=True)
class BoxState:
    """How the box itself is.  *power_low_at*: when that was last so.

    *blind_from*, *blind_until* (CLOCK_BOOTTIME): the last stretch in which it could not listen.
    *lan*: None while the studio's own network is there, or nobody looks.  *stranger*: a second
    device gives out addresses behind the box.
    """

    power_low: bool = False
    power_low_at: Instant | None = None
    clock_offset_s: float | None = None
    blind_from: float = 0.0
    blind_until: float = 0.0
    lan: LanLost | None = None
    stranger: StrangerBehind | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A person chose; *until* is CLOCK_BOOTTIME.

    *since*: when they did.  *failed*: their uplink was left since, because it did not work.
    """

    uplink: str
    until: float
    reason: str
    by: str = ""
    since: Instant | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Since when the line in use is held against *uplink*, because it loses much."""

    uplink: str
    since: Instant


@dataclass(frozen=True, slots=True)
class Trial:
    """A rehearsal of *uplink* that goes on; *moved*: since when it is in use."""

    uplink: str
    since: Instant
    moved: Instant | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How the last rehearsal of a standby ended; *faults* in words."""

    at: Instant
    ok: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failover:
    """Which uplink carries new connections, and how that came about.

    *left*: the uplink a provisional divert may still go back to.  *going*: where RouteVia *order*
    leads while SWITCHING.  After a refused switch nothing moves before *retry_at*;
    *refused*: the route to *active* itself was refused and is owed, so often in a row
    (*refusals*), and is asked for again at *owed_at*.
    *undos*, *switches*, *failures*, *fruitless* (comparisons): CLOCK_BOOTTIME of the recent ones.
    """

    phase: Phase = Phase.SETTLED
    since: Instant | None = None
    active: str | None = None
    going: str | None = None
    order: int | None = None
    how: How = How.GENTLE
    retry_at: float = 0.0
    refused: bool = False
    refusals: int = 0
    owed_at: float = 0.0
    left: str | None = None
    left_since: Instant | None = None
    undos: tuple[float, ...] = ()
    switches: tuple[float, ...] = ()
    failures: tuple[float, ...] = ()
    override: Override | None = None
    comparison: Comparison | None = None
    trial: Trial | None = None
    fruitless: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """One root cause from its first sign to its proven end.

    *told* is what people were last told of it: severity and cause, and when; None = nothing yet.
    *mended*: since when the line itself is well; we wait longer before we trust it (*resolved*).
    """

    id: int
    scope: Scope
    cause: Cause
    severity: Severity
    opened: Instant
    uplink: str | None = None
    confidence: float = 0.0
    because: tuple[str, ...] = ()
    fine_since: Instant | None = None
    next_update: Instant | None = None
    told: Severity | None = None
    told_cause: Cause | None = None
    told_at: Instant | None = None
    acknowledged_by: str = ""
    mended: Instant | None = None
    resolved: Instant | None = None


@dataclass(frozen=True, slots=True)
class VendorState:
    """The vendor: its own word, and what was concluded."""

    report: VendorReport | None = None
    diagnosis: Diagnosis | None = None
    order: WatchVendor | None = None


class Say(StrEnum):
    """What people are owed of work that the vendor plans."""

    STEP = "step"
    MOVED = "moved"
    OFF = "called off"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Work that the vendor plans, from *start_wall* to *end_wall* (seconds since 1970).

    *steps*: how many of the steps before it have come.  *owed*: what is to be told of it, perhaps
    when the studio opens.  *told*: people know of it.  *gone_since*: the page lists it no more.
    """

    id: str
    title: str
    start_wall: float
    end_wall: float | None
    steps: int = 0
    owed: Say | None = None
    told: bool = False
    gone_since: Instant | None = None


@dataclass(frozen=True, slots=True)
class Steering:
    """Over which *uplink* the vendor alone goes, while everything else goes over *line*.

    *order*: the SteerVendor that said so; None: it must be said (again).  *reached_since*: since
    when the app is reached over *line* again.  *not_before* (CLOCK_BOOTTIME): the hands refused.
    """

    uplink: str | None = None
    line: str | None = None
    order: int | None = None
    since: Instant | None = None
    reached_since: Instant | None = None
    not_before: float = 0.0


class Asking(StrEnum):
    """How often a metered line may be asked while nobody uses it."""

    USUAL = "usual"
    RARE = "rare"
    AT_NEED = "at need"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a metered line has carried in the plan's month that began at *month* (since 1970).

    *device*, *reading_bytes*: the last reading of its counter.  *since*: from when on all of it was
    counted.  *used_bytes*: while people or the box used it, *asking_bytes*: the rest, our own
    questions.  *outage_bytes*: since it was last switched to.  *left_at* (CLOCK_BOOTTIME): when it
    last was not used any more.  *told*: the last mark of the plan that people were told of.
    *full_at* (CLOCK_BOOTTIME): since when this outage has used up the data meant for it.
    """

    device: int
    reading_bytes: int
    month: float
    ends: float
    since: float
    in_use: bool = False
    left_at: float | None = None
    used_bytes: int = 0
    asking_bytes: int = 0
    outage_bytes: int = 0
    told: int = 0
    outage_told: bool = False
    asking: Asking = Asking.USUAL
    full_at: float | None = None

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.used_bytes + self.asking_bytes


@dataclass(frozen=True, slots=True)
class State:
    """Everything.  *next_id* numbers actions, *next_incident* incidents.

    *looking*: what was ordered to be looked into.
    *opens_wall*: when a closed studio opens (seconds since 1970), None = not known.
    *rehearse_from*: CLOCK_BOOTTIME before which no rehearsal begins.
    *stepped*: CLOCK_BOOTTIME of the last event; what was due until then has been looked at.
    """

    uplinks: Mapping[str, UplinkState]
    failover: Failover = field(default_factory=Failover)
    vendor: VendorState = field(default_factory=VendorState)
    steering: Steering = field(default_factory=Steering)
    spent: Mapping[str, Spent] = field(default_factory=dict)
    limited: Limit | None = None
    names_by_tcp: bool = False
    incidents: tuple[Incident, ...] = ()
    paces: Mapping[str, ProbeEvery] = field(default_factory=dict)
    looking: Mapping[str, tuple[Inquiry, ...]] = field(default_factory=dict)
    unfinished: tuple[Action, ...] = ()
    cache: CacheReport | None = None
    box: BoxState = field(default_factory=BoxState)
    is_open: bool = True
    closed_since: Instant | None = None
    opens_wall: float | None = None
    reminders: tuple[Reminder, ...] = ()
    rehearsals: Mapping[str, Rehearsal] = field(default_factory=dict)
    rehearse_from: float = 0.0
    boot_id: str = ""
    version: str = ""
    next_id: int = 1
    next_incident: int = 1
    stepped: float = 0.0
    trouble: tuple[str, ...] = ()
