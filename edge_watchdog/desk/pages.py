"""Pages and their parts, rendered from the board; the same parts travel on the live stream.

Every text is escaped by the templates; nothing is marked safe but the parts they made.
"""

import functools
import hashlib
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import resources
from types import MappingProxyType

import jinja2
from markupsafe import Markup, escape

from edge_watchdog import __version__
from edge_watchdog.core.model import Health, Mode, VendorLevel
from edge_watchdog.core.words import capital
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.book import BookDay, with_paper
from edge_watchdog.desk.charts import chart
from edge_watchdog.desk.day import DayModel, source_lines
from edge_watchdog.desk.forms import sign_in_for
from edge_watchdog.desk.pack import BOX
from edge_watchdog.desk.phrases import (
    HEALTH_WORDS,
    LAYER_WORDS,
    LEVEL_WORDS,
    MODE_WORDS,
    NO_VENDOR,
    PHASE_WORDS,
    Local,
    lasting,
    long_date,
)
from edge_watchdog.desk.settings import DeskSettings
from edge_watchdog.desk.shelf import Shelf
from edge_watchdog.desk.status import status_model

HASH_CHARS = 12
PIECES = ("book_row", "desk_row", "sheet_rows")  # macros of rows.html; what they show is hashable
NUMBERS = re.compile(r"\bP-\d+")  # of the paper journal
TYPES: Mapping[str, str] = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}


class Page(StrEnum):
    """The pages that live; each has its parts."""

    DESK = "desk"
    OWNER = "owner"
    BOOK = "book"
    PAPER = "paper"


PARTS: Mapping[Page, tuple[str, ...]] = {
    Page.DESK: ("today", "status", "sources", "day"),
    Page.OWNER: ("today", "status", "uplinks", "chart", "incidents", "vendor", "about"),
    Page.BOOK: ("today", "sources"),
    Page.PAPER: ("today", "turn"),
}


@dataclass(frozen=True, slots=True)
class Static:
    """A file in memory; its name carries its hash, so that it may be kept for ever."""

    name: str
    body: bytes
    content_type: str


class Pages:
    """Renders what the board holds."""

    def __init__(self, settings: DeskSettings, board: Board) -> None:
        self._settings = settings
        self._board = board
        self._local = Local(settings.time_zone)
        found = _statics()
        self.statics = MappingProxyType({one.name: one for one in found.values()})
        self._names = {plain: f"/static/{one.name}" for plain, one in found.items()}
        self._env = _environment(self._local)
        self._shelf = Shelf(self._local)
        self._modelled: tuple[object, DayModel] | None = None
        self._drawn: tuple[object, str] | None = None
        sheets = (found["desk.css"].body, found["book.css"].body)
        self._env.globals["box"] = BOX
        for piece in PIECES:
            self._env.globals[piece] = functools.partial(self._piece, piece)
        self._env.globals["styles"] = Markup(b"\n".join(sheets).decode())  # noqa: S704 - our own

    def prepare(self) -> None:
        """Compile every template, so that nobody who asks has to wait for it."""
        for file in resources.files(__package__).joinpath("templates").iterdir():
            self._env.get_template(file.name)

    def page(self, page: Page, *, kiosk: bool = False) -> str:
        """Render a whole page; *kiosk* is larger type, for a display on the wall."""
        context = self._context(page)
        parts = {name: Markup(text) for name, text in self._parts(page, context).items()}  # noqa: S704
        return self._render(f"{page}.html", {**context, "parts": parts, "kiosk": kiosk})

    def parts(self, page: Page) -> dict[str, str]:
        """Render the parts of a page, by name; "title" is the window's title."""
        context = self._context(page)
        parts = self._parts(page, context)
        if page is Page.BOOK:  # the pages of the book ask again for themselves when this changes
            day = self._day_part(context)
            return {**parts, "mark": hashlib.sha256(day.encode()).hexdigest()[:HASH_CHARS]}
        if page is Page.PAPER:  # a number that tells nothing; who may, asks for the list then
            return parts
        return {**parts, "title": self._title(context)}

    def error(self, status: int, words: str, there: str = "/") -> str:
        """Render a page that says what went wrong; *there* is where to go on to when signed in."""
        more = {"status": status, "words": words, "sign_in": sign_in_for(there)}
        return self._render("error.html", {**self._context(Page.DESK), **more})

    def draw(self, template: str, name: str, **more: object) -> str:
        """Render a page that is not live in itself; *name* is its place in the navigation."""
        shared = {**self._shared(name), "live": str(Page.BOOK), "kiosk": False}
        return self._render(template, {**shared, "model": self._model(), **more})

    def plain(self, template: str, **context: object) -> str:
        """Render a template that knows nothing of the board."""
        return self._render(template, context)

    def day(self, one: date) -> BookDay:
        """Give a day of the book as it is now, classes with what stands on paper."""
        shown = self._board.shown()
        day = self._shelf.day(shown.states, one, self._board.now(), shown.rows)
        return with_paper(day, self._board.lessons)

    def still(self) -> object:
        """Give what stays equal as long as no page that is drawn by draw() would look different."""
        board, now = self._board, self._board.now()
        sign = status_model(board, self._local, self._settings.vendor_name).sign
        minute = int(now.at.wall // 60)
        shown = sign, board.notices, board.paper_turn, board.own_prices
        return self._states(), minute, now.wall_known, shown

    def clock(self) -> str:
        """Give the local time, as a page shows it."""
        return self._local.clock(self._board.now().at.wall)

    def _parts(self, page: Page, context: Mapping[str, object]) -> dict[str, str]:
        return {
            name: self._day_part(context)
            if name == "day"
            else self._render(f"part_{name}.html", context)
            for name in PARTS[page]
        }

    def _day_part(self, context: Mapping[str, object]) -> str:
        """Render the day, once for the same days: it shows nothing else."""
        model = self._model()
        shows = model.days, bool(model.sources)
        if self._drawn is None or self._drawn[0] != shows:
            self._drawn = shows, self._render("part_day.html", context)
        return self._drawn[1]

    def _render(self, template: str, context: Mapping[str, object]) -> str:
        return self._env.get_template(template).render(context)

    def _piece(self, macro: str, *shows: Hashable) -> Markup:
        """Draw a piece of a page, or give it as it was drawn for the same content."""

        def draw() -> str:
            return str(getattr(self._env.get_template("rows.html").module, macro)(*shows))

        return Markup(self._shelf.pieces.get((macro, *shows), draw))  # noqa: S704 - escaped there

    def _states(self) -> tuple[SourceState, ...]:
        return tuple(self._board.sources.values())

    def _title(self, context: Mapping[str, object]) -> str:
        return self._render("title.txt", context).strip()

    def _model(self) -> DayModel:
        """Draw the day when it changed, else once a minute: two hundred rows take their time."""
        now, states = self._board.now(), self._states()
        key = states, int(now.at.wall // 60), now.wall_known, self._board.paper_turn
        if self._modelled is None or self._modelled[0] != key:
            shown = self._board.shown()
            days, strange = self._shelf.desk(shown.states, now, shown.rows)
            self._modelled = key, DayModel(days, source_lines(states, now, self._local), strange)
        return self._modelled[1]

    def _shared(self, name: str) -> dict[str, object]:
        board, local, now = self._board, self._local, self._board.now()
        return {
            "page": name,
            "live": name,
            "kiosk": False,
            "studio": self._settings.studio_name,
            "vendor_name": self._settings.vendor_name or NO_VENDOR,
            "hours": self._settings.opening_hours,
            "static": self._names,
            "status": status_model(board, local, self._settings.vendor_name),
            "now": now.at.wall,
            "today": long_date(local.day(now.at.wall)),
            "wall_known": now.wall_known,
            "view": board.view,
            "own_notices": board.notices,
            "paper_turn": board.paper_turn,
        }

    def _context(self, page: Page) -> dict[str, object]:
        board, local, now = self._board, self._local, self._board.now()
        view = board.view
        shared = {**self._shared(page), "model": self._model()}
        if page is not Page.OWNER:
            return shared
        names = [one.name for one in view.uplinks] if view else []
        return {
            **shared,
            "chart": chart(board.history, names, now.at.wall, local),
            "incidents": board.all_incidents(),
            "silence": board.silence(),
            "streams": board.listeners(),
            "desk_version": __version__,
            "lan": self._settings.lan_interfaces,
            "remarks": {
                name: state.good.reading.remarks if state.good else ()
                for name, state in board.sources.items()
            },
            "tested": {one.name: str(one.options.tested) for one in self._settings.schedules},
        }


def _whole(words: str) -> Markup:
    """Keep a number of the paper journal on one line."""
    safe = str(escape(words))  # a Markup would escape what is put in
    return Markup(NUMBERS.sub(r'<span class="whole">\g<0></span>', safe))  # noqa: S704


def _environment(local: Local) -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["clock"] = local.clock
    env.filters["moment"] = local.moment
    env.filters["lasting"] = lasting
    env.filters["capital"] = capital
    env.filters["whole"] = _whole
    env.filters["health"] = lambda one: HEALTH_WORDS[Health(one)]
    env.filters["mode"] = lambda one: MODE_WORDS[Mode(one)]
    env.filters["phase"] = lambda one: PHASE_WORDS.get(one, one)
    env.filters["level"] = lambda one: LEVEL_WORDS[VendorLevel(one)]
    env.filters["layer"] = lambda one: LAYER_WORDS.get(one, one)
    return env


def _source(name: str) -> str:
    folder = resources.files(__package__).joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


def _statics() -> dict[str, Static]:
    """Read the static files, by their plain names."""
    found = {}
    for file in resources.files(__package__).joinpath("static").iterdir():
        stem, _, ending = file.name.rpartition(".")
        if ending in TYPES:
            body = file.read_bytes()
            mark = hashlib.sha256(body).hexdigest()[:HASH_CHARS]
            found[file.name] = Static(f"{stem}.{mark}.{ending}", body, TYPES[ending])
    return found
