"""Mindbody, Public API v6: appointments and classes of one site, names asked for sparingly.

Appointment times are the site's own clock without an offset, whatever is written behind them.  The
days are always given: without them Mindbody shows today only.  Calls are few (about a thousand a
day, then billed), so names of staff and kinds of session are asked for together.  A class's visits
name no spot: Mindbody keeps those apart (pickaspot/v1, classes of other ids), which is not read.
"""

import asyncio
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
from edge_watchdog.daybook.mapping import Listing, Pages, Paging
from edge_watchdog.daybook.model import Note, NoteKind, Status
from edge_watchdog.daybook.paging import all_of
from edge_watchdog.daybook.rest_read import BAD_ENTRY, NOT_READ
from edge_watchdog.daybook.shape import Joins, TimeRule, count_of, dig, text_of, wall_of

BASE_URL = "https://api.mindbodyonline.com/public/v6"
LABEL = "Mindbody"
A_PAGE = 100
CLIENTS_A_CALL = 20
NOTHING: Mapping[str, str] = {}
STATUSES: Mapping[str, Status] = {
    "Requested": Status.TENTATIVE,
    "Booked": Status.BOOKED,
    "Confirmed": Status.CONFIRMED,
    "Arrived": Status.ARRIVED,
    "Completed": Status.COMPLETED,
    "NoShow": Status.NO_SHOW,
    "Cancelled": Status.CANCELLED,
    "LateCancelled": Status.LATE_CANCELLED,
    "None": Status.NOT_SAID,
}


@dataclass(frozen=True, slots=True)
class Mindbody:
    """One site; *user* is a staff member of it whose rights the names need.

    *location* "" is every location of the site.
    """

    site: str
    key_file: str
    user: str
    password_file: str
    clock: Clock
    base_url: str = BASE_URL
    tls: ssl.SSLContext | bool = True
    location: str = ""

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - no tokens
        """Ask for everything of *span*; raises DaybookError."""
        key = await asyncio.to_thread(read_secret, self.key_file)
        headers = {"API-Key": key, "SiteId": self.site, "Accept": "application/json"}
        async with open_api(Account(LABEL, self.base_url, headers, self.tls), self.clock) as api:
            await self._sign_in(api)
            body = await _gather(api, span, self.location)
            text = json.dumps(body, separators=(",", ":"))
            return Fetched(text.encode(), age_s=api.age_s or 0.0, requests=api.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a thread; raises DaybookError."""
        return await asyncio.to_thread(read_site, body, span)

    async def _sign_in(self, api: Api) -> None:
        if not self.user:
            return
        password = await asyncio.to_thread(read_secret, self.password_file)
        who = {"Username": self.user, "Password": password}
        token = text_of(await api.post("usertoken/issue", who), "AccessToken")
        if not token:
            raise api.error("gave no access token")
        api.headers["Authorization"] = token


async def _gather(api: Api, span: Span, location: str) -> dict[str, Any]:
    first, last = span.first.isoformat(), span.dates[-1].isoformat()
    here = {"request.locationIds": location} if location else {}
    days = {"request.startDate": first, "request.endDate": last, **here}
    hours = {"request.startDateTime": first, "request.endDateTime": f"{last}T23:59:59", **here}
    staff = _listing("appointment/staffappointments", "Appointments", days)
    visits = await all_of(api, staff, NOTHING)
    classes = await all_of(api, _listing("class/classes", "Classes", hours), NOTHING)
    rolls = {}
    for one in classes:
        if dig(one, "IsCanceled") or count_of(dig(one, "TotalBooked")) == 0:
            continue  # calls are few
        asked = (("request.classID", text_of(one, "Id")),)
        answer = await api.get("class/classvisits", asked)
        rolls[text_of(one, "Id")] = _list(api, answer, "Class.Visits")
    ids = {text_of(one, "ClientId") for one in visits}
    ids |= {text_of(one, "ClientId") for roll in rolls.values() for one in roll}
    named = _listing("site/sessiontypes", "SessionTypes")
    kinds = await all_of(api, named, NOTHING) if visits else []
    return {
        "appointments": visits,
        "classes": classes,
        "rolls": rolls,
        "kinds": {text_of(one, "Id"): text_of(one, "Name") for one in kinds},
        "clients": await _clients(api, sorted(ids - {""})),
    }


def _listing(path: str, items: str, asked: Mapping[str, str] = NOTHING) -> Listing:
    paging = Pages(
        Paging.OFFSET,
        page="request.offset",
        size="request.limit",
        most=A_PAGE,
        total="PaginationResponse.TotalResults",
    )
    return Listing(path, asked, items, paging)


async def _clients(api: Api, ids: list[str]) -> dict[str, Any]:
    found = {}
    for begin in range(0, len(ids), CLIENTS_A_CALL):
        chunk = ids[begin : begin + CLIENTS_A_CALL]
        asked = [("request.clientIds", one) for one in chunk]
        answer = await api.get("client/clients", (*asked, ("request.limit", str(A_PAGE))))
        for one in _list(api, answer, "Clients"):
            found[text_of(one, "Id")] = one
    return found


def _list(api: Api, answer: object, place: str) -> list[Any]:
    """Give a list of an answer, nothing where it says null."""
    found = dig(answer, place)
    if found is not None and not isinstance(found, list):
        raise api.error("answered with something that is not its list")
    return found or []


def read_site(body: bytes, span: Span) -> Reading:
    """Read what fetch() gathered; raises DaybookError."""
    try:
        found = json.loads(body)
        clients, joins = found["clients"], {"kinds": found["kinds"]}
        visits, classes, rolls = found["appointments"], found["classes"], found["rolls"]
    except (ValueError, LookupError, TypeError):
        raise DaybookError(NOT_READ) from None
    gathering = Gathering(LABEL, span)
    for item in visits:
        try:
            gathering.add(_visit(item, joins, clients, span.zone))
        except BAD_ENTRY:
            gathering.reject()
    for item in classes:
        try:
            gathering.add(_class(item, rolls.get(text_of(item, "Id"), []), clients, span.zone))
        except BAD_ENTRY:
            gathering.reject()
    return gathering.reading()


def _visit(item: Mapping[str, Any], joins: Joins, clients: Mapping[str, Any], zone: str) -> Visit:
    start, marks = wall_of(item["StartDateTime"], TimeRule.LOCAL, zone)
    note = text_of(item, "Notes")
    return Visit(
        ref=f"appointment {item['Id']}",
        start_wall=start,
        end_wall=wall_of(item["EndDateTime"], TimeRule.LOCAL, zone)[0],
        service=text_of(item, "@kinds:SessionTypeId", joins),
        member=text_of(item, "Staff.DisplayName|Staff.FirstName+Staff.LastName"),
        room=text_of(item, "Resources.0.Name"),
        status=STATUSES.get(str(item.get("Status")), Status.UNKNOWN),
        person=_person(text_of(item, "ClientId"), clients, note),
        marks=marks,
    )


def _class(
    item: Mapping[str, Any], roll: Iterable[Any], clients: Mapping[str, Any], zone: str
) -> Visit:
    start, marks = wall_of(item["StartDateTime"], TimeRule.LOCAL, zone)
    return Visit(
        ref=f"class {item['Id']}",
        start_wall=start,
        end_wall=wall_of(item["EndDateTime"], TimeRule.LOCAL, zone)[0],
        service=text_of(item, "ClassDescription.Name"),
        member=text_of(item, "Staff.DisplayName|Staff.FirstName+Staff.LastName"),
        room=text_of(item, "Resource.Name|Location.Name"),
        status=Status.CANCELLED if item.get("IsCanceled") else Status.BOOKED,
        marks=marks,
        capacity=count_of(item.get("MaxCapacity")),
        booked=count_of(item.get("TotalBooked")),
        attendees=tuple(
            (_person(text_of(one, "ClientId"), clients, ""), _presence(one), "") for one in roll
        ),
    )


def _person(ref: str, clients: Mapping[str, Any], note: str) -> Person:
    known = clients.get(ref, {})
    return Person(
        ref=ref,
        name=text_of(known, "FirstName+LastName"),
        phone=text_of(known, "MobilePhone|HomePhone|WorkPhone"),
        email=text_of(known, "Email"),
        notes=tuple(
            Note(NoteKind.OTHER, text) for text in (note, text_of(known, "RedAlert")) if text
        ),
    )


def _presence(visit: Mapping[str, Any]) -> Status:
    if visit.get("LateCancelled"):
        return Status.LATE_CANCELLED
    return Status.ARRIVED if visit.get("SignedIn") else Status.BOOKED
