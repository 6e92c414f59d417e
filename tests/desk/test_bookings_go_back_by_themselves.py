"""What the box enters by itself: once, only where it may, and never without knowing what became."""

import dataclasses
from dataclasses import dataclass, field

import pytest

from edge_watchdog.core.units import Returned
from edge_watchdog.core.view import Standing
from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.paper import Kind, Move, State
from edge_watchdog.daybook.paper_back import NOT_THERE, REFUSED, sendable, source_for
from edge_watchdog.daybook.reconcile import Finding
from edge_watchdog.daybook.reconcile import Outcome as Found
from edge_watchdog.daybook.writeback import Booking, Change, Changed, Outcome
from tests.daybook.papers import MIA as AUTHOR
from tests.daybook.papers import NOON, booking, entry, listed, payment, visit
from tests.desk.papered import Desk, desk_of

BOOKING = {
    "kind": "booking",
    "client": "Anna Bell",
    "member": "Mia",
    "service": "Cut and blow-dry",
    "date": "2026-11-21",
    "time": "15:00",
    "minutes": "45",
    "do": "keep",
}


@dataclass
class FakeVendor:
    """Takes bookings as a CalDAV server or Square does; *held* is what stands there."""

    outcome: Outcome = Outcome.CREATED
    there: bool | None = True
    sent: list[Booking] = field(default_factory=list)
    stands: Changed | None = Changed.DONE
    changes: list[Change] = field(default_factory=list)

    async def book(self, booking: Booking) -> Outcome:
        self.sent.append(booking)
        return self.outcome

    async def find(self, uid: str) -> bool | None:
        assert uid == self.sent[0].uid
        return self.there

    async def change(self, change: Change) -> Outcome:
        self.changes.append(change)
        return self.outcome

    async def changed(self, change: Change) -> Changed | None:
        assert change == self.changes[0]
        return self.stands


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path) as made:
        made.show(Standing.VENDOR)
        made.hold(listed(9))
        await made.post("/paper/new", **BOOKING)
        yield made


async def turn(desk: Desk, vendor: FakeVendor, seconds: float = 60.0) -> Move:
    """Let a fresh list come and the box do its part; gives the entry's last move."""
    desk.give.writers = {"front desk": vendor}
    desk.clock.step(seconds)
    desk.show(Standing.NORMAL)
    desk.hold(listed(9))
    await desk.give.all(await desk.paper.settle())
    moves = desk.paper.journal.entries[0].moves
    return moves[-1] if moves else Move(State.OPEN, 0.0, AUTHOR)


async def test_a_booking_is_entered_once_under_its_own_id(desk: Desk) -> None:
    vendor = FakeVendor()
    move = await turn(desk, vendor)
    assert (move.state, move.detail) == (State.ENTERED, "entered by the box")
    await turn(desk, vendor)
    (sent,) = vendor.sent
    one = desk.paper.journal.entries[0]
    assert (sent.uid, sent.note, sent.client) == (one.id, "P-0001", "Anna Bell")
    assert [m.state for m in one.moves] == [State.UNKNOWN, State.ENTERED]


@pytest.mark.parametrize(
    "outcome, there, state, words",
    [
        (Outcome.ALREADY, True, State.ENTERED, "it was there already"),
        (Outcome.REFUSED, False, State.OPEN, REFUSED),
        (Outcome.UNKNOWN, True, State.ENTERED, "entered by the box"),
        (Outcome.UNKNOWN, False, State.OPEN, NOT_THERE),
        (Outcome.UNKNOWN, None, State.UNKNOWN, "looked up"),
    ],
)
async def test_what_is_not_known_is_read_back_and_never_sent_again(
    desk: Desk, outcome, there, state, words
) -> None:
    vendor = FakeVendor(outcome, there)
    for _ in range(4):
        move = await turn(desk, vendor)
    assert (move.state, words in move.detail) == (state, True)
    assert len(vendor.sent) == 1


async def test_a_power_cut_while_sending_leaves_it_unknown_and_it_is_looked_up(desk: Desk) -> None:
    class CutOffError(Exception):
        pass

    class Cut(FakeVendor):
        async def book(self, booking: Booking) -> Outcome:
            self.sent.append(booking)
            raise CutOffError

    vendor = Cut()
    with pytest.raises(CutOffError):
        await turn(desk, vendor)
    assert desk.paper.journal.entries[0].state is State.UNKNOWN
    assert "look whether it is there" in (await desk.get("/reconcile"))[1]
    assert (await turn(desk, vendor)).state is State.ENTERED
    assert len(vendor.sent) == 1


async def test_what_the_budget_has_nothing_left_for_is_sent_and_looked_up_later(desk: Desk) -> None:
    vendor, left = FakeVendor(Outcome.UNKNOWN), {"front desk": False}
    desk.give.has_left = left.__getitem__
    assert (await turn(desk, vendor)).state is State.OPEN
    assert vendor.sent == []
    left["front desk"] = True
    assert (await turn(desk, vendor)).state is State.UNKNOWN
    left["front desk"] = False
    assert (await turn(desk, vendor)).state is State.UNKNOWN
    left["front desk"] = True
    assert (await turn(desk, vendor)).state is State.ENTERED
    assert len(vendor.sent) == 1


async def test_nothing_is_sent_during_an_outage_or_without_leave(desk: Desk) -> None:
    vendor = FakeVendor()
    desk.give.writers = {"front desk": vendor}
    desk.clock.step(60)
    desk.hold(listed(9))
    await desk.give.all(await desk.paper.settle())
    assert vendor.sent == []
    desk.show(Standing.NORMAL)
    desk.clock.step(3600)
    await desk.give.all(await desk.paper.settle())
    assert vendor.sent == []
    desk.give.writers = {}
    desk.hold(listed(9))
    await desk.give.all(await desk.paper.settle())
    assert desk.paper.journal.entries[0].moves == ()


async def test_who_claimed_it_keeps_it(desk: Desk) -> None:
    await desk.post("/paper/move", number="1", state="claimed")
    vendor = FakeVendor()
    assert (await turn(desk, vendor)).state is State.CLAIMED
    assert vendor.sent == []


@pytest.mark.parametrize(
    "one, outcome, theirs, may",
    [
        (entry(1, booking()), Found.ABSENT, None, True),
        (entry(1, booking()), Found.WAITING, None, False),
        (entry(1, booking()), Found.TAKEN, listed(14), False),
        (entry(1, dataclasses.replace(booking(), forced="both")), Found.ABSENT, None, False),
        (entry(1, dataclasses.replace(booking(), parent=7)), Found.ABSENT, None, False),
        (entry(1, booking(), State.CLAIMED), Found.ABSENT, None, False),
        (entry(1, payment(Kind.PAYMENT_OWED)), Found.PERSON, None, False),
    ],
)
def test_only_a_plain_booking_with_a_free_way_is_sent_and_never_a_payment(
    one, outcome, theirs, may
) -> None:
    assert sendable(Finding(one, outcome, theirs)) is may


def test_a_booking_goes_where_its_team_member_is() -> None:
    members = {"Mia's": ["Mia"], "Tom's": ["Tom", ""]}
    assert source_for(visit(member="tom "), members) == "Tom's"
    assert source_for(visit(member="Zoe"), members) is None
    assert source_for(visit(member="Zoe"), {"Mia's": ["Mia"]}) == "Mia's"
    assert source_for(visit(member="Zoe"), {}) is None
    assert visit().start_wall > NOON


CAROL = listed(16, client="Carol D.", key="carol", ref="appt-7")
MOVE = {"kind": "reschedule", "key": "carol", "date": "2026-11-21", "minutes": "60", "do": "keep"}
CANCEL = {"kind": "cancel", "key": "carol", "do": "keep"}
BOTH = frozenset({Returned.RESCHEDULE, Returned.CANCEL})


async def change_turn(
    desk: Desk, vendor: FakeVendor, leave: frozenset[Returned] = BOTH, *rows: Appointment
) -> Move:
    desk.give.writers, desk.give.takes = {"front desk": vendor}, {"front desk": leave}
    desk.clock.step(61)
    desk.show(Standing.NORMAL)
    desk.hold(*(rows or (CAROL,)))
    await desk.give.all(await desk.paper.settle())
    moves = desk.paper.journal.entries[-1].moves
    return moves[-1] if moves else Move(State.OPEN, 0.0, AUTHOR)


@pytest.fixture
async def with_carol(tmp_path):
    async with desk_of(tmp_path) as made:
        made.show(Standing.VENDOR)
        made.hold(CAROL)
        yield made


async def test_a_move_and_a_cancellation_go_back_with_what_was_seen(with_carol: Desk) -> None:
    await with_carol.post("/paper/new", **{**MOVE, "time": "17:30"})
    vendor = FakeVendor()
    move = await change_turn(with_carol, vendor)
    assert (move.state, move.detail) == (State.ENTERED, "changed by the box")
    await change_turn(with_carol, vendor)
    (sent,) = vendor.changes
    one = with_carol.paper.journal.entries[0]
    assert (sent.uid, sent.ref, sent.is_cancelled) == (one.id, "appt-7", False)
    begins = NOON + 4 * 3600, NOON + 5.5 * 3600, NOON + 6.5 * 3600
    assert (sent.was_start_wall, sent.start_wall, sent.end_wall) == begins
    assert [m.state for m in one.moves] == [State.UNKNOWN, State.ENTERED]
    assert vendor.sent == []


async def test_a_change_waits_for_the_budget_too(with_carol: Desk) -> None:
    await with_carol.post("/paper/new", **CANCEL)
    vendor = FakeVendor()
    with_carol.give.has_left = lambda _source: False
    assert (await change_turn(with_carol, vendor)).state is State.OPEN
    assert vendor.changes == []
    with_carol.give.has_left = lambda _source: True
    assert (await change_turn(with_carol, vendor)).state is State.ENTERED


async def test_each_kind_needs_its_own_leave(with_carol: Desk) -> None:
    await with_carol.post("/paper/new", **CANCEL)
    vendor = FakeVendor()
    for leave in (frozenset({Returned.BOOKING, Returned.RESCHEDULE}), frozenset[Returned]()):
        assert (await change_turn(with_carol, vendor, leave)).state is State.OPEN
    assert vendor.changes == []
    assert (await change_turn(with_carol, vendor)).state is State.ENTERED
    assert vendor.changes[0].is_cancelled


@pytest.mark.parametrize(
    "outcome, stands, state, words",
    [
        (Outcome.ALREADY, None, State.ENTERED, "it was so already"),
        (Outcome.REFUSED, None, State.OPEN, "could not change it"),
        (Outcome.UNKNOWN, Changed.DONE, State.ENTERED, "changed by the box"),
        (Outcome.UNKNOWN, Changed.GONE, State.ENTERED, "changed by the box"),
        (Outcome.UNKNOWN, Changed.AS_SEEN, State.OPEN, "is as it was"),
        (Outcome.UNKNOWN, Changed.OTHERWISE, State.OPEN, "could not change it"),
        (Outcome.UNKNOWN, None, State.UNKNOWN, "looked up"),
    ],
)
async def test_a_change_is_sent_once_whatever_becomes_of_it(
    with_carol: Desk, outcome, stands, state, words
) -> None:
    await with_carol.post("/paper/new", **CANCEL)
    vendor = FakeVendor(outcome, stands=stands)
    for _ in range(4):
        move = await change_turn(with_carol, vendor)
    assert (move.state, words in move.detail) == (state, True)
    assert len(vendor.changes) == 1


@pytest.mark.parametrize(
    "row",
    [
        dataclasses.replace(CAROL, start_wall=CAROL.start_wall + 1800),  # moved meanwhile
        dataclasses.replace(CAROL, ref=""),
        dataclasses.replace(CAROL, status=Status.ARRIVED),
    ],
)
async def test_what_is_not_plainly_the_same_appointment_is_left_to_people(
    with_carol: Desk, row
) -> None:
    await with_carol.post("/paper/new", **{**MOVE, "time": "17:30"})
    vendor = FakeVendor()
    await change_turn(with_carol, vendor, BOTH, row)
    assert vendor.changes == []


async def test_a_move_to_somebody_else_or_to_a_taken_time_is_left_to_people(
    with_carol: Desk,
) -> None:
    vendor = FakeVendor()
    await with_carol.post("/paper/new", **{**MOVE, "time": "17:30", "member": "Tom"})
    await change_turn(with_carol, vendor, BOTH, CAROL)
    await with_carol.post("/paper/move", number="1", state="void", reason="no")
    await with_carol.post("/paper/new", **{**MOVE, "time": "18:30"})
    await change_turn(with_carol, vendor, BOTH, CAROL, listed(18.75))
    assert vendor.changes == []
