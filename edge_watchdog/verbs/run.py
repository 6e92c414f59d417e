"""``edge-watchdog run``: the daemon, both halves or one."""

import argparse
import asyncio

from edge_watchdog.config import ConfigError
from edge_watchdog.verbs import Answer, complaint, loading
from edge_watchdog.verbs.setting import config_of


def answer(args: argparse.Namespace) -> Answer:
    """Run until told to stop."""
    try:
        config = config_of(args)
    except ConfigError as error:
        return complaint(error.problems)
    if not config.uplinks:
        return complaint(["This machine has no default route: there is nothing to observe."])
    if args.only == "desk":
        # Neither half loads the libraries of the other: they cost memory on a small box.
        with loading():
            from edge_watchdog.verbs.desk_half import run_desk  # noqa: PLC0415

        return run_desk(config)
    if args.only == "names":
        from edge_watchdog.verbs.names_half import become_dnsmasq  # noqa: PLC0415

        return become_dnsmasq(config)
    with loading():
        from edge_watchdog.watch import run_watch  # noqa: PLC0415

    return Answer(code=asyncio.run(run_watch(config, with_desk=args.only is None)))
