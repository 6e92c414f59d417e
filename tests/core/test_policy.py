from edge_watchdog.core.actions import Pace
from edge_watchdog.core.policy import PACES

MONTH_S = 30 * 86400
BYTES = {"pulse": 72, "names": 200, "web": 1200, "secure": 6000, "journey": 6000}


def test_every_pace_has_its_periods():
    assert set(PACES) == set(Pace)


def test_a_metered_standby_costs_about_ten_megabytes_a_month():
    periods = PACES[Pace.STANDBY_METERED]
    cost = sum(size * MONTH_S / getattr(periods, kind) for kind, size in BYTES.items())
    assert periods.gateway is None
    assert cost < 12e6


def test_a_sparing_pace_asks_less_often_than_a_full_one():
    full, sparing = PACES[Pace.ACTIVE], PACES[Pace.ACTIVE_SPARING]
    assert all(getattr(full, kind) < getattr(sparing, kind) for kind in BYTES)
