"""Whom the LAN's name service asks, and how it is told."""

from pathlib import Path

from edge_watchdog.core.model import Anchor
from edge_watchdog.links.names import dnsmasq_command, upstreams, write_upstreams

ANCHORS = (
    Anchor("alpha", "198.51.100.1", dns=True),
    Anchor("alpha", "198.51.100.2", dns=True),
    Anchor("beta", "198.51.100.65"),
    Anchor("gamma", "203.0.113.1", dns=True),
    Anchor("delta", "203.0.113.65", dns=True),
)


def test_the_lines_own_servers_come_first_and_two_operators_stand_in_reserve() -> None:
    assert upstreams(("192.0.2.53",), ANCHORS) == ("192.0.2.53", "198.51.100.1", "203.0.113.1")
    assert upstreams(("203.0.113.1",), ANCHORS) == ("203.0.113.1", "198.51.100.1")
    assert upstreams((), ()) == ()


def test_the_file_is_renewed_whole_and_left_alone_when_nothing_is_new(tmp_path: Path) -> None:
    file = tmp_path / "upstreams.conf"
    write_upstreams(file, ["192.0.2.53", "198.51.100.1"])
    first = file.stat().st_ino
    write_upstreams(file, ["192.0.2.53", "198.51.100.1"])
    assert file.stat().st_ino == first
    write_upstreams(file, ["198.51.100.1"])
    assert file.read_text() == "nameserver 198.51.100.1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["upstreams.conf"]


def test_addresses_are_given_only_when_a_range_is_named(tmp_path: Path) -> None:
    file, leases = tmp_path / "upstreams.conf", tmp_path / "leases"
    without = dnsmasq_command(("lan0", "lan1"), file, leases=leases, dhcp_range=None)
    assert {"--interface=lan0", "--interface=lan1", f"--resolv-file={file}"} <= set(without)
    assert not any("dhcp" in word for word in without)
    given = dnsmasq_command(("lan0",), file, leases=leases, dhcp_range="192.0.2.10-192.0.2.19")
    assert "--dhcp-range=192.0.2.10,192.0.2.19,10m" in given
    assert f"--dhcp-leasefile={leases}" in given


def test_allowed_names_go_into_the_packet_filter_as_they_are_given_out() -> None:
    argv = dnsmasq_command(
        ("lan0",), Path("/u"), leases=Path("/l"), dhcp_range=None, allowed=("pay.example",)
    )
    assert "--nftset=/pay.example/4#inet#edge_watchdog#allowed_names" in argv
    assert not any(
        "nftset" in word
        for word in dnsmasq_command(("lan0",), Path("/u"), leases=Path("/l"), dhcp_range=None)
    )
