"""What a verb works with: a configuration, or none for this machine, and the watch half."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_watchdog.bridge import BridgeError, read_once
from edge_watchdog.config import Config, Outline, load, load_outline, observing, own_outline
from edge_watchdog.core.view import StudioView
from edge_watchdog.verbs import NOT_RUNNING, Answer

ANSWER_S = 3.0  # a busy Pi may take a second
ROUTES = Path("/proc/net/route")
OWN_TIME_ZONE = Path("/etc/localtime")


def config_of(args: argparse.Namespace) -> Config:
    """Read what --config or --observe names; raises ConfigError."""
    if not args.observe:
        return load(args.config)
    return observing(with_default_route(ROUTES.read_text("ascii")), outline_of(args))


def outline_of(args: argparse.Namespace) -> Outline:
    """Read of it only what is needed to ask a running box; raises ConfigError."""
    if not args.observe:
        return load_outline(args.config)
    return own_outline(time_zone=_own_time_zone(), state_dir=_own_state_dir())


class NotRunning(Exception):  # noqa: N818 - a state of the box, not a fault of the program
    """The watch half gave no view; *answer* says it."""

    def __init__(self, message: str) -> None:
        """Keep the sentence for the person who asked."""
        super().__init__(message)
        self.answer = Answer(message, NOT_RUNNING)


def present_view(outline: Outline) -> StudioView:
    """Ask the running watch half how things are; raises NotRunning."""
    try:
        return read_once(Path(outline.box.bridge_socket), ANSWER_S)
    except BridgeError as error:
        raise NotRunning(f"{error}") from error


def clock_time(wall: float, view: StudioView, outline: Outline) -> str:
    """Give a time of day of the studio, with the date when it is another day than the view's."""
    if not view.wall_known:
        return "a time not known"
    zone = ZoneInfo(outline.studio.time_zone)
    then, now = (datetime.fromtimestamp(one, UTC).astimezone(zone) for one in (wall, view.at.wall))
    return then.strftime("%H:%M" if then.date() == now.date() else "%a %d %b %H:%M")


def with_default_route(table: str) -> list[str]:
    """Name the interfaces with a default route, best metric first, from /proc/net/route's text."""
    rows = [line.split() for line in table.splitlines()[1:]]
    routes = [(int(row[6]), row[0]) for row in rows if row[1] == row[7] == "00000000"]
    return list(dict.fromkeys(name for _, name in sorted(routes)))


def _own_time_zone() -> str:
    """Give the zone that /etc/localtime points to, or UTC."""
    _, found, zone = str(OWN_TIME_ZONE.resolve()).partition("/zoneinfo/")
    return zone if found else "UTC"


def _own_state_dir() -> str:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return f"{base}/edge-watchdog"
