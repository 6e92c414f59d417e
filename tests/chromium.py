"""The browser that tests and pictures are made with."""

import subprocess
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def trust(home: Path, root: Path) -> None:
    """Install *root* for a browser whose HOME is *home*, as /trust says for Linux."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    tool = ["certutil", "-d", f"sql:{store}"]
    for steps in (["-N", "--empty-password"], ["-A", "-n", "box", "-t", "C,,", "-i", str(root)]):
        subprocess.run([*tool, *steps], check=True, capture_output=True)
