"""Broadband is fine, its way to the vendor is broken: the vendor alone goes over the stick."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.netns import Host
from tests.lab.places import APP, CONNECTIVITY, HOSTS, Place
from tests.netns.conftest import QUICK_FAILBACK
from tests.netns.test_reconcile import ours
from tests.patience import air, until

VENDOR, OTHERS = (HOSTS[APP], 443), (HOSTS[CONNECTIVITY], 80)


@pytest.fixture(scope="module", params=["self", "gateway"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with Lab(request.param, phone=False) as standing:
        yield standing


def reaches(host: Host, to: tuple[str, int]) -> bool:
    with host.socket() as sock:
        sock.settimeout(0.3)
        return sock.connect_ex(to) == 0


def counted(lab: Lab) -> Callable[[], int]:
    """Give what tells how many packets to the vendor the stick has carried."""
    stick = lab.host(Place.STICK)
    chain = "chain through { type filter hook forward priority 0;"
    rule = f"ip daddr {VENDOR[0]} counter; }}; "
    stick.run(["nft", f"table inet seen {{ {chain} {rule} }}"], check=True)

    def packets() -> int:
        words = str(stick.run(["nft", "list", "table", "inet", "seen"]).stdout).split()
        return int(words[words.index("packets") + 1])

    return packets


def test_the_vendor_alone_takes_the_stick_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    user = lab.box if lab.topology == "self" else lab.desk_pc
    extra = {"only": "watch", "mode": lab.topology, "extra": QUICK_FAILBACK}
    with Daemon(lab, tmp_path / "daemon", **extra) as daemon:
        daemon.wait(lambda v: v.vendor is not None and v.vendor.app == "up", 10)
        until(lambda: reaches(user, VENDOR) and reaches(user, OTHERS), 5)
        before, packets = ours(lab), counted(lab)
        with user.socket() as old:
            old.connect(VENDOR)
            lab.inject("vendor_path")
            view = daemon.wait(lambda v: v.banner.headline.endswith("over LTE stick for now."), 60)
            assert view.active == "broadband"
            assert daemon.overlay() == "wan0"
            old.settimeout(air(2))
            assert is_reset(old)  # it hung on the way that is broken
        until(lambda: reaches(user, VENDOR), 3)
        used = packets()
        assert reaches(user, VENDOR)
        assert packets() > used
        assert reaches(user, OTHERS)
        if lab.topology == "gateway":
            lab.heal("vendor_path")
            daemon.wait(lambda v: not any("alone goes over" in n for n in v.notices), 40)
            until(lambda: ours(lab) == before, 5)
            used = packets()
            assert reaches(user, VENDOR)
            assert packets() == used
    lab.heal_all()
    assert ours(lab) == []  # also when it is stopped in the middle


def is_reset(sock: socket.socket) -> bool:
    try:
        sock.recv(1)
    except (ConnectionResetError, ConnectionAbortedError):
        return True
    return False
