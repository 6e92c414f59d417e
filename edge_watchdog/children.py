"""Runs a program to its end: input in, exit code and output out.

The rule: whoever waited in vain, or waits no longer, leaves no process behind.  What became of it
is said in the words of the room that asked.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DRAIN_S = 2.0  # a killed program is gone at once; whoever inherited its pipes may not be


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended; *code* is negative when a signal ended it."""

    code: int
    out: bytes = b""
    err: bytes = b""


async def run_child(
    argv: Sequence[str],
    text: bytes = b"",
    *,
    within_s: float,
    heard: bool = True,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run *argv* with *text* as its input; raises OSError when it cannot be started.

    Raises TimeoutError after *within_s*; then, as when cancelled, it is killed with all it started.
    Not *heard*, its output goes nowhere, and what it leaves running may go on.  Of our environment
    it sees the PATH alone, and *env*.
    """
    ear = PIPE if heard else DEVNULL
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv,
            stdin=PIPE,
            stdout=ear,
            stderr=ear,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **(env or {})},
            process_group=0,
        )
    )
    try:
        async with asyncio.timeout(within_s):
            child = await asyncio.shield(starting)  # cancelled half-way, it would hang
            out, err = await child.communicate(text)
    except BaseException:
        await asyncio.wait([starting])
        if starting.exception() is None:
            await _end(starting.result())
        raise
    return Ended(await child.wait(), out or b"", err or b"")


async def run_module(name: str, request: bytes, *, within_s: float) -> Ended:
    """Run a module of this package as a program of its own; raises as run_child does."""
    argv = (sys.executable, "-P", "-s", "-m", name)
    root = str(Path(__file__).parent.parent)
    return await run_child(argv, request, within_s=within_s, env={"PYTHONPATH": root})


async def _end(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdin is not None and not child.stdin.is_closing():
        child.stdin.transport.abort()
    try:
        # CPython 3.11, 3.12: wait() alone never returns while a full pipe is not read
        async with asyncio.timeout(DRAIN_S):
            await child.communicate()
    except TimeoutError:  # what left the group holds the pipes; nothing else closes them
        child._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
