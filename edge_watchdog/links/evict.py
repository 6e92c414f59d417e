"""Ending the box's own connections that hang on a dead uplink, so that programs retry at once.

``ss --kill`` asks the kernel (SOCK_DESTROY); a kernel built without it says so, and the connections
then end by their own time-outs.
"""

from edge_watchdog.links.program import run_program


async def end_connections(source: str) -> int:
    """End every TCP connection from *source* (an address); gives how many.  Raises LinkError."""
    words = ["--no-header", "--numeric", "--tcp", "--kill", "src", source]
    return len((await run_program(["ss", *words])).splitlines())
