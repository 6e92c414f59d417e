"""What is seen around a line without hardware of its own."""

from pathlib import Path

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import DriverReport, LinkState
from edge_watchdog.links.kernel import Device, Snapshot
from edge_watchdog.links.nearby import look_around, overlapping, wifi_signal_dbm

SNAPSHOT = Snapshot(
    devices={"lan0": Device(2, carrier=True), "wan0": Device(3, carrier=True)},
    addresses={2: ("192.168.43.1/24",), 3: ("192.168.1.7/24",)},
)
HEAD = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
"""


@pytest.mark.parametrize(
    "address, lan, name",
    [
        ("192.168.43.77/24", ("lan0",), "lan0"),
        ("192.168.0.9/16", ("lan0",), "lan0"),
        ("172.20.10.2/28", ("lan0",), ""),
        ("192.168.43.77/24", ("lan7",), None),
        ("192.168.43.77/24", (), None),
        ("192.168.1.7/24", ("wan0",), None),
        (None, ("lan0",), None),
    ],
    ids=["same network", "a part of it", "apart", "no such interface", "no LAN known",
         "one interface for both", "no address"],
)  # fmt: skip
def test_a_line_that_shares_the_studio_s_addresses_is_found(address, lan, name):
    state = LinkState(True, True, (address,) if address else ())
    assert overlapping("wan0", state, SNAPSHOT, lan) == name


@pytest.mark.parametrize(
    "text, level",
    [
        (f"{HEAD} wlan0: 0000   54.  -56.  -256        0      0      0      0     22        0\n",
         -56.0),
        (f"{HEAD} wlan0: 0000   54.  70.  0        0      0      0      0     22        0\n", None),
        (f"{HEAD} wlan0: 0000   54.  no.  0        0      0      0      0     22        0\n", None),
        (f"{HEAD} wlan1: 0000   54.  -56.  -256        0      0      0      0     22        0\n",
         None),
        (HEAD, None),
    ],
    ids=["dBm", "a percentage", "garbage", "another interface", "no Wi-Fi"],
)  # fmt: skip
def test_the_level_of_wi_fi_is_read(tmp_path: Path, text, level):
    file = tmp_path / "wireless"
    file.write_text(text)
    assert wifi_signal_dbm("wlan0", file) == level


def test_a_kernel_without_wireless_tells_nothing(tmp_path: Path):
    assert wifi_signal_dbm("wlan0", tmp_path / "none") is None


def test_all_of_it_is_one_report():
    at = Instant(1.0, 2.0)
    state = LinkState(True, True, ("192.168.43.77/24",))
    assert look_around(at, "wan0", state, SNAPSHOT, ("lan0",)) == DriverReport(at, overlaps="lan0")
