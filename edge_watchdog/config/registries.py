"""What the rooms can be configured to do: the kinds of each and the keys of every kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_watchdog.core.model import UplinkKind

Registry = Mapping[str, type | None]  # kind -> dataclass of its own keys; None = it has none


@dataclass(frozen=True, slots=True)
class Registries:
    """The kinds of every room; *mqtt* is the dataclass of [mqtt]."""

    drivers: Registry
    readers: Registry
    connectors: Registry
    channels: Registry
    mqtt: type | None


def _optional(module: str, name: str) -> Any:
    import importlib  # noqa: PLC0415

    try:
        return getattr(importlib.import_module(module), name)
    except ImportError:
        return None


def known_registries() -> Registries:
    """Give what this version knows."""
    return Registries(
        drivers=_optional("edge_watchdog.links.registry", "DRIVERS") or dict.fromkeys(UplinkKind),
        readers=_optional("edge_watchdog.vendors.registry", "READERS") or {},
        connectors=_optional("edge_watchdog.daybook.registry", "CONNECTORS") or {},
        channels=_optional("edge_watchdog.alerts.registry", "CHANNELS") or {},
        mqtt=_optional("edge_watchdog.mqtt", "Mqtt"),
    )
