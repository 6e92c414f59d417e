"""What a router says of its line, byte for byte, and what it might say to mislead."""

import struct

import pytest

from edge_watchdog.probes.router import read_description, read_natpmp, read_pcp, read_status

TYPE = "urn:schemas-upnp-org:service:WANPPPConnection:1"
BLOCK = "<service><serviceType>{}</serviceType><controlURL>{}</controlURL></service>"


def natpmp(result: int, address: bytes, *, opcode: int = 128, version: int = 0) -> bytes:
    return struct.pack("!BBHI4s", version, opcode, result, 9, address)


@pytest.mark.parametrize(
    "answer, online",
    [
        (natpmp(0, bytes([203, 0, 113, 7])), True),
        (natpmp(0, bytes(4)), False),
        (natpmp(3, bytes(4)), False),
        (natpmp(3, b"")[:8], False),
        (natpmp(1, bytes(4)), None),
        (natpmp(0, bytes(4), opcode=129), None),
        (natpmp(0, bytes(4), version=2), None),
        (natpmp(0, bytes(4))[:9], None),
        (b"", None),
    ],
    ids=["an address", "no address", "network failure", "short failure", "another version",
         "another question", "not NAT-PMP", "cut off", "silence"],
)  # fmt: skip
def test_nat_pmp(answer, online):
    assert read_natpmp(answer) is online


@pytest.mark.parametrize(
    "answer, online",
    [
        (bytes([2, 0x80, 0, 7]) + bytes(20), False),
        (bytes([2, 0x80, 0, 0]) + bytes(20), None),
        (bytes([2, 0, 0, 7]) + bytes(20), None),
        (bytes([2, 0x80, 0, 7]), None),
    ],
    ids=["network failure", "fine", "a request", "cut off"],
)
def test_pcp(answer, online):
    assert read_pcp(answer) is online


@pytest.mark.parametrize(
    "page, found",
    [
        (BLOCK.format("urn:other", "/a") + BLOCK.format(TYPE, "/b"), (TYPE, "/b")),
        (BLOCK.format(TYPE, "a b"), None),
        (BLOCK.format("urn:other", "/a"), None),
        ("<service>" * 5000, None),
        ("", None),
    ],
    ids=["the second", "no address", "another", "without end", "nothing"],
)
def test_the_description_is_read_strictly(page, found):
    assert read_description(page) == found


@pytest.mark.parametrize(
    "status, online",
    [("Connected", True), ("Disconnected", False), ("Connecting", False), ("Unconfigured", None),
     ("&lol;", None)],
)  # fmt: skip
def test_the_status_is_read(status, online):
    page = f"<a><NewConnectionStatus>{status}</NewConnectionStatus></a>"
    assert read_status(page) is online
    assert read_status("") is None
