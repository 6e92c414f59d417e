import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.dns import (
    HEADER,
    RESPONSE,
    TRUNCATED,
    Answer,
    Question,
    build_query,
    parse_response,
    question_of,
)

ASKED = Question("app.bookwell.example")
IDENT = 0x1234
WIRE_NAME = b"\x03app\x08bookwell\x07example\x00"
QUESTION = WIRE_NAME + b"\0\1\0\1"
OWNER = b"\xc0\x0c"


def message(body: bytes, *, flags: int = 0, answers: int = 0, ident: int = IDENT) -> bytes:
    return HEADER.pack(ident, RESPONSE | flags, 1, answers, 0, 0) + body


def record(owner: bytes, kind: int, data: bytes, ttl: int = 60) -> bytes:
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


ADDRESS = record(OWNER, 1, b"\xcb\x00\x71\x07")


def parse(data: bytes) -> Answer:
    return parse_response(data, ASKED, IDENT)


def test_a_query_is_one_question_with_recursion_desired():
    assert build_query(ASKED, IDENT) == HEADER.pack(IDENT, 0x0100, 1, 0, 0, 0) + QUESTION


def test_addresses_and_the_shortest_time_to_live_are_read():
    more = record(OWNER, 1, b"\xcb\x00\x71\x08", ttl=30)
    answer = parse(message(QUESTION + ADDRESS + more, answers=2))
    assert answer == Answer(0, ("203.0.113.7", "203.0.113.8"), 30)


def test_aliases_are_followed_in_any_order():
    target = b"\x03cdn\xc0\x10"  # cdn.bookwell.example
    alias = record(OWNER, 5, target, ttl=20)
    address = record(b"\x03cdn\xc0\x10", 1, b"\xcb\x00\x71\x07")
    expected = Answer(0, ("203.0.113.7",), 20)
    assert parse(message(QUESTION + alias + address, answers=2)) == expected
    assert parse(message(QUESTION + address + alias, answers=2)) == expected


def test_an_address_of_another_name_is_not_taken():
    other = record(b"\x04evil\x00", 1, b"\xcb\x00\x71\x07")
    assert parse(message(QUESTION + other, answers=1)).addresses == ()


def test_aliases_in_a_circle_end():
    circle = record(OWNER, 5, OWNER)
    assert parse(message(QUESTION + circle, answers=1)).addresses == ()


@pytest.mark.parametrize("rcode, name", [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED")])
def test_a_refusal_is_read_as_such(rcode, name):
    assert parse(message(QUESTION, flags=rcode)).rcode_name == name


def test_an_unknown_code_keeps_its_number():
    assert parse(message(QUESTION, flags=11)).rcode_name == "RCODE 11"


def test_the_question_may_come_back_in_other_letters():
    assert parse(message(QUESTION.replace(b"app", b"aPP"))).rcode == 0


def test_a_truncated_answer_says_only_that():
    answer = parse(message(QUESTION + ADDRESS[:5], flags=TRUNCATED, answers=1))
    assert answer.truncated
    assert answer.addresses == ()


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "shorter than"),
        (b"\x12\x34" + b"\0" * 9, "shorter than"),
        (message(QUESTION, ident=1), r"\(id\)"),
        (build_query(ASKED, IDENT), "not a response"),
        (message(QUESTION, flags=0x2800), "not a response"),
        (HEADER.pack(IDENT, RESPONSE, 0, 0, 0, 0), "repeats 0 questions"),
        (HEADER.pack(IDENT, RESPONSE, 2, 0, 0, 0) + QUESTION * 2, "repeats 2 questions"),
        (message(b"\x04evil\x00\0\1\0\1"), "name or type"),
        (message(WIRE_NAME + b"\0\x1c\0\1"), "name or type"),
        (message(WIRE_NAME + b"\0\1\0\3"), "name or type"),
        (message(WIRE_NAME + b"\0\1"), "inside the question"),
        (message(WIRE_NAME[:-4]), "too long"),
        (message(b"\x03app"), "inside a name"),
        (message(QUESTION, answers=1), "inside a name"),
        (message(QUESTION + OWNER + b"\0\1", answers=1), "inside a record"),
        (message(QUESTION + ADDRESS[:-1], answers=1), "record's data"),
        (message(QUESTION + record(OWNER, 1, b"\1\2\3"), answers=1), "address of 3 bytes"),
        (message(b"\xc0"), "inside a pointer"),
        (message(b"\xc0\x0c\0\1\0\1"), "points forwards"),
        (message(b"\xc0\xff\0\1\0\1"), "points forwards"),
        (message(b"\x80abc"), "unknown kind of label"),
        (message((b"\x3f" + b"a" * 63) * 5 + b"\0"), "too long"),
    ],
)
def test_anything_that_does_not_answer_our_question_is_refused(data, why):
    with pytest.raises(ProbeError, match=why):
        parse(data)


def test_two_names_that_point_at_each_other_are_refused():
    first = 12 + len(QUESTION)
    body = QUESTION + bytes([0xC0, first + 2, 0xC0, first]) + b"\0" * 10
    with pytest.raises(ProbeError, match="points forwards"):
        parse(message(body, answers=1))


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(ProbeError):
        parse(data)


@given(st.binary(max_size=300), st.integers(0, 40))
def test_any_tail_after_our_question_is_read_or_refused(tail, answers):
    try:
        answer = parse(message(QUESTION + tail, answers=answers))
    except ProbeError:
        return
    assert len(answer.addresses) <= answers


@given(st.data())
def test_a_damaged_answer_is_read_or_refused(data):
    whole = bytearray(message(QUESTION + record(OWNER, 5, b"\x01x\xc0\x0c") + ADDRESS, answers=2))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProbeError):
        parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize(
    "host, name",
    [
        ("App.BookWell.example.", "app.bookwell.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("_dmarc.example", "_dmarc.example"),
        ("", ""),
    ],
)
def test_a_host_becomes_a_question(host, name):
    assert question_of(host).name == name


@pytest.mark.parametrize("host", ["a..example", "a" * 64 + ".example", "a." * 130, "é" * 90])
def test_what_is_no_host_name_is_refused(host):
    with pytest.raises(ProbeError, match="host name"):
        question_of(host)
