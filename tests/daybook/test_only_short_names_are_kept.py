import pytest

from edge_watchdog.daybook.privacy import Title, place, plain, short_name, split_title


@pytest.mark.parametrize(
    "full, short",
    [
        ("Anna Bishop", "Anna B."),
        ("anna bishop", "anna B."),
        ("Bishop, Anna", "Anna B."),
        ("Mrs. Anna Maria Bishop-Smith", "Anna B."),
        ("Anna", "Anna"),
        ("Anna Bishop (new client, nut allergy)", "Anna B."),
        ("Anna Bishop 07700 900123", "Anna B."),
        ("Anna Bishop +44 (0) 7700-900123 anna@mail.example", "Anna B."),
        ("Anna B.", "Anna B."),
        ("\u202eAnna\u0000 Bishop", "Anna B."),
        ("\u738b\u5c0f\u660e", "\u738b."),
        ("anna@mail.example", ""),
        ("07700 900123", ""),
        ("", ""),
        ("---", ""),
        ("<script>alert(1)</script>", "alert"),
    ],
)
def test_a_name_becomes_first_name_and_initial(full, short) -> None:
    assert short_name(full) == short


@pytest.mark.parametrize(
    "summary, title, parts",
    [
        ("Cut - Anna Bishop", Title.SERVICE_CLIENT, ("Cut", "Anna B.")),
        ("Cut \u2013 Anna Bishop", Title.SERVICE_CLIENT, ("Cut", "Anna B.")),
        ("Cut - Blow-dry - Anna Bishop", Title.SERVICE_CLIENT, ("Cut - Blow-dry", "Anna B.")),
        ("Anna Bishop - Cut - Colour", Title.CLIENT_SERVICE, ("Cut - Colour", "Anna B.")),
        ("Morning Yoga", Title.SERVICE_CLIENT, ("Morning Yoga", "")),
        ("Anna Bishop", Title.CLIENT, ("", "Anna B.")),
        ("Cut - long", Title.SERVICE, ("Cut - long", "")),
        ("", Title.SERVICE_CLIENT, ("", "")),
    ],
)
def test_a_title_is_split_as_the_configuration_says(summary, title, parts) -> None:
    assert split_title(summary, title) == parts


def test_long_text_is_cut_and_control_signs_go() -> None:
    assert plain("a\r\nb\u2066c", 10) == "a b c"
    assert plain("x" * 50, 10) == "x" * 9 + "\u2026"


def test_a_room_keeps_no_number_to_call() -> None:
    assert place("Room 2, call 07700 900123") == "Room 2, call"
