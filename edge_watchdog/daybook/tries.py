"""How often somebody may be wrong: a PIN or password is not found by trying.

Failed tries in, seconds to wait out.  Tries are dated by the wall clock, so that a restart forgives
nothing; one dated ahead of a clock that was set back counts as just made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

PER_SOURCE, PER_SOURCE_S = 5, 15 * 60.0
IN_ALL, IN_ALL_S = 20, 3600.0


class Lock(StrEnum):
    """What is tried; each has a count of its own, so that one cannot be locked by the other."""

    PIN = "PIN"
    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    CODE = "code"  # random enough that only the count for one source matters


@dataclass(frozen=True, slots=True)
class Try:
    """One failed try; *source* is a device's number or an address of the LAN."""

    at_wall: float
    lock: Lock
    source: str


def wait_s(tries: Iterable[Try], lock: Lock, source: str, now_wall: float) -> float:
    """Give the seconds until *source* may try again, 0.0 when it may now."""
    mine = [one for one in tries if one.lock is lock]
    waits = [
        _wait_s([one for one in mine if one.source == source], PER_SOURCE, PER_SOURCE_S, now_wall)
    ]
    if lock is not Lock.CODE:
        waits.append(_wait_s(mine, IN_ALL, IN_ALL_S, now_wall))
    return max(waits)


def fresh(tries: Iterable[Try], now_wall: float) -> tuple[Try, ...]:
    """Give those that still count."""
    return tuple(one for one in tries if now_wall - IN_ALL_S < one.at_wall < now_wall + IN_ALL_S)


def _wait_s(tries: list[Try], most: int, window_s: float, now_wall: float) -> float:
    times = sorted(min(one.at_wall, now_wall) for one in tries)
    recent = [at for at in times if at > now_wall - window_s]
    return recent[-most] + window_s - now_wall if len(recent) >= most else 0.0
