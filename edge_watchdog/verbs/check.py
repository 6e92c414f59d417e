"""``edge-watchdog check``: every problem of a configuration, or what was understood of it."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge_watchdog.config import Config, ConfigError, absent_files, advice
from edge_watchdog.core.model import Mode
from edge_watchdog.verbs import Answer, complaint
from edge_watchdog.verbs.price_lists import price_problems
from edge_watchdog.verbs.setting import config_of

IF_INET6 = Path("/proc/net/if_inet6")
NOT_ROUTED = "the studio's computers are told at once to use IPv4 instead, whatever line is in use"
TOUCHES: Mapping[Mode, str] = {
    Mode.OBSERVE: "touches nothing",
    Mode.SELF: "moves the box's own traffic",
    Mode.GATEWAY: "routes the studio's computers and moves their traffic",
}


def answer(args: argparse.Namespace) -> Answer:
    """Give all problems, or a summary when there are none."""
    try:
        config = config_of(args)
    except ConfigError as error:
        return complaint(error.problems)
    absent = [*absent_files(config), *price_problems(config)]
    if absent:
        return complaint(absent)
    return Answer("\n".join(_summary(config)))


def _summary(config: Config) -> Iterator[str]:
    yield f"{config.path or 'This machine'} is fine."
    yield f"studio     {config.studio.name}, {config.studio.time_zone}"
    yield f"mode       {config.box.mode}: {TOUCHES[config.box.mode]}"
    for number, one in enumerate(config.uplinks, 1):
        metered = ", metered" if one.uplink.metered else ""
        place = "preferred" if number == 1 else f"backup {number - 1}"
        yield f"uplink {number}   {one.uplink.name} ({one.uplink.interface}{metered}), {place}"
    operators = dict.fromkeys(anchor.operator for anchor in config.anchors)
    yield f"anchors    {len(config.anchors)}, run by {', '.join(operators)}"
    yield f"vendor     {config.vendor.name if config.vendor else 'none'}"
    for schedule in config.schedules:
        yield f"schedule   {schedule.name} ({schedule.kind}), every {schedule.every:g} s"
        yield f"           {schedule.options.tested}"
    for prices in config.prices:
        yield f"prices     {prices.path}, where no schedule brings a price list"
    for alert in config.alerts:
        yield f"alert      {alert.kind}"
    yield f"desk       http://{config.desk.listen}/ and https://{config.desk.listen_tls}/"
    for line in advice(config):
        yield f"advice     {line}"
    if config.box.mode is Mode.GATEWAY:
        # routing loads the netlink library, which no other mode of `check` needs
        from edge_watchdog.links.gateway import shortcomings  # noqa: PLC0415

        for line in shortcomings(config.box.lan_interfaces):
            yield f"missing    {line}"
        yield from not_routed(config)


def not_routed(config: Config, file: Path = IF_INET6) -> Iterator[str]:
    """Say of which lines the studio's computers do not get the IPv6 that they have."""
    from edge_watchdog.probes.six import global_address  # noqa: PLC0415 - loads what asks, too

    for one in config.uplinks:
        if global_address(one.uplink.interface, file) is not None:
            yield f"ipv6       {one.uplink.name} has it; {NOT_ROUTED}"
