"""Ending the box's own connections that hang on a dead uplink, so that programs retry at once.

``ss --kill`` asks the kernel (SOCK_DESTROY); a kernel built without it says so, and the connections
then end by their own time-outs.
"""

import asyncio

from edge_watchdog.links import LinkError

PATIENCE_S = 3.0


async def end_connections(source: str) -> int:
    """End every TCP connection from *source* (an address); gives how many.  Raises LinkError."""
    try:
        process = await asyncio.create_subprocess_exec(
            "ss",
            "--no-header",
            "--numeric",
            "--tcp",
            "--kill",
            "src",
            source,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise LinkError(f"ss cannot be started: {error}") from error
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise LinkError("ss did not end in time") from None
    if process.returncode:
        raise LinkError(f"ss: {err.decode(errors='replace').strip()[:200]}")
    return len(out.splitlines())
