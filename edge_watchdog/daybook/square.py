"""Square Appointments (Bookings API v2): bookings by cursor, then the names they point to.

"start_at_min" is always given: without it Square begins at this moment, and the morning vanishes.
A cursor lives five minutes; a look that outlives one is begun once more.
"""

import asyncio
import datetime as dt
import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.api import Account, Api, open_api
from edge_watchdog.daybook.gathering import Gathering, Person, Visit
from edge_watchdog.daybook.keyfile import read_secret
from edge_watchdog.daybook.model import Money, Note, NoteKind, PriceItem, Status
from edge_watchdog.daybook.rest_read import BAD_ENTRY, NOT_READ
from edge_watchdog.daybook.shape import Joins, TimeRule, dig, text_of, wall_of

BASE_URL = "https://connect.squareup.com"
API_VERSION = "2026-05-20"
LABEL = "Square"
A_PAGE = "100"
CHUNK = 100
STATUSES: Mapping[str, Status] = {
    "PENDING": Status.TENTATIVE,
    "ACCEPTED": Status.BOOKED,
    "DECLINED": Status.CANCELLED,
    "CANCELLED_BY_CUSTOMER": Status.CANCELLED,
    "CANCELLED_BY_SELLER": Status.CANCELLED,
    "NO_SHOW": Status.NO_SHOW,
}


@dataclass(frozen=True, slots=True)
class Square:
    """The bookings of one location."""

    location: str
    key_file: str
    clock: Clock
    base_url: str = BASE_URL
    tls: ssl.SSLContext | bool = True

    async def account(self) -> Account:
        """Give whom to ask, with the key; raises DaybookError."""
        key = await asyncio.to_thread(read_secret, self.key_file)
        headers = {"Authorization": f"Bearer {key}", "Square-Version": API_VERSION}
        return Account(LABEL, self.base_url, headers, self.tls)

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - no tokens
        """Ask for the bookings of *span* and their names; raises DaybookError."""
        async with open_api(await self.account(), self.clock) as api:
            try:
                bookings = await self._bookings(api, span)
            except DaybookError as error:
                if error.after_s is not None or api.requests < 2:
                    raise
                bookings = await self._bookings(api, span)  # the cursor may have run out
            body = {
                "bookings": bookings,
                "customers": await _customers(api, bookings),
                "team": await _team(api),
                "catalog": await _catalog(api, bookings),
            }
            text = json.dumps(body, separators=(",", ":"))
            return Fetched(text.encode(), age_s=api.age_s or 0.0, requests=api.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a thread; raises DaybookError."""
        return await asyncio.to_thread(read_bookings, body, span)

    async def _bookings(self, api: Api, span: Span) -> list[Any]:
        asked = {
            "location_id": self.location,
            "limit": A_PAGE,
            "start_at_min": moment(span.start_wall),
            "start_at_max": moment(span.end_wall),
        }
        found: list[Any] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await api.get("v2/bookings", tuple({**asked, **more}.items()))
            found += _list(api, answer, "bookings")
            cursor = text_of(answer, "cursor")
            if not cursor:
                return found


async def _customers(api: Api, bookings: Iterable[Any]) -> dict[str, Any]:
    ids = sorted({one for b in bookings if (one := text_of(b, "customer_id"))})
    found: dict[str, Any] = {}
    for begin in range(0, len(ids), CHUNK):
        chunk = {"customer_ids": ids[begin : begin + CHUNK]}
        answer = await api.post("v2/customers/bulk-retrieve", chunk)
        responses = dig(answer, "responses")
        for key, one in responses.items() if isinstance(responses, dict) else ():
            found[key] = dig(one, "customer") or {}
    return found


async def _team(api: Api) -> dict[str, str]:
    answer = await api.post("v2/team-members/search", {"limit": 200})
    members = _list(api, answer, "team_members")
    return {text_of(one, "id"): text_of(one, "given_name+family_name") for one in members}


async def _catalog(api: Api, bookings: Iterable[Any]) -> list[Any]:
    """Give the service variations that the bookings name, and the items they belong to."""
    lists = [dig(b, "appointment_segments") for b in bookings]
    segments = [s for one in lists if isinstance(one, list) for s in one]
    ids = sorted({one for s in segments if (one := text_of(s, "service_variation_id"))})
    found: list[Any] = []
    for begin in range(0, len(ids), CHUNK):
        chunk = {"object_ids": ids[begin : begin + CHUNK], "include_related_objects": True}
        answer = await api.post("v2/catalog/batch-retrieve", chunk)
        found += _list(api, answer, "objects") + _list(api, answer, "related_objects")
    return found


def _list(api: Api, answer: object, name: str) -> list[Any]:
    """Give a list of an answer; Square leaves out what is empty."""
    found = answer.get(name, []) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise api.error("answered with something that is not its list")
    return found


def read_bookings(body: bytes, span: Span) -> Reading:
    """Read what fetch() gathered; raises DaybookError."""
    try:
        found = json.loads(body)
        team, customers = found["team"], found["customers"]
        services = _services(found["catalog"])
        bookings = found["bookings"]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise DaybookError(NOT_READ) from None
    gathering = Gathering(LABEL, span)
    for item in bookings:
        try:
            gathering.add(_visit(item, {"team": team}, customers, services))
        except BAD_ENTRY:
            gathering.reject()
    return gathering.reading(tuple(sorted(services.values(), key=lambda one: one.name)))


def _services(catalog: Iterable[Any]) -> dict[str, PriceItem]:
    """Give name, price and length of each service variation, by its id."""
    objects = list(catalog)
    items = {one["id"]: text_of(one, "item_data.name") for one in objects if "item_data" in one}
    found = {}
    for one in objects:
        data = one.get("item_variation_data")
        if data is None:
            continue
        own, whole = text_of(data, "name"), items.get(text_of(data, "item_id"), "")
        name = whole if own in ("", "Regular", whole) else f"{whole} {own}".strip()
        price = data.get("price_money") or {}
        length_ms = data.get("service_duration")
        found[one["id"]] = PriceItem(
            name,
            Money(int(price["amount"]), str(price["currency"])) if "amount" in price else None,
            minutes=int(length_ms) // 60_000 if length_ms else None,
        )
    return found


def _visit(
    item: Mapping[str, Any],
    joins: Joins,
    customers: Mapping[str, Any],
    services: Mapping[str, PriceItem],
) -> Visit:
    start, marks = wall_of(item["start_at"], TimeRule.UTC, "UTC")
    segments = item["appointment_segments"]
    minutes = sum(
        int(s.get("duration_minutes") or 0) + int(s.get("intermission_minutes") or 0)
        for s in segments
    )
    what = [services[i] for s in segments if (i := s.get("service_variation_id")) in services]
    notes = [n for n in (text_of(item, "customer_note"), text_of(item, "seller_note")) if n]
    ref = text_of(item, "customer_id")
    customer = customers.get(ref, {})
    return Visit(
        ref=str(item["id"]),
        start_wall=start,
        end_wall=start + 60.0 * minutes,
        service=", ".join(one.name for one in what),
        member=text_of(segments[0], "@team:team_member_id", joins) if segments else "",
        status=STATUSES.get(str(item.get("status")), Status.UNKNOWN),
        person=Person(
            ref=ref,
            name=text_of(customer, "given_name+family_name|company_name"),
            phone=text_of(customer, "phone_number"),
            email=text_of(customer, "email_address"),
            notes=tuple(Note(NoteKind.OTHER, text) for text in notes),
        ),
        marks=marks,
        price=_sum(what),
    )


def _sum(services: list[PriceItem]) -> Money | None:
    """Give the price of all together; None when one has none."""
    prices = [one.price for one in services]
    if not prices or None in prices or len({p.currency for p in prices if p}) != 1:
        return None
    known = [one for one in prices if one]
    return Money(sum(one.minor for one in known), known[0].currency)


def moment(wall: float) -> str:
    """Give RFC 3339 text in UTC."""
    return dt.datetime.fromtimestamp(wall, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
