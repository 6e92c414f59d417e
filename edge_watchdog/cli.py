"""The command line: parse, call, print; no logic.

Each verb is a module of its own and is imported when it is called, so that a question about the
box is answered at once.  Exit codes: see verbs/__init__.py.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import edge_watchdog
from edge_watchdog.verbs import DEFAULT_CONFIG, FINE, INTERRUPTED, Answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the *arguments* ask for; give the exit code."""
    args = parser().parse_args(arguments)
    verb = importlib.import_module(f"edge_watchdog.verbs.{args.verb}")
    try:
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


def parser() -> argparse.ArgumentParser:
    """Give the parser; its help stands in the README."""
    top = argparse.ArgumentParser(
        prog="edge-watchdog",
        description="Watches every way out of the studio, moves to a backup, tells the desk.",
        epilog="exit codes: 0 fine, 1 problems were found, 2 not understood, 3 not running",
    )
    top.add_argument("--version", action="version", version=edge_watchdog.__version__)
    verbs = top.add_subparsers(title="verbs", required=True, metavar="VERB", dest="verb")
    box = _which_box()
    run = verbs.add_parser("run", parents=[box], help="watch the lines and serve the pages")
    run.add_argument("--only", choices=("watch", "desk"), help="one half of it, for systemd")
    verbs.add_parser("check", parents=[box], help="find every problem of a configuration")
    verbs.add_parser("status", parents=[box], help="how things are, on one screen")
    verbs.add_parser("why", parents=[box], help="the present diagnosis and its evidence")
    replay = verbs.add_parser("replay", parents=[box], help="think an incident through again")
    replay.add_argument("--incident", type=int, required=True, metavar="N", help="its number")
    replay.add_argument("--as-story", action="store_true", help="write it as a test")
    reference = verbs.add_parser("reference", help="what can be configured and diagnosed")
    form = reference.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="the tables of the README (default)")
    form.add_argument("--toml", action="store_true", help="config/edge_watchdog.toml")
    form.add_argument("--check", action="store_true", help="exit 1 when either file is stale")
    form.add_argument("--write", action="store_true", help="renew both files")
    return top


def _which_box() -> argparse.ArgumentParser:
    box = argparse.ArgumentParser(add_help=False)
    box.add_argument("--config", default=DEFAULT_CONFIG, metavar="F", help="default: %(default)s")
    box.add_argument(
        "--observe",
        action="store_true",
        help="no configuration: look at this machine's own ways out and touch nothing",
    )
    return box
