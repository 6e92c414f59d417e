"""Every kind of status page, by the name the configuration gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import Url
from edge_watchdog.vendors import StatusReader
from edge_watchdog.vendors.statuspage import StatusPage


class ReaderOptions(Protocol):
    """The keys of one kind of status page."""

    def build(self, clock: Clock) -> StatusReader:
        """Build the reader."""


@dataclass(frozen=True, slots=True)
class StatusPageOptions:
    """An Atlassian Statuspage, or a page that answers in its format."""

    url: Url = field(
        metadata={
            "doc": "The status page's address.",
            "example": "https://status.bookwell.example",
        }
    )
    components: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Ids or names of the components that matter to you; empty means all of them.",
            "example": ["Booking app"],
        },
    )

    def build(self, clock: Clock) -> StatusReader:
        """Build the reader."""
        return StatusPage(self.url, self.components, clock)


READERS: Mapping[str, type[ReaderOptions]] = {"statuspage": StatusPageOptions}
