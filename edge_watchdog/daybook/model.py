"""What a day is made of beside its times: states, money, classes, prices and clients.

Frozen values.  A client's full name, telephone and notes stand in Client and nowhere else; an
Appointment carries a first name and an initial at most.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """How an appointment stands, in one word whatever the vendor calls it; NOT_SAID is nothing."""

    NOT_SAID = ""
    TENTATIVE = "tentative"
    BOOKED = "booked"
    CONFIRMED = "confirmed"
    ARRIVED = "arrived"
    IN_SERVICE = "in service"
    COMPLETED = "completed"
    NO_SHOW = "no-show"
    CANCELLED = "cancelled"
    LATE_CANCELLED = "late cancelled"
    WAITING = "waiting list"
    UNKNOWN = "unknown"


OFF = (Status.CANCELLED, Status.LATE_CANCELLED)
GONE = (*OFF, Status.NO_SHOW)  # nobody comes any more: the time is free


class Tested(StrEnum):
    """How a kind of source was proven, as it is said to whoever chooses it."""

    REAL_SERVERS = "Tested against real, independent servers."
    CALDAV = (
        "Tested against real, independent servers; OAuth 2 was written after the published "
        "contract and never run against a live service."
    )
    FILES = (
        "Tested with real files, made after the columns that exporters publish or were seen to use."
    )
    CONTRACT = "Written after the published contract; never run against the live service."


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in *minor* units (pence, cents) of the ISO 4217 *currency*."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """One place in a class: a first name and an initial, and the Client it belongs to."""

    name: str
    status: Status = Status.NOT_SAID
    client_key: str = ""
    spot: str = ""


class NoteKind(StrEnum):
    """What a note is about; ALLERGY and PATCH_TEST are health data."""

    COLOUR_FORMULA = "colour formula"
    ALLERGY = "allergy"
    PATCH_TEST = "patch test"
    PREFERENCE = "preference"
    HISTORY = "history"
    OTHER = "note"


WARNINGS = (NoteKind.ALLERGY, NoteKind.PATCH_TEST)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was written down of a client; *on* is the day, None when not known."""

    kind: NoteKind
    text: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """What a signed-in team member may see of a client, over a secure connection only.

    *key* is a hash that appointments and attendees point to.  Fields the owner did not allow
    (``keep`` of the [[schedule]]) are dropped at intake and are "" or () here.
    """

    key: str
    name: str
    phone: str = ""
    email: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceItem:
    """One line of the price list: a service or a product."""

    name: str
    price: Money | None
    category: str = ""
    minutes: int | None = None
    is_product: bool = False
