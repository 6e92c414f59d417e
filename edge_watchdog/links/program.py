"""Running one of the system's own network programs to its end, with a limit on its time."""

from collections.abc import Sequence

from edge_watchdog.children import run_child
from edge_watchdog.links import LinkError

PATIENCE_S = 3.0
SHOWN_CHARS = 200


async def run_program(argv: Sequence[str], text: str = "", *, fine: tuple[int, ...] = (0,)) -> str:
    """Give what the program wrote; *text* is its input.  Raises LinkError with its own words.

    *fine* are the exit codes that mean success.  Cancelled or late, the program is ended.
    """
    try:
        ended = await run_child(argv, text.encode(), within_s=PATIENCE_S)
    except TimeoutError:
        raise LinkError(f"{argv[0]} did not end in time") from None
    except OSError as error:
        raise LinkError(f"{argv[0]} cannot be started: {error}") from error
    if ended.code not in fine:
        words = " ".join(ended.err.decode(errors="replace").split())
        raise LinkError(f"{argv[0]}: {words[:SHOWN_CHARS] or f'exit code {ended.code}'}")
    return ended.out.decode(errors="replace")
