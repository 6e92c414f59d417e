"""What was written on paper, put into Square: one request each, guarded by its idempotency key.

A booking is moved or cancelled with the version that was read just before, so that a change that
somebody made meanwhile is never overwritten.  Nobody is created and nothing is paid there.  A
booking whose service or team member Square does not know by exactly that name is refused here; a
person enters it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.api import Api, RefusedError, open_api
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.shape import TimeRule, text_of, wall_of
from edge_watchdog.daybook.square import STATUSES, Square, moment
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome

DAY_S = 86400.0
BACK_S, AHEAD_S = 2 * DAY_S, 28 * DAY_S  # Square shows 31 days at a time


class SquareBack:
    """Square as a source that takes bookings (Bookings API v2, CreateBooking)."""

    def __init__(self, source: Square) -> None:
        self._source = source

    async def book(self, booking: Booking) -> Outcome:
        """Put *booking* in unless its uid is there already; never raises, never tries twice."""
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                if await self._has(api, booking.uid):
                    return Outcome.ALREADY
                segment = await _segment(api, booking)
        except DaybookError:
            return Outcome.REFUSED  # nothing was sent yet that changes anything
        if segment is None:
            return Outcome.REFUSED
        return await self._create(booking, segment)

    async def find(self, uid: str) -> bool | None:
        """Tell whether the booking is there; None when that could not be learnt."""
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                return await self._has(api, uid)
        except DaybookError:
            return None

    async def change(self, change: Change) -> Outcome:
        """Move or cancel the booking with the change's ref, if it is as it was seen."""
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                booking = await _one(api, change.ref)
        except DaybookError:
            return Outcome.REFUSED  # nothing was sent yet that changes anything
        state = _state_of(booking, change)
        if state is Changed.DONE:
            return Outcome.ALREADY
        wanted = None if change.is_cancelled else _moved(booking, change)
        if state is not Changed.AS_SEEN or (wanted is None and not change.is_cancelled):
            return Outcome.REFUSED
        outcome = await self._send(change, booking, wanted)
        if outcome is Outcome.UNKNOWN and await self.changed(change) is Changed.DONE:
            return Outcome.CREATED
        return outcome

    async def changed(self, change: Change) -> Changed | None:
        """Tell how the booking stands now."""
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                return _state_of(await _one(api, change.ref), change)
        except DaybookError:
            return None

    async def _send(
        self, change: Change, booking: Mapping[str, Any], wanted: Mapping[str, Any] | None
    ) -> Outcome:
        path, key = f"v2/bookings/{quote(change.ref, safe='')}", {"idempotency_key": change.uid}
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                if wanted is None:
                    sent = {**key, "booking_version": booking["version"]}
                    answer = await api.post(f"{path}/cancel", sent)
                else:
                    answer = await api.put(path, {**key, "booking": wanted})
        except RefusedError:
            return Outcome.REFUSED
        except DaybookError:
            return Outcome.UNKNOWN
        return Outcome.CREATED if text_of(answer, "booking.id") else Outcome.UNKNOWN

    async def _create(self, booking: Booking, segment: dict[str, Any]) -> Outcome:
        wanted = {
            "location_id": self._source.location,
            "start_at": moment(booking.start_wall),
            "seller_note": _note(booking),
            "appointment_segments": [segment],
        }
        try:
            async with open_api(await self._source.account(), self._source.clock) as api:
                sent = {"idempotency_key": booking.uid, "booking": wanted}
                answer = await api.post("v2/bookings", sent)
        except RefusedError:
            return Outcome.REFUSED
        except DaybookError:
            return Outcome.UNKNOWN
        return Outcome.CREATED if text_of(answer, "booking.id") else Outcome.UNKNOWN

    async def _has(self, api: Api, uid: str) -> bool:
        now = self._source.clock.now().wall
        asked = {
            "location_id": self._source.location,
            "limit": "100",
            "start_at_min": moment(now - BACK_S),
            "start_at_max": moment(now + AHEAD_S),
        }
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await api.get("v2/bookings", tuple({**asked, **more}.items()))
            found = answer.get("bookings", []) if isinstance(answer, dict) else []
            if any(uid in text_of(one, "seller_note") for one in found):
                return True
            cursor = text_of(answer, "cursor")
            if not cursor:
                return False


async def _one(api: Api, ref: str) -> Mapping[str, Any]:
    """Get one booking as it is now; raises DaybookError."""
    answer = await api.get(f"v2/bookings/{quote(ref, safe='')}")
    booking = answer.get("booking") if isinstance(answer, dict) else None
    if not isinstance(booking, dict) or not isinstance(booking.get("version"), int):
        raise api.error("answered with something that is no booking")
    return booking


def _state_of(booking: Mapping[str, Any], change: Change) -> Changed:
    status = STATUSES.get(text_of(booking, "status"))
    if status is Status.CANCELLED:
        return Changed.DONE if change.is_cancelled else Changed.GONE
    try:
        start_wall, _ = wall_of(text_of(booking, "start_at"), TimeRule.UTC, "UTC")
    except ValueError:
        return Changed.OTHERWISE
    if not change.is_cancelled and abs(start_wall - change.start_wall) < 1:
        return Changed.DONE
    is_live = status in (Status.TENTATIVE, Status.BOOKED)
    as_seen = is_live and abs(start_wall - change.was_start_wall) < 1
    return Changed.AS_SEEN if as_seen else Changed.OTHERWISE


def _moved(booking: Mapping[str, Any], change: Change) -> dict[str, Any] | None:
    """Give the booking at its new time; None when another length cannot be told to one service."""
    segments = [dict(one) for one in booking.get("appointment_segments") or ()]
    minutes = round((change.end_wall - change.start_wall) / 60)
    lasts = sum(
        int(s.get("duration_minutes") or 0) + int(s.get("intermission_minutes") or 0)
        for s in segments
    )
    if lasts != minutes:
        if len(segments) != 1:
            return None
        segments[0]["duration_minutes"] = minutes - int(
            segments[0].get("intermission_minutes") or 0
        )
    return {
        "version": booking["version"],
        "location_id": booking.get("location_id"),
        "start_at": moment(change.start_wall),
        "appointment_segments": segments,
    }


async def _segment(api: Api, booking: Booking) -> dict[str, Any] | None:
    """Give what Square needs of service and team member; None unless each is known once."""
    team = await api.post("v2/team-members/search", {"limit": 200})
    members = [
        one
        for one in team.get("team_members", [])
        if _same(text_of(one, "given_name+family_name"), booking.member)
    ]
    wanted = {"object_types": ["ITEM"], "query": {"text_query": {"keywords": [booking.service]}}}
    catalog = await api.post("v2/catalog/search", wanted)
    variations = [
        variation
        for item in catalog.get("objects", [])
        if _same(text_of(item, "item_data.name"), booking.service)
        for variation in (item.get("item_data") or {}).get("variations") or ()
    ]
    if len(members) != 1 or len(variations) != 1:
        return None
    return {
        "team_member_id": text_of(members[0], "id"),
        "service_variation_id": text_of(variations[0], "id"),
        "service_variation_version": variations[0].get("version"),
        "duration_minutes": round((booking.end_wall - booking.start_wall) / 60),
    }


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()


def _note(booking: Booking) -> str:
    """Give the note that tells people who comes, and us which entry it was."""
    return f"{booking.client} {booking.note} [{booking.uid}]".strip()
