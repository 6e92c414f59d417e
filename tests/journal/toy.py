"""A mind of three numbers, and the events it lives on: enough to see whether a journal is right."""

from dataclasses import dataclass, replace
from pathlib import Path

from edge_watchdog.core.actions import Action, RouteVia, Severity
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import Event, Sampled, WorkerFailed
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Layer, Mode, Sample
from edge_watchdog.core.view import Banner, IncidentView, Standing, StudioView, UplinkView
from edge_watchdog.journal import Journal

WALL = 1_790_000_100.0  # 2026-09-21T14:15:00Z, where a slot of five minutes begins


@dataclass(frozen=True, slots=True)
class Mind:
    """How many events there were, the time of the last, and a running check of their order."""

    count: int = 0
    at: Instant | None = None
    check: int = 7


@dataclass(frozen=True, slots=True)
class Step:
    state: Mind
    actions: tuple[Action, ...]


def advance(state: Mind, event: Event) -> Step:
    mark = int(event.at.mono * 1000) % 1000003
    after = Mind(state.count + 1, event.at, (state.check * 31 + mark) % 1000003)
    loud = isinstance(event, WorkerFailed)
    return Step(after, (RouteVia(after.count, "phone"),) if loud else ())


def decode_mind(data: object) -> Mind:
    return decode(Mind, data)


def at(mono: float) -> Instant:
    return Instant(mono, WALL + mono)


def quiet(mono: float) -> Event:
    sample = Sample(at(mono - 0.01), "broadband", Layer.INTERNET, "icmp 198.51.100.1", 1, 0, 0.01)
    return Sampled(at(mono), (sample,))


def loud(mono: float) -> Event:
    return WorkerFailed(at(mono), "link", "gone")


class Life:
    """One run of a watch with the toy mind."""

    def __init__(self, journal: Journal[Mind], state: Mind) -> None:
        self.journal = journal
        self.state = state

    @classmethod
    async def begin(cls, path: Path, *, patience_s: float = 10.0) -> "Life":
        journal = await Journal.open(
            path, boot_id="boot", decode_state=decode_mind, patience_s=patience_s
        )
        loaded = await journal.load()
        state = Mind() if loaded is None else loaded.state
        for event in loaded.events if loaded else ():
            state = advance(state, event).state
        return cls(journal, state)

    async def live(self, *events: Event) -> None:
        for event in events:
            step = advance(self.state, event)
            notable = bool(step.actions)
            await self.journal.append(event, self.state, step.state, step.actions, notable=notable)
            self.state = step.state
            if self.state.count % 10 == 0:  # simulated time must not outrun the real disk
                await self.journal._ask(lambda: None)

    async def crash(self) -> None:
        """End as kill -9 would: what the thread was given is done, what it was not is lost."""
        await self.journal._ask(self.journal._store._db.close)
        self.journal._thread.shutdown()


def view(mono: float, *, health: Health = Health.UP, incidents=(), wall_known=True) -> StudioView:
    banner = Banner(Standing.NORMAL, "none", "Everything works.", "Yes.", "")
    uplink = UplinkView(
        "broadband", "wan0", False, "in use", health, "", 1.0, (), (), 0.02, 0.0, None
    )
    return StudioView(
        at(mono), "0.1", Mode.SELF, "settled", "broadband", "broadband", banner, (uplink,),
        incidents=tuple(incidents), wall_known=wall_known,
    )  # fmt: skip


def incident(number: int, opened: float, resolved: float | None = None) -> IncidentView:
    wall = None if resolved is None else WALL + resolved
    first = IncidentView(
        number, "provider down", "broadband: down", Severity.OUTAGE, WALL + opened, None, ""
    )
    return replace(first, resolved_wall=wall)
