"""A gateway on one leg, beside the provider's router: the desk PC moves with it, by IPv4.

IPv6 is taken while the backup is in use, then given back.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.places import CONNECTIVITY, HOSTS, UPLINKS, Place
from tests.netns.conftest import QUICK_FAILBACK

FAR_AWAY = "2001:db8:f::1"
LEGS = (
    (Place.BOX, "wan0", "2001:db8:1::100/64"),
    (Place.DESK, "eth0", "2001:db8:1::20/64"),
)


@pytest.fixture
def six(lab: Lab) -> Iterator[str]:
    """IPv6 for box and desk PC, by a router that answers nobody; gives the box's near address."""
    for place, interface, address in LEGS:
        host = lab.host(place)
        host.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", "0")
        host.run(["ip", "-6", "addr", "add", address, "dev", interface, "nodad"], check=True)
    route = "route add default via fe80::1 dev eth0 proto ra metric 1024 pref medium"
    lab.desk_pc.run(["ip", "-6", *route.split()], check=True)
    until(lambda: near_address(lab) != "", 10)
    yield near_address(lab)
    for place, interface, _ in LEGS:
        lab.host(place).sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", "1")


def near_address(lab: Lab) -> str:
    argv = ["ip", "-6", "-o", "addr", "show", "dev", "wan0", "scope", "link", "-tentative"]
    words = lab.box.run(argv).stdout.split()
    return words[3].partition("/")[0] if words else ""


def until(is_so: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, f"not within {within_s} s"
        time.sleep(0.05)


def routers(lab: Lab) -> str:
    return str(lab.desk_pc.run(["ip", "-6", "route", "show", "default"]).stdout)


def test_on_one_leg_ipv6_is_refused_at_once_while_the_backup_is_in_use(
    lab: Lab, six: str, tmp_path: Path
) -> None:
    with Daemon(
        lab, tmp_path / "daemon", only="watch", mode="gateway", extra=QUICK_FAILBACK
    ) as daemon:
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 20)
        assert six not in routers(lab)
        lab.inject("blackhole")
        until(lambda: f"via {six} dev eth0" in routers(lab) and "pref high" in routers(lab), 30)
        ping = ["ping", "-6", "-c", "1", "-W", "5", FAR_AWAY]
        assert "Destination unreachable: No route" in lab.desk_pc.run(ping).stdout
        lab.heal_all()
        daemon.wait(lambda v: v.active == "broadband", 60)
        until(lambda: six not in routers(lab), 10)
        assert "via fe80::1" in routers(lab)


def gets_through(lab: Lab) -> bool:
    page = f"http://{HOSTS[CONNECTIVITY]}/204"
    return lab.desk_pc.run(["curl", "-s", "-m", "2", "-o", "/dev/null", page]).returncode == 0


def test_on_one_leg_the_desk_pc_moves_with_the_box_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    lab.desk_pc.run(["ip", "route", "replace", "default", "via", UPLINKS[0].address], check=True)
    with Daemon(
        lab, tmp_path / "daemon", only="watch", mode="gateway", extra=QUICK_FAILBACK
    ) as daemon:
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 20)
        until(lambda: gets_through(lab), 30)
        lab.inject("blackhole")
        view = daemon.wait(lambda v: v.banner.standing == "backup", 30)
        assert view.banner.can_work == "Yes. Everything in the studio is online over LTE stick."
        until(lambda: gets_through(lab), 30)
        learned = lab.desk_pc.run(["ip", "route", "get", HOSTS[CONNECTIVITY]]).stdout
        assert f"via {UPLINKS[0].address} " in learned  # and is sent past the box by nobody
        lab.heal_all()
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
        until(lambda: gets_through(lab), 30)
