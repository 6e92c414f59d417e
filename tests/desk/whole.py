"""A whole desk half as it is built, with a full book, people and a paper journal, served both ways.

Its clock stands at noon, so that every picture and every page shows the same day.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aiohttp import web

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Span
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.people import People, Visitor
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.access import ROUTES, Identity, Route, Who
from edge_watchdog.desk.app import _boot_id, _build, _Rooms
from edge_watchdog.desk.paperforms import draft_of
from tests.desk.books import CONTACTS, full_reading
from tests.desk.doors import PASSWORD, PIN
from tests.desk.studio import ZONE, StepClock, history, settings, view

DAY = date(2026, 11, 21)
OPEN = tuple((day * 1440 + 540, day * 1440 + 1140) for day in range(6))  # Monday to Saturday
WRITTEN = (
    {"kind": "booking", "client": "Anna Bell", "member": "Mia", "service": "Cut and blow-dry",
     "date": "2026-11-21", "time": "16:10", "minutes": "45", "phone": "01632 960123"},
    {"kind": "booking", "client": "Carol Dean", "member": "Tom", "service": "Fringe trim",
     "date": "2026-11-21", "time": "16:50", "minutes": "15", "note": "comes with her son"},
    {"kind": "sale", "client": "Beth C.", "item0": "Shampoo 250 ml", "method": "cash"},
    {"kind": "sale", "client": "Ella F.", "item0": "Deep tissue massage", "method": "owed"},
    {"kind": "note", "text": "The towels for the second room have not come."},
    {"kind": "task", "text": "Order foil", "due": "2026-11-21"},
    {"kind": "booking", "client": "Gina H.", "member": "Ravi", "service": "Slow yoga",
     "date": "2026-11-21", "time": "09:30", "minutes": "60", "spot": "3"},
    {"kind": "booking", "client": "Beth C.", "member": "Ravi", "service": "Fast yoga",
     "date": "2026-11-21", "time": "18:00", "minutes": "60", "waits": "1"},
    {"kind": "cancel", "client": "Dana E.", "key": "full-2026-11-21"},
)  # fmt: skip


@dataclass
class Whole:
    """The box; *urls* by scheme."""

    rooms: _Rooms
    clock: StepClock
    urls: dict[str, str]
    device: str
    mia: int

    @property
    def routes(self) -> tuple[Route, ...]:
        return self.rooms.app[ROUTES]

    @property
    def people(self) -> People:
        return self.rooms.entrance.people

    def show(self, standing: Standing) -> None:
        """Let the watch half say how the studio stands."""
        self.rooms.board.hear(view(standing, self.clock.wall))
        self.rooms.board.changed()

    async def cookies(self, role: Who, scheme: str = "https") -> list[dict[str, str]]:
        """Give what a browser of *role* would hold, as Playwright takes it."""
        found = await self._badges(role, scheme)
        prefix = "__Host-" if scheme == "https" else ""
        return [
            {"name": prefix + name, "value": value, "url": self.urls[scheme]}
            for name, value in found.items()
        ]

    async def _badges(self, role: Who, scheme: str) -> dict[str, str]:
        by = Visitor("127.0.0.1", self.people.device_of(self.device), scheme == "https")
        found = {"ew_device": self.device}
        match role:
            case Who.LAN:
                found = {}
            case Who.STAFF:
                found["ew_session"] = await self.people.sign_in(self.mia, PIN, by)
            case Who.OWNER:
                found["ew_session"] = await self.people.sign_in_owner(PASSWORD, by)
        return found

    def hold(self, count: int = 24) -> None:
        """Let a fresh list come."""
        span, stamp = Span(DAY, 3, ZONE), Stamp(self.clock.now(), _boot_id())
        good = Snapshot("front desk", span, stamp, stamp, "", "", full_reading(span, count))
        self.rooms.board.put(SourceState("front desk", good))
        self.rooms.board.changed()

    async def write(self, *forms: dict[str, str]) -> None:
        """Let Mia write these down, as the forms would."""
        who, paper = (
            Identity(Who.STAFF, "Mia", "tablet by the window", secure=True),
            self.rooms.paper,
        )
        for fields in forms:
            await paper.keep(draft_of(fields, paper.around(fields, who)), who, "")


async def served_both_ways(rooms: _Rooms) -> tuple[web.AppRunner, dict[str, str]]:
    """Serve the desk half on loopback; gives what must be cleaned up, and the addresses."""
    runner = web.AppRunner(rooms.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    context = rooms.entrance.secure.context
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    plain, secure = (address[1] for address in runner.addresses)
    return runner, {"http": f"http://127.0.0.1:{plain}", "https": f"https://127.0.0.1:{secure}"}


@asynccontextmanager
async def whole_desk(
    folder: Path, *, is_set_up: bool = True, count: int = 24
) -> AsyncIterator[Whole]:
    """Build the desk half in *folder* and serve it on loopback, over HTTP and HTTPS."""
    (folder / "state").mkdir(mode=0o700)
    clock = StepClock()
    made = settings(
        folder, tls_port=1, schedules=(), contacts=CONTACTS, open_spans=OPEN, lan_interfaces=("lo",)
    )
    rooms = await _build(made, clock)
    runner, urls = await served_both_ways(rooms)
    whole = Whole(rooms, clock, urls, "", 0)
    rooms.board.hear(history(clock.wall))
    whole.show(Standing.OFFLINE)
    whole.hold(count)
    if is_set_up:
        people = whole.people
        await people.set_up(lambda _code: True, "x", PASSWORD, Visitor("127.0.0.1"))
        whole.device = await people.pair_as("tablet by the window")
        whole.mia = (await people.put_person("Mia", PIN)).id
        await people.put_person("Tom", "593026")
    try:
        yield whole
    finally:
        rooms.hub.close()
        await runner.cleanup()
        for one in (rooms.entrance.people, rooms.store, rooms.paper):
            one.close()
