"""``edge-watchdog reference``: the generated parts of the README and the shipped configuration."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from edge_watchdog.config.reference import markdown, shipped_toml
from edge_watchdog.config.registries import known_registries
from edge_watchdog.core.phrases import PHRASES
from edge_watchdog.core.state import Cause
from edge_watchdog.verbs import Answer, complaint, table

README = Path("README.md")
SHIPPED = Path("config/edge_watchdog.toml")


def answer(args: argparse.Namespace) -> Answer:
    """Give the tables or the file, compare them with what stands in the folder, or write them."""
    if args.toml:
        return Answer(shipped_toml(known_registries()).rstrip("\n"))
    if not args.check and not args.write:
        return Answer("\n\n".join(f"## {name}\n\n{body}" for name, body in parts().items()))
    try:
        fresh = fresh_files()
        stale = [path for path, text in fresh.items() if _present(path) != text]
        if args.write:
            for path in stale:
                path.write_text(fresh[path], "utf-8")
            return Answer("\n".join(f"wrote {path}" for path in stale))
    except (OSError, ValueError) as error:
        return complaint([f"{error}; this is for the folder with {README} in it"])
    if stale:
        return complaint(f"{path} is stale: edge-watchdog reference --write" for path in stale)
    return Answer()


def parts() -> Mapping[str, str]:
    """Give the generated parts of the README by the names of their markers."""
    return {
        "config": markdown(known_registries()),
        "causes": _causes(),
        "commands": table.markdown(),
    }


def fresh_files() -> Mapping[Path, str]:
    """Give both files as they should be; raises OSError, or ValueError when a marker is missing."""
    readme = README.read_text("utf-8")
    for name, body in parts().items():
        readme = put_between(readme, name, body)
    return {README: readme, SHIPPED: shipped_toml(known_registries())}


def put_between(text: str, name: str, body: str) -> str:
    """Put *body* between the markers of *name*; raises ValueError when they are missing."""
    start, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"(?<={re.escape(start)}\n).*?(?={re.escape(end)})", re.DOTALL)
    changed, count = pattern.subn(lambda _: f"\n{body}\n\n", text)
    if count != 1:
        raise ValueError(f"{start} and {end} stand {count} times, wanted once")
    return changed


def _causes() -> str:
    rows = ["| cause | in words | what the desk reads |", "|---|---|---|"]
    for cause in Cause:
        phrase = PHRASES[cause]
        changed = phrase.changed.replace("{line}", "the line").replace("{vendor}", "the vendor")
        changed = re.sub(r"(^|\. )t", lambda found: found[1] + "T", changed)
        rows.append(f"| `{cause}` | {phrase.label} | {changed} |")
    return "\n".join(rows)


def _present(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
