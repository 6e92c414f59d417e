"""The bench that stands others beside ours measures what it says, in the real kernel."""

from functools import partial

from bench.peers import Pace, run
from bench.rivals import Numbers, Rival, ping_script

PACE = Pace(runs=1, patience_s=15, back_s=10, hold_s=6)
NUMBERS = Numbers(("198.51.100.1",), every_s=1, wait_s=1, down=2)
SCRIPT = Rival("a hasty script", partial(ping_script, numbers=NUMBERS), ("ping",))


def test_an_outage_is_timed_from_the_fault_to_the_way_back():
    outcome = run(SCRIPT, "blackhole", 0, PACE)
    assert not outcome.problem
    assert outcome.restored_s is not None
    assert outcome.restored_s > 1.0  # two lost pings, a second apart
    assert outcome.back_s is not None
    assert not outcome.stayed


def test_leaving_a_line_that_works_is_counted():
    outcome = run(SCRIPT, "one_anchor_dead", 0, PACE)
    assert not outcome.problem
    assert outcome.left == 1
    assert outcome.rss_bytes > 0
