"""What others do to the network is put right: one studio, one daemon, many hands."""

import time
from collections.abc import Iterator

import pytest

from edge_watchdog.core.view import StudioView
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.manifest import NETNS
from tests.lab.places import CONNECTIVITY, HOSTS, Place
from tests.netns.conftest import QUICK_FAILBACK
from tests.patience import air, until

PAGE = f"http://{HOSTS[CONNECTIVITY]}/204"


@pytest.fixture(scope="class")
def watch(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("reconcile")
    with Daemon(lab, folder / "daemon", only="watch", extra=QUICK_FAILBACK) as daemon:
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 10)
        until(lambda: len(ours(lab)) == 9, 5)
        yield daemon


def ours(lab: Lab) -> list[str]:
    """Give every rule and route of ours, as `ip` shows them."""
    rules = str(lab.box.run(["ip", "rule"]).stdout).splitlines()
    routes = str(lab.box.run(["ip", "route", "show", "table", "all"]).stdout).splitlines()
    return sorted(line.strip() for line in (*rules, *routes) if "proto 237" in line)


def becomes(lab: Lab, wanted: list[str], within_s: float) -> None:
    end = time.monotonic() + air(within_s)
    while (found := ours(lab)) != wanted and time.monotonic() < end:
        time.sleep(0.02)
    assert found == wanted


def reaches_the_internet(lab: Lab) -> bool:
    return lab.box.run(["curl", "-s", "-m", "2", "-o", "/dev/null", PAGE]).returncode == 0


def on_broadband(view: StudioView) -> bool:
    return view.active == "broadband" and view.phase == "settled"


HARMS = {
    "a rule": "ip rule del pref 6900",
    "the route": "ip route flush table 7100",
    "every route of ours": "ip route flush table all proto 237",
    "every rule": "ip rule flush; ip rule add pref 32766 lookup main",
    "a rule that is not wanted": "ip rule add pref 6895 from 192.0.2.200 lookup 7001 protocol 237",
}


class TestHarm:
    """One watch half for all of it, gone before the next one begins."""

    @pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
    def test_what_is_taken_away_or_added_is_put_right_at_once(
        self, lab: Lab, watch: Daemon, harm: str
    ) -> None:
        before = ours(lab)
        assert len(before) >= 6
        lab.box.run(["sh", "-c", harm], check=True)
        becomes(lab, before, 2)
        assert reaches_the_internet(lab)
        assert watch.view().active == "broadband"


RENAME = """
route=$(ip -4 route show default dev {0})
ip link set {0} down; ip link set {0} name {1}; ip link set {1} up
ip route replace $route dev {1}
"""


def test_an_interface_that_is_renamed_is_followed(lab: Lab, daemon: Daemon) -> None:
    until(lambda: len(ours(lab)) == 9, 5)
    before = ours(lab)
    lab.box.run(["sh", "-c", RENAME.format("wan0", "enx1")], check=True)
    becomes(lab, sorted(line.replace("wan0", "enx1") for line in before), 15)
    daemon.wait(on_broadband, 30)
    words = "Broadband: its interface is called enx1 now, not wan0"
    daemon.wait(lambda v: any(words in notice for notice in v.notices), 30)
    assert reaches_the_internet(lab)
    lab.box.run(["sh", "-c", RENAME.format("enx1", "wan0")], check=True)
    becomes(lab, before, 15)
    daemon.wait(on_broadband, 30)
    daemon.wait(lambda v: not any("enx1" in notice for notice in v.notices), 30)
    assert reaches_the_internet(lab)


def test_a_router_that_comes_back_with_another_network_is_followed(
    lab: Lab, daemon: Daemon
) -> None:
    until(lambda: len(ours(lab)) == 9, 5)
    before = ours(lab)
    lab.inject("dhcp_change")
    until(lambda: sum("192.168.77." in line for line in ours(lab)) == 3, 30)
    assert not any("192.168.1." in line for line in ours(lab))
    daemon.wait(lambda v: on_broadband(v) and in_use(v) == "up", 10)
    assert reaches_the_internet(lab)
    lab.heal("dhcp_change")
    becomes(lab, before, 30)
    assert reaches_the_internet(lab)


def in_use(view: StudioView) -> str:
    return next((u.health for u in view.uplinks if u.name == view.active), "unknown")


def test_a_stick_that_is_pulled_while_it_is_in_use_leaves_nothing_behind(
    lab: Lab, daemon: Daemon
) -> None:
    until(lambda: len(ours(lab)) == 9, 5)
    before = ours(lab)
    lab.inject("blackhole")
    daemon.wait(lambda v: v.active == "LTE stick", 6)
    stick, away = lab.host(Place.STICK), ["ip", "link", "set", "lte0", "netns"]
    address = lab.box.run(["ip", "-4", "-o", "addr", "show", "lte0"]).stdout.split()[3]
    route = lab.box.run(["ip", "-4", "route", "show", "default", "dev", "lte0"]).stdout.split()
    lab.box.run([*away, str(NETNS / stick.namespace), "name", "gone0"], check=True)
    until(lambda: not any("lte0" in line for line in ours(lab)), 3)
    daemon.wait(lambda v: v.banner.standing == "offline", 10)
    lab.heal("blackhole")
    daemon.wait(lambda v: v.active == "broadband", 15)
    assert reaches_the_internet(lab)
    home = ["ip", "link", "set", "gone0", "netns", str(NETNS / lab.box.namespace)]
    stick.run([*home, "name", "lte0"], check=True)
    lab.box.run(["ip", "link", "set", "lte0", "up"], check=True)
    lab.box.run(["ip", "addr", "add", address, "dev", "lte0"], check=True)
    lab.box.run(["ip", "route", "replace", *route, "dev", "lte0"], check=True)
    daemon.wait(on_broadband, 30)
    becomes(lab, before, 5)
