"""What is asked by DHCP, and what of an answer is believed."""

import socket
import struct

import pytest

from edge_watchdog.links.dhcp import MAGIC, Offer, discover, read_offer

MAC, NUMBER = bytes.fromhex("02005e005301"), 0x5EED
HEAD_BYTES = 236
YOURS = slice(16, 20)


def packed(*addresses: str) -> bytes:
    return b"".join(socket.inet_aton(one) for one in addresses)


def answer(
    *,
    kind: int = 2,
    number: int = NUMBER,
    yours: str = "192.168.1.201",
    more: bytes = b"",
    server: str = "192.168.1.20",
) -> bytes:
    head = bytearray(HEAD_BYTES)
    head[:8] = struct.pack("!BBBBI", 2, 1, 6, 0, number)
    head[YOURS] = packed(yours)
    options = b"\0\x35\x01" + bytes([kind]) + b"\x36\x04" + packed(server) + more
    return bytes(head) + MAGIC + options + b"\xff"


def test_the_question_is_for_everybody_takes_no_lease_and_always_comes_from_the_same_client():
    first, second = discover(MAC, NUMBER), discover(MAC, NUMBER + 1)
    assert len(first) == 300
    assert first[:8] == struct.pack("!BBBBI", 1, 1, 6, 0, NUMBER)
    assert first[10:12] == b"\x80\0"  # the answer, too
    assert first[28:34] == MAC
    assert first[HEAD_BYTES:].startswith(MAGIC + b"\x35\x01\x01" + b"\x3d\x14\0edge-watchdog" + MAC)
    assert first[8:] == second[8:]


def test_an_offer_says_who_makes_it_and_what_computers_would_believe():
    more = b"\x03\x08" + packed("192.168.1.20", "192.168.1.21")
    more += b"\x06\x08" + packed("192.168.1.9", "198.51.100.1")
    names = frozenset({"192.168.1.9", "198.51.100.1"})
    found = read_offer(answer(more=more), NUMBER)
    assert found == Offer("192.168.1.20", "192.168.1.20", names)
    assert found.facts == ("192.168.1.20", names)
    assert read_offer(answer(), NUMBER) == Offer("192.168.1.20", "", frozenset())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        answer()[:HEAD_BYTES],
        answer(number=NUMBER + 1),
        answer(kind=5),
        answer(yours="0.0.0.0"),
        answer(server="0.0.0.0"),
        answer().replace(MAGIC, bytes(4)),
        discover(MAC, NUMBER),
        answer()[: HEAD_BYTES + 4] + b"\x35\xff\x02",
        answer()[: HEAD_BYTES + 4] + b"\x35",
    ],
    ids=[
        *("nothing", "cut off", "another question", "a lease", "no address", "no server"),
        *("not DHCP", "a question", "too long an option", "half an option"),
    ],
)
def test_what_is_no_offer_for_us_is_none(data):
    assert read_offer(data, NUMBER) is None
