"""The command line: parse, call, print; no logic.

Each verb is a module of its own and is imported when it is called, so that a question about the
box is answered at once.  Exit codes: see verbs/__init__.py.
"""

import importlib
import os
import sys
from collections.abc import Sequence

from edge_watchdog.verbs import FINE, INTERRUPTED, Answer, loading
from edge_watchdog.verbs.table import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the *arguments* ask for; give the exit code."""
    args = parser().parse_args(arguments)
    try:
        with loading():
            verb = importlib.import_module(f"edge_watchdog.verbs.{args.verb.replace('-', '_')}")
        answer: Answer = verb.answer(args)
        if answer.text:
            print(answer.text, file=sys.stderr if answer.code else sys.stdout, flush=True)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing may complain at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    return answer.code
