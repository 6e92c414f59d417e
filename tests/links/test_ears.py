"""Who says that he has an address of ours is heard by the kernel's own packet filter."""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from edge_watchdog.links import LinkError
from edge_watchdog.links.ears import Ears, our_own, read_key, table_text
from edge_watchdog.links.kernel import Device, Snapshot
from edge_watchdog.links.netfilter import attribute, each_attribute
from edge_watchdog.links.program import run_program
from tests.lab.impostor import announcement, from_text
from tests.probes.kernel import BOX, GATEWAY, Wire, inside, wire

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces are made by root")

NEAR_IF = "up0"
OURS, FOREIGN = "02:00:5e:00:53:01", "02:00:5e:00:53:77"
OTHER = "02:00:5e:00:53:78"
OPERATION, REPLY = 20, b"\0\2"  # where it stands in a frame (RFC 826)
LOOK_S = 0.02
OWN = {NEAR_IF: frozenset({BOX})}


@pytest.fixture(scope="module")
def net() -> Iterator[Wire]:
    with wire() as made:
        yield made


def say(net: Wire, mac: str, address: str, *, answer: bool = False) -> None:
    """Announce on the far side of the wire that *mac* has *address*, or answer that it does."""
    owner = from_text(mac)
    frame = announcement(owner, owner, socket.inet_aton(address))
    if answer:
        frame = frame[:OPERATION] + REPLY + frame[OPERATION + 2 :]
    with inside(net.far), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((NEAR_IF, 0))
        sock.send(frame)


async def hears(ears: Ears, *, within_s: float = 10.0) -> frozenset[tuple[str, str]]:
    """Give the first claims that are heard; none when there are none for so long."""
    found: frozenset[tuple[str, str]] = frozenset()
    for _ in range(round(within_s / LOOK_S)):
        if found := await ears.claimed(OWN, frozenset({OURS})):
            break
        await asyncio.sleep(LOOK_S)
    return found


async def test_only_the_claim_of_another_device_for_our_address_is_heard(net: Wire) -> None:
    ears = Ears()
    with inside(net.box):
        assert await ears.claimed(OWN, frozenset({OURS})) == frozenset()
        say(net, FOREIGN, GATEWAY)  # its own affair
        say(net, OURS, BOX)  # another leg of the box
        assert await hears(ears, within_s=0.2) == frozenset()
        say(net, FOREIGN, BOX)
        assert await hears(ears) == {(NEAR_IF, BOX)}
        await run_program(["nft", "flush", "ruleset"])
        assert await ears.claimed(OWN, frozenset({OURS})) == frozenset()
        say(net, FOREIGN, BOX)
        assert await hears(ears, within_s=0.2) == frozenset()  # it begins anew
        say(net, FOREIGN, BOX)
        assert await hears(ears) == {(NEAR_IF, BOX)}
        # an address that is not ours any more is not spoken of
        assert await ears.claimed({NEAR_IF: frozenset({GATEWAY})}, frozenset()) == frozenset()
        await ears.close()
        await ears.close()
        assert "arp" not in await run_program(["nft", "list", "ruleset"])


async def test_who_answers_a_question_is_noted_until_it_is_over(net: Wire) -> None:
    ears = Ears()
    with inside(net.box):
        await ears.claimed(OWN, frozenset({OURS}))
        before = await run_program(["nft", "-s", "list", "ruleset"])
        async with ears.asking(NEAR_IF, GATEWAY):
            say(net, FOREIGN, GATEWAY)  # nobody asked it
            say(net, FOREIGN, BOX, answer=True)  # another question
            assert await ears.answered() == frozenset()
            say(net, FOREIGN, GATEWAY, answer=True)
            say(net, OTHER, GATEWAY, answer=True)
            await soon_answered(ears, FOREIGN, OTHER)
            async with ears.asking(NEAR_IF, GATEWAY):  # what an earlier question left is forgotten
                assert await ears.answered() == frozenset()
        assert "answers" not in await run_program(["nft", "list", "ruleset"])
        assert "answers" not in before
        with pytest.raises(LinkError):
            await ears.answered()
        await ears.close()


async def soon_answered(ears: Ears, *macs: str) -> None:
    async with asyncio.timeout(10):
        while await ears.answered() != frozenset(macs):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(LOOK_S)


async def test_a_kernel_that_does_not_let_us_listen_is_an_error() -> None:
    with pytest.raises(LinkError):
        await Ears().claimed({"x" * 99: frozenset({BOX})}, frozenset())
    with pytest.raises(LinkError):
        async with Ears().asking("x" * 99, GATEWAY):
            raise AssertionError("there is nothing to listen to")


def test_our_own_are_the_addresses_by_present_names_and_the_macs_that_speak() -> None:
    snapshot = Snapshot(
        devices={
            "wan0": Device(3, carrier=True, name="eth7", mac=OURS),
            "lan0": Device(4, carrier=True, name="lan0", mac=FOREIGN),
            "veth1": Device(5, carrier=True, name="veth1", mac="02:00:5e:00:53:99"),
            "wg0": Device(6, carrier=True, name="wg0"),
        },
        addresses={3: (f"{BOX}/25", "192.0.2.11/32"), 4: ("192.168.50.1/24",), 6: ("10.0.0.1/32",)},
    )
    own, macs = our_own(snapshot, ["wan0", "veth1", "gone0"])
    assert own == {"eth7": {BOX, "192.0.2.11"}}
    assert macs == {OURS, FOREIGN}


def test_without_an_address_or_a_mac_there_is_less_to_listen_to() -> None:
    assert "iifname" not in table_text({"wan0": frozenset()}, frozenset())
    assert "arp saddr ether !=" not in table_text(OWN, frozenset())


def test_what_the_kernel_says_is_taken_apart_to_the_end_and_no_further() -> None:
    row = attribute(1, b"ab") + attribute(1, b"wxyz")
    assert [value for _, value in each_attribute(row)] == [b"ab", b"wxyz"]
    assert [value for _, value in each_attribute(row + b"\1\0\0\0")] == [b"ab", b"wxyz"]
    key = b"wan0".ljust(16, b"\0") + socket.inet_aton(BOX) + from_text(FOREIGN) + bytes(2)
    assert read_key(key) == ("wan0", BOX)
