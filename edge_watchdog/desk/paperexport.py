"""What is to be entered at the vendor's: as fields to copy, as CSV for a spreadsheet, as JSON.

Entries in, rows of text out.  A cell that a spreadsheet would run as a formula is made text.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.daybook.money import amount_text
from edge_watchdog.daybook.paper import Entry, Payment, Sale, Visit, Words, human
from edge_watchdog.daybook.privacy import short_name
from edge_watchdog.desk.paperwords import KIND_WORDS, METHOD_WORDS, STATE_WORDS
from edge_watchdog.desk.phrases import Local

LABELS: Mapping[str, str] = {
    "client": "Client",
    "phone": "Telephone",
    "service": "Service",
    "member": "With whom",
    "date": "Day",
    "time": "Time",
    "minutes": "Minutes",
    "room": "Room or chair",
    "spot": "Spot",
    "price": "Price",
    "note": "Note",
    "items": "Items",
    "amount": "Amount",
    "currency": "Currency",
    "method": "How paid",
    "reference": "Reference",
    "contact": "Reached by",
    "for": "For",
}
MONEY_ORDER = ("client", "items", "amount", "currency", "method", "reference", "contact", "for")
PRIVATE = ("phone", "note", "contact")
COLUMNS = (
    *("number", "kind", "state", "client", "phone", "service", "member", "date", "time"),
    *("minutes", "room", "spot", "price", "items", "amount", "currency", "method", "reference"),
    *("contact", "for", "note", "written", "by"),
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


@dataclass(frozen=True, slots=True)
class CopyField:
    """One field of the vendor's form, and what to put there."""

    label: str
    value: str


def copy_fields(
    entry: Entry, order: Sequence[str], local: Local, *, private: bool
) -> tuple[CopyField, ...]:
    """Give what is to be copied, in the order of the vendor's form; empty fields are left out."""
    values = values_of(entry, local, private=private)
    is_visit = entry.draft is not None and isinstance(entry.draft.content, Visit)
    names = (*order, "spot") if is_visit else (*MONEY_ORDER, "note")
    return tuple(CopyField(LABELS[name], values[name]) for name in names if values.get(name))


def values_of(entry: Entry, local: Local, *, private: bool) -> dict[str, str]:
    """Give an entry's fields as text; private ones only for who may see them."""
    draft = entry.draft
    if draft is None:
        return {}
    content = draft.content
    client = content.client if private else short_name(content.client)
    values = {"client": client, "for": human(draft.parent) if draft.parent else ""}
    match content:
        case Visit():
            values |= _of_visit(content, local)
        case Sale():
            values |= _of_sale(content)
        case Payment():
            values |= _of_payment(content)
        case Words():
            values |= {"note": content.text, "date": content.due}
    return values if private else {n: v for n, v in values.items() if n not in PRIVATE}


def rows_of(entries: Sequence[Entry], local: Local, *, private: bool) -> list[dict[str, str]]:
    """Give one row for each entry that is not forgotten, with every column."""
    rows = []
    for entry in entries:
        if entry.draft is None:
            continue
        at = local.at(entry.at_wall)
        values = {
            "number": entry.name,
            "kind": KIND_WORDS[entry.draft.kind],
            "state": STATE_WORDS[entry.state],
            **values_of(entry, local, private=private),
            "written": f"{at:%Y-%m-%d %H:%M}" if entry.clock_known else "clock was not set",
            "by": entry.by.person,
        }
        rows.append({name: values.get(name, "") for name in COLUMNS})
    return rows


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Write rows as CSV (RFC 4180) with a byte order mark, as spreadsheets want it.

    What begins like a formula gets an apostrophe (OWASP, "CSV Injection").
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _harmless(text) for name, text in row.items()} for row in rows)
    return f"\ufeff{out.getvalue()}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) or text[:1].isspace() else text


def _of_visit(visit: Visit, local: Local) -> dict[str, str]:
    at = local.at(visit.start_wall)
    minutes = round((visit.end_wall - visit.start_wall) / 60)
    timed = {"time": f"{at:%H:%M}", "minutes": str(minutes)} if minutes else {}
    price = visit.price
    return {
        "phone": visit.phone,
        "service": visit.service,
        "member": visit.member,
        "date": f"{at:%Y-%m-%d}",
        "room": visit.room,
        "spot": visit.spot,
        "note": visit.note,
        **timed,
        "price": amount_text(price.minor, price.currency) if price else "",
    }


def _of_sale(sale: Sale) -> dict[str, str]:
    items = "; ".join(
        f"{one.quantity} x {one.name} {amount_text(one.unit_minor, sale.currency)}"
        for one in sale.lines
    )
    if sale.discount_minor:
        items += f"; discount {amount_text(sale.discount_minor, sale.currency)}"
    amount = amount_text(sale.amount.minor, sale.currency)
    return {"items": items, "amount": amount, "currency": sale.currency, **_paid(sale)}


def _of_payment(payment: Payment) -> dict[str, str]:
    amount = amount_text(payment.amount.minor, payment.amount.currency)
    return {"amount": amount, "currency": payment.amount.currency, **_paid(payment)}


def _paid(content: Sale | Payment) -> dict[str, str]:
    return {
        "method": METHOD_WORDS[content.method],
        "reference": content.reference,
        "contact": content.contact,
        "note": content.note,
    }
