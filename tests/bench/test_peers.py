"""The arithmetic and the tables of bench/peers.py; what is measured stands in tests/netns."""

import subprocess
from pathlib import Path

import pytest

from bench import calls, peers, rivals
from bench.peers import Outcome, Pace

PACE = Pace(runs=3, patience_s=60, back_s=90, hold_s=45)
OURS, SCRIPT = rivals.RIVALS[0].name, "a script"


@pytest.mark.parametrize(
    "values, words",
    [
        ([], "-"),
        ([1.0], "1.00"),
        ([None], "not within 60 s"),
        ([1.0, 3.0, 2.0], "2.00 (3.00)"),
        ([1.0, 2.0], "2.00 (2.00)"),
        ([1.0, None, 2.0], "2.00 (not within 60 s)"),
        ([None, None, 2.0], "not within 60 s"),
    ],
)
def test_a_time_beyond_the_patience_counts_as_the_worst(values, words):
    assert peers.seconds(values, 60) == words


@pytest.mark.parametrize(
    "ways, since, count",
    [
        ([], 0, 0),
        (["wan0"], 0, 0),
        (["wan0", "lte0"], 0, 1),
        (["wan0", "lte0", "wan0", "lte0"], 0, 2),
        (["wan0", "", "wan0"], 0, 0),
        (["wan0", "", "lte0"], 0, 1),
        (["lte0", "wan0"], 0, 0),
        (["lte0", "phone0"], 0, 0),
        (["wan0", "lte0"], 1, 0),
    ],
)
def test_only_leaving_the_preferred_line_for_another_is_a_departure(ways, since, count):
    turns = [(float(at), way) for at, way in enumerate(ways)]
    assert calls.departures(turns, "wan0", since) == count


def test_being_back_counts_only_where_broadband_was_left():
    left = Outcome(SCRIPT, "blackhole", 20.0, back_s=4.0)
    stayed = Outcome(SCRIPT, "blackhole", None, stayed=True)
    assert peers.back_cell([left, stayed], PACE) == "4.00"
    assert peers.back_cell([stayed], PACE) == "never left it"
    assert peers.back_cell([Outcome(SCRIPT, "blackhole", 20.0)], PACE) == "not within 90 s"
    assert peers.back_cell([], PACE) == "-"


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and "---" not in line
    ]


def test_the_report_names_times_switches_causes_and_cost_of_everybody():
    text = peers.report(
        [
            Outcome(
                OURS,
                "blackhole",
                1.0,
                60.0,
                cause="provider down",
                rss_bytes=50 << 20,
                named_s=1.5,
                fate="reset",
            ),
            Outcome(
                OURS,
                "gap:1",
                cause="none",
                cpu_share=0.02,
                rss_bytes=51 << 20,
                metered_bytes=2e4,
            ),
            Outcome(SCRIPT, "blackhole", None, None, stayed=True, cpu_share=0.5, fate="hangs"),
            Outcome(SCRIPT, "gap:1", left=2),
        ],
        [],
        PACE,
    )
    assert rows(text) == [
        ["", "blackhole"],
        [OURS, "1.00"],
        [SCRIPT, "not within 60 s"],
        ["", "blackhole"],
        [OURS, "60.00"],
        [SCRIPT, "never left it"],
        ["", "blackhole"],
        [OURS, "reset"],
        [SCRIPT, "hangs"],
        ["", "gap:1"],
        [OURS, "0 in 1"],
        [SCRIPT, "2 in 1"],
        ["", "blackhole", "gap:1"],
        [OURS, "provider down", "none"],
        ["", "blackhole"],
        [OURS, "1.50"],
        ["", "CPU of one core", "RSS MiB", "MB/h on the backup, harmless faults"],
        [OURS, "1.00%", "51.0", "0.020"],
        [SCRIPT, "25.00%", "0.0", "0.000"],
    ]


def test_who_is_missing_or_failed_is_named_and_not_counted():
    text = peers.report(
        [
            Outcome(SCRIPT, "reject", 5.0, 1.0),
            Outcome(SCRIPT, "reject", problem="no lease within 15 s"),
        ],
        ["ConnMan (connmand)"],
        PACE,
    )
    assert [SCRIPT, "5.00"] in rows(text)
    assert "- Missing here: ConnMan (connmand)" in text
    assert f"- {SCRIPT}, reject: no result: no lease within 15 s" in text


async def test_all_that_was_named_in_a_while_is_told_in_order():
    said = iter(["none", "checking", "line loss", "line loss", "dns dead"])
    running = rivals.Running(0, lambda: next(said, "none"))
    assert await peers.names_within(running, 0.5, 0.001) == "line loss, then dns dead"
    assert await peers.names_within(running, 0.05, 0.001) == "none"


def test_a_program_that_is_nowhere_is_missing():
    rival = rivals.Rival("nobody", rivals.RIVALS[0].start, ("sh", "no-such-program"))
    assert rival.missing() == ["no-such-program"]


def test_every_fault_is_an_outage_or_harmless_and_names_are_told_apart():
    assert not set(peers.OUTAGES) & set(peers.HARMLESS)
    assert len({rival.name for rival in rivals.RIVALS}) == len(rivals.RIVALS)


def play(folder: Path, answers: str, up: int) -> list[str]:
    """Run the script with a ping that answers as told (1 yes, 0 no); gives the route orders."""
    (folder / "answers").write_text("\n".join(answers) + "\n")
    for name, text in {
        "ip": f"echo \"$*\" >> {folder}/orders; echo 'default via 192.168.8.1 dev lte0'",
        "ping": f'read -r a < {folder}/answers; sed -i 1d {folder}/answers; [ "$a" = 1 ]',
        "sleep": f'[ -s {folder}/answers ] || kill "$PPID"',
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    subprocess.run(
        [rivals.HERE / "ping_script.sh"],
        check=False,
        timeout=30,
        env={
            "PATH": f"{folder}:/usr/bin:/bin",
            "TARGETS": "198.51.100.1",
            "NEEDED": "1",
            "WAIT": "1",
            "EVERY": "1",
            "DOWN": "3",
            "UP": str(up),
            "PHASE": "0",
        },
    )
    orders = (folder / "orders").read_text().splitlines()
    return [order.split()[1] for order in orders if " show " not in order]


@pytest.mark.parametrize(
    "answers, up, orders",
    [
        ("1111", 1, []),
        ("1001001", 1, []),
        ("1000", 1, ["replace"]),
        ("00011", 1, ["replace", "del"]),
        ("0001010", 2, ["replace"]),
        ("00011000", 2, ["replace", "del", "replace"]),
    ],
)
def test_the_ping_script_moves_the_route_after_three_failed_rounds(tmp_path, answers, up, orders):
    assert play(tmp_path, answers, up) == orders
