"""Which of the free times are shown, when there are more than a person wants to read.

Local times of one day as "HH:MM" in, some of them out, in order.
"""

from collections.abc import Sequence
from itertools import pairwise

QUARTER_MIN = 15


def minutes_of(clock: str) -> int:
    """Give "HH:MM" in minutes since midnight."""
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def thinned(begins: Sequence[str], most: int) -> tuple[str, ...]:
    """Leave out quarters, then half hours, so that the whole day is still there.

    The first of each gap always stays.
    """
    firsts = {b for a, b in pairwise(begins) if minutes_of(b) - minutes_of(a) > QUARTER_MIN}
    kept = tuple(begins)
    for step_min in (30, 60):
        if len(kept) <= most:
            break
        kept = tuple(
            one for one in kept if one in (begins[0], *firsts) or not minutes_of(one) % step_min
        )
    return kept


def nearest(begins: Sequence[str], wanted: str, most: int) -> tuple[str, ...]:
    """Give those that are nearest to *wanted*."""
    aim = minutes_of(wanted)
    return tuple(sorted(sorted(begins, key=lambda one: abs(minutes_of(one) - aim))[:most]))
