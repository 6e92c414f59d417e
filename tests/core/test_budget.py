"""What a metered line carries is counted, told in time, and our own part of it kept small."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Action, Limit, Pace, Reason, SendAlert, Severity
from edge_watchdog.core.budget import amount, may_carry, only_at_need
from edge_watchdog.core.events import Counted, Ordered, OrderKind, Started
from edge_watchdog.core.model import Mode
from edge_watchdog.core.moves import best_standby, next_standby
from edge_watchdog.core.pacing import burst_due, pace_of
from edge_watchdog.core.policy import Plan, Restrict, UsedUp
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import Asking, Phase, Spent
from edge_watchdog.core.view import UplinkView
from tests.core.mind import BOOT, CABLE, POLICY, STICK, Mind, on_backup, only, ready

MB, DAY_S = 1_000_000, 86_400.0
MONTH = BOOT.wall - 15 * DAY_S  # the plan's month is half over
ENDS = BOOT.wall + 15 * DAY_S
STICK_UPLINK = POLICY.uplinks[1]


def with_plan(**fields: Any) -> Any:
    return replace(POLICY, plans=((STICK, Plan(**fields)),))


PLAN = with_plan(cap_bytes=1000 * MB, outage_bytes=100 * MB)


def read(mind: Mind, megabytes: float, uplink: str = STICK, **fields: Any) -> list[Action]:
    """The counter of the stick stands at so much, twenty seconds later."""
    mind.second += 20.0
    usual = Counted(mind.now, uplink, 3, round(megabytes * MB), MONTH, ENDS)
    return mind.feed(replace(usual, **fields))


def spent(mind: Mind) -> Spent:
    return mind.state.spent[STICK]


def shown(mind: Mind) -> UplinkView:
    return view(mind.state, mind.policy, mind.now).uplinks[1]


def told(actions: list[Action]) -> list[tuple[Reason, Severity, str]]:
    alerts = [one.alert for one in only(SendAlert, actions)]
    return [(one.reason, one.severity, one.headline) for one in alerts if one.cause == "data used"]


def test_before_the_first_reading_nothing_is_known() -> None:
    mind = ready(PLAN)
    assert shown(mind).data is None
    assert shown(mind).used == "data used: not known yet"
    assert view(mind.state, PLAN, mind.now).uplinks[0].used == ""
    read(mind, 500)  # who knows when that was
    assert shown(mind).data is not None
    assert spent(mind).total_bytes == 0
    assert spent(mind).since == mind.now.wall


def test_what_nobody_used_is_our_own_asking() -> None:
    mind = ready(PLAN)
    read(mind, 1)
    read(mind, 3.5)
    assert (spent(mind).used_bytes, spent(mind).asking_bytes) == (0, 2_500_000)
    assert shown(mind).used == (
        "data used: 2.5 MB of 1.0 GB, 2.5 MB of it by the box's own questions"
    )


def test_what_is_carried_in_an_outage_and_while_it_drains_is_use() -> None:
    mind = on_backup(PLAN)
    read(mind, 0)
    read(mind, 30)
    assert (spent(mind).used_bytes, spent(mind).asking_bytes) == (30 * MB, 0)
    mind.decided(active=CABLE)
    read(mind, 40)  # old connections
    assert spent(mind).used_bytes == 40 * MB
    mind.second += 600
    read(mind, 41)
    assert (spent(mind).used_bytes, spent(mind).asking_bytes) == (40 * MB, MB)


def test_an_outage_that_comes_back_soon_is_the_same_one() -> None:
    mind = on_backup(PLAN)
    read(mind, 0)
    read(mind, 60)
    mind.decided(active=CABLE)
    read(mind, 60)
    mind.decided(active=STICK, phase=Phase.SETTLED)
    assert told(read(mind, 101)) == [
        (Reason.NOTICE, Severity.WARNING, "This outage has cost 101.0 MB on stick so far.")
    ]
    assert told(read(mind, 102)) == []
    mind.decided(active=CABLE)
    read(mind, 102)
    mind.second += 700
    mind.decided(active=STICK)
    read(mind, 103)
    assert spent(mind).outage_bytes == MB


def test_counters_that_begin_anew_lose_and_invent_nothing() -> None:
    mind = ready(PLAN)
    read(mind, 10)
    read(mind, 2)  # smaller than before: it was reset
    assert spent(mind).total_bytes == 2 * MB
    read(mind, 5, device=9)  # another device, though its counter stands higher
    assert spent(mind).total_bytes == 7 * MB


def test_a_reboot_goes_on_with_the_month() -> None:
    mind = ready(PLAN)
    read(mind, 10)
    read(mind, 14)
    mind.feed(Started(mind.now, "boot 2", "1.0"))
    read(mind, 20)  # all of it since the boot
    assert spent(mind).total_bytes == 24 * MB
    mind.policy = POLICY  # no plan any more
    mind.feed(Started(mind.now, "boot 3", "1.0"))
    assert mind.state.spent == {}


def test_a_new_month_begins_at_nothing_and_an_unset_clock_changes_nothing() -> None:
    mind = on_backup(PLAN)
    read(mind, 0)
    read(mind, 900)
    assert spent(mind).told == 80
    read(mind, 901, month=MONTH - 90 * DAY_S, ends=MONTH)  # the clock is not set yet
    assert spent(mind).used_bytes == 901 * MB
    read(mind, 903, month=ENDS, ends=ENDS + 30 * DAY_S)
    assert (spent(mind).used_bytes, spent(mind).told) == (2 * MB, 0)
    assert spent(mind).since == ENDS


def test_people_are_told_once_at_each_mark() -> None:
    mind = on_backup(with_plan(cap_bytes=1000 * MB))
    read(mind, 0)
    heard = [told(read(mind, count)) for count in (499, 500, 600, 810, 950, 1000, 1200)]
    words = "Stick has used {} % of this month's data ({} of 1.0 GB)."
    assert heard == [
        [],
        [(Reason.NOTICE, Severity.NOTICE, words.format(50, "500.0 MB"))],
        [],
        [(Reason.NOTICE, Severity.NOTICE, words.format(80, "810.0 MB"))],
        [(Reason.NOTICE, Severity.WARNING, words.format(95, "950.0 MB"))],
        [
            (
                Reason.NOTICE,
                Severity.WARNING,
                "Stick has used up this month's data (1.0 GB of 1.0 GB).",
            )
        ],
        [],
    ]
    alerts = [one.alert for one in only(SendAlert, mind.actions) if one.alert.cause == "data used"]
    assert len({one.incident for one in alerts}) == len(alerts)
    assert alerts[-1].body.startswith("The box goes on using it")
    assert alerts[-1].steps


def test_both_the_plan_and_the_outage_may_have_something_to_say() -> None:
    mind = on_backup(with_plan(cap_bytes=200 * MB, outage_bytes=100 * MB))
    read(mind, 0)
    assert len(told(read(mind, 110))) == 2


def test_a_line_without_a_plan_is_not_counted() -> None:
    mind = ready(PLAN)
    read(mind, 5, uplink=CABLE)
    assert CABLE not in mind.state.spent


@pytest.mark.parametrize(
    ("when", "count", "may"),
    [(UsedUp.STOP, 1001, False), (UsedUp.STOP, 999, True), (UsedUp.KEEP, 1001, True)],
)
def test_the_owner_says_whether_a_used_up_line_is_switched_to(
    when: UsedUp, count: int, may: bool
) -> None:
    mind = on_backup(with_plan(cap_bytes=1000 * MB, when_used_up=when))
    read(mind, 0)
    read(mind, count)
    mind.decided(active=CABLE)
    mind.answers(STICK)
    assert may_carry(mind.state, STICK, mind.policy) is may
    found = (best_standby(mind.state, mind.now, mind.policy), next_standby(mind.state, mind.policy))
    assert found == ((STICK, STICK) if may else (None, None))


def test_without_a_cap_nothing_is_ever_used_up() -> None:
    mind = on_backup(with_plan(when_used_up=UsedUp.STOP))
    read(mind, 0)
    assert told(read(mind, 9000)) == []
    assert may_carry(mind.state, STICK, mind.policy)
    assert shown(mind).used.startswith("data used: 9.0 GB, 0 kB of it")


def test_asking_gets_rarer_ahead_of_the_month_and_stops_before_the_cap() -> None:
    mind = ready(with_plan(asking_cap_bytes=10 * MB))
    assert pace_of(mind.state, STICK_UPLINK) is Pace.STANDBY_METERED
    read(mind, 0)
    seen = {}
    for count in (4.4, 4.6, 4.1, 4.0, 9.0):
        read(mind, 0, device=int(count * 10))
        mind.state = replace(
            mind.state, spent={STICK: replace(spent(mind), asking_bytes=round(count * MB))}
        )
        read(mind, 0, device=int(count * 10))
        seen[count] = (spent(mind).asking, pace_of(mind.state, STICK_UPLINK))
    usual, rare = (Asking.USUAL, Pace.STANDBY_METERED), (Asking.RARE, Pace.STANDBY_RARE)
    assert seen == {
        4.4: usual,
        4.6: rare,
        4.1: rare,  # not to and fro
        4.0: usual,
        9.0: (Asking.AT_NEED, Pace.OFF),
    }
    assert "asked rarely to save data" in shown(mind).used
    assert only_at_need(mind.state, STICK)
    mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 60.0, "a test"))
    assert burst_due(mind.state, STICK_UPLINK, mind.policy) == float("inf")
    mind.misses(CABLE)
    mind.silent_for(0.5)
    assert burst_due(mind.state, STICK_UPLINK, mind.policy) < float("inf")  # now it is needed


@pytest.mark.parametrize("cap_mb", [10.0, 3.0, 1.0])
def test_a_month_of_asking_stays_below_its_cap(cap_mb: float) -> None:
    """The usual pace costs 12 MB a month here, the rare one half of one."""
    per_hour = {Pace.STANDBY_METERED: 12 / 720, Pace.STANDBY_RARE: 0.5 / 720, Pace.OFF: 0.0}
    mind = ready(with_plan(asking_cap_bytes=round(cap_mb * MB)))
    month, ends = BOOT.wall, BOOT.wall + 30 * DAY_S
    read(mind, 0, month=month, ends=ends)
    carried, paces = 0.0, []
    for _ in range(718):
        mind.second += 3580
        paces.append(pace_of(mind.state, STICK_UPLINK))
        carried += per_hour[paces[-1]]
        read(mind, carried, month=month, ends=ends)
    assert spent(mind).asking_bytes < cap_mb * MB
    assert Pace.STANDBY_METERED in paces[-400:]  # spread over the month
    assert Pace.STANDBY_RARE in paces


@pytest.mark.parametrize(
    ("count", "words"), [(999, "1 kB"), (2_500_000, "2.5 MB"), (12_000_000_000, "12.0 GB")]
)
def test_amounts_are_said_as_a_bill_does(count: int, words: str) -> None:
    assert amount(count) == words


GATEWAY = replace(with_plan(cap_bytes=1000 * MB), mode=Mode.GATEWAY)
STOPPING = replace(GATEWAY, plans=((STICK, Plan(1000 * MB, when_used_up=UsedUp.STOP)),))


@pytest.mark.parametrize(
    ("policy", "count", "limited"),
    [
        (replace(GATEWAY, restrict=Restrict.ALWAYS), 1, (STICK,)),
        (replace(GATEWAY, restrict=Restrict.USED_UP), 999, ()),
        (replace(GATEWAY, restrict=Restrict.USED_UP), 1000, (STICK,)),
        (STOPPING, 1000, (STICK,)),
        (GATEWAY, 1000, ()),
        (replace(GATEWAY, mode=Mode.SELF, restrict=Restrict.ALWAYS), 1, ()),  # it routes nobody
    ],
)
def test_the_owner_says_when_only_what_is_allowed_is_reached(
    policy: Any, count: int, limited: tuple[str, ...]
) -> None:
    mind = on_backup(policy)
    read(mind, 0)
    read(mind, count)
    orders = only(Limit, mind.actions)
    assert (orders[-1].uplinks if orders else ()) == limited
    assert len(orders) <= 1
    said = [one for one in view(mind.state, policy, mind.now).notices if "you allowed" in one]
    assert len(said) == len(limited)


def test_a_limit_ends_with_the_month_and_is_ordered_again_after_a_restart() -> None:
    mind = on_backup(STOPPING)
    read(mind, 0)
    read(mind, 1000)
    made = mind.feed(Started(mind.now, "boot 1", "1.0"))
    assert [one.uplinks for one in only(Limit, made)] == [(STICK,)]
    made = read(mind, 1001, month=ENDS, ends=ENDS + 30 * DAY_S)
    assert [one.uplinks for one in only(Limit, made)] == [()]
