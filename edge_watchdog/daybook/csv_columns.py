"""Which column of an export is what: ready names for each exporter, and the owner's own.

The ready names are written after published or observed exports, as far as they are known; none was
checked against the vendor's live system, and exports differ by account and language.  A name of the
configuration comes before them.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from edge_watchdog.daybook.model import NoteKind


class Field(StrEnum):
    """What a column can be."""

    ID = "id"
    START = "start"
    END = "end"
    DATE = "date"
    TIME = "time"
    END_TIME = "end_time"
    MINUTES = "minutes"
    CLIENT = "client"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    MEMBER = "member"
    SERVICE = "service"
    ROOM = "room"
    SPOT = "spot"
    STATUS = "status"
    PRICE = "price"
    PAID = "paid"
    PHONE = "phone"
    EMAIL = "email"
    NOTES = "notes"
    ALLERGIES = "allergies"
    PATCH_TEST = "patch_test"
    FORMULA = "formula"
    PREFERENCES = "preferences"
    HISTORY = "history"


class Export(StrEnum):
    """Who wrote the file."""

    GENERIC = "generic"
    MINDBODY = "mindbody"
    FRESHA = "fresha"
    PHOREST = "phorest"
    SQUARE = "square"
    VAGARO = "vagaro"
    ACUITY = "acuity"
    TIMELY = "timely"


Names = Mapping[Field, Sequence[str]]

GENERIC: Names = {
    Field.ID: ("id", "appointment id", "booking id", "booking ref", "reference", "ref"),
    Field.START: ("start", "starts", "start time", "begin", "date time", "appointment", "datetime"),
    Field.END: ("end", "ends", "finish"),
    Field.DATE: ("date", "day", "appointment date", "datum"),
    Field.TIME: ("time", "from", "start time", "appointment time", "uhrzeit", "von"),
    Field.END_TIME: ("end time", "to", "until", "bis"),
    Field.MINUTES: ("minutes", "duration", "length", "duration minutes", "dauer"),
    Field.CLIENT: ("client", "client name", "customer", "customer name", "name", "kunde", "guest"),
    Field.FIRST_NAME: ("first name", "firstname", "client first name", "vorname"),
    Field.LAST_NAME: ("last name", "lastname", "surname", "client last name", "nachname"),
    Field.MEMBER: ("staff", "team member", "employee", "provider", "stylist", "mitarbeiter"),
    Field.SERVICE: ("service", "services", "treatment", "appointment type", "behandlung"),
    Field.ROOM: ("room", "resource", "location", "raum"),
    # "Place" alone is no spot: it may as well be where the studio is.
    Field.SPOT: (
        *("spot", "spot name", "spot number", "bike", "bike number", "mat", "mat number"),
        *("seat", "seat number", "place number", "platz"),
    ),
    Field.STATUS: ("status", "state", "appointment status"),
    Field.PRICE: ("price", "amount", "cost", "total", "preis"),
    Field.PAID: ("paid", "bezahlt"),
    Field.PHONE: ("phone", "mobile", "telephone", "client phone", "telefon"),
    Field.EMAIL: ("email", "e mail", "client email"),
    Field.NOTES: ("notes", "note", "appointment notes", "notizen"),
    Field.ALLERGIES: ("allergies", "allergy", "medical alert", "medical alerts", "allergien"),
    Field.PATCH_TEST: ("patch test", "patch test date", "last patch test", "skin test"),
    Field.FORMULA: ("formula", "colour formula", "color formula", "formula notes", "colour notes"),
    Field.PREFERENCES: ("preferences", "preference", "client preferences"),
    Field.HISTORY: ("history", "client history", "last visit", "last appointment"),
}
NOTES: Mapping[str, NoteKind] = {
    Field.ALLERGIES: NoteKind.ALLERGY,
    Field.PATCH_TEST: NoteKind.PATCH_TEST,
    Field.FORMULA: NoteKind.COLOUR_FORMULA,
    Field.PREFERENCES: NoteKind.PREFERENCE,
    Field.HISTORY: NoteKind.HISTORY,
    Field.NOTES: NoteKind.OTHER,
}
OF_EXPORT: Mapping[Export, Names] = {
    Export.GENERIC: {},
    Export.MINDBODY: {
        Field.MEMBER: ("staff", "staff name", "teacher"),
        Field.SERVICE: ("session type", "visit type", "class"),
        Field.TIME: ("start time", "time"),
        Field.CLIENT: ("client", "client name"),
        Field.START: (),
    },
    Export.FRESHA: {
        Field.ID: ("appt ref", "ref", "ref no"),
        Field.START: ("scheduled date", "appt date"),
        Field.SERVICE: ("service", "item"),
        Field.MEMBER: ("team member", "staff"),
        Field.PRICE: ("net sales", "gross sales", "price"),
    },
    Export.PHOREST: {
        Field.ID: ("appointment id", "appointmentid"),
        Field.DATE: ("appointment date", "appointmentdate"),
        Field.TIME: ("start time", "starttime"),
        Field.END_TIME: ("end time", "endtime"),
        Field.MEMBER: ("staff name", "staffname", "staff"),
        Field.SERVICE: ("service name", "servicename"),
        Field.START: (),
    },
    Export.SQUARE: {
        Field.ID: ("booking id", "appointment id"),
        Field.START: ("start", "start at", "appointment start"),
        Field.MEMBER: ("team member", "staff"),
        Field.CLIENT: ("customer name", "customer"),
        Field.SERVICE: ("service", "services", "service name"),
        Field.MINUTES: ("duration", "duration minutes"),
    },
    Export.VAGARO: {
        Field.DATE: ("appointment date", "date"),
        Field.TIME: ("appointment time", "time", "start time"),
        Field.MEMBER: ("service provider", "employee name", "provider"),
        Field.SERVICE: ("service name", "service"),
        Field.CLIENT: ("customer", "customer name"),
        Field.START: (),
    },
    Export.ACUITY: {
        Field.ID: ("appointment id",),
        Field.START: ("start time",),
        Field.END: ("end time",),
        Field.SERVICE: ("type",),
        Field.MEMBER: ("calendar",),
        Field.PRICE: ("appointment price",),
        Field.PAID: ("paid?", "paid"),
        Field.TIME: (),
        Field.END_TIME: (),
    },
    Export.TIMELY: {
        Field.DATE: ("booking date", "date"),
        Field.TIME: ("start time", "time"),
        Field.MEMBER: ("staff", "staff member"),
        Field.SERVICE: ("service name", "service"),
        Field.START: (),
    },
}
PRICE_NAMES: Mapping[str, Sequence[str]] = {
    "name": ("name", "service", "service name", "product", "item", "treatment", "leistung"),
    "category": ("category", "group", "kategorie"),
    "price": ("price", "retail price", "cost", "amount", "preis"),
    "minutes": ("minutes", "duration", "length", "dauer"),
    "kind": ("kind", "item type"),
}


def names_of(export: Export, own: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Give for each field the headers that may carry it, best first."""
    ready = {**GENERIC, **OF_EXPORT[export]}
    found = {field.value: tuple(folded(one) for one in ready[field]) for field in Field}
    return {**found, **{field: (folded(header),) for field, header in own.items()}}


def folded(header: str) -> str:
    """Give a header without case, signs and doubled spaces."""
    return " ".join(re.sub(r"[^\w]+|_", " ", header.casefold()).split())


def places_of(header: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Give for each field the column that carries it; a column carries one field only.

    A field whose first name stands there comes before one that knows it by a later name.
    """
    cells = [folded(cell) for cell in header]
    wishes = sorted(
        (rank, number, field, name)
        for number, (field, known) in enumerate(names.items())
        for rank, name in enumerate(known)
        if name in cells
    )
    found: dict[str, int] = {}
    for _, _, field, name in wishes:
        if field not in found and cells.index(name) not in found.values():
            found[field] = cells.index(name)
    return found
