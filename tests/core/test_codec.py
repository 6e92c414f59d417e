"""Core values to JSON and back; whatever does not fit is refused with its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pytest

from edge_watchdog.core.actions import Action, RouteVia
from edge_watchdog.core.codec import CodecError, decode, decode_one_of, encode
from edge_watchdog.core.events import Event, Woke
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Uplink
from edge_watchdog.core.state import State
from tests.core.mind import at, on_backup


@dataclass(frozen=True, slots=True)
class Sack:
    """Everything the codec knows to carry."""

    number: int
    ratio: float = 0.5
    health: Health = Health.UP
    pair: tuple[str, int] = ("a", 1)
    many: tuple[float, ...] = ()
    table: Mapping[str, int] | None = None
    inner: Instant | None = None
    whatever: object = None
    day: date | None = None


FULL = Sack(
    1,
    2.0,
    Health.DOWN,
    ("b", 2),
    (1.0, 2.0),
    {"x": 1},
    Instant(1.0, 2.0),
    [1, "a"],
    date(2026, 11, 21),
)


@pytest.mark.parametrize("sack", [Sack(1), FULL])
def test_what_is_packed_comes_out_the_same(sack):
    assert decode(Sack, json.loads(json.dumps(encode(sack)))) == sack


def test_a_whole_state_comes_out_the_same():
    state = on_backup().state
    assert decode(State, json.loads(json.dumps(encode(state)))) == state


def test_a_member_of_a_union_says_which():
    assert decode_one_of(Event, encode(Woke(at(1)))) == Woke(at(1))
    assert decode_one_of(Action, encode(RouteVia(1, None))) == RouteVia(1, None)


def test_a_field_that_is_left_out_has_its_default():
    assert decode(Sack, {"number": 3}) == Sack(3)


def test_a_whole_number_may_stand_for_a_fraction():
    assert decode(Sack, {"number": 3, "ratio": 2}).ratio == 2.0


GOOD = {"number": 1}
PROBLEMS = [
    ([], "$: expected Sack, found"),
    ({}, "$: "),
    ({**GOOD, "colour": 1}, "$.colour: expected no such field of Sack"),
    ({"number": "1"}, "$.number: expected int"),
    ({"number": True}, "$.number: expected int"),
    ({**GOOD, "ratio": True}, "$.ratio: expected float"),
    ({**GOOD, "ratio": None}, "$.ratio: expected float"),
    ({**GOOD, "health": "fine"}, "$.health: expected a Health"),
    ({**GOOD, "day": "yesterday"}, "$.day: expected a date"),
    ({**GOOD, "day": 20261121}, "$.day: expected date"),
    ({**GOOD, "pair": "ab"}, "$.pair: expected a list"),
    ({**GOOD, "pair": ["a"]}, "$.pair: expected 2 items"),
    ({**GOOD, "pair": ["a", "b"]}, r"$.pair\[1\]: expected int"),
    ({**GOOD, "many": [1, "x"]}, r"$.many\[1\]: expected float"),
    ({**GOOD, "table": []}, "$.table: expected an object"),
    ({**GOOD, "table": {"x": "y"}}, "$.table.x: expected int"),
    ({**GOOD, "inner": {"mono": 1}}, "$.inner: "),
]


@pytest.mark.parametrize("data, message", PROBLEMS, ids=[m for _, m in PROBLEMS])
def test_what_does_not_fit_is_refused_with_its_place(data, message):
    with pytest.raises(CodecError, match=message.replace("$", r"\$")):
        decode(Sack, data)


@pytest.mark.parametrize("data", [None, 3, {}, {"type": "Explode"}])
def test_an_unknown_member_is_refused(data):
    with pytest.raises(CodecError, match="one of Started, Sampled"):
        decode_one_of(Event, data)


def test_what_the_codec_does_not_know_is_refused():
    with pytest.raises(CodecError, match="cannot encode a set"):
        encode({1})
    with pytest.raises(CodecError, match="cannot encode a type"):
        encode(Uplink)
