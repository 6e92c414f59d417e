"""What an hour of nothing costs the card, with the real mind; run it with -s to see the figures."""

import asyncio
import statistics
from pathlib import Path

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.advance import advance, begin
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import Event, JourneyReported, LinkChanged, Sampled, Started
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    JourneyReport,
    Layer,
    LinkState,
    Mode,
    Neighbour,
    Sample,
    Stage,
    Uplink,
    UplinkKind,
)
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import State
from edge_watchdog.journal import Journal
from tests.patience import air

BUDGET_BYTES_A_DAY = 20_000_000
WALL = 1_790_000_000.0
UPLINKS = (
    Uplink("broadband", UplinkKind.ETHERNET, "wan0"),
    Uplink("LTE stick", UplinkKind.ETHERNET, "lte0", metered=True),
)
ANCHORS = tuple((f"198.51.100.{i}", f"operator {i % 4}") for i in range(1, 7))


def at(mono: float) -> Instant:
    return Instant(mono, WALL + mono)


def answered(mono: float, uplink: str, layer: Layer, target: str, operator: str = "") -> Sample:
    rtt_s = 0.011 + (mono * 7919 % 97) / 10_000 + 1.2345e-7
    return Sample(at(mono - rtt_s), uplink, layer, target, 1, 0, rtt_s, operator)


def an_hour(start: float) -> list[Event]:
    """Give the events of a quiet hour: the pulse four times a second, the rest at its pace."""
    events: list[Event] = []
    for tick in range(3600 * 4):
        mono = start + tick / 4 + 0.000123
        address, operator = ANCHORS[tick % len(ANCHORS)]
        how = "dns" if tick % 4 == 3 else "icmp"
        samples = [answered(mono, "broadband", Layer.INTERNET, f"{how} {address}", operator)]
        if tick % 20 == 0:
            samples.append(answered(mono, "broadband", Layer.GATEWAY, "icmp 192.0.2.1"))
        if tick % 40 == 0:
            samples.append(answered(mono, "broadband", Layer.NAMES, "dns 192.0.2.1"))
        if tick % 120 == 0:
            samples.append(answered(mono, "broadband", Layer.WEB, "http connectivity.example"))
        if tick % 240 == 0:
            samples.append(answered(mono, "LTE stick", Layer.INTERNET, f"icmp {address}", operator))
        events.append(Sampled(at(mono), tuple(samples)))
        if tick % 60 == 30:
            report = JourneyReport(at(mono), "broadband", Stage.DONE, seconds=0.412345, status=200)
            events.append(JourneyReported(at(mono), report))
    return events


def morning() -> list[Event]:
    link = LinkState(
        present=True, carrier=True, addresses=("192.0.2.7/24",), gateway="192.0.2.1",
        neighbour=Neighbour.REACHABLE, resolvers=("192.0.2.1",), routed=True, default=True,
    )  # fmt: skip
    return [
        Started(at(0.0), "boot", "0.1"),
        LinkChanged(at(0.1), "broadband", link),
        LinkChanged(at(0.2), "LTE stick", link),
    ]


class Watch:
    """The loop of the watch, as far as the journal is concerned."""

    def __init__(self, journal: Journal[State], policy: Policy) -> None:
        self.journal = journal
        self.policy = policy
        self.state = begin(policy)

    async def live(self, event: Event, *, notable: bool = False) -> None:
        step = advance(self.state, event, self.policy)
        await self.journal.append(event, self.state, step.state, step.actions, notable=notable)
        self.state = step.state
        if event.at.mono % 10 < 0.25:  # simulated time must not outrun the real disk
            await self.journal._ask(lambda: None)


def decode_state(data: object) -> State:
    return decode(State, data)


def written_bytes() -> int:
    """Give what this process handed to the disk so far; see proc(5), /proc/pid/io."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


@pytest.fixture
async def watch(tmp_path):
    journal = await Journal.open(tmp_path / "journal.db", boot_id="boot", decode_state=decode_state)
    watch = Watch(journal, Policy(UPLINKS, mode=Mode.SELF))
    for event in morning():
        await watch.live(event)
    yield watch
    await journal.close()


async def test_a_quiet_day_stays_within_the_budget(watch):
    before = written_bytes()
    for event in an_hour(10.0):
        await watch.live(event)
    await watch.journal._ask(
        lambda: watch.journal._store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    )
    hour = written_bytes() - before
    print(f"\nwritten in a quiet hour: {hour / 1000:.0f} kB, a day: {hour * 24 / 1e6:.1f} MB")
    assert watch.journal.problem == ""
    assert hour * 24 <= BUDGET_BYTES_A_DAY


async def test_a_decision_does_not_wait_long_for_the_disk(watch):
    clock, took_s = SystemClock(), []
    for event in an_hour(10.0)[:400]:
        before = clock.now()
        await watch.live(event, notable=True)
        step = advance(watch.state, Started(event.at, "boot", "0.1"), watch.policy)
        before = clock.now()
        await watch.journal.append(
            Started(event.at, "boot", "0.1"), watch.state, step.state, step.actions, notable=True
        )
        took_s.append(clock.now().since(before))
        await asyncio.sleep(0)
    took_s.sort()
    p50, p99 = statistics.median(took_s), took_s[int(len(took_s) * 0.99)]
    print(f"\nappend, committed: p50 {p50 * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms")
    assert p99 < air(0.1)
