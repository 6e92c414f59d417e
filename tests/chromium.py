"""The browser that tests and pictures are made with."""

import subprocess
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"  # the same without its windows, for a third of the CPU
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def trust(home: Path, *roots: Path) -> None:
    """Install *roots* for a browser whose HOME is *home*, as /trust says for Linux."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    tool = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*tool, "-N", "--empty-password"], check=True, capture_output=True)
    for root in roots:
        steps = ["-A", "-n", root.stem, "-t", "C,,", "-i", str(root)]
        subprocess.run([*tool, *steps], check=True, capture_output=True)
