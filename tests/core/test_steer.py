"""The vendor alone takes another line, and only while that helps."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import FetchSchedule, Pace, SteerVendor
from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.events import Done, JourneyReported, Started, Woke
from edge_watchdog.core.model import JourneyReport, Mode, Stage
from edge_watchdog.core.pacing import pace_of
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import Cause, Diagnosis
from edge_watchdog.core.steer import decide_way, next_way
from edge_watchdog.core.view import Standing
from tests.core.mind import CABLE, POLICY, STICK, THREE, UNPLUGGED, UP, Mind, only, well

GATEWAY = replace(POLICY, mode=Mode.GATEWAY)


def visits(mind: Mind, uplink: str, *, ok: bool) -> list[SteerVendor]:
    """The app is visited through *uplink*, with a second in between."""
    mind.second += 1.0
    mind.answers(uplink)
    stage = Stage.DONE if ok else Stage.CONNECT
    report = JourneyReport(mind.now, uplink, stage)
    return only(SteerVendor, mind.feed(JourneyReported(mind.now, report)))


def broken(policy: object = POLICY) -> Mind:
    """A mind that has just seen that the app is reached over the stick, and not over the cable."""
    mind = well(policy)  # type: ignore[arg-type]
    visits(mind, CABLE, ok=True)
    visits(mind, CABLE, ok=False)
    visits(mind, STICK, ok=True)
    return mind


def steered(policy: object = POLICY) -> Mind:
    mind = broken(policy)
    (order,) = visits(mind, CABLE, ok=False)
    assert order.uplink == STICK
    mind.feed(Done(mind.now, order.id, ok=True))
    return mind


def test_the_vendor_alone_goes_over_the_standby_that_reaches_it() -> None:
    mind = steered()
    assert mind.failover.active == CABLE
    assert (mind.state.steering.uplink, mind.state.steering.line) == (STICK, CABLE)
    assert mind.last(FetchSchedule).why == "the vendor is reached over another line"
    assert visits(mind, CABLE, ok=False) == []


def test_one_failed_visit_moves_nothing() -> None:
    mind = broken()
    assert mind.state.steering.uplink is None
    assert only(SteerVendor, mind.actions) == []


def test_a_vendor_that_is_down_for_all_stays_where_it_is() -> None:
    mind = well()
    for uplink in (CABLE, STICK, CABLE, STICK):
        assert visits(mind, uplink, ok=False) == []


def test_nobody_who_only_looks_on_steers_anything() -> None:
    mind = steered()
    mind.policy = replace(POLICY, mode=Mode.OBSERVE)
    assert only(SteerVendor, mind.pass_time(1)) == []
    assert mind.state.steering.uplink is None


def test_it_goes_back_when_the_app_was_reached_over_the_line_for_a_while() -> None:
    mind = steered()
    assert visits(mind, CABLE, ok=True) == []
    assert visits(mind, CABLE, ok=False) == []  # not yet
    assert next_way(mind.state, POLICY) is None
    assert visits(mind, CABLE, ok=True) == []
    due = next_way(mind.state, POLICY)
    assert due == mind.now.mono + POLICY.hold_s
    wake = next_deadline(mind.state, POLICY, mind.now)
    assert wake is not None
    assert wake <= due + 0.01
    mind.fine_for(59, CABLE, STICK)
    assert mind.state.steering.uplink == STICK
    mind.fine_for(2, CABLE, STICK)
    assert mind.last(SteerVendor).uplink is None
    assert mind.state.steering.uplink is None


def test_a_standby_that_dies_is_left_for_another_or_for_none() -> None:
    mind = steered(THREE)
    orders = only(SteerVendor, mind.link(STICK, UNPLUGGED))
    assert [order.uplink for order in orders] == [None]
    mind = steered(THREE)
    visits(mind, "phone", ok=True)
    visits(mind, CABLE, ok=False)
    orders = only(SteerVendor, mind.link(STICK, UNPLUGGED))
    assert [order.uplink for order in orders] == ["phone"]


def test_a_standby_over_which_the_app_fails_too_is_left() -> None:
    mind = steered()
    assert visits(mind, STICK, ok=False) == []
    (order,) = visits(mind, STICK, ok=False)
    assert order.uplink is None


def test_when_the_line_in_use_changes_everything_goes_together_again() -> None:
    mind = steered()
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    mind.carry_out()
    assert mind.failover.active == STICK
    assert mind.last(SteerVendor).uplink is None


def test_what_the_hands_could_not_do_is_tried_again_later() -> None:
    mind = broken()
    (order,) = visits(mind, CABLE, ok=False)
    again = mind.feed(Done(mind.now, order.id, ok=False, detail="nobody knows an address"))
    assert only(SteerVendor, again) == []
    assert mind.state.steering.uplink is None
    assert only(SteerVendor, mind.fine_for(29, CABLE)) == []
    assert [order.uplink for order in only(SteerVendor, mind.fine_for(3, CABLE))] == [STICK]


def test_after_a_restart_it_is_ordered_again() -> None:
    mind = steered()
    made = mind.feed(Started(mind.now, "boot 1", "1.0"))
    assert [order.uplink for order in only(SteerVendor, made)] == [STICK]
    made = mind.feed(Started(mind.now, "boot 2", "1.0"))
    assert only(SteerVendor, made) == []
    assert mind.state.steering.uplink is None


def test_the_line_that_the_vendor_takes_is_watched_closely() -> None:
    mind = steered()
    assert pace_of(mind.state, POLICY.uplinks[1]) is Pace.ACTIVE_SPARING
    assert mind.state.vendor.order is not None
    assert mind.state.vendor.order.visits[STICK] == 60.0


@pytest.mark.parametrize(
    ("policy", "can_work", "steps"),
    [
        (GATEWAY, "Yes, work as usual. BookWell goes over stick, everything else over cable.", 0),
        (POLICY, "Yes, with today's list. The box reaches BookWell over stick", 2),
    ],
)
def test_the_desk_reads_which_way_the_vendor_takes(
    policy: object, can_work: str, steps: int
) -> None:
    mind = steered(policy)
    shown = view(mind.state, mind.policy, mind.now)
    assert shown.banner.cause == Cause.VENDOR_PATH
    assert shown.banner.standing is Standing.LIMITED
    assert shown.banner.headline == "BookWell is reached over stick for now."
    assert shown.banner.can_work.startswith(can_work)
    assert len(shown.banner.steps) == steps
    assert "BookWell alone goes over stick: it is not reached over cable." in shown.notices


def test_a_standby_that_reached_the_app_only_before_the_trouble_proves_nothing() -> None:
    mind = well(THREE)
    visits(mind, "phone", ok=True)
    visits(mind, CABLE, ok=True)
    visits(mind, CABLE, ok=False)
    visits(mind, STICK, ok=True)
    (order,) = visits(mind, CABLE, ok=False)
    assert order.uplink == STICK
    mind.link(STICK, UNPLUGGED)
    assert mind.state.steering.uplink is None
    mind.link(STICK, UP)
    assert mind.state.steering.uplink in (None, STICK)


def test_no_standby_that_was_seen_to_help_means_that_nothing_is_changed() -> None:
    mind = well()
    visits(mind, STICK, ok=True)
    path = Diagnosis(Cause.VENDOR_PATH, 0.9, mind.now)
    state = replace(mind.state, vendor=replace(mind.state.vendor, diagnosis=path))
    assert decide_way(state, Woke(mind.now), mind.now, POLICY) == (state, ())
