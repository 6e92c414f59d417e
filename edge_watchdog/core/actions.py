"""Everything the mind can ask of the hands.

Each action has an *id* and names a desired state, so that carrying it out twice is harmless; its
outcome comes back as ``Done(id)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Pace(StrEnum):
    """How often an uplink is asked; the periods stand in policy.PACES.

    ACTIVE_CLOSE: the line in use stutters.  ACTIVE_METERED: it costs, and there is another one.
    COMPARED: a standby beside such a line.
    """

    OFF = "off"
    ACTIVE = "active"
    ACTIVE_CLOSE = "active close"
    ACTIVE_METERED = "active metered"
    ACTIVE_SPARING = "active sparing"
    STANDBY = "standby"
    STANDBY_METERED = "standby metered"
    STANDBY_RARE = "standby rare"
    COMPARED = "compared"


class Inquiry(StrEnum):
    """What can be looked into while something wants to be explained; none of it is for nothing.

    LOAD: what the line carries, each second.  LIFE: do programs still hear somebody outside?
    NEIGHBOURS: are other devices of the local network still there, and has one device the router's
    address?  ROUTER: its own word about its line.  EDGE: the provider's first machine.  SIZES: do
    large packets come through?  SIGN_IN: does the network itself want a sign-in?
    """

    LOAD = "load"
    LIFE = "life"
    NEIGHBOURS = "neighbours"
    ROUTER = "router"
    EDGE = "edge"
    SIZES = "sizes"
    SIGN_IN = "sign in"


class Severity(StrEnum):
    """How loud: a NOTICE never makes a noise, an OUTAGE means that work is hindered now."""

    NOTICE = "notice"
    WARNING = "warning"
    OUTAGE = "outage"


class Reason(StrEnum):
    """Why an alert is sent now."""

    FIRST = "first"
    CHANGED = "changed"
    UPDATE_DUE = "update due"
    RESOLVED = "resolved"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Alert:
    """One message about one incident; texts come from words.py and hold no client's name.

    *since_wall* and *said_wall* are seconds since 1970: when it began and when this was true.
    """

    incident: int
    reason: Reason
    severity: Severity
    cause: str
    headline: str
    body: str
    steps: tuple[str, ...]
    since_wall: float
    said_wall: float


@dataclass(frozen=True, slots=True)
class RouteVia:
    """New connections of the box leave by *uplink*; None takes our route away."""

    id: int
    uplink: str | None


@dataclass(frozen=True, slots=True)
class Evict:
    """Connections that still hang on the dead *uplink* are ended now, so that programs retry."""

    id: int
    uplink: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Have *uplink* ready to carry traffic (dial, join); may take seconds."""

    id: int
    uplink: str


@dataclass(frozen=True, slots=True)
class Release:
    """Let *uplink* rest: nothing needs it now."""

    id: int
    uplink: str


@dataclass(frozen=True, slots=True)
class ProbeEvery:
    """Ask through *uplink* at *pace* until told otherwise; *avoid* are targets not worth asking."""

    id: int
    uplink: str
    pace: Pace
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeBurst:
    """Ask all anchors and the gateway of *uplink* every 100 ms for *for_s* seconds, from now.

    *triage*: also ask the slower rungs (names, web page) once, now, whatever their turn; *secure*:
    a secure page as well.
    *at_once*: do not wait for the next tenth of a second of a burst that is on; what is asked
    now decides.
    """

    id: int
    uplink: str
    for_s: float
    triage: bool = False
    secure: bool = False
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class LookInto:
    """Look into *what* about *uplink* and report it, until told otherwise; () = nothing."""

    id: int
    uplink: str
    what: tuple[Inquiry, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchVendor:
    """Read the status page every *every_s* seconds through *via* (None: do not read it now).

    *visits* says through which uplinks the app itself is visited, and every how many seconds.
    """

    id: int
    every_s: float
    via: str | None
    visits: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SteerVendor:
    """The vendor's addresses alone leave by *uplink*, whatever RouteVia says; None: as the rest."""

    id: int
    uplink: str | None


@dataclass(frozen=True, slots=True)
class AskByTcp:
    """The studio's computers get their names by TCP as well when *wanted*, else by UDP alone."""

    id: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """Over *uplinks*, and no other, the studio's computers reach only what the owner allows."""

    id: int
    uplinks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FetchSchedule:
    """The desk half should fetch the day now."""

    id: int
    why: str


@dataclass(frozen=True, slots=True)
class SendAlert:
    """Hand *alert* to every channel's outbox."""

    id: int
    alert: Alert


Action = (
    RouteVia
    | Evict
    | Ready
    | Release
    | ProbeEvery
    | ProbeBurst
    | LookInto
    | WatchVendor
    | SteerVendor
    | Limit
    | AskByTcp
    | FetchSchedule
    | SendAlert
)
