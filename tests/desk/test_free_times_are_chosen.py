"""Which free times are shown when there are many."""

import pytest

from edge_watchdog.desk.freetimes import nearest, thinned


def quarters(first: int, last: int) -> list[str]:
    return [f"{m // 60:02}:{m % 60:02}" for m in range(first, last, 15)]


def test_few_are_all_shown() -> None:
    assert thinned(quarters(540, 720), 24) == tuple(quarters(540, 720))
    assert thinned((), 24) == ()


def test_a_day_that_is_all_free_is_shown_to_its_end() -> None:
    shown = thinned(quarters(480, 1170), 24)
    assert shown[0] == "08:00"
    assert shown[-1] == "19:00"
    assert len(shown) == 23
    assert thinned(quarters(480, 1170), 20) == tuple(f"{h:02}:00" for h in range(8, 20))


def test_the_first_of_each_gap_stays() -> None:
    shown = thinned([*quarters(495, 700), *quarters(825, 1170)], 24)
    assert {"08:15", "13:45", "14:00", "14:30"} <= set(shown)
    assert "08:45" not in shown


@pytest.mark.parametrize(
    "wanted, shown",
    [("16:00", ("15:30", "15:45", "16:15")), ("08:00", ("09:00", "09:15", "09:30"))],
)
def test_the_nearest_come_first_to_mind(wanted, shown) -> None:
    begins = [*quarters(540, 960), *quarters(975, 1080)]
    assert nearest(begins, wanted, 3) == shown
