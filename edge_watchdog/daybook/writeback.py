"""The way back: one booking or change, written down while the vendor was away, put into a source.

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


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of an appointment that is there; *ref* is the source's own id of it.

    *uid* is the entry's own id.  It began at *was_start_wall* when the entry was written; with
    another begin now, somebody changed it meanwhile and nothing is done.  *is_cancelled*, or it
    moves to [start, end) with the same team member.  Times: seconds since 1970.
    """

    uid: str
    ref: str
    was_start_wall: float
    start_wall: float = 0.0
    end_wall: float = 0.0
    is_cancelled: bool = False


class Changed(StrEnum):
    """How an appointment stands that was to be changed."""

    DONE = "as wanted"
    AS_SEEN = "as it was"
    OTHERWISE = "otherwise"
    GONE = "gone"


class WriteBack(Protocol):
    """A source that takes bookings and changes."""

    async def book(self, booking: Booking) -> Outcome:
        """Put *booking* in unless its uid is there already.

        Never raises for what the network or the server does: an answer that did not come is
        UNKNOWN, and nothing was tried a second time.
        """

    async def find(self, uid: str) -> bool | None:
        """Tell whether the booking is there; None when that could not be learnt."""

    async def change(self, change: Change) -> Outcome:
        """Change an appointment, once, if it is still as it was seen; CREATED: it was done.

        Never raises for what the network or the server does.  ALREADY: it was so before.
        """

    async def changed(self, change: Change) -> Changed | None:
        """Tell how the appointment stands now; None when that could not be learnt."""
