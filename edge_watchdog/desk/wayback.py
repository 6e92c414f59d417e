"""The pages of the way back: what is still to be entered, and the close of day.

Requests of signed-in people in, pages out.  The list proves what it can; the rest is ticked off by
a person, and a day is closed only when every missed payment has its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.classes import is_class, is_then
from edge_watchdog.daybook.model import Money
from edge_watchdog.daybook.paper import (
    PROMISED,
    SLOTS,
    Draft,
    Entry,
    Kind,
    State,
    Visit,
    Words,
    human,
    is_over,
)
from edge_watchdog.daybook.paper_money import Debt, debts, taken
from edge_watchdog.daybook.paper_places import places_words
from edge_watchdog.daybook.paper_roll import roll_of
from edge_watchdog.daybook.paper_store import Journal
from edge_watchdog.daybook.reconcile import SECTIONS, Finding, Outcome
from edge_watchdog.desk.access import Route, Who, identity_of
from edge_watchdog.desk.answers import paper_page, refusal
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.book import money
from edge_watchdog.desk.day import source_lines
from edge_watchdog.desk.forms import fields_of
from edge_watchdog.desk.freetimes import nearest
from edge_watchdog.desk.opening import Opening
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperdesk import PaperDesk
from edge_watchdog.desk.paperexport import CopyField, as_csv, copy_fields, rows_of
from edge_watchdog.desk.paperview import EntryLine, line_of
from edge_watchdog.desk.paperwords import (
    CLASS_WORDS,
    COMPARED,
    DAMAGED,
    HIDDEN,
    LEAVING_WORDS,
    LEFT_TASK,
    METHOD_WORDS,
    NOT_COMPARED,
    OUTCOME_WORDS,
    OVER_WORDS,
    OWED_TASK,
    OWN_AFFAIR,
    WAITING_WORDS,
)
from edge_watchdog.desk.phrases import NO_VENDOR, long_date

MOST_BEGINS = 6
TICKED = (State.OPEN, State.CLAIMED, State.CONFLICT, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the way back: *words* say what the list has, *theirs* is its version."""

    line: EntryLine
    outcome: str
    words: str
    theirs: str
    copies: tuple[CopyField, ...]
    begins: tuple[str, ...]
    can_tick: bool
    is_slot: bool


@dataclass(frozen=True, slots=True)
class DebtLine:
    """One missed payment; *promise* says what was promised, "" for nothing."""

    number: int
    name: str
    client: str
    left: str
    promise: str
    blocks: bool


class WayBack:
    """Answers for /reconcile and /close."""

    def __init__(self, paper: PaperDesk, pages: Pages, board: Board) -> None:
        self._paper = paper
        self._pages = pages
        self._board = board
        settings = paper.settings
        self._opening = Opening(settings.open_spans, settings.time_zone)

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return (
            Route("GET", "/reconcile", self.reconcile, Who.STAFF),
            Route("GET", "/reconcile.csv", self.csv, Who.STAFF),
            Route("GET", "/reconcile.json", self.json, Who.STAFF),
            Route("GET", "/close", self.closing, Who.STAFF),
            Route("POST", "/close", self.close, Who.STAFF),
        )

    async def reconcile(self, request: web.Request) -> web.Response:
        """Show what is to be entered, in the order that staff need."""
        private = identity_of(request).sees_private
        try:
            findings = await self._paper.settle()
        except DaybookError as error:
            return refusal(self._pages, error)
        items = [self._item(one, private=private) for one in findings]
        sections = [
            (name, [i for i, f in zip(items, findings, strict=True) if f.section == place])
            for place, name in enumerate(SECTIONS)
        ]
        waiting = any(one.outcome is Outcome.WAITING for one in findings)
        journal = self._paper.journal
        return self._html(
            request,
            "reconcile.html",
            sections=[(name, some) for name, some in sections if some],
            waiting=waiting,
            compared=self._compared(),
            verified=sum(e.state is State.VERIFIED for e in journal.entries),
            trouble=DAMAGED.format(what=journal.damage.words) if journal.damage else "",
            hidden=HIDDEN if any(item.line.hidden for item in items) else "",
        )

    def _compared(self) -> str:
        """Say with which list, and when: the page may stand open for long."""
        now, local = self._board.now(), self._paper.local
        states = tuple(self._board.sources.values())
        if not any(one.good for one in states):
            return NOT_COMPARED
        lists = "; ".join(line.sentence for line in source_lines(states, now, local))
        at = f" at {local.clock(now.at.wall)}" if now.wall_known else ""
        return COMPARED.format(at=at, lists=lists)

    async def csv(self, request: web.Request) -> web.Response:
        """Give what is not over as CSV."""
        rows = await self._rows(request)
        name = f"paper-{self._paper.today.isoformat()}.csv"
        return web.Response(
            text=as_csv(rows),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def json(self, request: web.Request) -> web.Response:
        """Give what is not over as JSON."""
        return web.json_response({"entries": await self._rows(request)})

    async def closing(self, request: web.Request) -> web.Response:
        """Show what the day came to and what stands in the way of closing it."""
        try:
            await self._paper.settle()
        except DaybookError as error:
            return refusal(self._pages, error)
        return self._closing(request)

    async def close(self, request: web.Request) -> web.Response:
        """Close the day, unless a missed payment has no answer; once is enough."""
        await fields_of(request)
        try:
            await self._paper.settle()
            if any(debt.blocks for debt in debts(self._paper.journal.entries)):
                return self._closing(request, status=409)
            await self._paper.close_day(identity_of(request), self._tasks())
        except DaybookError as error:
            return refusal(self._pages, error)
        raise web.HTTPSeeOther("/close")

    def _closing(self, request: web.Request, *, status: int = 200) -> web.Response:
        paper, private = self._paper, identity_of(request).sees_private
        journal, today = paper.journal, paper.today
        todays = [e for e in journal.entries if paper.local.day(e.at_wall) == today]
        sums = [
            (METHOD_WORDS[method], money(Money(minor, currency)))
            for (method, currency), minor in sorted(taken(todays).items())
        ]
        owed = [d for d in debts(journal.entries) if self._matters(d)]
        lines = [self._debt(debt, private=private) for debt in owed]
        closed = next((c for c in journal.closed if c.day == today.isoformat()), None)
        return self._html(
            request,
            "close.html",
            status=status,
            sums=sums,
            debts=lines,
            blocked=sum(line.blocks for line in lines),
            left=len(self._tasks()),
            next_day=long_date(self._opening.next_day(today)),
            closed=closed,
            closed_at=paper.local.clock(closed.at_wall) if closed else "",
        )

    def _matters(self, debt: Debt) -> bool:
        return debt.left.minor > 0 and debt.entry.state is not State.WRITTEN_OFF

    def _tasks(self) -> tuple[Draft, ...]:
        """Give a task for all that is left, for the next open day; none twice."""
        entries = self._paper.journal.entries
        due = self._opening.next_day(self._paper.today).isoformat()
        has_one = {
            e.draft.parent
            for e in entries
            if e.draft is not None and e.draft.kind is Kind.TASK and not is_over(e)
        }
        owed = {d.entry.number: d for d in debts(entries) if self._matters(d)}
        texts = {n: self._owed_words(debt) for n, debt in owed.items()}
        vendor = self._paper.settings.vendor_name or NO_VENDOR
        for entry in entries:
            kind = entry.draft.kind if entry.draft else Kind.TASK
            if kind not in (Kind.TASK, Kind.NOTE) and not is_over(entry):
                said = LEFT_TASK.format(name=entry.name, vendor=vendor)
                texts.setdefault(entry.number, said)
        return tuple(
            Draft(Kind.TASK, Words(text, "", due), parent=number)
            for number, text in sorted(texts.items())
            if number not in has_one
        )

    def _owed_words(self, debt: Debt) -> str:
        promise = METHOD_WORDS[debt.promised].lower() if debt.promised else "owed"
        return OWED_TASK.format(amount=money(debt.left), name=debt.entry.name, promise=promise)

    def _debt(self, debt: Debt, *, private: bool) -> DebtLine:
        entry = debt.entry
        line = line_of(entry, self._paper.local, self._board.now().at.wall, private=private)
        promise = METHOD_WORDS[debt.promised] if debt.promised in PROMISED else ""
        if promise and private:
            promise = f"{promise}: {debt.contact}"
        return DebtLine(
            entry.number, human(entry.number), line.client, money(debt.left), promise, debt.blocks
        )

    def _free_near(self, draft: Draft) -> tuple[str, ...]:
        """Give the free times of that day that are nearest to the one that was promised."""
        if not isinstance(draft.content, Visit):
            return ()
        wanted = self._paper.local.clock(draft.content.start_wall)
        free = self._paper.free(draft)
        begins = [one.begin for one in free.lessons if not one.is_full]
        return nearest(begins if free.is_place else free.begins, wanted, MOST_BEGINS)

    def _item(self, finding: Finding, *, private: bool) -> Item:
        entry, paper = finding.entry, self._paper
        now_wall = self._board.now().at.wall
        order = paper.settings.journal.form_order
        draft = entry.draft
        is_slot = draft is not None and draft.kind in SLOTS
        taken_words = finding.outcome is Outcome.TAKEN and draft is not None
        begins = self._free_near(draft) if taken_words and draft else ()
        entered = entry.state is State.ENTERED
        words = self._words(finding)
        if entered and finding.outcome is Outcome.ABSENT:
            words = "Entered; the next fresh list will show it."
        elif draft is not None and draft.kind in (Kind.NOTE, Kind.TASK):
            words = OWN_AFFAIR
        return Item(
            line_of(entry, paper.local, now_wall, private=private),
            str(finding.outcome),
            words,
            self._theirs(finding),
            copy_fields(entry, order, paper.local, private=private),
            begins,
            entry.state in TICKED,
            is_slot,
        )

    def _words(self, finding: Finding) -> str:
        """Say what the list has; of a class, how many places."""
        row, draft = finding.theirs, finding.entry.draft
        visit = draft.content if draft else None
        in_class = isinstance(visit, Visit) and row and is_class(row) and is_then(visit, row)
        if draft is not None and draft.kind is Kind.CANCEL and finding.outcome is Outcome.ABSENT:
            return LEAVING_WORDS
        if draft is None or row is None or not in_class or finding.outcome not in CLASS_WORDS:
            return OUTCOME_WORDS[finding.outcome]
        if finding.outcome is Outcome.ABSENT and (draft.waits or draft.forced):
            return WAITING_WORDS if draft.waits else OVER_WORDS
        return CLASS_WORDS[finding.outcome].format(places=places_words(roll_of(row, (), ())))

    def _theirs(self, finding: Finding) -> str:
        """Say what stands in the vendor's list where it differs."""
        row, local = finding.theirs, self._paper.local
        shown = (Outcome.TAKEN, Outcome.CHANGED)
        if finding.outcome not in shown:
            return ""
        if row is None:
            return "It is no longer in the list."
        when = local.moment(row.start_wall, self._board.now().at.wall)
        parts = (when, row.client, row.service, row.member, str(row.status))
        return ", ".join(part for part in parts if part)

    async def _rows(self, request: web.Request) -> list[dict[str, str]]:
        private = identity_of(request).sees_private
        try:
            journal = await self._paper.look()
        except DaybookError:
            raise web.HTTPServiceUnavailable from None
        return rows_of(_left(journal), self._paper.local, private=private)

    def _html(
        self, request: web.Request, template: str, *, status: int = 200, **more: object
    ) -> web.Response:
        return paper_page(self._pages, request, template, status=status, **more)


def _left(journal: Journal) -> Sequence[Entry]:
    return [entry for entry in journal.entries if not is_over(entry)]
