"""A line whose plan is used up is left alone, for whatever reason another one might be wanted."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import SteerVendor
from edge_watchdog.core.brownout import compare
from edge_watchdog.core.events import JourneyReported
from edge_watchdog.core.model import JourneyReport, Stage
from edge_watchdog.core.moves import preferred_clean
from edge_watchdog.core.policy import Plan, UsedUp
from edge_watchdog.core.state import Spent
from tests.core.mind import CABLE, PHONE, STICK, THREE, Mind, only, ready, well

POLICY = replace(THREE, plans=((STICK, Plan(cap_bytes=1000, when_used_up=UsedUp.STOP)),))
LEFT, USED_UP = 999, 1000


def carried(mind: Mind, count: int) -> Mind:
    spent = Spent(1, 0, 0.0, 1.0, 0.0, used_bytes=count)
    mind.state = replace(mind.state, spent={STICK: spent})
    return mind


@pytest.mark.parametrize("count, better", [(LEFT, STICK), (USED_UP, None)])
def test_the_box_does_not_go_back_to_it_from_the_last_resort(count: int, better: str) -> None:
    mind = carried(ready(POLICY), count)
    mind.decided(active=PHONE)
    mind.put(CABLE, clean_since=None)
    assert preferred_clean(mind.state, mind.now, POLICY) == better


@pytest.mark.parametrize("count, standby", [(LEFT, STICK), (USED_UP, PHONE)])
def test_a_line_that_loses_much_is_compared_with_another(count: int, standby: str) -> None:
    mind = carried(ready(POLICY), count)
    mind.put(CABLE, cusum=2 * POLICY.cusum_h)
    begun = compare(mind.state, mind.now, POLICY).failover.comparison
    assert begun is not None
    assert begun.uplink == standby


@pytest.mark.parametrize("count, orders", [(LEFT, [STICK]), (USED_UP, [])])
def test_the_vendor_is_not_sent_over_it(count: int, orders: list[str]) -> None:
    mind = carried(well(POLICY), count)
    made = []
    for uplink, ok in ((CABLE, True), (CABLE, False), (STICK, True), (CABLE, False)):
        mind.second += 1.0
        mind.answers(uplink)
        stage = Stage.DONE if ok else Stage.CONNECT
        report = JourneyReport(mind.now, uplink, stage)
        made += only(SteerVendor, mind.feed(JourneyReported(mind.now, report)))
    assert [order.uplink for order in made] == orders
