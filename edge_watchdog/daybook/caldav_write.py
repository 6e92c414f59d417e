"""The way back over CalDAV: a booking becomes a new entry, a move or a cancellation changes one.

A new entry has ``If-None-Match: *`` on an address made of the booking's own id: the same booking
sent twice is refused by the server (412).  A change has ``If-Match`` with the ETag that was read
together with the text that is changed; a cancelled entry stays, marked as such.  The rule: a
request whose end is not known is not repeated; what became of it is read back.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from yarl import URL

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.blocks import unfolded
from edge_watchdog.daybook.caldav import CalDav, Collection, entries
from edge_watchdog.daybook.caldav_change import Found, changed_text, find_event, state_of
from edge_watchdog.daybook.caldav_client import Dav
from edge_watchdog.daybook.caldav_xml import uid_query
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.web import open_session, plain_errors
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome

FOLD_BYTES = 75  # RFC 5545, 3.1


@dataclass(frozen=True, slots=True)
class _Seen:
    """An entry as it is on the server just now."""

    url: URL
    etag: str
    event: Found


class CalDavWriter:
    """Writes into the calendars of one CalDAV source; a WriteBack."""

    def __init__(self, source: CalDav, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    async def book(self, booking: Booking) -> Outcome:
        """Put *booking* into its member's calendar, or the only one there is."""
        entry = entry_of(booking, self._source.title)
        return await self.put_new(booking.uid, entry, booking.member)

    async def put_new(self, uid: str, ics_bytes: bytes, member: str = "") -> Outcome:
        """Put a calendar of one entry with this *uid* in, unless the uid is there.

        Never raises for the network or the server.  REFUSED: nothing was written.
        """
        try:
            async with self._conversation() as dav:
                calendar = _whose(await self._source.calendars(dav), member)
        except DaybookError:
            return Outcome.REFUSED  # it was not even sent
        if calendar is None:
            return Outcome.REFUSED
        url = calendar.url.joinpath(f"{quote(uid, safe='')}.ics", encoded=True)
        outcome = await self._put(url, ics_bytes, {"If-None-Match": "*"})
        if outcome is Outcome.UNKNOWN and await self.find(uid):
            return Outcome.CREATED
        return outcome

    async def find(self, uid: str) -> bool | None:
        """Tell whether an entry of *uid* is in any of the calendars; None when not learnt."""
        try:
            async with self._conversation() as dav:
                calendars = await self._source.calendars(dav)
                return any([await _holds(dav, one, uid) for one in calendars])
        except DaybookError:
            return None

    async def change(self, change: Change) -> Outcome:
        """Move or cancel the one entry with the change's ref, if it is as it was seen."""
        try:
            seen = await self._seen(change.ref)
        except DaybookError:
            return Outcome.REFUSED  # nothing was sent that changes anything
        if len(seen) != 1 or not seen[0].etag:
            return Outcome.REFUSED
        state = state_of(seen[0].event, change)
        if state is Changed.DONE:
            return Outcome.ALREADY
        text = changed_text(seen[0].event, change, self._clock.now().wall)
        if state is not Changed.AS_SEEN or text is None:
            return Outcome.REFUSED
        body = "\r\n".join(map(_folded, text.split("\r\n"))).encode("utf-8")
        outcome = await self._put(seen[0].url, body, {"If-Match": seen[0].etag})
        if outcome is Outcome.ALREADY:  # refused: it is no longer what was seen
            return Outcome.REFUSED
        if outcome is Outcome.UNKNOWN and await self.changed(change) is Changed.DONE:
            return Outcome.CREATED
        return outcome

    async def changed(self, change: Change) -> Changed | None:
        """Tell how the entry stands now."""
        try:
            seen = await self._seen(change.ref)
        except DaybookError:
            return None
        if not seen:
            return Changed.GONE
        return state_of(seen[0].event, change) if len(seen) == 1 else Changed.OTHERWISE

    async def _seen(self, uid: str) -> list[_Seen]:
        """Give every entry of this uid that is a single appointment; raises DaybookError."""
        found: list[_Seen] = []
        async with self._conversation() as dav:
            for calendar in await self._source.calendars(dav):
                for path, (etag, text) in (await _matching(dav, calendar, uid)).items():
                    event = find_event(text, uid)
                    if event is not None:
                        url = calendar.url.with_path(path)
                        found.append(_Seen(url, etag, event))
        return found

    async def _put(self, url: URL, ics_bytes: bytes, guard: Mapping[str, str]) -> Outcome:
        headers = {**guard, "Content-Type": "text/calendar; charset=utf-8"}
        try:
            async with self._conversation() as dav:
                reply = await dav.put(url, ics_bytes, headers)
        except DaybookError:
            return Outcome.UNKNOWN
        if reply.status in (200, 201, 204):
            return Outcome.CREATED
        if reply.status == 412 or (reply.status == 409 and b"no-uid-conflict" in reply.body):
            return Outcome.ALREADY
        return Outcome.UNKNOWN if reply.status >= 500 else Outcome.REFUSED

    @contextlib.asynccontextmanager
    async def _conversation(self) -> AsyncIterator[Dav]:
        with plain_errors():
            async with open_session(self._source.tls) as session:
                yield self._source.conversation(session)


def _whose(calendars: Sequence[Collection], member: str) -> Collection | None:
    """Choose the member's calendar; where there is one only, that."""
    if len(calendars) == 1:
        return calendars[0]
    folded = member.casefold()
    return next((one for one in calendars if one.name.casefold() == folded), None)


async def _holds(dav: Dav, calendar: Collection, uid: str) -> bool:
    """Look the uid up."""
    found = await _matching(dav, calendar, uid)
    line = f"UID:{_text(uid)}"
    return any(line in unfolded(text).splitlines() for _, text in found.values())


async def _matching(dav: Dav, calendar: Collection, uid: str) -> dict[str, tuple[str, str]]:
    """Give, by place, ETag and text of what may be it: servers match parts, or do not filter."""
    listed = await dav.multistatus("REPORT", calendar.url, uid_query(uid), depth=1)
    paths = [calendar.url.join(URL(one.href, encoded=True)).path for one in listed.answers]
    return await entries(dav, calendar, paths)


def entry_of(booking: Booking, title: Title = Title.SERVICE_CLIENT) -> bytes:
    """Give a calendar (RFC 5545) of one entry; times in UTC, text escaped, lines folded.

    The same booking gives the same bytes; so DTSTAMP is the begin, not the moment of writing.
    """
    start, end = _utc(booking.start_wall), _utc(max(booking.end_wall, booking.start_wall))
    parts = [booking.service, booking.client]
    if title is Title.CLIENT_SERVICE:
        parts.reverse()
    summary = " - ".join(part for part in parts if part)
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//edge_watchdog//day book//EN"),
        *("BEGIN:VEVENT", f"UID:{_text(booking.uid)}", f"DTSTAMP:{start}"),
        *(f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{_text(summary)}", "STATUS:CONFIRMED"),
    ]
    lines += [f"LOCATION:{_text(booking.room)}"] if booking.room else []
    lines += [f"DESCRIPTION:{_text(booking.note)}"] if booking.note else []
    lines += ["END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(_folded(line) for line in lines).encode("utf-8")


def _utc(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n"), ("\r", "")):
        value = value.replace(plain, escaped)
    return value


def _folded(line: str) -> str:
    parts, size = [""], 0
    for sign in line:
        width = len(sign.encode("utf-8"))
        if size + width > FOLD_BYTES:
            parts, size = [*parts, " "], 1
        parts[-1] += sign
        size += width
    return "\r\n".join(parts)
