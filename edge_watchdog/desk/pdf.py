"""A day pack as PDF, made in a process of its own: the library is loaded there and nowhere else.

A Pack goes in, PDF comes out; the other end is pdf_drawer.py.  Nothing of either is logged.
"""

import asyncio
import contextlib
import dataclasses
import importlib.util
import json
import os
import sys
from pathlib import Path

from edge_watchdog.core.units import Paper
from edge_watchdog.desk.pack import Pack

DEADLINE_S = 60.0
NOT_MADE = "The PDF could not be made. Print the page from the browser instead."
NO_LIBRARY = "This box has no reportlab to make a PDF. Print the page from the browser instead."


class PdfError(Exception):
    """No PDF came; the message is for people and holds no client's data."""


async def make_pdf(pack: Pack, paper: Paper, *, deadline_s: float = DEADLINE_S) -> bytes:
    """Have a child process draw *pack*; raises PdfError."""
    if importlib.util.find_spec("reportlab") is None:
        raise PdfError(NO_LIBRARY)
    request = json.dumps({"pack": dataclasses.asdict(pack), "paper": paper}).encode()
    root = str(Path(__file__).parent.parent.parent)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-s", "-m", "edge_watchdog.desk.pdf_drawer"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": root, "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, _ = await child.communicate(request)
    except TimeoutError:
        raise PdfError(NOT_MADE) from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode or not out.startswith(b"%PDF"):
        raise PdfError(NOT_MADE)
    return out
