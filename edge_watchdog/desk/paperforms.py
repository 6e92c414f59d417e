"""Forms of the paper journal: fields as text in, a checked draft out, and back again to correct.

Pure.  What cannot be understood raises PaperError that names the field, and what would be right.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.model import Money, PriceItem
from edge_watchdog.daybook.money import amount_text, exponent
from edge_watchdog.daybook.paper import (
    MOST_LINES,
    PAID_BY,
    PAYMENTS,
    PROMISED,
    SLOTS,
    Content,
    Draft,
    Entry,
    Kind,
    Line,
    Method,
    PaperError,
    Payment,
    Sale,
    Visit,
    Was,
    Words,
    check,
    check_open,
)
from edge_watchdog.daybook.privacy import plain, short_name

FORM_LINES = 4
MINUTES = 60

_AMOUNT = re.compile(r"(\d{1,7})(?:[.,](\d{1,3}))?")
_SIGNS = re.compile(r"[\s£€$¥]|[A-Za-z]{3}")
_TIME = re.compile(r"(\d{1,2})[:.h]?(\d{2})")


@dataclass(frozen=True, slots=True)
class Around:
    """What a form is read against: *private* tells that telephone numbers and notes are allowed.

    *prices_of_wall* is how old the price list is.
    """

    zone: str
    today: date
    currency: str
    private: bool
    appointment: Appointment | None = None
    source: str = ""
    prices: tuple[PriceItem, ...] = ()
    prices_of_wall: float | None = None
    as_of_wall: float | None = None


def draft_of(fields: Mapping[str, str], around: Around) -> Draft:
    """Read a form; raises PaperError."""
    clean = {name: _clean(name, text) for name, text in fields.items()}
    if not around.private:
        clean["client"] = short_name(clean.get("client", "")) or clean.get("client", "")
        clean.pop("phone", None)
    kind = kind_of(clean)
    appointment = around.appointment
    draft = Draft(
        kind,
        _content(kind, clean, around),
        appointment_key=clean.get("key", ""),
        client_key=appointment.client_key if appointment else "",
        source=around.source,
        parent=_number(clean.get("parent", "")),
        replaces=clean.get("replaces") == "1",
        as_of_wall=around.as_of_wall,
        forced=clean.get("forced", ""),
        waits=clean.get("waits") == "1",
    )
    check(draft)
    if not around.private:
        check_open(draft)
    return draft


def kind_of(fields: Mapping[str, str]) -> Kind:
    """Give the kind of entry that a form makes; a payment's is told by its method."""
    kind = fields.get("kind", "")
    if kind == "payment":
        method = _method(fields)
        return next(k for k, methods in PAID_BY.items() if method in methods)
    if kind not in set(Kind) - set(PAYMENTS):
        raise PaperError("There is no such form.", "kind")
    return Kind(kind)


def amount_of(text: str, currency: str, place: str) -> int:
    """Read an amount into minor units: "45", "45.50", "45,50", with or without its sign."""
    found = _AMOUNT.fullmatch(_SIGNS.sub("", text))
    digits = exponent(currency)
    if found is None or len(found[2] or "") > digits:
        example = "45 or 45.50" if digits == 2 else "45"
        raise PaperError(f"Write an amount like {example}.", place)
    return int(found[1]) * int(10**digits) + int((found[2] or "").ljust(digits, "0") or "0")


def wall_of(day: str, clock: str, zone: str) -> float:
    """Give the instant of a local date and time; raises PaperError for one that does not exist."""
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise PaperError("Choose a day.", "date") from None
    found = _TIME.fullmatch(clock)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise PaperError("Write a time like 14:30.", "time")
    local = datetime(on.year, on.month, on.day, int(found[1]), int(found[2]), tzinfo=ZoneInfo(zone))
    back = datetime.fromtimestamp(local.timestamp(), UTC).astimezone(ZoneInfo(zone))
    if (back.hour, back.minute) != (local.hour, local.minute):
        raise PaperError("The clocks change that night: there is no such time.", "time")
    return local.timestamp()


def fields_of_entry(entry: Entry, zone: str, *, private: bool) -> dict[str, str]:
    """Write an entry back into a form, to be corrected; raises PaperError when it is forgotten."""
    draft = entry.draft
    if draft is None:
        raise PaperError(f"What {entry.name} said has been forgotten.")
    fields = {"parent": str(entry.number), "replaces": "1", "key": draft.appointment_key}
    fields["kind"] = "payment" if draft.kind in PAYMENTS else str(draft.kind)
    fields |= _fields_of_content(draft.content, zone, private=private)
    if not private:
        fields["client"] = short_name(draft.content.client)
    return fields


def fields_of_appointment(one: Appointment, zone: str) -> dict[str, str]:
    """Write an appointment into a form."""
    fields = {"key": one.key, "client": one.client, "member": one.member, "service": one.service}
    fields |= {"item0": one.service, "quantity0": "1"}
    if one.price is not None:
        fields |= {"price": amount_text(one.price.minor, one.price.currency)}
        fields |= {"unit0": fields["price"]}
        fields |= {"amount": fields["price"]}
    return {**fields, "room": one.room, **_times(one.start_wall, one.end_wall, zone)}


def _fields_of_content(content: Content, zone: str, *, private: bool) -> dict[str, str]:
    hidden = () if private else ("phone", "note", "contact")
    fields = {
        f.name: str(value)
        for f in dataclasses.fields(content)
        if isinstance(value := getattr(content, f.name), str) and f.name not in hidden
    }
    match content:
        case Visit():
            fields |= _times(content.start_wall, content.end_wall, zone)
            if content.price:
                fields["price"] = amount_text(content.price.minor, content.price.currency)
        case Sale():
            for number, line in enumerate(content.lines):
                fields[f"item{number}"] = line.name
                fields[f"quantity{number}"] = str(line.quantity)
                fields[f"unit{number}"] = amount_text(line.unit_minor, content.currency)
            if content.discount_minor:
                fields["discount"] = amount_text(content.discount_minor, content.currency)
        case Payment():
            fields["amount"] = amount_text(content.amount.minor, content.amount.currency)
        case Words():
            pass
    return fields


def _times(start_wall: float, end_wall: float, zone: str) -> dict[str, str]:
    at = datetime.fromtimestamp(start_wall, UTC).astimezone(ZoneInfo(zone))
    minutes = round((end_wall - start_wall) / 60) or MINUTES
    return {"date": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}", "minutes": str(minutes)}


def _content(kind: Kind, fields: Mapping[str, str], around: Around) -> Content:
    if kind is Kind.SALE:
        return _sale(fields, around)
    if kind in PAYMENTS:
        return _payment(kind, fields, around)
    if kind in (Kind.NOTE, Kind.TASK):
        due = fields.get("due", "")
        if due:
            wall_of(due, "12:00", around.zone)
        client = fields.get("client", "")
        return Words(fields.get("text", ""), client, due if kind is Kind.TASK else "")
    return _visit(kind, fields, around)


def _visit(kind: Kind, fields: Mapping[str, str], around: Around) -> Visit:
    one = around.appointment
    if kind in SLOTS:
        start = wall_of(fields.get("date", ""), fields.get("time", ""), around.zone)
        end = start + 60.0 * _minutes(fields.get("minutes", ""))
    else:
        if one is None and not fields.get("client"):
            raise PaperError("Choose the appointment, or write whom it is about.", "key")
        start = one.start_wall if one else wall_of(around.today.isoformat(), "00:00", around.zone)
        end = one.end_wall if one else start
    was = Was(one.start_wall, one.end_wall, one.member, one.status) if one else None
    return Visit(
        fields.get("client") or (one.client if one else ""),
        fields.get("member") or (one.member if one else ""),
        fields.get("service") or (one.service if one else ""),
        start,
        end,
        fields.get("room") or (one.room if one else ""),
        fields.get("phone", ""),
        fields.get("note", ""),
        _price(fields.get("price", ""), around),
        was,
        fields.get("spot", ""),
    )


def _sale(fields: Mapping[str, str], around: Around) -> Sale:
    lines = tuple(
        _line(number, fields, around)
        for number in range(MOST_LINES)
        if fields.get(f"item{number}") or fields.get(f"unit{number}")
    )
    discount = fields.get("discount", "")
    return Sale(
        fields.get("client", ""),
        lines,
        around.currency,
        _method(fields),
        amount_of(discount, around.currency, "discount") if discount else 0,
        fields.get("reference", ""),
        fields.get("contact", ""),
        fields.get("note", ""),
        around.prices_of_wall,
    )


def _line(number: int, fields: Mapping[str, str], around: Around) -> Line:
    name, unit = fields.get(f"item{number}", ""), fields.get(f"unit{number}", "")
    quantity = _number(fields.get(f"quantity{number}", "") or "1")
    if unit:
        return Line(name, quantity, amount_of(unit, around.currency, f"unit{number}"))
    listed = next((p for p in around.prices if p.name.casefold() == name.casefold()), None)
    if listed is None or listed.price is None or listed.price.currency != around.currency:
        words = f"{name or 'This'} is not in the price list; write its price."
        raise PaperError(words, f"unit{number}")
    return Line(name, quantity, listed.price.minor)


def _payment(kind: Kind, fields: Mapping[str, str], around: Around) -> Payment:
    method = _method(fields)
    promised = method in PROMISED
    return Payment(
        fields.get("client", ""),
        Money(amount_of(fields.get("amount", ""), around.currency, "amount"), around.currency),
        method,
        fields.get("reference", "") if kind is Kind.PAYMENT_TAKEN else "",
        fields.get("contact", "") if promised else "",
        fields.get("note", ""),
    )


def _method(fields: Mapping[str, str]) -> Method:
    try:
        return Method(fields.get("method", ""))
    except ValueError:
        raise PaperError("Choose how it was paid, or that it is not paid yet.", "method") from None


def _price(text: str, around: Around) -> Money | None:
    return Money(amount_of(text, around.currency, "price"), around.currency) if text else None


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 24 * 60):
        raise PaperError("Write how many minutes it takes, like 45.", "minutes")
    return int(text)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _clean(name: str, text: str) -> str:
    """Give the text on one line, without control signs; too much is refused later, not cut."""
    return plain(text, 2000) if name != "form" else text[:64]
