"""A way back that pays: each request is taken from its source's budget before it is sent.

A WriteBack in, the same with a purse out.  Where a request cannot be noted it is not sent, and the
writer treats it as one that did not get through.
"""

from dataclasses import dataclass

from edge_watchdog.daybook.ledger import Pay, paying
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome, WriteBack

AT_ONCE = 8  # requests to have at hand before one begins: looking, sending, reading back


@dataclass(frozen=True, slots=True)
class Paid:
    """What *writer* does, with *pay* before each of its requests; a WriteBack."""

    writer: WriteBack
    pay: Pay

    async def book(self, booking: Booking) -> Outcome:
        """Put *booking* in unless its uid is there already."""
        with paying(self.pay):
            return await self.writer.book(booking)

    async def find(self, uid: str) -> bool | None:
        """Tell whether the booking is there; None when that could not be learnt."""
        with paying(self.pay):
            return await self.writer.find(uid)

    async def change(self, change: Change) -> Outcome:
        """Change an appointment, once, if it is still as it was seen."""
        with paying(self.pay):
            return await self.writer.change(change)

    async def changed(self, change: Change) -> Changed | None:
        """Tell how the appointment stands now; None when that could not be learnt."""
        with paying(self.pay):
            return await self.writer.changed(change)
