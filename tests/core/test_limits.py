"""An outage that has cost what it may costs no more: what is allowed goes on, all else waits."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Action, Alert, Limit, SendAlert
from edge_watchdog.core.advance import next_deadline
from edge_watchdog.core.events import Counted, Ordered, OrderKind, Started
from edge_watchdog.core.limits import limits_end
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import Plan, Policy, Restrict
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import Phase
from tests.core.mind import BOOT, CABLE, POLICY, STICK, Mind, on_backup, only

MB, DAY_S = 1_000_000, 86_400.0
PLAN = Plan(outage_bytes=100 * MB)
GATEWAY = replace(POLICY, mode=Mode.GATEWAY, plans=((STICK, PLAN),))


def read(mind: Mind, megabytes: float, after_s: float = 20.0) -> list[Action]:
    mind.second += after_s
    month, ends = BOOT.wall, BOOT.wall + 30 * DAY_S
    return mind.feed(Counted(mind.now, STICK, 3, round(megabytes * MB), month, ends))


def dear(policy: Policy = GATEWAY) -> Mind:
    """A mind whose outage has cost what it may."""
    mind = on_backup(policy)
    read(mind, 0)
    read(mind, 99)
    read(mind, 100)
    return mind


def limits(mind: Mind) -> tuple[str, ...]:
    return mind.state.limited.uplinks if mind.state.limited else ()


def alerts(mind: Mind) -> list[Alert]:
    return [one.alert for one in only(SendAlert, mind.actions) if one.alert.cause == "data used"]


def order(mind: Mind, kind: OrderKind = OrderKind.USE) -> None:
    mind.second += 1.0
    name = STICK if kind is OrderKind.USE else None
    mind.feed(Ordered(mind.now, kind, name, 3600.0, "a class is streamed"))


def notices(mind: Mind) -> str:
    return " ".join(view(mind.state, mind.policy, mind.now).notices)


def can_work(mind: Mind) -> str:
    return view(mind.state, mind.policy, mind.now).banner.can_work


def test_the_line_is_limited_with_the_first_reading_that_reaches_the_budget() -> None:
    mind = on_backup(GATEWAY)
    read(mind, 0)
    read(mind, 99)
    assert (limits(mind), alerts(mind), can_work(mind)[:3]) == ((), [], "Yes")
    made = read(mind, 100)
    assert [one.uplinks for one in only(Limit, made)] == [(STICK,)]
    (alert,) = alerts(mind)
    assert alert.headline == "This outage has cost 100.0 MB on stick so far."
    assert alert.body == (
        "That is the data meant for one outage. BookWell works over stick, nothing else does."
        " This ends with the outage."
        " To open stick for everything for some hours, the owner orders it as the line to use."
    )
    assert can_work(mind) == (
        "Mostly. BookWell works over stick; other pages wait until cable is back."
    )
    assert "Over stick only the addresses that you allowed are reached. This outage" in (
        notices(mind)
    )
    read(mind, 150)
    assert len(alerts(mind)) == len(only(Limit, mind.actions)) == 1


@pytest.mark.parametrize(
    ("vendor", "more", "page", "body"),
    [
        (True, True, "BookWell and what the owner allowed work over", "and what the owner allowed"),
        (False, True, "What the owner allowed works over stick", "What the owner allowed works"),
        (False, False, "Only here: today's list works.", "Nothing but names and the time"),
    ],
)
def test_what_still_works_is_said_as_it_is_configured(
    vendor: bool, more: bool, page: str, body: str
) -> None:
    mind = dear(replace(GATEWAY, allows_vendor=vendor, allows_more=more))
    assert page in can_work(mind)
    assert body in alerts(mind)[0].body


@pytest.mark.parametrize(
    ("mode", "body"), [(Mode.SELF, "Nothing is stopped: "), (Mode.OBSERVE, "")]
)
def test_a_box_that_routes_nobody_tells_and_refuses_nothing(mode: Mode, body: str) -> None:
    mind = on_backup(replace(GATEWAY, mode=Mode.SELF))
    mind.policy = replace(GATEWAY, mode=mode)
    read(mind, 0)
    read(mind, 100)
    assert (limits(mind), only(Limit, mind.actions)) == ((), [])
    assert alerts(mind)[0].body.startswith(body)
    assert bool(alerts(mind)[0].body) is bool(body)
    assert "stick only" not in notices(mind)
    assert "by order" not in notices(mind)


def test_the_limit_ends_ten_minutes_after_the_outage_and_the_next_one_begins_at_nothing() -> None:
    mind = dear()
    mind.decided(active=CABLE)
    read(mind, 100)
    assert limits(mind) == (STICK,)  # old connections still hang on it
    assert list(limits_end(mind.state)) == [mind.now.mono + 600]
    assert next_deadline(mind.state, mind.policy, mind.now) is not None
    mind.pass_time(601)
    assert limits(mind) == ()
    mind.decided(active=STICK, phase=Phase.SETTLED)
    read(mind, 150)
    assert (limits(mind), mind.state.spent[STICK].outage_bytes) == ((), 50 * MB)


def test_an_outage_that_comes_back_within_ten_minutes_is_limited_still() -> None:
    mind = dear()
    mind.decided(active=CABLE)
    read(mind, 100)
    mind.decided(active=STICK, phase=Phase.SETTLED)
    read(mind, 101)
    assert limits(mind) == (STICK,)


def test_an_order_for_the_line_opens_it_until_the_order_ends() -> None:
    mind = dear()
    order(mind)
    assert limits(mind) == ()
    assert "Stick is open for everything by order" in notices(mind)
    assert can_work(mind).startswith("Yes")
    read(mind, 200)
    assert limits(mind) == ()
    order(mind, OrderKind.AUTO)
    assert limits(mind) == (STICK,)
    order(mind)
    mind.pass_time(3600)
    assert limits(mind) == (STICK,)
    assert len(alerts(mind)) == 1


def test_an_order_that_came_before_anybody_knew_of_the_cost_opens_nothing() -> None:
    mind = on_backup(GATEWAY)
    order(mind)
    read(mind, 0)
    read(mind, 100)
    assert limits(mind) == (STICK,)
    override = mind.failover.override
    assert override is not None
    mind.decided(override=replace(override, since=None))  # as an older version kept it
    mind.pass_time(1)
    assert limits(mind) == (STICK,)


def test_an_order_for_another_line_opens_nothing() -> None:
    mind = dear()
    mind.second += 1.0
    mind.feed(Ordered(mind.now, OrderKind.USE, CABLE, 3600.0, "it works, they say"))
    assert limits(mind) == (STICK,)


@pytest.mark.parametrize("boot", ["boot 1", "boot 2"])
def test_neither_a_restart_nor_a_reboot_is_a_way_to_more_data(boot: str) -> None:
    mind = dear()
    mind.second += 5.0
    made = mind.feed(Started(mind.now, boot, "1.0"))
    mind.decided(active=STICK, phase=Phase.SETTLED)
    made += read(mind, 100.5 if boot == "boot 1" else 0.5)
    assert limits(mind) == (STICK,)
    assert only(Limit, made)
    assert mind.state.spent[STICK].outage_bytes == 100.5 * MB
    assert len(alerts(mind)) == 1


def test_what_limits_a_line_already_needs_no_second_reason() -> None:
    mind = dear(replace(GATEWAY, restrict=Restrict.ALWAYS))
    order(mind)
    assert limits(mind) == (STICK,)
    assert "meant for it" not in notices(mind)


def test_before_the_budget_is_used_up_nothing_is_limited_or_said() -> None:
    mind = on_backup(GATEWAY)
    read(mind, 0)
    assert list(limits_end(mind.state)) == []
    assert "stick" not in notices(mind)


def test_without_a_budget_nothing_is_dear() -> None:
    mind = dear(replace(GATEWAY, plans=((STICK, Plan()),)))
    read(mind, 9000)
    assert (limits(mind), alerts(mind)) == ((), [])
    assert "stick" not in notices(mind)


def test_a_budget_that_was_raised_meanwhile_opens_the_line_again() -> None:
    mind = dear()
    mind.policy = replace(GATEWAY, plans=((STICK, Plan(outage_bytes=500 * MB)),))
    read(mind, 101)
    assert limits(mind) == ()
