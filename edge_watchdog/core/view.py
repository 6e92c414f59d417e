"""StudioView: all that a face may show.  Faces show it and decide nothing.

``view(state, policy, now)`` (in core/portray.py) makes it; ``codec`` carries it to the desk half
and to MQTT.  It holds no client's name by construction.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from edge_watchdog.core.actions import Severity
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode, VendorLevel, Window


class Standing(StrEnum):
    """The one big word of the desk page."""

    NORMAL = "normal"
    CHECKING = "checking"
    LIMITED = "limited"
    BACKUP = "backup"
    VENDOR = "vendor"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Banner:
    """What the desk reads: can I still work, what changed, what do I do, when do I hear again.

    *steps*: three at most.  *next_word_wall*: when the next update is promised, or None.
    *cause* is the machine's name of the cause (Cause value), for styling and tests.
    """

    standing: Standing
    cause: str
    headline: str
    can_work: str
    changed: str
    steps: tuple[str, ...] = ()
    call: str = ""
    next_word_wall: float | None = None
    since_wall: float | None = None


@dataclass(frozen=True, slots=True)
class RungView:
    """One layer of one uplink, with the evidence in words ("6 of 6 anchors answered")."""

    layer: str
    health: Health
    evidence: str


@dataclass(frozen=True, slots=True)
class DataView:
    """What a metered uplink has carried in the plan's month so far; *cap_bytes* None = nobody said.

    *asking_bytes*: the part that is our own questions, *asking_cap_bytes* what they may come to;
    *rare*: they have been made rarer for it.  *since_wall*: counted from then on.
    """

    used_bytes: int
    cap_bytes: int | None
    asking_bytes: int
    asking_cap_bytes: int
    since_wall: float
    ends_wall: float
    rare: bool = False


@dataclass(frozen=True, slots=True)
class UplinkView:
    """One way out, now.  *role*: "in use", "standby" or "out"; *cause* in words ("" = none).

    *data*: None unless metered and counted; *used* says it in words.  *rehearsed*: how its last
    rehearsal, at *rehearsed_wall*, ended.
    """

    name: str
    interface: str
    metered: bool
    role: str
    health: Health
    cause: str
    confidence: float
    because: tuple[str, ...]
    rungs: tuple[RungView, ...]
    rtt_s: float | None
    loss_ratio: float | None
    since_wall: float | None
    data: DataView | None = None
    used: str = ""
    rehearsed_wall: float | None = None
    rehearsed: str = ""


@dataclass(frozen=True, slots=True)
class VendorView:
    """The vendor as its page says, and its *app* as it is seen from here.

    *cause* is the present diagnosis, "" when nothing is wrong or nothing can be said.
    """

    name: str
    page: VendorLevel
    page_title: str
    page_reason: str
    page_as_of_wall: float | None
    app: Health
    app_evidence: str
    windows: tuple[Window, ...] = ()
    cause: str = ""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident, open (*resolved_wall* None) or over; *because* is the evidence in words."""

    id: int
    cause: str
    headline: str
    severity: Severity
    opened_wall: float
    resolved_wall: float | None
    acknowledged_by: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A person's order for *uplink*: by whom, why, until when (seconds since 1970).

    *in_force*: it is used now; else *note* says why not.
    """

    uplink: str
    by: str
    reason: str
    until_wall: float
    in_force: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class StudioView:
    """Everything a face may show.  Times ending in _wall are seconds since 1970, UTC.

    *wall_known* is False when the clock may be wrong; then ages must not be shown as numbers.
    *failback_at_wall*: when the preferred uplink is taken back if it stays clean, or None.
    """

    at: Instant
    version: str
    mode: Mode
    phase: str
    active: str | None
    preferred: str | None
    banner: Banner
    uplinks: tuple[UplinkView, ...]
    vendor: VendorView | None = None
    incidents: tuple[IncidentView, ...] = ()
    failback_at_wall: float | None = None
    override: OverrideView | None = None
    notices: tuple[str, ...] = ()
    wall_known: bool = True


@dataclass(frozen=True, slots=True)
class Stretch:
    """One uplink over one stretch of time (five minutes as a rule): its worst health and its loss.

    *health* UNKNOWN means that nobody watched then.
    """

    uplink: str
    start_wall: float
    seconds: float
    health: Health
    active: bool
    loss_ratio: float | None = None
    rtt_s: float | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The last 24 hours for the owner's page: stretches oldest first, incidents newest first."""

    stretches: tuple[Stretch, ...] = ()
    incidents: tuple[IncidentView, ...] = field(default=())
