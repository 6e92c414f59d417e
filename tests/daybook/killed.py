"""Writes into a paper journal and is killed at random, some hundreds of times; run by a test.

One process has everything imported; each writer is a fork of it, so that a kill costs little.
Prints JSON: what was acknowledged, what of it was lost, what was damaged.
"""

import json
import os
import random
import select
import signal
import sys

from edge_watchdog.daybook.paper import Move, State
from edge_watchdog.daybook.paper_store import open_paper
from edge_watchdog.daybook.seal import Unsealed
from tests.daybook.papers import MIA, NOON, note, pen

FEW = 3  # numbers told before a life may end
LIVES = 10  # of one journal


def write(path: str, tell: int) -> None:
    """Append and move entries until killed; tell each number once it is acknowledged."""
    store = open_paper(path, Unsealed())
    while True:
        number = store.append(note("x"), pen()).entry.number
        os.write(tell, number.to_bytes(4, "big"))
        store.move(number, Move(State.CLAIMED, NOON, MIA))


def one_life(path: str, dice: random.Random) -> list[int]:
    """Let a writer live until it has told some numbers, and a moment more; give the numbers."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        write(path, tell)
    os.close(tell)
    heard = b""
    enough = 4 * dice.randint(1, FEW)
    while len(heard) < enough:
        heard += os.read(told, enough - len(heard))
    select.select([], [], [], dice.random() * 0.003)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(told, 4096):
        heard += more
    os.close(told)
    return [int.from_bytes(heard[n : n + 4], "big") for n in range(0, len(heard), 4)]


def main(path: str, kills: int) -> None:
    """Kill *kills* writers and look at the journal after each."""
    dice = random.Random(11)
    count, lost, damage = 0, [], []
    for turn in range(kills // LIVES):
        file = f"{path}.{turn}"
        acknowledged = {number for _ in range(LIVES) for number in one_life(file, dice)}
        store = open_paper(file, Unsealed())
        journal = store.look()
        store.close()
        count += len(acknowledged)
        lost += sorted(acknowledged - {entry.number for entry in journal.entries})
        damage += [journal.damage.words] if journal.damage else []
    told = {"kills": kills, "acknowledged": count, "lost": lost, "damage": damage}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
