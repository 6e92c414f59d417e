"""What can be asked for on the command line: one module for each verb, ``answer(args)``.

Nothing is decided here: a verb calls the room that knows and puts the outcome into lines.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

DEFAULT_CONFIG = "/etc/edge-watchdog/edge_watchdog.toml"

FINE = 0
PROBLEMS = 1
USAGE = 2  # argparse's own
NOT_RUNNING = 3
INTERRUPTED = 130  # 128 + SIGINT, as a shell counts


@dataclass(frozen=True, slots=True)
class Answer:
    """What to print, and the exit code; anything but 0 is printed on stderr."""

    text: str = ""
    code: int = FINE


def complaint(problems: Iterable[object]) -> Answer:
    """Give an answer with one line for each problem, and their number."""
    lines = [str(problem) for problem in problems]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return Answer("\n".join([*lines, f"{count} found."]), PROBLEMS)


@contextmanager
def loading() -> Iterator[None]:
    """Load modules without looking for garbage, of which they leave none: a half starts sooner."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
