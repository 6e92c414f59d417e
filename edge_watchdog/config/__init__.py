"""The configuration: a TOML file in, frozen dataclasses out, every problem named in one run.

The keys of a driver, reader, connector or channel are the fields of its options dataclass in the
room's registry; this room knows none of them by name.  Secrets stand in files, never here.
"""

import dataclasses
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import tomli

from edge_watchdog.config.forms import HostPort, TimeZone, without_none
from edge_watchdog.config.line_keys import UplinkConfig
from edge_watchdog.config.people_keys import Desk
from edge_watchdog.config.place_keys import Box, Studio
from edge_watchdog.config.reading import read_config, read_outline
from edge_watchdog.config.registries import known_registries
from edge_watchdog.config.stanzas import Config, Outline
from edge_watchdog.config.tables import Problem
from edge_watchdog.core.model import Mode, Uplink, UplinkKind
from edge_watchdog.core.policy import Policy, Restrict
from edge_watchdog.core.units import FilePath

CREDENTIALS = "/run/credentials/"
TAKE_BOOKINGS = ("caldav", "square")
LONG_RETENTION_S = 72 * 3600.0

__all__ = [
    "Config",
    "ConfigError",
    "Outline",
    "Problem",
    "absent_files",
    "advice",
    "load",
    "load_outline",
    "observing",
    "own_outline",
    "parse",
    "policy",
]


class ConfigError(Exception):
    """The configuration cannot be used; *problems* are all of them, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems; the text is one line for each."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load(path: str | Path) -> Config:
    """Read the configuration at *path*; raises ConfigError with every problem."""
    return dataclasses.replace(parse(_text_of(path)), path=str(Path(path).absolute()))


def parse(text: str) -> Config:
    """Read a configuration from its text; raises ConfigError with every problem."""
    problems: list[Problem] = []
    config = read_config(_tables_of(text), known_registries(), problems)
    if config is None or problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return config


def load_outline(path: str | Path) -> Outline:
    """Read who and where only, without loading any room; raises ConfigError.

    Mistakes elsewhere in the file do not matter to it.
    """
    problems: list[Problem] = []
    outline = read_outline(_tables_of(_text_of(path)), problems)
    if outline is None:
        raise ConfigError(problems)
    return outline


def observing(interfaces: Iterable[str], outline: Outline) -> Config:
    """Give the configuration of a machine that has none: look on, touch nothing, stay local."""
    uplinks = (Uplink(name, UplinkKind.ETHERNET, name) for name in interfaces)
    driver = known_registries().drivers[UplinkKind.ETHERNET]
    return Config(
        studio=outline.studio,
        uplinks=tuple(UplinkConfig(uplink, driver and driver()) for uplink in uplinks),
        box=outline.box,
        desk=Desk(listen=HostPort("127.0.0.1:8080"), listen_tls=HostPort("127.0.0.1:8443")),
    )


def own_outline(*, time_zone: str, state_dir: str) -> Outline:
    """Give the outline of a machine without a configuration; it keeps all in one folder."""
    return Outline(
        Studio(name="this machine", time_zone=TimeZone(time_zone)),
        Box(state_dir=FilePath(state_dir), runtime_dir=FilePath(f"{state_dir}/run")),
    )


def policy(config: Config) -> Policy:
    """Give the numbers the mind decides with."""
    chosen = Policy(
        uplinks=tuple(one.uplink for one in config.uplinks),
        mode=config.box.mode,
        hold_s=config.timing.failback_after,
        rehearse_after_s=config.timing.rehearse_after,
        rehearse=config.timing.rehearse and config.studio.opening_hours is not None,
        restrict=config.metered.restrict,
        plans=tuple((one.uplink.name, one.plan) for one in config.uplinks if one.plan is not None),
        allows_vendor=bool(config.vendor_hosts),
        allows_more=bool(config.metered.allow),
    )
    if config.vendor is None:
        return chosen
    return dataclasses.replace(chosen, vendor_name=config.vendor.name)


def absent_files(config: Config) -> list[Problem]:
    """Name every file of a ``*_file`` key that is not there; looks at the disk.

    What systemd hands over as a credential is there only while its unit runs, and is left out.
    """
    found: list[Problem] = []
    parts: list[tuple[str, object]] = [("[vendor]", config.vendor), ("[mqtt]", config.mqtt)]
    parts += [("[vendor] status", config.vendor.status if config.vendor else None)]
    parts += [(f"[[uplink]] {i}", one.options) for i, one in enumerate(config.uplinks, 1)]
    parts += [(f"[[schedule]] {i}", one.options) for i, one in enumerate(config.schedules, 1)]
    parts += [(f"[[alert]] {i}", one.options) for i, one in enumerate(config.alerts, 1)]
    for place, part in parts:
        for key, path in _paths(part):
            if not Path(path).exists():
                found.append(Problem(f'{place} {key} = "{path}"', "no such file"))
    return found


def advice(config: Config) -> list[str]:
    """Say what works but could be better, one sentence each."""
    said = []
    if len(config.uplinks) == 1:
        said.append("There is one way out only: an outage is seen and told, but not bridged.")
    if config.box.mode is Mode.OBSERVE and len(config.uplinks) > 1:
        said.append('[box] mode is "observe": nothing is switched; "self" would.')
    if config.box.dhcp_range is not None and config.box.mode is not Mode.GATEWAY:
        said.append('[box] dhcp_range does nothing here: addresses are given in mode "gateway".')
    if config.metered.restrict is not Restrict.NEVER and config.box.mode is not Mode.GATEWAY:
        said.append('[metered] does nothing here: computers are routed in mode "gateway" only.')
    said += _advice_on_limits(config)
    if not config.box.lan_interfaces:
        said.append("[box] has no lan_interfaces: the pages open on this machine only.")
    said += [
        f"[[uplink]] {one.uplink.name} is metered without a monthly_cap: nobody is told when the"
        " data runs low."
        for one in config.uplinks
        if one.plan is not None and one.plan.cap_bytes is None
    ]
    if config.vendor is None:
        said.append("There is no [vendor]: its outage cannot be told from one of ours.")
    elif config.vendor.status is None:
        said.append("[vendor] has no status page: announced trouble will not be known.")
    said += [
        f"[[schedule]] {one.name}: its kind takes no bookings, so write_back does nothing."
        for one in config.schedules
        if one.write_back and one.kind not in TAKE_BOOKINGS
    ]
    if not config.schedules:
        said.append("There is no [[schedule]]: the desk page can show no appointments.")
    if config.desk.retention > LONG_RETENTION_S:
        said.append("[desk] retention is longer than three days: names lie on the disk for long.")
    if not config.alerts and config.mqtt is None:
        said.append("There is no [[alert]] and no [mqtt]: news stands on the desk page only.")
    if config.printing.command and config.studio.opening_hours is None:
        said.append("[print] does nothing without opening_hours: closing time is not known.")
    if config.studio.opening_hours is None:
        said.append("[studio] has no opening_hours: lines are asked as often at night.")
    return said


def _advice_on_limits(config: Config) -> Iterator[str]:
    budgets = [u.uplink.name for u in config.uplinks if u.plan and u.plan.outage_bytes is not None]
    if config.box.mode is not Mode.GATEWAY:
        for name in budgets:
            yield (
                f"[[uplink]] {name} outage_budget is told, but limits nobody: computers are routed"
                ' in mode "gateway" only.'
            )
    elif config.may_limit and not config.allowed:
        yield (
            "[metered] allow is empty and [vendor] has no app_url: over a metered line that is"
            " limited the studio's computers would reach nothing. Write what they need there."
        )


def _paths(part: object | None) -> Iterator[tuple[str, str]]:
    if part is None or isinstance(part, type) or not dataclasses.is_dataclass(part):
        return
    hints = typing.get_type_hints(type(part))
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        is_path = without_none(hints[field.name]) is FilePath and value is not None
        if is_path and field.name.endswith("_file") and not value.startswith(CREDENTIALS):
            yield field.name, value


def _text_of(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([Problem(str(path), error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise ConfigError([Problem(str(path), message)]) from error


def _tables_of(text: str) -> Mapping[str, object]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigError([Problem("the file is not TOML", str(error))]) from error
