"""Ours beside the alternatives: the same faults, the same lab, the same run, the same eyes.

    python -m bench.peers [--quick] [--who NAME ...] [--fault NAME ...]

Beside ours stand NetworkManager with its connectivity check (as shipped and at its shortest
interval), ConnMan as shipped, the ping script that people write, and mwan3's shipped numbers in the
same script (mwan3 itself runs on OpenWrt only).  rivals.py says how each is set up.  Every cell is
an outage in a fresh lab of its own; several labs stand side by side.  A program in the box that
knows nothing of any of them opens a new connection every 25 ms.

What the numbers leave out: a check every 300 s cannot be met at every phase in a bounded time, so
"not within" there stands for anything up to 320 s.  The ping scripts ask the very host that dies in
one_anchor_dead, because that is the fault of asking one host; the page that NetworkManager and
ConnMan ask stays up in every fault here.  A pulled cable is no work of the ping scripts: the lab's
DHCP client takes the route away.  --quick is too short for the script that looks every minute, for
good or ill.  Of ours the half that decides (watch) runs.
What goes over the backup is counted at the carrier, the measuring program's own calls included:
it is about who goes there without need.

Needs root, and what .ci/apt and .ci/unpack bring; who is missing is named below the tables.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench.calls import TARGET, Caller, Compass, boottime_s, departures
from bench.cost import HOUR_S, begin_counting, wire_bytes
from bench.rivals import PREFERRED, RIVALS, Rival, Running
from tests.lab.lab import Lab
from tests.lab.manifest import LabError

OUTAGES = ("cable_out", "blackhole", "reject", "router_dead")
HARMLESS = ("one_anchor_dead", "icmp_filtered", "gap:1", "loss:20")
ABREAST = 6
CALL_EVERY_S = 0.025
BEFORE_S = 1.0
STAY_S = 6.0
AFTERWARDS_S = 3.0
AFTER_GAP_S = 15.0
NAME_EVERY_S = 2.0
NOT_A_CAUSE = ("", "none", "checking")
GOLDEN = 0.618  # spreads phases evenly, however many there are
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one run may take: *patience_s* for an outage, *back_s* for the way back.

    *hold_s*: how long a disturbance lasts; long enough for three rounds of the slowest script.
    """

    runs: int
    patience_s: float
    back_s: float
    hold_s: float


FULL = Pace(runs=3, patience_s=200, back_s=120, hold_s=200)
QUICK = Pace(runs=1, patience_s=60, back_s=90, hold_s=45)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fault did to one daemon.  None in a time means: not within the patience.

    *left*: how often broadband was given up; *stayed*: it still was in use when the fault was
    healed.  *named_s*: until a cause was named.  *fate*: what had become of a connection from
    before the fault, six seconds after new ones worked.  *metered_bytes*: an hour, over the
    backup.  *problem*: why there is no result.
    """

    who: str
    fault: str
    restored_s: float | None = None
    back_s: float | None = None
    stayed: bool = False
    left: int = 0
    cause: str = ""
    cpu_share: float = 0.0
    rss_bytes: int = 0
    problem: str = ""
    named_s: float | None = None
    fate: str = ""
    metered_bytes: float = 0.0


# -- one run ---------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def eyes(lab: Lab) -> AsyncIterator[tuple[Caller, Compass]]:
    """Watch the box's connections and their way."""
    caller, compass = Caller(lab.box, every_s=CALL_EVERY_S), Compass(lab)
    tasks = [asyncio.create_task(caller.run()), asyncio.create_task(compass.run())]
    try:
        await asyncio.sleep(BEFORE_S)
        yield caller, compass
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(is_so: Callable[[], bool], within_s: float) -> bool:
    """Wait; tells whether it came to be."""
    end = boottime_s() + within_s
    while not is_so():
        if boottime_s() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def named(running: Running, within_s: float) -> tuple[str, float]:
    """Give the first cause that is named, and after how many seconds; "" when none is."""
    begin = boottime_s()
    while (cause := await asyncio.to_thread(running.cause)) in NOT_A_CAUSE:
        if not cause or boottime_s() > begin + within_s:
            return "", 0.0
        await asyncio.sleep(0.1)
    return cause, boottime_s() - begin


@contextlib.contextmanager
def holding(lab: Lab) -> Iterator[Callable[[], str]]:
    """Hold a connection of the box; what is given tells what has become of it."""
    with contextlib.closing(lab.box.socket()) as sock:
        sock.settimeout(5.0)
        sock.connect(TARGET)
        sock.sendall(b"GET /204 HTTP/1.1\r\n")  # half a question: the answer is still to come
        sock.setblocking(False)

        def fate() -> str:
            try:
                return "closed" if not sock.recv(1) else "answered"
            except BlockingIOError:
                return "hangs"
            except OSError:
                return "reset"

        yield fate


async def names_within(running: Running, within_s: float, every_s: float = NAME_EVERY_S) -> str:
    """Give all that is named in a stretch of time, in order; "none" when nothing is."""
    end, names = boottime_s() + within_s, dict[str, None]()
    while boottime_s() < end:
        names[await asyncio.to_thread(running.cause)] = None
        await asyncio.sleep(min(every_s, max(0.0, end - boottime_s())))
    return ", then ".join(name for name in names if name not in NOT_A_CAUSE) or "none"


async def outage(lab: Lab, running: Running, outcome: Outcome, pace: Pace) -> Outcome:
    """Break, wait for new connections, stay broken a while, heal, wait for broadband."""
    async with eyes(lab) as (caller, compass):
        hold = contextlib.ExitStack()
        fate_of = hold.enter_context(holding(lab))
        cut = await asyncio.to_thread(lab.inject, outcome.fault)
        naming = asyncio.create_task(named(running, pace.patience_s))
        await until(lambda: caller.restored_after(cut) is not None, pace.patience_s)
        restored = caller.restored_after(cut)
        begin = boottime_s()
        await asyncio.sleep(max(0.0, begin + STAY_S - boottime_s()))
        stayed = compass.way == PREFERRED
        with hold:
            fate = fate_of()
        naming.cancel()
        done = await asyncio.gather(naming, return_exceptions=True)
        cause, named_s = done[0] if isinstance(done[0], tuple) else ("", 0.0)
        healed = await asyncio.to_thread(lab.heal, outcome.fault)
        back = None
        if not stayed and await until(lambda: compass.way == PREFERRED, pace.back_s):
            back = max(0.0, compass.turns[-1][0] - healed)
        outcome = replace(outcome, restored_s=restored, back_s=back, stayed=stayed, cause=cause)
        return replace(outcome, fate=fate, named_s=named_s if cause else None)


async def disturbance(lab: Lab, running: Running, outcome: Outcome, pace: Pace) -> Outcome:
    """Do what broadband survives, and count how often it is given up all the same."""
    async with eyes(lab) as (_caller, compass):
        begin = boottime_s()
        if outcome.fault.startswith("gap:"):
            await asyncio.to_thread(lab.gap, float(outcome.fault.partition(":")[2]))
            cause = await names_within(running, AFTER_GAP_S)
        else:
            await asyncio.to_thread(lab.inject, outcome.fault)
            cause = await names_within(running, pace.hold_s)
        await asyncio.to_thread(lab.heal_all)
        await asyncio.sleep(AFTERWARDS_S)
        return replace(outcome, left=departures(compass.turns, PREFERRED, begin), cause=cause)


def used(pid: int) -> tuple[float, int]:
    """Give the CPU seconds and bytes of memory of a program with all it has started."""
    whole = psutil.Process(pid)
    family = [whole, *whole.children(recursive=True)]
    seconds, memory = 0.0, 0
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a ping that has just ended
            seconds += sum(process.cpu_times()[:4])
            memory += process.memory_info().rss
    return seconds, memory


def run(rival: Rival, fault: str, number: int, pace: Pace) -> Outcome:
    """Measure one fault once; a lab or program that does not come up is a problem, not an end."""
    outcome = Outcome(rival.name, fault)
    kind = outage if fault in OUTAGES else disturbance
    phase = (number + 1) * GOLDEN % 1
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            Lab("self", phone=False) as lab,
            rival.start(lab, Path(folder), phase) as running,
        ):
            begin, (before, _memory) = time.monotonic(), used(running.pid)
            begin_counting(lab)
            outcome = asyncio.run(kind(lab, running, outcome, pace))
            after, memory = used(running.pid)
            lasted_s = time.monotonic() - begin
            metered = wire_bytes(lab)["LTE stick"] * HOUR_S / lasted_s
            outcome = replace(outcome, cpu_share=(after - before) / lasted_s, rss_bytes=memory)
            return replace(outcome, metered_bytes=metered)
    except (LabError, AssertionError, OSError, psutil.Error) as error:
        return replace(outcome, problem=str(error) or type(error).__name__)


# -- the tables ------------------------------------------------------------------------------------


def seconds(values: Sequence[float | None], patience_s: float) -> str:
    """Give the median and the worst of some times; None is beyond *patience_s*."""
    never = f"not within {patience_s:.0f} s"
    if not values:
        return "-"
    ordered = sorted(float("inf") if value is None else value for value in values)
    words = [
        never if value == float("inf") else f"{value:.2f}"
        for value in (statistics.median_high(ordered), ordered[-1])
    ]
    return words[0] if len(values) == 1 or words[0] == never else f"{words[0]} ({words[1]})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def restored_cell(outcomes: Sequence[Outcome], pace: Pace) -> str:
    """Say when new connections worked again."""
    return seconds([o.restored_s for o in outcomes], pace.patience_s)


def back_cell(outcomes: Sequence[Outcome], pace: Pace) -> str:
    """Say when broadband was in use again after healing; it may never have been left."""
    moved = [o.back_s for o in outcomes if not o.stayed]
    return seconds(moved, pace.back_s) if moved or not outcomes else "never left it"


def left_cell(outcomes: Sequence[Outcome], _pace: Pace) -> str:
    """Say how often broadband was given up without need."""
    return f"{sum(o.left for o in outcomes)} in {len(outcomes)}" if outcomes else "-"


def cause_cell(outcomes: Sequence[Outcome], _pace: Pace) -> str:
    """Say what the fault was called."""
    return " / ".join(sorted({o.cause or "(nothing)" for o in outcomes})) or "-"


def named_cell(outcomes: Sequence[Outcome], pace: Pace) -> str:
    """Say when the fault had a name."""
    return seconds([o.named_s for o in outcomes], pace.patience_s)


def fate_cell(outcomes: Sequence[Outcome], _pace: Pace) -> str:
    """Say what became of connections from before."""
    return " / ".join(sorted({o.fate for o in outcomes if o.fate})) or "-"


def by_fault(
    outcomes: Sequence[Outcome],
    faults: Sequence[str],
    cell: Callable[[Sequence[Outcome], Pace], str],
    pace: Pace,
) -> str:
    """Give a table with a row for each who and a column for each fault."""
    names = list(dict.fromkeys(o.who for o in outcomes))
    rows = [
        [who]
        + [
            cell([o for o in outcomes if (o.who, o.fault) == (who, f) and not o.problem], pace)
            for f in faults
        ]
        for who in names
    ]
    return table(["", *faults], rows)


def cost_table(outcomes: Sequence[Outcome]) -> str:
    """Give what each of them used, over all faults: outages cost more than a quiet day."""
    rows = []
    for who in dict.fromkeys(o.who for o in outcomes):
        good = [o for o in outcomes if o.who == who and not o.problem]
        if good:
            share = statistics.mean(o.cpu_share for o in good)
            calm = [o.metered_bytes for o in good if o.fault in HARMLESS]
            metered = f"{statistics.mean(calm) / 1e6:.3f}" if calm else "-"
            memory = f"{max(o.rss_bytes for o in good) / MIB:.1f}"
            rows.append([who, f"{share:.2%}", memory, metered])
    return table(["", "CPU of one core", "RSS MiB", "MB/h on the backup, harmless faults"], rows)


def report(outcomes: Sequence[Outcome], missing: Sequence[str], pace: Pace) -> str:
    """Give all that is to be printed."""
    faults = [f for f in (*OUTAGES, *HARMLESS) if any(o.fault == f for o in outcomes)]
    outages, harmless = [f for f in faults if f in OUTAGES], [f for f in faults if f in HARMLESS]
    ours = [o for o in outcomes if o.who == RIVALS[0].name]
    times = f"{pace.runs} run{'' if pace.runs == 1 else 's'}"
    parts: list[tuple[str, str]] = []
    if outages:
        parts += [
            (
                f"Seconds until new connections of the box work again, median (worst) of {times}:",
                by_fault(outcomes, outages, restored_cell, pace),
            ),
            (
                "Seconds until broadband is in use again after the fault is healed:",
                by_fault(outcomes, outages, back_cell, pace),
            ),
            (
                "A connection from before, six seconds after new ones work:",
                by_fault(outcomes, outages, fate_cell, pace),
            ),
        ]
    if harmless:
        title = f"Broadband given up although it worked, times in runs of {pace.hold_s:.0f} s:"
        parts.append((title, by_fault(outcomes, harmless, left_cell, pace)))
    if ours:
        parts.append(
            (
                "What the fault is called (/ in different runs):",
                by_fault(ours, faults, cause_cell, pace),
            )
        )
    if ours and outages:
        title = "Seconds until the fault has a name (nobody else gives one):"
        parts.append((title, by_fault(ours, outages, named_cell, pace)))
    if outcomes:
        parts.append(("What it costs, faults included:", cost_table(outcomes)))
    notes = [f"- Missing here: {words}" for words in missing]
    notes += [f"- {o.who}, {o.fault}: no result: {o.problem}" for o in outcomes if o.problem]
    return "\n\n".join([*(f"{title}\n\n{text}" for title, text in parts), "\n".join(notes)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short run each: ten minutes")
    parser.add_argument("--who", action="append", help="words in a name; may be repeated")
    parser.add_argument("--fault", action="append", choices=(*OUTAGES, *HARMLESS))
    args = parser.parse_args()
    pace = QUICK if args.quick else FULL
    asked = [r for r in RIVALS if any(w in r.name for w in args.who or [""])]
    missing = [f"{r.name} ({', '.join(r.missing())})" for r in asked if r.missing()]
    faults = args.fault or (*OUTAGES, *HARMLESS)
    here = [r for r in asked if not r.missing()]
    jobs = [(r, f, n) for f in faults for r in here for n in range(pace.runs)]
    with ThreadPoolExecutor(ABREAST) as pool:
        futures = [pool.submit(run, *job, pace) for job in jobs]
        outcomes = []
        for done, (job, future) in enumerate(zip(jobs, futures, strict=True), 1):
            outcomes.append(future.result())
            print(f"{done} of {len(jobs)}: {job[0].name}, {job[1]}", file=sys.stderr)
    order = {rival.name: place for place, rival in enumerate(RIVALS)}
    outcomes.sort(key=lambda o: order[o.who])
    print(report(outcomes, missing, pace))


if __name__ == "__main__":
    main()
