"""The day, kept: today through the next open day, read-only, never blank, never too fresh.

This room holds the only personal data.  Nothing of it goes into a log, an error or another half.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from edge_watchdog.daybook.model import Attendee, Client, Money, PriceItem, Status


class DaybookError(Exception):
    """The day could not be had; the message is for people and holds no client's data and no URL.

    *after_s* is what the server asked us to wait, if it did; *requests* is how many were sent.
    """

    def __init__(self, message: str, *, after_s: float | None = None, requests: int = 1) -> None:
        """Say what happened in plain words."""
        super().__init__(message)
        self.after_s = after_s
        self.requests = requests


class Mark(StrEnum):
    """What is uncertain about an appointment's time."""

    ZONE_ASSUMED = "time zone assumed"
    ZONE_UNKNOWN = "time zone not understood"
    CLOCK_CHANGE = "the clocks change here"
    NO_END = "end not given"
    MOVED = "moved?"


@dataclass(frozen=True, slots=True)
class Span:
    """*days* local days from *first* on, in the IANA zone *zone*; a day may have 23 or 25 hours."""

    first: date
    days: int
    zone: str

    @property
    def start_wall(self) -> float:
        """Give the first midnight, seconds since 1970."""
        return self.midnight(self.first)

    @property
    def end_wall(self) -> float:
        """Give the midnight after the last day, seconds since 1970."""
        return self.midnight(self.first + timedelta(days=self.days))

    @property
    def dates(self) -> tuple[date, ...]:
        """Give the days, first to last."""
        return tuple(self.first + timedelta(days=n) for n in range(self.days))

    def midnight(self, day: date) -> float:
        """Give the begin of *day* in the zone, seconds since 1970."""
        zone = ZoneInfo(self.zone)
        return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


@dataclass(frozen=True, slots=True)
class Appointment:
    """One visit; *client* is a first name and an initial at most.  Times: seconds since 1970.

    *member* is the team member, "" when the calendar does not say.  *key* is a hash: it stays the
    same when the appointment moves, and tells nothing of the client.  *ref* is the source's own id
    of it, for the way back; it is never shown.  *capacity* and *booked* are a class's places, None
    for an appointment of one client; *attendees* are who has one, as far as the source says.
    *on_paper*: what the paper journal says of it, which the pages show; no source does.
    """

    key: str
    start_wall: float
    end_wall: float
    all_day: bool
    member: str
    service: str
    client: str
    room: str
    status: Status
    marks: tuple[Mark, ...] = ()
    ref: str = ""
    client_key: str = ""
    price: Money | None = None
    paid: bool | None = None
    capacity: int | None = None
    booked: int | None = None
    attendees: tuple[Attendee, ...] = ()
    on_paper: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source says of a span, by start; *rejected* entries could not be understood.

    *clients* are those whose details the owner has allowed to be kept, *prices* the price list if
    the source has one.  *remarks* tell what was odd about which line, without anything of it.
    *prices_wall*: when a price list of its own age was written; None: it is as old as the rest.
    *days*: how many days of the span, from the first, the source speaks of; None: all.
    """

    appointments: tuple[Appointment, ...]
    rejected: int = 0
    clients: tuple[Client, ...] = ()
    prices: tuple[PriceItem, ...] = ()
    remarks: tuple[str, ...] = ()
    prices_wall: float | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the source gave: *body* None means "not changed since *token*".

    *age_s*: how old the answer already was (Age header, a file's last change); 0.0 when not said.
    *requests*: how many it took; they count against the source's budget.
    """

    body: bytes | None
    token: str = ""
    age_s: float = 0.0
    requests: int = 1


class ScheduleConnector(Protocol):
    """One kind of source of the day."""

    async def fetch(self, span: Span, known: str = "") -> Fetched:
        """Get what the source says of *span* (it may give more).

        *known* is the token of what we hold of this very span, "" to get it whole.  A source that
        is asked in many requests gives one body of them all; *as of* counts from before the first.
        Raises DaybookError.
        """

    async def read(self, body: bytes, span: Span) -> Reading:
        """Understand *body*, without holding up the event loop.  Raises DaybookError."""
