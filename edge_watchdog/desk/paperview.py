"""Entries of the paper journal as a page shows them; times are local text, amounts have signs.

Entries in, lines out.  What is private is left out unless the reader may see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from edge_watchdog.daybook.paper import (
    SLOTS,
    Draft,
    Entry,
    Kind,
    Payment,
    Sale,
    State,
    Visit,
    Words,
    human,
    is_over,
)
from edge_watchdog.daybook.privacy import short_name
from edge_watchdog.desk.book import money
from edge_watchdog.desk.paperwords import KIND_WORDS, METHOD_WORDS, STATE_WORDS
from edge_watchdog.desk.phrases import Local

FORGOTTEN = "forgotten, as it was over long ago"


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry; *state* names its style, *facts* are what else was said, oldest first.

    *hidden* tells that something private is left out.
    """

    number: int
    name: str
    kind: str
    written: str
    by: str
    client: str
    what: str
    state: str
    state_words: str
    facts: tuple[str, ...]
    over: bool
    hidden: bool
    can_correct: bool


def line_of(entry: Entry, local: Local, now_wall: float, *, private: bool) -> EntryLine:
    """Draw an entry."""
    draft = entry.draft
    written = local.moment(entry.at_wall, now_wall) if entry.clock_known else "clock was not set"
    last = entry.moves[-1] if entry.moves else None
    state_words = STATE_WORDS[entry.state]
    if draft is not None and draft.kind not in (*SLOTS, Kind.CANCEL, Kind.CHECK_IN, Kind.NO_SHOW):
        state_words = {State.ENTERED: "done", State.OPEN: "to do"}.get(entry.state, state_words)
    if last is not None and entry.state in (State.CLAIMED, State.ENTERED) and last.by.person:
        state_words += f" by {last.by.person}"
    return EntryLine(
        number=entry.number,
        name=entry.name,
        kind=KIND_WORDS[draft.kind] if draft else "",
        written=written,
        by=entry.by.person,
        client=_client(draft, private=private),
        what=summary(draft, local, now_wall, private=private) if draft else FORGOTTEN,
        state=str(entry.state).replace(" ", "-"),
        state_words=state_words,
        facts=_facts(entry, private=private),
        over=is_over(entry),
        hidden=_hides(draft) and not private,
        can_correct=draft is not None and entry.state in (State.OPEN, State.CLAIMED),
    )


def summary(draft: Draft, local: Local, now_wall: float, *, private: bool) -> str:
    """Say in a line what an entry is about, without the client."""
    match draft.content:
        case Visit() as visit:
            return _visit(draft, visit, local, now_wall)
        case Sale() as sale:
            items = ", ".join(
                f"{one.quantity} x {one.name}" if one.quantity > 1 else one.name
                for one in sale.lines
            )
            return f"{items}: {money(sale.amount)}, {_method(sale)}"
        case Payment() as payment:
            about = f" for {human(draft.parent)}" if draft.parent else ""
            return f"{money(payment.amount)}{about}, {_method(payment)}"
        case Words() as words:
            return words.text if private or draft.kind is Kind.TASK else ""


def is_of(entry: Entry, day: date, local: Local) -> bool:
    """Tell whether an entry belongs to *day*: written then, or a task that is due by then."""
    return local.day(entry.at_wall) == day


def tasks_due(entries: Sequence[Entry], today: date) -> tuple[Entry, ...]:
    """Give the tasks that are to be done by today, oldest first."""
    return tuple(
        entry
        for entry in entries
        if entry.draft is not None
        and isinstance(entry.draft.content, Words)
        and entry.draft.kind is Kind.TASK
        and not is_over(entry)
        and entry.draft.content.due <= today.isoformat()
    )


def _visit(draft: Draft, visit: Visit, local: Local, now_wall: float) -> str:
    parts = [visit.service or "appointment"]
    if visit.member:
        parts.append(f"with {visit.member}")
    when = local.moment(visit.start_wall, now_wall)
    timed = draft.kind in SLOTS or draft.appointment_key
    if timed and visit.end_wall > visit.start_wall:
        parts.append(f"from {when} to {local.clock(visit.end_wall)}")
    if visit.room:
        parts.append(f"({visit.room})")
    if draft.kind is Kind.RESCHEDULE and visit.was is not None:
        was = local.moment(visit.was.start_wall, now_wall)
        parts.append(f"instead of {was}")
    return " ".join(parts)


def _method(content: Sale | Payment) -> str:
    words = METHOD_WORDS[content.method]
    said = f"{words[:1].lower()}{words[1:]}"
    return f"{said} ({content.reference})" if content.reference else said


def _client(draft: Draft | None, *, private: bool) -> str:
    name = draft.content.client if draft else ""
    return name if private else short_name(name)


def _facts(entry: Entry, *, private: bool) -> tuple[str, ...]:
    draft, facts = entry.draft, []
    if draft is None:
        return ()
    if draft.doubt and not is_over(entry):
        facts.append(draft.doubt)
    if draft.waits:
        facts.append(f"Waits for a place: {draft.forced}" if draft.forced else "Waits for a place.")
    elif draft.forced:
        why = "Over the limit of the class" if draft.lesson else "Kept although that time is taken"
        facts.append(f"{why}: {draft.forced}")
    content = draft.content
    if isinstance(content, Visit) and content.spot:
        facts.append(f"Spot: {content.spot}")
    for name, words in (("phone", "Telephone"), ("contact", "Reached by"), ("note", "Note")):
        text = getattr(content, name, "")
        if text and private:
            facts.append(f"{words}: {text}")
    if entry.moves and entry.moves[-1].detail:
        facts.append(entry.moves[-1].detail)
    return tuple(facts)


def _hides(draft: Draft | None) -> bool:
    if draft is None:
        return False
    content = draft.content
    named = any(getattr(content, name, "") for name in ("phone", "contact", "note"))
    return named or draft.kind is Kind.NOTE or content.client != short_name(content.client)
