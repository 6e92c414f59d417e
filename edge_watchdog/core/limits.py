"""Over which metered lines only what is allowed is reached: why, until when, and how that is said.

In: what was counted (budget.py) and what the owner wants.  Out: the order to the packet filter, and
words.  The rules: only a box that carries the studio's computers (mode "gateway") refuses anything;
one that moves nothing but itself needs what it sends.  The limit of an outage ends with the outage,
and while a person's order for the line is in force that came after it.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from edge_watchdog.core import words
from edge_watchdog.core.actions import Action, Limit
from edge_watchdog.core.budget import (
    DRAINS_S,
    LOUD,
    amount,
    data_alert,
    is_draining,
    is_used_up,
    with_spent,
)
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Plan, Policy, Restrict, UsedUp
from edge_watchdog.core.sending import send_new
from edge_watchdog.core.state import State

OUTAGE_WORDS = "This outage has cost {used} on {line} so far."
NOW_LIMITED = "That is the data meant for one outage."
UNTIL = "This ends with the outage."
LIFT = "To open {line} for everything for some hours, the owner orders it as the line to use."
SELF_WORDS = "Nothing is stopped: over it goes only what the box itself sends."
LIMITED = "Over {line} only the addresses that you allowed are reached."
OF_OUTAGE = "This outage has used the data meant for it; ordering the line opens it for a while."
LIFTED = "{line} is open for everything by order, beyond the data meant for one outage."


class Why(StrEnum):
    """Why a line is limited."""

    ALWAYS = "always"
    USED_UP = "used up"
    OUTAGE = "outage"


def set_limits(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    """Order, when that changes, over which lines only what is allowed may be reached.

    Also say when an outage has used up the data meant for it.
    """
    state, told = _tell(state, now, policy)
    if policy.mode is not Mode.GATEWAY:
        return state, told
    limited = tuple(name for name, _ in policy.plans if _why(state, name, now, policy))
    before = state.limited.uplinks if state.limited else ()
    if limited == before:
        return state, told
    order = Limit(state.next_id, limited)
    return replace(state, limited=order, next_id=state.next_id + 1), (*told, order)


def limits_end(state: State) -> Iterator[float]:
    """Give when (CLOCK_BOOTTIME) the limit of an outage that is over ends."""
    for one in state.spent.values():
        if one.full_at is not None and one.left_at is not None and not one.in_use:
            yield one.left_at + DRAINS_S


def limit_words(state: State, now: Instant, policy: Policy) -> Iterator[str]:
    """Say which lines are limited now, and which one is open only by order."""
    names = state.limited.uplinks if state.limited else ()
    for name, _ in policy.plans:
        if name in names:
            why = _why(state, name, now, policy)
            more = (OF_OUTAGE,) if why is Why.OUTAGE else ()
            yield " ".join((LIMITED, *more)).replace("{line}", name)
        elif policy.mode is Mode.GATEWAY and _is_dear(state, name, now):
            yield LIFTED.replace("{line}", name)


def _why(state: State, name: str, now: Instant, policy: Policy) -> Why | None:
    if policy.restrict is Restrict.ALWAYS:
        return Why.ALWAYS
    plan = policy.plan_of(name) or Plan()
    cares = policy.restrict is Restrict.USED_UP or plan.when_used_up is UsedUp.STOP
    if cares and is_used_up(state, name, plan):
        return Why.USED_UP
    return Why.OUTAGE if _is_dear(state, name, now) and not _is_lifted(state, name) else None


def _is_dear(state: State, name: str, now: Instant) -> bool:
    one = state.spent.get(name)
    return one is not None and one.full_at is not None and (one.in_use or is_draining(one, now))


def _is_lifted(state: State, name: str) -> bool:
    """Tell whether a person ordered the line, knowing what it had cost."""
    order, since = state.failover.override, state.spent[name].full_at
    if order is None or order.since is None or since is None:
        return False
    return order.uplink == name and order.since.mono >= since


def _tell(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[Action, ...]]:
    actions: tuple[Action, ...] = ()
    for name, one in state.spent.items():
        if one.full_at is None or not one.in_use or one.outage_told:
            continue
        headline = OUTAGE_WORDS.format(line=name, used=amount(one.outage_bytes))
        alert = data_alert(state, name, (headline, _body(name, policy)), LOUD, now)
        state = with_spent(state, name, replace(one, outage_told=True))
        state, sent = send_new(state, alert)
        actions += sent
    return state, actions


def _body(name: str, policy: Policy) -> str:
    if policy.mode is not Mode.GATEWAY:
        return SELF_WORDS if policy.mode is Mode.SELF else ""
    still = words.still(policy) or "Nothing but names and the time works"
    still = f"{still} over {{line}}, nothing else does."
    text = f"{NOW_LIMITED} {still} {UNTIL} {LIFT}"
    vendor = words.capital(policy.vendor_name)  # it begins a sentence here
    return text.replace("{line}", name).replace("{vendor}", vendor)
