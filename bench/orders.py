"""What an order to the packet filter takes: said to the kernel, and by starting a program for it.

    python -m bench.orders [--times 200]

In the box of a lab, in gateway mode's own table.  The last columns are the same deed by ``nft`` and
``conntrack``, in the same run.  "ended" has that many open connections to end.  Needs root.
"""

import argparse
import asyncio
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

from edge_watchdog.links import farewell
from edge_watchdog.links.conntrack import list_flows, sweep
from edge_watchdog.links.firewall import TABLE, Firewall, Sides, open_bell, read_heard
from tests.lab.lab import Lab
from tests.lab.netns import inside

SIDES = Sides(("lan0",), {"wan0": 7001, "lte0": 7002})
MARK = 7001
BATCHES = (1, 100)
MADE = (
    "-I -p tcp -s 192.168.50.20 -d 203.0.113.80 --sport {0} --dport 443 -r 203.0.113.80"
    " -q 192.168.1.100 --reply-port-src 443 --reply-port-dst {0} -t 60 --state ESTABLISHED"
    f" -u SEEN_REPLY,ASSURED -m {MARK}"
)


def by_nft(text: str) -> Callable[[], Awaitable[object]]:
    """Give the deed that starts nft for *text*."""

    async def deed() -> None:
        argv = ["nft", "-f", "-"]
        await asyncio.to_thread(subprocess.run, argv, input=text.encode(), check=True)

    return deed


def by_program(*programs: str) -> Callable[[], Awaitable[object]]:
    """Give the deed that starts these programs, one after the other."""

    async def deed() -> None:
        for words in programs:
            await asyncio.to_thread(subprocess.run, words.split(), capture_output=True, check=False)

    return deed


async def timed(deed: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Do it *times* times; gives the milliseconds of each."""
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        await deed()
        spent.append((time.perf_counter() - begin) * 1000)
    return spent


async def ending(count: int, deed: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """End *count* connections, made anew each time; gives the milliseconds of each."""
    spent = []
    for _ in range(times):
        await by_program(*(f"conntrack {MADE.format(20000 + n)}" for n in range(count)))()
        spent += await timed(deed, 1)
    return spent


async def until_told(deed: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Give the milliseconds until the kernel tells everybody that the change holds, of each."""
    spent = []
    for _ in range(times):
        with closing(open_bell()) as bell:
            begin = time.perf_counter()
            doing = asyncio.create_task(asyncio.wait_for(deed(), 10))
            await asyncio.get_running_loop().sock_recv(bell, 65536)
            spent.append((time.perf_counter() - begin) * 1000)
            await doing
    return spent


def row(what: str, ours: list[float], theirs: list[float]) -> str:
    """Give the row of a table: median and 95th percentile of both."""
    cells = [f"{statistics.median(one):.2f} ({_p95(one):.2f})" for one in (ours, theirs)]
    return f"| {what} | {cells[0]} | {cells[1]} |"


def _p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * (len(values) - 1))]


async def measure(times: int) -> None:
    """Print the table."""
    firewall, turn = Firewall(SIDES), iter(range(1_000_000))
    await firewall.steer(MARK)
    moved = f'flush map {TABLE} new_flows\nadd element {TABLE} new_flows {{ "lan0" : {MARK} }}\n'

    async def steer() -> None:
        await firewall.steer(7001 + next(turn) % 2)

    async def announce() -> None:
        ends = farewell.Ends(("192.168.50.20", next(turn) % 65536), ("203.0.113.80", 443))
        await farewell.announce([ends])

    told = f"add element {TABLE} ended {{ 192.168.50.20 . 9 . 203.0.113.80 . 443 }}\n"
    counters = by_program(f"nft list counters table {TABLE}")
    nft = by_nft(moved)
    held = [await until_told(one, times // few) for one, few in ((steer, 1), (nft, 10))]
    print(row("new flows move: it holds", *held))
    for what, ours, theirs in (
        ("new flows move: the kernel has cleared up", steer, nft),
        ("a reset is made ready", announce, by_nft(told)),
        ("answers are counted", read_heard, counters),
        (
            "flows are listed",
            lambda: list_flows(MARK),
            by_program(f"conntrack -L -f ipv4 -m {MARK}"),
        ),
    ):
        print(row(what, await timed(ours, times), await timed(theirs, max(10, times // 10))))
    few = max(3, times // 40)
    look, drop = f"conntrack -L -f ipv4 -m {MARK}", f"conntrack -D -f ipv4 -m {MARK}"
    steps = (look, drop, look)  # and nft twice, to have resets ready and to name the far ends

    async def program() -> None:
        await by_program(*steps)()
        await by_nft(told)()
        await by_nft(told)()

    for count in BATCHES:
        seen = await ending(count, lambda: sweep(MARK), few)
        print(row(f"ended and told: {count}", seen, await ending(count, program, few)), flush=True)
    await firewall.clear()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    print("| what | said to the kernel, ms | by starting a program, ms |\n|---|---|---|")
    with Lab("gateway", phone=False) as lab, inside(lab.box.namespace):
        asyncio.run(measure(times))


if __name__ == "__main__":
    main()
