"""What a metered line of a studio in memory carries, and whether the mind keeps the books on it.

In: each step that was lived.  Out: readings, as links/counting.py tells them; and sentences on what
is wrong.  An estimate: each question costs what bench/month.py measured on the wire, and people
carry USE_BYTES_S while the studio is open and the line is in use.  The books are kept twice: what
the mind says was used must be what was carried, nobody may be told too late, and no cap exceeded.
Once an outage has used up its budget only what is allowed passes, as the packet filter has it.
"""

from collections.abc import Iterator

from edge_watchdog.core.actions import Action, Pace, ProbeBurst, RouteVia, SendAlert
from edge_watchdog.core.advance import Step
from edge_watchdog.core.budget import DRAINS_S, MARKS
from edge_watchdog.core.events import Counted, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.policy import BURST_S, PACES, Plan, UsedUp
from edge_watchdog.core.state import Spent, State
from edge_watchdog.sim.studio import BEGAN

EVERY_S = 60.0
MONTH_S = 30 * 86_400.0
USE_BYTES_S = 50_000.0  # card terminals, bookings, a little music
ALLOWED_BYTES_S = 5_000.0  # of it: card terminals and bookings
LATE_S = EVERY_S + 5.0  # so long it may go on, until the counter is read
QUESTION_BYTES = {  # IP there and back; what the router or stick answers itself goes no further
    "pulse": 0.75 * 72 + 0.25 * 150,  # an echo, and every fourth time a DNS query
    "names": 150.0,
    "web": 800.0,
    "secure": 7_000.0,
    "journey": 37_000.0,  # an app's page of 30 kB
}
TICK_BYTES = 4 * 72 + 2 * 150  # of a burst, every BURST_S
# Such traffic uses it up in five and a half hours, and an outage's budget in fifty minutes.
PLAN = Plan(cap_bytes=10**9, outage_bytes=150 * 10**6, when_used_up=UsedUp.STOP)


class Meter:
    """The counter of one metered *uplink*, and a second book beside the mind's.

    *used*: by the readings of this month; None after a crash, which may have lost a reading.
    *outage*: what people carried beyond what is allowed since they were last moved to this line;
    None after a crash, until the next outage.
    """

    def __init__(self, uplink: str, plan: Plan) -> None:
        """Begin at nothing."""
        self.uplink, self.plan = uplink, plan
        self.read_at = BEGAN.mono
        self.used: int | None = 0
        self.outage: float | None = 0.0
        self.told = self.most = 0
        self._left = -DRAINS_S
        self._carried, self._device, self._until = 0.0, 1, BEGAN.mono
        self._last: int | None = None
        self._month = 0

    def lives(
        self, before: State, actions: tuple[Action, ...], now: Instant, *, is_used: bool
    ) -> None:
        """Have pass what passed since the last step; *is_used*: people go over this line."""
        seconds, self._until = now.mono - self._until, now.mono
        known = before.uplinks[self.uplink]
        if known.link is not None and known.link.carrier:
            people = self._people(before, seconds) if is_used else 0.0
            self._carried += people + seconds * _asking_bytes_s(known.pace)
        bursts = (a for a in actions if isinstance(a, ProbeBurst) and a.uplink == self.uplink)
        self._carried += sum(TICK_BYTES * burst.for_s / BURST_S for burst in bursts)

    def _people(self, before: State, seconds: float) -> float:
        """Give what people carry, and enter what is not always allowed."""
        if self._until - seconds - self._left >= DRAINS_S:
            self.outage = 0.0
        self._left = self._until
        if not before.is_open:
            return 0.0
        if before.limited is not None and self.uplink in before.limited.uplinks:
            return seconds * ALLOWED_BYTES_S
        if self.outage is not None:
            self.outage += seconds * (USE_BYTES_S - ALLOWED_BYTES_S)
        return seconds * USE_BYTES_S

    def read(self, now: Instant) -> Counted:
        """Read the counter, and enter that into the second book."""
        carried, month = int(self._carried), int(now.since(BEGAN) // MONTH_S)
        if month > self._month:
            self._month, self.told = month, 0
            self.used = None if self.used is None else 0
        if self.used is not None and self._last is not None:
            self.used += carried - self._last
            self.most = max(self.most, self.used)
        self._last, self.read_at = carried, now.mono
        begins = BEGAN.wall + month * MONTH_S
        return Counted(now, self.uplink, self._device, carried, begins, begins + MONTH_S)

    def crashes(self, *, reboots: bool) -> None:
        """Have the box crash; if it *reboots* the counter begins anew."""
        self.used = self.outage = None
        if reboots:
            self._carried, self._device, self._last = 0.0, self._device + 1, 0

    def wrong(self, before: State, event: Event, step: Step) -> Iterator[str]:
        """Say what is wrong with what the mind made of *event*."""
        spent, cap = step.state.spent.get(self.uplink), self.plan.cap_bytes
        goes = [a for a in step.actions if isinstance(a, RouteVia) and a.uplink == self.uplink]
        is_new = before.failover.active not in (None, self.uplink)
        if goes and is_new and cap is not None and (self.used or 0) >= cap:
            yield f"a switch to {self.uplink}, whose plan is used up"
        if not isinstance(event, Counted):
            return
        budget = self.plan.outage_bytes
        if budget is not None and (self.outage or 0) > budget + LATE_S * USE_BYTES_S:
            yield f"an outage cost {self.outage:.0f} bytes on {self.uplink}, {budget} were meant"
        if spent is None:
            yield f"nobody counts what {self.uplink} carries"
        elif self.used is None:
            self.used, self.told = spent.total_bytes, spent.told
        else:
            yield from self._differences(before.spent.get(self.uplink), spent, step)

    def _differences(self, was: Spent | None, spent: Spent, step: Step) -> Iterator[str]:
        assert self.used is not None
        if spent.total_bytes != self.used:
            yield f"{self.uplink} carried {self.used} bytes, and {spent.total_bytes} are told"
        if spent.asking_bytes > self.plan.asking_cap_bytes:
            yield f"questions over {self.uplink} cost {spent.asking_bytes} bytes this month"
        percent = 100 * self.used // (self.plan.cap_bytes or 1)
        reached = max((mark for mark in MARKS if percent >= mark), default=0)
        dear = spent.in_use and spent.outage_bytes >= (self.plan.outage_bytes or 0)
        news = int(reached > self.told) + int(dear and not (was is not None and was.outage_told))
        told = [a.alert.cause for a in step.actions if isinstance(a, SendAlert)]
        alerts = told.count("data used")
        if alerts != news:
            yield f"{percent} % of {self.uplink} is used: {alerts} were told, {news} are due"
        self.told = max(self.told, reached)


def _asking_bytes_s(pace: Pace) -> float:
    periods = ((getattr(PACES[pace], rung), cost) for rung, cost in QUESTION_BYTES.items())
    return sum((cost / period for period, cost in periods if period is not None), 0.0)
