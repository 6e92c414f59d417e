"""Which of an interface's addresses the internet can answer to."""

from pathlib import Path

import pytest

from edge_watchdog.probes.six import global_address

LINE = "20010db8000100000000000000000002 03 40 00 {flags}     {interface}\n"
LOCAL = "fe800000000000000000000000000001 03 40 20 80     wan0\n"
OWN = "fd000000000000000000000000000001 03 40 00 80     wan0\n"


@pytest.mark.parametrize(
    "text, address",
    [
        (LOCAL + OWN + LINE.format(flags="00", interface="wan0"), "2001:db8:1::2"),
        (LINE.format(flags="20", interface="wan0"), None),
        (LINE.format(flags="40", interface="wan0"), None),
        (LINE.format(flags="00", interface="lte0"), None),
        (LOCAL + OWN, None),
        ("garbage\n", None),
    ],
    ids=["one of the internet's", "deprecated", "tentative", "another interface", "nearby only",
         "garbage"],
)  # fmt: skip
def test_an_address_is_found(tmp_path: Path, text, address):
    file = tmp_path / "if_inet6"
    file.write_text(text)
    assert global_address("wan0", file) == address


def test_a_kernel_without_ipv6_has_none(tmp_path: Path):
    assert global_address("wan0", tmp_path / "none") is None
