"""What was written on paper goes into the vendor's system by itself, as far as the owner lets it.

Findings and ways in, moves in the journal out.  The rule: noted first as "outcome not known", then
sent, once; what is not known is read back, and the rest is for a person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_watchdog.core.units import Returned
from edge_watchdog.daybook.freshness import FRESH_S
from edge_watchdog.daybook.paper import Entry, Kind, PaperError, State, Visit
from edge_watchdog.daybook.paper_back import (
    CHANGES,
    SENT,
    Verdict,
    booking_of,
    change_of,
    changeable,
    is_unsure,
    read_back,
    read_back_change,
    send,
    sendable,
    source_for,
)
from edge_watchdog.daybook.reconcile import Finding
from edge_watchdog.daybook.writeback import WriteBack
from edge_watchdog.desk.paperdesk import PaperDesk

LEAVE: Mapping[Kind, Returned] = {
    Kind.BOOKING: Returned.BOOKING,
    Kind.RESCHEDULE: Returned.RESCHEDULE,
    Kind.CANCEL: Returned.CANCEL,
}
BOOKINGS_ONLY = frozenset({Returned.BOOKING})


@dataclass(slots=True)
class GiveBack:
    """The ways back, by source, and what the owner lets the box send there.

    *has_left* tells whether a source's budget has enough left for one; else it waits.
    """

    paper: PaperDesk
    writers: Mapping[str, WriteBack] = field(default_factory=dict)
    takes: Mapping[str, frozenset[Returned]] = field(default_factory=dict)
    has_left: Callable[[str], bool] = lambda _source: True

    async def all(self, findings: Sequence[Finding]) -> None:
        """Send what may be sent, while the list is fresh; read back what is not known."""
        for one in findings:
            draft = one.entry.draft
            if draft is None or not isinstance(draft.content, Visit) or draft.kind not in LEAVE:
                continue
            if draft.kind in CHANGES:
                await self._change(one, draft.content)
            else:
                await self._book(one, draft.content)

    async def _book(self, one: Finding, visit: Visit) -> None:
        members = {
            name: [a.member for a in state.good.reading.appointments]
            for name, state in self.paper.sources().items()
            if state.good and self._may(name, Kind.BOOKING)
        }
        source = source_for(visit, members)
        if source is None or not self.has_left(source):
            return
        writer = self.writers[source]
        if is_unsure(one.entry, self.paper.now_wall()):
            await self.paper.note(one.entry.number, await read_back(writer, one.entry.id))
        elif self._is_fresh(visit) and sendable(one) and await self._claimed(one.entry):
            verdict = await send(writer, booking_of(one.entry, visit))
            await self.paper.note(one.entry.number, verdict)

    async def _change(self, one: Finding, visit: Visit) -> None:
        entry, draft = one.entry, one.entry.draft
        if draft is None or not self._may(draft.source, draft.kind):
            return
        if not self.has_left(draft.source):
            return
        writer = self.writers[draft.source]
        if is_unsure(entry, self.paper.now_wall()):
            change = change_of(entry, visit, entry.moves[-1].ref)
            await self.paper.note(entry.number, await read_back_change(writer, change))
            return
        row = self.paper.find(draft.appointment_key)[1]
        if row is None or not changeable(one, row) or not self._is_fresh(visit):
            return
        if await self._claimed(entry, row.ref):
            verdict = await send(writer, change_of(entry, visit, row.ref))
            await self.paper.note(entry.number, verdict)

    async def _claimed(self, entry: Entry, ref: str = "") -> bool:
        """Note that it is being sent; False when a person was quicker and keeps it."""
        try:
            await self.paper.note(entry.number, Verdict(State.UNKNOWN, SENT), ref)
        except PaperError:
            return False
        return True

    def _may(self, source: str, kind: Kind) -> bool:
        return source in self.writers and LEAVE[kind] in self.takes.get(source, BOOKINGS_ONLY)

    def _is_fresh(self, visit: Visit) -> bool:
        known = self.paper.known(self.paper.local.day(visit.start_wall))
        return known.age_s is not None and known.age_s <= FRESH_S and not known.trouble
