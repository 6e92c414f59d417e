"""What the day's paper comes to: money taken by method, and what is still owed.

Pure; amounts are whole minor units, summed per currency, never converted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_watchdog.daybook.model import Money
from edge_watchdog.daybook.paper import (
    PAYMENTS,
    PROMISED,
    TAKEN,
    Draft,
    Entry,
    Kind,
    Method,
    Payment,
    Sale,
    State,
)


@dataclass(frozen=True, slots=True)
class Debt:
    """What an entry leaves to be collected; *contact* is how the client can be reached.

    *promised* is how they promised to pay, None when they did not.
    """

    entry: Entry
    amount: Money
    collected_minor: int
    client: str
    contact: str
    promised: Method | None

    @property
    def left(self) -> Money:
        """Give what is still to be collected; less than nothing when too much was taken."""
        return Money(self.amount.minor - self.collected_minor, self.amount.currency)

    @property
    def blocks(self) -> bool:
        """Tell whether the day cannot be closed before something is done about it."""
        open_ = self.left.minor > 0 and self.entry.state is not State.WRITTEN_OFF
        return open_ and not (self.promised and self.contact.strip())


def taken(entries: Sequence[Entry]) -> Mapping[tuple[Method, str], int]:
    """Give what was taken, in minor units by method and currency."""
    sums: dict[tuple[Method, str], int] = {}
    for _, draft in _counted(entries):
        method, money = _money(draft)
        if money is not None and method in TAKEN:
            key = (method, money.currency)
            sums[key] = sums.get(key, 0) + money.minor
    return sums


def debts(entries: Sequence[Entry]) -> tuple[Debt, ...]:
    """Give what was owed when it was written down, with what came in since, by number.

    A promise made for a debt (its parent) makes the debt promised; it is not a debt of its own.
    """
    counted = _counted(entries)
    owing = {e.number for e, d in counted if _owes(d)}
    found = []
    for entry, draft in counted:
        if not _owes(draft) or draft.parent in owing:
            continue
        answers = [d for _, d in counted if d.parent == entry.number]
        amount = _money(draft)[1]
        collected = sum(m.minor for d in answers if (m := _collected(d, amount)) is not None)
        promise = next((d for d in (*reversed(answers), draft) if _promise(d)), None)
        content = draft.content
        client = content.client if isinstance(content, (Sale, Payment)) else ""
        found.append(
            Debt(
                entry,
                amount or Money(0, ""),
                collected,
                client,
                _contact(promise),
                _money(promise)[0] if promise is not None else None,
            )
        )
    return tuple(found)


def _counted(entries: Sequence[Entry]) -> list[tuple[Entry, Draft]]:
    return [(e, e.draft) for e in entries if e.draft is not None and e.state is not State.VOID]


def _money(draft: Draft) -> tuple[Method | None, Money | None]:
    match draft.content:
        case Sale() | Payment():
            return draft.content.method, draft.content.amount
        case _:
            return None, None


def _owes(draft: Draft) -> bool:
    method, money = _money(draft)
    return method is not None and method not in TAKEN and money is not None and money.minor > 0


def _collected(draft: Draft, owed: Money | None) -> Money | None:
    """Give what *draft* pays of a debt; another currency pays nothing of it."""
    _, money = _money(draft)
    pays = draft.kind is Kind.PAYMENT_TAKEN and money is not None and owed is not None
    return money if pays and money and owed and money.currency == owed.currency else None


def _promise(draft: Draft) -> bool:
    return draft.kind in (*PAYMENTS, Kind.SALE) and _money(draft)[0] in PROMISED


def _contact(promise: Draft | None) -> str:
    content = promise.content if promise is not None else None
    return content.contact if isinstance(content, (Sale, Payment)) else ""
