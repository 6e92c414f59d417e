"""A day pack as PDF, made in a process of its own: the library is loaded there and nowhere else.

A Pack goes in, PDF comes out; the other end is pdf_drawer.py.  Nothing of either is logged.
"""

import dataclasses
import importlib.util
import json

from edge_watchdog.children import run_module
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
    try:
        ended = await run_module("edge_watchdog.desk.pdf_drawer", request, within_s=deadline_s)
    except TimeoutError:
        raise PdfError(NOT_MADE) from None
    if ended.code or not ended.out.startswith(b"%PDF"):
        raise PdfError(NOT_MADE)
    return ended.out
