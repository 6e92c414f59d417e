"""Whatever a vendor's server answers, a look ends with a day or with words, never with a crash."""

import functools
import json
from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.daybook import DaybookError, Reading, ScheduleConnector
from edge_watchdog.daybook.acuity import Acuity
from edge_watchdog.daybook.mindbody import Mindbody
from edge_watchdog.daybook.square import Square
from tests.daybook.clouds_fake import CLOCK, SPAN, Cloud, cloud, rest
from tests.daybook.test_clouds_are_read import acuity_visit, mindbody_cloud, square_cloud
from tests.daybook.test_presets_hold_to_the_contracts import momence_cloud

NONSENSE: tuple[Any, ...] = (None, [], {}, 7, "x", True, [None], [7, "x"], {"x": None}, [[{}]])
ANSWERS: tuple[Any, ...] = (None, 7, "x", [None], {"x": 1})
OURS = ("joins", "kinds", "team")  # texts that the look itself has put together
CLOUDS = {
    "acuity": {"appointments": lambda _: [acuity_visit()]},
    "square": square_cloud(),
    "mindbody": mindbody_cloud("2026-11-21T09:00:00", "2026-11-21T10:00:00"),
    "momence": momence_cloud(),
}


def source(name: str, at: Cloud, key: str) -> ScheduleConnector:
    match name:
        case "acuity":
            return Acuity("u", key, "GBP", CLOCK, at.url)
        case "square":
            return Square("L", key, CLOCK, at.url)
        case "mindbody":
            return Mindbody("-99", key, "desk", key, CLOCK, at.url)
    return rest(name, at, key, "o@x.example", client_id="c", client_secret="s")


def places(found: Any) -> list[tuple[Any, ...]]:
    """Give the way to every part of *found*."""
    ways: list[tuple[Any, ...]] = [()]
    inside = dict(enumerate(found)) if isinstance(found, list) else found
    for step, part in inside.items() if isinstance(inside, dict) else ():
        ways += [(step, *way) for way in places(part)]
    return ways


def is_theirs(name: str, way: tuple[Any, ...]) -> bool:
    """Tell whether the vendor wrote what stands there, and not the look."""
    if name == "acuity":
        return len(way) > 0
    return len(way) > 1 and len(way) > 1 + (way[0] in ("more", "rolls")) and way[0] not in OURS


def changed(found: Any, way: tuple[Any, ...], by: Any) -> Any:
    """Give *found* with *by* at the end of *way*."""
    if not way:
        return by
    copy = dict(found) if isinstance(found, dict) else list(found)
    copy[way[0]] = changed(copy[way[0]], way[1:], by)
    return copy


def say(answer: Any, _request: web.Request) -> web.Response:
    return web.json_response(answer)


@pytest.mark.parametrize("name", CLOUDS)
async def test_an_answer_that_makes_no_sense_is_a_day_or_words(name, key) -> None:
    async with cloud(**CLOUDS[name]) as at:
        one, good = source(name, at, key), dict(at.routes)
        for path in good:
            for answer in ANSWERS:
                at.routes = {**good, path: functools.partial(say, answer)}
                told = ""
                try:
                    fetched = await one.fetch(SPAN)
                    assert isinstance(await one.read(fetched.body or b"", SPAN), Reading)
                except DaybookError as error:
                    told = str(error)
                assert at.url not in told


@pytest.mark.parametrize("name", CLOUDS)
async def test_nonsense_anywhere_in_what_came_is_a_day_or_words(name, key) -> None:
    async with cloud(**CLOUDS[name]) as at:
        one = source(name, at, key)
        body = json.loads((await one.fetch(SPAN)).body or b"")
    days = 0
    for way in [way for way in places(body) if is_theirs(name, way)]:
        for by in NONSENSE:
            told = ""
            try:
                reading = await one.read(json.dumps(changed(body, way, by)).encode(), SPAN)
                days += isinstance(reading, Reading)
            except DaybookError as error:
                told = str(error)
            assert "Anna" not in told
    assert days > len(NONSENSE)  # much of it is nothing that a day needs
