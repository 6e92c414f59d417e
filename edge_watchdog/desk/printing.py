"""Prints the next open day's pack by itself when the studio has closed.

Time and opening hours in, one job for the printer's program out: the PDF goes to its standard
input.  A pack is printed once; what went wrong stands on the desk page until a pack came out.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge_watchdog.children import run_child
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.pdf import PdfError
from edge_watchdog.desk.phrases import Local, long_date

LATE_S = 3 * 3600.0  # a box that was off at closing time prints within this time
EARLY_S = 2 * 3600.0  # and else before the studio opens
LOOK_S = 60.0
DEADLINE_S = 60.0
AGAIN_S = 600.0

log = logging.getLogger(__name__)


class PrintError(Exception):
    """The printer's program did not take it; the message is for people."""


@dataclass(frozen=True, slots=True)
class Press:
    """What printing needs: how to draw a day, what to call, where to note what was printed.

    *command* is an argument list, never a shell's line; *holds* tells whether a day is kept.
    """

    command: tuple[str, ...]
    note: Path
    draw: Callable[[date], Awaitable[bytes]]
    holds: Callable[[date], bool]
    complain: Callable[[str], None]


def due(opening: Opening, now: Now, printed: date | None) -> date | None:
    """Give the day whose pack is to be printed now, if any; never with a clock that is not set."""
    wall = now.at.wall
    closed_s, opens_s = opening.closed_for_s(wall), opening.opens_in_s(wall)
    if not now.wall_known or closed_s is None or opens_s is None:
        return None
    if closed_s > LATE_S and opens_s > EARLY_S:
        return None
    coming = Local(opening.zone).day(wall + opens_s)
    return None if printed is not None and printed >= coming else coming


async def keep_printing(press: Press, opening: Opening, now: Callable[[], Now]) -> None:
    """Print every evening, for ever."""
    printed = _read(press.note)
    while True:
        day = due(opening, now(), printed)
        pause_s = LOOK_S
        if day is not None and press.holds(day):
            try:
                await print_pdf(press.command, await press.draw(day))
            except (PrintError, PdfError) as error:
                log.warning("printing: %s", error)
                press.complain(f"The day pack for {long_date(day)} is not printed yet: {error}")
                pause_s = AGAIN_S
            else:
                printed = day
                press.complain("")
                await asyncio.to_thread(_write, press.note, day)
        await asyncio.sleep(pause_s)


async def print_pdf(command: tuple[str, ...], body: bytes) -> None:
    """Hand *body* to the program *command* on its standard input; raises PrintError."""
    try:
        ended = await run_child(command, body, within_s=DEADLINE_S, heard=False)
    except TimeoutError:
        raise PrintError(f"{command[0]} did not end within a minute") from None
    except OSError as error:
        raise PrintError(f"{command[0]} cannot be run ({error.strerror})") from None
    if ended.code:
        raise PrintError(f"{command[0]} refused it (exit code {ended.code})")


def _read(note: Path) -> date | None:
    try:
        return date.fromisoformat(json.loads(note.read_text("ascii"))["printed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(note: Path, day: date) -> None:
    fresh = note.with_suffix(".new")
    with contextlib.suppress(OSError):  # then it is printed again after a restart
        fresh.write_text(json.dumps({"printed": day.isoformat()}), "ascii")
        fresh.replace(note)
