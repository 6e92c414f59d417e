"""What CalDAV says in XML: requests as bytes, answers as plain values.

RFC 4918 (multistatus), RFC 4791 (calendars), RFC 6578 (sync-collection), and the getctag of
calendarserver.org.  An answer with a DTD or entities is refused before anything is built of it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from edge_watchdog.daybook import DaybookError, Span
from edge_watchdog.daybook.blocks import WEB_PAGE

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
SERVER = "{http://calendarserver.org/ns/}"
NOT_DAV = "what came is no answer of a CalDAV server"
CHUNK_BYTES = 2**16
MARGIN = timedelta(days=1)  # a day in the studio's zone touches three days in UTC

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<{0} xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:S="http://calendarserver.org/ns/">{1}</{0}>'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of a multistatus: where, and the properties it has; *status* 0 when not said."""

    href: str
    status: int
    properties: Mapping[str, Element]

    def text(self, name: str) -> str:
        """Give the text of a property, "" when it has none."""
        found = self.properties.get(name)
        return (found.text or "").strip() if found is not None else ""

    def href_in(self, name: str) -> str:
        """Give the address inside a property, "" when there is none."""
        found = self.properties.get(name)
        return (found.findtext(f"{DAV}href") or "").strip() if found is not None else ""

    @property
    def is_calendar(self) -> bool:
        """Tell whether this is a collection of appointments (not of tasks alone)."""
        kind = self.properties.get(f"{DAV}resourcetype")
        if kind is None or kind.find(f"{CAL}calendar") is None:
            return False
        parts = self.properties.get(f"{CAL}supported-calendar-component-set")
        names = {part.get("name", "").upper() for part in parts} if parts is not None else set()
        return not names or "VEVENT" in names


@dataclass(frozen=True, slots=True)
class Multistatus:
    """All that one request gave; *sync_token* is where the next sync-collection begins."""

    answers: tuple[Answer, ...]
    sync_token: str = ""


def propfind() -> bytes:
    """Ask what a place is, and where the user's calendars are."""
    return _request(
        "propfind",
        "<prop><resourcetype/><displayname/><current-user-principal/><sync-token/>"
        "<C:calendar-home-set/><C:supported-calendar-component-set/><S:getctag/></prop>",
    )


def window_query(span: Span) -> bytes:
    """Ask for the tags of all entries that touch *span*, repeated ones included."""
    start, end = (
        (datetime.fromtimestamp(wall, UTC) + margin).strftime("%Y%m%dT%H%M%SZ")
        for wall, margin in ((span.start_wall, -MARGIN), (span.end_wall, MARGIN))
    )
    return _query(f'<C:time-range start="{start}" end="{end}"/>')


def uid_query(uid: str) -> bytes:
    """Ask for the tags of the entries of *uid*, wherever they lie."""
    return _query(
        '<C:prop-filter name="UID"><C:text-match collation="i;octet">'
        f"{escape(uid)}</C:text-match></C:prop-filter>"
    )


def multiget(hrefs: Iterable[str]) -> bytes:
    """Ask for entries by their places."""
    places = "".join(f"<href>{escape(href)}</href>" for href in hrefs)
    return _request("C:calendar-multiget", f"<prop><getetag/><C:calendar-data/></prop>{places}")


def sync_collection(token: str) -> bytes:
    """Ask what changed since *token*."""
    return _request(
        "sync-collection",
        f"<sync-token>{escape(token)}</sync-token><sync-level>1</sync-level>"
        "<prop><getetag/></prop>",
    )


async def read_multistatus(body: bytes) -> Multistatus:
    """Understand an answer, in a thread; raises DaybookError."""
    return await asyncio.to_thread(_read, body)


def _request(name: str, inside: str) -> bytes:
    return _HEAD.format(name, inside).encode("utf-8")


def _query(condition: str) -> bytes:
    return _request(
        "C:calendar-query",
        '<prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR">'
        f'<C:comp-filter name="VEVENT">{condition}</C:comp-filter></C:comp-filter></C:filter>',
    )


def _read(body: bytes) -> Multistatus:
    parser = DefusedXMLParser(forbid_dtd=True)
    try:
        # In pieces, so that the thread of the pages gets its turn between them.
        for start in range(0, len(body), CHUNK_BYTES):
            parser.feed(body[start : start + CHUNK_BYTES])
        root = parser.close()
    except (ParseError, DefusedXmlException, ValueError):
        web_page = b"<html" in body[:2000].lower()
        raise DaybookError(WEB_PAGE if web_page else NOT_DAV) from None
    if root.tag != f"{DAV}multistatus":
        raise DaybookError(WEB_PAGE if root.tag.lower().endswith("html") else NOT_DAV)
    answers = tuple(_answer(one) for one in root.findall(f"{DAV}response"))
    return Multistatus(answers, (root.findtext(f"{DAV}sync-token") or "").strip())


def _answer(response: Element) -> Answer:
    found: dict[str, Element] = {}
    for part in response.findall(f"{DAV}propstat"):
        if _status(part) in (0, 200):
            found |= {one.tag: one for one in part.findall(f"{DAV}prop/*")}
    href = (response.findtext(f"{DAV}href") or "").strip()
    return Answer(href, _status(response), found)


def _status(part: Element) -> int:
    """Read "HTTP/1.1 404 Not Found"; 0 when no status is given."""
    words = (part.findtext(f"{DAV}status") or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
