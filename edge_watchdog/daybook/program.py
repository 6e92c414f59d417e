"""A child process, from its start to its end: something for its standard input, what it said back.

The rule: whatever becomes of it, nobody waits long for a child that was ended.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

REAP_S = 1.0  # a killed child is gone at once; whoever inherited its pipes may not be
OURS = (sys.executable, "-P", "-s", "-m")


def environment(**more: str) -> Mapping[str, str]:
    """Give the little that a child is told of the world, and *more*."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **more}


async def ask_module(module: str, request: bytes, *, deadline_s: float) -> tuple[int, bytes]:
    """Hand *request* to a module of ours in a process of its own; see hand_over()."""
    root = str(Path(__file__).parent.parent.parent)
    env = environment(PYTHONPATH=root)
    return await hand_over((*OURS, module), request, deadline_s=deadline_s, env=env)


async def hand_over(
    argv: Sequence[str],
    body: bytes,
    *,
    deadline_s: float,
    env: Mapping[str, str],
    hears: bool = True,
) -> tuple[int, bytes]:
    """Give *body* to a program; gives its exit code and, if it is heard, what it wrote.

    Late or cancelled, the program is killed.  Raises OSError when it cannot be started and
    TimeoutError when it is late.  What it writes to standard error goes nowhere: it may name a
    client.
    """
    child = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if hears else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=env,
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, _ = await child.communicate(body)
    finally:
        if child.returncode is None:
            await _end(child)
    return child.returncode or 0, out or b""


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill *child* and wait for its end.

    What it still said is read too: a pipe that nobody empties is never closed, and wait() would
    never return (as in CPython 3.11, 3.12).
    """
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    try:
        async with asyncio.timeout(REAP_S):
            await child.communicate()
    except TimeoutError:  # a child of its own holds the pipes: asyncio has no other way to close
        child._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
