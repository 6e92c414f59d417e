"""A paper desk for tests: the journal's pages behind a gate that lets in whom the test says."""

import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Appointment, Reading, Span
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.model import Client, Money, PriceItem
from edge_watchdog.daybook.paper_store import PaperStore, open_paper
from edge_watchdog.daybook.seal import Unsealed
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.access import Gate, Identity, Who, build
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.bookpages import BookPages
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.door import Door
from edge_watchdog.desk.giveback import GiveBack
from edge_watchdog.desk.handlers import Handlers
from edge_watchdog.desk.lan import Lan
from edge_watchdog.desk.live import Hub, Screen
from edge_watchdog.desk.packpages import PackPages
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperdesk import PaperDesk
from edge_watchdog.desk.paperkept import PaperKept
from edge_watchdog.desk.paperpages import PaperPages
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.settings import DeskSettings, JournalSettings
from edge_watchdog.desk.wayback import WayBack
from tests.desk.studio import NOON, ZONE, StepClock, view

TAGS = re.compile("<[^>]+>")
MIA = Identity(Who.STAFF, "Mia", "desk tablet", secure=True)
PRICES = (
    PriceItem("Cut and blow-dry", Money(4500, "GBP"), minutes=45),
    PriceItem("Shampoo", Money(1250, "GBP"), is_product=True),
)


@dataclass
class Desk:
    """Everything a test of the paper pages needs."""

    client: TestClient  # type: ignore[type-arg]
    board: Board
    paper: PaperDesk
    clock: StepClock
    give: GiveBack
    who: Identity = MIA
    got: list[str] = field(default_factory=list)

    def show(self, standing: Standing) -> None:
        self.board.hear(view(standing, self.clock.wall))

    def hold(self, *rows: Appointment, clients: tuple[Client, ...] = ()) -> None:
        """Let the list be as of now."""
        span = Span(date(2026, 11, 21), 3, ZONE)
        stamp = Stamp(self.clock.now(), "boot 1")
        reading = Reading(tuple(rows), clients=clients, prices=PRICES)
        self.board.put(
            SourceState("front desk", Snapshot("front desk", span, stamp, stamp, "", "", reading))
        )

    async def get(self, path: str) -> tuple[int, str]:
        async with self.client.get(path, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Post a form; gives the status, and where it leads or what it shows."""
        own = {"Origin": str(self.client.make_url("/")).rstrip("/")}
        async with self.client.post(
            path, data=fields, headers=own, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers.get("Location") or await answer.text()


@asynccontextmanager
async def desk_of(
    folder: Path,
    *,
    broken: bool = False,
    **changes: object,
) -> AsyncIterator[Desk]:
    """Serve the paper pages on loopback; *broken*: the disk refuses the journal."""
    clock = StepClock(wall=NOON)
    board = Board(clock, "boot 1")
    base = DeskSettings(
        studio_name="Lotus Room",
        time_zone=ZONE,
        state_dir=str(folder),
        bridge_path="/none",
        key_file="/none",
        vendor_name="BookWell",
        journal=JournalSettings(),
    )
    settings = dataclasses.replace(base, **changes)  # type: ignore[arg-type]
    store: PaperStore | None = None
    if not broken:
        store = open_paper(str(folder / "paper.sqlite"), Unsealed())
    paper, pages = PaperDesk(store, board, settings), Pages(settings, board)
    made: list[Desk] = []
    lan = Lan((), clock)
    door = Door(lan, clock, 8)
    gate = Gate(
        lan,
        frozenset({"127.0.0.1"}),
        (),
        pages.error,
        lambda request: door.serving(request.transport),
        identify=lambda _request: made[0].who,
    )
    hub = Hub(Screen(pages.parts, pages.clock, board.silence), 16)
    board.changed = hub.changed
    common = Handlers(pages, board, hub, Local(ZONE), lambda _: True, PageCache(hub.key))
    written = PaperPages(paper, pages, board)
    back = WayBack(paper, pages, board)
    blank = PaperKept(paper, pages, board, PageCache(pages.still))
    still = PageCache(pages.still)
    book = BookPages(settings, pages, board, still)
    packs = PackPages(settings, pages, board, book, still)
    ours = (common, written, blank, back, book, packs)
    routes = tuple(route for one in ours for route in one.routes())
    async with TestClient(TestServer(build(routes, gate))) as client:
        made.append(Desk(client, board, paper, clock, GiveBack(paper)))
        made[0].show(Standing.VENDOR)
        yield made[0]
        hub.close()
    paper.close()


def plain(page: str) -> str:
    """Give a page as it is read: without its markup."""
    return unescape(TAGS.sub("", page))


def noon() -> Instant:
    return Instant(1000.0, NOON)
