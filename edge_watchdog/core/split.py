"""Some operators answer over a line, others do not: since when, and is it the line's doing?

In: the tracks of one line and of the others.  Out: operators by name, and when to ask once more.
The rule: what no line hears is not this line's fault, and a moment's lost questions are no split.
"""

from collections.abc import Iterable

from edge_watchdog.core.evidence import internet
from edge_watchdog.core.once import once
from edge_watchdog.core.state import Track, UplinkState

SPLIT = 2  # one operator's trouble is not ours
PROVEN_S = 2.0  # most gaps of a route heal sooner
PROVEN_LOSSY_S = 15.0  # where much is lost, a target is deaf by chance for a while
LOOK_S, LOOK_REST_S = 4.0, 1.0  # so long is a young split asked about, and how often


def deaf_operators(tracks: Iterable[Track], span_s: float = 0.0) -> set[str]:
    """Name the operators of which no target answers, by no method, while others do.

    *span_s*: for so long, from the first lost question to its last target to the newest one.
    """
    found = _by_operator(tracks)
    return {who for who, own in found.items() if _is_deaf(own, span_s)}


def _is_deaf(tracks: list[Track], span_s: float) -> bool:
    lost = [t.losing_since.mono for t in tracks if t.deaf and t.losing_since is not None]
    if len(lost) < len(tracks):
        return False
    return max(t.asked.mono for t in tracks) - max(lost) >= span_s


def unheard_anywhere(others: Iterable[UplinkState]) -> frozenset[str]:
    """Name the operators that another line does not hear either, while it hears some."""
    unheard: set[str] = set()
    for other in others:
        unheard |= _unheard(other)
    return frozenset(unheard)


@once
def _unheard(known: UplinkState) -> frozenset[str]:
    if not any(t.misses for t in internet(known)):
        return frozenset()
    found = _by_operator(internet(known))
    mute = frozenset(who for who, own in found.items() if all(t.misses for t in own))
    return mute if len(mute) < len(found) else frozenset()


@once
def split_since(known: UplinkState) -> float | None:
    """Date (CLOCK_BOOTTIME) the first lost question to the second operator with a deaf target."""
    begins: dict[str, float] = {}
    for track in internet(known):
        if track.deaf and track.losing_since is not None:
            began = track.losing_since.mono
            begins[track.operator] = min(began, begins.get(track.operator, began))
    if len(begins) < SPLIT:
        return None
    return sorted(begins.values())[SPLIT - 1]


def _by_operator(tracks: Iterable[Track]) -> dict[str, list[Track]]:
    found: dict[str, list[Track]] = {}
    for track in tracks:
        found.setdefault(track.operator, []).append(track)
    return found
