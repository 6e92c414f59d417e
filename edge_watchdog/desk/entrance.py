"""The entrance: everything that has to do with who somebody is, put together.

Settings in; routes, and what the gate asks, out.  A disk that refuses costs sign-in, not the page.
"""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from edge_watchdog.bridge import ToWatch
from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError, setup_code
from edge_watchdog.daybook.audit import Look
from edge_watchdog.daybook.people import People, Rules
from edge_watchdog.daybook.people_file import PeopleFile, open_people, people_in_memory
from edge_watchdog.daybook.seal import open_seal
from edge_watchdog.desk.access import Identity, Route
from edge_watchdog.desk.badges import Badges
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.secure import Secure
from edge_watchdog.desk.settings import DeskSettings
from edge_watchdog.desk.signing import Signing
from edge_watchdog.desk.team import Team
from edge_watchdog.desk.tls import Authority, Names

DATABASE = "people.sqlite"
SAME_LOOK_S = 300.0
MOST_LOOKS = 1000
TIDY_S = 3600.0
NOBODY_KNOWN = "Who may sign in could not be read from the box's disk."
BEGUN_ANEW = "Who may sign in could not be read. Please set the box up anew."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entrance:
    """People and their badges, and the pages for both."""

    people: People
    badges: Badges
    signing: Signing
    team: Team
    secure: Secure
    clock: Clock
    _noted: dict[tuple[Identity, str, str], float] = field(default_factory=dict)

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return (*self.signing.routes(), *self.team.routes(), *self.secure.routes())

    async def note(self, identity: Identity, screen: str, subject: str) -> None:
        """Keep who saw what; a page that asks again by itself is one look for five minutes."""
        key, mono = (identity, screen, subject), self.clock.now().mono
        if mono - self._noted.get(key, -SAME_LOOK_S) < SAME_LOOK_S:
            return
        if len(self._noted) >= MOST_LOOKS:
            self._noted.clear()
        self._noted[key] = mono
        try:
            await self.people.note(Look(identity.person, identity.device, screen, subject))
        except DaybookError as error:
            # whoever needs a telephone number now gets it, though the disk has given up
            log.error("people: who looked is not kept: %s", error)  # noqa: TRY400 - one line

    async def tidy(self) -> None:
        """Forget what is over, for ever."""
        while True:
            await asyncio.sleep(TIDY_S)
            with contextlib.suppress(DaybookError):
                await self.people.tidy()


async def open_entrance(
    settings: DeskSettings,
    clock: Clock,
    board: Board,
    pages: Pages,
    send: Callable[[ToWatch], bool],
    *,
    names: Callable[[], Names | None],
) -> Entrance:
    """Take up who is known; the notices of *board* say when that could not be had."""
    rules = Rules(settings.time_zone, settings.guess_cost)
    people = People(await _open_file(settings, board), clock, rules)
    await people.open()
    people.changed = board.changed
    badges = Badges(people)
    folder = Path(settings.state_dir)
    take = functools.partial(_take, folder, clock)
    own_host = f"{socket.gethostname().partition('.')[0].lower()}.local"
    secure = Secure(
        lambda: Authority(folder / "tls", open_seal(settings.key_file, "tls")),
        names,
        clock,
        pages,
        studio=settings.studio_name,
        port=settings.tls_port,
    )
    await secure.look()

    def https_url(request: web.Request) -> str:
        return secure.https_url(request, "/sign-in")

    return Entrance(
        people,
        badges,
        Signing(people, badges, pages, take, https_url),
        Team(people, badges, pages, board, send, own_host),
        secure,
        clock,
    )


def _take(folder: Path, clock: Clock, bare: str) -> bool:
    return setup_code.take(folder, bare, clock.now().wall)


async def _open_file(settings: DeskSettings, board: Board) -> PeopleFile:
    path = str(Path(settings.state_dir) / DATABASE)
    try:
        seal = await asyncio.to_thread(open_seal, settings.key_file, "people")
        file = await asyncio.to_thread(open_people, path, seal)
    except (DaybookError, OSError) as error:
        log.error("people: %s; nobody can sign in", error)  # noqa: TRY400 - one line
        board.notices = (*board.notices, NOBODY_KNOWN)
        return people_in_memory()
    if file.damaged:
        log.warning("people: %s was damaged, put aside and begun anew", DATABASE)
        board.notices = (*board.notices, BEGUN_ANEW)
    return file
