"""What the box enters by itself: once, only where it may, and never without knowing what became."""

import dataclasses
from dataclasses import dataclass, field

import pytest

from edge_watchdog.core.view import Standing
from edge_watchdog.daybook.paper import Kind, Move, State
from edge_watchdog.daybook.paper_back import NOT_THERE, REFUSED, sendable, writer_for
from edge_watchdog.daybook.reconcile import Finding
from edge_watchdog.daybook.reconcile import Outcome as Found
from edge_watchdog.daybook.writeback import Booking, Outcome
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

    async def book(self, booking: Booking) -> Outcome:
        self.sent.append(booking)
        return self.outcome

    async def find(self, uid: str) -> bool | None:
        assert uid == self.sent[0].uid
        return self.there


@pytest.fixture
async def desk(tmp_path):
    async with desk_of(tmp_path) as made:
        made.show(Standing.VENDOR)
        made.hold(listed(9))
        await made.post("/paper/new", **BOOKING)
        yield made


async def turn(desk: Desk, vendor: FakeVendor, seconds: float = 60.0) -> Move:
    """Let a fresh list come and the box do its part; gives the entry's last move."""
    desk.paper.writers = {"front desk": vendor}
    desk.clock.step(seconds)
    desk.show(Standing.NORMAL)
    desk.hold(listed(9))
    await desk.paper.write_back(await desk.paper.settle())
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


async def test_nothing_is_sent_during_an_outage_or_without_leave(desk: Desk) -> None:
    vendor = FakeVendor()
    desk.paper.writers = {"front desk": vendor}
    desk.clock.step(60)
    desk.hold(listed(9))
    await desk.paper.write_back(await desk.paper.settle())
    assert vendor.sent == []
    desk.show(Standing.NORMAL)
    desk.clock.step(3600)
    await desk.paper.write_back(await desk.paper.settle())
    assert vendor.sent == []
    desk.paper.writers = {}
    desk.hold(listed(9))
    await desk.paper.write_back(await desk.paper.settle())
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
    one, two = FakeVendor(), FakeVendor()
    both = {"Mia's": one, "Tom's": two}
    members = {"Mia's": ["Mia"], "Tom's": ["Tom", ""]}
    assert writer_for(visit(member="tom "), both, members) is two
    assert writer_for(visit(member="Zoe"), both, members) is None
    assert writer_for(visit(member="Zoe"), {"Mia's": one}, {"Mia's": ["Mia"]}) is one
    assert visit().start_wall > NOON
