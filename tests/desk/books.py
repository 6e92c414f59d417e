"""A full book for tests, benches and looks: appointments, classes, prices, clients with notes."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import Appointment, Fetched, Mark, Reading, Span
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.model import (
    Attendee,
    Client,
    Money,
    Note,
    NoteKind,
    PriceItem,
    Status,
    Tested,
)
from edge_watchdog.daybook.store import Snapshot
from edge_watchdog.desk.access import Gate, Identity, build
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.bookpages import BookPages
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.door import Door
from edge_watchdog.desk.handlers import Handlers
from edge_watchdog.desk.lan import Lan
from edge_watchdog.desk.live import Hub, Screen
from edge_watchdog.desk.offline import Offline
from edge_watchdog.desk.pack import Owed
from edge_watchdog.desk.packpages import PackPages
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.settings import Contacts, DeskSettings
from tests.desk.studio import ZONE, StepClock

if TYPE_CHECKING:
    from edge_watchdog.daybook import ScheduleConnector

NAMES = ("Anna", "Beth", "Carol", "Dana", "Ella", "Fay", "Gina", "Hana", "Iris")
PEOPLE = ("Mia", "Tom", "Ravi", "Zo\u00eb")
SERVICES = (
    ("Cut and blow-dry", 45, 4500),
    ("Half head highlights, toner", 90, 9850),
    ("Deep tissue massage", 60, 7000),
    ("Fringe trim", 15, 800),
)
FULL = Identity()  # what the gate gives to everybody

CLIENT = Client(
    "c-anna",
    "Anna Bell",
    "01632 960123",
    "anna@studio.example",
    (
        Note(NoteKind.ALLERGY, "Hair dye containing PPD", date(2026, 3, 2)),
        Note(NoteKind.PATCH_TEST, "Done, no reaction", date(2026, 11, 18)),
        Note(NoteKind.COLOUR_FORMULA, "6/0 + 7/3, 20 vol, 35 min", date(2026, 9, 1)),
        Note(NoteKind.COLOUR_FORMULA, "6/0, 20 vol", date(2026, 6, 1)),
        Note(NoteKind.PREFERENCE, "Tea without milk"),
    ),
)
PRICES = (
    PriceItem("Cut and blow-dry", Money(4500, "GBP"), "Hair", 45),
    PriceItem("Deep tissue massage", Money(7000, "GBP"), "Massage", 60),
    PriceItem("Shampoo 250 ml", Money(1250, "GBP"), is_product=True),
    PriceItem("Consultation", None, "Hair", 15),
)
CONTACTS = Contacts("01632 960111, Mon-Fri 9-17", "01632 960222, contract 0815", "The bank, 100 m")


def at(day: date, hour: float) -> float:
    """Give the wall time of *hour* on *day* in the studio."""
    return Span(day, 1, ZONE).start_wall + hour * 3600


def visit(day: date, hour: float, **more: object) -> Appointment:
    """Give Anna's cut at Mia's, or something else."""
    start = at(day, hour)
    made = Appointment(
        f"{day}-{hour}",
        start,
        start + 2700,
        False,
        "Mia",
        "Cut and blow-dry",
        "Anna B.",
        "Chair 1",
        Status.CONFIRMED,
        client_key="c-anna",
        price=Money(4500, "GBP"),
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def yoga(day: date, hour: float, **more: object) -> Appointment:
    """Give a class with three people in ten places."""
    seats = (
        Attendee("Beth C.", Status.BOOKED, "c-beth", "1"),
        Attendee("Carol D.", Status.ARRIVED, "c-carol", "2"),
        Attendee("Dana E.", Status.LATE_CANCELLED, "c-dana"),
    )
    made = visit(
        day,
        hour,
        key=f"yoga-{day}-{hour}",
        end_wall=at(day, hour + 1),
        member="Ravi",
        service="Slow yoga",
        client="",
        client_key="",
        room="Lotus",
        status=Status.NOT_SAID,
        price=Money(1400, "GBP"),
        capacity=10,
        booked=2,
        attendees=seats,
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def busy_day(day: date, count: int = 24) -> list[Appointment]:
    """Give *count* appointments over the team, and two classes."""
    found = []
    for number in range(count):
        person = number % len(PEOPLE)
        service, minutes, price = SERVICES[number % len(SERVICES)]
        hour = 8 + (number // len(PEOPLE)) * (11 / max(1, count // len(PEOPLE)))
        start = at(day, round(hour * 12) / 12)
        found.append(
            visit(
                day,
                0,
                key=f"{day}-{number}",
                start_wall=start,
                end_wall=start + minutes * 60,
                member=PEOPLE[person],
                service=service,
                client=f"{NAMES[number % 9]} {chr(66 + number % 9)}.",
                client_key="c-anna" if number % 9 == 0 else f"c-{number}",
                room=f"Chair {person + 1}",
                status=(Status.CONFIRMED, Status.BOOKED, Status.TENTATIVE, Status.CANCELLED)[
                    number % 13 % 4
                ],
                price=Money(price, "GBP"),
                paid=(None, True, False)[number % 3],
                marks=(Mark.ZONE_ASSUMED,) if number == 5 else (),
            )
        )
    lesson = yoga(day, 9.5)
    full = yoga(day, 18, key=f"full-{day}", service="Fast yoga", booked=10, attendees=())
    return sorted([*found, lesson, full], key=lambda one: one.start_wall)


def full_reading(span: Span, count: int = 24) -> Reading:
    """Give a whole reading of *span*."""
    rows = tuple(one for day in span.dates for one in busy_day(day, count))
    return Reading(rows, 0, (CLIENT,), PRICES)


@dataclass(frozen=True)
class FullBook:
    """The options of a source that always has a full book; stands in for a vendor's connector."""

    count: int = 24
    requests_a_day: ClassVar[int | None] = None
    tested: ClassVar[Tested] = Tested.REAL_SERVERS

    def build(self, clock: Clock, ca_file: str | None) -> "ScheduleConnector":
        return _FullSource(self.count)


@dataclass(frozen=True)
class _FullSource:
    count: int

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        return Fetched(span.first.isoformat().encode())

    async def read(self, body: bytes, span: Span) -> Reading:
        return full_reading(span, self.count)


class Book:
    """A board, the pages of the book, and a clock to step; *identity* is who asks."""

    def __init__(self, identity: Identity = FULL, **changes: object) -> None:
        made = DeskSettings("Lotus Room", ZONE, "/x", "/y", "/z", "BookWell", contacts=CONTACTS)
        self.settings = dataclasses.replace(made, **changes)  # type: ignore[arg-type]
        self.clock = StepClock()
        self.board = Board(self.clock, "boot")
        self.pages = Pages(self.settings, self.board)
        self.hub = Hub(Screen(self.pages.parts, self.pages.clock, self.board.silence), 8)
        self.board.changed = self.hub.changed
        self.cache = PageCache(self.hub.key)
        self.identity = identity
        self.looked: list[tuple[Identity, str, str]] = []
        still = PageCache(self.pages.still)
        self.book = BookPages(self.settings, self.pages, self.board, still)
        self.owed: tuple[Owed, ...] = ()
        self.packs = PackPages(self.settings, self.pages, self.board, self.book, still)
        self.packs.owed = lambda: self.owed

    def hold(self, *visits: Appointment, days: int = 3, **more: object) -> None:
        """Let a source say these; *more* goes into the Reading."""
        first = date(2026, 11, 21)
        rows = tuple(sorted(visits, key=lambda one: one.start_wall))
        self.put("front desk", Span(first, days, ZONE), Reading(rows, **more))  # type: ignore[arg-type]

    def put(self, name: str, span: Span, reading: Reading) -> None:
        stamp = Stamp(self.clock.now(), "boot")
        good = Snapshot(name, span, stamp, stamp, "", "", reading)
        self.board.put(SourceState(name, good))

    async def _note(self, identity: Identity, screen: str, subject: str) -> None:
        self.looked.append((identity, screen, subject))

    @contextlib.asynccontextmanager
    async def client(self) -> "AsyncIterator[TestClient[web.Request, web.Application]]":
        """Give a client of these pages."""
        door = Door(Lan((), self.clock), self.clock, 8)
        gate = Gate(
            Lan((), self.clock),
            frozenset(),
            (),
            self.pages.error,
            lambda request: door.serving(request.transport),
            lambda _request: self.identity,
            note=self._note,
        )
        hand = Handlers(
            self.pages, self.board, self.hub, Local(ZONE), lambda _order: True, self.cache
        )
        self.routes = (
            *(*hand.routes(), *self.book.routes(), *self.packs.routes()),
            *Offline(self.pages).routes(),
        )
        async with TestClient(TestServer(build(self.routes, gate))) as made:
            try:
                yield made
            finally:
                self.hub.close()  # a browser's open stream would hold up the end for a minute
