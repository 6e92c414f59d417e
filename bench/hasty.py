"""The watch half without its patience: whoever measures many failovers cannot wait for trust.

    python -m bench.hasty CONFIG

Everything is as shipped but three numbers: how long the preferred line must be clean, how long a
failure is remembered, and after how many switches the box stays where it is.
"""

import asyncio
import logging
import sys
from dataclasses import replace

from edge_watchdog.clock import SystemClock
from edge_watchdog.config import Config, load, policy
from edge_watchdog.core.policy import Policy
from edge_watchdog.watch import Watch


def hasty(config: Config) -> Policy:
    """Give the policy of *config* without its patience."""
    return replace(policy(config), hold_s=0.3, failures_memory_s=0.5, flap_switches=1_000_000)


async def main(path: str) -> None:
    """Watch until a signal says stop."""
    config = load(path)
    watch = Watch(config, with_desk=False, clock=SystemClock(), numbers=hasty(config))
    await watch.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1]))
