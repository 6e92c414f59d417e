"""The table route x role x connection, walked over every route of the desk half as it is built.

Roles come from real cookies.  What is private stands in the kept day: a full name, a telephone
number, an address and a note; nobody but a signed-in person on a secure connection reads it.
"""

import asyncio
import base64
import itertools
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import Appointment, Reading, Span
from edge_watchdog.daybook.freshness import Stamp
from edge_watchdog.daybook.model import Client, Note, NoteKind, Status
from edge_watchdog.daybook.people import People, Visitor
from edge_watchdog.daybook.seal import open_seal
from edge_watchdog.daybook.store import Snapshot, open_store
from edge_watchdog.desk.access import RANKS, ROUTES, Route, Who
from edge_watchdog.desk.app import _build
from tests.desk.doors import OPEN_LINE, PASSWORD, PIN
from tests.desk.studio import ZONE, settings
from tests.desk.whole import served_both_ways

KEY = "c0ffee00c0ffee00"
PRIVATE = ("Quillfeather", "01632 960777", "annabel@mail.example", "PPD patch")
SCHEMES = ("http", "https")
TOGETHER = pytest.mark.asyncio(loop_scope="module")
STREAM_S = 0.3


@dataclass
class Box:
    """A built desk half, served both ways."""

    routes: tuple[Route, ...]
    urls: dict[str, str]
    people: People
    device: str
    mia: int
    session: aiohttp.ClientSession

    async def badges(self, role: Who, scheme: str) -> dict[str, str]:
        """Give the cookies of *role*, with a session of its own."""
        prefix = "__Host-" if scheme == "https" else ""
        device = self.people.device_of(self.device)
        by = Visitor("192.0.2.7", device, scheme == "https")
        if role is Who.LAN:
            return {}
        found = {f"{prefix}ew_device": self.device}
        if role is Who.STAFF:
            token = await self.people.sign_in(self.mia, PIN, by)
            found[f"{prefix}ew_session"] = token
        if role is Who.OWNER:
            token = await self.people.sign_in_owner(PASSWORD, by)
            found[f"{prefix}ew_session"] = token
        return found

    async def ask(
        self, method: str, path: str, scheme: str, badges: dict[str, str]
    ) -> tuple[int, str, str]:
        """Ask as a page of ours would; gives status, text and Cache-Control."""
        url = self.urls[scheme]
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in badges.items()), "Origin": url}
        headers |= OPEN_LINE if scheme == "http" else {}
        async with self.session.request(
            method,
            url + path,
            headers=headers,
            data=b"" if method == "POST" else None,
            allow_redirects=False,
            ssl=False,
        ) as answer:
            body = b""
            try:
                async with asyncio.timeout(STREAM_S if path.startswith("/live") else 30):
                    async for part in answer.content.iter_any():
                        body += part
            except TimeoutError:
                pass
            kept = answer.headers.get("Cache-Control", "")
            return answer.status, readable(body), kept


def readable(body: bytes) -> str:
    """Give the text of an answer; of a PDF, that of its compressed pages."""
    if not body.startswith(b"%PDF"):
        return body.decode(errors="replace")
    pages = re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL)
    texts = []
    for page in pages:
        try:
            texts.append(zlib.decompress(base64.a85decode(page.strip(), adobe=False)))
        except (ValueError, zlib.error):
            texts.append(page)
    return b"".join(texts).decode("latin-1")


def filled(path: str) -> str:
    """Give an address that a route answers."""
    for name, value in {"key": KEY, "day": "today", "number": "1", "name": "x.js"}.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def kept_day() -> Snapshot:
    clock = SystemClock().now()
    today = datetime.fromtimestamp(clock.wall, UTC).astimezone(ZoneInfo(ZONE)).date()
    span = Span(today, 2, ZONE)
    start = span.start_wall + 9 * 3600
    visit = Appointment(
        "a1", start, start + 3600, False, "Mia", "Cut", "Annabel Q.", "", Status.BOOKED,
        client_key=KEY,
    )  # fmt: skip
    name, phone, email, note = PRIVATE
    notes = (Note(NoteKind.ALLERGY, note, today),)
    client = Client(KEY, f"Annabel {name}", phone, email, notes)
    at = Stamp(Instant(clock.mono, clock.wall), "boot")
    return Snapshot("front desk", span, at, at, "", "x", Reading((visit,), 0, (client,)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box(tmp_path_factory):
    folder = tmp_path_factory.mktemp("box")
    made = settings(folder, tls_port=1)
    (folder / "state").mkdir(mode=0o700)
    database = str(folder / "state" / "daybook.sqlite")
    store = open_store(database, open_seal(made.key_file, "daybook"))
    store.keep(kept_day())
    store.close()
    rooms = await _build(made, SystemClock())
    people = rooms.entrance.people
    await people.set_up(lambda _code: True, "x", PASSWORD, Visitor("192.0.2.7"))
    device = await people.pair_as("tablet")
    mia = (await people.put_person("Mia", PIN)).id
    runner, urls = await served_both_ways(rooms)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Box(rooms.app[ROUTES], urls, people, device, mia, session)
    rooms.hub.close()
    await runner.cleanup()
    people.close()
    rooms.store.close()
    rooms.paper.close()


@TOGETHER
async def test_every_route_is_open_to_those_it_says_and_shows_private_things_to_them_alone(
    box,
) -> None:
    wrong, spilt, seen = [], [], set()
    for route in box.routes:
        # a PDF is drawn by a child process: the two ends of the ladder will do
        is_slow = route.path.endswith(".pdf")
        roles = (Who.LAN, Who.STAFF) if is_slow and route.method == "GET" else RANKS
        if is_slow and route.method == "HEAD":
            continue
        for scheme, role in itertools.product(SCHEMES, roles):
            badges = await box.badges(role, scheme)
            status, text, kept = await box.ask(route.method, filled(route.path), scheme, badges)
            may = RANKS.index(role) >= RANKS.index(route.who)
            if (status != 401) is not may or status == 500:
                wrong.append((route.method, route.path, scheme, role, status))
            found = [word for word in PRIVATE if word in text]
            allowed = scheme == "https" and role in (Who.STAFF, Who.OWNER)
            seen |= set(found) if allowed else set()
            if found and (not allowed or "no-store" not in kept):
                spilt.append((route.path, scheme, role, found, kept))
    assert wrong == []
    assert spilt == []
    assert seen == set(PRIVATE)  # or the walk would prove nothing


@TOGETHER
async def test_details_that_are_locked_or_of_a_session_that_ended_are_not_shown(box) -> None:
    badges = await box.badges(Who.STAFF, "https")
    token = badges["__Host-ew_session"]
    (session, _) = box.people.session_of(token, secure=True) or pytest.fail("no session")
    assert PRIVATE[1] in (await box.ask("GET", f"/client/{KEY}", "https", badges))[1]
    box.people._active[session.token] -= 301
    for path in (f"/client/{KEY}", "/book", "/next"):
        assert not [w for w in PRIVATE if w in (await box.ask("GET", path, "https", badges))[1]]
    await box.people.sign_out(session)
    assert (await box.ask("GET", f"/client/{KEY}", "https", badges))[0] == 401


@TOGETHER
async def test_whoever_sees_something_private_stands_in_the_record_by_key_and_not_by_name(
    box,
) -> None:
    box.people._active.clear()
    badges = await box.badges(Who.STAFF, "https")
    for path in (f"/client/{KEY}", "/book", "/next"):
        assert (await box.ask("GET", path, "https", badges))[0] == 200
    audit = await box.people.audit()
    looks = {(one.look.person, one.look.screen) for one in audit.entries}
    assert looks >= {("Mia", "book"), ("Mia", "next")}
    assert KEY in {one.look.subject for one in audit.entries}
    assert not [word for word in (*PRIVATE, "Annabel") if word in repr(audit)]


@TOGETHER
async def test_a_form_of_a_signed_in_person_needs_the_token_of_their_browser(box) -> None:
    wrong = []
    for route in box.routes:
        if route.method != "POST" or route.who is Who.LAN:
            continue
        badges = await box.badges(route.who, "https")
        status, _, _ = await box.ask("POST", filled(route.path), "https", badges)
        if status != 403:
            wrong.append((route.path, status))
    assert wrong == []
