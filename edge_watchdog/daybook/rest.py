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
from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.api import Account, Api, open_api
from edge_watchdog.daybook.gathering import GONE, Gathering, Person, Visit
from edge_watchdog.daybook.keyfile import keep_renewed, newest_secret
from edge_watchdog.daybook.mapping import Auth, Join, Listing, Mapping, Part, Roll
from edge_watchdog.daybook.model import NoteKind, Status
from edge_watchdog.daybook.notes import told
from edge_watchdog.daybook.oauth import ask_for_token
from edge_watchdog.daybook.paging import all_of
from edge_watchdog.daybook.shape import Joins, count_of, dig, money_of, text_of, wall_of

BAD_ENTRY = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError)
NOT_READ = "the day could not be read from the answers"
NOTES: Table[str, NoteKind] = {
    "allergy": NoteKind.ALLERGY,
    "patch_test": NoteKind.PATCH_TEST,
    "formula": NoteKind.COLOUR_FORMULA,
    "preference": NoteKind.PREFERENCE,
    "history": NoteKind.HISTORY,
    "note": NoteKind.OTHER,
}
NO = (None, "", False, 0, "0", "false", "False")


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
    """The day from a JSON API."""

    mapping: Mapping
    keys: Keys
    clock: Clock
    tls: ssl.SSLContext | bool = True

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
        mapping = self.mapping
        visits = await all_of(api, mapping.visits, values)
        more = {name: await all_of(api, part.visits, values) for name, part in mapping.more.items()}
        everything = [*visits, *(one for found in more.values() for one in found)]
        joins: dict[str, dict[str, str]] = {}
        for name, join in mapping.joins.items():
            joins |= _by_id(name, join, await self._named(api, join, everything, values))
        rolls = await self._rolls(api, visits, values)
        return {"visits": visits, "more": more, "joins": joins, "rolls": rolls}

    async def _rolls(
        self, api: Api, visits: list[Any], values: Table[str, str]
    ) -> dict[str, list[Any]]:
        """Ask for the roll of each class that takes place and has somebody in it, by its id."""
        mapping, found = self.mapping, dict[str, list[Any]]()
        if mapping.roll is None:
            return found
        for item in visits:
            ref = text_of(item, mapping.columns.id)
            nobody = count_of(text_of(item, mapping.columns.booked)) == 0
            if ref and not nobody and _status(item, mapping) not in GONE:
                about = {**values, "visit": quote(ref, safe="")}
                found[ref] = await all_of(api, mapping.roll.listing, about)
        return found

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

    async def _named(
        self, api: Api, join: Join, visits: list[Any], values: Table[str, str]
    ) -> list[Any]:
        """Give the entries of a join."""
        found: list[Any] = []
        for extra in _chunks(join, visits):
            listing = join.listing
            asked = Listing(
                listing.path, {**listing.params, **extra}, listing.items, listing.paging
            )
            found += await all_of(api, asked, values)
        return found


def _by_id(name: str, join: Join, found: list[Any]) -> dict[str, dict[str, str]]:
    """Give what a join says of each id: the name, and what else of a client it was asked for."""
    asked = {name: join.name, f"{name}.phone": join.phone, f"{name}.email": join.email}
    return {
        key: {text_of(one, join.id): text_of(one, place) for one in found}
        for key, place in asked.items()
        if place
    }


def _chunks(join: Join, visits: list[Any]) -> Iterator[dict[str, str]]:
    """Give the extra parameters of each question of a join."""
    if not join.ids:
        yield {}
        return
    ids = sorted({one for visit in visits if (one := text_of(visit, join.ids))})
    for begin in range(0, len(ids), join.chunk):
        yield {join.param: ",".join(ids[begin : begin + join.chunk])}


def read_visits(body: bytes, span: Span, mapping: Mapping) -> Reading:
    """Read what fetch() gathered; raises DaybookError."""
    try:
        found = json.loads(body)
        joins, rolls = found["joins"], found.get("rolls", {})
        parts = [("", mapping, found["visits"])]
        parts += [
            (k, _as_part(mapping, part), found["more"][k]) for k, part in mapping.more.items()
        ]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise DaybookError(NOT_READ) from None
    gathering = Gathering(mapping.label, span)
    for name, part, visits in parts:
        for item in visits:
            try:
                visit = _visit(item, part, joins, span.zone)
                gathering.add(
                    replace(visit, ref=f"{name} {visit.ref}")
                    if name
                    else replace(visit, attendees=_attendees(rolls.get(visit.ref), mapping.roll))
                )
            except BAD_ENTRY:
                gathering.reject()
    if gathering.is_too_large:
        raise DaybookError(f"{mapping.label} gave more entries than a few days can have")
    return gathering.reading()


def _as_part(mapping: Mapping, part: Part) -> Mapping:
    """Give the mapping as it reads entries of this part."""
    return replace(mapping, columns=part.columns, statuses=part.statuses, flags=part.flags)


def _attendees(
    found: list[Any] | None, roll: Roll | None
) -> tuple[tuple[Person, Status, str], ...]:
    """Read the roll of a class: who it is, how they stand, and their places."""
    if not found or roll is None:
        return ()

    def attendee(one: Any) -> tuple[Person, Status, str]:
        ref, name, phone, email, spot = (
            text_of(one, place) if place else ""
            for place in (roll.id, roll.name, roll.phone, roll.email, roll.spot)
        )
        return Person(ref, name, phone, email), _flag(one, roll.flags) or Status.BOOKED, spot

    return tuple(attendee(one) for one in found)


def _visit(item: Any, mapping: Mapping, joins: Joins, zone: str) -> Visit:
    """Read one entry; raises one of BAD_ENTRY when it has no id or no time."""
    columns = mapping.columns
    ref = text_of(item, columns.id)
    if not ref:
        raise ValueError("no id")
    start, marks = wall_of(text_of(item, columns.start), mapping.time, zone)
    end = _end(item, mapping, start, zone)

    def text(expression: str) -> str:
        return text_of(item, expression, joins) if expression else ""

    notes = (
        note for name, kind in NOTES.items() for note in told(kind, text(getattr(columns, name)))
    )
    return Visit(
        ref=ref,
        start_wall=start,
        end_wall=end,
        service=text(columns.service),
        member=text(columns.member),
        room=text(columns.room),
        status=_status(item, mapping),
        person=Person(
            ref=text(columns.client_id),
            name=text(columns.client),
            phone=text(columns.phone),
            email=text(columns.email),
            notes=tuple(notes),
        ),
        marks=marks,
        price=money_of(
            text(columns.price),
            text(columns.currency) or mapping.currency,
            minor=mapping.minor_units,
        ),
        paid=_yes_no(item, columns.paid),
        capacity=count_of(text(columns.capacity)),
        booked=count_of(text(columns.booked)),
    )


def _end(item: Any, mapping: Mapping, start: float, zone: str) -> float:
    columns = mapping.columns
    if columns.end and (end := text_of(item, columns.end)):
        return wall_of(end, mapping.time, zone)[0]
    minutes = float(text_of(item, columns.minutes) or 0.0) if columns.minutes else 0.0
    seconds = float(text_of(item, columns.seconds) or 0.0) if columns.seconds else 0.0
    return start + 60.0 * minutes + seconds


def _status(item: Any, mapping: Mapping) -> Status:
    """Give the first flag that is raised, else what the status says; unknown words are UNKNOWN."""
    if (flag := _flag(item, mapping.flags)) is not None:
        return flag
    said = text_of(item, mapping.columns.status) if mapping.columns.status else ""
    return mapping.statuses.get(said, Status.UNKNOWN) if said else Status.NOT_SAID


def _flag(item: Any, flags: Table[str, Status]) -> Status | None:
    return next((status for place, status in flags.items() if dig(item, place) not in NO), None)


def _yes_no(item: Any, place: str) -> bool | None:
    found = dig(item, place) if place else None
    if found is None:
        return None
    return found if isinstance(found, bool) else str(found).casefold() in ("yes", "true", "paid")


def _moment(wall: float) -> str:
    return dt.datetime.fromtimestamp(wall, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
