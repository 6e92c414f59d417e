"""How long a test waits: a busy machine may take several times what a quiet one needs.

What comes is taken at once, so air in a bound costs nothing while all is well.  How fast things
are is measured in bench/, not here.
"""

import asyncio
import time
from collections.abc import Callable

AIR = 5.0


def air(quiet_s: float) -> float:
    """Give the bound for what a quiet machine does within *quiet_s*."""
    return AIR * quiet_s


def until(is_so: Callable[[], bool], quiet_s: float) -> float:
    """Wait until it is so; gives the seconds that took."""
    begin = time.monotonic()
    while not is_so():
        assert time.monotonic() < begin + air(quiet_s), f"not within {air(quiet_s)} s"
        time.sleep(0.02)
    return time.monotonic() - begin


async def soon(is_so: Callable[[], object], quiet_s: float = 4.0) -> None:
    """Wait beside an event loop until it is so."""
    async with asyncio.timeout(air(quiet_s)):
        while not is_so():  # noqa: ASYNC110 - what is waited for raises no event of ours
            await asyncio.sleep(0.01)
