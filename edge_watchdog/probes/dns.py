"""The DNS wire format (RFC 1035): a question becomes bytes, bytes become an Answer or a refusal.

Pure.  The reader is strict, because anybody on the way may have written what it reads: every offset
is checked, compression pointers may only point backwards, and the question must be our own.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from edge_watchdog.probes import ProbeError

A = 1
CNAME = 5
IN = 1
NOERROR = 0
NXDOMAIN = 3
RCODES: Mapping[int, str] = {  # RFC 6895 section 2.3
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
}
HEADER = struct.Struct("!6H")
RECORD = struct.Struct("!HHIH")
RESPONSE, OPCODE, TRUNCATED, RECURSE = 0x8000, 0x7800, 0x0200, 0x0100
LABEL_BYTES, NAME_BYTES = 63, 255  # RFC 1035 section 2.3.4
POINTER = 0xC0
CHAIN = 16  # longest chain of aliases that is followed


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: *name* in lower case without the last dot ("" is the root), and the type."""

    name: str
    kind: int = A


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to our question.

    *addresses*: IPv4, of the name or of what it is an alias of.  *ttl_s*: the shortest on the way,
    None without addresses.  *truncated*: ask again by TCP; nothing else can be taken from it.
    """

    rcode: int
    addresses: tuple[str, ...] = ()
    ttl_s: int | None = None
    truncated: bool = False

    @property
    def rcode_name(self) -> str:
        """Give the response code as people write it."""
        return RCODES.get(self.rcode, f"RCODE {self.rcode}")


def question_of(host: str, kind: int = A) -> Question:
    """Make the question for *host* as written in a URL.  Raises ProbeError if it is no name."""
    name = host.rstrip(".").lower()
    try:
        name = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError as error:
        raise ProbeError(f"{host!r} is not a host name: {error}") from error
    _encode_name(name)
    return Question(name, kind)


def build_query(question: Question, ident: int) -> bytes:
    """Give the message that asks *question* with recursion desired; *ident* is 16 random bits."""
    head = HEADER.pack(ident, RECURSE, 1, 0, 0, 0)
    return head + _encode_name(question.name) + struct.pack("!HH", question.kind, IN)


def read_ident(data: bytes) -> int | None:
    """Give the first two bytes as a number: which of our questions *data* claims to answer."""
    return int.from_bytes(data[:2], "big") if len(data) >= HEADER.size else None


def parse_response(data: bytes, question: Question, ident: int) -> Answer:
    """Read *data* as the response to *question*.  Raises ProbeError for anything else."""
    if len(data) < HEADER.size:
        raise ProbeError("shorter than a DNS header")
    got, flags, questions, answers, _, _ = HEADER.unpack_from(data)
    if got != ident:
        raise ProbeError("answers another question (id)")
    if not flags & RESPONSE or flags & OPCODE:
        raise ProbeError("is not a response to a query")
    if questions != 1:
        raise ProbeError(f"repeats {questions} questions instead of one")
    offset = _check_question(data, question)
    rcode = flags & 0x000F
    if flags & TRUNCATED:
        return Answer(rcode, truncated=True)
    return _read_answers(data, offset, answers, Answer(rcode), question)


def _encode_name(name: str) -> bytes:
    if not name:
        return b"\0"
    parts = []
    for label in name.split("."):
        if not 0 < len(label) <= LABEL_BYTES or not label.isascii():
            raise ProbeError(f"{name!r} is not a host name")
        parts.append(bytes([len(label)]) + label.encode("ascii"))
    wire = b"".join(parts) + b"\0"
    if len(wire) > NAME_BYTES:
        raise ProbeError(f"{name[:40]!r}... is too long for a host name")
    return wire


def _check_question(data: bytes, question: Question) -> int:
    name, offset = _read_name(data, HEADER.size)
    if offset + 4 > len(data):
        raise ProbeError("ends inside the question")
    kind, group = struct.unpack_from("!HH", data, offset)
    if (name, kind, group) != (question.name, question.kind, IN):
        raise ProbeError("answers another question (name or type)")
    return offset + 4


def _read_answers(
    data: bytes, offset: int, count: int, answer: Answer, question: Question
) -> Answer:
    found: dict[str, list[tuple[str, int]]] = {}
    aliases: dict[str, tuple[str, int]] = {}
    for _ in range(count):
        owner, offset = _read_name(data, offset)
        if offset + RECORD.size > len(data):
            raise ProbeError("ends inside a record")
        kind, group, ttl_s, length = RECORD.unpack_from(data, offset)
        offset += RECORD.size
        if offset + length > len(data):
            raise ProbeError("ends inside a record's data")
        ttl_s = 0 if ttl_s >= 1 << 31 else ttl_s  # RFC 2181 section 8
        if (kind, group) == (A, IN):
            if length != 4:
                raise ProbeError(f"an address of {length} bytes")
            address = str(IPv4Address(data[offset : offset + 4]))
            found.setdefault(owner, []).append((address, ttl_s))
        elif (kind, group) == (CNAME, IN):
            aliases[owner] = (_read_name(data, offset)[0], ttl_s)
        offset += length
    return _follow(found, aliases, answer, question.name)


def _follow(
    found: Mapping[str, list[tuple[str, int]]],
    aliases: Mapping[str, tuple[str, int]],
    answer: Answer,
    name: str,
) -> Answer:
    ttls: list[int] = []
    for _ in range(CHAIN):
        if name in found:
            addresses = tuple(address for address, _ in found[name])
            ttls.extend(ttl_s for _, ttl_s in found[name])
            return Answer(answer.rcode, addresses, min(ttls))
        if name not in aliases:
            break
        name, ttl_s = aliases[name]
        ttls.append(ttl_s)
    return answer


def _read_name(data: bytes, offset: int) -> tuple[str, int]:
    """Give the name at *offset* in lower case and the offset after it."""
    labels: list[str] = []
    after: int | None = None
    limit = offset  # a pointer must point before everything read so far: no loop is possible
    total = 1
    while True:
        if offset >= len(data):
            raise ProbeError("ends inside a name")
        length = data[offset]
        if length & POINTER == POINTER:
            if offset + 2 > len(data):
                raise ProbeError("ends inside a pointer")
            after = offset + 2 if after is None else after
            offset = int.from_bytes(data[offset : offset + 2], "big") & 0x3FFF
            if offset >= limit:
                raise ProbeError("a name points forwards")
            limit = offset
            continue
        if length & POINTER:
            raise ProbeError("an unknown kind of label")
        total += length + 1 if length else 0
        if total > NAME_BYTES or offset + 1 + length > len(data):
            raise ProbeError("a name is too long")
        offset += 1
        if not length:
            return ".".join(labels), offset if after is None else after
        labels.append(data[offset : offset + length].decode("latin-1").lower())
        offset += length
