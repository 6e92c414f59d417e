"""The owner's allow-list, applied to whatever a source gives."""

from dataclasses import replace
from datetime import date

import pytest

from edge_watchdog.config import ConfigError, parse
from edge_watchdog.core.units import Detail
from edge_watchdog.daybook import Appointment, Reading
from edge_watchdog.daybook.intake import DEFAULT_KEEP, admit
from edge_watchdog.daybook.model import (
    Attendee,
    Client,
    Money,
    Note,
    NoteKind,
    PriceItem,
    Status,
)

VISIT = Appointment(
    key="k1",
    start_wall=0.0,
    end_wall=3600.0,
    all_day=False,
    member="Mia",
    service="Cut, call 01632 960 123",
    client="Anna Berger",
    room="Chair 2",
    status=Status.BOOKED,
    client_key="c1",
    price=Money(4500, "GBP"),
    paid=True,
    capacity=12,
    booked=2,
    attendees=(Attendee("Ben Carter", client_key="c2"),),
)
ANNA = Client(
    "c1", "Anna Berger", "01632 960 123", "anna@mail.example", (Note(NoteKind.ALLERGY, "PPD"),)
)
BEN = Client("c2", "Ben Carter", "01632 960 456")
STRANGER = Client("c9", "Cleo Davis", "01632 960 789")
PRICES = (PriceItem("Cut", Money(4500, "GBP")),)
GIVEN = Reading((VISIT,), rejected=1, clients=(ANNA, BEN, STRANGER), prices=PRICES)


def test_by_default_no_client_comes_along_and_names_are_short() -> None:
    kept = admit(GIVEN)
    assert kept.clients == ()
    assert (kept.rejected, kept.prices) == (1, PRICES)
    assert kept.appointments == (
        replace(
            VISIT,
            service="Cut, call",
            client="Anna B.",
            attendees=(Attendee("Ben C.", client_key="c2"),),
        ),
    )


@pytest.mark.parametrize(
    "detail, anna",
    [
        (Detail.PHONE, Client("c1", "Anna Berger", phone="01632 960 123")),
        (Detail.EMAIL, Client("c1", "Anna Berger", email="anna@mail.example")),
        (Detail.NOTES, Client("c1", "Anna Berger", notes=(Note(NoteKind.ALLERGY, "PPD"),))),
    ],
)
def test_each_detail_of_a_client_is_allowed_by_itself(detail, anna) -> None:
    kept = admit(GIVEN, frozenset({detail}))
    assert kept.clients[0] == anna
    assert kept.appointments[0].price is None
    assert kept.appointments[0].paid is None
    assert kept.appointments[0].attendees == ()
    assert (kept.appointments[0].capacity, kept.appointments[0].booked) == (12, 2)


def test_nobody_comes_along_who_has_no_appointment() -> None:
    with_attendees = admit(GIVEN, frozenset({Detail.PHONE, Detail.ATTENDEES}))
    assert [one.key for one in with_attendees.clients] == ["c1", "c2"]
    assert [one.key for one in admit(GIVEN, frozenset({Detail.PHONE})).clients] == ["c1"]


def test_admitting_twice_changes_nothing() -> None:
    once = admit(GIVEN, frozenset(Detail))
    assert admit(once, frozenset(Detail)) == once


def test_a_long_history_of_notes_is_cut_but_never_a_warning() -> None:
    notes = tuple(Note(NoteKind.OTHER, "x" * 5000, date(2026, 1, 1)) for _ in range(99))
    notes += (Note(NoteKind.OTHER, "x" * 5000 + " allergic to PPD"),)
    kept = admit(
        replace(GIVEN, clients=(replace(ANNA, notes=notes),)), frozenset({Detail.NOTES})
    ).clients[0]
    assert len(kept.notes) == 50
    assert {len(note.text) for note in kept.notes} == {1000}
    assert [note.kind for note in kept.notes[:2]] == [NoteKind.ALLERGY, NoteKind.OTHER]


CONFIG = """
[studio]
name = "Lotus Room"
time_zone = "Europe/London"
[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "eth0"
[[schedule]]
name = "front desk"
kind = "ics"
url = "https://app.bookwell.example/feed.ics"
"""


def test_the_allow_list_and_the_budget_are_configured_for_each_source() -> None:
    plain = parse(CONFIG).schedules[0]
    assert frozenset(plain.keep) == DEFAULT_KEEP
    assert plain.budget is None
    chosen = parse(CONFIG + 'keep = ["phone", "notes"]\nbudget = 300\n').schedules[0]
    assert chosen.keep == (Detail.PHONE, Detail.NOTES)
    assert chosen.budget == 300


@pytest.mark.parametrize(
    "line, words",
    [
        ('keep = ["phones"]', "did you mean phone"),
        ('keep = "phone"', "write a list"),
        ("budget = 3", "budget = 3 is too few; write 24 or more"),
    ],
)
def test_a_mistake_in_them_says_what_would_do(line, words) -> None:
    with pytest.raises(ConfigError, match=words):
        parse(f"{CONFIG}{line}\n")
