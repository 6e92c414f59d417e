"""What the kept days know of clients and prices: cards, warnings and price lists as text.

Source states in, frozen models out.  Who may see a card is the caller's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.daybook import Appointment, Reading
from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import SourceState, appointments_of
from edge_watchdog.daybook.model import WARNINGS, Client, Note, NoteKind, PriceItem
from edge_watchdog.daybook.price_list import OwnList
from edge_watchdog.desk.book import money, weekday
from edge_watchdog.desk.day import SourceLine, source_lines
from edge_watchdog.desk.phrases import MONTHS, Local
from edge_watchdog.desk.written import Shown

TITLES: Mapping[NoteKind, str] = {
    NoteKind.COLOUR_FORMULA: "Colour formula",
    NoteKind.PREFERENCE: "Preferences",
    NoteKind.HISTORY: "History",
    NoteKind.OTHER: "Notes",
}
SERVICES, PRODUCTS = "Services", "Products"


@dataclass(frozen=True, slots=True)
class Line:
    """One note as text; *on* is the day or ""."""

    kind: str
    text: str
    on: str


@dataclass(frozen=True, slots=True)
class Card:
    """A client's warnings first, then the other notes by kind, newest first, and the visits."""

    warnings: tuple[Line, ...]
    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    visits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One line of a price list as text."""

    name: str
    length: str
    price: str


@dataclass(frozen=True, slots=True)
class PriceGroup:
    """The prices of one category."""

    name: str
    rows: tuple[PriceRow, ...]


@dataclass(frozen=True, slots=True)
class PriceList:
    """What one source asks for what; *words* say how old that is."""

    words: str
    groups: tuple[PriceGroup, ...]


def find_client(states: Sequence[SourceState], key: str) -> Client | None:
    """Find a client by the key that appointments carry."""
    found = (c for s in states if s.good for c in s.good.reading.clients if c.key == key)
    return next(found, None)


def warnings_of(states: Sequence[SourceState]) -> Mapping[str, str]:
    """Give, by client key, what must be looked at before a treatment: "allergy, patch test"."""
    found = {}
    for state in states:
        for client in state.good.reading.clients if state.good else ():
            kinds = {note.kind for note in client.notes}
            said = [str(kind) for kind in WARNINGS if kind in kinds]
            if said:
                found[client.key] = ", ".join(said)
    return found


def notes_of(states: Sequence[SourceState]) -> Mapping[str, tuple[Line, ...]]:
    """Give, by client key, every note as text: warnings first, of each kind the newest first."""
    return {
        client.key: tuple(
            line for kind in (*WARNINGS, *TITLES) for line in _lines(client.notes, kind)
        )
        for state in states
        for client in (state.good.reading.clients if state.good else ())
        if client.notes
    }


def card_of(client: Client, shown: Shown, local: Local) -> Card:
    """Draw a client's card."""
    rows = sorted((*appointments_of(shown.states), *shown.rows), key=lambda a: a.start_wall)
    lines = {kind: _lines(client.notes, kind) for kind in NoteKind}
    return Card(
        tuple(line for kind in WARNINGS for line in lines[kind]),
        tuple((title, lines[kind]) for kind, title in TITLES.items() if lines[kind]),
        tuple(
            _visit(a, local)
            for a in rows
            if client.key in (a.client_key, *(one.client_key for one in a.attendees))
        ),
    )


def price_lists(
    states: Sequence[SourceState], now: Now, local: Local, own: Sequence[OwnList] = ()
) -> tuple[PriceList, ...]:
    """Draw the price list of every source that has one, services before products.

    Where no source has any, the studio's *own* are drawn.
    """
    theirs = tuple(
        PriceList(
            _price_date(state.good.reading, line, local), _price_groups(state.good.reading.prices)
        )
        for state, line in zip(states, source_lines(states, now, local), strict=True)
        if state.good and state.good.reading.prices
    )
    return theirs or tuple(_own_list(one, local) for one in own if one.items)


def price_facts(lists: Sequence[OwnList], *, used: bool) -> tuple[str, ...]:
    """Say what is wrong with the studio's own lists; *used* False: a source brings its own."""
    facts = []
    for one in lists:
        kept = "The last good one is shown." if one.items else "It is not shown."
        said = f"Your price list {one.name} has a mistake, so it was not taken over. {kept}"
        facts += (
            [said, *(f"{one.name}, {words}." for words in one.problems)] if one.problems else []
        )
        if one.items and not used:
            facts.append(f"Your own list {one.name} is used when the appointments bring none.")
    return tuple(facts)


def _own_list(one: OwnList, local: Local) -> PriceList:
    day = local.day(one.as_of_wall or 0.0)
    words = f"as of {day.day} {MONTHS[day.month - 1]} {day.year}, your own list {one.name}"
    return PriceList(words, _price_groups(one.items))


def _price_date(reading: Reading, line: SourceLine, local: Local) -> str:
    """Say how old a price list is: its own date, where it was written by itself."""
    if reading.prices_wall is None:
        return line.sentence
    day = local.day(reading.prices_wall)
    return f"as of {day.day} {MONTHS[day.month - 1]} {day.year}, source {line.name}"


def _price_groups(items: Sequence[PriceItem]) -> tuple[PriceGroup, ...]:
    groups: dict[str, list[PriceRow]] = {}
    for one in sorted(items, key=lambda item: item.is_product):
        name = one.category or (PRODUCTS if one.is_product else SERVICES)
        length = f"{one.minutes} min" if one.minutes else ""
        groups.setdefault(name, []).append(PriceRow(one.name, length, money(one.price)))
    return tuple(PriceGroup(name, tuple(rows)) for name, rows in groups.items())


def _lines(notes: Sequence[Note], kind: NoteKind) -> tuple[Line, ...]:
    dated = [note for note in notes if note.kind is kind and note.on]
    undated = [note for note in notes if note.kind is kind and not note.on]
    ordered = sorted(dated, key=lambda note: str(note.on), reverse=True) + undated
    return tuple(Line(str(kind), note.text, _day(note)) for note in ordered)


def _day(note: Note) -> str:
    return f"{note.on.day} {MONTHS[note.on.month - 1]} {note.on.year}" if note.on else ""


def _visit(one: Appointment, local: Local) -> str:
    day, clock = weekday(local.day(one.start_wall)), local.clock(one.start_wall)
    who = f" with {one.member}" if one.member else ""
    said = ", ".join(x for x in (one.status, one.on_paper) if x)
    state = f" ({said})" if said else ""
    return f"{day}, {clock}: {one.service or 'appointment'}{who}{state}"
