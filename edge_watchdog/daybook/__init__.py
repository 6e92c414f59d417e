"""The day, kept: today's and tomorrow's appointments, read-only, never blank, never too fresh.

This room holds the only personal data.  Nothing of it goes into a log, an error or another half.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo


class DaybookError(Exception):
    """The day could not be had; the message is for people and holds no client's data and no URL.

    *after_s* is what the server asked us to wait, if it did.
    """

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        """Say what happened in plain words."""
        super().__init__(message)
        self.after_s = after_s


class Mark(StrEnum):
    """What is uncertain about an appointment's time."""

    ZONE_ASSUMED = "time zone assumed"
    ZONE_UNKNOWN = "time zone not understood"
    CLOCK_CHANGE = "the clocks change here"
    NO_END = "end not given"


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
    same when the appointment moves, and tells nothing of the client.
    """

    key: str
    start_wall: float
    end_wall: float
    all_day: bool
    member: str
    service: str
    client: str
    room: str
    status: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a calendar says of a span, by start; *rejected* entries could not be understood."""

    appointments: tuple[Appointment, ...]
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the source gave: *body* None means "not changed since *token*".

    *age_s*: how old the answer already was (Age header, a file's last change); 0.0 when not said.
    """

    body: bytes | None
    token: str = ""
    age_s: float = 0.0


class ScheduleConnector(Protocol):
    """One kind of source of the day."""

    async def fetch(self, known: str = "") -> Fetched:
        """Get the calendar; *known* is the token of what we hold, "" to get it whole.

        Raises DaybookError.
        """

    async def read(self, body: bytes, span: Span) -> Reading:
        """Understand *body*, without holding up the event loop.  Raises DaybookError."""
