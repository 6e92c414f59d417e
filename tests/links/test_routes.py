"""The overlay, in a real kernel: put there, moved, repaired, removed without a trace."""

import pytest

from edge_watchdog.links import LinkError
from edge_watchdog.links.kernel import Kernel
from edge_watchdog.links.routes import Exit, Overlay
from tests.lab.lab import Lab

ANCHOR = "198.51.100.1"


def exits(kernel: Kernel) -> dict[str, Exit]:
    devices = kernel.snapshot.devices
    return {
        "broadband": Exit(0, "wan0", devices["wan0"].index, "192.168.1.100", "192.168.1.1"),
        "LTE": Exit(1, "lte0", devices["lte0"].index, "192.168.8.100", "192.168.8.1"),
    }


def ip(lab: Lab, *words: str) -> str:
    return str(lab.box.run(["ip", *words], capture_output=True, check=False).stdout)


def leaves_by(lab: Lab, *words: str) -> str:
    fields = ip(lab, "route", "get", ANCHOR, *words).split()
    return fields[fields.index("dev") + 1]


async def test_new_connections_follow_the_overlay_and_the_lan_does_not(
    lab: Lab, kernel: Kernel
) -> None:
    overlay = Overlay(kernel)
    before = ip(lab, "route", "show", "table", "main")
    await overlay.know(exits(kernel))
    for uplink, device in (("broadband", "wan0"), ("LTE", "lte0"), ("broadband", "wan0")):
        await overlay.steer(uplink)
        assert leaves_by(lab) == device
        assert "dev wan0" in ip(lab, "route", "get", "192.168.1.10")
    assert ip(lab, "route", "show", "table", "main") == before
    await overlay.clear()


async def test_what_is_bound_to_a_line_leaves_by_it_whatever_the_overlay_says(
    lab: Lab, kernel: Kernel
) -> None:
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.steer("broadband")
    assert leaves_by(lab, "oif", "lte0") == "lte0"
    assert leaves_by(lab, "from", "192.168.8.100") == "lte0"
    await overlay.steer("LTE")
    assert leaves_by(lab, "oif", "wan0") == "wan0"
    assert leaves_by(lab, "from", "192.168.1.100") == "wan0"
    await overlay.clear()


@pytest.mark.parametrize(
    "harm",
    [
        ["rule", "del", "pref", "6890"],
        ["rule", "del", "pref", "6900"],
        ["rule", "del", "pref", "6892"],
        ["route", "flush", "table", "7100"],
        ["route", "flush", "table", "7002"],
        ["route", "replace", "default", "via", "192.168.8.1", "dev", "lte0", "table", "7100"],
    ],
    ids=" ".join,
)
async def test_harm_done_by_others_is_mended(lab: Lab, kernel: Kernel, harm: list[str]) -> None:
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.steer("broadband")
    rules = sorted(ip(lab, "rule").splitlines())
    ip(lab, *harm)
    await overlay.reconcile()
    assert sorted(ip(lab, "rule").splitlines()) == rules
    assert leaves_by(lab) == "wan0"
    assert leaves_by(lab, "oif", "lte0") == "lte0"
    await overlay.clear()
    ip(lab, "route", "flush", "table", "7100")


async def test_a_second_run_takes_over_what_a_crashed_one_left(lab: Lab, kernel: Kernel) -> None:
    crashed = Overlay(kernel)
    await crashed.know(exits(kernel))
    await crashed.steer("LTE")
    rules = ip(lab, "rule")
    fresh = Overlay(kernel)
    await fresh.know(exits(kernel))
    assert leaves_by(lab) == "lte0"  # already before it is told where to go
    await fresh.steer("LTE")
    assert ip(lab, "rule") == rules
    await fresh.clear()


async def test_a_line_that_lost_its_address_loses_its_table(lab: Lab, kernel: Kernel) -> None:
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.know({"broadband": exits(kernel)["broadband"]})
    assert "7002" not in ip(lab, "rule")
    assert ip(lab, "route", "show", "table", "7002") == ""
    await overlay.clear()


async def test_nothing_is_left_after_clearing(lab: Lab, kernel: Kernel) -> None:
    before = ip(lab, "rule") + ip(lab, "route", "show", "table", "all")
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.steer("LTE")
    assert ip(lab, "rule") != before
    await overlay.clear()
    assert ip(lab, "rule") + ip(lab, "route", "show", "table", "all") == before


async def test_a_line_without_a_gateway_is_refused_and_nothing_moves(
    lab: Lab, kernel: Kernel
) -> None:
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.steer("broadband")
    with pytest.raises(LinkError, match="phone has no address"):
        await overlay.steer("phone")
    assert leaves_by(lab) == "wan0"
    await overlay.clear()


async def test_a_line_whose_address_is_just_being_changed_does_not_hinder_the_others(
    lab: Lab, kernel: Kernel
) -> None:
    overlay = Overlay(kernel)
    known = exits(kernel)
    known["LTE"] = Exit(1, "lte0", known["LTE"].index, "192.168.8.100", "192.0.2.250")
    await overlay.know(known)
    await overlay.steer("broadband")
    assert leaves_by(lab) == "wan0"
    assert ip(lab, "route", "show", "table", "7002") == ""
    with pytest.raises(LinkError, match="unreachable"):
        await overlay.steer("LTE")
    assert leaves_by(lab) == "wan0"
    await overlay.know(exits(kernel))
    assert "192.168.8.1" in ip(lab, "route", "show", "table", "7002")
    await overlay.clear()


async def test_some_addresses_leave_by_another_line_than_the_rest(lab: Lab, kernel: Kernel) -> None:
    overlay = Overlay(kernel)
    await overlay.know(exits(kernel))
    await overlay.steer("broadband")
    await overlay.divert("LTE", (ANCHOR, "203.0.113.80"))
    assert leaves_by(lab) == "lte0"
    assert leaves_by(lab, "oif", "wan0") == "wan0"  # who asks for a line gets it
    assert "dev wan0" in ip(lab, "route", "get", "198.51.100.65")
    ip(lab, "rule", "del", "pref", "6894", "to", "203.0.113.80")
    await overlay.reconcile()
    assert ip(lab, "rule").count("6894:") == 2
    await overlay.know({"broadband": exits(kernel)["broadband"]})
    assert leaves_by(lab) == "wan0"  # the other line is gone
    await overlay.know(exits(kernel))
    await overlay.divert(None, ())
    assert leaves_by(lab) == "wan0"
    await overlay.divert("LTE", (ANCHOR,))
    await overlay.clear()
    assert "proto 237" not in ip(lab, "rule")
