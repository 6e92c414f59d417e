"""Puts the lab's table of faults into the README: ``python -m tests.fault_table``."""

from pathlib import Path

from edge_watchdog.verbs.reference import put_between
from tests.lab.faults import table

README = Path(__file__).parents[1] / "README.md"


def with_faults(readme: str) -> str:
    """Give the README with a fresh table of faults."""
    return put_between(readme, "faults", table())


if __name__ == "__main__":
    README.write_text(with_faults(README.read_text("utf-8")), "utf-8")
