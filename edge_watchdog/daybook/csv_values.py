"""Single cells of an export: dates, times, lengths, money, states, as programs write them.

Text in, a value out; ValueError where it cannot be told.  The rule: the order of day and month and
the decimal sign are what the owner said, never a guess.
"""

import decimal
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from edge_watchdog.core.units import DecimalSign
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.money import exponent, minor_of


class DateOrder(StrEnum):
    """How a date of numbers is read; a date that begins with a year of four digits needs none."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"
    YEAR_FIRST = "year first"


@dataclass(frozen=True, slots=True)
class Habits:
    """How this export writes values; *currency* "" means that money is not read."""

    order: DateOrder
    decimal: DecimalSign = DecimalSign.POINT
    currency: str = ""


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
STATES = {
    "tentative": Status.TENTATIVE, "requested": Status.TENTATIVE, "pending": Status.TENTATIVE,
    "unconfirmed": Status.TENTATIVE, "request": Status.TENTATIVE,
    "booked": Status.BOOKED, "scheduled": Status.BOOKED, "new": Status.BOOKED,
    "accepted": Status.BOOKED, "active": Status.BOOKED,
    "confirmed": Status.CONFIRMED,
    "arrived": Status.ARRIVED, "checked in": Status.ARRIVED, "waiting": Status.ARRIVED,
    "show": Status.ARRIVED, "started": Status.IN_SERVICE, "in service": Status.IN_SERVICE,
    "in progress": Status.IN_SERVICE,
    "completed": Status.COMPLETED, "complete": Status.COMPLETED, "done": Status.COMPLETED,
    "paid": Status.COMPLETED, "checked out": Status.COMPLETED, "finished": Status.COMPLETED,
    "no show": Status.NO_SHOW, "noshow": Status.NO_SHOW, "did not arrive": Status.NO_SHOW,
    "cancelled": Status.CANCELLED, "canceled": Status.CANCELLED, "declined": Status.CANCELLED,
    "deleted": Status.CANCELLED, "cancelled by client": Status.CANCELLED,
    "waitlist": Status.WAITING, "waitlisted": Status.WAITING, "wait list": Status.WAITING,
    "waiting list": Status.WAITING, "on waitlist": Status.WAITING,
    "late cancelled": Status.LATE_CANCELLED, "late canceled": Status.LATE_CANCELLED,
    "late cancel": Status.LATE_CANCELLED, "late cancellation": Status.LATE_CANCELLED,
}  # fmt: skip
PAID = {"yes": True, "paid": True, "true": True, "1": True, "y": True}
UNPAID = {"no": False, "unpaid": False, "false": False, "0": False, "n": False}

_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})[-/. ]{1,2}(\d{1,2})[-/. ]{1,2}(\d{4}|\d{2})")
_DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?[ -]+([a-z]{3})[a-z]*\.?,?[ -]+(\d{4})")
_MONTH_NAMED = re.compile(r"([a-z]{3})[a-z]*\.? +(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +")
_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2}))?(?:\.\d+)?\s*([ap])?\.?m?\.?")
_HOURS = re.compile(r"(\d{1,2})\s*(?:h|hr|hrs|hours?|:)\s*(\d{1,2})?\s*(?:m|min|mins|minutes?)?")
_MINUTES = re.compile(r"(\d{1,4})\s*(?:m|min|mins|minutes?)?")
_LONGEST = 24 * 60


def read_date(text: str, order: DateOrder) -> date:
    """Read a date; raises ValueError, also for the 31st of a month that has none."""
    folded = _WEEKDAY.sub("", text.strip().casefold())
    if found := _YEAR_FIRST.fullmatch(folded):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_NAMED.fullmatch(folded):
        return date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
    if found := _MONTH_NAMED.fullmatch(folded):
        return date(int(found[3]), MONTHS.index(found[1]) + 1, int(found[2]))
    found = _NUMBERS.fullmatch(folded)
    if found is None or order is DateOrder.YEAR_FIRST:
        raise ValueError("no date")
    first, second = int(found[1]), int(found[2])
    day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
    return date(year, month, day)


def read_time(text: str) -> time:
    """Read a time of day, "09:30", "9.30", "9:30 AM", "9am"; raises ValueError."""
    found = _TIME.fullmatch(text.strip().casefold())
    if found is None or (found[2] is None and found[4] is None):
        raise ValueError("no time")
    hour = int(found[1])
    if found[4]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour")
        hour = hour % 12 + (12 if found[4] == "p" else 0)
    return time(hour, int(found[2] or 0), int(found[3] or 0))


def read_moment(text: str, order: DateOrder) -> datetime:
    """Read a date and a time in one cell; with a zone only where the cell has one (ISO 8601)."""
    text = " ".join(text.split())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if re.search(r"\d[T ]\d", text):
            return moment
    for cut in [at.start() for at in re.finditer(r"[ ,T]", text)]:
        try:
            day = read_date(text[:cut].strip(" ,"), order)
            return datetime.combine(day, read_time(text[cut + 1 :].strip(" ,").removeprefix("at ")))
        except ValueError:
            continue
    raise ValueError("no date and time")


def read_length(text: str) -> timedelta:
    """Read a length: "45", "45 min", "1h 15m", "01:15"; raises ValueError."""
    folded = text.strip().casefold()
    if found := _MINUTES.fullmatch(folded):
        minutes = int(found[1])
    elif found := _HOURS.fullmatch(folded):
        minutes = 60 * int(found[1]) + int(found[2] or 0)
    else:
        raise ValueError("no length")
    if minutes > _LONGEST:
        raise ValueError("longer than a day")
    return timedelta(minutes=minutes)


def read_money(text: str, habits: Habits) -> Money | None:
    """Read an amount; None when the cell is empty or money is not read; raises ValueError."""
    bare = re.sub(r"[^\d.,\-]", "", text)
    if not habits.currency or not bare:
        return None
    point = habits.decimal.value
    comma = "," if point == "." else "."
    # A sign between groups of three is not the decimal one; any other use of it is a mistake.
    digits = max(2, exponent(habits.currency))  # also "1200.00" of a currency without minor units
    part = rf"(?:\{point}\d{{1,{digits}}})?"
    if not re.fullmatch(rf"-?(?:\d{{1,3}}(?:\{comma}\d{{3}})*|\d+){part}", bare):
        raise ValueError("no amount")
    amount = decimal.Decimal(bare.replace(comma, "").replace(point, "."))
    return Money(minor_of(amount, habits.currency), habits.currency)


def read_state(text: str) -> Status:
    """Read a state; one that is not known is UNKNOWN, an empty cell says nothing."""
    folded = " ".join(re.sub(r"[^a-z]+", " ", text.casefold()).split())
    return STATES.get(folded, Status.UNKNOWN) if folded else Status.NOT_SAID


def read_paid(text: str) -> bool | None:
    """Read yes or no; None when the cell says neither."""
    return {**PAID, **UNPAID}.get(text.strip().casefold())
