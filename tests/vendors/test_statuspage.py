import asyncio
import time
from email.utils import formatdate

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.model import VendorLevel as L
from edge_watchdog.core.units import Url
from edge_watchdog.vendors.registry import READERS, StatusPageOptions
from edge_watchdog.vendors.statuspage import StatusPage
from tests.patience import air
from tests.vendors.pages import APP, component, incident, leaves, summary
from tests.vendors.servers import serving, session

MANNERS = {
    "Cache-Control": "max-age=10, public, s-maxage=10, stale-while-revalidate=20",
    "ETag": 'W/"abc"',
    "Age": "3",
}


class Page:
    """A status page that says what it is told to, and keeps what it was asked."""

    def __init__(self, body=None, *, status=200, headers=MANNERS, content_type="application/json"):
        self.body = summary() if body is None else body
        self.status = status
        self.headers = headers
        self.content_type = content_type
        self.asked: list[web.Request] = []

    async def __call__(self, request):
        self.asked.append(request)
        tag = self.headers.get("ETag")
        if self.status == 200 and tag and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=self.headers)
        headers = dict(self.headers)
        if self.content_type:
            headers["Content-Type"] = self.content_type
        return web.Response(status=self.status, body=self.body, headers=headers)


async def read(page, *, times=1, total_s=10.0):
    async with serving(page) as port, session() as web_session:
        url = f"http://status.example:{port}"
        reader = StatusPage(url, (), SystemClock(), total_s=total_s)
        reports = [await reader.read(web_session) for _ in range(times)]
    return reader, reports


async def test_the_summary_is_asked_for_politely():
    page = Page()
    _, (report,) = await read(page)
    assert report.level is L.OPERATIONAL
    (request,) = page.asked
    assert request.path == "/api/v2/summary.json"
    assert request.headers["User-Agent"].startswith("edge-watchdog/")
    assert "If-None-Match" not in request.headers


async def test_the_age_of_a_cached_answer_is_taken_off():
    _, (report,) = await read(Page())
    assert report.as_of_wall == pytest.approx(time.time() - 3, abs=1)
    assert report.at.wall == pytest.approx(time.time(), abs=1)


async def test_an_unchanged_page_is_asked_for_conditionally_and_keeps_its_verdict():
    page = Page(summary(components=leaves(app="major_outage")))
    _, reports = await read(page, times=2)
    assert [r.level for r in reports] == [L.MAJOR_OUTAGE] * 2
    assert page.asked[1].headers["If-None-Match"] == 'W/"abc"'
    assert reports[1].as_of_wall > reports[0].as_of_wall


async def test_what_was_not_understood_is_asked_for_in_full_again():
    page = Page(summary()[:-30])
    _, reports = await read(page, times=2)
    assert [r.reason for r in reports] == ["not_json"] * 2
    assert "If-None-Match" not in page.asked[1].headers


async def test_a_cache_that_serves_an_old_green_page_is_not_believed():
    _, (report,) = await read(Page(headers={"Age": "3000"}))
    assert (report.level, report.reason) == (L.UNKNOWN, "stale: 3000 s old")
    assert report.as_of_wall == pytest.approx(time.time() - 3000, abs=1)


@pytest.mark.parametrize(
    "page, reason",
    [
        (Page(b"<title>All Systems Operational</title>", content_type="text/html"), "not_json"),
        (Page(content_type="text/html"), "not_json: text/html"),
        (Page(b""), "not_json"),
        (Page(b"x" * (2 * 1024 * 1024 + 1)), "too_large"),
        (Page(b"", status=404, content_type=""), "http_404"),
        (Page(status=500), "http_500"),
        (Page(status=304, headers={}, body=b""), "http_304"),
        (Page(status=204, body=b""), "http_204"),
    ],
)
async def test_anything_but_a_summary_is_unknown_with_a_reason(page, reason):
    _, (report,) = await read(page)
    assert report.level is L.UNKNOWN
    assert report.reason.startswith(reason)


@pytest.mark.parametrize(
    "target, reason",
    [
        ("https://sso.example/login", "redirected: to sso.example"),
        ("//sso.example/login", "redirected: to sso.example"),
        ("mailto:x@example", "redirected: to nowhere"),
        ("/api/v2/summary.json", "redirected: in a circle"),
        ("ftp://status.example/", "redirected: to an unprotected page"),
    ],
)
async def test_a_redirect_that_leaves_the_page_is_refused(target, reason):
    async def move(_):
        raise web.HTTPFound(target)

    _, (report,) = await read(move)
    assert (report.level, report.reason) == (L.UNKNOWN, reason)


async def test_a_redirect_within_the_page_is_followed():
    async def move(request):
        if request.path == "/api/v2/summary.json":
            raise web.HTTPFound("/v2/summary.json")
        return web.Response(body=summary(), content_type="application/json")

    _, (report,) = await read(move)
    assert report.level is L.OPERATIONAL


async def test_a_page_that_cannot_be_reached_says_so():
    async with session() as web_session:
        closed = StatusPage("http://127.0.0.1:9", (), SystemClock())
        unknown = StatusPage("http://status.nowhere", (), SystemClock())
        assert (await closed.read(web_session)).reason == "unreachable: connection refused"
        assert (await unknown.read(web_session)).reason == "unreachable: status.nowhere: NXDOMAIN"


async def test_a_page_that_breaks_off_is_unreachable():
    async def tear(request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        response.content_type = "application/json"
        await response.prepare(request)
        await response.write(b'{"page":')
        request.transport.abort()
        return response

    _, (report,) = await read(tear)
    assert report.reason.startswith("unreachable")


@pytest.mark.parametrize(
    "header, fresh_s",
    [
        ("max-age=10, public", 10),
        ("public, max-age=120", 120),
        ("s-maxage=90", 10),
        ("max-age=99999999", 600),
        ("no-store", 10),
        ("", 10),
    ],
)
async def test_an_answer_stays_fresh_as_long_as_the_page_says(header, fresh_s):
    reader, _ = await read(Page(headers={"Cache-Control": header}))
    assert reader.fresh_s == fresh_s


@pytest.mark.parametrize(
    "page, rest_s",
    [
        (Page(), 0),
        (Page(status=429, headers={"Retry-After": "120"}), 120),
        (Page(status=429, headers={}), 60),
        (Page(status=403, headers={}), 60),
        (Page(status=503, headers={"Retry-After": "90"}), 90),
        (Page(status=503, headers={"Retry-After": "99999"}), 600),
        (Page(status=503, headers={"Retry-After": "soon"}), 0),
        (Page(status=503, headers={}), 0),
    ],
)
async def test_a_page_that_asks_for_rest_is_heard(page, rest_s):
    reader, _ = await read(page)
    assert reader.rest_s == rest_s


async def test_a_date_to_come_back_at_is_understood():
    when = formatdate(time.time() + 200, usegmt=True)
    reader, _ = await read(Page(status=503, headers={"Retry-After": when}))
    assert reader.rest_s == pytest.approx(200, abs=3)


async def test_refusals_in_a_row_lengthen_the_rest_up_to_ten_minutes():
    page = Page(status=403, headers={})
    rests = []
    async with serving(page) as port, session() as web_session:
        reader = StatusPage(f"http://status.example:{port}", (), SystemClock())
        for _ in range(6):
            await reader.read(web_session)
            rests.append(reader.rest_s)
        page.status = 200
        await reader.read(web_session)
        rests.append(reader.rest_s)
        page.status = 403
        await reader.read(web_session)
        rests.append(reader.rest_s)
    assert rests == [60, 120, 240, 480, 600, 600, 0, 60]


async def test_a_component_chosen_by_name_keeps_its_identity_when_renamed():
    page = Page(headers={})
    async with serving(page) as port, session() as web_session:
        reader = StatusPage(f"http://status.example:{port}", ("Booking app",), SystemClock())
        assert (await reader.read(web_session)).level is L.OPERATIONAL
        page.body = summary(components=[component(APP, "Bookings", "partial_outage")])
        assert (await reader.read(web_session)).level is L.PARTIAL_OUTAGE


async def test_an_incident_reaches_the_report_whole():
    _, (report,) = await read(Page(summary(incidents=[incident(APP)])))
    assert (report.level, report.title) == (L.PARTIAL_OUTAGE, "Bookings fail to save")
    assert report.started_wall == 1_780_488_000.0


async def test_a_page_given_by_its_summary_is_asked_there():
    page = Page()
    async with serving(page) as port, session() as web_session:
        options = StatusPageOptions(Url(f"http://status.example:{port}/feed/summary.json"))
        reader = options.build(SystemClock())
        assert (await reader.read(web_session)).level is L.OPERATIONAL
    assert page.asked[0].path == "/feed/summary.json"
    assert READERS["statuspage"] is StatusPageOptions


async def test_a_silent_page_costs_no_more_than_its_time():

    async def hang(_):
        await asyncio.sleep(30)

    begin = time.monotonic()
    _, (report,) = await read(hang, total_s=0.2)
    assert report.reason == "unreachable: no answer in time"
    assert time.monotonic() - begin < air(2)
