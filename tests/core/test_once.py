"""A value is known again by what it is, never by what it is like."""

from collections.abc import Callable
from dataclasses import replace

from edge_watchdog.core.diagnosis import diagnose
from edge_watchdog.core.evidence import learn
from edge_watchdog.core.ladder import ladder
from edge_watchdog.core.model import Finding, Health, Layer
from edge_watchdog.core.once import KEEPS, once
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.signs import Around
from edge_watchdog.core.state import Cause, UplinkState
from tests.core.mind import CABLE, POLICY, asked, at, ready, sample, well


def counted() -> tuple[list[list[int]], Callable[[list[int]], int]]:
    """Give what was really looked at, and a function that looks."""
    looked: list[list[int]] = []

    def look(value: list[int]) -> int:
        looked.append(value)
        return len(value)

    return looked, once(look)


def test_the_very_same_value_is_looked_at_once():
    looked, longer = counted()
    one, other = [1], [1]
    assert [longer(one), longer(one), longer(other), longer(one)] == [1, 1, 1, 1]
    assert looked == [one, other]  # alike is not the same


def test_what_was_not_asked_for_lately_is_forgotten_and_made_again():
    looked, longer = counted()
    values = [[n] for n in range(KEEPS + 1)]
    assert [longer(value) for value in values] == [1] * len(values)
    assert (longer(values[-1]), longer(values[0])) == (1, 1)
    assert looked == [*values, values[0]]


class TestTheLadder:
    def test_stays_the_very_same_while_nothing_was_learned_and_nothing_grew_old(self):
        known = well().known()
        first = ladder(known, at(20), POLICY)
        assert ladder(known, at(21), POLICY) is first
        assert ladder(replace(known), at(21), POLICY) == first

    def test_is_weighed_again_when_a_word_grows_old(self):
        mind = well()
        mind.hear(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=mind.second))
        known, now = mind.known(), mind.now
        fresh = ladder(known, now, POLICY)
        for second in range(60):
            later = ladder(known, now.plus(second), POLICY)
            assert later == ladder(replace(known), now.plus(second), POLICY)
        assert fresh[Layer.INTERNET].health is Health.UP
        assert later[Layer.INTERNET].health is Health.UNKNOWN

    def test_is_weighed_again_for_an_earlier_time_and_for_another_policy(self):
        known = well().known()
        first = ladder(known, at(20), POLICY)
        assert ladder(known, at(19), POLICY) is not first
        first = ladder(known, at(20), POLICY)
        assert ladder(known, at(20), Policy(POLICY.uplinks)) is not first

    def test_of_many_lines_is_kept_of_the_last_ones(self):
        lines = [UplinkState() for _ in range(KEEPS + 1)]
        first = ladder(lines[0], at(0), POLICY)
        assert all(ladder(line, at(0), POLICY) == first for line in lines)
        assert ladder(lines[0], at(0), POLICY) is not first


class TestADiagnosis:
    def test_that_comes_out_alike_is_the_very_same_one(self):
        known = well().known()
        first = diagnose(known, Around(), now=at(20), policy=POLICY)
        assert first is known.diagnosis
        assert diagnose(known, Around(), now=at(21), policy=POLICY) is first

    def test_is_made_anew_when_something_around_the_line_changed(self):
        known = well().known()
        assert diagnose(known, Around(), now=at(20), policy=POLICY).cause is Cause.NONE
        off = Around(clock_offset_s=-900.0)
        assert diagnose(known, off, now=at(20), policy=POLICY).cause is Cause.CLOCK_WRONG

    def test_of_many_lines_is_kept_of_the_last_ones(self):
        known = well().known()
        lines = [replace(known) for _ in range(KEEPS + 1)]
        found = {id(diagnose(line, Around(), now=at(20), policy=POLICY)) for line in lines}
        assert found == {id(known.diagnosis)}


def test_an_answer_that_says_nothing_new_changes_one_line_only():
    mind = ready()
    mind.answers()
    before = mind.state
    mind.answers()
    mind.second += 0.2
    mind.answers()
    changed = {n for n, known in mind.state.uplinks.items() if known is not before.uplinks[n]}
    assert changed == {CABLE}
    assert mind.state.failover is before.failover
    assert mind.state.vendor is before.vendor


def test_what_was_learned_shows_at_once():
    known = well().known()
    assert ladder(known, at(20), POLICY)[Layer.INTERNET].losing_since is None
    worse = learn(known, sample(sent_at=20, lost=True), at(20.3), POLICY)
    assert ladder(worse, at(20.3), POLICY)[Layer.INTERNET].losing_since is not None
