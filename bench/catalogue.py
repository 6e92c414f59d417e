"""Is every fault called by its name?  The lab's catalogue, the real daemon, several labs abreast.

    python -m bench.catalogue [--seeds 5] [--fault blackhole ...] [--abreast 3]

Each fault of tests/lab/faults.py is injected under a watch half that has just settled, at another
phase for each seed.  What is named (the page's cause, that of a line or of the vendor, as ``why``
shows it, or that of a new incident) is read ten times a second; "checking" is no name.  A fault
that is none to the studio is right when nothing is named.  Where only what a line carries can tell
that it lives, somebody works meanwhile.  The vendor's page and a metered standby are asked every
minute or more rarely on purpose: their faults are given two.
Needs root.
"""

import argparse
import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edge_watchdog.bridge import BridgeError
from edge_watchdog.core import words
from edge_watchdog.core.state import Cause
from edge_watchdog.core.view import StudioView
from tests.lab.daemon import Daemon
from tests.lab.faults import FAULTS, Fault
from tests.lab.lab import Lab
from tests.lab.manifest import LabError
from tests.lab.traffic import trickle

LOOK_EVERY_S = 0.1
SETTLE_S = 6.0
WATCHED_S = 45.0  # a name that comes after the 30 s of the goal is seen to be late
SELDOM_S = 120.0
SHOWN_S = 30.0
SELDOM_ASKED = (
    *("lte_", "stick_pulled", "phone_off"),
    *("status_page", "vendor_maintenance"),
)
IN_USE = ("anchors_filtered",)
AT_START = ("rogue_dhcp",)  # looked for at the start, then every ten minutes: it is there first
ON_THE_BACKUP = ("lte_dns_dead",)
ALL_TRAFFIC = ("bufferbloat_foreign", "line_congested")  # needs a gateway
BOTH_BAD = ("both_dead", "everything_down")
VENDOR_DOWN = (Cause.VENDOR_SILENT, Cause.VENDOR_ANNOUNCED, Cause.VENDOR_SLOW, Cause.VENDOR_LOGIN)
NAMELESS = ("", Cause.NONE, Cause.CHECKING)
GOLDEN = 0.618
CAUSES = {words.label(cause): cause for cause in Cause}  # an incident is shown in words


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was named in one run, in order, each with the seconds since the fault took hold."""

    fault: str
    wanted: str
    named: tuple[tuple[float, str], ...] = ()
    problem: str = ""

    @property
    def first(self) -> str:
        """Give the first name; "none" when there was none."""
        return self.named[0][1] if self.named else Cause.NONE

    @property
    def last(self) -> str:
        """Give the name that stood at the end."""
        return self.named[-1][1] if self.named else Cause.NONE

    def right_within(self, answers: int) -> bool:
        """Tell whether the right name is among the first *answers*; no name is one, too."""
        names = [name for _, name in self.named[:answers]] or [Cause.NONE]
        return self.wanted in names

    @property
    def accuses_wrongly(self) -> bool:
        """Tell whether the vendor was said to be down while both uplinks are bad."""
        return self.fault in BOTH_BAD and any(name in VENDOR_DOWN for _, name in self.named)


def names_in(view: StudioView, old: frozenset[int]) -> list[str]:
    """Give what *view* names: on the page, of a line or the vendor, or as an incident not *old*."""
    found = [view.banner.cause]
    found += [CAUSES.get(uplink.cause, uplink.cause) for uplink in view.uplinks]
    found += [CAUSES.get(view.vendor.cause, view.vendor.cause)] if view.vendor else []
    fresh = (i for i in view.incidents if i.resolved_wall is None and i.id not in old)
    found += [CAUSES.get(i.cause, i.cause) for i in fresh]
    return [name for name in dict.fromkeys(found) if name not in NAMELESS]


def watch(
    look: Callable[[], StudioView], before: StudioView, since: float, watched_s: float
) -> tuple[tuple[float, str], ...]:
    """Read what is named for a while; a name counts when it was not shown a look *before*."""
    named: list[tuple[float, str]] = []
    old = frozenset(i.id for i in before.incidents)
    shown = names_in(before, old)
    while (passed := time.clock_gettime(time.CLOCK_BOOTTIME) - since) < watched_s:
        try:
            names = names_in(look(), old)
        except (BridgeError, OSError, TimeoutError):
            names = shown
        named += [(passed, name) for name in names if name not in shown]
        shown = names
        time.sleep(LOOK_EVERY_S)
    return tuple(named)


def run(fault: Fault, seeds: int) -> list[Verdict]:
    """Inject one fault *seeds* times in a lab of its own, each with a daemon that is new to it."""
    topology = "gateway" if fault.name in ALL_TRAFFIC else "self"
    watched_s = SELDOM_S if fault.name.startswith(SELDOM_ASKED) else WATCHED_S
    verdicts: list[Verdict] = []
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            Lab(topology) as lab,
            trickle(lab.box) if fault.name in IN_USE else contextlib.nullcontext(),
        ):
            for seed in range(seeds):
                home = Path(folder) / f"{seed}"
                first = lab.inject(fault.name) if fault.name in AT_START else None
                with Daemon(lab, home, only="watch", mode=topology, phone=True) as daemon:
                    time.sleep(0 if first else SETTLE_S + (seed + 1) * GOLDEN % 1)
                    if fault.name in ON_THE_BACKUP:
                        lab.inject("cable_out")
                        time.sleep(SETTLE_S)
                    before = daemon.wait(lambda _: True, 10)
                    cut = first or lab.inject(fault.name)
                    named = watch(daemon.view, before, cut, watched_s)
                    verdicts.append(Verdict(fault.name, fault.cause, named))
                lab.heal_all()
                time.sleep(1.0)
    except (LabError, AssertionError, OSError) as error:
        verdicts.append(Verdict(fault.name, fault.cause, (), f"{type(error).__name__}: {error}"))
    return verdicts


def row(verdicts: Sequence[Verdict]) -> str:
    """Give one fault's line of the table."""
    times = [one.named[0][0] for one in verdicts if one.named]
    finals = [one.named[-1][0] for one in verdicts if one.named]
    cells = [
        verdicts[0].fault,
        verdicts[0].wanted,
        f"{sum(one.right_within(1) for one in verdicts)} of {len(verdicts)}",
        f"{statistics.median(times):.1f} ({max(times):.1f})" if times else "",
        f"{max(finals):.1f}" if finals else "",
        " / ".join(
            dict.fromkeys(", then ".join(n for _, n in o.named) or Cause.NONE for o in verdicts)
        ),
    ]
    return f"| {' | '.join(cells)} |"


def totals(verdicts: Sequence[Verdict]) -> str:
    """Give the shares that the goals are about; the times are those of what is asked often."""
    count = max(1, len(verdicts))
    prompt = [v for v in verdicts if v.named and not v.fault.startswith(SELDOM_ASKED)]
    early = sum(v.named[0][0] <= 5.0 for v in prompt)
    final = sum(v.named[-1][0] <= SHOWN_S for v in prompt)
    shares = (
        ("right first answer", sum(v.right_within(1) for v in verdicts) / count, "95 %"),
        ("right within the first two", sum(v.right_within(2) for v in verdicts) / count, "99 %"),
        ("right in the end", sum(v.last == v.wanted for v in verdicts) / count, ""),
        ("first verdict within 5 s", early / max(1, len(prompt)), ""),
        ("final within 30 s", final / max(1, len(prompt)), ""),
    )
    lines = [
        f"- {what}: {share:.1%}{f' (goal {goal})' if goal else ''}" for what, share, goal in shares
    ]
    wrong = sum(v.accuses_wrongly for v in verdicts)
    lines.append(f"- vendor said to be down while both uplinks were bad: {wrong} times (goal 0)")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS])
    parser.add_argument("--abreast", type=int, default=3)
    args = parser.parse_args()
    asked = [fault for fault in FAULTS if fault.name in (args.fault or [f.name for f in FAULTS])]
    print("| fault | cause | right first | named after s (worst) | final s | named |")
    print("|---|---|---|---|---|---|")
    with ThreadPoolExecutor(args.abreast) as pool:
        results = pool.map(run, asked, itertools.repeat(args.seeds))
        verdicts: list[Verdict] = []
        for found in results:
            good = [one for one in found if not one.problem]
            if good:
                print(row(good), flush=True)
            for one in found:
                if one.problem:
                    print(f"{one.fault}: no result: {one.problem[:300]}", file=sys.stderr)
            verdicts += good
    print(f"\n{totals(verdicts)}")


if __name__ == "__main__":
    main()
