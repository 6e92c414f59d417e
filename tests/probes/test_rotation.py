from collections import Counter
from itertools import pairwise

import pytest

from edge_watchdog.core.model import Anchor
from edge_watchdog.probes.asking import Method
from edge_watchdog.probes.rotation import Rotation

FOUR = (
    Anchor("alpha", "198.51.100.1", dns=True),
    Anchor("alpha", "198.51.100.11", dns=True),
    Anchor("beta", "198.51.100.2", dns=True),
    Anchor("gamma", "203.0.113.1"),
)


def pulses(rotation, count, avoid=()):
    return [rotation.pulse(avoid) for _ in range(count)]


def test_no_operator_is_asked_twice_in_a_row():
    operators = [target.operator for target in pulses(Rotation(FOUR, icmp=True), 400)]
    assert all(one != two for one, two in pairwise(operators))


def test_every_fourth_pulse_is_a_dns_query():
    methods = [target.method for target in pulses(Rotation(FOUR, icmp=True), 400)]
    assert 85 <= methods.count(Method.DNS) <= 100
    gaps = "".join("d" if method is Method.DNS else "i" for method in methods).split("d")
    assert max(len(gap) for gap in gaps[1:]) <= 8


def test_every_target_gets_its_turn():
    count = Counter(target.label for target in pulses(Rotation(FOUR, icmp=True), 480))
    assert len(count) == 7
    assert min(n for label, n in count.items() if label.startswith("icmp")) >= 60
    assert min(n for label, n in count.items() if label.startswith("dns")) >= 25


def test_one_operator_alone_is_asked_by_both_methods():
    count = Counter(target.label for target in pulses(Rotation(FOUR[:1], icmp=True), 64))
    assert count["dns 198.51.100.1"] >= 12


def test_targets_to_avoid_come_once_in_sixteen():
    count = Counter(
        target.label for target in pulses(Rotation(FOUR, icmp=True), 1600, ("icmp 203.0.113.1",))
    )
    assert count["icmp 203.0.113.1"] == 100


def test_among_several_targets_to_avoid_none_is_forgotten():
    avoid = ("icmp 203.0.113.1", "icmp 198.51.100.2", "dns 198.51.100.2")
    count = Counter(target.label for target in pulses(Rotation(FOUR, icmp=True), 1600, avoid))
    assert all(25 <= count[label] <= 40 for label in avoid)


def test_avoiding_everything_avoids_nothing():
    rotation = Rotation(FOUR[:1], icmp=True)
    avoid = [target.label for target in rotation.targets]
    assert len({t.label for t in pulses(rotation, 8, avoid)}) == 2


def test_without_icmp_anchors_are_asked_by_dns_and_tcp():
    seen = Counter(target.label for target in pulses(Rotation(FOUR, icmp=False), 80))
    assert seen["tcp 203.0.113.1:443"] > 0
    assert seen["tcp 198.51.100.2:53"] > 0
    assert sum(n for label, n in seen.items() if label.startswith("dns")) >= 35


@pytest.mark.parametrize("icmp", [True, False])
def test_without_anchors_nobody_is_asked(icmp):
    rotation = Rotation((), icmp=icmp)
    assert rotation.pulse(()) is None
    assert rotation.burst(0) == []


def test_a_burst_asks_everybody_and_one_in_three_questions_is_dns():
    rotation = Rotation(FOUR, icmp=True)
    first = [target.label for target in rotation.burst(0)]
    assert first == [
        "icmp 198.51.100.1",
        "icmp 198.51.100.11",
        "icmp 198.51.100.2",
        "icmp 203.0.113.1",
        "dns 198.51.100.1",
        "dns 198.51.100.2",
    ]
    asked = Counter(t.label for tick in range(30) for t in rotation.burst(tick))
    assert asked["dns 198.51.100.1"] * 2 == asked["icmp 198.51.100.1"]
    assert asked["dns 198.51.100.11"] * 2 == asked["icmp 198.51.100.11"]
