"""What the box enters by itself of the paper, where the owner has allowed it; never a payment.

An entry is noted as "outcome not known" before anything is sent, so that a power cut leaves it so;
what is not known is read back, never sent again, and what is not there is for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import folded, is_class
from edge_watchdog.daybook.paper import Entry, Kind, State, Visit
from edge_watchdog.daybook.reconcile import Finding
from edge_watchdog.daybook.reconcile import Outcome as Found
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome, WriteBack

THE_BOX = "the box"
CHANGES = (Kind.RESCHEDULE, Kind.CANCEL)
SENT = "The box sent it; whether it arrived is being looked up."
ARRIVED = "entered by the box"
WAS_THERE = "it was there already"
CHANGED = "changed by the box"
WAS_SO = "it was so already"
NOT_CHANGED = "The box could not change it there. Please do it by hand."
AS_BEFORE = "The box sent it, but the appointment is as it was. Please do it by hand."
REFUSED = "The box could not enter it. Please enter it by hand."
NOT_THERE = "The box sent it, but it is not there. Please enter it by hand."
SETTLED_S = 60.0  # a server may need a moment to show what it took


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of an entry that was sent: its new state, and the words for it."""

    state: State
    words: str


OF_A_BOOKING: Mapping[Outcome, Verdict] = {
    Outcome.CREATED: Verdict(State.ENTERED, ARRIVED),
    Outcome.ALREADY: Verdict(State.ENTERED, WAS_THERE),
    Outcome.REFUSED: Verdict(State.OPEN, REFUSED),
    Outcome.UNKNOWN: Verdict(State.UNKNOWN, SENT),
}
OF_A_CHANGE: Mapping[Outcome, Verdict] = {
    Outcome.CREATED: Verdict(State.ENTERED, CHANGED),
    Outcome.ALREADY: Verdict(State.ENTERED, WAS_SO),
    Outcome.REFUSED: Verdict(State.OPEN, NOT_CHANGED),
    Outcome.UNKNOWN: Verdict(State.UNKNOWN, SENT),
}


def sendable(finding: Finding) -> bool:
    """Tell whether the box may enter it: a plain booking, nothing in its way, never tried."""
    entry, draft = finding.entry, finding.entry.draft
    if draft is None or draft.kind is not Kind.BOOKING or draft.forced or draft.parent:
        return False
    if draft.waits or draft.lesson:  # a place in a class is given by a person
        return False
    tried = any(move.by.device == THE_BOX for move in entry.moves)
    way_is_free = finding.outcome is Found.ABSENT and finding.theirs is None
    return entry.state is State.OPEN and way_is_free and not tried


def changeable(finding: Finding, row: Appointment | None) -> bool:
    """Tell whether the box may move or cancel *row*: it is as it was seen, and the way is free.

    Another team member's calendar is another place: such a move is for a person.
    """
    entry, draft = finding.entry, finding.entry.draft
    if draft is None or draft.kind not in CHANGES or draft.forced or draft.parent or row is None:
        return False
    visit = draft.content
    if not isinstance(visit, Visit) or visit.was is None or not row.ref or row.all_day:
        return False
    if is_class(row):  # one of its people is meant, and not the class
        return False
    tried = any(move.by.device == THE_BOX for move in entry.moves)
    if entry.state is not State.OPEN or finding.outcome is not Found.ABSENT or tried:
        return False
    if draft.kind is Kind.CANCEL:
        return True
    same = folded(visit.member) == folded(row.member)
    return same and finding.theirs is None


def change_of(entry: Entry, visit: Visit, ref: str) -> Change:
    """Give what is sent; *ref* is the appointment's own id at the vendor's."""
    is_cancelled = entry.draft is not None and entry.draft.kind is Kind.CANCEL
    was = visit.was.start_wall if visit.was else visit.start_wall
    return Change(entry.id, ref, was, visit.start_wall, visit.end_wall, is_cancelled)


def is_unsure(entry: Entry, now_wall: float) -> bool:
    """Tell whether the box sent it a while ago and does not know what became of it."""
    last = entry.moves[-1] if entry.moves else None
    ours = last is not None and last.by.device == THE_BOX and last.state is State.UNKNOWN
    return ours and last is not None and now_wall - last.at_wall >= SETTLED_S


def source_for(visit: Visit, members: Mapping[str, Sequence[str]]) -> str | None:
    """Give the one source that the booking belongs into; None when that is not certain.

    *members* are the team members that each source's list names.
    """
    name = folded(visit.member)
    fitting = [source for source, theirs in members.items() if name in set(map(folded, theirs))]
    if len(fitting) == 1:
        return fitting[0]
    return next(iter(members)) if len(members) == 1 else None


def booking_of(entry: Entry, visit: Visit) -> Booking:
    """Give what is sent; the entry's own id guards against a second one."""
    return Booking(
        *(entry.id, visit.start_wall, visit.end_wall, visit.service, visit.client),
        *(visit.member, visit.room, entry.name),
    )


async def send(writer: WriteBack, what: Booking | Change) -> Verdict:
    """Send a booking or a change, once."""
    if isinstance(what, Change):
        return OF_A_CHANGE[await writer.change(what)]
    return OF_A_BOOKING[await writer.book(what)]


async def read_back_change(writer: WriteBack, change: Change) -> Verdict:
    """Look how the appointment stands."""
    match await writer.changed(change):
        case None:
            return Verdict(State.UNKNOWN, SENT)
        case Changed.DONE:
            return Verdict(State.ENTERED, CHANGED)
        case Changed.GONE if change.is_cancelled:
            return Verdict(State.ENTERED, CHANGED)
        case Changed.AS_SEEN:
            return Verdict(State.OPEN, AS_BEFORE)
        case _:
            return Verdict(State.OPEN, NOT_CHANGED)


async def read_back(writer: WriteBack, uid: str) -> Verdict:
    """Look whether a booking is there."""
    there = await writer.find(uid)
    if there is None:
        return Verdict(State.UNKNOWN, SENT)
    return Verdict(State.ENTERED, ARRIVED) if there else Verdict(State.OPEN, NOT_THERE)
