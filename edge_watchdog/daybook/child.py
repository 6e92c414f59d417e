"""Parsing in a process of its own: a slow or hostile calendar delays nothing and can be ended.

A calendar goes in through a pipe, a Reading comes out; the other end is reader.py.  Nothing the
child prints reaches a log.
"""

import asyncio
import json
from collections.abc import Mapping
from enum import StrEnum

from edge_watchdog.children import run_module
from edge_watchdog.core import codec
from edge_watchdog.daybook import DaybookError, Reading, Span
from edge_watchdog.daybook.privacy import Title

DEADLINE_S = 60.0  # 5 MiB take about one second on a PC; a small box may need ten times that
NOT_READ = "the calendar could not be read"
TOO_SLOW = "reading the calendar took too long"


class Form(StrEnum):
    """What the body is; reader.py knows how to read each."""

    ICS = "ics"
    CALDAV = "caldav"
    CSV = "csv"


async def read_in_child(
    body: bytes,
    span: Span,
    title: Title,
    *,
    form: Form = Form.ICS,
    keys: Mapping[str, object] | None = None,
    deadline_s: float = DEADLINE_S,
) -> Reading:
    """Have a child process read *body*; *keys* are what else its form needs.

    Raises DaybookError.
    """
    request = {
        "form": form.value,
        "keys": dict(keys or {}),
        "span": {"first": span.first.isoformat(), "days": span.days, "zone": span.zone},
        "title": title.value,
    }
    # The body goes as it is: to put megabytes into JSON would hold up every page meanwhile.
    answer = await _converse(json.dumps(request).encode("ascii") + b"\n" + body, deadline_s)
    if "error" in answer:
        raise DaybookError(str(answer["error"]))
    try:
        # Thousands of entries take a while to build: in a thread the pages get their turn.
        return await asyncio.to_thread(codec.decode, Reading, answer["reading"])
    except (codec.CodecError, KeyError) as error:
        raise DaybookError(NOT_READ) from error


async def _converse(request: bytes, deadline_s: float) -> dict[str, object]:
    try:
        ended = await run_module("edge_watchdog.daybook.reader", request, within_s=deadline_s)
    except TimeoutError:
        raise DaybookError(TOO_SLOW) from None
    try:
        answer = json.loads(ended.out)
    except ValueError:
        raise DaybookError(NOT_READ) from None
    return answer if isinstance(answer, dict) else {}
