"""How the studio's computers get their names: by TCP while nothing comes through by UDP.

State in, an order out when that changes.  A filter for UDP port 53 that has a router or provider
behind it seldom stops the same question by TCP (RFC 7766 has every server answer both).
"""

from dataclasses import replace

from edge_watchdog.core.actions import AskByTcp
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Cause, State


def set_names(state: State, policy: Policy) -> tuple[State, tuple[AskByTcp, ...]]:
    """Order TCP when the line in use is found to be blocked for names, and call it off again."""
    if policy.mode is not Mode.GATEWAY:
        return state, ()
    active = state.uplinks.get(state.failover.active or "")
    found = active.diagnosis if active else None
    wanted = found is not None and found.cause is Cause.DNS_BLOCKED
    if wanted is state.names_by_tcp:
        return state, ()
    order = AskByTcp(state.next_id, wanted)
    return replace(state, names_by_tcp=wanted, next_id=state.next_id + 1), (order,)
