import asyncio
import os
import sys
from pathlib import Path

import pytest

from edge_watchdog.children import Ended, run_child
from tests.patience import soon

SOON_S = 30.0  # a bound on what comes at once


def is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def eventually(holds) -> None:
    await soon(holds, 6)


def script(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


@pytest.mark.parametrize(
    "text, ended",
    [
        ("cat", Ended(0, b"given\n")),
        ("echo no >&2; exit 3", Ended(3, b"", b"no\n")),
        ("kill -9 $$", Ended(-9)),
        ("true", Ended(0)),  # it does not read what it is given
    ],
)
async def test_a_program_is_run_to_its_end(text, ended):
    assert await run_child(script(text), b"given\n", within_s=SOON_S) == ended


async def test_a_program_sees_nothing_of_our_environment_but_the_path(monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    ended = await run_child(("env",), within_s=SOON_S, env={"OURS": "1"})
    names = {line.partition("=")[0] for line in ended.out.decode().splitlines()}
    assert names == {"PATH", "LC_ALL", "OURS"}


async def test_a_program_that_is_not_heard_may_leave_something_running(tmp_path):
    note = tmp_path / "pid"
    text = script(f"sleep 600 & echo $! > {note}")
    try:
        assert await run_child(text, within_s=SOON_S, heard=False) == Ended(0)
        assert is_alive(int(note.read_text()))
    finally:
        os.kill(int(note.read_text()), 9)


async def test_a_program_that_is_not_there_is_an_oserror():
    with pytest.raises(FileNotFoundError):
        await run_child((f"/nowhere/{os.getpid()}",), within_s=SOON_S)


@pytest.mark.parametrize("heard", [True, False])
async def test_a_late_program_is_ended_with_all_it_started(tmp_path, heard):
    note = tmp_path / "pid"
    text = script(f"sleep 600 & echo $$ $! > {note}.new; mv {note}.new {note}; wait")
    task = asyncio.create_task(run_child(text, within_s=SOON_S, heard=heard))
    await eventually(note.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(SOON_S):
            await task
    pids = [int(word) for word in note.read_text().split()]
    await eventually(lambda: not any(map(is_alive, pids)))
    with pytest.raises(TimeoutError):
        await run_child(script("sleep 600"), within_s=0.01, heard=heard)


async def test_what_left_the_group_and_keeps_the_pipes_holds_nobody_up(tmp_path):
    note = tmp_path / "pid"
    text = script(f"setsid sh -c 'echo $$ > {note}; exec sleep 600' & wait")
    try:
        task = asyncio.create_task(run_child(text, within_s=SOON_S))
        await eventually(lambda: note.exists() and note.read_text())
        task.cancel()
        async with asyncio.timeout(SOON_S):
            with pytest.raises(asyncio.CancelledError):
                await task
    finally:
        os.kill(int(note.read_text()), 9)


# A wide pipe brings more in one piece than asyncio keeps: it then stops reading for a while.
FLOOD = """
import fcntl, os, sys
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
while True:
    os.write(1, bytes(1 << 20))
    open(sys.argv[1], "w").close()
"""


@pytest.mark.parametrize("turns", range(4))
async def test_a_program_whose_output_is_not_read_any_more_is_ended(tmp_path, turns):
    argv = (sys.executable, "-ISc", FLOOD, str(tmp_path / "flows"))
    task = asyncio.create_task(run_child(argv, within_s=SOON_S))
    await eventually((tmp_path / "flows").exists)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(SOON_S):
            await task


LEAVING = """
import asyncio
from edge_watchdog.children import run_child

async def main():
    kept = asyncio.create_task(run_child(["sleep", "1000"], within_s=1000))
    for _ in range(3):  # it is being started, its pipes are not yet joined
        await asyncio.sleep(0)

asyncio.run(main())
"""


async def test_a_loop_that_ends_while_a_program_starts_does_end():
    ended = await run_child([sys.executable, "-c", LEAVING], within_s=SOON_S)
    assert ended.code == 0
