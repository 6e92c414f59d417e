"""Pages as answers to a browser: text in, a response out."""

from aiohttp import web

from edge_watchdog.core.words import capital
from edge_watchdog.desk.access import form_token, identity_of
from edge_watchdog.desk.pages import Pages


def html(text: str, status: int = 200) -> web.Response:
    """Give a page."""
    return web.Response(status=status, text=text, content_type="text/html")


def refusal(pages: Pages, error: Exception, status: int = 503) -> web.Response:
    """Give the page that says why something cannot be done; the error's words become a sentence."""
    return html(pages.error(status, capital(str(error))), status)


def paper_page(
    pages: Pages, request: web.Request, template: str, *, status: int = 200, **more: object
) -> web.Response:
    """Draw one of the pages of the paper journal; *more* is what its template needs."""
    shared = {"live": "paper", "csrf": form_token(request), "me": identity_of(request)}
    return html(pages.draw(template, "paper", **{**shared, **more}), status)
