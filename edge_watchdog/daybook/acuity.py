"""Acuity Scheduling, API v1 (developers.acuityscheduling.com): one question a day, no pages.

Its "time" and "endTime" are texts for people ("10:15am"); only "datetime", with an offset, and
"duration", minutes as text, are read.  There is no cursor: a day that fills a whole answer is
refused, because nobody could say what is missing.  It names no spot: who is in a class comes as an
appointment each.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError, Fetched, Reading, Span
from edge_watchdog.daybook.api import Account, open_api
from edge_watchdog.daybook.gathering import Gathering, Person, Visit
from edge_watchdog.daybook.keyfile import read_secret
from edge_watchdog.daybook.model import Note, NoteKind, Status
from edge_watchdog.daybook.rest_read import BAD_ENTRY, NOT_READ
from edge_watchdog.daybook.shape import TimeRule, money_of, text_of, wall_of

BASE_URL = "https://acuityscheduling.com/api/v1"
MOST_A_DAY = 1000
LABEL = "Acuity"


@dataclass(frozen=True, slots=True)
class Acuity:
    """The appointments of one account; *currency* is that of its prices, which come without."""

    user_id: str
    key_file: str
    currency: str
    clock: Clock
    base_url: str = BASE_URL
    tls: ssl.SSLContext | bool = True

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - no tokens
        """Ask for each day of *span*, cancelled ones too; raises DaybookError."""
        key = await asyncio.to_thread(read_secret, self.key_file)
        pair = base64.b64encode(f"{self.user_id}:{key}".encode()).decode("ascii")
        headers = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        account = Account(LABEL, self.base_url, headers, self.tls)
        found: list[Any] = []
        async with open_api(account, self.clock) as api:
            for day in span.dates:
                fixed = {"max": str(MOST_A_DAY), "showall": "true", "direction": "ASC"}
                asked = {"minDate": day.isoformat(), "maxDate": day.isoformat(), **fixed}
                answer = await api.get("appointments", tuple(asked.items()))
                if not isinstance(answer, list):
                    raise api.error("answered with something that is not its list")
                if len(answer) >= MOST_A_DAY:
                    raise api.error(f"has {MOST_A_DAY} or more entries on one day")
                found += answer
            body = json.dumps(found, separators=(",", ":")).encode()
            return Fetched(body, age_s=api.age_s or 0.0, requests=api.requests)

    async def read(self, body: bytes, span: Span) -> Reading:
        """Read in a thread; raises DaybookError."""
        return await asyncio.to_thread(read_appointments, body, span, self.currency)


def read_appointments(body: bytes, span: Span, currency: str) -> Reading:
    """Read the answers; raises DaybookError."""
    try:
        found = json.loads(body)
    except ValueError:
        raise DaybookError(NOT_READ) from None
    gathering = Gathering(LABEL, span)
    for item in found:
        try:
            gathering.add(_visit(item, span.zone, currency))
        except BAD_ENTRY:
            gathering.reject()
    return gathering.reading()


def _visit(item: Mapping[str, Any], zone: str, currency: str) -> Visit:
    start, marks = wall_of(item["datetime"], TimeRule.OFFSET, zone)
    note = text_of(item, "notes")
    paid = text_of(item, "paid").casefold()
    return Visit(
        ref=str(item["id"]),
        start_wall=start,
        end_wall=start + 60.0 * float(item["duration"]),
        service=text_of(item, "type"),
        member=text_of(item, "calendar"),
        room=text_of(item, "location"),
        status=_status(item),
        person=Person(
            # Acuity has no id of a client; the address, or the telephone, tells two Annas apart
            ref=text_of(item, "email|phone").casefold(),
            name=text_of(item, "firstName+lastName"),
            phone=text_of(item, "phone"),
            email=text_of(item, "email"),
            notes=(Note(NoteKind.OTHER, note),) if note else (),
        ),
        marks=marks,
        price=money_of(item.get("price"), currency),
        paid={"yes": True, "no": False}.get(paid),
    )


def _status(item: Mapping[str, Any]) -> Status:
    if item.get("canceled"):
        return Status.CANCELLED
    return Status.NO_SHOW if item.get("noShow") else Status.BOOKED
