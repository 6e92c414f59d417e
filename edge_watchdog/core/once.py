"""What a pure function made of a value is made once, for as long as it is the very same value.

In: a function of one value that nobody changes in place.  Out: the same function, which remembers
its last few results.  The rule: a value is known again by what it *is*, never by what it is like;
so asking again costs next to nothing, and nothing that was learned since can be missed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

KEEPS = 32  # the lines of a studio a few times over: one event changes one of them
V = TypeVar("V")
R = TypeVar("R")


def once(function: Callable[[V], R]) -> Callable[[V], R]:
    """Have *function* work only on values that it was not given lately."""
    kept: dict[int, tuple[V, R]] = {}  # the value is kept too: while it is, its id is nobody else's

    @wraps(function)
    def remembering(value: V) -> R:
        found = kept.get(id(value))
        if found is None:
            if len(kept) >= KEEPS:
                kept.clear()
            found = kept[id(value)] = (value, function(value))
        return found[1]

    return remembering
