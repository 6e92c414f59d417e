"""Every kind of [[schedule]], by the name the configuration gives it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import DecimalSign, FilePath, Url
from edge_watchdog.daybook import DaybookError, Fetched, Reading, ScheduleConnector, Span
from edge_watchdog.daybook.caldav import CalDav, Place
from edge_watchdog.daybook.caldav_client import Login, Password
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
from edge_watchdog.daybook.oauth import Grant, OAuthLogin
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


class DavAuth(StrEnum):
    """How a CalDAV server is told who asks."""

    BASIC = "basic"
    OAUTH2 = "oauth2"


# The keys that belong to each, and whether it cannot be done without them.
_BASIC: Mapping[str, bool] = {"user": True, "password_file": True}
_OAUTH2: Mapping[str, bool] = {
    "token_url": True,
    "client_id": True,
    "refresh_token_file": True,
    "client_secret_file": False,
    "token_file": False,
}


@dataclass(frozen=True, slots=True)
class CalDavOptions:
    """Calendars on a CalDAV server, one or one for each team member."""

    tested: ClassVar[Tested] = Tested.CALDAV
    requests_a_day: ClassVar[int | None] = None
    url: Url = field(
        metadata={
            "doc": "The server, a user's home or one calendar; the rest is found from there.",
            "example": "https://caldav.bookwell.example/",
        },
    )
    auth: DavAuth = field(
        default=DavAuth.BASIC,
        metadata={"doc": "How the box signs in: by user and password, or with OAuth 2."},
    )
    user: str = field(
        default="", metadata={"doc": "Who signs in there; for basic.", "example": "front-desk"}
    )
    password_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "The file with the password and nothing else, for basic; an app password "
            "where there are.",
            "example": "/etc/edge-watchdog/caldav-password",
        },
    )
    token_url: Url | None = field(
        default=None,
        metadata={
            "doc": "Where access tokens are given out, over HTTPS; for oauth2.",
            "example": "https://oauth2.bookwell.example/token",
        },
    )
    client_id: str = field(
        default="",
        metadata={"doc": "What the provider calls this client; for oauth2.", "example": "studio-7"},
    )
    client_secret_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "The file with the client's secret, where the provider gave one; for oauth2.",
            "example": "/etc/edge-watchdog/caldav-client-secret",
        },
    )
    refresh_token_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "The file with the refresh token that signing in once has brought; for oauth2.",
            "example": "/etc/edge-watchdog/caldav-refresh-token",
        },
    )
    token_file: str = field(
        default="",
        metadata={
            "doc": "Where a refresh token that the provider renews is kept; the desk half "
            "writes it.",
            "example": "/var/lib/edge-watchdog/desk/caldav.token",
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
        if not _is_safe(self.url):
            raise ValueError("url must be https://: it carries a password and clients' names")
        if ":" in self.user:
            raise ValueError("user holds a colon, which no user name may")
        if self.token_url is not None and not _is_safe(self.token_url):
            raise ValueError("token_url must be https://: it is sent secrets")
        needs, others = (_BASIC, _OAUTH2) if self.auth is DavAuth.BASIC else (_OAUTH2, _BASIC)
        missing = [name for name in needs if needs[name] and not getattr(self, name)]
        if missing:
            raise ValueError(f'auth = "{self.auth}" needs {", ".join(missing)}')
        strange = [name for name in others if getattr(self, name)]
        if strange:
            words = f'auth = "{self.auth}" has no use for {", ".join(strange)}'
            raise ValueError(f"{words}; give the keys of basic or oauth2, one of the two")

    def build(self, clock: Clock, ca_file: str | None) -> CalDav:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        tls = trust(ca_file)
        return CalDav(Place(self.url, self._login(clock, tls), self.calendars), self.title, tls)

    def writer(self, clock: Clock, ca_file: str | None) -> WriteBack:
        """Build the way back into the same calendars.  Raises DaybookError."""
        return CalDavWriter(self.build(clock, ca_file), clock)

    def _login(self, clock: Clock, tls: ssl.SSLContext) -> Login:
        if self.auth is DavAuth.BASIC:
            return Password(self.user, str(self.password_file))
        grant = Grant(
            str(self.token_url),
            self.client_id,
            str(self.refresh_token_file),
            self.client_secret_file or "",
            self.token_file,
        )
        return OAuthLogin(grant, clock, tls)


def _is_safe(url: Url) -> bool:
    """Tell whether nobody else reads what is sent there."""
    return url.startswith("https://") or may_be_plain(url)


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
