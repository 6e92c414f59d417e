"""The book of open questions of one uplink: each is closed once, by an answer or by its timer.

Pure: the time comes in as a parameter.  A question closed as lost is remembered for a while, so
that a late answer can cancel the loss; one that closed while this box itself was late says nothing.
"""

import heapq
import math
import secrets
from dataclasses import dataclass
from enum import Enum

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import ALIVE, Finding, Sample
from edge_watchdog.probes.asking import Heard, Method, Target

SHORTEST_S, LONGEST_S = 0.15, 0.8  # bounds of the miss timer
LATE_ANSWER_S = 5.0  # an answer this much later still cancels its loss
OWN_DELAY_S = 0.2  # a timer served later than this is our fault
NUMBERS = 1 << 16


class RoundTrip:
    """Smoothed round-trip time and the miss timer that follows from it (RFC 6298 section 2)."""

    __slots__ = ("_smooth_s", "_spread_s")

    def __init__(self) -> None:
        """Know nothing: the timer is then at its longest."""
        self._smooth_s: float | None = None
        self._spread_s = 0.0

    def learn(self, rtt_s: float) -> None:
        """Take one measurement in."""
        if self._smooth_s is None:
            self._smooth_s, self._spread_s = rtt_s, rtt_s / 2
            return
        self._spread_s += (abs(self._smooth_s - rtt_s) - self._spread_s) / 4
        self._smooth_s += (rtt_s - self._smooth_s) / 8

    @property
    def timer_s(self) -> float:
        """Give how long an answer is waited for."""
        if self._smooth_s is None:
            return LONGEST_S
        return min(max(self._smooth_s + 4 * self._spread_s, SHORTEST_S), LONGEST_S)


class Standing(Enum):
    """How an entry was told: not yet, as lost, or as unknown because this box was late."""

    OPEN = 0
    LOST = 1
    VOID = 2


@dataclass(slots=True)
class Entry:
    """One question: when it left, and *due*, when its timer or its memory runs out."""

    target: Target
    at: Instant
    due: float
    standing: Standing = Standing.OPEN


class Book:
    """All questions of one uplink that may still be answered."""

    def __init__(self, uplink: str) -> None:
        """Start with no question."""
        self._uplink = uplink
        self._entries: dict[int, Entry] = {}
        self._timers: list[tuple[float, int]] = []
        self._round_trips: dict[str, RoundTrip] = {}

    def __len__(self) -> int:
        """Count what is remembered."""
        return len(self._entries)

    def enter(self, target: Target, at: Instant) -> int:
        """Open a question that leaves *at*; the number is random and not in use."""
        number = secrets.randbelow(NUMBERS)
        while number in self._entries:
            number = secrets.randbelow(NUMBERS)
        due = at.mono + self._timer_s(target)
        self._entries[number] = Entry(target, at, due)
        heapq.heappush(self._timers, (due, number))
        return number

    def _timer_s(self, target: Target) -> float:
        """Give how long *target* is waited for: a stranger as long as the slowest one known."""
        trip = self._round_trips.get(target.label)
        if trip is not None:
            return trip.timer_s
        known = (one.timer_s for one in self._round_trips.values())
        return max(known, default=LONGEST_S)

    def withdraw(self, number: int, why: str) -> Sample:
        """Take back a question that could not leave."""
        entry = self._entries.pop(number)
        return self._sample(entry, Finding.NOT_ASKED, detail=why)

    def hear(self, heard: Heard, now: Instant) -> Sample | None:
        """Close the question that *heard* is about; None if it tells nothing new."""
        entry = self._entries.get(heard.number)
        if entry is None or entry.target.address != heard.address:
            return None
        if heard.finding is Finding.ANSWERED:
            return self._answered(heard, entry, now)
        if entry.standing is not Standing.OPEN:
            return None
        if heard.finding is Finding.NOT_ASKED:
            del self._entries[heard.number]
            return self._sample(entry, Finding.NOT_ASKED, detail=heard.detail)
        self._shelve(heard.number, entry, Standing.LOST, now)
        return self._sample(entry, heard.finding, sent=1, detail=heard.detail)

    def expire(self, now: Instant) -> tuple[list[Sample], list[int]]:
        """Close what is overdue; give the samples and the numbers that are now forgotten.

        Call it after everything heard so far has been told to hear().
        """
        samples: list[Sample] = []
        forgotten: list[int] = []
        late = False
        while self._timers and self._timers[0][0] <= now.mono:
            due, number = heapq.heappop(self._timers)
            entry = self._entries.get(number)
            if entry is None or entry.due != due:
                continue
            if entry.standing is not Standing.OPEN:
                del self._entries[number]
                forgotten.append(number)
                continue
            late = late or now.mono - due > OWN_DELAY_S  # the earliest comes first
            if entry.target.method is Method.TCP:
                # the kernel repeats a SYN after a second: a later answer may be to the second one
                del self._entries[number]
                forgotten.append(number)
            else:
                self._shelve(number, entry, Standing.VOID if late else Standing.LOST, now)
            if late:
                samples.append(self._sample(entry, Finding.NOT_ASKED, detail="this box was late"))
            else:
                samples.append(self._sample(entry, Finding.SILENT, sent=1))
        return samples, forgotten

    def next_due(self) -> float:
        """Give the time (CLOCK_BOOTTIME) of the next timer that matters; infinity if none."""
        while self._timers:
            due, number = self._timers[0]
            entry = self._entries.get(number)
            if entry is not None and entry.due == due:
                return due
            heapq.heappop(self._timers)
        return math.inf

    def _answered(self, heard: Heard, entry: Entry, now: Instant) -> Sample:
        del self._entries[heard.number]
        rtt_s = max(now.since(entry.at) - heard.age_s, 0.0)
        self._round_trips.setdefault(entry.target.label, RoundTrip()).learn(rtt_s)
        sent = 0 if entry.standing is Standing.LOST else 1
        return self._sample(entry, Finding.ANSWERED, sent=sent, rtt_s=rtt_s, detail=heard.detail)

    def _shelve(self, number: int, entry: Entry, standing: Standing, now: Instant) -> None:
        entry.standing = standing
        entry.due = now.mono + LATE_ANSWER_S
        heapq.heappush(self._timers, (entry.due, number))

    def _sample(
        self,
        entry: Entry,
        finding: Finding,
        *,
        sent: int = 0,
        rtt_s: float | None = None,
        detail: str = "",
    ) -> Sample:
        return Sample(
            at=entry.at,
            uplink=self._uplink,
            layer=entry.target.layer,
            target=entry.target.label,
            sent=sent,
            lost=0 if finding in ALIVE else sent,
            rtt_s=rtt_s,
            operator=entry.target.operator,
            finding=finding,
            detail=detail,
        )
