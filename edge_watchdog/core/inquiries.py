"""What else is to be looked into, by uplink: desired states, sent only when they change.

Nothing here is asked while all is well: it costs bytes or time, and explains only failures.
"""

from collections.abc import Iterator
from dataclasses import replace

from edge_watchdog.core.actions import Inquiry, LookInto
from edge_watchdog.core.evidence import SERIOUS, is_hard_down, is_lossy, is_silent
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import ladder
from edge_watchdog.core.model import Finding, Health, Layer, Neighbour, Stage
from edge_watchdog.core.once import once
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.portal import says_captive, secure_pages, shows_portal
from edge_watchdog.core.state import State, UplinkState

HANGS_AT = (Stage.TLS, Stage.HTTP, Stage.CONTENT)  # large packets come from here on


def set_inquiries(state: State, now: Instant, policy: Policy) -> tuple[State, tuple[LookInto, ...]]:
    """Order what is newly wanted, and call off what no longer is."""
    actions: list[LookInto] = []
    looking = dict(state.looking)
    for uplink in policy.uplinks:
        known = state.uplinks[uplink.name]
        in_play = uplink.name in (state.failover.active, state.failover.left)
        what = tuple(_wanted(known, now, policy, in_play=in_play))
        if what != looking.get(uplink.name, ()):
            looking[uplink.name] = what
            actions.append(LookInto(state.next_id + len(actions), uplink.name, what))
    if not actions:
        return state, ()
    state = replace(state, looking=looking, next_id=state.next_id + len(actions))
    return state, tuple(actions)


def _wanted(
    known: UplinkState, now: Instant, policy: Policy, *, in_play: bool
) -> Iterator[Inquiry]:
    if known.link is None or is_hard_down(known.link):
        return
    silent = is_silent(known, policy)
    if not silent and (known.slow_since is not None or is_lossy(known, now, policy)):
        yield Inquiry.LOAD
    if known.silence is not None and in_play:
        yield Inquiry.LIFE
    if silent or (in_play and _router_wavers(known, now, policy)):
        yield Inquiry.NEIGHBOURS
    if silent and known.link.neighbour is not Neighbour.FAILED:
        yield Inquiry.ROUTER
        yield Inquiry.EDGE
    if _may_want_sign_in(known, silent=silent):
        yield Inquiry.SIGN_IN
    if known.silence is None and hangs(known):
        yield Inquiry.SIZES


def _router_wavers(known: UplinkState, now: Instant, policy: Policy) -> bool:
    """Tell whether the router goes silent with the rest: are its neighbours silent, too?

    Asked before the silence is proven, as the answer decides what the fault is called.
    """
    if known.silence is None or known.silence.probes < SERIOUS:
        return False
    return ladder(known, now, policy)[Layer.GATEWAY].health in (Health.DEGRADED, Health.DOWN)


def _may_want_sign_in(known: UplinkState, *, silent: bool) -> bool:
    """Tell whether the network's own word is worth a question: its router must be there."""
    lost = silent and known.link is not None and known.link.neighbour is not Neighbour.FAILED
    return lost or shows_portal(known) or says_captive(known)


@once
def hangs(known: UplinkState) -> bool:
    """Tell whether secure pages, or the vendor's app, began to answer and then hang."""
    if any(t.finding is Finding.SILENT and t.misses for t in secure_pages(known)):
        return True
    journey = known.journey
    return journey is not None and not journey.ok and journey.stage in HANGS_AT
