"""Values as vendors write them, read into ours: times, amounts, texts at a place in JSON.

Decoded JSON in, plain values out; what cannot be read raises ValueError without the value.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo

from edge_watchdog.daybook import Mark
from edge_watchdog.daybook.model import Money
from edge_watchdog.daybook.money import minor_of

FIRST_WALL, LAST_WALL = 946_684_800.0, 4_102_444_800.0  # the years 2000 to 2100

Joins = Mapping[str, Mapping[str, str]]


class TimeRule(StrEnum):
    """How a source writes times."""

    OFFSET = "offset"
    UTC = "utc"
    LOCAL = "local"
    EPOCH_S = "epoch s"
    EPOCH_MS = "epoch ms"


def wall_of(value: object, rule: TimeRule, zone: str) -> tuple[float, tuple[Mark, ...]]:
    """Give seconds since 1970, and what is uncertain about them; raises ValueError.

    OFFSET without one, and LOCAL, are times of *zone*.  A local time that does not exist or comes
    twice is marked (PEP 495).
    """
    if rule in (TimeRule.EPOCH_S, TimeRule.EPOCH_MS):
        wall = float(Decimal(str(value))) / (1000.0 if rule is TimeRule.EPOCH_MS else 1.0)
        return _sane(wall), ()
    at = datetime.fromisoformat(str(value).strip())
    marks: tuple[Mark, ...] = ()
    if rule is TimeRule.LOCAL:
        # Some vendors write "Z" behind a time of the site's own clock.
        at = at.replace(tzinfo=ZoneInfo(zone))
    elif at.tzinfo is None and rule is TimeRule.UTC:
        at = at.replace(tzinfo=UTC)
    elif at.tzinfo is None:
        at, marks = at.replace(tzinfo=ZoneInfo(zone)), (Mark.ZONE_ASSUMED,)
    if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset():
        marks += (Mark.CLOCK_CHANGE,)
    return _sane(at.timestamp()), marks


def _sane(wall: float) -> float:
    if not FIRST_WALL <= wall <= LAST_WALL:
        raise ValueError("no time of our day")
    return wall


def money_of(value: object, currency: str, *, minor: bool = False) -> Money | None:
    """Give an amount: text or number in whole units, or in minor ones; None when there is none."""
    if value is None or value == "" or isinstance(value, bool) or not currency:
        return None
    text = re.sub(r"[^\d.,\-]", "", str(value))
    if "," in text and "." not in text and re.search(r",\d{1,2}$", text):
        text = text.replace(",", ".")
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    code = currency.upper()
    return Money(int(amount.to_integral_value()) if minor else minor_of(amount, code), code)


def count_of(value: object) -> int | None:
    """Give a whole number that is written as one or as text; None when it is none."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dig(item: object, path: str) -> object:
    """Give what stands at a dotted *path* ("guest.mobile.number", "staff.0.name"); None if nothing.

    "#last" behind a path gives the last part of an address: APIs name things by their link.
    "#count" gives how many entries a list has.
    """
    path, _, wanted = path.partition("#")
    for step in path.split("."):
        if isinstance(item, Mapping):
            item = item.get(step)
        elif isinstance(item, list) and step.isdigit() and int(step) < len(item):
            item = item[int(step)]
        else:
            return None
    if wanted == "last" and isinstance(item, str):
        return item.rstrip("/").rpartition("/")[2]
    if wanted == "count":
        return len(item) if isinstance(item, list) else None
    return item


def text_of(item: object, expression: str, joins: Joins | None = None) -> str:
    """Give the text that *expression* says.

    "a|b" is the first that is there, "a+b" both with a space, "@join:a" the name that *joins*
    has for the id at a.  Of "a+b|c+b" the first is taken whose first word is there: a family name
    alone is what is left when nobody has a given one.
    """
    choices = [
        [_word(item, one.strip(), joins or {}) for one in choice.split("+")]
        for choice in expression.split("|")
    ]
    for words in (*(one for one in choices if one[0]), *choices):
        if found := " ".join(word for word in words if word):
            return found
    return ""


def _word(item: object, place: str, joins: Joins) -> str:
    if place.startswith("@"):
        name, _, place = place[1:].partition(":")
        return joins.get(name, {}).get(_word(item, place, {}), "")
    found = dig(item, place) if place else None
    if isinstance(found, bool) or found is None or isinstance(found, (Mapping, list)):
        return ""
    return str(found).strip()
