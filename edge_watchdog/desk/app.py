"""Composition root of the desk half: builds the rooms, opens the door, runs until told to stop.

The rule of the half: it listens and holds names, so it can touch nothing outside its own database.
"""

import asyncio
import contextlib
import functools
import gc
import logging
import signal
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from aiohttp import web

from edge_watchdog.bridge import BridgeClient
from edge_watchdog.clock import Clock, SystemClock
from edge_watchdog.core.events import Event
from edge_watchdog.daybook import DaybookError, ScheduleConnector
from edge_watchdog.daybook.caldav import CalDav
from edge_watchdog.daybook.caldav_write import CalDavWriter
from edge_watchdog.daybook.keeper import (
    Keeper,
    Source,
    SourceState,
    Surroundings,
    report,
)
from edge_watchdog.daybook.ledger import Ledger, memory_ledger, open_ledger
from edge_watchdog.daybook.paid import AT_ONCE, Paid
from edge_watchdog.daybook.paper_store import PaperStore, open_paper
from edge_watchdog.daybook.price_list import OwnPrices
from edge_watchdog.daybook.registry import Unusable
from edge_watchdog.daybook.seal import open_seal
from edge_watchdog.daybook.square import Square
from edge_watchdog.daybook.square_write import SquareBack
from edge_watchdog.daybook.store import Store, memory_store, open_store
from edge_watchdog.daybook.writeback import WriteBack
from edge_watchdog.desk.access import Gate, build
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.bookpages import BookPages
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.door import Door, listeners, sober_log
from edge_watchdog.desk.entrance import Entrance, open_entrance
from edge_watchdog.desk.giveback import GiveBack
from edge_watchdog.desk.handlers import Handlers
from edge_watchdog.desk.lan import Lan
from edge_watchdog.desk.live import Hub, Screen
from edge_watchdog.desk.offline import Offline
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.packpages import PackPages, owed_on_paper
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperdesk import PaperDesk
from edge_watchdog.desk.paperkept import PaperKept
from edge_watchdog.desk.paperpages import PaperPages
from edge_watchdog.desk.phrases import Local
from edge_watchdog.desk.printing import Press, keep_printing
from edge_watchdog.desk.settings import DeskSettings
from edge_watchdog.desk.timekeeping import Timekeeping
from edge_watchdog.desk.tls import Names
from edge_watchdog.desk.wayback import WayBack
from edge_watchdog.supervise import Notifier, end_all, keep_running

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
DATABASE = "daybook.sqlite"
PRINTED = "printed.json"
PAPER = "paper.sqlite"
ASKED = "asked.sqlite"
PURGE_S = 3600.0
PRICES_S = 10.0
SETTLE_S = 20.0
STATUS_S = 30.0
KEEP_ALIVE_S = 15.0
GOODBYE_S = 1.0
HAND_OVER_S = 0.001
NO_RELOAD = "a reload changes nothing in the desk half; restart it to use a new configuration"
ONLY_MEMORY = "The box's disk refuses: this list would be lost if the box restarts."
BEGUN_ANEW = "The kept list could not be read and has been begun anew."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rooms:
    """Everything that runs."""

    board: Board
    hub: Hub
    door: Door
    client: BridgeClient
    keepers: tuple[Keeper, ...]
    store: Store
    ledger: Ledger
    entrance: Entrance
    packs: PackPages
    paper: PaperDesk
    give: GiveBack
    app: web.Application


async def serve(
    settings: DeskSettings,
    notifier: Notifier | None = None,
    doors: Sequence[socket.socket] | None = None,
) -> None:
    """Serve the desk half until SIGTERM or SIGINT; raises OSError when it cannot listen.

    *doors* are sockets that listen already; without them, systemd's or the configured one.
    """
    notifier = notifier or Notifier()
    clock = SystemClock()
    doors = doors or _listen(settings)
    rooms = await _build(settings, clock)
    _make_steady()
    runner = web.AppRunner(
        rooms.app,
        access_log=None,
        logger=sober_log(),
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=GOODBYE_S,
    )
    await runner.setup()
    notifier.ready()
    try:
        await _until_told(_workers(settings, rooms, runner, notifier, doors=doors), clock)
    finally:
        notifier.stopping()
        rooms.hub.close()
        await runner.cleanup()
        for door in doors:
            door.close()
        rooms.store.close()
        rooms.ledger.close()
        rooms.entrance.people.close()
        rooms.paper.close()


def _make_steady() -> None:
    """Keep Python's own housekeeping from holding up a page.

    What was loaded until now stays for ever: a full collection need not walk through it (80 ms on
    a PC).  A thread that reads a list hands over sooner than after the usual 5 ms.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(HAND_OVER_S)


def _workers(
    settings: DeskSettings,
    rooms: _Rooms,
    runner: web.AppRunner,
    notifier: Notifier,
    *,
    doors: Sequence[socket.socket],
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """Name everything that must run all the time."""
    if runner.server is None:
        raise RuntimeError("the web server is not set up")
    admit = functools.partial(rooms.door.admit, server=runner.server)
    secure = rooms.entrance.secure
    context = {True: lambda: secure.context, False: None}
    return {
        "bridge": rooms.client.run,
        "secure": secure.keep,
        "sweep": rooms.door.sweep,
        "pulse": functools.partial(_pulse, notifier, rooms),
        "paper": functools.partial(_settle, rooms.paper, rooms.give),
        **(
            {"prices": functools.partial(_keep_prices, settings, rooms.board)}
            if settings.prices
            else {}
        ),
        "purge": functools.partial(_purge, settings, rooms),
        "tidy": rooms.entrance.tidy,
        **({"printing": _printing(settings, rooms)} if settings.print_command else {}),
        **{f"schedule {keeper.state.name}": keeper.run for keeper in rooms.keepers},
        **{
            f"door {n}": functools.partial(admit, door, context=context[_is_secure(door, settings)])
            for n, door in enumerate(doors)
        },
    }


async def _build(settings: DeskSettings, clock: Clock) -> _Rooms:
    """Build every room."""
    board = Board(clock, _boot_id())
    store = await _open_store(settings, board)
    pages = Pages(settings, board)
    await asyncio.to_thread(pages.prepare)
    hub = Hub(Screen(pages.parts, pages.clock, board.silence), settings.most_streams)
    board.changed, board.listeners = hub.changed, lambda: hub.streams
    board.clock_is_set = Timekeeping(clock).is_set
    client = BridgeClient(Path(settings.bridge_path), board.hear, clock=clock, on_lost=board.lose)

    def changed(state: SourceState) -> None:
        board.put(state)
        client.send(report(state, clock, settings.time_zone))

    ledger = await _open_ledger(settings)
    seen = (store, clock, _boot_id(), board.wall_known, changed, board.on_metered)
    around = Surroundings(*seen, ledger)
    built = _connectors(settings, clock)
    keepers = tuple(Keeper(source, around) for source in _sources(settings, built))
    board.fetch = lambda: _ask_all(keepers)
    for keeper in keepers:
        await keeper.recall()
    cache, still = PageCache(hub.key), PageCache(pages.still)
    handlers = Handlers(pages, board, hub, Local(settings.time_zone), client.send, cache)
    book = BookPages(settings, pages, board, still)
    packs = PackPages(settings, pages, board, book, still)
    paper = PaperDesk(await _open_paper(settings), board, settings)
    takes = {one.name: one.takes for one in settings.schedules}
    by_name = {keeper.state.name: keeper for keeper in keepers}
    writers = {name: Paid(one, by_name[name].pay) for name, one in _writers(settings, built, clock)}
    give = GiveBack(paper, writers, takes, lambda source: by_name[source].may_send(AT_ONCE))
    with contextlib.suppress(DaybookError):  # who writes or asks for the journal is told then
        await paper.look()  # the day shows what stands there, from the first page on
    packs.owed = lambda: owed_on_paper(paper.journal.entries)
    written = PaperPages(paper, pages, board)
    back = WayBack(paper, pages, board)
    lan = Lan(settings.lan_interfaces, clock)
    door = Door(lan, clock, settings.most_connections)
    entrance = await open_entrance(
        settings, clock, board, pages, client.send, names=functools.partial(_names, settings, lan)
    )
    blank = PaperKept(paper, pages, board, still)
    ours = (handlers, book, packs, written, blank, back, entrance, Offline(pages))
    routes = tuple(route for one in ours for route in one.routes())
    app = build(routes, _gate(settings, lan, door, pages, entrance=entrance))
    return _Rooms(
        *(board, hub, door, client, keepers, store, ledger, entrance, packs, paper, give, app)
    )


def _printing(settings: DeskSettings, rooms: _Rooms) -> Callable[[], Awaitable[None]]:
    """Give the worker that prints the day pack at closing time."""
    board, kept = rooms.board, rooms.board.notices

    def complain(words: str) -> None:
        board.notices = (*kept, words) if words else kept
        board.changed()

    def holds(day: date) -> bool:
        states = board.sources.values()
        return any(one.good and day in one.good.span.dates for one in states)

    async def draw(day: date) -> bytes:
        return await rooms.packs.pdf_of(rooms.packs.pack(day), settings.paper)

    note = Path(settings.state_dir) / PRINTED
    press = Press(settings.print_command, note, draw, holds, complain)
    opening = Opening(settings.open_spans, settings.time_zone)
    return functools.partial(keep_printing, press, opening, board.now)


async def _open_store(settings: DeskSettings, board: Board) -> Store:
    """Open the database; a disk that refuses costs the memory of the day, not the page."""
    try:
        store = await asyncio.to_thread(_open_in, settings)
    except (DaybookError, OSError) as error:
        log.error("daybook: %s; the day is kept in memory only", error)  # noqa: TRY400 - one line
        board.notices = (ONLY_MEMORY,)
        return memory_store()
    if store.damaged:
        log.warning("daybook: %s was damaged or sealed otherwise; begun anew", DATABASE)
        board.notices = (BEGUN_ANEW,)
    return store


def _open_in(settings: DeskSettings) -> Store:
    folder = Path(settings.state_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_store(str(folder / DATABASE), open_seal(settings.key_file, "daybook"))


async def _open_ledger(settings: DeskSettings) -> Ledger:
    """Open what is noted of requests; where the disk refuses, nothing is known of earlier ones."""
    try:
        return await asyncio.to_thread(open_ledger, str(Path(settings.state_dir) / ASKED))
    except DaybookError:
        return memory_ledger(remembers=False)


async def _open_paper(settings: DeskSettings) -> PaperStore | None:
    """Open the paper journal; a disk that refuses must be said, for nothing would be kept."""
    path = str(Path(settings.state_dir) / PAPER)
    try:
        seal = await asyncio.to_thread(open_seal, settings.key_file, "paper")
        return await asyncio.to_thread(open_paper, path, seal)
    except DaybookError as error:
        log.error("paper: %s", error)  # noqa: TRY400 - one line
        return None


def _connectors(settings: DeskSettings, clock: Clock) -> Mapping[str, ScheduleConnector]:
    """Build each source once, by name: what is read and what is written is one sign-in."""
    built: dict[str, ScheduleConnector] = {}
    for one in settings.schedules:
        try:
            built[one.name] = one.options.build(clock, settings.ca_file)
        except DaybookError as error:
            built[one.name] = Unusable(str(error))
    return built


def _sources(settings: DeskSettings, built: Mapping[str, ScheduleConnector]) -> Iterator[Source]:
    opening = Opening(settings.open_spans, settings.time_zone)
    for one in settings.schedules:
        budget = one.options.requests_a_day if one.budget is None else one.budget
        yield Source(
            one.name,
            built[one.name],
            one.every_s,
            settings.time_zone,
            keep=one.keep,
            budget=budget,
            days=opening.days_from,
        )


def _writers(
    settings: DeskSettings, built: Mapping[str, ScheduleConnector], clock: Clock
) -> Iterator[tuple[str, WriteBack]]:
    """Give the ways back into those sources that the owner lets the box write to."""
    for one in settings.schedules:
        match built[one.name] if one.takes else None:
            case None | Unusable():  # the source's own line says what is wrong
                continue
            case CalDav() as source:
                yield one.name, CalDavWriter(source, clock)
            case Square() as source:
                yield one.name, SquareBack(source)
            case _:
                log.warning("schedule %s takes no bookings", one.name)


def _gate(
    settings: DeskSettings, lan: Lan, door: Door, pages: Pages, *, entrance: Entrance
) -> Gate:
    return Gate(
        lan=lan,
        allowed_hosts=frozenset(_hosts(settings)),
        frame_ancestors=settings.frame_ancestors,
        error_page=pages.error,
        serving=lambda request: door.serving(request.transport),
        identify=entrance.badges.identify,
        csrf=entrance.badges.csrf,
        note=entrance.note,
    )


def _listen(settings: DeskSettings) -> list[socket.socket]:
    """Open every door; a secure one that cannot be opened costs the secure pages only."""
    doors = listeners(settings.listen_host, settings.listen_port)
    if settings.tls_port and not any(_is_secure(door, settings) for door in doors):
        try:
            doors += listeners(settings.tls_host, settings.tls_port)
        except OSError as error:
            log.error("secure pages: port %d: %s", settings.tls_port, error.strerror)  # noqa: TRY400
    return doors


def _is_secure(door: socket.socket, settings: DeskSettings) -> bool:
    return bool(door.getsockname()[1] == settings.tls_port)


def _hosts(settings: DeskSettings) -> tuple[str, ...]:
    """Give the names that the pages may be asked by."""
    own = socket.gethostname().lower()
    return (f"{own.partition('.')[0]}.local", own, *(h.lower() for h in settings.allowed_hosts))


def _names(settings: DeskSettings, lan: Lan) -> Names | None:
    """Give what the box is called; None while it has no address in its LAN."""
    addresses = lan.addresses()
    if settings.lan_interfaces and not addresses:
        return None
    return Names(_hosts(settings), addresses)


def _ask_all(keepers: tuple[Keeper, ...]) -> None:
    for keeper in keepers:
        keeper.ask()


async def _until_told(workers: Mapping[str, Callable[[], Awaitable[None]]], clock: Clock) -> None:
    """Run every worker until a signal says that it is enough."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, log.warning, NO_RELOAD)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(keep_running(name, work, clock=clock, on_failure=_ignore))
            for name, work in workers.items()
        ]
        await stop.wait()
        await end_all(tasks)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.remove_signal_handler(number)


def _ignore(_failure: Event) -> None:
    """Do nothing more: keep_running() has written the log, and this half has no journal."""


async def _pulse(notifier: Notifier, rooms: _Rooms) -> None:
    """Tell the service manager that the loop lives, and how we are."""
    pause_s = min(STATUS_S, (notifier.watchdog_s or STATUS_S) / 3)
    while True:
        notifier.beat()
        heard = "heard" if rooms.board.is_heard else "not heard"
        notifier.status(f"watch half {heard}, {rooms.hub.streams} open pages")
        await asyncio.sleep(pause_s)


async def _settle(paper: PaperDesk, give: GiveBack) -> None:
    """Hold the paper journal against each new list, whether or not anybody looks."""
    while True:
        with contextlib.suppress(DaybookError):
            await give.all(await paper.settle())
        await asyncio.sleep(SETTLE_S)


async def _keep_prices(settings: DeskSettings, board: Board) -> None:
    """Look after the studio's own price lists."""
    own = OwnPrices(settings.prices)
    while True:
        if await asyncio.to_thread(own.look):
            board.own_prices = own.lists
            board.changed()
        await asyncio.sleep(PRICES_S)


async def _purge(settings: DeskSettings, rooms: _Rooms) -> None:
    """Delete what is over, unless the clock may be wrong."""
    names = tuple(one.name for one in settings.schedules)
    while True:
        if rooms.board.wall_known() is not False:
            wall, kept_s = rooms.board.now().at.wall, settings.retention_s
            with contextlib.suppress(DaybookError):
                await asyncio.to_thread(rooms.store.purge, names, wall, kept_s)
            with contextlib.suppress(DaybookError):
                await rooms.paper.forget()
        await asyncio.sleep(PURGE_S)


@functools.cache
def _boot_id() -> str:
    """Give this boot's identity; where the system hides it, one for this process alone."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.uuid4())
