"""The box's clock beside those of others: the Date headers of two hosts that agree.

In: samples of pages.  Out: how far the clock is off, when that is news.  One host alone may be
wrong, or a cache; a page that is not the host's own says nothing.
"""

import re
from collections.abc import Callable, Iterable

from edge_watchdog.clock import Clock
from edge_watchdog.core.events import BoxReported, Event, Sampled
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import BoxReport, Finding, Layer, Sample

FRESH_S = 900.0  # pages are asked in turn; over a metered line in use each ten minutes or so
AGREE_S = 60.0
_OFF = re.compile(r"date off by (-?\d+) s")


class Dates:
    """Remembers what each host said of the time."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[Instant, float]] = {}
        self._told_s = 0.0

    def note(self, samples: Iterable[Sample]) -> float | None:
        """Give the right time less ours when two hosts agree on something new, in seconds."""
        for sample in samples:
            _, _, host = sample.target.partition(" ")
            if sample.layer is Layer.WEB and sample.finding is Finding.ANSWERED and host:
                found = _OFF.search(sample.detail)
                self._said[host] = (sample.at, float(found[1]) if found else 0.0)
        return self._agreed()

    def _agreed(self) -> float | None:
        newest = sorted(self._said.values(), key=lambda one: -one[0].mono)[:2]
        if len(newest) < 2 or newest[0][0].since(newest[1][0]) > FRESH_S:
            return None
        one, other = (off_s for _, off_s in newest)
        off_s = (one + other) / 2
        if abs(one - other) > AGREE_S or abs(off_s - self._told_s) <= AGREE_S:
            return None
        self._told_s = off_s
        return off_s


def with_dates(emit: Callable[[Event], None], clock: Clock) -> Callable[[Event], None]:
    """Give *emit* that also tells, after samples, how far the box's clock is off."""
    dates = Dates()

    def tell(event: Event) -> None:
        emit(event)
        off_s = dates.note(event.samples) if isinstance(event, Sampled) else None
        if off_s is not None:
            now = clock.now()
            emit(BoxReported(now, BoxReport(now, clock_offset_s=off_s)))

    return tell
