"""Proof of life: what a line still carries while every host that is asked says nothing.

Hosts can be filtered; a line that brings answers to other programs is not dead.  Such a proof
only ever holds a divert back, and only if it is newer than the silence itself: what comes in
before a line dies, or is on its way while it dies, proves nothing.
"""

from dataclasses import replace

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer
from edge_watchdog.core.state import Silence, State, UplinkState

ON_ITS_WAY_S = 0.1  # what left before the line died may still come in for so long
LIFE_S = 1.0  # traffic that pauses for longer says no more than hosts that are silent
PAGE_LIFE_S = 8.0  # a page is asked every five seconds meanwhile, and may take two


def note_life(state: State, now: Instant) -> State:
    """Say of each uplink whether what it carries speaks for it at *now*."""
    uplinks = {name: _noted(known, now) for name, known in state.uplinks.items()}
    if all(uplinks[name] is known for name, known in state.uplinks.items()):
        return state
    return replace(state, uplinks=uplinks)


def _noted(known: UplinkState, now: Instant) -> UplinkState:
    until = 0.0 if known.silence is None else _alive_until(known, known.silence)
    vetoed = until > now.mono
    if (until, vetoed) == (known.alive_until, known.vetoed):
        return known
    return replace(known, alive_until=until, vetoed=vetoed)


def _alive_until(known: UplinkState, silence: Silence) -> float:
    since = silence.since.mono + ON_ITS_WAY_S
    proof = known.report.alive_at if known.report else None
    until = known.alive_until
    if proof is not None and proof.mono > since:
        until = max(until, proof.mono + LIFE_S)
    if not until:
        return until  # a page alone may be kept by the provider, with nothing beyond it
    pages = (
        t.answered.mono
        for t in known.tracks.values()
        if t.layer is Layer.WEB and t.finding is Finding.ANSWERED and t.answered and not t.misses
    )
    return max((page + PAGE_LIFE_S for page in pages if page > since), default=until)
