"""Every kind of [[schedule]], by the name the configuration gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import DecimalSign, FilePath, Url
from edge_watchdog.daybook import DaybookError, Fetched, Reading, ScheduleConnector, Span
from edge_watchdog.daybook.caldav import CalDav, Place
from edge_watchdog.daybook.caldav_client import Login
from edge_watchdog.daybook.caldav_write import CalDavWriter
from edge_watchdog.daybook.clouds import (
    AcuityOptions,
    MindbodyOptions,
    RestOptions,
    SquareOptions,
)
from edge_watchdog.daybook.csv_columns import Export, Field
from edge_watchdog.daybook.csv_drop import CsvDrop
from edge_watchdog.daybook.csv_read import CsvKeys
from edge_watchdog.daybook.csv_values import DateOrder, Habits
from edge_watchdog.daybook.ics import IcsFeed, IcsFile, may_be_plain, trust
from edge_watchdog.daybook.model import Tested
from edge_watchdog.daybook.privacy import Title
from edge_watchdog.daybook.writeback import WriteBack


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
class CalDavOptions:
    """Calendars on a CalDAV server, one or one for each team member."""

    tested: ClassVar[Tested] = Tested.REAL_SERVERS
    requests_a_day: ClassVar[int | None] = None
    url: Url = field(
        metadata={
            "doc": "The server, a user's home or one calendar; the rest is found from there.",
            "example": "https://caldav.bookwell.example/",
        },
    )
    user: str = field(metadata={"doc": "Who signs in there.", "example": "front-desk"})
    password_file: FilePath = field(
        metadata={
            "doc": "The file with the password and nothing else; an app password where there are.",
            "example": "/etc/edge-watchdog/caldav-password",
        },
    )
    calendars: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Which calendars, by their names; without it, all of them. "
            "Where there are several, each is a team member's.",
            "example": ["Mia", "Noor"],
        },
    )
    title: Title = field(
        default=Title.SERVICE_CLIENT,
        metadata={"doc": "How an entry's title is composed, so that clients' names are shortened."},
    )

    def __post_init__(self) -> None:
        """Refuse to send a password and names in the clear."""
        if self.url.startswith("http://") and not may_be_plain(self.url):
            raise ValueError("url must be https://: it carries a password and clients' names")
        if ":" in self.user:
            raise ValueError("user holds a colon, which no user name may")

    def build(self, clock: Clock, ca_file: str | None) -> CalDav:  # noqa: ARG002 - a kind's shape
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        login = Login(self.user, self.password_file)
        return CalDav(Place(self.url, login, self.calendars), self.title, trust(ca_file))

    def writer(self, clock: Clock, ca_file: str | None) -> WriteBack:
        """Build the way back into the same calendars.  Raises DaybookError."""
        login = Login(self.user, self.password_file)
        place = Place(self.url, login, self.calendars)
        return CalDavWriter(CalDav(place, self.title, trust(ca_file)), clock)


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """A folder into which exports are dropped (CSV); the newest whole file is the day."""

    tested: ClassVar[Tested] = Tested.FILES
    requests_a_day: ClassVar[int | None] = None
    folder: FilePath = field(
        metadata={
            "doc": "Where the files arrive: a share, a stick, an e-mail rule.",
            "example": "/var/lib/edge-watchdog/inbox",
        },
    )
    date_order: DateOrder = field(
        metadata={"doc": "How dates of numbers are read.", "example": "day first"}
    )
    export: Export = field(
        default=Export.GENERIC,
        metadata={"doc": "Who wrote the files; it brings the usual column names."},
    )
    pattern: str = field(default="*.csv", metadata={"doc": "Which files count."})
    columns: Mapping[str, str] = field(
        default_factory=dict,
        metadata={
            "doc": "Your own column names, before the usual ones.",
            "example": {"start": "Begin", "member": "Stylist"},
        },
    )
    decimal: DecimalSign = field(
        default=DecimalSign.POINT, metadata={"doc": "What stands before the pence or cents."}
    )
    currency: str = field(
        default="",
        metadata={
            "doc": "The currency's three letters; without it no price is read.",
            "example": "GBP",
        },
    )
    prices: FilePath | None = field(
        default=None,
        metadata={
            "doc": "A price list: name, price and, if there are, category, minutes, kind.",
            "example": "/var/lib/edge-watchdog/prices.csv",
        },
    )
    days: int | None = field(
        default=None,
        metadata={
            "doc": "How many days a file covers; without it, up to the last day that it lists.",
            "example": 2,
        },
    )
    bad_rows_percent: int = field(
        default=20, metadata={"doc": "A file with more bad lines than this is not used at all."}
    )

    def __post_init__(self) -> None:
        """Refuse fields that are none, and numbers that make no sense."""
        known = [one.value for one in Field]
        for name in self.columns:
            if name not in known:
                raise ValueError(f"columns: {name} is no field; known here: {', '.join(known)}")
        if self.currency and not (
            self.currency.isascii() and self.currency.isupper() and len(self.currency) == 3
        ):
            raise ValueError('currency is three capital letters, such as "GBP"')
        if not 0 <= self.bad_rows_percent <= 100:
            raise ValueError("bad_rows_percent is from 0 to 100")
        if self.days is not None and self.days < 1:
            raise ValueError("days is 1 or more")

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:  # noqa: ARG002 - a kind's shape
        """Build the connector; nothing can go wrong yet."""
        habits = Habits(self.date_order, self.decimal, self.currency)
        keys = CsvKeys(self.export, self.columns, habits, self.bad_rows_percent, self.days)
        return CsvDrop(self.folder, self.pattern, keys, clock, prices=self.prices)


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
    "caldav": CalDavOptions,
    "csv": CsvOptions,
    "rest": RestOptions,
    "acuity": AcuityOptions,
    "square": SquareOptions,
    "mindbody": MindbodyOptions,
}
