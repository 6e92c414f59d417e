"""Every kind of [[schedule]], by the name the configuration gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, Fetched, Reading, ScheduleConnector, Span
from edge_watchdog.daybook.clouds import (
    AcuityOptions,
    MindbodyOptions,
    RestOptions,
    SquareOptions,
)
from edge_watchdog.daybook.ics import IcsFeed, IcsFile, may_be_plain, trust
from edge_watchdog.daybook.model import Tested
from edge_watchdog.daybook.privacy import Title


class ConnectorOptions(Protocol):
    """The keys of one kind of source."""

    @property
    def tested(self) -> Tested:
        """How this kind was proven; shown wherever the kind is chosen or named."""

    @property
    def requests_a_day(self) -> int | None:
        """How many requests a day the source bears when the owner sets no budget; None: any."""

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""


@dataclass(frozen=True, slots=True)
class IcsOptions:
    """A calendar feed (iCalendar, .ics), by its address or as a file."""

    tested: ClassVar[Tested] = Tested.REAL_SERVERS
    requests_a_day: ClassVar[int | None] = None

    url: Url | None = field(
        default=None,
        metadata={
            "doc": "The feed's secret address, over HTTPS.",
            "example": "https://app.bookwell.example/feed.ics",
        },
    )
    path: FilePath | None = field(
        default=None,
        metadata={
            "doc": "A calendar file that another program writes; instead of url.",
            "example": "/var/lib/edge-watchdog/day.ics",
        },
    )
    title: Title = field(
        default=Title.SERVICE_CLIENT,
        metadata={"doc": "How an entry's title is composed, so that clients' names are shortened."},
    )

    def __post_init__(self) -> None:
        """Refuse both or neither of url and path, and names sent in the clear."""
        if (self.url is None) == (self.path is None):
            raise ValueError("give url or path, one of the two")
        if self.url is not None and self.url.startswith("http://") and not may_be_plain(self.url):
            raise ValueError("url must be https://: it carries clients' names")

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        if self.path is not None:
            return IcsFile(self.path, self.title, clock)
        return IcsFeed(str(self.url), self.title, trust(ca_file))


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands in for a connector that could not be built, so that the page can say why."""

    words: str

    async def fetch(self, span: Span, known: str = "") -> Fetched:  # noqa: ARG002 - a connector's shape
        """Say why; always raises DaybookError."""
        raise DaybookError(self.words)

    async def read(self, body: bytes, span: Span) -> Reading:  # noqa: ARG002 - as above
        """Say why; always raises DaybookError."""
        raise DaybookError(self.words)


CONNECTORS: Mapping[str, type[ConnectorOptions]] = {
    "ics": IcsOptions,
    "rest": RestOptions,
    "acuity": AcuityOptions,
    "square": SquareOptions,
    "mindbody": MindbodyOptions,
}
