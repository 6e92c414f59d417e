"""The paper journal's forms as a browser keeps them for when the box is off.

Anybody on the LAN may have them: they hold what the low-detail book holds and nothing that was
written.  What is written into one stays in the browser until the box answers.
"""

from aiohttp import web

from edge_watchdog.desk.access import NOBODY, Route, Who
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.cache import PageCache
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperdesk import PaperDesk
from edge_watchdog.desk.paperfill import FormShown, empty_fields, form_model
from edge_watchdog.desk.paperwords import FORM_TITLES, writing

BLANK = "/paper/blank"
FORMS = (BLANK, *(f"{BLANK}?kind={kind}" for kind in FORM_TITLES))


class PaperKept:
    """Answers for /paper/blank: every button, or with ``?kind=`` one form."""

    def __init__(self, paper: PaperDesk, pages: Pages, board: Board, cache: PageCache) -> None:
        self._paper = paper
        self._pages = pages
        self._board = board
        self._cache = cache

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return tuple(Route(one, BLANK, self.blank, Who.LAN) for one in ("GET", "HEAD"))

    async def blank(self, request: web.Request) -> web.Response:
        """Give a form, or all buttons; the same for everybody."""
        kind = request.query.get("kind", "")
        if kind and kind not in FORM_TITLES:
            raise web.HTTPNotFound
        body = self._cache.get((BLANK, kind), lambda: self._draw(kind))
        return web.Response(body=body, content_type="text/html", charset="utf-8")

    def _draw(self, kind: str) -> str:
        template, model = "paper_kept.html", writing()
        if kind:
            shown = FormShown(kind, empty_fields(kind, self._paper), kept=True)
            template, model = "paper_form.html", form_model(self._paper, self._board, shown, NOBODY)
        about = {"live": "paper", "csrf": "", "me": NOBODY}
        return self._pages.draw(template, "paper", **about, **model)
