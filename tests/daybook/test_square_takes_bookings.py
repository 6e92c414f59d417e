"""A booking from paper, put into a contract fake of Square."""

from typing import Any

import pytest
from aiohttp import web

from edge_watchdog.clock import SystemClock
from edge_watchdog.daybook.square import Square
from edge_watchdog.daybook.square_write import SquareBack
from edge_watchdog.daybook.writeback import Booking, Outcome
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
