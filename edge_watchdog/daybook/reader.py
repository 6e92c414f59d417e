"""The child's end of child.py: one request from stdin, one answer to stdout, then it ends.

The request is a line of JSON, then the body as it came.
It lowers its own priority and memory first: the half that watches the lines comes before it.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from types import FrameType

from edge_watchdog.clock import Clock, SystemClock
from edge_watchdog.core import codec
from edge_watchdog.daybook import DaybookError, Reading, Span
from edge_watchdog.daybook.caldav_read import read_calendars
from edge_watchdog.daybook.child import Form
from edge_watchdog.daybook.csv_read import keys_from, read_export
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.reading import Limit, TooLongError, read_calendar

SERIES_S = 2.0
ALL_SERIES_S = 30.0
LAST_RESORT_S = 0.05  # enough for an entry that does not repeat
MEMORY_BYTES = 512 * 2**20


def main() -> int:
    """Read one request, write one answer: a reading, or an error in words."""
    with contextlib.suppress(OSError, ValueError):  # a sandbox may forbid it, and has its own
        os.nice(10)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    request = json.loads(sys.stdin.buffer.readline())
    body = sys.stdin.buffer.read()
    asked = request["span"]
    span = Span(date.fromisoformat(asked["first"]), int(asked["days"]), str(asked["zone"]))
    limit = series_limit(SystemClock())
    answer: dict[str, object]
    try:
        answer = {"reading": codec.encode(_reading(request, body, span, limit))}
    except DaybookError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))
    return 0


def _reading(request: Mapping[str, object], body: bytes, span: Span, limit: Limit) -> Reading:
    title, keys = Title(str(request["title"])), request["keys"]
    if request["form"] == Form.CSV and isinstance(keys, Mapping):
        return read_export(body, span, keys_from(keys))
    if request["form"] == Form.CALDAV:
        return read_calendars(body, span, title, limit)
    return read_calendar(body, span, title, limit)


def series_limit(
    clock: Clock, series_s: float = SERIES_S, all_s: float = ALL_SERIES_S
) -> Callable[[], AbstractContextManager[None]]:
    """Give a maker of contexts that raise TooLongError after *series_s*; main thread only.

    Those are seconds of the processor, so that a busy box leaves nothing out.  Once *all_s* have
    passed on *clock*, every further one gets LAST_RESORT_S.
    """
    started = clock.now()

    @contextlib.contextmanager
    def limit() -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, _ring)
        left_s = all_s - clock.now().since(started)
        signal.setitimer(signal.ITIMER_PROF, max(LAST_RESORT_S, min(series_s, left_s)))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    return limit


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


if __name__ == "__main__":
    sys.exit(main())
