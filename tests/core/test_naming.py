"""By which way the studio's computers get their names."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import AskByTcp
from edge_watchdog.core.model import Mode
from edge_watchdog.core.naming import set_names
from edge_watchdog.core.state import Cause, Diagnosis
from tests.core.mind import CABLE, POLICY, STICK, Mind, ready

BEHIND = replace(POLICY, mode=Mode.GATEWAY)


def ordered(mind: Mind, policy=BEHIND) -> list[bool]:
    mind.state, orders = set_names(mind.state, policy)
    assert all(isinstance(one, AskByTcp) for one in orders)
    return [one.wanted for one in orders]


def found(mind: Mind, cause: Cause, uplink: str = CABLE) -> None:
    mind.put(uplink, diagnosis=Diagnosis(cause, 0.9, mind.now))


def test_names_go_by_tcp_while_the_line_in_use_is_blocked_for_them():
    mind = ready()
    assert ordered(mind) == []
    found(mind, Cause.DNS_BLOCKED)
    assert ordered(mind) == [True]
    assert ordered(mind) == []
    found(mind, Cause.NONE)
    assert ordered(mind) == [False]


@pytest.mark.parametrize("cause", [Cause.DNS_DEAD, Cause.PROVIDER_DOWN, Cause.PORTAL])
def test_nothing_else_is_a_reason(cause):
    mind = ready()
    found(mind, cause)
    assert ordered(mind) == []


def test_another_line_and_another_mode_are_no_reason():
    mind = ready()
    found(mind, Cause.DNS_BLOCKED, STICK)
    assert ordered(mind) == []
    found(mind, Cause.DNS_BLOCKED)
    assert ordered(mind, replace(POLICY, mode=Mode.SELF)) == []
    assert ordered(mind) == [True]
    mind.decided(active=STICK)
    found(mind, Cause.NONE, STICK)
    assert ordered(mind) == [False]
