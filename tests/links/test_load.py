"""How busy a line is, told from counters alone."""

import pytest

from edge_watchdog.links.load import HALF_LIFE_S, LEAST_SENT, WINDOW_S, Load
from edge_watchdog.links.usage import Carried, read_usage


def run(load: Load, seconds: int, sent_rate: int, *, start: float = 0.0, received_rate: int = 0):
    """Let a line carry bytes for a while, looked at once a second."""
    before = load._looks[-1][1] if load._looks else Carried(0, 0, 0, 0)
    for second in range(1, seconds + 1):
        now = Carried(
            before.received_bytes + received_rate * second,
            before.sent_bytes + sent_rate * second,
            before.received_packets + second,
            before.sent_packets + second,
        )
        load.note(start + second, now)


def test_the_load_is_not_known_before_there_was_time_to_measure():
    load = Load()
    run(load, int(WINDOW_S), 500_000)
    assert load.ratio is None
    run(load, 1, 500_000, start=WINDOW_S)
    assert load.ratio == 1.0


def test_a_line_that_never_carried_much_is_not_called_busy():
    load = Load()
    run(load, 10, 5_000, received_rate=9_000)
    assert load.ratio == pytest.approx(5_000 / LEAST_SENT)


def test_the_busier_way_counts_against_the_peak_of_that_way():
    load = Load()
    run(load, 10, 500_000, received_rate=1_000_000)
    run(load, 10, 50_000, start=10, received_rate=700_000)
    assert load.ratio == pytest.approx(0.7, rel=0.01)


def test_a_peak_fades_by_half_in_a_day():
    load = Load()
    run(load, 10, 1_000_000)
    run(load, 10, 250_000, start=10)
    assert load.ratio == pytest.approx(0.25, rel=0.01)
    run(load, 10, 250_000, start=HALF_LIFE_S)
    assert load.ratio == pytest.approx(0.5, rel=0.01)


def test_a_line_that_only_sends_is_told_after_a_second():
    load = Load()
    heard = []
    for second, (received, sent) in enumerate([(5, 5), (6, 6), (6, 7), (6, 9), (6, 30), (7, 31)]):
        load.note(second, Carried(0, 0, received, sent))
        heard.append(load.hears_nothing)
    assert heard == [None, False, None, None, True, False]


@pytest.mark.parametrize("carried", [None, Carried(1, 1, 1, 1)], ids=["gone", "counts anew"])
def test_a_device_that_was_replaced_begins_anew(carried):
    load = Load()
    run(load, 10, 500_000)
    load.note(11, carried)
    assert (load.ratio, load.hears_nothing) == (None, None)


def test_the_kernel_counts_packets_too():
    carried = read_usage()["lo"]
    assert carried.sent_packets == carried.received_packets
