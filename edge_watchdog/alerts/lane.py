"""How one channel is doing: when it may be tried again, and how often it may speak.

A channel that fails is left alone for 5 s, doubling to 5 min, or for as long as it asked; a link
that comes back shortens the wait, but never what the service asked for.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_watchdog.alerts import AlertError
from edge_watchdog.core.instant import Instant

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
LINK_SETTLES_S = 10.0  # a link that has just come back often goes again
BURST = 12  # messages in a row ...
REFILL_S = 120.0  # ... and then one in this time: at most 42 in any hour
SHOWN_AFTER_S = 900.0  # a channel that fails for this long is worth a word


@dataclass(slots=True)
class Lane:
    """Times are CLOCK_BOOTTIME."""

    name: str
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.8, 1.2))  # noqa: S311
    retry_at: float = 0.0
    asked: bool = False
    failures: int = 0
    failing_since: Instant | None = None
    trouble: str = ""
    refusal: str = ""
    tokens: float = BURST
    counted_at: float = 0.0

    def wait_s(self, now: Instant) -> float:
        """Give how long to wait before the next message; 0 = none."""
        self._refill(now)
        for_token = (1 - self.tokens) * REFILL_S if self.tokens < 1 else 0.0
        return max(self.retry_at - now.mono, for_token, 0.0)

    def spend(self, now: Instant) -> None:
        """Count one message."""
        self._refill(now)
        self.tokens -= 1

    def _refill(self, now: Instant) -> None:
        gained = (now.mono - self.counted_at) / REFILL_S
        self.tokens = min(self.tokens + gained, BURST)
        self.counted_at = now.mono

    def worked(self) -> None:
        """Forget all trouble."""
        self.failures = 0
        self.retry_at = 0.0
        self.asked = False
        self.failing_since = None
        self.trouble = self.refusal = ""

    def failed(self, error: AlertError, now: Instant) -> None:
        """Take note of a failure; what was refused for good does not hold up the rest."""
        if not error.again:
            self.refusal = str(error)
            return
        self.failures += 1
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE_S)
        self.asked = error.after_s is not None
        self.retry_at = now.mono + (error.after_s or pause_s * self.jitter())
        self.failing_since = self.failing_since or now
        self.trouble = str(error)

    def wake(self, now: Instant) -> None:
        """Take note that a link is back."""
        if not self.asked:
            self.retry_at = min(self.retry_at, now.mono + LINK_SETTLES_S)

    def problem(self, now: Instant) -> str:
        """Say what the owner should know; "" = nothing."""
        if self.refusal:
            return f"{self.name}: {self.refusal}."
        if self.failing_since is None or now.since(self.failing_since) < SHOWN_AFTER_S:
            return ""
        minutes = round(now.since(self.failing_since) / 60)
        return f"{self.name}: nothing could be sent for {minutes} minutes ({self.trouble})."
