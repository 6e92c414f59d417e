"""How busy one line is: its counters against the most it was ever seen to carry.

In: what usage.py reads, about once a second.  Out: a ratio, and whether the line sends without
hearing anything.  The rule: what was not seen for long enough is None.
"""

from collections import deque
from dataclasses import dataclass, field

from edge_watchdog.links.usage import Carried

WINDOW_S = 3.0  # one second of a TCP connection says little
HALF_LIFE_S = 86_400.0  # a plan that was made slower is learned anew within days
# A line that never carried much has shown no peak yet: below these (half a megabit a second sent,
# two received) nothing is called busy.
LEAST_SENT, LEAST_RECEIVED = 64_000.0, 256_000.0  # bytes per second
MUTE_PACKETS, MUTE_S = 3, 1.0


@dataclass(slots=True)
class Peak:
    """The highest rate seen, in bytes per second, fading by half in a day."""

    rate: float
    at: float = 0.0

    def learn(self, rate: float, now: float, least: float) -> float:
        """Take *rate* in and give its share of the peak."""
        faded = self.rate * 0.5 ** (max(0.0, now - self.at) / HALF_LIFE_S)
        self.rate, self.at = max(rate, faded, least), now
        return rate / self.rate


@dataclass(slots=True)
class Load:
    """What one interface carries; times are CLOCK_BOOTTIME."""

    ratio: float | None = None
    hears_nothing: bool | None = None
    _looks: deque[tuple[float, Carried]] = field(default_factory=deque)
    _sent: Peak = field(default_factory=lambda: Peak(LEAST_SENT))
    _received: Peak = field(default_factory=lambda: Peak(LEAST_RECEIVED))
    _heard: Carried | None = None  # as it was when something last came in
    _mute_since: float | None = None

    def note(self, now: float, carried: Carried | None) -> None:
        """Take in one look at the counters; None: the interface is not there."""
        last = self._looks[-1][1] if self._looks else None
        if carried is None or (last is not None and _is_another(last, carried)):
            self._looks.clear()
            self._heard = self._mute_since = self.ratio = self.hears_nothing = None
        if carried is None:
            return
        self._looks.append((now, carried))
        while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW_S:
            self._looks.popleft()
        self.ratio = self._measure(now, carried)
        self.hears_nothing = self._listen(now, carried)

    def _measure(self, now: float, carried: Carried) -> float | None:
        began, before = self._looks[0]
        if now - began < WINDOW_S:
            return None
        sent = (carried.sent_bytes - before.sent_bytes) / (now - began)
        received = (carried.received_bytes - before.received_bytes) / (now - began)
        return max(
            self._sent.learn(sent, now, LEAST_SENT),
            self._received.learn(received, now, LEAST_RECEIVED),
        )

    def _listen(self, now: float, carried: Carried) -> bool | None:
        heard = self._heard
        if heard is None or carried.received_packets > heard.received_packets:
            self._heard, self._mute_since = carried, None
            return None if heard is None else False
        if carried.sent_packets - heard.sent_packets < MUTE_PACKETS:
            return None
        if self._mute_since is None:
            self._mute_since = now
        return True if now - self._mute_since >= MUTE_S else None


def _is_another(before: Carried, after: Carried) -> bool:
    """Tell whether the counters began anew: a device that was taken away and came back."""
    return (
        after.received_bytes < before.received_bytes
        or after.sent_bytes < before.sent_bytes
        or after.received_packets < before.received_packets
        or after.sent_packets < before.sent_packets
    )
