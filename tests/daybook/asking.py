"""Sends requests that are paid for in a ledger until it is killed, many times; run by a test.

Each asker is a fork of one process that has everything imported.  What it "sends" is a byte to a
pipe, so that what left can be counted whatever became of it.  Prints JSON: for each life, how many
requests left and how many the ledger has.
"""

import asyncio
import json
import os
import random
import select
import signal
import sys

from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.ledger import Balance, open_ledger

A_LOT = 100_000


async def ask(path: str, tell: int) -> None:
    """Note and send, for ever, as the keeper does."""
    ledger = open_ledger(path)
    before = ledger.balance("vendor")
    left = before.left if before else float(A_LOT)
    while True:
        left -= 1
        balance = Balance(left, Stamp(Instant(1.0, 1.0), "boot"))
        await asyncio.to_thread(ledger.note, "vendor", balance)
        os.write(tell, b".")


def one_life(path: str, dice: random.Random) -> int:
    """Let an asker live for a moment; give how many requests left it."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        asyncio.run(ask(path, tell))
    os.close(tell)
    heard = os.read(told, 1)
    select.select([], [], [], dice.random() * 0.004)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(told, 4096):
        heard += more
    os.close(told)
    return len(heard)


def main(path: str, kills: int) -> None:
    """Kill *kills* askers, each going on where the last one stopped."""
    dice, sent, rows = random.Random(5), 0, []
    for _ in range(kills):
        sent += one_life(path, dice)
        ledger = open_ledger(path)
        balance = ledger.balance("vendor")
        rows.append((sent, A_LOT - round(balance.left) if balance else 0))
        ledger.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
