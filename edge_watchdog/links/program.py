"""Running one of the system's own network programs to its end, with a limit on its time."""

import asyncio
import contextlib
from collections.abc import Sequence

from edge_watchdog.links import LinkError

PATIENCE_S = 3.0
REAP_S = 1.0  # a killed program is gone at once; whoever inherited its output may not be
SHOWN_CHARS = 200


async def run_program(argv: Sequence[str], text: str = "", *, fine: tuple[int, ...] = (0,)) -> str:
    """Give what the program wrote; *text* is its input.  Raises LinkError with its own words.

    *fine* are the exit codes that mean success.  Cancelled or late, the program is ended.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise LinkError(f"{argv[0]} cannot be started: {error}") from error
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate(text.encode())
    except TimeoutError:
        raise LinkError(f"{argv[0]} did not end in time") from None
    finally:
        if process.returncode is None:
            process.kill()
            await _reap(process)
    if process.returncode not in fine:
        words = " ".join(err.decode(errors="replace").split())
        raise LinkError(f"{argv[0]}: {words[:SHOWN_CHARS] or f'exit code {process.returncode}'}")
    return out.decode(errors="replace")


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a killed program.

    What it still said is read too: a pipe that nobody empties is never closed, and wait() would
    never return (as in CPython 3.11, 3.12).
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REAP_S):
            await process.communicate()
