"""The tests' side of the lab's servers: what they saw, and how they shall behave."""

import json
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class Control:
    """One connection per call to the socket that world.py serves."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, **order: object) -> Any:
        """Send one order and give the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
            talk.settimeout(10)
            talk.connect(str(self._path))
            with talk.makefile("rw") as lines:
                lines.write(json.dumps(order) + "\n")
                lines.flush()
                return json.loads(lines.readline())

    def behave(self, words: Iterable[str]) -> None:
        """Set the behaviour of all servers ("app:503", "status:incident", ...)."""
        self.ask(do="behave", words=sorted(words))

    def sink(self) -> list[dict[str, Any]]:
        """Give what was posted to the hooks' sink: path, headers, text, from, at (boottime)."""
        posted: list[dict[str, Any]] = self.ask(do="sink")
        return posted

    def asked(self, host: str = "") -> list[dict[str, Any]]:
        """Give every request seen, or those to: app, status, check, hooks, portal, help."""
        seen: list[dict[str, Any]] = self.ask(do="asked")
        return [request for request in seen if host in ("", request["host"])]

    def set_feed(self, text: str | None) -> None:
        """Serve *text* as the calendar feed; None is the usual day again."""
        self.ask(do="feed", text=text)

    def forget(self) -> None:
        """Empty the sink and the list of requests."""
        self.ask(do="forget")
