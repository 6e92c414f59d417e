"""The studio's computers behind the box: online through it, moved with it, let go in time."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from edge_watchdog.bridge import Order
from edge_watchdog.core.events import OrderKind
from edge_watchdog.links import by_tcp
from edge_watchdog.verbs.use import give
from tests.lab.daemon import Daemon
from tests.lab.dns import FRESH
from tests.lab.lab import Lab
from tests.lab.places import APP, CONNECTIVITY, GATEWAY_BOX_ADDRESS, HOSTS, Place
from tests.lab.programs import HERE
from tests.netns.conftest import QUICK_FAILBACK
from tests.patience import air, until

WEB = (HOSTS[CONNECTIVITY], 80)
REQUEST = f"GET /204 HTTP/1.1\r\nHost: {CONNECTIVITY}\r\n\r\n".encode()
KINDS = {"cable_out": 3.0, "blackhole": 4.0, "router_dead": 4.0}  # bench measures what it takes


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("gateway", phone=False) as standing:
        yield standing


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[Daemon]:
    """The watch half as the studio's gateway; whatever a test broke is healed after it."""
    with Daemon(
        lab, tmp_path / "daemon", only="watch", mode="gateway", extra=QUICK_FAILBACK
    ) as daemon:
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 10)
        until(lambda: gets_through(lab), 5)
        yield daemon
        lab.heal_all()


def connect(lab: Lab, patience_s: float = 0.2) -> socket.socket:
    sock = lab.desk_pc.socket()
    sock.settimeout(patience_s)
    try:
        sock.connect(WEB)
    except OSError:
        sock.close()
        raise
    return sock


def gets_through(lab: Lab) -> bool:
    try:
        connect(lab).close()
    except OSError:
        return False
    return True


def asks(sock: socket.socket, patience_s: float) -> bool:
    """Tell whether the connection still carries a question and its answer."""
    sock.settimeout(patience_s)
    sock.sendall(REQUEST)
    return sock.recv(4096).startswith(b"HTTP/1.1 204")


def kernel_state(lab: Lab) -> str:
    commands = (["ip", "rule"], ["ip", "route", "show", "table", "all"], ["nft", "list", "ruleset"])
    settings = ["sysctl", "net.ipv4.ip_forward", "net.ipv4.conf.all.send_redirects"]
    return "\n".join(str(lab.box.run(argv).stdout) for argv in (*commands, settings))


@pytest.mark.parametrize(("fault", "within_s"), KINDS.items())
def test_the_desk_pc_is_online_again_and_comes_back(
    lab: Lab, daemon: Daemon, fault: str, within_s: float
) -> None:
    lab.inject(fault)
    until(lambda: gets_through(lab), within_s)
    view = daemon.wait(lambda v: v.banner.standing == "backup", 10)
    assert view.banner.can_work == "Yes. Everything in the studio is online over LTE stick."
    assert any("costs by the amount" in step for step in view.banner.steps)
    lab.heal(fault)
    daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
    assert gets_through(lab)


def test_an_old_connection_lives_through_a_gap_and_ends_soon_after_a_real_outage(
    lab: Lab, daemon: Daemon
) -> None:
    with connect(lab) as sock:
        assert asks(sock, 1)
        lab.gap(2.0)
        assert asks(sock, 5)
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
        assert asks(sock, 2)
        with connect(lab) as waiting:  # it has nothing to say, and is told nevertheless
            lab.inject("blackhole")
            sock.sendall(REQUEST)  # the next try to send it would come seconds later
            for one in (waiting, sock):
                one.settimeout(15)
                with pytest.raises(ConnectionResetError):
                    one.recv(1)
            ended = time.time()
        assert ended - said_at(daemon, "old connections end") < air(0.5)


def said_at(daemon: Daemon, words: str) -> float:
    """Give the seconds since 1970 at which the daemon logged *words* last."""
    line = [text for text in daemon.log.read_text().splitlines() if words in text][-1]
    return datetime.fromisoformat(line.split()[0]).timestamp()


def test_what_began_on_the_backup_stays_there_when_the_line_is_back(
    lab: Lab, daemon: Daemon
) -> None:
    lab.inject("blackhole")
    daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", 15)
    with connect(lab, 1.0) as sock:
        assert asks(sock, 2)
        lab.heal("blackhole")
        daemon.wait(lambda v: v.active == "broadband" and v.phase == "settled", 60)
        for _ in range(3):
            assert asks(sock, 2)
            time.sleep(0.3)
        daemon.wait(
            lambda v: "Connections that began on LTE stick and still run there: 1." in v.notices,
            10,
        )
    daemon.wait(lambda v: "No connection is left on LTE stick." in v.notices, 15)
    assert "drained uplink=LTE stick: 0 flows left on it" in daemon.log.read_text()


def our_tables(lab: Lab) -> tuple[str, str]:
    """Give both, each by itself: whichever was loaded first is listed first."""
    route, hear = (
        str(lab.box.run(["nft", "-s", "list", "table", family, "edge_watchdog"]).stdout)
        for family in ("inet", "arp")
    )
    return route, hear


def test_a_stranger_s_flush_is_repaired(lab: Lab, daemon: Daemon) -> None:
    until(lambda: "claims" in our_tables(lab)[1], 10)
    before, claims = our_tables(lab)
    assert "masquerade" in before
    lab.box.run(["nft", "flush", "ruleset"], check=True)
    until(lambda: our_tables(lab) == (before, claims), 10)
    lab.box.run(["nft", "flush", "chain", "inet", "edge_watchdog", "pass"], check=True)
    until(lambda: our_tables(lab) == (before, claims), 10)
    assert gets_through(lab)
    hears_of_another_box(lab, daemon)


def test_a_cable_to_the_studio_s_own_network_that_is_out_is_said(lab: Lab, daemon: Daemon) -> None:
    lab.desk_pc.run(["ip", "link", "set", "eth0", "down"], check=True)
    try:
        daemon.wait(lambda v: any("(lan0) is out" in notice for notice in v.notices), 30)
    finally:
        lab.desk_pc.run(["ip", "link", "set", "eth0", "up"], check=True)
        lab.desk_pc.run(
            ["ip", "route", "replace", "default", "via", GATEWAY_BOX_ADDRESS], check=True
        )
    daemon.wait(lambda v: not any("(lan0) is out" in notice for notice in v.notices), 20)
    until(lambda: gets_through(lab), 10)


def hears_of_another_box(lab: Lab, daemon: Daemon) -> None:
    """A computer that takes the box's own address in the LAN is told of."""
    argv = [sys.executable, "-I", str(HERE / "impostor.py"), "eth0", GATEWAY_BOX_ADDRESS]
    other = lab.desk_pc.popen(argv, stdout=subprocess.DEVNULL)
    try:
        daemon.wait(lambda v: any(GATEWAY_BOX_ADDRESS in said for said in v.notices), 20)
    finally:
        other.terminate()
        other.wait(20)
    until(lambda: gets_through(lab), 10)


def test_nobody_outside_gets_in(lab: Lab, daemon: Daemon) -> None:
    router = lab.host(Place.ROUTER)
    router.run(["ip", "route", "add", "192.168.50.0/24", "via", "192.168.1.100"], check=True)
    try:
        ping = ["ping", "-c", "2", "-W", "1", "-i", "0.2", "192.168.50.20"]
        assert router.run(ping).returncode != 0
        assert router.run([*ping[:-1], "192.168.1.100"]).returncode == 0  # the box itself is there
    finally:
        router.run(["ip", "route", "del", "192.168.50.0/24"], check=True)


def test_ipv6_is_told_at_once_that_there_is_no_way(lab: Lab, daemon: Daemon) -> None:
    for host, interface in ((lab.desk_pc, "eth0"), (lab.box, "lan0"), (lab.box, "wan0")):
        host.sysctl(f"net.ipv6.conf.{interface}.disable_ipv6", "0")
    for host, words in (
        (lab.box, "addr add 2001:db8:50::1/64 dev lan0 nodad"),
        (lab.box, "addr add 2001:db8:1::2/64 dev wan0 nodad"),
        (lab.box, "route add 2001:db8:f::/48 via 2001:db8:1::1 dev wan0"),
        (lab.desk_pc, "addr add 2001:db8:50::20/64 dev eth0 nodad"),
        (lab.desk_pc, "route add default via 2001:db8:50::1"),
    ):
        host.run(["ip", "-6", *words.split()], check=True)
    reach = ["ping", "-6", "-c", "1", "-W", "1", "2001:db8:50::1"]
    until(lambda: lab.desk_pc.run(reach).returncode == 0, 5)
    begin = time.monotonic()
    said = lab.desk_pc.run(["ping", "-6", "-c", "1", "-W", "15", "2001:db8:f::1"]).stdout
    assert "Destination unreachable: No route" in said
    assert time.monotonic() - begin < air(2)  # ping itself waits for 15 s


def test_a_crash_leaves_the_studio_online(lab: Lab, daemon: Daemon) -> None:
    lab.inject("blackhole")
    daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", 15)
    daemon.kill()
    assert gets_through(lab)
    daemon.start()
    assert gets_through(lab)
    daemon.wait(lambda v: v.active == "LTE stick", 5)


def test_a_stopped_gateway_leaves_nothing(tmp_path: Path) -> None:
    with Lab("gateway", phone=False) as fresh:
        before = kernel_state(fresh)
        with Daemon(fresh, tmp_path / "daemon", only="watch", mode="gateway"):
            until(lambda: gets_through(fresh), 5)
            assert "masquerade" in kernel_state(fresh)
            assert "fwmark" in kernel_state(fresh)
        assert kernel_state(fresh) == before


def test_an_uplink_with_the_studio_s_own_addresses_is_refused(lab: Lab, daemon: Daemon) -> None:
    lab.box.run(["ip", "addr", "add", "192.168.8.77/24", "dev", "lan0"], check=True)
    try:
        view = daemon.wait(lambda v: any("LTE stick is not used" in n for n in v.notices), 10)
        assert any("192.168.8.0/24" in notice for notice in view.notices)
        assert view.active == "broadband"
        assert gets_through(lab)
    finally:
        lab.box.run(["ip", "addr", "del", "192.168.8.77/24", "dev", "lan0"], check=True)
    daemon.wait(lambda v: not any("is not used" in n for n in v.notices), 10)


def finds(lab: Lab, name: str) -> bool:
    """Tell whether the desk PC gets an address for *name* from the box."""
    words = b"".join(bytes([len(word)]) + word.encode() for word in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + words + b"\x00\x00\x01\x00\x01"
    with lab.desk_pc.socket(kind=socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.sendto(query, (lab.box_address, 53))
        try:
            answer = sock.recv(512)
        except OSError:
            return False
    return answer[:2] == query[:2] and int.from_bytes(answer[6:8], "big") == 1


def test_computers_that_ask_for_names_in_vain_make_the_box_ask_too(
    lab: Lab, daemon: Daemon
) -> None:
    """Only the watch half runs: nobody answers for names."""
    number = iter(range(100))

    def is_noticed() -> bool:
        finds(lab, f"d{next(number)}.{FRESH}")
        return "ask and are told nothing" in daemon.log.read_text()

    until(is_noticed, 10)


def test_names_are_found_again_though_both_lines_own_name_servers_are_dead(
    lab: Lab, tmp_path: Path
) -> None:
    stick = lab.host(Place.STICK)
    with Daemon(
        lab, tmp_path / "daemon", mode="gateway", schedule=False, extra=QUICK_FAILBACK
    ) as daemon:
        until(lambda: finds(lab, f"a.{FRESH}"), 10)
        chain = "chain in { type filter hook input priority -10; udp dport 53 drop; }"
        stick.run(["nft", f"table inet deaf {{ {chain}; }}"], check=True)
        try:
            lab.inject("router_dead")
            number = iter(range(1000))
            until(lambda: finds(lab, f"b{next(number)}.{FRESH}"), 6)
            daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", 15)
            for i in range(5):
                until(lambda: finds(lab, f"c{i}.{FRESH}"), 1)  # noqa: B023 - waited for here
            upstreams = (daemon.folder / "run/upstreams.conf").read_text().split()[1::2]
            assert upstreams == [*lab.resolvers("lte0"), "198.51.100.1", "198.51.100.65"]
        finally:
            stick.run(["nft", "delete", "table", "inet", "deaf"], check=True)
            lab.heal_all()


def test_names_come_by_tcp_while_they_are_blocked_by_udp(lab: Lab, tmp_path: Path) -> None:
    with Daemon(lab, tmp_path / "daemon", mode="gateway", schedule=False) as daemon:
        until(lambda: finds(lab, f"e.{FRESH}"), 10)
        file = daemon.folder / "run/upstreams.conf"
        number = iter(range(1000))
        try:
            lab.inject("dns_blocked")
            began = time.monotonic()
            until(lambda: finds(lab, f"f{next(number)}.{FRESH}"), 12)
            print(f"names are found again after {time.monotonic() - began:.1f} s")
            assert by_tcp.ADDRESS in file.read_text()
            assert daemon.view().active == "broadband"
        finally:
            lab.heal_all()
        until(lambda: by_tcp.ADDRESS not in file.read_text(), 20)
        until(lambda: finds(lab, f"g{next(number)}.{FRESH}"), 5)


def test_the_box_gives_addresses_when_it_is_told_which(lab: Lab, tmp_path: Path) -> None:
    words = "-i eth0 -n -q -f -t 30 -T 1 -s /bin/true"  # it may just be starting
    with Daemon(
        lab, tmp_path / "daemon", mode="gateway", dhcp_range="192.168.50.100-192.168.50.109"
    ):
        done = lab.desk_pc.run(["busybox", "udhcpc", *words.split()])
    assert "lease of 192.168.50.10" in done.stderr
    assert "lease time 600" in done.stderr
    assert (tmp_path / "daemon/state/names/leases").read_text()


LIMITED = """[metered]
restrict = "always"
allow = ["203.0.113.80"]
"""


def test_over_a_limited_backup_only_what_is_allowed_is_reached_and_the_rest_ends_at_once(
    lab: Lab, tmp_path: Path
) -> None:
    with Daemon(
        lab, tmp_path / "daemon", only="watch", mode="gateway", extra=QUICK_FAILBACK + LIMITED
    ) as daemon:
        until(lambda: gets_through(lab), 5)  # broadband costs nothing
        lab.inject("cable_out")
        daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", 10)
        with lab.desk_pc.socket() as vendor:
            vendor.settimeout(2)
            vendor.connect((HOSTS[APP], 443))
        with pytest.raises(ConnectionRefusedError):
            connect(lab, 2.0)
        assert "Over LTE stick only the addresses that you allowed" in str(daemon.view().notices)
    lab.heal_all()


DEAR = """[metered]
allow = ["203.0.113.80"]
"""


def test_an_outage_that_has_cost_its_budget_carries_only_what_is_allowed_until_it_is_over(
    lab: Lab, tmp_path: Path
) -> None:
    with Daemon(
        lab,
        tmp_path / "daemon",
        only="watch",
        mode="gateway",
        extra=QUICK_FAILBACK + DEAR,
        outage_budget="2MB",
    ) as daemon:
        lab.inject("cable_out")
        daemon.wait(lambda v: v.active == "LTE stick" and v.phase == "settled", 10)
        until(lambda: gets_through(lab), 10)
        with lab.desk_pc.socket(kind=socket.SOCK_DGRAM) as film:
            for _ in range(2000):
                film.sendto(bytes(1200), (HOSTS[APP], 9))
        daemon.wait(lambda v: "has used the data meant for it" in str(v.notices), 30)
        until(lambda: not gets_through(lab), 10)
        with lab.desk_pc.socket() as vendor:
            vendor.settimeout(10)
            vendor.connect((HOSTS[APP], 443))
        order = Order(OrderKind.USE, "LTE stick", 600.0, "a class is streamed")
        assert asyncio.run(give(daemon.bridge, order)) is not None
        until(lambda: gets_through(lab), 10)
    lab.heal_all()
