"""Computers that ask for names and are told nothing are noticed, once, and never too soon."""

import pytest

from edge_watchdog.links.forwarder import Waiting


def doubts(*readings: tuple[int, int]) -> list[int]:
    """Give the seconds at which it is time to doubt."""
    waiting = Waiting()
    return [second for second, one in enumerate(readings) if waiting.note(*one)]


@pytest.mark.parametrize(
    "readings, seconds",
    [
        ([(9, 9), (9, 9), (9, 9), (9, 9)], []),
        ([(9, 9), (12, 11), (15, 14), (18, 18)], []),
        ([(9, 9), (11, 9), (11, 9), (12, 9)], [2]),
        ([(9, 9), (10, 9), (11, 9), (11, 9)], [3]),
        ([(9, 9), (10, 9), (10, 9), (10, 9)], []),
        ([(9, 9), (20, 9), (20, 20), (20, 20)], []),
        ([(9, 9), (11, 9), (11, 9), (12, 10), (14, 10), (14, 10)], [2, 5]),
        ([(9, 9), (11, 9), (2, 0), (2, 0), (2, 0)], []),
        ([(9, 9), (1, 9), (1, 9)], []),
    ],
    ids=[
        "nobody asks",
        "answered",
        "silence",
        "one by one",
        "one name that takes long",
        "answered a little later",
        "once in each silence",
        "counted anew",
        "counted anew, by half",
    ],
)
def test_it_is_time_to_doubt_when_questions_have_waited_a_second(readings, seconds):
    assert doubts(*readings) == seconds
