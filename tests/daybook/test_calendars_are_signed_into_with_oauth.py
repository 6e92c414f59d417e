"""CalDAV with OAuth 2: tokens come and go, and no secret is seen anywhere but where it belongs.

The office that gives out tokens and the gate that wants them are fakes, written after RFC 6749 (5,
6) and RFC 6750 and never run against a live service; behind the gate stands a real server.
"""

import datetime as dt
import logging
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, Span
from edge_watchdog.daybook.caldav import CalDav
from edge_watchdog.daybook.caldav_write import CalDavWriter
from edge_watchdog.daybook.ledger import paying
from edge_watchdog.daybook.registry import CalDavOptions, DavAuth
from edge_watchdog.daybook.writeback import Booking, Outcome
from tests.daybook.dav import Between, Owner, Server, between, serving
from tests.desk.studio import StepClock

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
CUT = """
DTSTART:20261121T100000Z
DTEND:20261121T110000Z
SUMMARY:Cut - Anna Berger
"""
GIVEN, SECRET = "refresh-given", "client-secret"
HOUR_S = 3600
UID = "0192f7a4-4444-7000-8000-000000000001"
BOOKING = Booking(UID, 1795273200.0, 1795276800.0, "Cut", "Anna B.")


@dataclass
class Office:
    """The authorization server (RFC 6749): *refresh* is the one refresh token that it takes."""

    refresh: str = GIVEN
    lasts_s: int | None = HOUR_S
    renews: bool = False
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    good: set[str] = field(default_factory=set)  # access tokens that hold
    url: str = ""

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.status != 200:
            return web.Response(status=self.status)
        if (form["client_id"], form.get("client_secret")) != ("studio-7", SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if (form["grant_type"], form["refresh_token"]) != ("refresh_token", self.refresh):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access = f"access-{len(self.asked)}"
        self.good = {access}
        told: dict[str, object] = {"access_token": access, "token_type": "Bearer"}
        if self.lasts_s is not None:
            told["expires_in"] = self.lasts_s
        if self.renews:
            self.refresh = told["refresh_token"] = f"refresh-{len(self.asked)}"
        return web.json_response(told)

    def lets_in(self, _way: Between, request: web.Request, _body: bytes) -> web.Response | None:
        """Stand in front of the calendars (RFC 6750)."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return None if kind == "Bearer" and token in self.good else web.Response(status=401)


@dataclass
class Studio:
    """A calendar behind a gate, and the files of whoever was let in."""

    office: Office
    way: Between
    folder: Path
    clock: StepClock = field(default_factory=StepClock)

    def options(self, **changes: object) -> CalDavOptions:
        keys: dict[str, object] = {
            "url": Url(self.way.url),
            "auth": DavAuth.OAUTH2,
            "token_url": Url(f"{self.office.url}/token"),
            "client_id": "studio-7",
            "client_secret_file": FilePath(str(self.folder / "secret")),
            "refresh_token_file": FilePath(str(self.folder / "refresh")),
            "token_file": str(self.folder / "renewed"),
            "calendars": ("Mia",),
        }
        return CalDavOptions(**{**keys, **changes})  # type: ignore[arg-type]

    def source(self, **changes: object) -> CalDav:
        return self.options(**changes).build(self.clock, None)

    @property
    def refreshed_with(self) -> list[str]:
        return [form["refresh_token"] for form in self.office.asked]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving("radicale", tmp_path_factory.mktemp("radicale")) as made:
        yield made


@pytest.fixture
async def studio(server: Server, tmp_path) -> AsyncIterator[Studio]:
    owner, office = Owner(server), Office()
    await owner.make("Mia")
    await owner.put("Mia", "0192f7a4", CUT)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "refresh").write_text(f"{GIVEN}\n")
    app = web.Application()
    app.router.add_post("/token", office.token)
    async with TestServer(app) as desk, between(server) as way:
        office.url = str(desk.make_url("/")).rstrip("/")
        way.breaks, way.adds_login = office.lets_in, True
        yield Studio(office, way, tmp_path)
    await owner.send("DELETE", f"{server.home}mia/", "")


async def test_one_token_serves_until_shortly_before_its_end(studio: Studio) -> None:
    source = studio.source()
    first = await source.fetch(SPAN)
    assert b"Anna Berger" in (first.body or b"")
    for seconds in (0, HOUR_S - 61, 2, HOUR_S):
        studio.clock.step(seconds)
        assert (await source.fetch(SPAN, first.token)).body is None
    assert len(studio.office.asked) == 3
    assert studio.office.asked[0]["client_secret"] == SECRET


async def test_a_token_that_is_refused_is_renewed_once_and_the_look_goes_on(studio: Studio) -> None:
    source, office = studio.source(), studio.office
    office.lasts_s = None
    first = await source.fetch(SPAN)
    office.good.clear()
    assert (await source.fetch(SPAN, first.token)).body is None
    assert len(office.asked) == 2
    studio.way.breaks = lambda _way, _request, _body: web.Response(status=401)
    with pytest.raises(DaybookError, match="did not accept our access token"):
        await source.fetch(SPAN, first.token)
    assert len(office.asked) == 3  # not for ever


async def test_a_refresh_token_that_is_renewed_is_kept_and_one_that_is_given_anew_counts(
    studio: Studio,
) -> None:
    studio.office.renews = True
    await studio.source().fetch(SPAN)
    kept = studio.folder / "renewed"
    assert kept.read_text().splitlines()[0] == "refresh-1"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert GIVEN not in kept.read_text()
    await studio.source().fetch(SPAN)  # after a restart
    assert studio.refreshed_with == [GIVEN, "refresh-1"]
    os.utime(studio.folder / "refresh")  # as a credential that systemd hands over at each start
    await studio.source().fetch(SPAN)
    assert studio.refreshed_with[2:] == ["refresh-2"]
    (studio.folder / "refresh").write_text("signed-in-anew")
    studio.office.refresh = "signed-in-anew"
    await studio.source().fetch(SPAN)
    assert studio.refreshed_with[3:] == ["signed-in-anew"]


async def test_without_a_file_for_it_a_renewed_token_is_remembered_until_the_end(
    studio: Studio,
) -> None:
    studio.office.renews = True
    source = studio.source(token_file="")
    for _ in range(3):
        await source.fetch(SPAN)
        studio.clock.step(HOUR_S)
    (studio.folder / "refresh").write_text("signed-in-anew")
    studio.office.refresh = "signed-in-anew"
    await source.fetch(SPAN)
    assert studio.refreshed_with == [GIVEN, "refresh-1", "refresh-2", "signed-in-anew"]
    assert not (studio.folder / "renewed").exists()


@pytest.mark.parametrize(
    "file, text, status, words",
    [
        ("refresh", "over", 200, "sign-in does not accept us: the refresh token"),
        ("secret", "other", 200, "sign-in does not accept us: the refresh token"),
        ("refresh", GIVEN, 429, "sign-in asks us to come less often"),
        ("refresh", GIVEN, 503, "sign-in has trouble"),
        ("refresh", None, 200, "refresh is not there"),
    ],
)
async def test_who_is_not_let_in_is_told_why_and_no_secret_is_seen(
    studio: Studio, caplog: pytest.LogCaptureFixture, file, text, status, words
) -> None:
    caplog.set_level(logging.DEBUG)
    studio.office.status = status
    if text is None:
        (studio.folder / file).unlink()
    else:
        (studio.folder / file).write_text(text)
    source = studio.source()
    with pytest.raises(DaybookError, match=words) as caught:
        await source.fetch(SPAN)
    assert studio.way.seen == []
    seen = f"{caught.value!r} {caplog.text} {vars(source)!r}"
    for secret in (GIVEN, SECRET, "access-", studio.office.url):
        assert secret not in seen


async def test_an_answer_without_a_token_is_no_sign_in(studio: Studio) -> None:
    async def empty(_request: web.Request) -> web.Response:
        return web.json_response({"token_type": "Bearer"})

    app = web.Application()
    app.router.add_post("/token", empty)
    async with TestServer(app) as other:
        source = studio.source(token_url=Url(str(other.make_url("/token"))))
        with pytest.raises(DaybookError, match="gave no access token"):
            await source.fetch(SPAN)


async def test_what_was_written_on_paper_goes_back_with_the_same_kind_of_sign_in(
    studio: Studio,
) -> None:
    writer = studio.options().writer(studio.clock, None)
    assert isinstance(writer, CalDavWriter)
    assert await writer.book(BOOKING) is Outcome.CREATED
    studio.office.good.clear()  # in the middle of it
    assert await writer.book(BOOKING) is Outcome.ALREADY
    assert await writer.find(BOOKING.uid) is True
    studio.office.good.clear()
    studio.office.status = 503
    assert await writer.book(BOOKING) is Outcome.REFUSED  # nothing was sent that changes anything


async def test_each_request_for_a_token_is_paid_like_the_others(studio: Studio) -> None:
    paid = []

    async def pay() -> None:
        paid.append(1)

    with paying(pay):
        await studio.source().fetch(SPAN)
    assert len(paid) == len(studio.office.asked) + len(studio.way.seen)
