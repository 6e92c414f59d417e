"""Names by TCP: what is asked by UDP on the loopback is asked of public servers, and answered."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge_watchdog.core.model import Anchor
from edge_watchdog.links import LinkError, by_tcp
from edge_watchdog.links.by_tcp import ADDRESS, MOST_BYTES, PORT, ByTcp, ask_any, fitting
from edge_watchdog.links.names import Upstreams
from edge_watchdog.probes.dns import Question, parse_response
from tests.lab.dns import answer
from tests.lab.lab import Lab
from tests.lab.netns import inside

NAME = "app.vendor.example"
QUERY = (
    struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 0)
    + b"\x03app\x06vendor\x07example\x00"
    + struct.pack("!HH", 1, 1)
)
HOSTS = {NAME: "203.0.113.9"}
REPLY = answer(QUERY, HOSTS) or b""


@contextlib.asynccontextmanager
async def server(address: str, reply: bytes | None, port: int = 0) -> AsyncIterator[int]:
    """Serve on TCP at *address*; gives the port.  None: hang up without a word."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            length = int.from_bytes(await reader.readexactly(2), "big")
            assert await reader.readexactly(length) == QUERY
            if reply is not None:
                writer.write(len(reply).to_bytes(2, "big") + reply)
        writer.close()

    made = await asyncio.start_server(talk, address, port)
    async with made:
        yield made.sockets[0].getsockname()[1]


async def test_the_first_answer_counts() -> None:
    async with server("127.0.0.1", REPLY) as port:
        assert await ask_any(["127.0.0.1"], QUERY, port) == REPLY
        # nobody is at the first address: the second is asked at its turn
        assert await ask_any(["127.0.0.9", "127.0.0.1"], QUERY, port) == REPLY


@pytest.mark.parametrize("reply", [None, b"", b"\x43\x21" + QUERY[2:]])
async def test_what_is_no_answer_to_the_question_is_none(reply: bytes | None) -> None:
    async with server("127.0.0.1", reply) as port:
        assert await ask_any(["127.0.0.1"], QUERY, port) is None
    assert await ask_any([], QUERY) is None


def test_an_answer_too_long_for_udp_is_marked_as_cut() -> None:
    assert fitting(REPLY) == REPLY
    long = REPLY + bytes(MOST_BYTES)
    cut = fitting(long)
    assert cut == QUERY[:2] + bytes([REPLY[2] | 0x02, REPLY[3], 0, 1]) + bytes(6) + QUERY[12:]
    assert parse_response(cut, Question(NAME), 0x1234).truncated


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_tcp, "TOTAL_S", 0.2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        assert await ask_any(["127.0.0.1"], QUERY, mute.getsockname()[1]) is None


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("self", phone=False) as standing:
        yield standing


async def asked(times: int = 1) -> bytes | None:
    """Ask on the loopback; None when nothing comes within a second."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((ADDRESS, PORT))
        for _ in range(times):
            await loop.sock_sendall(sock, QUERY)
        with contextlib.suppress(TimeoutError, ConnectionRefusedError):
            async with asyncio.timeout(1):
                return await loop.sock_recv(sock, 512)
    return None


async def test_it_answers_while_it_is_open_and_leaves_nothing(lab: Lab) -> None:
    with inside(lab.box.namespace):
        names = ByTcp(["127.0.0.7"])
        async with server("127.0.0.7", REPLY, PORT):
            await names.open()
            await names.open()  # again, which changes nothing
            assert await asked() == REPLY
            assert await asked(200) == REPLY  # more than at a time: the rest is dropped
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"x", (ADDRESS, PORT))  # no question
            assert await asked() == REPLY
            names.close()
            names.close()
            await asyncio.sleep(0)
            assert await asked() is None


async def test_the_name_service_is_told_to_ask_it_too(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "upstreams.conf"
    names = Upstreams(file, [Anchor("alpha", "127.0.0.7", dns=True)])
    with inside(lab.box.namespace):
        names.follow(("192.0.2.53",))
        await names.ask_by_tcp(wanted=True)
        try:
            assert file.read_text().split()[1::2] == ["192.0.2.53", "127.0.0.7", ADDRESS]
            names.follow(("192.0.2.54",))
            assert file.read_text().split()[1::2] == ["192.0.2.54", "127.0.0.7", ADDRESS]
            second = Upstreams(tmp_path / "other.conf", [])
            with pytest.raises(LinkError, match="names cannot be asked for by TCP: "):
                await second.ask_by_tcp(wanted=True)
            assert not (tmp_path / "other.conf").exists()
        finally:
            await names.ask_by_tcp(wanted=False)
        assert file.read_text().split()[1::2] == ["192.0.2.54", "127.0.0.7"]
        names.close()
