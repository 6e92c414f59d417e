"""The real daemon through real outages: what it does, and what it says is broken."""

import re
import time
from pathlib import Path

import pytest

from edge_watchdog.core.view import Standing, StudioView
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.patience import until

SWITCHING = {
    "cable_out": "cable out",
    "blackhole": "provider down",
    "no_return": "provider down",
    "reject": "provider down",
    "router_dead": "router dead",
    "line_not_in_sync": "line not in sync",
}
STAYING = {
    "dns_dead": ("limited", "dns dead"),
    "partial_routing": ("limited", "partial routing"),
    "mtu_blackhole": ("limited", "mtu black hole"),
    "vendor_down": ("vendor", "vendor silent"),
    "vendor_announced": ("vendor", "vendor announced"),
}


def says(view: StudioView, standing: str, cause: str) -> bool:
    return (view.banner.standing, view.banner.cause) == (standing, cause)


@pytest.mark.parametrize(("fault", "cause"), SWITCHING.items())
def test_a_dead_line_is_left_named_and_taken_back(
    lab: Lab, daemon: Daemon, fault: str, cause: str
) -> None:
    lab.inject(fault)
    daemon.wait(lambda v: v.active == "LTE stick", 4)
    until(lambda: daemon.overlay() == "lte0", 2)
    view = daemon.wait(lambda v: says(v, "backup", cause), 10)
    assert view.banner.steps
    lab.heal(fault)
    daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
    until(lambda: daemon.overlay() == "wan0", 2)
    daemon.wait(lambda v: v.banner.standing is Standing.NORMAL, 15)


def test_a_sign_in_page_on_the_line_is_left_once_two_pages_show_it(
    lab: Lab, daemon: Daemon
) -> None:
    lab.inject("portal")
    daemon.wait(lambda v: v.active == "LTE stick" and says(v, "backup", "portal"), 20)
    lab.heal("portal")
    daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
    lab.inject("portal_told")  # no page at all; the network itself says so
    view = daemon.wait(
        lambda v: v.banner.cause == "portal" and "welcome.guest" in v.banner.steps[0], 20
    )
    assert "https://welcome.guest.example/welcome" in view.banner.steps[0]


@pytest.mark.parametrize(("fault", "expected"), STAYING.items())
def test_what_a_switch_cannot_help_is_named_and_not_switched_for(
    lab: Lab, daemon: Daemon, fault: str, expected: tuple[str, str]
) -> None:
    lab.inject(fault)
    view = daemon.wait(lambda v: says(v, *expected), 60)
    assert view.active == "broadband"
    assert daemon.overlay() == "wan0"


@pytest.mark.parametrize("fault", ["one_anchor_dead", "icmp_filtered", "loss:5"])
def test_what_is_no_outage_moves_nothing(lab: Lab, daemon: Daemon, fault: str) -> None:
    lab.inject(fault)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        assert daemon.view().active == "broadband"
        time.sleep(0.1)


def test_a_gap_of_half_a_second_moves_nothing(lab: Lab, daemon: Daemon) -> None:
    for _ in range(5):
        lab.gap(0.5)
        time.sleep(0.6)
        assert daemon.view().active == "broadband"
    moves = daemon.log.read_text().count("new connections via=")
    assert moves == 1  # the one at the start


def test_when_everything_is_down_nothing_is_touched_and_it_is_said(
    lab: Lab, daemon: Daemon
) -> None:
    lab.inject("everything_down")
    view = daemon.wait(lambda v: v.banner.standing is Standing.OFFLINE, 10)
    assert view.active == "broadband"
    assert daemon.overlay() in ("wan0", "")
    lab.heal("everything_down")
    daemon.wait(lambda v: v.banner.standing is Standing.NORMAL, 60)


@pytest.mark.parametrize("kind", ["html", "truncated", "huge", "unknown_enum"])
def test_a_status_page_that_makes_no_sense_is_not_known_and_never_fine(
    lab: Lab, tmp_path: Path, kind: str
) -> None:
    lab.inject(f"status_page_garbage:{kind}")
    with Daemon(lab, tmp_path / "daemon", only="watch") as daemon:
        view = daemon.wait(
            lambda v: (
                (v.vendor is not None and v.vendor.page_as_of_wall is not None)
                or (v.vendor is not None and "read" not in v.vendor.page_reason)
            ),
            15,
        )
    lab.heal_all()
    assert view.vendor is not None
    assert view.vendor.page == "unknown"
    assert view.vendor.page_reason
    assert view.active == "broadband"


VENDOR_SLOW_S = 3.0  # core.policy


def test_a_slow_vendor_is_seen_without_a_switch(lab: Lab, daemon: Daemon) -> None:
    lab.inject("vendor_slow")  # people are told after a minute of it: tests/incidents has that
    view = daemon.wait(lambda v: seconds_of_the_app(v) > VENDOR_SLOW_S, 40)
    assert view.active == "broadband"


def seconds_of_the_app(view: StudioView) -> float:
    """Read how long the vendor's app took to answer through the line in use."""
    told = re.search(r"in ([\d.]+) s", view.vendor.app_evidence if view.vendor else "")
    return float(told[1]) if told else 0.0
