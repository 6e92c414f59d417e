import asyncio
import contextlib
import functools
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_watchdog.core.model import Health
from edge_watchdog.journal import Journal, JournalError
from edge_watchdog.journal.reading import read_recording
from edge_watchdog.journal.store import LOST
from tests.journal.toy import (
    WALL,
    Life,
    Mind,
    advance,
    at,
    decode_mind,
    incident,
    loud,
    quiet,
    view,
)
from tests.patience import air


@pytest.fixture
def path(tmp_path):
    return tmp_path / "watch" / "journal.db"


async def reopened(path):
    life = await Life.begin(path)
    await life.journal.close()
    return life.state


def rows_in(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [seq for (seq,) in db.execute("SELECT seq FROM event ORDER BY seq")]


async def test_a_new_journal_has_nothing_to_go_on_with(path):
    life = await Life.begin(path)
    assert (life.state, life.journal.problem) == (Mind(), "")
    await life.journal.close()


async def test_an_orderly_end_loses_nothing(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t) for t in range(100)))
    await life.journal.close()
    assert await reopened(path) == life.state


async def test_quiet_time_leaves_no_rows(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t / 4) for t in range(4 * 600)))
    await life.journal.close()
    assert rows_in(path) == []


async def test_a_notable_event_is_on_the_disk_when_append_returns(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t) for t in range(200)), loud(200))
    with contextlib.closing(sqlite3.connect(path)) as other:
        (newest,) = other.execute("SELECT max(seq) FROM event").fetchone()
    assert newest == life.journal._seq
    await life.crash()
    assert await reopened(path) == life.state


async def test_the_minutes_before_are_written_with_it(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t) for t in range(1000)), loud(1000))
    life.journal.note(view(1000, incidents=[incident(1, 999)]))
    record = await life.journal.rows(1)
    assert 120 <= 1000 - record.events[0].at.mono <= 180
    assert record.events[-1] == loud(1000)
    await life.journal.close()


async def test_recording_ends_after_a_minute_of_quiet(path):
    life = await Life.begin(path)
    await life.live(loud(0), *(quiet(t) for t in range(1, 400)))
    await life.journal.close()
    assert len(rows_in(path)) == 61


async def test_a_crash_in_quiet_time_costs_a_minute_at_most(path):
    life = await Life.begin(path)
    for t in range(1000):
        await life.live(quiet(t))
    await life.crash()
    assert 939 <= (await reopened(path)).count <= 1000


async def test_evidence_during_an_outage_is_a_second_late_at_most(path):
    life = await Life.begin(path)
    await life.live(loud(0), *(quiet(t / 10) for t in range(1, 305)))
    await life.crash()
    again = await reopened(path)
    assert 305 - again.count <= 10


async def test_runs_follow_each_other_without_mixing(path):
    states = []
    for run in range(3):
        life = await Life.begin(path)
        await life.live(quiet(run * 100 + 1), loud(run * 100 + 2), quiet(run * 100 + 3))
        await life.journal.close()
        states.append(life.state)
    assert [s.count for s in states] == [3, 6, 9]
    assert await reopened(path) == states[-1]


steps = st.lists(
    st.tuples(st.sampled_from(["quiet", "loud", "crash", "close"]), st.floats(0.05, 90.0)),
    max_size=60,
)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_no_decision_is_ever_forgotten(tmp_path_factory, script):
    async def play():
        path = tmp_path_factory.mktemp("j") / "journal.db"
        life = await Life.begin(path)
        mono, decided, past = 0.0, Mind(), [Mind()]
        for what, pause_s in script:
            mono += round(pause_s, 3)
            match what:
                case "quiet" | "loud":
                    await life.live(quiet(mono) if what == "quiet" else loud(mono))
                    past.append(life.state)
                    decided = life.state if what == "loud" else decided
                case "crash" | "close":
                    await (life.crash() if what == "crash" else life.journal.close())
                    life = await Life.begin(path)
                    assert life.state in past
                    assert past.index(life.state) >= past.index(decided)
                    past = past[: past.index(life.state) + 1]
        await life.journal.close()

    asyncio.run(play())


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.journal.toy import Life, loud, quiet

async def main():
    life = await Life.begin(Path(sys.argv[1]))
    for t in range(100000):
        await life.live(loud(float(t)) if t % 3 == 0 else quiet(float(t)))
        if t % 3 == 0:
            print(life.state.count, flush=True)

asyncio.run(main())
"""


def test_what_was_decided_before_a_kill_is_known_after_it(path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert process.stdout is not None
    count = 0
    while count < 150:
        count = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    told = [int(line) for line in process.stdout.read().split() if line.strip()]
    process.wait()
    process.stdout.close()
    again = asyncio.run(reopened(path))
    assert again.count >= max([count, *told[:-1]])
    expected = Mind()
    for t in range(again.count):
        expected = advance(expected, loud(float(t)) if t % 3 == 0 else quiet(float(t))).state
    assert again == expected


async def test_a_recording_replays_to_the_letter(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t) for t in range(300)), loud(300))
    life.journal.note(view(300, incidents=[incident(1, 299)]))
    await life.live(*(quiet(300 + t) for t in range(1, 30)), loud(330))
    life.journal.note(view(330, incidents=[incident(1, 299, 329)]))
    record = await life.journal.rows(1)
    await life.journal.close()
    state = record.state
    for event, decided in zip(record.events, record.decisions, strict=True):
        step = advance(state, event)
        assert step.actions == decided
        state = step.state
    assert state == life.state
    assert record.complete
    assert read_recording(path, 1, decode_mind) == record


async def test_a_recording_that_stops_before_the_end_says_so(path):
    life = await Life.begin(path)
    await life.live(loud(0))
    life.journal.note(view(0, incidents=[incident(1, 0)]))
    await life.live(*(quiet(t) for t in range(1, 500)))
    life.journal.note(view(500, incidents=[incident(1, 0, 499)]))
    record = await life.journal.rows(1)
    assert not record.complete
    assert record.events[-1].at.mono == 60
    await life.journal.close()


async def test_a_long_recording_can_begin_late(path):
    life = await Life.begin(path)
    for t in range(0, 9000, 30):
        await life.live(loud(t))
    life.journal.note(view(9000, incidents=[incident(1, 8999)]))
    record = await life.journal.rows(1)
    assert 0 <= record.events[-1].at.mono - record.events[0].at.mono <= 3700
    await life.journal.close()


async def test_an_incident_nobody_knows_is_said_to_be_unknown(path):
    life = await Life.begin(path)
    life.journal.note(view(0, incidents=[incident(5, 0)]))
    with pytest.raises(JournalError, match="no incident 4"):
        await life.journal.rows(4)
    with pytest.raises(JournalError, match="incident 5 are not kept"):
        await life.journal.rows(5)
    await life.journal.close()


async def test_incidents_and_stretches_make_the_history(path):
    life = await Life.begin(path)
    for t in range(0, 900, 5):
        health = Health.DOWN if 400 <= t < 420 else Health.UP
        shown = [incident(1, 400, None if t < 420 else 420)] if t >= 400 else []
        life.journal.note(view(t, health=health, incidents=shown))
    history = await life.journal.history(at(900))
    assert history.incidents == (incident(1, 400, 420),)
    unknown, *stretches = history.stretches
    assert (unknown.health, unknown.seconds) == (Health.UNKNOWN, 86400 - 900)
    assert [(s.health, s.seconds, s.active) for s in stretches] == [
        (Health.UP, 300, True),
        (Health.DOWN, 300, True),
        (Health.UP, 295, True),
        (Health.UNKNOWN, 5, False),
    ]
    await life.journal.close()


async def test_history_outlives_a_restart_and_shows_the_hole(path):
    life = await Life.begin(path)
    for t in range(0, 600, 5):
        life.journal.note(view(t))
    await life.journal.close()
    life = await Life.begin(path)
    for t in range(1200, 1500, 5):
        life.journal.note(view(t))
    history = await life.journal.history(at(1495))
    shown = [(s.start_wall - WALL, s.health) for s in history.stretches[1:]]
    assert shown == [
        (0, Health.UP),
        (300, Health.UP),
        (595, Health.UNKNOWN),
        (1200, Health.UP),
    ]
    await life.journal.close()


async def test_an_incident_whose_end_nobody_saw_is_ended_and_says_so(path):
    life = await Life.begin(path)
    await life.live(loud(0))
    life.journal.note(view(0, incidents=[incident(1, 0), incident(2, 0)]))
    await life.live(quiet(70))
    await life.crash()
    life = await Life.begin(path)
    life.journal.note(view(500, incidents=[incident(2, 0)]))
    second, first = await life.journal.incidents()
    assert second.resolved_wall is None
    assert first.resolved_wall == WALL + 70
    assert first.because == (LOST,)
    await life.journal.close()


async def test_numbers_that_begin_again_do_not_overwrite_old_incidents(path):
    life = await Life.begin(path)
    await life.live(loud(0))
    life.journal.note(view(0, incidents=[incident(1, 0, 5)]))
    await life.journal.close()

    def no_state(data):
        return decode_mind({"type": "Mind", "soul": data})

    journal = await Journal.open(path, boot_id="boot", decode_state=no_state)
    assert await journal.load() is None
    assert "another version" in journal.problem
    journal.note(view(100, incidents=[incident(1, 100)]))
    assert [one.opened_wall - WALL for one in await journal.incidents()] == [100, 0]
    await journal.close()


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda p: p.write_bytes(b"no database " * 1000), "is damaged"),
        (lambda p: run_sql(p, "PRAGMA user_version = 99"), "newer version (schema 99, known: 1)"),
        (lambda p: run_sql(p, "PRAGMA user_version = 0"), "is not a journal of this program"),
        (lambda p: p.write_bytes(p.read_bytes()[:1500] + b"\xff" * 9000), "is damaged"),
    ],
    ids=["no database", "newer", "foreign", "torn"],
)
async def test_a_spoilt_file_is_kept_aside_and_a_new_one_begun(path, spoil, said):
    life = await Life.begin(path)
    await life.live(loud(0))
    await life.journal.close()
    spoil(path)
    life = await Life.begin(path)
    assert life.state == Mind()
    assert said in life.journal.problem
    assert path.with_name("journal.db.aside1").exists()
    await life.live(loud(1))
    await life.journal.close()
    assert await reopened(path) == life.state


def run_sql(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(sql)
        db.commit()


async def test_spoilt_files_do_not_fill_the_disk(path):
    for _ in range(6):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no database " * 1000)
        await reopened(path)
    assert len(list(path.parent.glob("*.aside*"))) == 3


async def test_damage_found_while_writing_is_survived(path):
    life = await Life.begin(path)
    await life.live(*(loud(t) for t in range(50)))
    run = life.journal._store._db.execute
    for sql in ("wal_checkpoint(TRUNCATE)", "cache_size = 0", "shrink_memory"):
        await life.journal._ask(functools.partial(run, f"PRAGMA {sql}"))
    with path.open("r+b") as file:
        file.seek(1024)
        file.write(b"\xff" * (path.stat().st_size - 1024))
    await life.live(loud(60), *(loud(t) for t in range(80, 200, 20)))
    assert "damaged" in life.journal.problem
    await life.journal.close()
    assert await reopened(path) == life.state


async def test_a_place_that_cannot_be_written_leaves_a_journal_in_memory(tmp_path):
    (tmp_path / "watch").write_text("a file where a folder should be")
    life = await Life.begin(tmp_path / "watch" / "journal.db")
    assert "in memory only" in life.journal.problem
    await life.live(loud(0), quiet(1))
    life.journal.note(view(1, incidents=[incident(1, 0)]))
    assert (await life.journal.rows(1)).events == (loud(0), quiet(1))
    await life.journal.close()


async def test_a_full_disk_is_said_and_forgotten_when_there_is_room_again(path):
    life = await Life.begin(path)
    await life.live(*(quiet(t) for t in range(10)))

    async def set_pages(number):
        await life.journal._ask(
            lambda: life.journal._store._db.execute(f"PRAGMA max_page_count = {number}").fetchall()
        )

    await set_pages(1)
    for t in range(10, 60):
        await life.live(loud(t))
        life.journal.note(view(t, incidents=[incident(t, t)]))
    await asyncio.sleep(0)
    assert "full" in life.journal.problem
    assert "in memory only" in life.journal.problem
    await set_pages(1_000_000)
    await life.live(loud(75))
    assert life.journal.problem == ""
    await life.crash()
    assert await reopened(path) == life.state


async def test_old_recordings_are_forgotten_and_incidents_stay(path):
    life = await Life.begin(path)
    day = 86400.0
    await life.live(loud(0))
    life.journal.note(view(0, incidents=[incident(1, 0, 5)]))
    await life.live(*(quiet(t) for t in range(1, 70)))
    await life.live(*(quiet(31 * day - t) for t in range(300, 0, -1)), loud(31 * day))
    life.journal.note(view(31 * day, incidents=[incident(2, 31 * day), incident(1, 0, 5)]))
    for t in range(0, 1200, 10):
        life.journal.note(view(31 * day + t, incidents=[incident(2, 31 * day)]))
    with pytest.raises(JournalError, match="30 days"):
        await life.journal.rows(1)
    assert len((await life.journal.rows(2)).events) > 100
    assert len(await life.journal.incidents()) == 2
    for t in range(0, 1200, 10):
        life.journal.note(view(402 * day + t, incidents=[incident(2, 31 * day)]))
    assert [one.id for one in await life.journal.incidents()] == [2]
    await life.journal.close()


async def test_a_file_that_grows_too_large_forgets_its_oldest_recording(path):
    life = await Life.begin(path)
    life.journal._store.raw_bytes = 100_000
    for hour in range(10):
        await life.live(*(loud(hour * 3600 + t / 4) for t in range(200)))
    spans_before = await count(life, "span")
    events_before = await count(life, "event")
    for t in range(0, 3000, 10):
        life.journal.note(view(11 * 3600 + t))
    spans, events = await count(life, "span"), await count(life, "event")
    assert spans < spans_before
    assert events < events_before
    await life.journal.close()


async def count(life, table):
    query = f"SELECT count(*) FROM {table}"
    rows = await life.journal._ask(lambda: life.journal._store._db.execute(query).fetchone())
    return rows[0]


async def test_a_stalled_disk_does_not_hold_a_decision_up(path):
    life = await Life.begin(path, patience_s=0.05)
    await life.live(quiet(0))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = asyncio.get_running_loop().time()
        await life.live(loud(1))
        assert asyncio.get_running_loop().time() - before < air(1.5)
        other.execute("ROLLBACK")
    await life.journal.close()
    assert await reopened(path) == life.state


def test_a_file_that_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(JournalError, match="cannot be read"):
        read_recording(tmp_path / "no.db", 1, lambda data: data)
