"""How often a source may be asked: so many requests a day, and sparingly on a metered line.

Requests spent and the boot clock in, seconds to wait out.  A vendor that bills or blocks by the
request must never be asked more often than the owner has said, whatever else happens.
"""

from dataclasses import dataclass

DAY_S = 86400.0
STEADY_RATIO = 0.8  # of the budget for looks by the clock; the rest is for urgent ones
SPARING = 3.0
ROUNDING = 1e-6
USEFUL_S = 840.0  # a list is called fresh up to 15 minutes: sparing must not make it look older


@dataclass(slots=True)
class Purse:
    """Requests that may still be sent; *a_day* None is no limit.

    A bucket that fills at STEADY_RATIO of the budget and holds the rest of it, so that no 24 hours
    see more than *a_day* requests.  What was in it at the last stop is taken up with resume().
    """

    a_day: int | None
    _left: float = 0.0
    _at_mono: float | None = None

    def resume(self, left: float, idle_s: float, mono: float) -> None:
        """Go on with what was *left* when nothing had been sent for *idle_s*; it is *mono* now."""
        earned = idle_s * STEADY_RATIO * (self.a_day or 0) / DAY_S
        self._left, self._at_mono = min(self._size, left + earned), mono

    def left(self, mono: float) -> float:
        """Give how many requests may be sent; below 0 when more were sent than there were."""
        self._fill(mono)
        return self._left

    def spend(self, requests: int, mono: float) -> None:
        """Note that *requests* were sent at *mono*."""
        self._fill(mono)
        self._left -= requests

    def period_s(self, every_s: float, requests: int) -> float:
        """Give the period that the budget can bear for looks of *requests* each."""
        if self.a_day is None:
            return every_s
        return max(every_s, requests * DAY_S / (STEADY_RATIO * self.a_day))

    def wait_s(self, requests: int, mono: float) -> float:
        """Give how long to wait until *requests* more may be sent; 0.0 when they may now."""
        if self.a_day is None:
            return 0.0
        self._fill(mono)
        missing = min(requests, self._size) - self._left
        return missing * DAY_S / (STEADY_RATIO * self.a_day) if missing > ROUNDING else 0.0

    @property
    def _size(self) -> float:
        return max(1.0, (1 - STEADY_RATIO) * (self.a_day or 0))

    def _fill(self, mono: float) -> None:
        if self._at_mono is None:
            self._left = self._size
        else:
            earned = (mono - self._at_mono) * STEADY_RATIO * (self.a_day or 0) / DAY_S
            self._left = min(self._size, self._left + max(0.0, earned))
        self._at_mono = mono


def sparing_s(every_s: float) -> float:
    """Give the period on a metered line: three times as long, but the list stays fresh."""
    return max(every_s, min(SPARING * every_s, USEFUL_S))
