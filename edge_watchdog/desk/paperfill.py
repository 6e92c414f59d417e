"""What stands in a form of the paper journal when it is shown: choices, prices, free times.

The desk as it is now and what was typed in, what the template needs out.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import is_class
from edge_watchdog.daybook.model import PriceItem
from edge_watchdog.daybook.money import amount_text
from edge_watchdog.daybook.paper import SLOTS, Kind, Method, human
from edge_watchdog.desk.access import Identity
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.freetimes import thinned
from edge_watchdog.desk.paperdesk import Free, PaperDesk
from edge_watchdog.desk.paperforms import FORM_LINES, MINUTES, Around
from edge_watchdog.desk.paperwords import FORM_TITLES, METHOD_WORDS

MOST_BEGINS = 24


@dataclass(frozen=True, slots=True)
class Choice:
    """An appointment that can be chosen in a form; of a class *people* may be meant."""

    key: str
    words: str
    is_class: bool = False
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormShown:
    """A form on its way to the page: what stands in it, and what is wrong.

    *kept*: a browser keeps it for when the box is off.  *full*: it is a class that is taken.
    """

    kind: str
    values: Mapping[str, str]
    place: str = ""
    wrong: str = ""
    taken: bool = False
    free: Free | None = None
    status: int = 200
    kept: bool = False
    full: bool = False


def empty_fields(kind: str, paper: PaperDesk) -> dict[str, str]:
    """Give what stands in a form that nobody has written in; a task waits for the next open day."""
    values = {"kind": kind, "quantity0": "1"}
    if kind in SLOTS or kind == str(Kind.TASK):
        day = paper.next_open_day if kind == str(Kind.TASK) else paper.today
        values |= {"date": day.isoformat(), "due": day.isoformat(), "minutes": str(MINUTES)}
    return values


def form_model(
    paper: PaperDesk, board: Board, shown: FormShown, who: Identity
) -> dict[str, object]:
    """Give what paper_form.html needs."""
    around = paper.around(shown.values, who)
    values = {"form": secrets.token_hex(16), **shown.values}
    one, parent = around.appointment, values.get("parent", "")
    now_wall, prices_wall = board.now().at.wall, around.prices_of_wall
    return {
        "kind": shown.kind,
        "title": FORM_TITLES[shown.kind],
        "v": values,
        "place": shown.place,
        "wrong": shown.wrong,
        "taken": shown.taken,
        "full": shown.full,
        "has_classes": any(map(is_class, paper.listed())),
        "free": shown.free,
        "begins": thinned(shown.free.begins, MOST_BEGINS) if shown.free else (),
        "private": who.sees_private,
        "chosen": _choice(one, paper) if one else None,
        "choices": [] if one else [_choice(a, paper) for a in paper.coming()],
        "members": paper.members(),
        "prices": [(p.name, _price(p, around), p.minutes or "") for p in around.prices],
        "prices_of": paper.local.moment(prices_wall, now_wall) if prices_wall else "",
        "currency": around.currency,
        "methods": [(str(method), METHOD_WORDS[method]) for method in Method],
        "line_count": FORM_LINES,
        "corrects": human(number_in_text(parent)) if values.get("replaces") else "",
        "kept": shown.kept,
    }


def number_in_text(text: str) -> int:
    """Give the entry's number that *text* is, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _choice(one: Appointment, paper: PaperDesk) -> Choice:
    local = paper.local
    day = "" if local.day(one.start_wall) == paper.today else f"{local.at(one.start_wall):%a %d} "
    what = " - ".join(text for text in (one.client, one.service) if text) or "busy"
    who = f" ({one.member})" if one.member else ""
    people = tuple(seat.name for seat in one.attendees if seat.name)
    words = f"{day}{local.clock(one.start_wall)} {what}{who}"
    return Choice(one.key, words, is_class(one), people)


def _price(item: PriceItem, around: Around) -> str:
    if item.price is None or item.price.currency != around.currency:
        return ""
    return amount_text(item.price.minor, item.price.currency)
