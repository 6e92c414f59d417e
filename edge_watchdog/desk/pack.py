"""The day pack: everything a day needs on paper, as sheets of text that HTML and PDF both show.

Source states in, sheets out.  Without *alerts* a pack holds nothing private.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.core.words import capital
from edge_watchdog.desk.book import BookDay, By, Entry, Group, Seat, grouped
from edge_watchdog.desk.clients import Line, PriceList
from edge_watchdog.desk.contacts import ContactsModel
from edge_watchdog.desk.day import SourceLine

BOX = "\u2610"  # a cell that holds only this is a box to tick
NUMBER = "F-{}"  # not P-: those are the box's own, and it goes on counting
EXTRA_ROWS = 3
SPARE_SEATS = 4
MOST_SPARE = 12
BOOKING_ROWS = 20
SALES_ROWS = 20
FIRST, LAST = NUMBER.format(1), NUMBER.format(BOOKING_ROWS + SALES_ROWS)
NO_CARDS = "Never write a card number down, here or anywhere."

DAY_COLUMNS = ("Time", "Client", "Service", "Length", "Price", "Look out for", "Arrived", "Paid")
DAY_SHARES = (13, 17, 24, 9, 9, 12, 9, 7)
WHOLE_COLUMNS = ("Time", "Client", "Service", "With", "Room", "State", "Arrived", "Paid")
WHOLE_SHARES = (13, 16, 21, 10, 11, 13, 9, 7)
NOTE_COLUMNS = ("Time", "Client", "With", "About", "Note", "Of")
NOTE_SHARES = (20, 13, 10, 13, 31, 13)
CLASS_COLUMNS = ("Name", "Spot", "State", "Here", "Paid", "Signature")
CLASS_SHARES = (32, 8, 16, 7, 7, 30)
BOOKING_COLUMNS = ("No.", "Client", "Telephone", "Day and time", "With", "Service", "By", "Entered")
BOOKING_SHARES = (10, 17, 15, 15, 10, 16, 7, 10)
SALES_COLUMNS = ("No.", "Time", "Client", "What", "Amount", "Cash, card or owed", "By", "Entered")
SALES_SHARES = (10, 8, 17, 20, 10, 18, 7, 10)


@dataclass(frozen=True, slots=True)
class Owed:
    """What a client still has to pay; *contact* is shown in a private pack only."""

    number: str
    client: str
    what: str
    amount: str
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: *notes* above, a table of *rows* under *columns*, *after* beneath.

    *shares* are the columns' widths in hundredths; *is_form* has rows tall enough to write in.
    """

    title: str
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    shares: tuple[int, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    after: tuple[str, ...] = ()
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """All sheets of one day; *as_of* stands at the foot of every page."""

    studio: str
    title: str
    as_of: str
    sheets: tuple[Sheet, ...]

    @property
    def head(self) -> str:
        """Say above every sheet whose it is and of which day: sheets get parted."""
        return f"{self.studio}, {self.title}"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What a pack holds beside the day; *alerts* by client key, None for what all may see.

    *notes* are what is known of clients, by their key; they too are for a private pack only.
    """

    prices: Sequence[PriceList]
    contacts: ContactsModel
    owed: Sequence[Owed] = ()
    alerts: Mapping[str, str] | None = None
    notes: Mapping[str, Sequence[Line]] | None = None


@dataclass(frozen=True, slots=True)
class Printer:
    """Who prints it and when, as text."""

    studio: str
    vendor: str
    made: str


def day_pack(day: BookDay, lines: Sequence[SourceLine], more: Enclosed, by: Printer) -> Pack:
    """Put a day's sheets together."""
    alerts = more.alerts or {}
    as_of = "; ".join(line.sentence for line in lines) or "no appointment list is set up"
    classes = [one for one in day.entries if one.is_class and not one.is_gone]
    notes = _notes_sheet(day.entries, more.notes or {})
    sheets = (
        _cover(day, lines, by),
        *(_staff_sheet(group, alerts) for group in grouped(day.entries, By.STAFF)),
        *([notes] if notes.rows else []),
        *(_class_sheet(one) for one in classes),
        _whole_sheet(day.entries),
        *(_price_sheet(one) for one in more.prices),
        _owed_sheet(more.owed, private=more.alerts is not None),
        _contact_sheet(more.contacts),
        _form("Bookings taken on paper", BOOKING_COLUMNS, BOOKING_SHARES, 1, BOOKING_ROWS),
        _form("Sales taken on paper", SALES_COLUMNS, SALES_SHARES, BOOKING_ROWS + 1, SALES_ROWS),
    )
    return Pack(by.studio, day.date, f"For {day.date}: {as_of}. Made {by.made}.", sheets)


def _cover(day: BookDay, lines: Sequence[SourceLine], by: Printer) -> Sheet:
    count = len(day.entries)
    members = ", ".join(day.members) or "nobody yet"
    facts = [fact for line in lines for fact in line.facts]
    missing = [f"This day is not known from {name}." for name in day.missing]
    return Sheet(
        f"Day pack, {day.date}",
        (
            f"{count} {'entry' if count == 1 else 'entries'} in the book. At work: {members}.",
            *(f"{capital(line.sentence)}." for line in lines),
            *facts,
            *missing,
            f"This is a copy to read. What is written here does not reach {by.vendor}.",
            f"Enter it in {by.vendor} when that is back.",
            f"Each line of the blank forms has a number, {FIRST} to {LAST}: say it to the client.",
            NO_CARDS,
        ),
    )


def _staff_sheet(group: Group, alerts: Mapping[str, str]) -> Sheet:
    rows = [
        (
            _time(one),
            one.client or ("class" if one.is_class else ""),
            _service(one),
            one.length,
            one.price,
            alerts.get(one.client_key, ""),
            "" if one.is_class or one.is_gone else BOX,
            _paid(one),
        )
        for one in group.entries
    ]
    spare = [("", "", "", "", "", "", BOX, BOX)] * EXTRA_ROWS
    return Sheet(f"Day sheet: {group.name}", (), DAY_COLUMNS, DAY_SHARES, (*rows, *spare))


def _notes_sheet(entries: Sequence[Entry], notes: Mapping[str, Sequence[Line]]) -> Sheet:
    """Put on paper what a treatment needs to know: warnings, formulas, preferences, history."""
    coming: dict[tuple[str, str], list[Entry]] = {}
    for one in entries:
        people = ((one.client, one.client_key), *((s.name, s.client_key) for s in _here(one)))
        for person in people if not one.is_gone else ():
            coming.setdefault(person, []).append(one)
    rows = tuple(
        (_times(ones), name, _members(ones), line.kind, line.text, line.on)
        for (name, key), ones in coming.items()
        for line in notes.get(key, ())
    )
    said = ("Private: put it away, and destroy it when the day is over.",)
    return Sheet("Notes on clients, private", said, NOTE_COLUMNS, NOTE_SHARES, rows)


def _here(one: Entry) -> Iterator[Seat]:
    return (seat for seat in one.seats if not seat.is_gone)


def _times(ones: Sequence[Entry]) -> str:
    return _time(ones[0]) if len(ones) == 1 else ", ".join(one.start for one in ones)


def _members(ones: Sequence[Entry]) -> str:
    return ", ".join(dict.fromkeys(one.member for one in ones if one.member))


def _class_sheet(one: Entry) -> Sheet:
    free = SPARE_SEATS if one.free is None else min(MOST_SPARE, one.free)
    seats = [
        (seat.name, seat.spot, seat.status, "" if seat.is_gone else BOX, BOX, "")
        for seat in one.seats
    ]
    blank = [("", "", "", BOX, BOX, "")] * min(MOST_SPARE * 3, free + (one.unnamed or 0))
    about = ", ".join(
        x for x in (one.places, f"with {one.member}" * bool(one.member), one.room) if x
    )
    notes: tuple[str, ...] = (f"{about}.",) if about else ()
    if one.unnamed:
        notes += (f"The calendar does not name {one.unnamed} of them: have them write their name.",)
    title = f"Class: {_time(one)} {one.service}".rstrip()
    return Sheet(title, notes, CLASS_COLUMNS, CLASS_SHARES, (*seats, *blank), is_form=True)


def _whole_sheet(entries: Sequence[Entry]) -> Sheet:
    rows = tuple(
        (
            _time(one),
            one.client or ("class" if one.is_class else ""),
            ", ".join(x for x in (one.service, one.places, *one.marks) if x),
            one.member,
            one.room,
            one.status,
            "" if one.is_class or one.is_gone else BOX,
            _paid(one),
        )
        for one in entries
    )
    notes = () if rows else ("The calendar has no appointments for this day.",)
    return Sheet("The whole studio, by time", notes, WHOLE_COLUMNS, WHOLE_SHARES, rows)


def _price_sheet(one: PriceList) -> Sheet:
    rows = tuple(
        (group.name, row.name, row.length, row.price or "not given")
        for group in one.groups
        for row in group.rows
    )
    columns = ("Group", "What", "Length", "Price")
    return Sheet("Prices", (f"Prices {one.words}.",), columns, (22, 48, 15, 15), rows)


def _owed_sheet(owed: Sequence[Owed], *, private: bool) -> Sheet:
    rows = tuple(
        (one.number, one.client, one.what, one.amount, one.contact if private else "", BOX)
        for one in owed
    )
    notes = () if rows else ("Nothing is noted as owed.",)
    columns = ("No.", "Client", "What", "Amount", "How to reach them", "Paid")
    blank = (("", "", "", "", "", BOX),) * EXTRA_ROWS
    return Sheet("Still to be paid", notes, columns, (10, 20, 28, 12, 22, 8), (*rows, *blank))


def _contact_sheet(contacts: ContactsModel) -> Sheet:
    rows = tuple((one.what, one.text or "________________") for one in contacts.lines)
    steps = tuple(f"{number}. {step}" for number, step in enumerate(contacts.hotspot, 1))
    after = ("Go online with a phone:", *steps)
    return Sheet("Whom to call", (), ("Whom", "How"), (30, 70), rows, after)


def _form(
    title: str, columns: tuple[str, ...], shares: tuple[int, ...], first: int, count: int
) -> Sheet:
    cells = *("" for _ in columns[2:]), BOX
    rows = tuple((NUMBER.format(number), *cells) for number in range(first, first + count))
    return Sheet(title, (NO_CARDS,), columns, shares, rows, is_form=True)


def _paid(one: Entry) -> str:
    """Give the box to tick; of a class everybody pays for themselves."""
    if one.paid == "paid":
        return "yes"  # also of one that is cancelled: it may have to be given back
    return "" if one.is_gone or one.is_class else BOX


def _time(one: Entry) -> str:
    return f"{one.start}\u2013{one.end}" if one.end else one.start


def _service(one: Entry) -> str:
    said = [one.service, one.places if one.is_class else "", *one.marks]
    return ", ".join(piece for piece in (*said, one.status if one.is_gone else "") if piece)
