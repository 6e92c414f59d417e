"""What the rooms can be configured to do: the kinds of each and the keys of every kind.

The rooms are imported when this is asked for, not before: with them come the web client and the
netlink library, a second of start-up on a small box, and ``status`` needs neither.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Registry = Mapping[str, type | None]  # kind -> dataclass of its own keys; None = it has none


@dataclass(frozen=True, slots=True)
class Registries:
    """The kinds of every room; *mqtt* is the dataclass of [mqtt]."""

    drivers: Registry
    readers: Registry
    connectors: Registry
    channels: Registry
    mqtt: type | None


def known_registries() -> Registries:
    """Give what this version knows."""
    return Registries(
        drivers=_of("links.registry", "DRIVERS"),
        readers=_of("vendors.registry", "READERS"),
        connectors=_of("daybook.registry", "CONNECTORS"),
        channels=_of("alerts.registry", "CHANNELS"),
        mqtt=_of("mqtt", "Mqtt"),
    )


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"edge_watchdog.{module}"), name)
