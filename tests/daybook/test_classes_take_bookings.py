"""A class takes bookings until it is full, safe with two desks, and says what it does not know."""

import dataclasses
import sqlite3
from typing import Any

import pytest

from edge_watchdog.core import codec
from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import lesson_of, same_spot
from edge_watchdog.daybook.model import Attendee, Status
from edge_watchdog.daybook.paper import Draft, Entry, Kind, PaperError, State
from edge_watchdog.daybook.paper_guard import Knowledge, Verdict
from edge_watchdog.daybook.paper_places import judge, places_words, rolls_of, wanted_of
from edge_watchdog.daybook.paper_store import PaperStore, TakenError, open_paper
from edge_watchdog.daybook.seal import Unsealed
from tests.daybook.papers import booking, entry, listed, moved_to, pen, race, visit

SURE = Knowledge(60.0, covers=True, trouble=False, online_booking=True, as_of="12:00")
DAY_UNKNOWN = dataclasses.replace(SURE, covers=False)
BETH = Attendee("Beth C.", Status.BOOKED, "", "Bike 7")
CAROL = Attendee("Carol D.", Status.WAITING)


def spin(hour: float = 14, *people: Attendee, **more: Any) -> Appointment:
    said = {"client": "", "service": "Spin", "status": Status.NOT_SAID, "room": "Bike room", **more}
    return listed(hour, 45, key=f"class {hour}", attendees=people, **said)


def place(client: str = "Anna B.", hour: float = 14, **more: Any) -> Draft:
    return booking(hour, client=client, **{"service": "Spin", **more})


def leaving(kind: Kind, client: str, hour: float = 14, to: float | None = None) -> Draft:
    about = visit(hour if to is None else to, client=client, service="Spin")
    return Draft(kind, about, appointment_key=f"class {hour}")


def said(
    draft: Draft, rows: list[Appointment], entries: list[Entry] | None = None, known: Any = SURE
) -> tuple[Verdict, str]:
    wanted = wanted_of(entry(99, draft), rows, entries or [])
    assert wanted is not None
    told = judge(wanted, known)
    return told.verdict, told.sentence


FREE, DOUBT, TAKEN, KNOWN = Verdict.FREE, Verdict.PROVISIONAL, Verdict.TAKEN, Verdict.NOT_KNOWN
ON_PAPER = [entry(1, place("Ella F.")), entry(2, place("Fay G."))]


@pytest.mark.parametrize(
    "row, entries, verdict, words",
    [
        (spin(capacity=12, booked=9), [], FREE, "Free. 3 of 12 places free as of 12:00."),
        (spin(14, BETH, capacity=3), [], FREE, "2 of 3 places free"),
        (spin(14, BETH, CAROL, capacity=3), [], FREE, "2 of 3 places free as of 12:00. 1 waits"),
        (
            spin(capacity=12, booked=9),
            ON_PAPER,
            FREE,
            "1 of 12 places free as of 12:00, counting 2",
        ),
        (spin(capacity=12, booked=10), ON_PAPER, TAKEN, "is full: 12 of 12 places are taken"),
        (spin(capacity=12, booked=14), [], TAKEN, "is full: 14 of 12 places are taken"),
        (spin(14, BETH, capacity=1), [], TAKEN, "is full: 1 of 1 places are taken as of 12:00."),
        (spin(booked=8), [], DOUBT, "does not say how many places are left in this class. 8 are"),
        (spin(14, BETH), [], DOUBT, "does not say how many places are left"),
        (spin(capacity=12), ON_PAPER, DOUBT, "does not say how many places are left"),
    ],
)
def test_a_class_is_free_until_it_is_full_and_unknown_places_are_neither(
    row, entries, verdict, words
) -> None:
    told = said(place(), [row], entries)
    assert told[0] is verdict, told
    assert words in told[1]


@pytest.mark.parametrize(
    "known, verdict, words",
    [
        (
            dataclasses.replace(SURE, trouble=True),
            DOUBT,
            "3 of 12 places free as of 12:00. Clients",
        ),
        (dataclasses.replace(SURE, age_s=7200.0), DOUBT, "The list is not fresh"),
        (dataclasses.replace(SURE, closed=True), DOUBT, "the studio is not open then"),
        (dataclasses.replace(SURE, age_s=None), KNOWN, "How old the list is"),
    ],
)
def test_a_place_is_as_sure_as_the_list(known, verdict, words) -> None:
    told = said(place(), [spin(capacity=12, booked=9)], [], known)
    assert told[0] is verdict
    assert words in told[1]
    assert told[1].lower().startswith(f"{verdict}.")


@pytest.mark.parametrize(
    "entries, words",
    [
        ([entry(1, leaving(Kind.CANCEL, "Beth C."))], "1 of 2 places free"),
        ([entry(1, leaving(Kind.NO_SHOW, "Beth Cole"))], "1 of 2 places free"),
        ([entry(1, leaving(Kind.RESCHEDULE, "Beth C.", to=18))], "1 of 2 places free"),
        ([entry(1, leaving(Kind.CANCEL, "Beth C."), State.VOID)], "full"),
        ([entry(1, leaving(Kind.CANCEL, "Beth C."), State.CONFLICT)], "full"),
        ([entry(1, leaving(Kind.CANCEL, "Zelda Q."))], "full"),
        ([entry(1, leaving(Kind.CANCEL, "Beth C.")), entry(2, place())], "full"),
        # written down and given back again, both on paper
        (
            [
                entry(1, leaving(Kind.CANCEL, "Beth C.")),
                entry(2, place()),
                entry(3, leaving(Kind.CANCEL, "Anna B.")),
            ],
            "1 of 2 places free",
        ),
        ([entry(1, leaving(Kind.CANCEL, "Beth C.")), entry(2, place(), State.VOID)], "1 of 2"),
        # entered and named in the list: not counted twice
        ([entry(1, place("Beth C."), State.ENTERED)], "full, 2 of 2"),
        ([entry(1, leaving(Kind.RESCHEDULE, "Beth C."))], "full"),  # another spot, the same class
    ],
)
def test_who_leaves_on_paper_gives_the_place_back(entries, words) -> None:
    row = spin(14, BETH, Attendee("Dana E."), capacity=2)
    assert words in places_words(rolls_of([row], [row], entries)[row.key])


@pytest.mark.parametrize(
    "row, entries, verdict, words",
    [
        # the list counts but names nobody: what was entered may be in its number already
        (spin(capacity=2, booked=1), [entry(1, place(), State.ENTERED)], DOUBT, "counted twice"),
        (spin(capacity=2, booked=1), [entry(1, place(), State.OPEN)], TAKEN, "full"),
        (spin(capacity=2, booked=2), [entry(1, leaving(Kind.CANCEL, "X Y."))], FREE, "1 of 2"),
        (
            spin(capacity=2, booked=2),
            [entry(1, leaving(Kind.CANCEL, "X Y."), State.ENTERED)],
            *(TAKEN, "full"),
        ),
    ],
)
def test_a_number_without_names_is_not_counted_twice(row, entries, verdict, words) -> None:
    told = said(place("Gina H."), [row], entries)
    assert told[0] is verdict, told
    assert words in told[1]


@pytest.mark.parametrize(
    "draft, words",
    [
        (place("Beth Cole"), "Provisional. Beth C. has a place in this class already"),
        (place("Ella F."), "Provisional. Ella F. (P-0001) has a place in this class already"),
        (place("Carol D."), "Free. "),
    ],
)
def test_the_same_client_twice_in_one_class_is_pointed_out(draft, words) -> None:
    row = spin(14, BETH, CAROL, capacity=9)
    assert said(draft, [row], ON_PAPER)[1].startswith(words)


SPIN, YOGA = spin(capacity=9, booked=1), listed(14, member="Tom", service="Yoga", capacity=5)


@pytest.mark.parametrize(
    "draft, rows, key",
    [
        (place(), [SPIN, YOGA], "class 14"),
        (place(member="", service="Yoga"), [SPIN, YOGA], "key 14"),
        (place(member="Tom", service=""), [SPIN, YOGA], "key 14"),
        (place(member="", service=""), [SPIN, YOGA], ""),
        (place(service="Massage"), [SPIN], None),
        (place(hour=15), [listed(15)], None),
        (place(hour=15), [SPIN], f"spin {visit(15).start_wall:.0f} mia"),
        (dataclasses.replace(place(service=""), lesson="gone"), [], "gone"),
        (
            dataclasses.replace(place(member="", service=""), appointment_key="key 14"),
            *([SPIN, YOGA], "key 14"),
        ),
        (place(), [spin(capacity=9, status=Status.CANCELLED)], "spin 1795269600 mia"),
        (Draft(Kind.TASK, booking().content), [SPIN], None),
    ],
)
def test_the_class_that_is_meant_is_found(draft, rows, key) -> None:
    found = lesson_of(draft, rows) if draft.kind is Kind.BOOKING else None
    assert (found.key if found else None) == key


def test_of_two_classes_somebody_has_to_say_which() -> None:
    told = said(place(member="", service=""), [SPIN, YOGA])
    assert told[0] is DOUBT
    assert "Spin with Mia, Yoga with Tom. Write which one." in told[1]


@pytest.mark.parametrize(
    "known, verdict, words",
    [
        (DAY_UNKNOWN, KNOWN, "nobody can say how many places this class has left. 2 stand on"),
        (SURE, DOUBT, "The list has no such class at that time"),
    ],
)
def test_a_class_beyond_the_list_takes_several_and_is_never_called_free(
    known, verdict, words
) -> None:
    later = [entry(n, place(name, 18)) for n, name in enumerate(("Ella F.", "Fay G."), 1)]
    told = said(place(hour=18), [SPIN], later, known)
    assert told[0] is verdict
    assert words in told[1]


def test_a_class_takes_the_time_of_who_gives_it_and_a_cancelled_one_does_not() -> None:
    rows = [spin(capacity=9, booked=1)]
    assert said(booking(14.5, 30, service="Massage"), rows)[0] is TAKEN
    assert said(booking(14.75, 30, service="Massage"), rows)[0] is FREE  # 45 minutes, not 60
    whole = entry(1, Draft(Kind.CANCEL, visit(client="", service="Spin"), "class 14"))
    assert said(booking(14.5, 30, service="Massage"), rows, [whole])[0] is FREE


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("Bike 12", "bike  12", True),
        ("12", "Bike 12", True),
        ("Bike 2", "Bike 12", False),
        ("2", "Bike 12", False),
        ("A1", "B1", False),
        ("1", "1", True),
        ("", "", False),
    ],
)
def test_spots_are_compared_as_people_write_them(one, other, same) -> None:
    assert same_spot(one, other) is same


# ---- in the journal ----


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "paper.sqlite")


@pytest.fixture
def paper(path):
    made = open_paper(path, Unsealed())
    yield made
    made.close()


def written(paper: PaperStore, draft: Draft, *rows: Appointment) -> Draft:
    kept = paper.append(draft, pen(), rows).entry.draft
    assert kept is not None
    return kept


def test_the_last_place_goes_once_and_a_place_given_back_goes_again(paper) -> None:
    row = spin(14, BETH, capacity=3)
    assert written(paper, place("Anna B."), row).lesson == "class 14"
    written(paper, place("Ella F."), row)
    with pytest.raises(TakenError, match="3 of 3 places are taken, counting 2 on paper") as caught:
        written(paper, place("Fay G."), row)
    assert (caught.value.is_full, caught.value.place) == (True, "start")
    written(paper, leaving(Kind.CANCEL, "Beth C."), row)
    written(paper, place("Fay G."), row)
    with pytest.raises(TakenError):
        written(paper, place("Gina H."), row)
    paper.move(1, moved_to(State.VOID))
    written(paper, place("Gina H."), row)
    paper.move(2, moved_to(State.VERIFIED))  # it stands in the list from now on
    fresh = spin(14, BETH, Attendee("Ella F."), capacity=3)
    with pytest.raises(TakenError):
        written(paper, place("Hana I."), fresh)


def test_over_the_limit_needs_a_reason_and_waiting_takes_no_place(paper) -> None:
    full, roomy = spin(capacity=1, booked=1), spin(capacity=2, booked=1)
    asked = dataclasses.replace(place("Anna B."), waits=True)
    kept = written(paper, asked, full)
    assert (kept.waits, kept.lesson) == (True, "class 14")
    told = said(place("Ella F."), [roomy], list(paper.look().entries))
    assert "1 of 2 places free as of 12:00. 1 waits for a place." in told[1]
    over = dataclasses.replace(place("Ella F."), forced="the teacher agreed")
    kept = written(paper, over, full)
    assert (kept.forced, kept.waits) == ("the teacher agreed", False)
    paper.move(2, moved_to(State.VOID))
    # by the time it is handed over a place is free: it is given, and no reason is kept
    kept = written(paper, dataclasses.replace(asked, forced="full"), roomy)
    assert (kept.waits, kept.forced) == (False, "")
    with pytest.raises(TakenError):
        written(paper, place("Fay G."), roomy)


def test_one_spot_is_given_once_whatever_the_reason(paper) -> None:
    row = spin(14, BETH, capacity=9)
    written(paper, place(spot="Bike 12"), row)
    for spot, who in (("12", "Anna B. \\(P-0001\\)"), ("bike 7", "Beth C.")):
        forced = dataclasses.replace(place("Fay G.", spot=spot), forced="she insists")
        with pytest.raises(PaperError, match=f"{who} has {spot} in this class already") as caught:
            written(paper, forced, row)
        assert caught.value.place == "spot"
    written(paper, leaving(Kind.CANCEL, "Anna B."), row)
    written(paper, place("Fay G.", spot="Bike 12"), row)
    moved = Draft(Kind.BOOKING, visit(client="Fay G.", service="Spin", spot="Bike 3"), parent=3)
    written(paper, dataclasses.replace(moved, replaces=True), row)
    written(paper, place("Gina H.", spot="Bike 12"), row)


def test_namesakes_are_counted_when_they_are_written(paper) -> None:
    row = spin(14, BETH, capacity=9)
    assert [written(paper, place("Beth C."), row).namesakes for _ in range(2)] == [1, 2]
    assert written(paper, place("Anna B."), row).namesakes == 0


def test_the_triggers_alone_refuse_a_place_and_a_spot_that_are_gone(paper, path) -> None:
    row = spin(capacity=2, booked=1)
    written(paper, place(spot="Bike 12"), row)
    start = visit(14).start_wall
    hold = "INSERT INTO hold VALUES (?, 'mia', '', ?, ?, 1, ?)"
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO place VALUES (7, 'class 14', 'bike12', 9)")
        with pytest.raises(sqlite3.IntegrityError, match="spot"):
            db.execute(hold, (7, start, start + 60, 1))
        db.execute("INSERT INTO place VALUES (8, 'class 14', '', 1)")
        with pytest.raises(sqlite3.IntegrityError, match="taken"):
            db.execute(hold, (8, start, start + 60, 0))
        db.execute(hold, (8, start, start + 60, 1))
        db.execute("INSERT INTO place VALUES (9, 'class 14', '', NULL)")
        db.execute(hold, (9, start, start + 60, 0))
        with pytest.raises(sqlite3.IntegrityError, match="taken"):  # no place, the same time
            db.execute(hold, (10, start, start + 60, 0))
    db.close()


def test_of_two_desks_that_want_the_last_place_exactly_one_gets_it(paper, path) -> None:
    rows = [spin(8 + n, capacity=4, booked=3) for n in range(40)]
    won = race(path, 40, lambda name, n: place(name, 8 + n), rows)
    assert [len(one) for one in won] == [1] * 40


OLD = """
CREATE TABLE hold (
    number INTEGER PRIMARY KEY, member TEXT NOT NULL, room TEXT NOT NULL,
    start_wall REAL NOT NULL, end_wall REAL NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)), forced INTEGER NOT NULL CHECK (forced IN (0, 1)),
    CHECK (end_wall > start_wall)
) STRICT;
INSERT INTO hold SELECT * FROM kept; DROP TABLE kept;
CREATE TRIGGER hold_is_free BEFORE INSERT ON hold
WHEN NEW.forced = 0 AND EXISTS (
    SELECT 1 FROM hold WHERE live = 1 AND start_wall < NEW.end_wall AND NEW.start_wall < end_wall
        AND (member = NEW.member OR (room <> '' AND room = NEW.room))
)
BEGIN SELECT RAISE(ABORT, 'taken'); END;
PRAGMA user_version = 0;
"""


def test_a_journal_from_before_classes_opens_whole_and_counts_what_it_has(paper, path) -> None:
    row = spin(capacity=3, booked=1)
    written(paper, place("Anna B."), row)
    written(paper, booking(17), row)
    before = paper.look().entries
    paper.close()
    with sqlite3.connect(path) as db:  # as the version before left it
        db.executescript(
            "CREATE TABLE kept AS SELECT * FROM hold; DROP TABLE hold; DROP TABLE place;" + OLD
        )
    db.close()
    again = open_paper(path, Unsealed())
    journal = again.look()
    assert (journal.entries, journal.damage, again.begun_anew) == (before, None, False)
    written(again, place("Ella F."), row)
    with pytest.raises(TakenError, match="3 of 3 places are taken, counting 2 on paper"):
        written(again, place("Fay G."), row)
    with pytest.raises(TakenError, match="P-0002"):
        written(again, booking(17), row)
    again.close()


def test_an_entry_of_before_is_read() -> None:
    body: Any = codec.encode(place())
    for name in ("lesson", "waits", "namesakes"):
        del body[name]
    del body["content"]["spot"]
    assert codec.decode(Draft, body) == place()
