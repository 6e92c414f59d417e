"""How the catalogue of faults is scored; the runs themselves are `python -m bench.catalogue`."""

from bench.catalogue import Verdict, row, totals

RIGHT = Verdict("blackhole", "provider down", ((0.8, "provider down"),))
LATE = Verdict("blackhole", "provider down", ((7.0, "router dead"), (31.0, "provider down")))
NOTHING = Verdict("icmp_filtered", "none")
WRONG = Verdict("both_dead", "provider down", ((2.0, "vendor silent"),))


def test_the_first_and_the_second_answer_count_and_silence_is_one():
    assert [v.right_within(1) for v in (RIGHT, LATE, NOTHING, WRONG)] == [True, False, True, False]
    assert [v.right_within(2) for v in (RIGHT, LATE, NOTHING, WRONG)] == [True, True, True, False]


def test_the_totals_say_what_the_goals_ask():
    assert totals([RIGHT, LATE, NOTHING, WRONG]).splitlines() == [
        "- right first answer: 50.0% (goal 95 %)",
        "- right within the first two: 75.0% (goal 99 %)",
        "- right in the end: 75.0%",
        "- first verdict within 5 s: 66.7%",
        "- final within 30 s: 66.7%",
        "- vendor said to be down while both uplinks were bad: 1 times (goal 0)",
    ]


def test_a_row_tells_all_that_was_named():
    assert row([RIGHT, LATE]) == (
        "| blackhole | provider down | 1 of 2 | 3.9 (7.0) | 31.0"
        " | provider down / router dead, then provider down |"
    )
