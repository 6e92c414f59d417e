"""The journal on the disk: nothing acknowledged is lost, changed unseen or given away twice."""

import dataclasses
import json
import os
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.paper import Draft, Kind, Move, PaperError, State, Words
from edge_watchdog.daybook.paper_chain import FRESH_NUMBERS
from edge_watchdog.daybook.paper_store import (
    ClosedDay,
    TakenError,
    open_paper,
)
from edge_watchdog.daybook.seal import KeySeal, Unsealed
from tests.daybook.papers import MIA, NOON, booking, listed, note, pen, race, visit

KEY = bytes(range(32))
DAY = 86400.0


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "paper.sqlite")


@pytest.fixture
def paper(path):
    made = open_paper(path, KeySeal(KEY, "paper"))
    yield made
    made.close()


def moved(state: State, detail: str = "", wall: float = NOON) -> Move:
    return Move(state, wall, MIA, detail)


def test_what_was_written_is_there_after_a_restart_and_sealed(paper, path) -> None:
    kept = paper.append(booking(client="Anna Bell", phone="01632 960123"), pen())
    paper.move(1, moved(State.CLAIMED))
    entry = dataclasses.replace(kept.entry, moves=(moved(State.CLAIMED),))
    again = open_paper(path, KeySeal(KEY, "paper"))
    journal = again.look()
    assert journal.entries == (entry,)
    assert (journal.damage, journal.turn, again.begun_anew) == (None, 2, False)
    again.close()
    assert uuid.UUID(entry.id).version == 7
    held = b"".join(file.read_bytes() for file in Path(path).parent.iterdir())
    assert b"Bell" not in held
    assert b"960123" not in held
    assert Path(path).stat().st_mode & 0o077 == 0


def test_a_second_tap_or_a_resend_makes_one_entry(paper) -> None:
    first = paper.append(note("Order foil"), pen(form="f1"))
    second = paper.append(note("Order foil"), pen(NOON + 60, form="f1"))
    assert (first.again, second.again) == (False, True)
    assert second.entry == first.entry
    with pytest.raises(PaperError, match="P-0001, with other words"):
        paper.append(note("Order more foil"), pen(form="f1"))
    assert paper.append(note("Order foil"), pen()).entry.number == 2
    assert [one.number for one in paper.look().entries] == [1, 2]


def test_a_correction_is_a_new_entry_and_the_old_one_is_void(paper) -> None:
    paper.append(booking(14), pen())
    corrected = Draft(Kind.BOOKING, visit(14.5), parent=1, replaces=True)
    assert paper.append(corrected, pen()).entry.number == 2
    old, new = paper.look().entries
    assert (old.state, old.moves[-1].detail) == (State.VOID, "corrected by P-0002")
    assert new.state is State.OPEN
    with pytest.raises(PaperError, match="P-0001 is void"):
        paper.append(dataclasses.replace(corrected, content=visit(17)), pen())
    with pytest.raises(PaperError, match="no P-0077"):
        paper.append(Draft(Kind.NOTE, Words("x"), parent=77), pen())
    with pytest.raises(PaperError, match="no P-0078"):
        paper.move(78, moved(State.VOID, "x"))
    assert len(paper.look().entries) == 2


def test_a_taken_time_needs_a_reason(paper) -> None:
    rows = [listed(14)]
    with pytest.raises(TakenError, match="Beth C") as caught:
        paper.append(booking(14.5), pen(), rows)
    assert caught.value.clashes[0].key == "key 14"
    assert paper.look().entries == ()
    forced = dataclasses.replace(booking(14.5), forced="both agreed")
    assert paper.append(forced, pen(), rows).entry.number == 1
    with pytest.raises(TakenError, match="P-0001"):
        paper.append(booking(15), pen(), [])


def test_a_moved_appointment_leaves_its_own_time(paper) -> None:
    rows = [listed(14)]
    move = Draft(Kind.RESCHEDULE, visit(14.5), appointment_key="key 14")
    paper.append(move, pen(), rows)
    paper.append(booking(14, 30), pen(), rows)
    with pytest.raises(TakenError):
        paper.append(booking(15, 30), pen(), rows)
    paper.move(1, moved(State.VOID, "changed her mind"))
    with pytest.raises(TakenError, match="Beth"):
        paper.append(booking(14.5, 30), pen(), rows)


def test_the_same_step_twice_is_one_step(paper) -> None:
    paper.append(note("x"), pen())
    for _ in range(2):
        paper.move(1, moved(State.CLAIMED))
    assert paper.look().turn == 2
    with pytest.raises(PaperError, match="cannot become"):
        paper.move(1, moved(State.CLAIMED, "twice"))


def test_a_day_is_closed_once_and_leaves_tasks(paper) -> None:
    closed = ClosedDay("2026-11-21", MIA, NOON, (("cash", "GBP", 4500),))
    tasks = [Draft(Kind.TASK, Words("Enter P-0001", due="2026-11-23"), parent=0)]
    paper.append(booking(), pen())
    assert paper.close_day(closed, tasks, pen())
    assert not paper.close_day(closed, tasks, pen())
    journal = paper.look()
    assert journal.closed == (closed,)
    assert [one.draft.kind for one in journal.entries if one.draft] == [Kind.BOOKING, Kind.TASK]
    assert journal.damage is None


ALTER = "UPDATE journal SET number = 7 WHERE seq = 2"
DELETE = "DELETE FROM journal WHERE seq = 2"


@pytest.mark.parametrize("change", [ALTER, DELETE, "UPDATE journal SET body = x'00'"])
def test_the_database_itself_refuses_to_change_what_was_written(paper, path, change) -> None:
    for text in "abc":
        paper.append(note(text), pen())
    with sqlite3.connect(path) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(change)
    assert paper.look().damage is None


@pytest.mark.parametrize(
    "change, words",
    [
        ("DELETE FROM journal WHERE seq = 1", "P-0001 was deleted"),
        (DELETE, "P-0002 was deleted"),
        ("DELETE FROM journal WHERE seq = 3", "noted before P-0003 was deleted"),
        ("DELETE FROM journal WHERE seq = 4", "P-0003 was deleted"),
        ("UPDATE journal SET at_wall = at_wall + 60 WHERE seq = 2", "P-0002 was changed"),
        ("UPDATE journal SET body = zeroblob(40) WHERE seq = 2", "P-0002 was changed"),
        ("UPDATE journal SET body = NULL WHERE seq = 2", "P-0002 was emptied"),
        ("UPDATE journal SET body = zeroblob(40) WHERE seq = 3", "noted about P-0001 was changed"),
        ("DELETE FROM head", "after P-0003, is not certain"),
        ("UPDATE head SET body = zeroblob(40)", "after P-0003, is not certain"),
    ],
)
def test_whoever_gets_around_that_is_found_out(paper, path, change, words) -> None:
    paper.append(note("a"), pen())
    paper.append(note("b"), pen())
    paper.move(1, moved(State.CLAIMED))
    paper.append(note("c"), pen())
    with sqlite3.connect(path) as db:
        db.executescript("DROP TRIGGER journal_is_kept; DROP TRIGGER journal_stays_as_it_is;")
        db.execute(change)
    db.close()
    for store in (paper, open_paper(path, KeySeal(KEY, "paper"))):
        found = store.look().damage
        assert found is not None
        assert words in found.words
    store.close()
    paper.append(note("d"), pen())
    assert "d" in [one.draft.content.text for one in paper.look().entries if one.draft]
    if "head" not in change:  # a new head is made with each row
        assert paper.look().damage == found


def test_a_row_of_somebody_elses_and_another_key_are_found_out(paper, path) -> None:
    paper.append(note("a"), pen())
    old = Path(path + ".old")
    with sqlite3.connect(path) as db, sqlite3.connect(old) as copy:
        db.backup(copy)
    paper.append(note("b"), pen())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE head SET body = (SELECT body FROM head)")
        head = db.execute("SELECT body FROM head").fetchone()[0]
    copy.execute("UPDATE head SET body = ?", (head,))
    copy.commit()
    copy.close()
    db.close()
    other = open_paper(str(old), KeySeal(KEY, "paper"))
    assert other.look().damage is not None
    other.close()
    strange = open_paper(path, KeySeal(bytes(32), "paper"))
    journal = strange.look()
    assert journal.entries == ()
    assert journal.damage is not None
    strange.close()


def test_what_is_long_over_is_forgotten_and_the_chain_still_holds(paper, path) -> None:
    plain = open_paper(path + "2", Unsealed())
    for wall in (NOON, NOON + 30 * DAY):
        plain.append(note(f"about Zelda at {wall}"), pen(wall))
    plain.append(booking(14, client="Zelda Q."), pen())
    for number in (1, 2):
        plain.move(
            number, moved(State.ENTERED, "told Zelda", plain.look().entries[number - 1].at_wall)
        )
    assert plain.forget(NOON + 10 * DAY, NOON + 100 * DAY) == 1
    assert plain.forget(NOON + 10 * DAY, NOON + 100 * DAY) == 0
    journal = plain.look()
    assert journal.damage is None
    assert [one.draft is None for one in journal.entries] == [True, False, False]
    held = b"".join(f.read_bytes() for f in Path(path).parent.glob("paper.sqlite2*"))
    assert f"about Zelda at {NOON}".encode() not in held
    assert b"told Zelda" in held  # of the one that is not old enough
    assert plain.append(note("next"), pen()).entry.number == 4
    with sqlite3.connect(path + "2") as db:
        db.execute("UPDATE journal SET body = NULL WHERE number = 2")
    db.close()
    assert "P-0002 was emptied" in str(plain.look().damage)
    plain.close()


def test_a_file_that_is_no_journal_is_put_aside_and_no_number_comes_twice(paper, path) -> None:
    paper.append(note("a"), pen())
    paper.close()
    for times in (1, 2):
        Path(path).write_bytes(b"nonsense" * 1000)
        store = open_paper(path, Unsealed())
        assert store.begun_anew
        assert store.append(note("b"), pen()).entry.number == times * FRESH_NUMBERS + 1
        store.close()
        assert Path(f"{path}.damaged-{times}").exists()
    again = open_paper(path, Unsealed())
    assert again.append(note("c"), pen()).entry.number == 2 * FRESH_NUMBERS + 2
    again.close()


def test_a_disk_that_refuses_is_told_without_content(paper, path, tmp_path) -> None:
    with pytest.raises(DaybookError, match="disk"):
        open_paper(str(tmp_path / "none" / "paper.sqlite"), Unsealed())
    other = sqlite3.connect(path)
    other.execute("DROP TABLE hold")
    other.close()
    with pytest.raises(DaybookError, match="write it on paper") as caught:
        paper.append(booking(client="Anna Bell"), pen())
    assert "Bell" not in str(caught.value)
    assert paper.look().entries == ()


def test_of_two_desks_that_want_one_time_exactly_one_gets_it_200_times(path, paper) -> None:
    paper.close()
    won = race(path, 200, lambda name, number: booking(14 + number, 60, client=name))
    assert [len(one) for one in won] == [1] * 200


def test_the_trigger_alone_refuses_a_second_holder(path, paper) -> None:
    paper.append(booking(14), pen())
    row = "INSERT INTO hold VALUES (2, 'mia', '', ?, ?, 1, 0)"
    with sqlite3.connect(path) as db:
        start = visit(15).start_wall
        db.execute(row, (start, start + 60))
        with pytest.raises(sqlite3.IntegrityError, match="taken"):
            db.execute(row.replace("(2", "(3"), (start - 60, start + 1))
    db.close()


def test_a_kill_between_any_two_writes_loses_nothing_acknowledged(path) -> None:
    root = str(Path(__file__).parent.parent.parent)
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("killed.py")), path, "300"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": root, "PATH": os.environ["PATH"]},
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert told["kills"] == 300
    assert told["lost"] == []
    assert told["damage"] == []
    assert told["acknowledged"] > 300
