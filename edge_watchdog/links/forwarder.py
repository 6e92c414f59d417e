"""Do the studio's computers get answers to the names they ask for?  Counted in passing.

In: two counters of the packet filter, of questions to the box's name service and of what it said.
Out: *on_doubt*, when computers ask and are told nothing.  The rule: it proves nothing, a slow name
server looks the same; it has the line asked sooner.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from edge_watchdog.links import LinkError
from edge_watchdog.links.firewall import read_names

LOOK_S = 1.0
QUESTIONS = 2  # one may be for a name that takes long

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Waiting:
    """How many *questions* were asked since anything was said; *last*: the readings."""

    last: tuple[int, int] | None = None
    questions: int = 0
    is_doubted: bool = False

    def note(self, asked: int, told: int) -> bool:
        """Take in the next reading; tell, once in each silence, that it is time to doubt.

        Those that were asked since the reading before may still be answered.
        """
        before, self.last = self.last, (asked, told)
        if before is None or told != before[1] or asked < before[0]:  # or they began anew
            self.questions, self.is_doubted = 0, False
            return False
        waited, self.questions = self.questions, self.questions + asked - before[0]
        if waited < QUESTIONS or self.is_doubted:
            return False
        self.is_doubted = True
        return True


class Forwarder:
    """Looks at the counters once a second; *on_doubt* must not wait."""

    def __init__(self, on_doubt: Callable[[], None]) -> None:
        self._on_doubt = on_doubt
        self._waiting = Waiting()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                counts = await read_names()
            except LinkError as error:
                log.info("the name service is not counted: %s", error)
                counts = None
            if counts is not None and self._waiting.note(*counts):
                log.info("names: the studio's computers ask and are told nothing")
                self._on_doubt()
            await asyncio.sleep(LOOK_S)
