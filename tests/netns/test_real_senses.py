"""What the daemon sees beside its questions keeps a line that works, and names what is wrong."""

import time
from pathlib import Path

from edge_watchdog.core import words
from edge_watchdog.core.model import Health
from edge_watchdog.core.state import Cause
from edge_watchdog.core.view import StudioView
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.netns import Host
from tests.lab.places import BROKER_ADDRESS as BROKER
from tests.lab.places import DESK_ADDRESS, Place
from tests.lab.traffic import trickle
from tests.netns.conftest import QUICK_FAILBACK


def stays_then_goes(lab: Lab, daemon: Daemon, host: Host) -> None:
    """Hosts are filtered while traffic flows: no move; the line dies: it is left all the same."""
    with trickle(host):
        lab.inject("anchors_filtered")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert daemon.view().active == "broadband"
            time.sleep(0.1)
        assert daemon.log.read_text().count("new connections via=") == 1
        lab.inject("blackhole")
        daemon.wait(lambda v: v.active == "LTE stick", 12)


def test_traffic_of_the_box_keeps_a_line_whose_hosts_are_filtered(lab: Lab, daemon: Daemon) -> None:
    stays_then_goes(lab, daemon, lab.box)


def test_traffic_of_the_studio_does_so_in_gateway_mode(tmp_path: Path) -> None:
    with (
        Lab("gateway", phone=False) as lab,
        Daemon(
            lab, tmp_path / "daemon", only="watch", mode="gateway", extra=QUICK_FAILBACK
        ) as daemon,
    ):
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 10)
        stays_then_goes(lab, daemon, lab.desk_pc)


def test_a_dead_line_is_left_as_fast_though_traffic_flowed_until_it_died(
    lab: Lab, daemon: Daemon
) -> None:
    with trickle(lab.box):
        time.sleep(1)
        lab.inject("blackhole")
        daemon.wait(lambda v: v.active == "LTE stick", 4)


def test_a_line_that_the_box_itself_fills_is_named_and_kept(lab: Lab, daemon: Daemon) -> None:
    time.sleep(5)  # long enough to know what is usual
    lab.inject("bufferbloat_own")
    view = daemon.wait(lambda v: v.uplinks[0].cause == words.label(Cause.LINE_FULL), 60)
    assert view.active == "broadband"
    assert daemon.log.read_text().count("new connections via=") == 1


def is_named(view: StudioView) -> bool:
    return view.banner.cause not in (Cause.NONE, Cause.CHECKING)


def test_a_dead_switch_is_named_before_the_router_is_accused(lab: Lab, daemon: Daemon) -> None:
    daemon.wait(lambda _: "lladdr" in lab.box.run(["ip", "neigh", "show", BROKER]).stdout, 20)
    lab.inject("lan_switch_dead")
    view = daemon.wait(is_named, 20)
    assert view.banner.cause == Cause.LAN_SWITCH_DEAD


def test_a_device_with_the_box_s_own_address_is_named_as_that(lab: Lab, daemon: Daemon) -> None:
    lab.inject("own_address_taken")
    view = daemon.wait(is_named, 20)
    assert view.banner.cause == Cause.ADDRESS_CONFLICT
    assert view.banner.headline == "Another device on broadband uses the box's own address."


def test_a_second_device_with_the_router_s_address_is_named_first(lab: Lab, daemon: Daemon) -> None:
    lab.inject("address_conflict")
    view = daemon.wait(is_named, 20)
    assert view.banner.cause == Cause.ADDRESS_CONFLICT
    assert view.banner.headline == "Two devices on broadband use the same address."


def test_a_second_device_that_gives_out_addresses_is_named_with_where_to_find_it(
    lab: Lab, tmp_path: Path
) -> None:
    lab.inject("rogue_dhcp")
    with Daemon(lab, tmp_path / "daemon", only="watch", extra=QUICK_FAILBACK) as daemon:
        view = daemon.wait(is_named, 30)
        lab.heal_all()
    assert view.banner.cause == Cause.ROGUE_DHCP
    assert view.active == "broadband"
    shown = lab.host(Place.DESK).run(["ip", "-o", "link", "show", "eth0"], check=True).stdout
    mac = shown.split()[shown.split().index("link/ether") + 1]
    assert f"{DESK_ADDRESS} ({mac})" in view.banner.steps[-1]
    assert "offers" not in lab.box.run(["nft", "list", "tables"]).stdout  # nothing is left


def test_a_hotspot_that_comes_back_with_the_studio_s_addresses_is_named(
    tmp_path: Path,
) -> None:
    with Lab("self") as lab, Daemon(lab, tmp_path / "daemon", only="watch", phone=True) as daemon:
        daemon.wait(lambda v: [u.health for u in v.uplinks] == [Health.UP] * 3, 20)
        lab.inject("hotspot_overlaps")
        view = daemon.wait(lambda v: v.uplinks[2].cause == words.label(Cause.SUBNET_OVERLAP), 10)
        assert view.active == "broadband"
