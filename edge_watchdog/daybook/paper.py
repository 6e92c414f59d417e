"""What is written down while the vendor cannot be used: kinds, contents, states and their rules.

Pure: drafts and moves in, checked values out.  Nothing is edited or deleted; a correction is a new
entry, and how an entry stands is told by the moves that were appended to it.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.model import Money, Status
from edge_watchdog.daybook.paper_text import holds_card_number, holds_contact

LINE_CHARS = 80
TEXT_CHARS = 600
MOST_LINES = 12
MOST_QUANTITY = 999
MOST_MINOR = 10_000_000
LONGEST_S = 24 * 3600.0
NO_CARDS = "Never write card numbers down here. Take the number out and try again."


class PaperError(DaybookError):
    """What was written cannot be kept as it stands; *place* is the form's field, "" for all."""

    def __init__(self, message: str, place: str = "") -> None:
        """Say in plain words what would be right."""
        super().__init__(message)
        self.place = place


class Kind(StrEnum):
    """What an entry is."""

    BOOKING = "booking"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    CHECK_IN = "check-in"
    NO_SHOW = "no-show"
    SALE = "sale"
    PAYMENT_TAKEN = "payment taken"
    PAYMENT_OWED = "payment owed"
    PAYMENT_LINK = "payment link promised"
    PHONE_PAYMENT = "phone payment promised"
    NOTE = "note"
    TASK = "task"


SLOTS = (Kind.BOOKING, Kind.RESCHEDULE)
PRESENCE = (Kind.CHECK_IN, Kind.NO_SHOW)
VISITS = (*SLOTS, Kind.CANCEL, *PRESENCE)
PROMISES = (Kind.PAYMENT_LINK, Kind.PHONE_PAYMENT)
PAYMENTS = (Kind.PAYMENT_TAKEN, Kind.PAYMENT_OWED, *PROMISES)


class Method(StrEnum):
    """How money came, or why it has not come yet."""

    CASH = "cash"
    TERMINAL = "card, own terminal"
    VOUCHER = "voucher"
    OWED = "owed"
    LINK = "payment link"
    PHONE = "by telephone later"


TAKEN = (Method.CASH, Method.TERMINAL, Method.VOUCHER)
PROMISED = (Method.LINK, Method.PHONE)
PAID_BY: Mapping[Kind, tuple[Method, ...]] = {
    Kind.PAYMENT_TAKEN: TAKEN,
    Kind.PAYMENT_OWED: (Method.OWED,),
    Kind.PAYMENT_LINK: (Method.LINK,),
    Kind.PHONE_PAYMENT: (Method.PHONE,),
}


class State(StrEnum):
    """How an entry stands on its way into the vendor's system."""

    OPEN = "open"
    CLAIMED = "claimed"
    ENTERED = "entered"
    VERIFIED = "verified"
    CONFLICT = "conflict"
    UNKNOWN = "outcome not known"
    VOID = "void"
    WRITTEN_OFF = "written off"


OVER = (State.VERIFIED, State.VOID, State.WRITTEN_OFF)
_ANY = (State.ENTERED, State.VERIFIED, State.CONFLICT, State.VOID, State.WRITTEN_OFF)
NEXT: Mapping[State, tuple[State, ...]] = {
    State.OPEN: (State.CLAIMED, State.UNKNOWN, *_ANY),
    State.CLAIMED: (State.OPEN, *_ANY),
    State.UNKNOWN: (State.OPEN, *_ANY),
    State.CONFLICT: (State.CLAIMED, State.OPEN, *_ANY),
    State.ENTERED: (State.OPEN, State.VERIFIED, State.CONFLICT, State.VOID),
    State.VERIFIED: (),
    State.VOID: (),
    State.WRITTEN_OFF: (),
}
NEEDS_REASON = (State.VOID, State.WRITTEN_OFF)


@dataclass(frozen=True, slots=True)
class Was:
    """How the appointment looked when the entry was written; times: seconds since 1970."""

    start_wall: float
    end_wall: float
    member: str
    status: Status


@dataclass(frozen=True, slots=True)
class Visit:
    """A booking, a move, a cancellation, an arrival or a no-show; [start, end) since 1970.

    *spot* is a place in a class that has a name: a bike, a mat.
    """

    client: str
    member: str
    service: str
    start_wall: float
    end_wall: float
    room: str = ""
    phone: str = ""
    note: str = ""
    price: Money | None = None
    was: Was | None = None
    spot: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing sold: *quantity* of it at *unit_minor* each."""

    name: str
    quantity: int
    unit_minor: int

    @property
    def total_minor(self) -> int:
        """Give what the line comes to."""
        return self.quantity * self.unit_minor


@dataclass(frozen=True, slots=True)
class Sale:
    """What was sold, and how it was paid; *prices_of_wall* is how old the price list was."""

    client: str
    lines: tuple[Line, ...]
    currency: str
    method: Method
    discount_minor: int = 0
    reference: str = ""
    contact: str = ""
    note: str = ""
    prices_of_wall: float | None = None

    @property
    def subtotal_minor(self) -> int:
        """Give the sum of the lines."""
        return sum(line.total_minor for line in self.lines)

    @property
    def amount(self) -> Money:
        """Give what is to be paid."""
        return Money(self.subtotal_minor - self.discount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money taken, owed or promised; *reference* is the terminal's or the voucher's number."""

    client: str
    amount: Money
    method: Method
    reference: str = ""
    contact: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A note, or a task for the day *due* (ISO date, "" for today)."""

    text: str
    client: str = ""
    due: str = ""


Content = Visit | Sale | Payment | Words
SHAPES: Mapping[Kind, type[Content]] = {
    **dict.fromkeys(VISITS, Visit),
    Kind.SALE: Sale,
    **dict.fromkeys(PAYMENTS, Payment),
    Kind.NOTE: Words,
    Kind.TASK: Words,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that has no number yet.

    *appointment_key* and *client_key* are the day book's; *source* is the schedule it stands in.
    *parent* is the number of the entry that this one answers (0: none); *replaces* says that the
    parent is void from now on.  *as_of_wall* is how old the list was that it was written against,
    *doubt* the sentence that was shown with it, *forced* why it was kept though the time is taken.
    *lesson* is the class that it is a place in, "" for none; *waits*: it is full, and the client
    waits for a place.  *namesakes* of the client had a place there already.
    """

    kind: Kind
    content: Content
    appointment_key: str = ""
    client_key: str = ""
    source: str = ""
    parent: int = 0
    replaces: bool = False
    as_of_wall: float | None = None
    doubt: str = ""
    forced: str = ""
    lesson: str = ""
    waits: bool = False
    namesakes: int = 0


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and on which device."""

    person: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """An entry is in *state* from now on; *detail* is a reason or what a person noted.

    *ref* is the vendor's own id of what was found, for the way back; it is never shown.
    """

    state: State
    at_wall: float
    by: Author
    detail: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in the journal; *id* is a UUIDv7, *moves* are oldest first.

    *draft* is None when its retention is over and the content has been forgotten.
    """

    id: str
    number: int
    at_wall: float
    clock_known: bool
    by: Author
    draft: Draft | None
    moves: tuple[Move, ...] = ()

    @property
    def state(self) -> State:
        """Give how it stands."""
        return self.moves[-1].state if self.moves else State.OPEN

    @property
    def name(self) -> str:
        """Give the number as people say it: "P-0042"."""
        return human(self.number)


def human(number: int) -> str:
    """Write an entry's number."""
    return f"P-{number:04}"


def is_over(entry: Entry) -> bool:
    """Tell whether nothing is left to do: what no list can verify is over once it is entered."""
    visit = entry.draft is not None and entry.draft.kind in VISITS
    return entry.state in OVER or (entry.state is State.ENTERED and not visit)


def check(draft: Draft) -> None:
    """Refuse what cannot be kept; raises PaperError that names the field."""
    if not isinstance(draft.content, SHAPES[draft.kind]):
        raise PaperError(f"This does not belong to a {draft.kind}.")
    for place, text in texts(draft):
        check_text(text, place)
    match draft.content:
        case Visit():
            _check_visit(draft.kind, draft.content)
        case Sale():
            _check_sale(draft.content)
        case Payment():
            _check_payment(draft.kind, draft.content)
        case Words():
            _need(draft.content.text, "text", "Write down what it is about.")


def check_text(text: str, place: str = "") -> None:
    """Refuse card numbers and what is too long; raises PaperError."""
    if holds_card_number(text):
        raise PaperError(NO_CARDS, place)
    most = TEXT_CHARS if place in ("text", "note", "reason", "forced", "doubt") else LINE_CHARS
    if len(text) > most:
        raise PaperError(f"This is {len(text)} signs long; {most} at most can be kept.", place)


def check_open(draft: Draft) -> None:
    """Refuse contacts on a connection that others could read along; raises PaperError."""
    for place, text in texts(draft):
        if place != "reference" and holds_contact(text):
            words = (
                "Telephone numbers and e-mail addresses are taken over the secure address only "
                "(https://). Leave it out here, and write where it can be found instead."
            )
            raise PaperError(words, place)


def check_move(entry: Entry, state: State, detail: str) -> None:
    """Refuse a step that does not follow from how the entry stands; raises PaperError."""
    check_text(detail, "reason")
    if state not in NEXT[entry.state]:
        raise PaperError(f"{entry.name} is {entry.state}; it cannot become {state}.")
    if state in NEEDS_REASON and not detail.strip():
        raise PaperError(f"Say in a few words why {entry.name} is {state}.", "reason")


def texts(draft: Draft) -> Iterator[tuple[str, str]]:
    """Give every text that a person wrote, with the field it stands in."""
    yield "forced", draft.forced
    content = draft.content
    for field in dataclasses.fields(content):
        value = getattr(content, field.name)
        if isinstance(value, str) and not isinstance(value, Method):
            yield field.name, value
    if isinstance(content, Sale):
        for number, line in enumerate(content.lines):
            yield f"item{number}", line.name


def _check_visit(kind: Kind, visit: Visit) -> None:
    _need(visit.client or visit.service, "client", "Write whom it is for.")
    if kind not in SLOTS:
        return
    _need(visit.client, "client", "Write whom it is for.")
    if not 0 < visit.end_wall - visit.start_wall <= LONGEST_S:
        raise PaperError("The end must be after the begin, on the same day.", "minutes")
    if visit.price is not None:
        _check_amount(visit.price.minor, "price", least=0)


def _check_sale(sale: Sale) -> None:
    if not 0 < len(sale.lines) <= MOST_LINES:
        raise PaperError(f"Choose what was sold: one to {MOST_LINES} lines.", "item0")
    for number, line in enumerate(sale.lines):
        _need(line.name, f"item{number}", "Write what was sold.")
        if not 0 < line.quantity <= MOST_QUANTITY:
            raise PaperError(f"A quantity is 1 to {MOST_QUANTITY}.", f"quantity{number}")
        _check_amount(line.unit_minor, f"unit{number}", least=0)
    if not 0 <= sale.discount_minor <= sale.subtotal_minor:
        raise PaperError("The discount is more than what was sold.", "discount")
    if sale.method in PROMISED:
        _need(sale.contact, "contact", "Write how the client can be reached.")


def _check_payment(kind: Kind, payment: Payment) -> None:
    _check_amount(payment.amount.minor, "amount", least=1)
    if payment.method not in PAID_BY[kind]:
        raise PaperError(f"A {kind} cannot be {payment.method}.", "method")
    if kind is not Kind.PAYMENT_TAKEN:
        _need(payment.client, "client", "Write who owes it.")
    if kind in PROMISES:
        _need(payment.contact, "contact", "Write how the client can be reached.")


def _check_amount(minor: int, place: str, *, least: int) -> None:
    if not least <= minor <= MOST_MINOR:
        raise PaperError("This amount is not possible.", place)


def _need(text: str, place: str, words: str) -> None:
    if not text.strip():
        raise PaperError(words, place)
