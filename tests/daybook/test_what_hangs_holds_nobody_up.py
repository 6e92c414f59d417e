"""Names without an answer and shares that are gone: what waits for them is left behind."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import aiohttp
import pytest

from edge_watchdog.daybook import DaybookError, aside
from edge_watchdog.daybook.aside import MOST_HANGING, Names
from edge_watchdog.daybook.web import open_session, plain_errors

SOON_S = 10.0  # on a busy machine; what is tested would take a minute, or never end


class Stuck:
    """Something that hangs until the test is over."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked = threading.Semaphore(0)

    def __call__(self, *_: object) -> list[object]:
        self.asked.release()
        self.over.wait(60)
        return []


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    made = Stuck()
    yield made
    made.over.set()
    end = time.monotonic() + SOON_S
    while any(one.name == "aside" for one in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_program_that_ends_does_not_wait_for_a_name_that_is_not_answered(stuck: Stuck) -> None:
    async def program() -> None:
        asking = asyncio.create_task(Names(60.0, stuck).resolve("app.bookwell.example"))
        await asyncio.to_thread(stuck.asked.acquire)
        asking.cancel()

    began = time.monotonic()
    asyncio.run(program())
    assert time.monotonic() - began < SOON_S


async def test_what_surely_ends_never_waits_behind_what_hangs(stuck: Stuck) -> None:
    hanging = [asyncio.create_task(aside.aside(stuck, within_s=60.0)) for _ in range(MOST_HANGING)]
    for _ in hanging:
        await asyncio.to_thread(stuck.asked.acquire)
    with pytest.raises(OSError, match="without an answer"):
        await aside.aside(stuck, within_s=60.0)
    for one in hanging:
        one.cancel()
    await asyncio.wait(hanging)


async def test_a_name_is_looked_up_as_the_system_does() -> None:
    found = await Names(SOON_S).resolve("localhost", 8080, socket.AF_INET)
    assert [(one["host"], one["port"]) for one in found] == [("127.0.0.1", 8080)]


async def test_a_name_that_is_not_there_is_said_in_words() -> None:
    def refuse(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def ask() -> None:
        connector = aiohttp.TCPConnector(resolver=Names(SOON_S, refuse))
        with plain_errors():
            async with aiohttp.ClientSession(connector=connector) as session:
                await session.get("https://app.bookwell.example/feed.ics")

    with pytest.raises(DaybookError, match="name of the calendar's server was not found"):
        await ask()


async def test_every_source_on_the_web_looks_names_up_aside() -> None:
    async with open_session(ssl.create_default_context()) as session:
        assert isinstance(session.connector, aiohttp.TCPConnector)
        assert isinstance(session.connector._resolver, Names)


async def test_a_file_on_a_share_that_is_gone_is_said_to_be_silent(stuck: Stuck) -> None:
    with pytest.raises(DaybookError, match="does not answer"):
        await aside.look(stuck, within_s=0.05)
