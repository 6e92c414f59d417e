"""The browser that tests and pictures are made with."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"  # the same without its windows, for a third of the CPU
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@asynccontextmanager
async def started(
    program: str | Path, *flags: str, env: dict[str, str | float | bool] | None = None
) -> AsyncIterator[Browser]:
    """Run *program*, one of these browsers, from ``with`` to its end."""
    async with async_playwright() as tool:
        made = await tool.chromium.launch(executable_path=program, args=[*FLAGS, *flags], env=env)
        yield made
        await made.close()


def trust(home: Path, *roots: Path) -> None:
    """Install *roots* for a browser whose HOME is *home*, as /trust says for Linux."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    tool = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*tool, "-N", "--empty-password"], check=True, capture_output=True)
    for root in roots:
        steps = ["-A", "-n", root.stem, "-t", "C,,", "-i", str(root)]
        subprocess.run([*tool, *steps], check=True, capture_output=True)
