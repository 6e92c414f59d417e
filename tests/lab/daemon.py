"""The real daemon in the lab's box: started, watched through its own bridge, stopped or killed.

The bridge is a Unix socket in the lab's folder, so that the views can be read from outside the
box's network.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge_watchdog.bridge import BridgeError, read_once
from edge_watchdog.core.view import StudioView
from tests.lab.lab import Lab
from tests.patience import air

READY_S = 20.0


class Daemon:
    """``edge-watchdog run`` in the box, from ``with`` to its end; *options* as settings.Studio."""

    def __init__(self, lab: Lab, folder: Path, *, only: str | None = None, **options: Any) -> None:
        self._lab = lab
        self._only = only
        self.folder = folder
        self.log = folder / "daemon.log"
        self.config = folder / "edge_watchdog.toml"
        self.bridge = folder / "run/bridge.sock"
        self._options = {
            "state_dir": str(folder / "state"),
            "runtime_dir": str(folder / "run"),
        } | options
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Write the configuration and start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._lab.config_text(**self._options))
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop in an orderly way."""
        self.stop()

    def start(self) -> None:
        """Start, and wait until the line in use is known to work."""
        with self.log.open("ab") as log:
            self.process = self._lab.box.popen(self.argv(), stdout=log, stderr=log)
        self.wait(lambda v: v.active is not None and _in_use(v) == "up", READY_S)

    def argv(self) -> list[str]:
        """Give what is run in the box."""
        only = ["--only", self._only] if self._only else []
        return [sys.executable, "-m", "edge_watchdog", "run", "--config", str(self.config), *only]

    def stop(self) -> None:
        """End it by SIGTERM; harmless when it has ended already."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(air(10))
        self.process = None

    def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(air(5))

    def view(self) -> StudioView:
        """Give what the watch half shows now; raises BridgeError when it does not answer."""
        return read_once(self.bridge, 3.0)

    def wait(self, wanted: Callable[[StudioView], bool], within_s: float) -> StudioView:
        """Give the first view that is as *wanted*; *within_s* on a quiet machine, else an error."""
        end = time.monotonic() + air(within_s)
        last: object = "no view"
        while time.monotonic() < end and self._runs():
            try:
                view = self.view()
            except (BridgeError, OSError, TimeoutError) as error:
                last = error
            else:
                if wanted(view):
                    return view
                last = view
            time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-3000:]
        raise AssertionError(f"not within {air(within_s):.0f} s; last: {last}\n{tail}")

    def _runs(self) -> bool:
        process = self.process
        return process is not None and process.poll() is None

    def overlay(self) -> str:
        """Give the device by which new connections of the box leave, by our table; "" = none."""
        text = self._lab.box.run(
            ["ip", "route", "show", "table", "7100"], capture_output=True, check=False
        ).stdout
        words = str(text).split()
        return words[words.index("dev") + 1] if "dev" in words else ""


def _in_use(view: StudioView) -> str:
    return next((u.health for u in view.uplinks if u.name == view.active), "unknown")
