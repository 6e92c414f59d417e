"""The store and the keeper: what is believed, what waits, what survives."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import Appointment, DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.freshness import Band, Now, Stamp, age_words, band
from edge_watchdog.daybook.keeper import Keeper, Source, Surroundings, report
from edge_watchdog.daybook.model import (
    Attendee,
    Client,
    Money,
    Note,
    NoteKind,
    PriceItem,
    Status,
)
from edge_watchdog.daybook.seal import KeySeal, Unsealed
from edge_watchdog.daybook.store import Drop, Snapshot, Store, Trouble, open_store

NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 UTC
TODAY = date(2026, 11, 21)
SEAL = KeySeal(bytes(range(32)), "daybook")
DAY_S = 86400.0


@dataclass
class StepClock:
    mono: float = 1000.0
    wall: float = NOON

    def now(self) -> Instant:
        return Instant(self.mono, self.wall)

    def step(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds


@dataclass
class FakeFeed:
    """Answers what it was told to; the body names how many entries each day has."""

    clock: StepClock
    answer: bytes | DaybookError = b"5 2"
    token: str = ""
    asked: list[str] = field(default_factory=list)
    read_bodies: int = 0

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        self.asked.append(known)
        if isinstance(self.answer, DaybookError):
            raise self.answer
        if known and known == self.token:
            return Fetched(None)
        return Fetched(self.answer, self.token)

    async def read(self, body: bytes, span: Span) -> Reading:
        self.read_bodies += 1
        counts = [int(word) for word in body.split()[: span.days]]
        return Reading(
            tuple(one for day, n in zip(span.dates, counts, strict=True) for one in rows(day, n))
        )


def rows(day: date, count: int) -> list[Appointment]:
    midnight = Span(day, 1, "Europe/London").start_wall
    return [
        Appointment(
            f"{day}-{n}",
            midnight + 3600 * (8 + n % 12),
            midnight + 3600 * (9 + n % 12),
            False,
            "Mia",
            "Cut",
            "Anna B.",
            "",
            Status.CONFIRMED,
        )
        for n in range(count)
    ]


@dataclass
class World:
    clock: StepClock
    feed: FakeFeed
    store: Store
    keeper: Keeper

    def counts(self) -> tuple[int | None, int | None]:
        told = report(self.keeper.state, self.clock, "Europe/London")
        return told.today, told.tomorrow


@pytest.fixture
def world(tmp_path):
    made: list[Store] = []

    def make(
        boot_id: str = "boot 1", wall_known: bool | None = True, days: int = 2, **clock: float
    ) -> World:
        ticking = StepClock(**clock)
        store = open_store(str(tmp_path / "daybook.db"), SEAL)
        made.append(store)
        feed = FakeFeed(ticking)
        around = Surroundings(store, ticking, boot_id, lambda: wall_known, lambda _state: None)
        source = Source("front desk", feed, 300.0, "Europe/London", days=lambda _first: days)
        keeper = Keeper(source, around)
        return World(ticking, feed, store, keeper)

    yield make
    for store in made:
        store.close()


async def test_a_good_look_is_kept_and_survives_a_restart(world) -> None:
    first = world()
    assert await first.keeper.look() == 300
    assert first.counts() == (5, 2)
    again = world()
    await again.keeper.recall()
    assert again.keeper.state == first.keeper.state


async def test_the_next_open_day_is_held_too_and_the_counts_stay_those_of_two_days(world) -> None:
    one = world(days=3)
    one.feed.answer = b"5 0 4"
    await one.keeper.look()
    assert one.keeper.state.good.span.dates[-1] == date(2026, 11, 23)
    assert len(one.keeper.state.good.reading.appointments) == 9
    assert one.counts() == (5, 0)


async def test_a_broken_calendar_leaves_the_good_day_and_says_so(world) -> None:
    one = world()
    await one.keeper.look()
    one.clock.step(300)
    one.feed.answer = DaybookError("the calendar sent a web page instead of a calendar")
    assert await one.keeper.look() == 60
    state = one.keeper.state
    assert one.counts() == (5, 2)
    assert state.trouble == Trouble(
        "the calendar sent a web page instead of a calendar",
        Stamp(Instant(1300, NOON + 300), "boot 1"),
    )
    assert report(state, one.clock, "Europe/London").problem.endswith("instead of a calendar")
    again = world()
    await again.keeper.recall()
    assert again.keeper.state == state


async def test_repeated_trouble_is_dated_from_its_begin_and_asked_ever_more_seldom(world) -> None:
    one = world()
    one.feed.answer = DaybookError("no answer")
    pauses = []
    for _ in range(5):
        pauses.append(await one.keeper.look())
        one.clock.step(100)
    assert pauses == [60, 120, 240, 300, 300]
    assert one.keeper.state.trouble is not None
    assert one.keeper.state.trouble.since.at.mono == 1000
    one.feed.answer = b"5 2"
    assert await one.keeper.look() == 300
    assert one.keeper.state.trouble is None


async def test_a_pause_that_the_server_asks_for_is_kept(world) -> None:
    one = world()
    one.feed.answer = DaybookError("less often", after_s=1200)
    assert await one.keeper.look() == 1200


async def test_an_unchanged_calendar_is_not_read_again_but_counts_as_seen_now(world) -> None:
    one = world()
    one.feed.token = "etag 1"
    await one.keeper.look()
    one.clock.step(300)
    await one.keeper.look()
    assert one.feed.asked == ["", "etag 1"]
    assert one.feed.read_bodies == 1
    good = one.keeper.state.good
    assert good is not None
    assert good.as_of.at.wall == NOON + 300
    assert one.store.good("front desk") == good


async def test_the_same_bytes_are_not_read_twice(world) -> None:
    one = world()
    await one.keeper.look()
    one.clock.step(300)
    await one.keeper.look()
    assert one.feed.read_bodies == 1
    assert one.keeper.state.good is not None
    assert one.keeper.state.good.as_of.at.wall == NOON + 300


async def test_not_changed_as_a_first_answer_is_trouble(world) -> None:
    one = world()

    async def fetch(span: Span, known: str = "") -> Fetched:
        return Fetched(None)

    one.feed.fetch = fetch
    await one.keeper.look()
    assert one.keeper.state.trouble is not None


@pytest.mark.parametrize("fewer", [b"0 2", b"2 2", b"5 0 with a change"])
async def test_a_sudden_loss_waits_for_a_second_look_a_minute_later(world, fewer) -> None:
    one = world()
    one.feed.answer = b"5 4"
    await one.keeper.look()
    one.clock.step(300)
    one.feed.answer = fewer
    assert await one.keeper.look() == 61
    assert one.counts() == (5, 4)
    held = one.keeper.state.held
    assert held is not None
    assert held.drops
    one.clock.step(30)
    await one.keeper.look()
    assert one.counts() == (5, 4)
    one.clock.step(31)
    assert await one.keeper.look() == 300
    assert one.counts() == (int(fewer.split()[0]), int(fewer.split()[1]))
    assert one.keeper.state.held is None
    assert one.keeper.state.good is not None
    assert one.keeper.state.good.drops == held.drops


async def test_a_loss_that_was_a_slip_is_forgotten(world) -> None:
    one = world()
    await one.keeper.look()
    one.clock.step(300)
    one.feed.answer = b"0 0"
    await one.keeper.look()
    assert one.keeper.state.held is not None
    assert one.keeper.state.held.drops == (Drop(TODAY, 5, 0),)
    one.clock.step(61)
    one.feed.answer = b"5 2"
    await one.keeper.look()
    assert one.keeper.state.held is None
    assert one.store.held("front desk") is None
    assert one.counts() == (5, 2)


async def test_a_held_loss_is_still_held_after_a_restart(world) -> None:
    one = world()
    await one.keeper.look()
    one.feed.answer = b"0 0"
    one.clock.step(300)
    await one.keeper.look()
    again = world()
    await again.keeper.recall()
    assert again.keeper.state.held is not None
    assert again.counts() == (5, 2)


@pytest.mark.parametrize(
    "known, later_s, believed",
    [
        (True, 61, True),
        (True, 5, False),
        (False, 61, False),
    ],
)
async def test_a_second_look_after_a_restart_counts_by_a_clock_that_is_set(
    world, known, later_s, believed
) -> None:
    one = world()
    await one.keeper.look()
    one.clock.step(300)
    one.feed.answer = b"0 0"
    await one.keeper.look()
    again = world(boot_id="boot 2", wall_known=known, mono=3.0, wall=one.clock.wall + later_s)
    again.feed.answer = b"0 0"
    await again.keeper.recall()
    await again.keeper.look()
    assert (again.keeper.state.held is None) is believed
    again.clock.step(61)
    await again.keeper.look()
    assert again.counts() == (0, 0)


@pytest.mark.parametrize("before, after", [(b"2 0", b"0 0"), (b"4 0", b"2 0"), (b"0 0", b"9 9")])
async def test_small_changes_are_believed_at_once(world, before, after) -> None:
    one = world()
    one.feed.answer = before
    await one.keeper.look()
    one.clock.step(300)
    one.feed.answer = after
    await one.keeper.look()
    assert one.counts() == tuple(int(word) for word in after.split())


async def test_after_midnight_tomorrow_is_today_and_the_new_tomorrow_is_not_known(world) -> None:
    one = world()
    one.feed.token = "etag 1"
    await one.keeper.look()
    one.clock.step(12 * 3600 + 5)
    assert one.counts() == (2, None)
    one.feed.answer = DaybookError("no way out")
    await one.keeper.look()
    assert one.counts() == (2, None)
    one.feed.answer = b"3 1"
    await one.keeper.look()
    assert one.feed.asked[-1] == ""
    assert one.counts() == (3, 1)


async def test_the_first_look_of_a_day_comes_just_after_midnight(world) -> None:
    one = world(wall=NOON + 12 * 3600 - 100)
    assert await one.keeper.look() == 101


async def test_a_clock_that_fell_back_over_a_reboot_does_not_replace_the_day(world) -> None:
    await (before := world()).keeper.look()
    after = world(boot_id="boot 2", wall_known=None, wall=NOON - 86400 * 300)
    await after.keeper.recall()
    await after.keeper.look()
    assert after.feed.asked == []
    assert after.keeper.state.trouble is not None
    assert "clock" in after.keeper.state.trouble.words
    assert after.keeper.state.good == before.keeper.state.good


async def test_a_disk_that_refuses_still_shows_the_fresh_day(world) -> None:
    one = world()
    one.store.close()
    one.store._file._connection = sqlite3.connect(
        "file:/proc/version?mode=ro", uri=True, check_same_thread=False
    )
    await one.keeper.look()
    assert one.counts() == (5, 2)
    assert one.keeper.state.trouble is not None
    assert "disk" in one.keeper.state.trouble.words


def snapshot(number: int, source: str = "front desk", count: int = 5) -> Snapshot:
    at = Stamp(Instant(float(number), NOON + number), "boot")
    span = Span(TODAY, 2, "Europe/London")
    return Snapshot(source, span, at, at, "", str(number), Reading(tuple(rows(TODAY, count))))


def test_three_generations_are_kept(tmp_path) -> None:
    path = str(tmp_path / "d.db")
    store = open_store(path, SEAL)
    for number in range(7):
        store.keep(snapshot(number))
    store.close()
    with sqlite3.connect(path) as db:
        assert [row[0] for row in db.execute("SELECT digest FROM snapshot")] == ["4", "5", "6"]
    db.close()


def full_day() -> Reading:
    """Give a reading with everything that may be kept of clients on two days."""
    first, second = (
        Appointment(
            f"a{n}",
            NOON + n * DAY_S,
            NOON + n * DAY_S + 3600,
            False,
            "Mia",
            "Cut",
            ("Anna B.", "Beth C.")[n],
            "Chair 1",
            Status.BOOKED,
            ref=f"uid-{n}@studio.example",
            client_key=f"c{n}",
            price=Money(4500, "GBP"),
            paid=False,
            capacity=8,
            booked=1,
            attendees=(Attendee("Carol D.", Status.ARRIVED, "c2"),) if n else (),
        )
        for n in range(2)
    )
    clients = (
        Client("c0", "Anna Bell", "01632 960001", "anna@mail.example"),
        Client("c1", "Beth Cole", notes=(Note(NoteKind.ALLERGY, "PPD", TODAY),)),
        Client("c2", "Carol Dean"),
    )
    return Reading((first, second), 3, clients, (PriceItem("Cut", Money(4500, "GBP")),))


SAID = ("Anna", "Bell", "Beth", "Carol", "960001", "mail.example", "PPD", "Mia", "uid-0")


def spilt(folder: Path, words: tuple[str, ...] = SAID) -> list[str]:
    """Give which of *words* can be read in the raw files of *folder*."""
    bodies = [file.read_bytes() for file in folder.iterdir()]
    return [word for word in words if any(word.encode() in body for body in bodies)]


def two_days(number: int = 1) -> Snapshot:
    return replace(snapshot(number), reading=full_day())


def test_everything_of_a_day_is_kept_and_nobody_can_read_it_from_the_files(tmp_path) -> None:
    store = open_store(str(tmp_path / "d.db"), SEAL)
    for number in range(5):
        store.keep(two_days(number))
    store.hold(two_days(5))
    assert spilt(tmp_path) == []
    store.close()
    again = open_store(str(tmp_path / "d.db"), SEAL)
    assert not again.damaged
    good, held = again.good("front desk"), again.held("front desk")
    again.close()
    assert good is not None
    assert held is not None
    assert good.reading == held.reading == full_day()
    assert spilt(tmp_path) == []


def test_without_a_seal_the_names_would_be_seen(tmp_path) -> None:
    store = open_store(str(tmp_path / "d.db"), Unsealed())
    store.keep(two_days())
    store.close()
    assert spilt(tmp_path) == list(SAID)


# Two days from 21 November; each is kept for 48 hours after the midnight that ends it.
@pytest.mark.parametrize(
    "later_s, left",
    [
        (2.4 * DAY_S, ["a0", "a1"]),
        (2.6 * DAY_S, ["a1"]),
        (3.4 * DAY_S, ["a1"]),
        (3.6 * DAY_S, []),
        (900 * DAY_S, []),
    ],
)
def test_each_day_is_forgotten_in_its_time_even_in_the_log_of_the_database(
    tmp_path, later_s, left
) -> None:
    store = open_store(str(tmp_path / "d.db"), Unsealed())  # so that what is left can be looked for
    for number in range(3):
        store.keep(two_days(number))
    store.purge(("front desk",), NOON + later_s, 2 * DAY_S)
    good = store.good("front desk")
    assert ([a.key for a in good.reading.appointments] if good else []) == left
    first, second = ("Anna", "960001"), ("Beth", "Carol", "PPD")
    expected = (*(first if "a0" in left else ()), *(second if "a1" in left else ()))
    assert tuple(spilt(tmp_path, (*first, *second))) == expected
    store.close()
    assert tuple(spilt(tmp_path, (*first, *second))) == expected


def test_a_source_that_is_configured_no_more_is_forgotten(tmp_path) -> None:
    store = open_store(str(tmp_path / "d.db"), SEAL)
    store.keep(two_days())
    store.note("front desk", Trouble("no answer", two_days().asked))
    store.purge(("another",), NOON, 2 * DAY_S)
    assert store.good("front desk") is None
    assert store.trouble("front desk") is None
    store.close()


@pytest.mark.parametrize("other", [KeySeal(bytes(32), "daybook"), KeySeal(bytes(range(32)), "x")])
def test_another_key_means_that_the_day_is_begun_anew(tmp_path, other) -> None:
    path = str(tmp_path / "d.db")
    store = open_store(path, SEAL)
    store.keep(two_days())
    store.close()
    store = open_store(path, other)
    assert store.damaged
    assert store.good("front desk") is None
    store.keep(two_days())
    store.close()
    store = open_store(path, other)
    assert not store.damaged
    assert store.good("front desk") is not None
    store.close()


def test_a_database_of_an_earlier_version_is_begun_anew(tmp_path) -> None:
    path = str(tmp_path / "d.db")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE appointment (body TEXT)")
        db.execute("INSERT INTO appointment VALUES ('Anna B.')")
    db.close()
    store = open_store(path, SEAL)
    assert store.damaged
    assert spilt(tmp_path) == []
    store.close()


def test_the_database_is_for_its_owner_only(tmp_path) -> None:
    path = tmp_path / "d.db"
    open_store(str(path), SEAL).close()
    assert path.stat().st_mode & 0o077 == 0


def test_a_damaged_database_is_begun_anew_and_that_is_said(tmp_path) -> None:
    path = tmp_path / "d.db"
    store = open_store(str(path), SEAL)
    store.keep(snapshot(1))
    store.close()
    body = bytearray(path.read_bytes())
    body[4096:8192] = os.urandom(4096)
    path.write_bytes(body)
    store = open_store(str(path), SEAL)
    assert store.damaged
    assert store.good("front desk") is None
    assert sorted(tmp_path.glob("*damaged*")) == []
    store.close()


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path) -> None:
    with pytest.raises(DaybookError, match="disk"):
        open_store(str(tmp_path / "no such folder" / "d.db"), SEAL)


WRITER = """
    import sys
    from datetime import date
    from edge_watchdog.core.instant import Instant
    from edge_watchdog.daybook import Appointment, Reading, Span
    from edge_watchdog.daybook.freshness import Stamp
    from edge_watchdog.daybook.model import Status
    from edge_watchdog.daybook.seal import KeySeal
    from edge_watchdog.daybook.store import Snapshot, open_store

    store = open_store(sys.argv[1], KeySeal(bytes(range(32)), "daybook"))
    last = store.good("s")
    number = int(last.digest) if last else 0
    while True:
        number += 1
        at = Stamp(Instant(1.0, 1.0), "b")
        one = Appointment(str(number), 1.0, 2.0, False, "m", "s", "c", "", Status.NOT_SAID)
        span = Span(date(2026, 11, 21), 2, "UTC")
        store.keep(Snapshot("s", span, at, at, "", str(number), Reading((one,) * 200)))
        print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_one_whole_snapshot_and_loses_none_acknowledged(
    tmp_path,
) -> None:
    path = str(tmp_path / "d.db")
    dice = random.Random(7)
    root = str(Path(__file__).parent.parent.parent)
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), path],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": root},
        )
        assert child.stdout is not None
        acknowledged = 0
        for _ in range(dice.randint(1, 6)):
            acknowledged = int(child.stdout.readline())
        try:
            child.wait(dice.random() * 0.01)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        acknowledged = int((child.stdout.read().split() or [b"%d" % acknowledged])[-1])
        child.stdout.close()
        child.wait()
        store = open_store(path, SEAL)
        good = store.good("s")
        assert good is not None
        assert not store.damaged
        assert int(good.digest) >= acknowledged
        assert len(good.reading.appointments) == 200
        assert {one.key for one in good.reading.appointments} == {good.digest}
        store.close()


@pytest.mark.parametrize(
    "age_s, kind, words",
    [
        (0.0, Band.FRESH, "just now"),
        (720.0, Band.FRESH, "12 min ago"),
        (901.0, Band.AGEING, "15 min ago"),
        (3601.0, Band.OLD, "1 h ago"),
        (7800.0, Band.OLD, "2 h 10 min ago"),
        (43201.0, Band.VERY_OLD, "12 h ago"),
        (90000.0, Band.VERY_OLD, "1 day ago"),
        (259200.0, Band.VERY_OLD, "3 days ago"),
        (None, Band.UNKNOWN, "age unknown, clock not set"),
    ],
)
def test_ages_are_said_in_words(age_s, kind, words) -> None:
    assert (band(age_s), age_words(age_s)) == (kind, words)


@pytest.mark.parametrize(
    "boot_id, mono, wall, known, age_s",
    [
        ("boot 1", 1720.0, NOON + 5, True, 720.0),
        ("boot 1", 1720.0, NOON - 9e6, False, 720.0),
        ("boot 2", 10.0, NOON + 720, True, 720.0),
        ("boot 2", 10.0, NOON + 720, False, None),
        ("boot 2", 10.0, NOON - 720, True, None),
    ],
)
def test_an_age_rests_on_the_boot_clock_or_on_a_clock_that_is_set(
    boot_id, mono, wall, known, age_s
) -> None:
    stamp = Stamp(Instant(1000.0, NOON), "boot 1")
    assert stamp.age_s(Now(Instant(mono, wall), boot_id, known)) == age_s
