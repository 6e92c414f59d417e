"""A device is found again under another name, and never mistaken for its neighbour."""

from collections.abc import Mapping

import pytest

from edge_watchdog.links.identity import Followed, Marks

STICK = Marks(7, permanent="0c:5b:8f:27:9a:64", path="usb 1-1.2:1.0")
MODEM = Marks(7, path="usb 1-1.3:1.4", others=frozenset({"wwp0s20"}))
BARE = Marks(7)


def after(was: Marks, found: Mapping[str, Marks]) -> str | None:
    """Give what "lte0", seen once as *was*, is called when *found* is there."""
    followed = Followed(["lte0"])
    assert followed.resolve({"lte0": was}) == {"lte0": "lte0"}
    return followed.resolve(found).get("lte0")


def again(one: Marks, **other: object) -> Marks:
    """Give the same device, plugged in anew."""
    fields = {"permanent": one.permanent, "path": one.path, "others": one.others} | other
    return Marks(9, **fields)  # type: ignore[arg-type]


PHONE = Marks(9, permanent="06:11:22:33:44:55", path=STICK.path)
TABLE = {
    "nothing happened": (STICK, {"lte0": STICK}, "lte0"),
    "it was renamed where it stands": (BARE, {"eth5": BARE}, "eth5"),
    "its old name was given to another": (STICK, {"eth5": STICK, "lte0": PHONE}, "eth5"),
    "it is gone": (STICK, {"eth5": Marks(8)}, None),
    "it was plugged in anew": (STICK, {"eth5": again(STICK, path="usb 1-2:1.0")}, "eth5"),
    "a modem without an address, in the same socket": (MODEM, {"wwan1": again(MODEM)}, "wwan1"),
    "the same by a further name": (MODEM, {"wwan1": again(MODEM, path="")}, "wwan1"),
    "a phone in the stick's socket": (STICK, {"eth5": PHONE}, None),
    "somebody else under its name": (STICK, {"lte0": PHONE}, "lte0"),
    "two of one address": (STICK, {"eth5": again(STICK), "eth6": again(STICK)}, None),
    "two of one address, one with its name": (
        STICK,
        {"eth5": again(STICK), "lte0": again(STICK)},
        "lte0",
    ),
    "nothing is known of it but the name": (BARE, {"eth5": Marks(9)}, None),
}


@pytest.mark.parametrize(("was", "found", "called"), TABLE.values(), ids=TABLE)
def test_a_device_is_found_again(was: Marks, found: dict[str, Marks], called: str | None) -> None:
    assert after(was, found) == called


def test_a_name_that_was_never_seen_is_not_guessed() -> None:
    followed = Followed(["lte0"])
    assert followed.resolve({"eth5": STICK}) == {}
    assert followed.resolve({"lte0": STICK}) == {"lte0": "lte0"}


def test_two_that_changed_their_names_are_both_followed() -> None:
    followed = Followed(["wan0", "lte0"])
    other = Marks(3)
    followed.resolve({"wan0": other, "lte0": STICK})
    assert followed.resolve({"wan0": STICK, "lte0": other}) == {"wan0": "lte0", "lte0": "wan0"}


def test_a_device_that_is_an_uplink_already_is_no_candidate() -> None:
    followed = Followed(["lte0", "lte1"])
    twin = again(STICK)
    followed.resolve({"lte0": STICK, "lte1": twin})
    assert followed.resolve({"lte1": twin}) == {"lte1": "lte1"}
    assert followed.problems({}) == ()


def test_what_was_renamed_and_what_is_unclear_is_said_in_plain_words() -> None:
    followed = Followed(["lte0"])
    followed.resolve({"lte0": STICK})
    assert followed.problems({}) == ()
    followed.resolve({"eth5": STICK})
    (line,) = followed.problems({"lte0": "LTE stick"})
    assert line.startswith("LTE stick: its interface is called eth5 now, not lte0.")
    followed.resolve({"eth6": again(STICK), "eth7": again(STICK)})
    (line,) = followed.problems({"lte0": "LTE stick"})
    assert line.startswith("LTE stick is missing: its interface lte0 is gone, and more than one")
    assert "(eth6, eth7)" in line
