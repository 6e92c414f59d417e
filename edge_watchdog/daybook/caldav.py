"""CalDAV: one or several calendars of a server in, the entries of a span out.

Only what changed is fetched (sync-token, getctag, ETag); a lost token costs one whole look.  The
rule: what is held is replaced when a look has succeeded to its end, never in the middle.
"""

import asyncio
import hashlib
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import aiohttp
from yarl import URL

from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.caldav_client import Dav, Login
from edge_watchdog.daybook.caldav_xml import (
    CAL,
    DAV,
    SERVER,
    Answer,
    Multistatus,
    multiget,
    propfind,
    read_multistatus,
    sync_collection,
    window_query,
)
from edge_watchdog.daybook.child import Form, read_in_child
from edge_watchdog.daybook.privacy import NAME_CHARS, Title, plain
from edge_watchdog.daybook.web import MOST_BYTES, TOO_LARGE, open_session, plain_errors

BATCH = 50
MOST_CALENDARS = 30
MOST_CHANGES = 500  # more than these are cheaper as a whole
MOST_PAGES = 20
WELL_KNOWN = "/.well-known/caldav"  # RFC 6764
NO_CALENDAR = "there is no calendar at its address"
# How servers say that a token is not theirs any more, or that they know no sync-collection at all.
TOKEN_LOST = frozenset({400, 403, 405, 409, 410, 412, 415, 501, 507})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the calendars are: a server, a user's home or one calendar; *names* () means all."""

    url: str
    login: Login
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """One calendar; *mark* changes with it: its sync-token, else its ctag, else ""."""

    url: URL
    name: str
    mark: str
    can_sync: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What we have of one calendar for *span*: by place, the ETag and the text of each entry."""

    span: Span
    mark: str
    entries: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class _TokenLostError(Exception):
    """The server cannot tell what changed since our token."""


class CalDav:
    """A source of [[schedule]] kind "caldav"."""

    def __init__(self, place: Place, title: Title, tls: ssl.SSLContext) -> None:
        self._place = place
        self.title = title
        self.tls = tls
        self._where: tuple[URL, int] | None = None  # what to ask for the calendars, and how deep
        self._held: dict[str, Held] = {}

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        """Get what changed; gives the whole span, or "not changed" against *known*.

        Without *known* the server is asked for all of it, whatever we hold.
        """
        with plain_errors():
            async with open_session(self.tls) as session:
                return await self._look(self.conversation(session), span, known)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a child process; raises DaybookError."""
        return await read_in_child(body, span, self.title, form=Form.CALDAV)

    def conversation(self, session: aiohttp.ClientSession) -> Dav:
        """Begin to speak with the server."""
        return Dav(session, URL(self._place.url, encoded=True), self._place.login)

    async def calendars(self, dav: Dav) -> list[Collection]:
        """Give the calendars that are read, in order; raises DaybookError."""
        return self._wanted(await self._calendars(dav))

    async def _look(self, dav: Dav, span: Span, known: str) -> Fetched:
        calendars = await self.calendars(dav)
        token = _token(calendars)
        if token and token == known:
            return Fetched(None, token, requests=dav.requests)
        if not known:  # somebody doubts what we hold: every calendar is listed anew
            self._held = {path: replace(one, mark="") for path, one in self._held.items()}
        held = {one.url.path: await self._bring(dav, one, span) for one in calendars}
        body = await asyncio.to_thread(_body, calendars, held)
        if len(body) > MOST_BYTES:
            raise DaybookError(TOO_LARGE, requests=dav.requests)
        self._held = held
        return Fetched(body, token, requests=dav.requests)

    async def _calendars(self, dav: Dav) -> list[Collection]:
        """Give every calendar at our place; finds out once where to ask."""
        try:
            where = self._where or await _find(dav, URL(self._place.url, encoded=True))
            self._where = None  # until it has answered again
            found = await dav.multistatus("PROPFIND", where[0], propfind(), depth=where[1])
            self._where = where
        except DaybookError as error:
            error.requests = dav.requests
            raise
        calendars = [_collection(where[0], one) for one in found.answers if one.is_calendar]
        return calendars[:MOST_CALENDARS]

    def _wanted(self, found: list[Collection]) -> list[Collection]:
        """Choose by name, in the order of the configuration; raises DaybookError for a lost one."""
        if not found:
            raise DaybookError(NO_CALENDAR)
        if not self._place.names:
            return sorted(found, key=lambda one: (one.name.casefold(), one.url.path))
        chosen = []
        for name in self._place.names:
            folded = name.casefold()
            match = [one for one in found if folded == one.name.casefold()]
            match = match or [one for one in found if folded == _last_part(one.url).casefold()]
            if not match:
                raise DaybookError(f'the calendar "{name}" is not there')
            chosen.append(match[0])
        return list(dict.fromkeys(chosen))

    async def _bring(self, dav: Dav, calendar: Collection, span: Span) -> Held:
        """Give the calendar's entries that may touch *span*, asking for as little as will do."""
        held = self._held.get(calendar.url.path)
        if held and held.span == span and held.mark:
            if held.mark == calendar.mark:
                return held
            if calendar.can_sync:
                try:
                    return await _changes(dav, calendar, held)
                except _TokenLostError:
                    pass
        return await _whole(dav, calendar, span, held.entries if held else {})


async def _find(dav: Dav, url: URL) -> tuple[URL, int]:
    """Find where the calendars are listed, beginning at *url*; gives the place and the depth."""
    # Only a bare server is looked for elsewhere: a wrong address must not end at other calendars.
    starts = [url, url.with_path(WELL_KNOWN)] if url.path in ("", "/") else [url]
    for start in starts:
        reply = await dav.send("PROPFIND", start, propfind(), {"Depth": "0"})
        if reply.status in (404, 405) and start is not starts[-1]:
            continue
        if reply.status != 207:
            raise dav.refusal(reply)
        answers = (await read_multistatus(reply.body)).answers
        if any(one.is_calendar for one in answers):
            return reply.url, 0
        home = await _home(dav, reply.url, answers)
        if home is not None:
            return home, 1
        below = await dav.multistatus("PROPFIND", reply.url, propfind(), depth=1)
        if any(one.is_calendar for one in below.answers):
            return reply.url, 1
    raise DaybookError(NO_CALENDAR)


async def _home(dav: Dav, at: URL, answers: Sequence[Answer]) -> URL | None:
    """Give the user's calendar home: named here, or by the user's own page (RFC 4791, 6.2.1)."""
    name, principal = f"{CAL}calendar-home-set", f"{DAV}current-user-principal"
    for one in answers:
        if home := one.href_in(name):
            return _join(at, home)
    for one in answers:
        if user := one.href_in(principal):
            place = _join(at, user)
            theirs = await dav.multistatus("PROPFIND", place, propfind())
            for answer in theirs.answers:
                if home := answer.href_in(name):
                    return _join(place, home)
    return None


async def _whole(
    dav: Dav, calendar: Collection, span: Span, old: Mapping[str, tuple[str, str]]
) -> Held:
    """List the span's entries by tag and get those that are new to us."""
    listed = await dav.multistatus("REPORT", calendar.url, window_query(span), depth=1)
    tags = {_path(calendar, one): one.text(f"{DAV}getetag") for one in listed.answers}
    kept = {path: old[path] for path, tag in tags.items() if tag and path in old}
    kept = {path: entry for path, entry in kept.items() if entry[0] == tags[path]}
    fresh = await entries(dav, calendar, [path for path in tags if path not in kept])
    return Held(span, calendar.mark, {**kept, **fresh})


async def _changes(dav: Dav, calendar: Collection, held: Held) -> Held:
    """Ask what changed since what we hold (RFC 6578); raises _TokenLostError."""
    token, changed, gone = held.mark, set[str](), set[str]()
    for _ in range(MOST_PAGES):
        page, token, more = await _page(dav, calendar, token)
        for one in page:
            path = _path(calendar, one)
            (gone if one.status == 404 else changed).add(path)
            (changed if one.status == 404 else gone).discard(path)
        if len(changed) > MOST_CHANGES:
            raise _TokenLostError
        if not more:
            break
    else:
        raise _TokenLostError
    fresh = await entries(dav, calendar, sorted(changed))
    left = {path: entry for path, entry in held.entries.items() if path not in gone | changed}
    return Held(held.span, token, {**left, **fresh})


async def _page(dav: Dav, calendar: Collection, token: str) -> tuple[list[Answer], str, bool]:
    """Get one page of changes: the entries, the next token, and whether there is more."""
    depth = {"Depth": "0"}  # RFC 6578, 3.2: the level stands in the body
    reply = await dav.send("REPORT", calendar.url, sync_collection(token), depth)
    if reply.status in TOKEN_LOST:
        raise _TokenLostError
    if reply.status != 207:
        raise dav.refusal(reply)
    found: Multistatus = await read_multistatus(reply.body)
    if not found.sync_token:
        raise _TokenLostError
    own = calendar.url.path.rstrip("/")
    members = [one for one in found.answers if _path(calendar, one).rstrip("/") != own]
    more = any(one.status == 507 for one in found.answers)
    return [one for one in members if one.status != 507], found.sync_token, more


async def entries(
    dav: Dav, calendar: Collection, paths: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Get entries by their places; one that went away meanwhile is left out."""
    found: dict[str, tuple[str, str]] = {}
    size = 0
    for start in range(0, len(paths), BATCH):
        hrefs = [URL.build(path=path).raw_path for path in paths[start : start + BATCH]]
        got = await dav.multistatus("REPORT", calendar.url, multiget(hrefs), depth=1)
        for one in got.answers:
            text = one.text(f"{CAL}calendar-data")
            size += len(text)
            if text and one.status in (0, 200):
                found[_path(calendar, one)] = (one.text(f"{DAV}getetag"), text)
        if size > MOST_BYTES:
            raise DaybookError(TOO_LARGE, requests=dav.requests)
    return found


def _collection(at: URL, answer: Answer) -> Collection:
    url = _join(at, answer.href)
    name = plain(answer.text(f"{DAV}displayname"), NAME_CHARS) or _last_part(url)
    token, ctag = answer.text(f"{DAV}sync-token"), answer.text(f"{SERVER}getctag")
    return Collection(url, name, token or ctag, can_sync=bool(token))


def _token(calendars: Sequence[Collection]) -> str:
    """Give one token of all calendars, "" when one of them has none."""
    if not all(one.mark for one in calendars):
        return ""
    text = json.dumps([[one.url.path, one.name, one.mark] for one in calendars])
    return f"caldav {hashlib.sha256(text.encode()).hexdigest()}"


def _body(calendars: Sequence[Collection], held: Mapping[str, Held]) -> bytes:
    """Give the calendars as one body for the child; the same entries, the same bytes."""
    return json.dumps(
        [
            {
                "place": one.url.path,
                "name": one.name,
                "entries": [text for _, (_, text) in sorted(held[one.url.path].entries.items())],
            }
            for one in calendars
        ]
    ).encode("utf-8")


def _join(at: URL, href: str) -> URL:
    return at.join(URL(href, encoded=True))


def _path(calendar: Collection, answer: Answer) -> str:
    """Give an answer's place without quoting: servers quote differently in different answers."""
    return _join(calendar.url, answer.href).path


def _last_part(url: URL) -> str:
    return url.path.rstrip("/").rpartition("/")[2]
