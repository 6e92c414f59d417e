"""Any vendor with a JSON API, read by a declarative Mapping: question after question, page by page.

A body is one JSON text of all pages and all joined names.
"""

import asyncio
import base64
import datetime as dt
import json
import ssl
from collections.abc import Iterator
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import Fetched, Reading, Span
from edge_watchdog.daybook.api import Account, Api, RefusedError, open_api
from edge_watchdog.daybook.keyfile import keep_renewed, newest_secret
from edge_watchdog.daybook.mapping import Auth, Join, Listing, Mapping, Part, Roll
from edge_watchdog.daybook.model import OFF
from edge_watchdog.daybook.oauth import ask_for_token
from edge_watchdog.daybook.paging import all_of
from edge_watchdog.daybook.rest_read import read_visits, status_of
from edge_watchdog.daybook.shape import count_of, text_of

MOST_ONE_BY_ONE = 150  # of one look, beside its other questions


@dataclass(frozen=True, slots=True)
class Keys:
    """What the owner gives: *values* for the mapping's needs, and where its secret stands.

    *token_file* is where a refresh token that the vendor renews is kept.
    """

    values: Table[str, str] = field(default_factory=dict)
    user: str = ""
    key_file: str = ""
    token_file: str = ""
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class RestSource:
    """The day from a JSON API.

    *known* is who was asked for one by one: the day, the join and the id, and what was told.
    """

    mapping: Mapping
    keys: Keys
    clock: Clock
    tls: ssl.SSLContext | bool = True
    known: dict[tuple[str, str, str], dict[str, str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - no tokens
        """Ask for all visits of *span* and the names they point to; raises DaybookError."""
        values = self._values(span, await asyncio.to_thread(self._key))
        account = Account(
            self.mapping.label,
            self.keys.base_url or self.mapping.base_url.format_map(values),
            {k: v.format_map(values) for k, v in self.mapping.headers.items()},
            self.tls,
        )
        async with open_api(account, self.clock) as api:
            await self._sign_in(api, values)
            body = json.dumps(await self._gather(api, values), separators=(",", ":"))
            return Fetched(body.encode(), age_s=api.age_s or 0.0, requests=api.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read the answers in a thread; raises DaybookError."""
        return await asyncio.to_thread(read_visits, body, span, self.mapping)

    async def _gather(self, api: Api, values: Table[str, str]) -> dict[str, Any]:
        """Ask every question there is; raises DaybookError."""
        parts = {"": self.mapping.main, **self.mapping.more}
        found = {name: await all_of(api, part.visits, values) for name, part in parts.items()}
        rolls = {
            name: await _rolls(api, part, part.roll, found[name], values=values)
            for name, part in parts.items()
            if part.roll is not None
        }
        seats = [one for classes in rolls.values() for roll in classes.values() for one in roll]
        everybody = [*(one for many in found.values() for one in many), *seats]
        joins: dict[str, dict[str, str]] = {}
        for name, join in self.mapping.joins.items():
            ids = sorted({text_of(one, join.ids) for one in (seats if join.rolls else everybody)})
            ask = self._each if join.each else self._listed
            joins |= await ask(api, name, join, [one for one in ids if one], values=values)
        return {"visits": found.pop(""), "more": found, "joins": joins, "rolls": rolls}

    def _key(self) -> str:
        return newest_secret(self.keys.key_file, self.keys.token_file)

    def _values(self, span: Span, key: str) -> dict[str, str]:
        """Give what the mapping's texts may hold between braces."""
        start, end = (_moment(wall) for wall in (span.start_wall, span.end_wall))
        return {
            **self.keys.values,
            "key": key,
            "user": self.keys.user,
            "first": span.first.isoformat(),
            "last": span.dates[-1].isoformat(),
            "after_last": (span.dates[-1] + dt.timedelta(days=1)).isoformat(),
            "start_utc": start,
            "end_utc": end,
        }

    async def _sign_in(self, api: Api, values: Table[str, str]) -> None:
        auth = self.mapping.auth
        match auth.kind:
            case Auth.NONE:
                return
            case Auth.BASIC:
                api.headers["Authorization"] = self._basic(values)
            case Auth.BEARER:
                api.headers["Authorization"] = f"Bearer {values['key']}"
            case Auth.HEADER:
                api.headers[auth.header] = auth.value.format_map(values)
            case Auth.OAUTH2:  # pragma: no branch - all are named
                await self._get_token(api, values)

    def _basic(self, values: Table[str, str]) -> str:
        """Give the header of RFC 7617."""
        auth = self.mapping.auth
        pair = f"{auth.user.format_map(values)}:{auth.password.format_map(values)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    async def _get_token(self, api: Api, values: Table[str, str]) -> None:
        """Get an access token (RFC 6749, 4.3, 4.4 or 6); a renewed refresh token is kept.

        A client that says who it is by user and password does so here only (2.3.1).
        """
        auth = self.mapping.auth
        form = {k: v.format_map(values) for k, v in auth.form.items()}
        url = auth.token_url.format_map(values)
        client = {"Authorization": self._basic(values)} if auth.user else {}
        if "://" in url:  # who signs us in may be another host than who holds the day
            account = Account(self.mapping.label, url, client, self.tls)
        else:
            account = Account(self.mapping.label, api.base_url, {**api.headers, **client}, self.tls)
        async with open_api(account, self.clock) as office:
            token = await ask_for_token(office, url, form)
        api.requests += office.requests
        if token.refresh and self.keys.token_file and token.refresh != values["key"]:
            files = self.keys.key_file, self.keys.token_file
            await asyncio.to_thread(keep_renewed, *files, token.refresh)
        api.headers["Authorization"] = f"Bearer {token.access}"

    async def _listed(
        self, api: Api, name: str, join: Join, ids: list[str], *, values: Table[str, str]
    ) -> dict[str, dict[str, str]]:
        """Ask for all entries of a join, or for those of *ids*, many at a time."""
        found: list[Any] = []
        for extra in _chunks(join, ids):
            asked = replace(join.listing, params={**join.listing.params, **extra})
            found += await all_of(api, asked, values)
        return _by_id(name, join, found)

    async def _each(
        self, api: Api, name: str, join: Join, ids: list[str], *, values: Table[str, str]
    ) -> dict[str, dict[str, str]]:
        """Ask for each of *ids* alone, unless that was done today; whom nobody knows has no name.

        Raises DaybookError when they are too many for one look; the next one goes on from there.
        """
        today = values["first"], name
        for old in [key for key in self.known if key[0] != today[0]]:
            del self.known[old]
        missing = [one for one in ids if (*today, one) not in self.known]
        for one in missing[:MOST_ONE_BY_ONE]:
            about = {**values, "id": quote(one, safe="")}
            self.known[*today, one] = _texts(join, await _one(api, join.listing, about))
        if len(missing) > MOST_ONE_BY_ONE:
            raise api.error("names more people than one look may ask for; the next one goes on")
        return {
            key: {one: self.known[*today, one][place] for one in ids}
            for key, place in _keys(name, join).items()
        }


async def _rolls(
    api: Api, part: Part, roll: Roll, visits: list[Any], *, values: Table[str, str]
) -> dict[str, list[Any]]:
    """Ask for the roll of each class that takes place and has somebody in it, by its id.

    Raises DaybookError, also when a roll holds the people of another class.
    """
    found: dict[str, list[Any]] = {}
    for item in visits:
        ref = text_of(item, part.columns.id)
        nobody = count_of(text_of(item, part.columns.booked)) == 0
        if not ref or nobody or status_of(item, part) in OFF:
            continue
        found[ref] = await all_of(api, roll.listing, {**values, "visit": quote(ref, safe="")})
        if roll.of and any(text_of(one, roll.of) != ref for one in found[ref]):
            raise api.error("answered with the people of another class")
    return found


async def _one(api: Api, listing: Listing, values: Table[str, str]) -> object:
    """Give one entry, None when the vendor has none of this id."""
    try:
        return await api.get(listing.path.format_map(values))
    except RefusedError as error:
        if error.status == 404:
            return None
        raise


def _keys(name: str, join: Join) -> dict[str, str]:
    """Give what columns call each text of a join, and its place in an entry."""
    asked = {name: join.name, f"{name}.phone": join.phone, f"{name}.email": join.email}
    return {key: place for key, place in asked.items() if place}


def _texts(join: Join, entry: object) -> dict[str, str]:
    """Give the texts of an entry that the join asks for, by their places; nothing else is kept."""
    return {place: text_of(entry, place) for place in _keys("", join).values()}


def _by_id(name: str, join: Join, found: list[Any]) -> dict[str, dict[str, str]]:
    """Give what a join says of each id: the name, and what else of a client it was asked for."""
    return {
        key: {text_of(one, join.id): text_of(one, place) for one in found}
        for key, place in _keys(name, join).items()
    }


def _chunks(join: Join, ids: list[str]) -> Iterator[dict[str, str]]:
    """Give the extra parameters of each question of a join."""
    if not join.ids:
        yield {}
        return
    for begin in range(0, len(ids), join.chunk):
        yield {join.param: ",".join(ids[begin : begin + join.chunk])}


def _moment(wall: float) -> str:
    return dt.datetime.fromtimestamp(wall, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
