"""The verbs of the command line as data: the parser and the README are both made from it."""

import argparse
from dataclasses import dataclass

import edge_watchdog
from edge_watchdog.verbs import DEFAULT_CONFIG


@dataclass(frozen=True, slots=True)
class Option:
    """One option; *value* names what follows it, "" for a switch.

    A name without a dash is no option but a word of its own.  *into*: its name in the Namespace.
    """

    name: str
    about: str
    value: str = ""
    choices: tuple[str, ...] = ()
    default: str | None = None
    is_number: bool = False
    is_required: bool = False
    into: str | None = None

    @property
    def usage(self) -> str:
        """Give the option as it is typed."""
        return " ".join([self.name, self.value or " or ".join(self.choices)]).rstrip()


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb; of the options in *either*, one at most is given."""

    name: str
    about: str
    options: tuple[Option, ...] = ()
    either: tuple[Option, ...] = ()


BOX = (
    Option("--config", f"the configuration, {DEFAULT_CONFIG} without it", "F", (), DEFAULT_CONFIG),
    Option("--observe", "no configuration: this machine's own lines, touching nothing"),
)
VERBS = (
    Verb(
        "run",
        "watch the lines and serve the pages",
        (*BOX, Option("--only", "one part of it, for systemd", choices=("watch", "desk", "names"))),
    ),
    Verb("check", "find every problem of a configuration, or say what is understood", BOX),
    Verb("status", "how things are, on one screen", BOX),
    Verb("why", "the present diagnosis and its evidence", BOX),
    Verb("setup-code", "a code that sets the owner's password on the page /setup; as root", BOX),
    Verb(
        "use",
        "stay on the uplink NAME for a while, also beyond its outage_budget; with NAME auto the box"
        " decides again",
        (
            Option("name", "the uplink, or auto: the box decides again", "NAME"),
            *BOX,
            Option("--for", "for how long, 4h at most; 1h without it", "T", (), "1h", into="for_"),
            Option("--because", "why; shown on the pages", "TEXT"),
            Option("--by", "who wants it; without it, who is logged in", "WHO"),
        ),
    ),
    Verb(
        "replay",
        "think an incident through again, from the journal",
        (
            *BOX,
            Option("--incident", "its number", "N", is_number=True, is_required=True),
            Option("--as-story", "write it as a test for tests/incidents"),
        ),
    ),
    Verb(
        "sheets",
        "a day's pack for paper, from the running desk half",
        (
            *BOX,
            Option("--day", "today, tomorrow, next (the next open day) or a date", "DAY"),
            Option("--pdf", "where to write it", "FILE", is_required=True),
        ),
    ),
    Verb(
        "reference",
        "what can be configured, diagnosed and asked",
        either=(
            Option("--markdown", "the tables of the README; also without an option"),
            Option("--toml", "the file config/edge_watchdog.toml"),
            Option("--check", "exit 1 when README or config file is stale"),
            Option("--write", "renew both, in the folder one stands in"),
        ),
    ),
)
EXIT_CODES = "exit codes: 0 fine, 1 problems were found, 2 not understood, 3 not running"


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="edge-watchdog",
        description="Watches every way out of the studio, moves to a backup, tells the desk.",
        epilog=EXIT_CODES,
    )
    top.add_argument("--version", action="version", version=edge_watchdog.__version__)
    verbs = top.add_subparsers(title="verbs", required=True, metavar="VERB", dest="verb")
    for verb in VERBS:
        one = verbs.add_parser(verb.name, help=verb.about, description=verb.about)
        for option in verb.options:
            _add(one, option)
        if verb.either:
            group = one.add_mutually_exclusive_group()
            for option in verb.either:
                _add(group, option)
    return top


def markdown() -> str:
    """Give the verbs as a Markdown table."""
    rows = ["| command | what it does |", "|---|---|"]
    for verb in VERBS:
        rows.append(f"| `edge-watchdog {verb.name}` | {verb.about} |")
        own = (o for o in (*verb.options, *verb.either) if o not in BOX and o.name[0] == "-")
        rows += [f"| &nbsp;&nbsp;`{option.usage}` | {option.about} |" for option in own]
    rows.append("| all but `reference`: | |")
    rows += [f"| &nbsp;&nbsp;`{option.usage}` | {option.about} |" for option in BOX]
    return "\n".join([*rows, "", EXIT_CODES[:1].upper() + EXIT_CODES[1:] + "."])


def _add(target: argparse._ActionsContainer, option: Option) -> None:
    if not option.value and not option.choices:
        target.add_argument(option.name, action="store_true", help=option.about)
        return
    if not option.name.startswith("-"):
        target.add_argument(option.name, help=option.about, metavar=option.value)
        return
    target.add_argument(
        option.name,
        dest=option.into,
        help=option.about,
        metavar=option.value or None,
        choices=option.choices or None,
        default=option.default,
        type=int if option.is_number else str,
        required=option.is_required,
    )
