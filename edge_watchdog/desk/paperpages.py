"""The pages of the paper journal: what was written today, and the forms to write.

Requests of signed-in people in, pages out.  A form that cannot be kept comes back with what was
typed, the field that is wrong and what would be right; one that was kept leads to the journal.
"""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.money import amount_text
from edge_watchdog.daybook.paper import (
    Kind,
    PaperError,
    State,
    human,
    is_over,
)
from edge_watchdog.daybook.paper_chain import FRESH_NUMBERS
from edge_watchdog.daybook.paper_money import debts
from edge_watchdog.daybook.paper_store import TakenError
from edge_watchdog.daybook.privacy import short_name
from edge_watchdog.desk.access import Identity, Route, Who, identity_of
from edge_watchdog.desk.answers import paper_page, refusal
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.forms import fields_of
from edge_watchdog.desk.pages import Pages
from edge_watchdog.desk.paperdesk import PaperDesk
from edge_watchdog.desk.paperfill import FormShown, empty_fields, form_model, number_in_text
from edge_watchdog.desk.paperforms import (
    Around,
    draft_of,
    fields_of_appointment,
    fields_of_entry,
)
from edge_watchdog.desk.paperview import is_of, line_of, tasks_due
from edge_watchdog.desk.paperwords import (
    AGAIN,
    ANEW,
    DAMAGED,
    FORM_TITLES,
    HIDDEN,
    KEPT,
    NOTES_NEED_PRIVACY,
    writing,
)

BACK = ("/paper", "/reconcile", "/close")
OF_A_CLASS = ("date", "time", "minutes", "member", "service", "room")


class PaperPages:
    """Answers for /paper."""

    def __init__(self, paper: PaperDesk, pages: Pages, board: Board) -> None:
        self._paper = paper
        self._pages = pages
        self._board = board

    def routes(self) -> tuple[Route, ...]:
        """Give every route, and who may use it."""
        return (
            Route("GET", "/paper", self.journal, Who.STAFF),
            Route("GET", "/paper/list", self.listing, Who.STAFF),
            Route("GET", "/paper/new", self.form, Who.STAFF),
            Route("POST", "/paper/new", self.keep, Who.STAFF),
            Route("POST", "/paper/move", self.move, Who.STAFF),
        )

    async def journal(self, request: web.Request) -> web.Response:
        """Show what was written today and the buttons."""
        return await self._show(request, "paper.html")

    async def listing(self, request: web.Request) -> web.Response:
        """Give the list alone, for a page that is open."""
        return await self._show(request, "part_paper.html")

    async def form(self, request: web.Request) -> web.Response:
        """Show an empty form, or one that is filled from an appointment or an entry."""
        who, query = identity_of(request), request.query
        try:
            journal = await self._paper.look()
            if "correct" in query:
                entry = journal.entry(number_in_text(query["correct"]))
                if entry is None:
                    raise web.HTTPNotFound
                zone = self._paper.local.zone
                values = fields_of_entry(entry, zone, private=who.sees_private)
            else:
                values = self._prefilled(query)
        except DaybookError as error:
            return refusal(self._pages, error)
        kind = values.get("kind", "")
        if kind not in FORM_TITLES:
            raise web.HTTPNotFound
        return self._form(request, FormShown(kind, values))

    async def keep(self, request: web.Request) -> web.Response:
        """Take a form: keep it, or show it again with what is wrong or which times are free."""
        who, fields = identity_of(request), dict(await fields_of(request))
        kind = fields.get("kind", "")
        if kind not in FORM_TITLES:
            raise web.HTTPBadRequest
        fields = {**fields, **self._picked(fields)}
        around = self._paper.around(fields, who)
        shown = FormShown(kind, fields)
        try:
            _refuse_note(kind, who)
            if fields.get("do") == "times":
                return self._form(request, await self._with_times(shown, around))
            waited_s = number_in_text(fields.get("waited", ""))
            form = fields.get("form", "")
            kept = await self._paper.keep(draft_of(fields, around), who, form, waited_s)
        except PaperError as error:
            return self._form(request, await self._wrong(shown, error, around))
        except DaybookError as error:
            return refusal(self._pages, error)
        again = "&again=1" if kept.again else ""
        raise web.HTTPSeeOther(f"/paper?kept={kept.entry.number}{again}")

    async def move(self, request: web.Request) -> web.Response:
        """Let an entry be claimed, entered, void or written off."""
        fields = await fields_of(request)
        back = fields.get("back", "")
        try:
            state = State(fields.get("state", ""))
        except ValueError:
            raise web.HTTPBadRequest from None
        who, number = identity_of(request), number_in_text(fields.get("number", ""))
        if state is State.VERIFIED:
            raise web.HTTPBadRequest
        try:
            await self._paper.move(number, state, who, fields.get("reason", "")[:600])
        except DaybookError as error:
            return refusal(self._pages, error, 422 if isinstance(error, PaperError) else 503)
        raise web.HTTPSeeOther(f"{back if back in BACK else '/paper'}#{human(number)}")

    async def _show(self, request: web.Request, template: str) -> web.Response:
        who, now = identity_of(request), self._board.now()
        try:
            journal = await self._paper.look()
        except DaybookError as error:
            return refusal(self._pages, error)
        local, today = self._paper.local, self._paper.today
        tasks = tasks_due(journal.entries, today)
        todays = [e for e in journal.entries if e not in tasks and is_of(e, today, local)]
        shown = (*tasks, *todays)
        older = [e for e in journal.entries if e.draft and not is_over(e) and e not in shown]
        groups = {"tasks": tasks, "todays": todays[::-1], "older": older}
        private = who.sees_private
        lines = {
            name: [line_of(e, local, now.at.wall, private=private) for e in some]
            for name, some in groups.items()
        }
        hidden = any(line.hidden for some in lines.values() for line in some)
        return self._html(
            request,
            template,
            tasks=lines["tasks"],
            todays=lines["todays"],
            older=lines["older"],
            **writing(),
            said=self._said(request),
            troubles=self._troubles(),
            openings=self._paper.openings(),
            hidden=HIDDEN if hidden else "",
        )

    def _said(self, request: web.Request) -> tuple[str, ...]:
        """Say what became of the form that led here."""
        entry = self._paper.journal.entry(number_in_text(request.query.get("kept", "")))
        if entry is None:
            return ()
        words = AGAIN if "again" in request.query else KEPT
        doubt = entry.draft.doubt if entry.draft else ""
        return tuple(text for text in (words.format(name=entry.name), doubt) if text)

    def _troubles(self) -> tuple[str, ...]:
        found, store = [], self._paper.store
        damage = self._paper.journal.damage
        if damage is not None:
            found.append(DAMAGED.format(what=damage.words))
        if store is not None and store.begun_anew:
            found.append(ANEW.format(first=human(FRESH_NUMBERS + 1)))
        return tuple(found)

    def _prefilled(self, query: Mapping[str, str]) -> dict[str, str]:
        """Fill a new form from the query: kind, key of an appointment, parent of an entry."""
        kind = query.get("kind", "")
        values = empty_fields(kind, self._paper)
        one = self._paper.find(query["key"])[1] if query.get("key") else None
        if one is not None:
            values = {"quantity0": "1", **fields_of_appointment(one, self._paper.local.zone)}
        parent = number_in_text(query.get("parent", ""))
        debt = next(
            (d for d in debts(self._paper.journal.entries) if d.entry.number == parent), None
        )
        if debt is not None:
            left = amount_text(debt.left.minor, debt.left.currency)
            values |= {"parent": str(parent), "client": short_name(debt.client), "amount": left}
        return {**values, "kind": kind}

    def _picked(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Take over a free time or a class that was tapped, and what a chosen appointment says."""
        picked = {"time": fields["pick"], "do": "times"} if fields.get("pick") else {}
        lesson = self._paper.find(fields["lesson"])[1] if fields.get("lesson") else None
        if lesson is not None:
            full = fields_of_appointment(lesson, self._paper.local.zone)
            picked = {n: full[n] for n in OF_A_CLASS if full[n]} | {"do": "times"}
            if fields.get("kind") == str(Kind.BOOKING):
                picked |= {"key": lesson.key}
        if fields.get("kind") == str(Kind.RESCHEDULE) and not fields.get("minutes"):
            one = self._paper.find(fields.get("key", ""))[1]
            if one is not None:
                full = fields_of_appointment(one, self._paper.local.zone)
                picked |= {n: full[n] for n in ("minutes", "member", "client") if not fields.get(n)}
        return picked

    async def _with_times(self, shown: FormShown, around: Around) -> FormShown:
        """Show which times are free, whatever is still missing; raises PaperError."""
        trial = dict(shown.values)
        trial["client"] = trial.get("client") or "somebody"
        trial["time"] = trial.get("time") or "00:00"
        await self._paper.look()
        free = self._paper.free(draft_of(trial, around))
        return FormShown(shown.kind, shown.values, free=free)

    async def _wrong(self, shown: FormShown, error: PaperError, around: Around) -> FormShown:
        """Show the form again with what is wrong; a taken time comes with those that are free."""
        taken, full = isinstance(error, TakenError), getattr(error, "is_full", False)
        free = None
        if taken:
            free = self._paper.free(draft_of(shown.values, around))
        status = 409 if taken else 422
        words = free.answer.sentence if free and full else str(error)  # with the list's time
        wrong = FormShown(shown.kind, shown.values, error.place, words, taken=taken, free=free)
        return replace(wrong, full=full, status=status)

    def _form(self, request: web.Request, shown: FormShown) -> web.Response:
        who = identity_of(request)
        note_off = shown.kind == str(Kind.NOTE) and not who.sees_private
        if note_off and not shown.wrong:
            shown = replace(shown, wrong=NOTES_NEED_PRIVACY)
        model = form_model(self._paper, self._board, shown, who)
        return self._html(request, "paper_form.html", status=shown.status, **model)

    def _html(
        self, request: web.Request, template: str, *, status: int = 200, **more: object
    ) -> web.Response:
        return paper_page(self._pages, request, template, status=status, **more)


def _refuse_note(kind: str, who: Identity) -> None:
    if kind == str(Kind.NOTE) and not who.sees_private:
        raise PaperError(NOTES_NEED_PRIVACY, "text")
