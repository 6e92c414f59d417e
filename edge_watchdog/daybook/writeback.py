"""The way back: one booking, written down while the vendor was away, put into a source by itself.

Only sources with a real guard against doubles offer it.  The rule: an outcome that is not known is
never tried again blindly; it is read back, and a person decides.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of a booking that was sent."""

    CREATED = "created"
    ALREADY = "already there"
    REFUSED = "refused"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be booked.  *uid* is the entry's own id: the same one, the same booking.

    Times: seconds since 1970.  *member* "" leaves it to the source; *note* is text for the entry.
    """

    uid: str
    start_wall: float
    end_wall: float
    service: str
    client: str
    member: str = ""
    room: str = ""
    note: str = ""


class WriteBack(Protocol):
    """A source that takes bookings."""

    async def book(self, booking: Booking) -> Outcome:
        """Put *booking* in unless its uid is there already.

        Never raises for what the network or the server does: an answer that did not come is
        UNKNOWN, and nothing was tried a second time.
        """

    async def find(self, uid: str) -> bool | None:
        """Tell whether the booking is there; None when that could not be learnt."""
