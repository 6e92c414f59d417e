"""Notes of one kind are told from those of another, and no allergy is overlooked or lost."""

import datetime as dt
import json

import pytest

from edge_watchdog.core.units import Detail
from edge_watchdog.daybook import Span
from edge_watchdog.daybook.gathering import Gathering, Person, Visit
from edge_watchdog.daybook.intake import admit
from edge_watchdog.daybook.mapping import read_mapping
from edge_watchdog.daybook.model import Note, NoteKind
from edge_watchdog.daybook.notes import sort_out, told
from edge_watchdog.daybook.rest_read import read_visits

SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
NINE = 1795251600.0
ALLERGY, PATCH, FORMULA = NoteKind.ALLERGY, NoteKind.PATCH_TEST, NoteKind.COLOUR_FORMULA
PREFERENCE, HISTORY, OTHER = NoteKind.PREFERENCE, NoteKind.HISTORY, NoteKind.OTHER


@pytest.mark.parametrize(
    "text, notes",
    [
        ("Tea without milk", [(OTHER, "Tea without milk")]),
        ("Is allergic to PPD", [(ALLERGY, "Is allergic to PPD")]),
        ("Allergies: latex, nuts", [(ALLERGY, "latex, nuts")]),
        ("Allergie: Nickel", [(ALLERGY, "Nickel")]),
        ("No hair dye: allergic to PPD", [(ALLERGY, "No hair dye: allergic to PPD")]),
        ("allergies: no latex please", [(ALLERGY, "no latex please")]),
        ("anaphylaxis, nuts", [(ALLERGY, "anaphylaxis, nuts")]),
        ("Allergies: none", [(OTHER, "Allergies: none")]),
        ("Allergies: None known.", [(OTHER, "Allergies: None known.")]),
        ("Allergies:", [(OTHER, "Allergies:")]),
        ("No known allergies", [(OTHER, "No known allergies")]),
        ("Not allergic to anything", [(OTHER, "Not allergic to anything")]),
        ("no allergies but allergic to wax", [(ALLERGY, "no allergies but allergic to wax")]),
        ("Had a patch test on Monday", [(PATCH, "Had a patch test on Monday")]),
        (
            "Likes tea. Colour formula: 6/0, 20 vol\nPatch test: 18/11/2026; last visit: 2 October",
            [
                (OTHER, "Likes tea"),
                (FORMULA, "6/0, 20 vol"),
                (PATCH, "18/11/2026"),
                (HISTORY, "2 October"),
            ],
        ),
        ("Preferences: window seat", [(PREFERENCE, "window seat")]),
        ("", [(OTHER, "")]),
    ],
)
def test_a_text_is_cut_at_its_labels_and_when_in_doubt_it_is_an_allergy(text, notes) -> None:
    day = dt.date(2026, 3, 2)
    found = sort_out([Note(OTHER, text, day)])
    assert found == tuple(Note(kind, piece, day) for kind, piece in notes)
    assert sort_out(found) == found


def test_what_a_source_has_sorted_stays_as_it_is() -> None:
    given = (Note(PREFERENCE, "Allergies: she says none; patch test: no"),)
    assert sort_out(given) == given


@pytest.mark.parametrize(
    "kind, text, notes",
    [
        (ALLERGY, " PPD ", (Note(ALLERGY, "PPD"),)),
        (ALLERGY, "yes", (Note(ALLERGY, "yes"),)),
        (ALLERGY, "n/a", (Note(OTHER, "Allergies: n/a"),)),
        (ALLERGY, "  ", ()),
        (FORMULA, "none", (Note(FORMULA, "none"),)),
    ],
)
def test_a_column_says_what_a_note_is_about(kind, text, notes) -> None:
    assert told(kind, text) == notes


def test_a_later_visit_without_a_note_does_not_take_the_warning_away() -> None:
    gathering = Gathering("vendor", SPAN)
    allergic = Person("c1", "Anna Bell", "01632 960123", notes=(Note(OTHER, "allergic to PPD"),))
    for number, person in enumerate((allergic, Person("c1", "Anna Bell"), allergic)):
        gathering.add(Visit(f"v{number}", NINE, NINE + 3600, person=person))
    (anna,) = admit(gathering.reading(), frozenset(Detail)).clients
    assert (anna.phone, anna.notes) == ("01632 960123", (Note(ALLERGY, "allergic to PPD"),))


def test_a_mapping_of_one_s_own_names_the_places_of_each_kind() -> None:
    text = """
        label = "BookWell"
        base_url = "https://api.bookwell.example"
        [visits]
        path = "visits"
        [columns]
        id = "id"
        start = "at"
        client = "who"
        note = "note"
        allergy = "card.allergy"
        formula = "card.formula"
        history = "card.last"
    """
    card = {"allergy": "latex", "formula": "6/0", "last": "2 October"}
    item = {"id": 1, "at": "2026-11-21T09:00:00Z", "who": "Anna Bell", "note": "tea", "card": card}
    body = json.dumps({"visits": [item], "joins": {}}).encode()
    (anna,) = read_visits(body, SPAN, read_mapping(text, "m.toml")).clients
    assert anna.notes == (
        Note(ALLERGY, "latex"),
        Note(FORMULA, "6/0"),
        Note(HISTORY, "2 October"),
        Note(OTHER, "tea"),
    )
