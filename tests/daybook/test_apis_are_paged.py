"""Paging of every style, refusals, and mappings with mistakes."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, Mark, Span
from edge_watchdog.daybook.api import MOST_BYTES
from edge_watchdog.daybook.clouds import (
    AcuityOptions,
    MindbodyOptions,
    RestOptions,
    SquareOptions,
)
from edge_watchdog.daybook.mapping import (
    Columns,
    Listing,
    Mapping,
    Pages,
    Paging,
    Part,
    read_mapping,
)
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.rest import Keys, RestSource
from edge_watchdog.daybook.shape import TimeRule, dig, money_of, text_of, wall_of
from tests.daybook.clouds_fake import cloud

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
CLOCK = SystemClock()
VISITS = [{"id": n, "at": "2026-11-21T09:00:00Z"} for n in range(7)]


def source(paging: Pages, url: str) -> RestSource:
    listing = Listing("visits", {}, "items", paging)
    main = Part(listing, Columns("id", "at"))
    mapping = Mapping("BookWell", url, main, time=TimeRule.UTC)
    return RestSource(mapping, Keys(), CLOCK)


def page_style(request: web.Request) -> Any:
    begin = (int(request.query["page"]) - 1) * 3
    return {"items": VISITS[begin : begin + 3]}


def offset_style(request: web.Request) -> Any:
    begin = int(request.query["offset"])
    return {"items": VISITS[begin : begin + 3], "all": {"count": 7}}


def cursor_style(request: web.Request) -> Any:
    begin = int(request.query.get("after", "0"))
    return {"items": VISITS[begin : begin + 3], "cursor": begin + 3 if begin < 6 else None}


def next_style(request: web.Request) -> Any:
    begin = int(request.query.get("from", "0"))
    link = f"/visits?from={begin + 3}" if begin < 6 else None
    return {"items": VISITS[begin : begin + 3], "links": {"next": link}}


STYLES = [
    (Pages(), lambda _: {"items": VISITS}),
    (Pages(Paging.PAGE, size="size", most=3), page_style),
    (Pages(Paging.OFFSET, page="offset", most=3, total="all.count"), offset_style),
    (Pages(Paging.CURSOR, page="after", cursor="cursor"), cursor_style),
    (Pages(Paging.NEXT, next="links.next"), next_style),
]


@pytest.mark.parametrize("paging, answer", STYLES, ids=[str(p.style) for p, _ in STYLES])
async def test_every_style_of_paging_ends_with_all_of_it(paging, answer) -> None:
    async with cloud(visits=answer) as at:
        one = source(paging, at.url)
        reading = await one.read((await one.fetch(SPAN)).body or b"", SPAN)
    assert len(reading.appointments) == 7


@pytest.mark.parametrize("heals", [True, False])
async def test_a_list_that_shrinks_while_it_is_read_is_read_again_once(heals) -> None:
    rounds = []

    def shrinking(request: web.Request) -> Any:
        begin = int(request.query["offset"])
        rounds.append(begin)
        steady = heals and rounds.count(0) > 1
        total = 7 if begin == 0 or steady else 6
        return {"items": VISITS[begin : begin + 3], "total": total}

    async with cloud(visits=shrinking) as at:
        one = source(Pages(Paging.OFFSET, page="offset", most=3, total="total"), at.url)
        if heals:
            assert b'"id":6' in ((await one.fetch(SPAN)).body or b"")
        else:
            with pytest.raises(DaybookError, match="changed its list"):
                await one.fetch(SPAN)


def refused(status: int, **headers: str) -> Any:
    return lambda _: web.Response(status=status, headers=headers)


@pytest.mark.parametrize(
    "answer, words, after_s",
    [
        (refused(401), "refused our key", None),
        (refused(429, **{"Retry-After": "90"}), "less often", 90.0),
        (refused(429, **{"X-RateLimit-Reset": "1000"}), "less often", 1.0),
        (refused(503, **{"Retry-After": "600"}), "maintenance", 600.0),
        (refused(302, Location="https://sign-in.example/"), "another place", None),
        (refused(404), "did not understand", None),
        (lambda _: web.Response(text="<html>sign in</html>"), "not its data", None),
        (lambda _: {"items": {}}, "not its list", None),
        (lambda _: {"items": [], "links": {"next": "https://else.example/"}}, "another", None),
        (lambda _: web.Response(body=b" " * (MOST_BYTES + 1)), "more than 5 MiB", None),
    ],
)
async def test_what_is_no_day_is_refused_in_words(answer, words, after_s) -> None:
    async with cloud(visits=answer) as at:
        with pytest.raises(DaybookError, match=words) as error:
            await source(Pages(Paging.NEXT, next="links.next"), at.url).fetch(SPAN)
    assert error.value.after_s == after_s
    assert error.value.requests == 1
    assert at.url not in str(error.value)


async def test_nobody_there_is_said_in_words() -> None:
    async with cloud() as at:
        url = at.url
    with pytest.raises(DaybookError, match="BookWell could not be reached"):
        await source(Pages(), url).fetch(SPAN)


async def test_entries_without_id_or_time_are_counted_and_left_out() -> None:
    odd = [{"at": "2026-11-21T09:00:00Z"}, {"id": 1, "at": "soon"}, VISITS[0]]
    async with cloud(visits=lambda _: {"items": odd}) as at:
        one = source(Pages(), at.url)
        reading = await one.read((await one.fetch(SPAN)).body or b"", SPAN)
    assert (len(reading.appointments), reading.rejected) == (1, 2)


async def test_a_status_nobody_knows_is_unknown_and_a_flag_comes_first() -> None:
    one = source(Pages(), "http://127.0.0.1")
    main = replace(
        one.mapping.main,
        columns=replace(one.mapping.main.columns, status="state"),
        statuses={"ok": Status.BOOKED},
        flags={"came": Status.ARRIVED},
    )
    mapping = replace(one.mapping, main=main)
    entries = [{**VISITS[n], "state": state} for n, state in enumerate(("ok", "odd", "ok"))]
    entries[2]["came"] = True
    body = str({"visits": entries, "joins": {}}).replace("'", '"').replace("True", "true")
    reading = await replace(one, mapping=mapping).read(body.encode(), SPAN)
    found = {a.ref: a.status for a in reading.appointments}
    assert found == {"0": Status.BOOKED, "1": Status.UNKNOWN, "2": Status.ARRIVED}


@pytest.mark.parametrize(
    "text, words",
    [
        ("label = ", "Invalid value"),
        ('label = "x"', "needs path"),
        ('[visits]\npath = "v"\n[columns]\nid = "i"', "needs id, start"),
        ('[columns]\nid = "i"\nstart = "s"\nstrat = "x"', "strat is not known here"),
        ('[visits]\npath="v"\npaging={style="pages"}', '"pages" is none of none, page, offset'),
        ('[visits]\npath="v"\npaging={most="9"}', "whole number"),
        ('[statuses]\nok = "fine"', '"fine" is none of'),
        ('[visits]\npath="v"\n[columns]\nid="i"\nstart="s"', "needs label, base_url"),
        ("visits = 1", "write a table"),
        ("[columns]\nid = 1\nstart = 's'", "text in quotes"),
    ],
)
def test_a_mapping_s_mistakes_are_named_with_their_place(text, words) -> None:
    with pytest.raises(DaybookError, match=words) as error:
        read_mapping(text, "bookwell.toml")
    assert str(error.value).startswith("bookwell.toml")


def test_all_of_a_mapping_s_mistakes_come_at_once() -> None:
    text = '[columns]\nid = 1\nstart = "s"\nodd = 2\n[statuses]\nok = "fine"'
    with pytest.raises(DaybookError) as error:
        read_mapping(text, "m")
    words = ("odd is not known", "text in quotes", '"fine" is none of', "visits: is incomplete")
    assert all(one in str(error.value) for one in words)


@pytest.mark.parametrize(
    "value, rule, wall",
    [
        ("2026-11-21T04:00:00-0500", TimeRule.OFFSET, 1795251600.0),
        ("2026-11-21T09:00:00", TimeRule.UTC, 1795251600.0),
        ("2026-11-21T09:00:00", TimeRule.OFFSET, 1795251600.0),
        (1795251600, TimeRule.EPOCH_S, 1795251600.0),
        ("1795251600000", TimeRule.EPOCH_MS, 1795251600.0),
    ],
)
def test_times_are_read_by_their_rule(value, rule, wall) -> None:
    assert wall_of(value, rule, "Europe/London")[0] == wall


def test_a_time_without_its_zone_is_marked_and_nonsense_refused() -> None:
    assert wall_of("2026-11-21T09:00", TimeRule.OFFSET, "UTC")[1] == (Mark.ZONE_ASSUMED,)
    for nonsense in ("9:00am", "", "0001-01-01T00:00:00Z"):
        with pytest.raises((ValueError, OverflowError)):
            wall_of(nonsense, TimeRule.OFFSET, "UTC")


@pytest.mark.parametrize(
    "value, currency, minor, money",
    [
        ("10.00", "GBP", False, Money(1000, "GBP")),
        ("£1,250.50", "GBP", False, Money(125050, "GBP")),
        ("12,5", "EUR", False, Money(1250, "EUR")),
        (4500, "gbp", True, Money(4500, "GBP")),
        (1200, "JPY", False, Money(1200, "JPY")),
        ("4500 Ft", "HUF", False, Money(450_000, "HUF")),
        ("1.250", "KWD", False, Money(1250, "KWD")),
        ("free", "GBP", False, None),
        (None, "GBP", False, None),
        ("10", "", False, None),
    ],
)
def test_amounts_are_read_in_minor_units(value, currency, minor, money) -> None:
    assert money_of(value, currency, minor=minor) == money


def test_places_in_an_answer() -> None:
    item = {"a": [{"b": "x"}], "link": "https://h/v1/staff/7/", "first": "Anna", "no": False}
    assert dig(item, "a.0.b") == "x"
    assert dig(item, "a.1.b") is None
    assert text_of(item, "nothing|first+last") == "Anna"
    assert text_of(item, "@staff:link#last", {"staff": {"7": "Mia"}}) == "Mia"
    assert text_of(item, "no|a") == ""


@pytest.mark.parametrize(
    "make, words",
    [
        (RestOptions, "preset or mapping"),
        (lambda: RestOptions(preset="nobody"), "there are cliniko"),
        (lambda: RestOptions(preset="cliniko"), "must give shard, contact"),
        (lambda: RestOptions(preset="x", base_url=Url("http://api.example")), "https"),
        (lambda: MindbodyOptions("1", FilePath("/k"), user="u"), "password_file"),
        (lambda: SquareOptions("L", FilePath("/k"), base_url=Url("http://api.example")), "https"),
        (lambda: AcuityOptions("u", FilePath("/k"), base_url=Url("http://a.example")), "https"),
    ],
)
def test_keys_that_cannot_work_are_refused(make, words) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "options",
    [
        RestOptions(preset="zenoti", values={"center": "c"}, key_file=FilePath("/nowhere/key")),
        AcuityOptions("u", FilePath("/nowhere/key")),
        SquareOptions("L", FilePath("/nowhere/key")),
        MindbodyOptions("1", FilePath("/nowhere/key")),
    ],
)
async def test_a_key_that_is_not_there_is_named(options) -> None:
    with pytest.raises(DaybookError, match="/nowhere/key is not there"):
        await options.build(CLOCK, None).fetch(SPAN)


def test_a_mapping_of_one_s_own_is_read_when_it_is_built(tmp_path) -> None:
    file = tmp_path / "m.toml"
    options = RestOptions(mapping=FilePath(str(file)), values={"branch": "b"})
    with pytest.raises(DaybookError, match="could not be read"):
        options.build(CLOCK, None)
    text = 'label = "B"\nbase_url = "https://b.example"\nneeds = ["branch", "site"]\n'
    file.write_text(text + '[visits]\npath = "v"\n[columns]\nid = "i"\nstart = "s"\n')
    with pytest.raises(DaybookError, match="must give site"):
        options.build(CLOCK, None)
    whole = replace(options, values={"branch": "b", "site": "s"})
    assert isinstance(whole.build(CLOCK, None), RestSource)
