"""The numbers the mind decides with; each has its source, or its reason, beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.model import Mode, Uplink


@dataclass(frozen=True, slots=True)
class Periods:
    """Seconds between two questions of each class at one pace; None = not asked at this pace.

    *pulse*: one anchor, in rotation.  *gateway*: echo to the gateway.  *names*: known answer from
    the uplink's own resolver.  *web*: HTTP 204 page, body checked.  *secure*: the same over TLS,
    certificate and Date looked at.  *journey*: a visit to the vendor's app.
    """

    pulse: float | None
    gateway: float | None
    names: float | None
    web: float | None
    secure: float | None
    journey: float | None


# Metered standby, a month of 30 days, bytes of IP there and back: 32,400 echoes of 72, 10,800 DNS
# pulses of 150, 1,560 names of 150, 720 pages of 0.8 kB, 60 secure pages and 60 visits of the app
# of 7 kB each come to 5.5 MB (bench/month.py measures them; an app's page of 30 kB adds 1.6).  One
# lost pulse in a hundred adds some 0.6 MB of bursts (an estimate).
PACES: Mapping[Pace, Periods] = {
    Pace.OFF: Periods(None, None, None, None, None, None),
    # names: with the two seconds that an answer may take, a dead name service is named within five
    Pace.ACTIVE: Periods(pulse=0.25, gateway=5, names=2, web=30, secure=60, journey=15),
    Pace.ACTIVE_CLOSE: Periods(pulse=0.125, gateway=5, names=2, web=30, secure=60, journey=15),
    # 4 pulses of 120 bytes a second are 1.7 MB an hour, while the line carries the whole studio
    Pace.ACTIVE_METERED: Periods(pulse=0.25, gateway=5, names=30, web=120, secure=600, journey=60),
    Pace.ACTIVE_SPARING: Periods(pulse=1, gateway=5, names=30, web=120, secure=600, journey=60),
    Pace.STANDBY: Periods(pulse=5, gateway=15, names=60, web=60, secure=300, journey=300),
    # some 0.5 MB a month: is it there at all?
    Pace.STANDBY_RARE: Periods(
        pulse=600, gateway=None, names=None, web=None, secure=None, journey=None
    ),
    Pace.STANDBY_METERED: Periods(
        pulse=60, gateway=None, names=3600, web=3600, secure=43200, journey=43200
    ),
    # for half a minute at most: 120 pulses of 120 bytes are some 15 kB
    Pace.COMPARED: Periods(
        pulse=0.25, gateway=15, names=3600, web=3600, secure=43200, journey=43200
    ),
}


class UsedUp(StrEnum):
    """What becomes of a line whose plan is used up, as the owner wants it."""

    KEEP = "keep"
    STOP = "stop"


class Restrict(StrEnum):
    """When the studio's computers reach only what is allowed over a metered line."""

    NEVER = "never"
    USED_UP = "used up"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a metered line may carry; None = nobody said.

    *cap_bytes*: a month.  *asking_cap_bytes*: our own questions a month, while nobody uses it.
    *outage_bytes*: in one outage, before only what is allowed is reached over it.
    """

    cap_bytes: int | None = None
    asking_cap_bytes: int = 10_000_000
    outage_bytes: int | None = None
    when_used_up: UsedUp = UsedUp.KEEP


ORDER_LONGEST_S = 4 * 3600.0  # nobody remembers an order of yesterday
BURST_S = 0.1  # spacing of a burst: each anchor and the gateway, ten times a second


@dataclass(frozen=True, slots=True)
class Policy:
    """All durations in seconds.  *uplinks*: most preferred first."""

    uplinks: tuple[Uplink, ...]
    mode: Mode = Mode.OBSERVE
    vendor_name: str = "the scheduling vendor"
    restrict: Restrict = Restrict.NEVER
    plans: tuple[tuple[str, Plan], ...] = ()  # of metered uplinks, by name
    allows_vendor: bool = True  # over a limited line; *allows_more*: the owner named something
    allows_more: bool = False

    divert_probes: int = 12  # with fewer, one lossy line looks like a dead one
    divert_span_s: float = 0.5  # gaps up to half a second are common and heal by themselves
    refused_span_s: float = 0.15  # an explicit no needs no patience; a routing flap may pass
    divert_operators: int = 3  # one operator's trouble is not ours
    verified_s: float = 3.0  # a standby checked longer ago may have died since
    verified_operators: int = 2
    evict_s: float = 4.0  # most gaps that heal do so within three seconds
    undo_s: float = 1.0  # a provisional divert is undone after this much of clean answers
    order_longest_s: float = ORDER_LONGEST_S
    undo_limit: int = 3  # the third undo within undo_memory_s costs a hold-down
    undo_memory_s: float = 600.0
    rehearse: bool = False  # only where opening hours are known
    rehearse_after_s: float = 4 * 3600.0  # after closing: those who clean up are gone
    carrier_debounce_s: float = 0.05
    hold_s: float = 60.0  # failback after hold_s * 2**k clean seconds, k = failures in memory
    hold_cap_s: float = 1800.0
    failures_memory_s: float = 7200.0
    flap_switches: int = 4  # more than this many switches in flap_window_s: stay, say "unstable"
    flap_window_s: float = 1800.0
    loss_window_s: float = 60.0
    loss_noticed_ratio: float = 0.03  # 5 % spoils calls and card terminals; 2 % nobody notices
    cusum_p0: float = 0.02
    cusum_p1: float = 0.15
    cusum_h: float = 14.0
    brownout_better_s: float = 15.0
    # 15 % is what the CUSUM looks for.  With these two (bench.lossy) a line that loses 5 % is left
    # less than once a year, and one that loses 20 % soon; with a tenth it would be a dozen times.
    brownout_ratio: float = 0.12  # lost while it is compared
    brownout_minute_ratio: float = 0.115  # lost in the loss window
    brownout_rtt_s: float = 0.4  # ITU-T G.114: beyond it two people on a call talk at once
    deaf_after: int = 3  # misses in a row while two other targets answer: the target, not the line
    lag_s: float = 0.2  # a program held up for longer has not heard what was answered meanwhile
    vendor_slow_s: float = 3.0
    confident: float = 0.80  # name a cause at this, and only at twice the runner-up
    update_every_s: float = 3600.0  # studios were promised word each hour, even without news
    vendor_goal_s: float = 900.0  # vendors want to be back by then: people hear when they are not
    status_every_s: float = 60.0
    status_trouble_s: float = 20.0

    def plan_of(self, uplink: str) -> Plan | None:
        """Give what *uplink* may carry; None when it costs nothing by the amount."""
        return next((plan for name, plan in self.plans if name == uplink), None)
