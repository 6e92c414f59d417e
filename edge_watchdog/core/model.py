"""The nouns that every room shares: what was asked, what was heard, what the world is like.

All are frozen values.  None means "not known"; it is never written as 0, "" or a large number.
"""

from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.instant import Instant


class Mode(StrEnum):
    """How much of the network the box may touch."""

    OBSERVE = "observe"
    SELF = "self"
    GATEWAY = "gateway"


class UplinkKind(StrEnum):
    """What kind of way out this is; names the driver."""

    ETHERNET = "ethernet"


class Layer(StrEnum):
    """The rungs of the ladder, nearest first."""

    LINK = "link"
    GATEWAY = "gateway"
    INTERNET = "internet"
    NAMES = "names"
    WEB = "web"


class Health(StrEnum):
    """What is known of one rung, or of one uplink."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Finding(StrEnum):
    """What an answer, or the lack of one, told us.

    ANSWERED is any answer of the target itself, a TCP reset or an ICMP port-unreachable included:
    it proves the path.  NOT_ASKED is our own inability (no address, socket refused, late timer).
    MISROUTED means that the question would have left by another link: neither up nor down.
    FALSE_ANSWER is a name that somebody on the way gives an address it cannot have.
    """

    ANSWERED = "answered"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    WRONG_ANSWER = "wrong answer"
    FALSE_ANSWER = "false answer"
    PORTAL = "portal"
    BAD_CERTIFICATE = "bad certificate"
    MISROUTED = "misrouted"
    NOT_ASKED = "not asked"


# Something answered, if not always as it should: not lost.
ALIVE = frozenset(
    {
        Finding.ANSWERED,
        Finding.WRONG_ANSWER,
        Finding.FALSE_ANSWER,
        Finding.PORTAL,
        Finding.BAD_CERTIFICATE,
    }
)


class Neighbour(StrEnum):
    """What the kernel's ARP or ND table says of a gateway; STALE is "was there, not checked"."""

    REACHABLE = "reachable"
    STALE = "stale"
    PROBING = "probing"
    FAILED = "failed"


class VendorLevel(StrEnum):
    """How the scheduling vendor says it is; UNKNOWN is apart: the page could not be understood."""

    OPERATIONAL = "operational"
    NOTICE = "notice"
    MAINTENANCE = "maintenance"
    DEGRADED = "degraded"
    PARTIAL_OUTAGE = "partial outage"
    MAJOR_OUTAGE = "major outage"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """How far a visit to the vendor's app came; the first stage that failed, or DONE.

    CERTIFICATE: there is one, but not one to be trusted.  LOGIN: pages come, but signing in only
    leads back to signing in.
    """

    NAMES = "names"
    CONNECT = "connect"
    TLS = "tls"
    CERTIFICATE = "certificate"
    HTTP = "http"
    CONTENT = "content"
    LOGIN = "login"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Uplink:
    """One way out of the building; the order in the configuration is the order of preference."""

    name: str
    kind: UplinkKind
    interface: str
    metered: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """A host on the internet that answers ICMP echo, and DNS too if *dns*; an IPv4 literal."""

    operator: str
    address: str
    dns: bool = False


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the kernel says of one uplink's interface; addresses are "192.0.2.7/24", IPv4.

    *routed* is False when a packet bound to this interface would not leave by its gateway: every
    probe through it would be misrouted.  *default* tells whether the system itself, without us,
    would leave by it.
    """

    present: bool
    carrier: bool | None = None
    addresses: tuple[str, ...] = ()
    gateway: str | None = None
    neighbour: Neighbour | None = None
    resolvers: tuple[str, ...] = ()
    routed: bool | None = None
    default: bool | None = None


class Sim(StrEnum):
    """How the SIM of a mobile line is; LOCKED wants a PIN or PUK, which nobody guesses."""

    READY = "ready"
    MISSING = "missing"
    LOCKED = "locked"


class Registration(StrEnum):
    """How a mobile line stands with its network."""

    REGISTERED = "registered"
    SEARCHING = "searching"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class CaptiveWord:
    """What a network says of itself (RFC 8908): does it want a sign-in, and on which page?

    *asked* is when the question left.  *sign_in_url* is "" when it does not say.
    """

    asked: Instant
    captive: bool
    sign_in_url: str = ""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A second device that hands out addresses, and leads computers elsewhere than the first does.

    *server* is its address, *mac* who it is on the wire ("" when not known), *router* the way that
    it tells computers to go ("" for none).
    """

    server: str
    mac: str
    router: str


@dataclass(frozen=True, slots=True)
class DriverReport:
    """What the driver of one uplink sees beyond the kernel's word; None everywhere = not known.

    A driver repeats it at least once a minute.  *overlaps* names the network of the studio that the
    line's own addresses overlap with, "" for none.  *peers_answer*: other devices of the local
    network do; *asking_peers*: that is being found out.  *address_taken*: two devices use the
    router's address; *asking_router*: that is being found out.  *own_address_taken*: another device
    says that it has ours.  *router_online* is
    the router's own word (PCP, UPnP or its page).  *path_mtu_bytes*: the largest packet that comes
    through unbroken, or of which the way says that it is too large.  *load_ratio*: the studio's
    traffic against the learned peak, the busier way.  *mobile_signal_dbm* is RSRP.
    *hears_nothing*: it sends, and its counter of received packets stands still.  *alive_at*: when a
    program other than our probes last heard somebody outside.  *edge_answers*: the provider's first
    machine does.  *stranger*: a second device in the line's local network hands out addresses.
    """

    at: Instant
    wireless: bool | None = None
    wifi_signal_dbm: float | None = None
    ssid_seen: bool | None = None
    auth_refused: bool | None = None
    overlaps: str | None = None
    peers_answer: bool | None = None
    address_taken: bool | None = None
    modem_answers: bool | None = None
    router_online: bool | None = None
    path_mtu_bytes: int | None = None
    ipv6_works: bool | None = None
    load_ratio: float | None = None
    sim: Sim | None = None
    registration: Registration | None = None
    mobile_signal_dbm: float | None = None
    cap_reached: bool | None = None
    hears_nothing: bool | None = None
    alive_at: Instant | None = None
    edge_answers: bool | None = None
    captive: CaptiveWord | None = None
    asking_peers: bool | None = None
    own_address_taken: bool | None = None
    asking_router: bool | None = None
    stranger: Stranger | None = None


@dataclass(frozen=True, slots=True)
class BoxReport:
    """How the box itself is; None = nothing new.

    *lag_s*: for so long, until *at*, the program could not run.  *clock_offset_s*: the right time
    less ours.  *lan_lost*: nothing of the studio's own network is reached any more, or it is again.
    *stranger*: who gives out addresses in the network behind the box, as people find it; "" = no
    longer anybody.
    """

    at: Instant
    power_low: bool | None = None
    lag_s: float | None = None
    clock_offset_s: float | None = None
    lan_lost: bool | None = None
    stranger: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One closed batch of questions to one target through one uplink.

    *at* is when the (first) question left, so that an old answer never excuses a newer silence.
    *target* says how and whom: "icmp 198.51.100.1", "dns 198.51.100.1", "https host".
    *operator* is who runs the target ("" when that does not matter).  sent=0 with ANSWERED is a
    late answer: it cancels the miss that was counted for it.  sent=0 otherwise: could not ask.
    """

    at: Instant
    uplink: str
    layer: Layer
    target: str
    sent: int
    lost: int
    rtt_s: float | None = None
    operator: str = ""
    finding: Finding = Finding.ANSWERED
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance the vendor announced; times are seconds since 1970, UTC."""

    id: str
    title: str
    start_wall: float
    end_wall: float | None
    active: bool


@dataclass(frozen=True, slots=True)
class VendorReport:
    """What the vendor's status page says.

    *as_of_wall* is when the question was sent, less the Age header.  *reason* says why a level is
    UNKNOWN ("unreachable", "not_json", "unknown_enum", "too_large", ...), else "".
    *started_wall* is the begin of the gravest open incident.
    """

    at: Instant
    level: VendorLevel
    title: str = ""
    started_wall: float | None = None
    windows: tuple[Window, ...] = ()
    reason: str = ""
    as_of_wall: float | None = None


@dataclass(frozen=True, slots=True)
class JourneyReport:
    """One visit to the vendor's app through one uplink: from *at* to *until*.

    *stage* is DONE when the app is usable, else the first stage that failed.  *asked* is False when
    the visit could not be made at all (no address): then it says nothing about the vendor.
    """

    at: Instant
    uplink: str
    stage: Stage
    asked: bool = True
    seconds: float | None = None
    status: int | None = None
    detail: str = ""
    until: Instant | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the app answered as it should."""
        return self.asked and self.stage is Stage.DONE


@dataclass(frozen=True, slots=True)
class CacheReport:
    """How much of the day the desk half holds: counts, never names."""

    at: Instant
    source: str
    today: int | None
    tomorrow: int | None
    as_of_wall: float | None
    problem: str = ""
