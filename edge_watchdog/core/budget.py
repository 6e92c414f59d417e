"""What a metered line has carried this month, and what that means: words at 50, 80 and 95 %.

In: the counters of its interface, as events.  Counted is everything on the wire.  What was carried
while nobody used the line is our own asking, and has a cap of its own: it gets rarer as soon as it
runs ahead of the month, and stops short of the cap; from then on the line is asked only when a
decision needs it.  Nothing is known before the first reading, and that is said.
"""

from dataclasses import replace

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Alert, Pace, Reason, Severity
from edge_watchdog.core.events import Counted, Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.policy import Plan, Policy, UsedUp
from edge_watchdog.core.sending import send_new
from edge_watchdog.core.state import Asking, Spent, State
from edge_watchdog.core.view import DataView

MARKS = (50, 80, 95, 100)  # per cent of the plan at which people are told
LOUD = 95
DRAINS_S = 600.0  # what is carried so soon after a line was left began while it was in use
STOPS_RATIO = 0.9  # of the cap on asking; the rest is for the moment of need
HEAD_START_RATIO = 0.1  # of it may be used at once, for the first days of a month
CALM_RATIO = 0.9  # back to usual when this far below what would be in time
USED_WORDS = "{line} has used {percent} % of this month's data ({used} of {cap})."
GONE_WORDS = "{line} has used up this month's data ({used} of {cap})."
KEEP_WORDS = "The box goes on using it when the usual line is down; that may cost more."
STOP_WORDS = "Once it is used up, the box does not switch to it any more."
SPARE_STEP = "Leave videos, backups and large downloads for later."


def account(
    state: State, event: Event, now: Instant, policy: Policy
) -> tuple[State, tuple[Action, ...]]:
    """Note who uses the metered lines, count what they carry, and say what people should know."""
    spent = {name: _used(one, name in _users(state), now) for name, one in state.spent.items()}
    if spent != state.spent:
        state = replace(state, spent=spent)
    plan = policy.plan_of(event.uplink) if isinstance(event, Counted) else None
    if not isinstance(event, Counted) or plan is None:
        return state, ()
    in_use = event.uplink in _users(state)
    counted = _counted(state.spent.get(event.uplink), event, in_use)
    counted = replace(counted, asking=_asking(counted, plan, event.at.wall))
    counted = replace(counted, full_at=_full_at(counted, plan, event.at))
    state = replace(state, spent={**state.spent, event.uplink: counted})
    return _tell(state, event.uplink, plan, now)


def _full_at(one: Spent, plan: Plan, now: Instant) -> float | None:
    """Give when this outage had used up the data meant for it."""
    if plan.outage_bytes is None or one.outage_bytes < plan.outage_bytes:
        return None
    return now.mono if one.full_at is None else one.full_at


def _users(state: State) -> tuple[str | None, ...]:
    return state.failover.active, state.steering.uplink


def _used(one: Spent, in_use: bool, now: Instant) -> Spent:
    if one.in_use == in_use:
        return one
    if not in_use:
        return replace(one, in_use=False, left_at=now.mono)
    if is_draining(one, now):
        return replace(one, in_use=True)
    return replace(one, in_use=True, outage_bytes=0, outage_told=False, full_at=None)


def is_draining(one: Spent, now: Instant) -> bool:
    """Tell whether a line was left so short a time ago that it may still carry what began then."""
    return not one.in_use and one.left_at is not None and now.mono - one.left_at < DRAINS_S


def _counted(one: Spent | None, event: Counted, in_use: bool) -> Spent:
    """Add what was carried since the last reading; a counter that began anew began at nothing."""
    if one is None:
        since = event.at.wall
        return Spent(event.device, event.carried_bytes, event.month, event.ends, since, in_use)
    anew = event.device != one.device or event.carried_bytes < one.reading_bytes
    more = event.carried_bytes - (0 if anew else one.reading_bytes)
    if event.month > one.month:  # never backwards: a clock that is not set yet changes nothing
        one = replace(one, month=event.month, ends=event.ends, since=event.month, told=0)
        one = replace(one, used_bytes=0, asking_bytes=0)
    one = replace(one, device=event.device, reading_bytes=event.carried_bytes)
    if one.in_use or is_draining(one, event.at):
        outage_bytes = one.outage_bytes + more
        return replace(one, used_bytes=one.used_bytes + more, outage_bytes=outage_bytes)
    return replace(one, asking_bytes=one.asking_bytes + more)


def _asking(one: Spent, plan: Plan, wall: float) -> Asking:
    """Say how often the line may be asked, so that the month is through before the cap is."""
    if one.asking_bytes >= plan.asking_cap_bytes * STOPS_RATIO:
        return Asking.AT_NEED
    gone = (wall - one.month) / max(1.0, one.ends - one.month)
    gone = min(1.0, max(HEAD_START_RATIO, gone))
    in_time = plan.asking_cap_bytes * STOPS_RATIO * gone
    calm = in_time * CALM_RATIO if one.asking is not Asking.USUAL else in_time
    return Asking.USUAL if one.asking_bytes <= calm else Asking.RARE


def standby_pace(state: State, uplink: str) -> Pace:
    """Give the pace of a metered line that nobody uses."""
    one = state.spent.get(uplink)
    return Pace.STANDBY_METERED if one is None else _PACES[one.asking]


def only_at_need(state: State, uplink: str) -> bool:
    """Tell whether the line may be asked only when a decision waits for it."""
    one = state.spent.get(uplink)
    return one is not None and one.asking is Asking.AT_NEED and not one.in_use


def may_carry(state: State, uplink: str, policy: Policy) -> bool:
    """Tell whether the box may switch to this line: not beyond the plan, if the owner says so."""
    plan = policy.plan_of(uplink)
    if plan is None or plan.when_used_up is UsedUp.KEEP:
        return True
    return not is_used_up(state, uplink, plan)


def is_used_up(state: State, uplink: str, plan: Plan) -> bool:
    """Tell whether the plan's month is used up."""
    one = state.spent.get(uplink)
    return one is not None and plan.cap_bytes is not None and one.total_bytes >= plan.cap_bytes


def carry_over(state: State, now: Instant, policy: Policy) -> dict[str, Spent]:
    """Give what is still true after a reboot: the counters begin anew, the month goes on.

    So does an outage, when it is bridged again soon: a reboot is no way to more data.
    """
    return {
        name: replace(
            one,
            device=0,
            reading_bytes=0,
            in_use=False,
            left_at=now.mono if one.in_use else None,
            full_at=None if one.full_at is None else now.mono,
        )
        for name, one in state.spent.items()
        if policy.plan_of(name) is not None
    }


def data_view(state: State, uplink: str, policy: Policy) -> DataView | None:
    """Show what was counted; None when nothing was."""
    one, plan = state.spent.get(uplink), policy.plan_of(uplink)
    if one is None or plan is None:
        return None
    return DataView(
        one.total_bytes,
        plan.cap_bytes,
        one.asking_bytes,
        plan.asking_cap_bytes,
        since_wall=one.since,
        ends_wall=one.ends,
        rare=one.asking is not Asking.USUAL,
    )


def data_words(data: DataView | None, *, metered: bool) -> str:
    """Say what an uplink has carried; "" for one that costs nothing by the amount."""
    if not metered:
        return ""
    if data is None:
        return "data used: not known yet"
    cap = "" if data.cap_bytes is None else f" of {amount(data.cap_bytes)}"
    rare = ", asked rarely to save data" if data.rare else ""
    questions = f"{amount(data.asking_bytes)} of it by the box's own questions"
    return f"data used: {amount(data.used_bytes)}{cap}, {questions}{rare}"


def _tell(state: State, name: str, plan: Plan, now: Instant) -> tuple[State, tuple[Action, ...]]:
    one = state.spent[name]
    if plan.cap_bytes is None:
        return state, ()
    percent = 100 * one.total_bytes // plan.cap_bytes
    reached = max((mark for mark in MARKS if percent >= mark), default=0)
    if reached <= one.told:
        return state, ()
    alert = data_alert(state, name, _plan_words(name, one, plan, reached), reached, now)
    return send_new(with_spent(state, name, replace(one, told=reached)), alert)


def with_spent(state: State, name: str, one: Spent) -> State:
    """Give *state* with what *name* has carried."""
    return replace(state, spent={**state.spent, name: one})


def _plan_words(name: str, one: Spent, plan: Plan, reached: int) -> tuple[str, str]:
    """Give headline and body."""
    text = USED_WORDS if reached < 100 else GONE_WORDS
    used, cap = amount(one.total_bytes), amount(plan.cap_bytes or 0)
    headline = text.format(line=name, percent=reached, used=used, cap=cap)
    more = KEEP_WORDS if plan.when_used_up is UsedUp.KEEP else STOP_WORDS
    return words.capital(headline), more


def data_alert(
    state: State, name: str, words: tuple[str, str], reached: int, now: Instant
) -> Alert:
    """Give what is told of the data of *name*; *words*: headline and body."""
    loud = reached >= LOUD
    return Alert(
        incident=state.next_incident,
        reason=Reason.NOTICE,
        severity=Severity.WARNING if loud else Severity.NOTICE,
        cause="data used",
        headline=words[0],
        body=words[1],
        steps=(SPARE_STEP,) if state.spent[name].in_use else (),
        since_wall=state.spent[name].since,
        said_wall=now.wall,
    )


def amount(count: int) -> str:
    """Say a number of bytes as a bill does: 1 GB is a thousand million bytes."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.0f} kB"


_PACES = {
    Asking.USUAL: Pace.STANDBY_METERED,
    Asking.RARE: Pace.STANDBY_RARE,
    Asking.AT_NEED: Pace.OFF,
}
