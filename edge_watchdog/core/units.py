"""Kinds of configuration values whose text carries a unit or a form; config.py reads them."""

from enum import StrEnum
from typing import NewType

Seconds = NewType("Seconds", float)  # written "250ms", "30s", "5m", "2h", "1d"
Size = NewType("Size", int)  # bytes, written "20MB", "5GB", "64KiB"
Url = NewType("Url", str)  # http:// or https://, with a host
FilePath = NewType("FilePath", str)  # absolute; must be readable when the program starts
Ipv4 = NewType("Ipv4", str)  # dotted: 192.0.2.1
Ipv6 = NewType("Ipv6", str)  # 2001:db8::1


class Detail(StrEnum):
    """What may be kept of a client or a visit beyond name, service and time, if the owner says."""

    PHONE = "phone"
    EMAIL = "email"
    NOTES = "notes"
    PRICE = "price"
    ATTENDEES = "attendees"


class Returned(StrEnum):
    """What the box may put into a source by itself, of what was written on paper."""

    BOOKING = "booking"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"


class FormField(StrEnum):
    """What a vendor's booking form asks for, to be copied into it in its own order."""

    CLIENT = "client"
    PHONE = "phone"
    SERVICE = "service"
    MEMBER = "member"
    DATE = "date"
    TIME = "time"
    MINUTES = "minutes"
    ROOM = "room"
    PRICE = "price"
    NOTE = "note"


class DecimalSign(StrEnum):
    """What stands before the pence or cents."""

    POINT = "."
    COMMA = ","


class Paper(StrEnum):
    """A size of paper."""

    A4 = "A4"
    LETTER = "Letter"
