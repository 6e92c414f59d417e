"""What a source was asked is on disk before it is sent; no restart and no crash forgets any."""

import asyncio
import json
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.api import Account, open_api
from edge_watchdog.daybook.budget import DAY_S
from edge_watchdog.daybook.keeper import Keeper, Source, SourceState, Surroundings
from edge_watchdog.daybook.ledger import (
    NOT_NOTED,
    Ledger,
    memory_ledger,
    open_ledger,
    paying,
)
from edge_watchdog.daybook.paid import Paid
from edge_watchdog.daybook.store import memory_store
from edge_watchdog.daybook.web import open_session
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome
from tests.desk.studio import StepClock

KILLS = 60


class Pages:
    """A source of *pages* real requests to *url* for each look."""

    def __init__(self, url: str, pages: int) -> None:
        self.url = url
        self.pages = pages

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        async with open_api(Account("X", self.url, {}), StepClock()) as api:
            for _ in range(self.pages):
                await api.get("day")
            return Fetched(b"day", requests=api.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        return Reading(())


class Server:
    """Counts what arrives; *look* is called with each."""

    def __init__(self) -> None:
        self.asked = 0
        self.look = lambda: None
        app = web.Application()
        app.router.add_get("/day", self.day)
        self.server = TestServer(app)

    async def day(self, _request: web.Request) -> web.Response:
        self.asked += 1
        self.look()
        return web.json_response({})


@pytest.fixture
async def server():
    made = Server()
    await made.server.start_server()
    yield made
    await made.server.close()


async def keeper(
    server: Server, clock: StepClock, ledger: Ledger, *, boot: str = "boot", known: bool = True
) -> Keeper:
    def ignore(_state: SourceState) -> None:
        return

    around = Surroundings(memory_store(), clock, boot, lambda: known, ignore, ledger=ledger)
    source = Pages(str(server.server.make_url("/")), 10)
    made = Keeper(Source("vendor", source, 300.0, "Europe/London", budget=240), around)
    await made.recall()
    return made


def at(path: Path) -> Ledger:
    return open_ledger(str(path / "asked.sqlite"))


async def test_a_restart_loop_never_asks_more_than_the_budget(server, tmp_path) -> None:
    clock = StepClock()
    for _ in range(50):  # 240 a day, a reserve of 48: four looks of ten, whoever restarts how often
        ledger = at(tmp_path)
        one = await keeper(server, clock, ledger)
        if not one.wait_s():
            await one.look()
        ledger.close()
    assert server.asked == 40


async def test_each_request_is_on_disk_before_it_arrives(server, tmp_path) -> None:
    ledger, other, seen = at(tmp_path), at(tmp_path), []

    def look() -> None:
        balance = other.balance("vendor")
        seen.append(round(48 - balance.left) if balance else 0)

    server.look = look
    await (await keeper(server, StepClock(), ledger)).look()
    assert seen == list(range(1, 11))


async def test_time_that_went_by_is_earned_also_over_a_reboot(server, tmp_path) -> None:
    clock, ledger = StepClock(), at(tmp_path)
    one = await keeper(server, clock, ledger)
    while not one.wait_s():
        await one.look()
    waits = one.wait_s()
    clock.step(waits / 2)
    assert (await keeper(server, clock, ledger)).wait_s() < waits
    rebooted = StepClock(mono=5.0, wall=clock.wall + DAY_S)
    assert (await keeper(server, rebooted, ledger, boot="next")).wait_s() == 0


@pytest.mark.parametrize("known, wall_s", [(False, DAY_S), (True, -DAY_S)])
async def test_a_clock_that_cannot_be_trusted_earns_nothing(
    server, tmp_path, known, wall_s
) -> None:
    clock, ledger = StepClock(), at(tmp_path)
    one = await keeper(server, clock, ledger)
    while not one.wait_s():
        await one.look()
    rebooted = StepClock(mono=5.0, wall=clock.wall + wall_s)
    again = await keeper(server, rebooted, ledger, boot="next", known=known)
    assert again.wait_s() > 0


async def test_a_file_that_was_lost_to_damage_counts_as_nothing_left(server, tmp_path) -> None:
    at(tmp_path).close()
    (tmp_path / "asked.sqlite").write_bytes(b"not a database, " * 400)
    ledger = at(tmp_path)
    assert not ledger.remembers
    one = await keeper(server, StepClock(), ledger)
    assert one.wait_s() == pytest.approx(DAY_S / 192)
    first = await keeper(server, StepClock(), memory_ledger())
    assert first.wait_s() == 0


async def test_what_cannot_be_noted_is_not_asked(server, tmp_path) -> None:
    ledger = at(tmp_path)
    one = await keeper(server, StepClock(), ledger)
    ledger.close()
    await one.look()
    assert server.asked == 0
    assert one.state.trouble is not None
    assert one.state.trouble.words == NOT_NOTED


async def test_a_disk_that_refuses_is_said(server, tmp_path) -> None:
    with pytest.raises(DaybookError, match="does not take down"):
        open_ledger(str(tmp_path / "no folder" / "asked.sqlite"))
    broken = at(tmp_path)
    broken.close()
    one = await keeper(server, StepClock(), broken)
    assert one.wait_s() > 0


async def test_every_kind_of_session_pays(server) -> None:
    paid = []

    async def pay() -> None:
        paid.append(1)

    url = server.server.make_url("/day")
    with paying(pay):
        async with (
            open_session(ssl.create_default_context()) as session,
            session.get(url) as answer,
        ):
            assert answer.status == 200
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
    assert paid == [1]


class Desk:
    """Takes bookings with three requests each, as the writers do: none of them raises."""

    def __init__(self, server: Server) -> None:
        self.url = str(server.server.make_url("/"))

    async def book(self, _booking: Booking) -> Outcome:
        return Outcome.CREATED if await self._ask() else Outcome.REFUSED

    async def find(self, _uid: str) -> bool | None:
        return await self._ask()

    async def change(self, _change: Change) -> Outcome:
        return Outcome.CREATED if await self._ask() else Outcome.REFUSED

    async def changed(self, _change: Change) -> Changed | None:
        return Changed.DONE if await self._ask() else None

    async def _ask(self) -> bool:
        try:
            async with open_api(Account("X", self.url, {}), StepClock()) as api:
                for _ in range(3):
                    await api.get("day")
        except DaybookError:
            return False
        return True


BOOKING = Booking("u", 0.0, 1.0, "Cut", "Anna B.")


async def test_the_way_back_is_paid_from_the_same_budget_as_the_looks(server, tmp_path) -> None:
    clock, ledger = StepClock(), at(tmp_path)
    one = await keeper(server, clock, ledger)
    await one.look()
    back = Paid(Desk(server), one.pay)
    assert one.may_send(8)
    await asyncio.gather(back.book(BOOKING), back.change(Change("u", "r", 0.0)))
    assert (await back.find("u"), await back.changed(Change("u", "r", 0.0))) == (True, Changed.DONE)
    assert server.asked == 22
    noted = ledger.balance("vendor")
    assert noted is not None
    assert noted.left == pytest.approx(48 - 22)
    while one.may_send(8):
        await back.book(BOOKING)
    assert 0 <= 48 - server.asked < 8
    assert not (await keeper(server, clock, ledger)).may_send(8)  # nor after a restart
    clock.step(DAY_S / 24)
    assert one.may_send(8)


async def test_a_way_back_that_cannot_be_noted_sends_nothing(server, tmp_path) -> None:
    ledger = at(tmp_path)
    one = await keeper(server, StepClock(), ledger)
    ledger.close()
    assert await Paid(Desk(server), one.pay).book(BOOKING) is Outcome.REFUSED
    assert server.asked == 0


def test_a_kill_at_any_instant_forgets_no_request(tmp_path) -> None:
    words = ("-m", "tests.daybook.asking", str(tmp_path / "asked.sqlite"), str(KILLS))
    ran = subprocess.run((sys.executable, *words), capture_output=True, text=True, check=True)
    rows = json.loads(ran.stdout)
    assert len(rows) == KILLS
    assert rows[-1][0] >= KILLS
    for turn, (sent, noted) in enumerate(rows, 1):
        assert sent <= noted <= sent + turn
