"""Everything that can happen to the mind.  Each event carries the instant it was noticed."""

from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    BoxReport,
    CacheReport,
    DriverReport,
    JourneyReport,
    LinkState,
    Sample,
    VendorReport,
)


class OrderKind(StrEnum):
    """What a person may order: stay on one uplink for a while, or let the box decide again."""

    USE = "use"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Started:
    """The watch half began; *boot_id* differs after a reboot, when old mono times mean nothing."""

    at: Instant
    boot_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """Batches of probes closed, by an answer or by the miss timer."""

    at: Instant
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The kernel told of a change of an uplink's interface, or this is the first look at it."""

    at: Instant
    uplink: str
    state: LinkState


@dataclass(frozen=True, slots=True)
class DriverReported:
    """The driver of an uplink looked at its device, or at what it is plugged into."""

    at: Instant
    uplink: str
    report: DriverReport


@dataclass(frozen=True, slots=True)
class Counted:
    """The interface of a metered uplink has carried so much since its *device* came up.

    *month*, *ends*: when the plan's month began and ends, seconds since 1970.
    """

    at: Instant
    uplink: str
    device: int
    carried_bytes: int
    month: float
    ends: float


@dataclass(frozen=True, slots=True)
class BoxReported:
    """The box found something about itself: power, a clock that is off, a program held up."""

    at: Instant
    report: BoxReport


@dataclass(frozen=True, slots=True)
class VendorReported:
    """The status page was read, or could not be."""

    at: Instant
    report: VendorReport


@dataclass(frozen=True, slots=True)
class JourneyReported:
    """The vendor's app was visited."""

    at: Instant
    report: JourneyReport


@dataclass(frozen=True, slots=True)
class CacheReported:
    """The desk half told how much of the day it holds."""

    at: Instant
    report: CacheReport


@dataclass(frozen=True, slots=True)
class HoursChanged:
    """The studio opened or closed, by its opening hours and its time zone.

    *opens_wall*: when it opens again (seconds since 1970), as far as that is known.
    """

    at: Instant
    is_open: bool
    opens_wall: float | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody at the desk said "got it" to an incident."""

    at: Instant
    incident: int
    by: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """A person overrides the choice of uplink for *for_s* seconds, and says why."""

    at: Instant
    kind: OrderKind
    uplink: str | None
    for_s: float
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """An action was carried out (*ok*) or could not be (*detail* says why)."""

    at: Instant
    action: int
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """A worker crashed and will be started again."""

    at: Instant
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The wall clock jumped by *by_s* seconds (network time arrived, or somebody set it)."""

    at: Instant
    by_s: float


@dataclass(frozen=True, slots=True)
class Woke:
    """A deadline came, or the shell looked in."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Stopping:
    """The watch half is about to end in an orderly way."""

    at: Instant


Event = (
    Started
    | Sampled
    | LinkChanged
    | DriverReported
    | BoxReported
    | Counted
    | VendorReported
    | JourneyReported
    | CacheReported
    | HoursChanged
    | Acknowledged
    | Ordered
    | Done
    | WorkerFailed
    | ClockStepped
    | Woke
    | Stopping
)
