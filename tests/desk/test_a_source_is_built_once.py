"""What is read and what is written of one source is one sign-in and one budget."""

from dataclasses import dataclass, field
from typing import ClassVar

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import FilePath, Returned, Url
from edge_watchdog.daybook import DaybookError, ScheduleConnector, model
from edge_watchdog.daybook.caldav_write import CalDavWriter
from edge_watchdog.daybook.paid import Paid
from edge_watchdog.daybook.registry import CalDavOptions, Unusable
from edge_watchdog.desk.app import _build
from edge_watchdog.desk.settings import ScheduleSetting
from tests.desk.studio import StepClock, settings

CALDAV = CalDavOptions(Url("https://c.example/"), user="u", password_file=FilePath("/none"))
TAKES = frozenset({Returned.BOOKING})


@dataclass
class Counting:
    """Options that count how often they are built; *error* is why they cannot be."""

    error: str = ""
    built: list[ScheduleConnector] = field(default_factory=list)
    tested: ClassVar[model.Tested] = model.Tested.CALDAV
    requests_a_day: ClassVar[int | None] = 40

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        if self.error:
            raise DaybookError(self.error)
        self.built.append(CALDAV.build(clock, ca_file))
        return self.built[-1]


async def test_a_source_is_built_once_for_both_ways_and_its_way_back_is_paid(tmp_path) -> None:
    (tmp_path / "state").mkdir()
    good, bad, read_only = Counting(), Counting("its key is not there"), Counting()
    made = settings(
        tmp_path,
        schedules=(
            ScheduleSetting("good", 60.0, good, takes=TAKES),
            ScheduleSetting("bad", 60.0, bad, takes=TAKES),
            ScheduleSetting("read only", 60.0, read_only),
        ),
    )
    rooms = await _build(made, StepClock())
    try:
        (one,) = good.built
        connectors = {keeper._source.name: keeper._source.connector for keeper in rooms.keepers}
        assert connectors["good"] is one
        assert connectors["bad"] == Unusable("its key is not there")
        (name, back), *others = rooms.give.writers.items()
        assert (name, others) == ("good", [])
        assert isinstance(back, Paid)
        assert isinstance(back.writer, CalDavWriter)
        assert back.writer._source is one
        keeper = rooms.keepers[0]
        assert rooms.give.has_left("good")
        await keeper.pay(8)
        assert not rooms.give.has_left("good")
    finally:
        for room in (rooms.store, rooms.ledger, rooms.entrance.people, rooms.paper):
            room.close()
