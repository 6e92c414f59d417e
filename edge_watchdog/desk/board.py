"""What the desk half knows just now: the last view, the history, and how each source stands.

Messages and source states go in; pages read it.  The rule: a half that fell silent is said to be
silent, and what it said last is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.bridge import Heartbeat, ToDesk
from edge_watchdog.clock import Clock
from edge_watchdog.core.actions import FetchSchedule
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Layer
from edge_watchdog.core.view import History, IncidentView, StudioView
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.daybook.price_list import OwnList
from edge_watchdog.desk.book import Stand
from edge_watchdog.desk.written import Shown

SILENCE_S = 15.0
BEHIND_S = 60.0  # what was asked for in another boot cannot lie ahead of a clock that is right
STARTING_S = 10.0  # after our own start the other half may still be on its way


@dataclass(frozen=True, slots=True)
class Silence:
    """The watch half is not heard; *since* is None when it never was since we began."""

    since: Instant | None


class Board:
    """The one mutable thing of the desk half.

    Whoever composes the half sets *changed* (called after every change), *fetch* (the watch half
    wants the day fetched now), *listeners* (how many pages are open), *clock_is_set* (whether
    the box itself can know the time; None: it cannot tell), *lessons* (how the classes of these
    keys stand with what is on paper) and *shown* (the sources with what else is on paper).
    """

    def __init__(self, clock: Clock, boot_id: str) -> None:
        self._clock = clock
        self._boot_id = boot_id
        self.changed: Callable[[], None] = lambda: None
        self._began = clock.now()
        self._heard: Instant | None = None
        self._lost = False
        self._proved = False
        self.view: StudioView | None = None
        self.history = History()
        self.sources: dict[str, SourceState] = {}
        self.notices: tuple[str, ...] = ()
        self.own_prices: tuple[OwnList, ...] = ()
        self.paper_turn = 0  # how many rows the paper journal has; tells nothing of them
        self.fetch: Callable[[], None] = lambda: None
        self.listeners: Callable[[], int] = lambda: 0
        self.clock_is_set: Callable[[], bool | None] = lambda: None
        self.shown: Callable[[], Shown] = lambda: Shown(tuple(self.sources.values()))
        self.lessons: Callable[[Sequence[str]], Mapping[str, Stand]] = lambda _keys: {}

    def hear(self, message: ToDesk) -> None:
        """Take one message of the watch half."""
        self._heard, self._lost = self._clock.now(), False
        match message:
            case StudioView():
                self.view = message
                self._proved |= _met_the_time(message)
            case History():
                self.history = message
            case FetchSchedule():
                self.fetch()
            case Heartbeat():
                return
        self.changed()

    def lose(self) -> None:
        """The link to the watch half broke."""
        self._lost = True
        self.changed()

    def put(self, state: SourceState) -> None:
        """Take how a source stands now."""
        self.sources[state.name] = state
        self.changed()

    def silence(self) -> Silence | None:
        """Tell whether the watch half is not heard; None while it is, or may still be starting."""
        now = self._clock.now()
        if self._heard is None:
            return Silence(None) if now.since(self._began) > STARTING_S else None
        if self._lost or now.since(self._heard) > SILENCE_S:
            return Silence(self._heard)
        return None

    @property
    def is_heard(self) -> bool:
        """Tell whether the watch half has spoken and still does."""
        return self._heard is not None and self.silence() is None

    def wall_known(self) -> bool | None:
        """Tell whether the clock can be trusted; None when nobody told.

        Pages of the internet prove it; without them a list that was asked for later than "now", or
        a box without a clock of its own that nobody told the time, speaks against it.
        """
        if self.view is not None and not self.view.wall_known:
            return False
        if self._proved:
            return True
        told = self.clock_is_set()
        if told is False or self._is_behind():
            return False
        return None if self.view is None and told is None else True

    def _is_behind(self) -> bool:
        wall = self._clock.now().wall + BEHIND_S
        return any(
            state.good.asked.boot_id != self._boot_id and state.good.asked.at.wall > wall
            for state in self.sources.values()
            if state.good
        )

    def on_metered(self) -> bool:
        """Tell whether the line in use is paid by the byte, as far as the watch half has said."""
        lines = self.view.uplinks if self.view else ()
        return any(one.metered and one.name == (self.view and self.view.active) for one in lines)

    def now(self) -> Now:
        """Give this moment."""
        return Now(self._clock.now(), self._boot_id, self.wall_known() is not False)

    def all_incidents(self) -> tuple[IncidentView, ...]:
        """Give every incident known, newest first; the last view knows them best."""
        found = {one.id: one for one in self.history.incidents}
        found |= {one.id: one for one in (self.view.incidents if self.view else ())}
        return tuple(sorted(found.values(), key=lambda one: -one.id))

    def open_incidents(self) -> tuple[IncidentView, ...]:
        """Give the incidents that are not over."""
        found = self.view.incidents if self.view else ()
        return tuple(one for one in found if one.resolved_wall is None)


def _met_the_time(view: StudioView) -> bool:
    """Tell whether pages answer that carry the time, and none says that ours is wrong."""
    rungs = (rung for line in view.uplinks for rung in line.rungs)
    return view.wall_known and any(
        rung.layer == Layer.WEB and rung.health is Health.UP for rung in rungs
    )
