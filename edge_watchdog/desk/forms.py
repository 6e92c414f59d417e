"""Plain forms: fields as text, bounded, or a refusal."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from aiohttp import web

BODY_S = 10.0
MOST_FIELDS = 40
FORM = "application/x-www-form-urlencoded"


async def fields_of(request: web.Request) -> Mapping[str, str]:
    """Give the fields of a plain form, the first of each name; raises HTTPException.

    May be called more than once for one request.
    """
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        found = parse_qsl(body.decode("ascii"), max_num_fields=MOST_FIELDS, errors="strict")
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except ValueError:
        raise web.HTTPBadRequest from None
    return dict(reversed(found))


def number_in(fields: Mapping[str, str], name: str) -> int:
    """Give a whole number of a form; raises HTTPBadRequest."""
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise web.HTTPBadRequest
    return int(text)


def sign_in_for(there: str, page: str = "/sign-in") -> str:
    """Give the address of *page*, from which one comes to *there*, a path of ours."""
    return page if there == "/" else f"{page}?next={quote(there, safe='/')}"


def own_path(text: str) -> str:
    """Give *text* if it is a path of ours, else "/": nobody is sent to another site."""
    fine = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if fine and "\\" not in text and len(text) < 200 else "/"
