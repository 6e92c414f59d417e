from edge_watchdog.core.instant import Instant


def test_the_wall_clock_has_no_say_in_a_duration():
    before_the_time_arrived = Instant(10.0, 0.0)
    assert Instant(70.0, 1.8e9).since(before_the_time_arrived) == 60.0


def test_an_instant_later_is_later_on_both_clocks():
    assert Instant(10.0, 1000.0).plus(2.5) == Instant(12.5, 1002.5)
