"""A booking from paper, put into a contract fake of Square."""

from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook.square import Square
from edge_watchdog.daybook.square_write import SquareBack
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome
from tests.daybook.clouds_fake import Cloud, cloud

NOON = SystemClock().now().wall
BOOKING = Booking("entry-1", NOON, NOON + 2700, "Colour", "Anna B.", "Mia K")


@pytest.fixture
def key(tmp_path) -> str:
    file = tmp_path / "key"
    file.write_text("k-1")
    return str(file)


def routes(create: Any = None, notes: tuple[str, ...] = (), team: int = 1) -> dict[str, Any]:
    def bookings(request: web.Request) -> Any:
        if request.method == "GET":
            return {"bookings": [{"id": "b", "seller_note": note} for note in notes]}
        return create or {"booking": {"id": "new"}}

    member = {"id": "t1", "given_name": "Mia", "family_name": "K"}
    item = {"item_data": {"name": "Colour", "variations": [{"id": "v1", "version": 3}]}}
    return {
        "v2/bookings": bookings,
        "v2/team-members/search": lambda _: {"team_members": [member] * team},
        "v2/catalog/search": lambda _: {"objects": [item]},
    }


def back(at: Cloud, key: str) -> SquareBack:
    return SquareBack(Square("L", key, SystemClock(), at.url))


async def test_a_booking_is_sent_once_with_its_key(key) -> None:
    async with cloud(**routes()) as at:
        assert await back(at, key).book(BOOKING) is Outcome.CREATED
        sent = at.bodies[-1]
    assert sent["idempotency_key"] == "entry-1"
    assert "entry-1" in sent["booking"]["seller_note"]
    assert sent["booking"]["appointment_segments"] == [
        {
            "team_member_id": "t1",
            "service_variation_id": "v1",
            "service_variation_version": 3,
            "duration_minutes": 45,
        }
    ]


@pytest.mark.parametrize(
    "made, outcome",
    [
        (routes(notes=("Anna B. [entry-1]",)), Outcome.ALREADY),
        (routes(team=2), Outcome.REFUSED),
        (routes(create=web.Response(status=400)), Outcome.REFUSED),
        (routes(create=web.Response(status=502)), Outcome.UNKNOWN),
        ({}, Outcome.REFUSED),
    ],
)
async def test_what_became_of_a_booking_is_told(key, made, outcome) -> None:
    async with cloud(**made) as at:
        assert await back(at, key).book(BOOKING) is outcome


async def test_an_unknown_outcome_is_read_back(key) -> None:
    async with cloud(**routes(notes=("x [entry-1]",))) as at:
        assert await back(at, key).find("entry-1") is True
        assert await back(at, key).find("entry-2") is False
    assert await back(at, key).find("entry-1") is None


NINE = 1795251600.0  # Saturday 21 November 2026, 09:00 UTC
SEGMENT = {"team_member_id": "t1", "service_variation_id": "v1", "duration_minutes": 45}
MOVE = Change("entry-9", "b1", NINE, NINE + 7200, NINE + 7200 + 2700)
CANCEL = Change("entry-9", "b1", NINE, is_cancelled=True)


class Held:
    """One booking at Square, with its version, as the Bookings API v2 changes it.

    *breaks*: what is answered to a change instead; with *done*, after it was done.
    """

    def __init__(self, breaks: int = 0, *, done: bool = False, **changes: object) -> None:
        self.breaks, self.done = breaks, done
        self.writes: list[Any] = []
        start = "2026-11-21T09:00:00Z"
        self.booking: dict[str, Any] = {
            "id": "b1", "version": 4, "status": "ACCEPTED", "start_at": start,
            "location_id": "L", "appointment_segments": [SEGMENT], **changes,
        }  # fmt: skip

    def routes(self, at: Cloud) -> dict[str, Any]:
        def one(request: web.Request) -> Any:
            return (
                {"booking": self.booking} if request.method == "GET" else self.take(at.bodies[-1])
            )

        return {"v2/bookings/b1": one, "v2/bookings/b1/cancel": lambda _: self.take(at.bodies[-1])}

    def take(self, sent: dict[str, Any]) -> Any:
        self.writes.append(sent)
        version = sent.get("booking_version", sent.get("booking", {}).get("version"))
        if version != self.booking["version"]:
            return web.Response(status=400)
        if not self.breaks or self.done:
            more = sent.get("booking", {"status": "CANCELLED_BY_SELLER"})
            self.booking |= {**more, "version": version + 1}
        return web.Response(status=self.breaks) if self.breaks else {"booking": self.booking}


async def changing(key: str, held: Held, change: Change) -> tuple[Outcome, Changed | None]:
    async with cloud() as at:
        at.routes |= held.routes(at)
        return await back(at, key).change(change), await back(at, key).changed(change)


async def test_a_booking_is_moved_with_its_version_and_key(key) -> None:
    held = Held()
    assert await changing(key, held, MOVE) == (Outcome.CREATED, Changed.DONE)
    (sent,) = held.writes
    assert sent["idempotency_key"] == "entry-9"
    assert sent["booking"] == {
        "version": 4,
        "location_id": "L",
        "start_at": "2026-11-21T11:00:00Z",
        "appointment_segments": [SEGMENT],
    }
    assert await changing(key, held, MOVE) == (Outcome.ALREADY, Changed.DONE)
    assert len(held.writes) == 1


async def test_a_booking_is_cancelled_with_its_version_and_key(key) -> None:
    held = Held()
    assert await changing(key, held, CANCEL) == (Outcome.CREATED, Changed.DONE)
    assert held.writes == [{"idempotency_key": "entry-9", "booking_version": 4}]


@pytest.mark.parametrize(
    "held, change, outcome, stands, writes",
    [
        (Held(status="CANCELLED_BY_CUSTOMER"), MOVE, Outcome.REFUSED, Changed.GONE, 0),
        (Held(status="CANCELLED_BY_CUSTOMER"), CANCEL, Outcome.ALREADY, Changed.DONE, 0),
        (Held(start_at="2026-11-21T09:30:00Z"), CANCEL, Outcome.REFUSED, Changed.OTHERWISE, 0),
        (Held(status="NO_SHOW"), CANCEL, Outcome.REFUSED, Changed.OTHERWISE, 0),
        (Held(start_at="soon"), MOVE, Outcome.REFUSED, Changed.OTHERWISE, 0),
        (Held(version=None), MOVE, Outcome.REFUSED, None, 0),
        (Held(appointment_segments=[SEGMENT] * 2), MOVE, Outcome.REFUSED, Changed.AS_SEEN, 0),
        (Held(409), MOVE, Outcome.REFUSED, Changed.AS_SEEN, 1),
        (Held(502), MOVE, Outcome.UNKNOWN, Changed.AS_SEEN, 1),
        (Held(502, done=True), MOVE, Outcome.CREATED, Changed.DONE, 1),
    ],
)
async def test_what_became_of_a_change_is_told(key, held, change, outcome, stands, writes) -> None:
    assert await changing(key, held, change) == (outcome, stands)
    assert len(held.writes) == writes


async def test_a_longer_visit_of_one_service_keeps_its_pause(key) -> None:
    held = Held(appointment_segments=[{**SEGMENT, "intermission_minutes": 10}])
    longer = Change("entry-9", "b1", NINE, NINE, NINE + 3600)
    assert (await changing(key, held, longer))[0] is Outcome.ALREADY  # the begin is what tells
    later = Change("entry-9", "b1", NINE, NINE + 3600, NINE + 7200)
    assert (await changing(key, held, later))[0] is Outcome.CREATED
    assert held.writes[0]["booking"]["appointment_segments"][0]["duration_minutes"] == 50


async def test_a_square_that_does_not_answer_is_not_known(key) -> None:
    async with cloud() as at:
        assert await back(at, key).change(MOVE) is Outcome.REFUSED
        assert await back(at, key).changed(MOVE) is None
