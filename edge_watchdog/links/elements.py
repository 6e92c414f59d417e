"""The elements of our sets and maps, changed by one transaction or read, and our counters.

In: what a set is to hold.  Out: the kernel holds it, all of it or nothing; a LinkError else.  What
the sets are like stands where their tables are written, in nft's own language.

Format: include/uapi/linux/netfilter/nf_tables.h.
"""

import socket
import struct
from collections.abc import Iterable, Mapping, Sequence

from edge_watchdog.links.netfilter import (
    CREATE,
    INET,
    NFT,
    Message,
    ask,
    attribute,
    attributes,
    change_filter,
    each_attribute,
    nest,
)

TABLE_NAME = "edge_watchdog"
NEW_ELEMENTS, GET_ELEMENTS, REMOVE_ELEMENTS, GET_OBJECTS = 12, 13, 14, 19
LIST_TABLE, LIST_SET, LIST_ELEMENTS, LIST_ONE = 1, 2, 3, 1
KEY, DATA, VALUE = 1, 2, 1
OBJECT_TABLE, OBJECT_NAME, OBJECT_TYPE, OBJECT_DATA = 1, 2, 3, 4
COUNTER, COUNTER_PACKETS = 1, 2
IFNAME_BYTES = 16
AT_ONCE = 1000  # elements in one message, which may have 64 KB

Element = tuple[bytes, bytes]  # key and value, as the kernel has them; b"" = no value


def interface(name: str) -> bytes:
    """Give the key for an interface (ifname)."""
    return name.encode().ljust(IFNAME_BYTES, b"\0")


def address(text: str) -> bytes:
    """Give key or value for an address (ipv4_addr)."""
    return socket.inet_aton(text)


def port(number: int) -> bytes:
    """Give key or value for a port (inet_service)."""
    return struct.pack(">H", number)


def mark(number: int) -> bytes:
    """Give the value for a mark, which the kernel has in the machine's own order."""
    return struct.pack("=I", number)


def joined(*parts: bytes) -> bytes:
    """Give the key of a set over several things ("a . b"); each fills whole words."""
    return b"".join(part + b"\0" * (-len(part) % 4) for part in parts)


async def put(sets: Mapping[str, Sequence[Element]]) -> None:
    """Have each of *sets* hold exactly these elements; all or nothing.  Raises LinkError."""
    await change_filter(
        [m for name, held in sets.items() for m in (_flush(name), *_add(name, held))]
    )


async def add(name: str, elements: Sequence[Element]) -> None:
    """Add *elements* to a set; all or none.  Raises LinkError."""
    await change_filter(list(_add(name, elements)))


async def keys(family: int, table: str, name: str) -> list[bytes]:
    """Give the keys that a set holds, filled by packets perhaps; raises LinkError."""
    found: list[bytes] = []
    async for part in ask(Message(NFT, GET_ELEMENTS, _place(name, table), family)):
        rows = each_attribute(part.get(LIST_ELEMENTS, b""))
        found += [attributes(attributes(row)[KEY])[VALUE] for _, row in rows]
    return found


async def counters() -> Mapping[str, int]:
    """Give the packets that each counter of our table has seen; raises LinkError."""
    payload = attribute(OBJECT_TABLE, _text(TABLE_NAME)) + attribute(
        OBJECT_TYPE, struct.pack(">I", COUNTER)
    )
    found = {}
    async for one in ask(Message(NFT, GET_OBJECTS, payload, INET)):
        seen = attributes(one[OBJECT_DATA])[COUNTER_PACKETS]
        found[one[OBJECT_NAME].rstrip(b"\0").decode()] = int.from_bytes(seen, "big")
    return found


def _flush(name: str) -> Message:
    return Message(NFT, REMOVE_ELEMENTS, _place(name), INET)


def _add(name: str, elements: Sequence[Element]) -> Iterable[Message]:
    for start in range(0, len(elements), AT_ONCE):
        rows = [nest(LIST_ONE, _row(*one)) for one in elements[start : start + AT_ONCE]]
        payload = _place(name) + nest(LIST_ELEMENTS, *rows)
        yield Message(NFT, NEW_ELEMENTS, payload, INET, CREATE)


def _row(key: bytes, value: bytes) -> bytes:
    row = nest(KEY, attribute(VALUE, key))
    return row + nest(DATA, attribute(VALUE, value)) if value else row


def _place(name: str, table: str = TABLE_NAME) -> bytes:
    return attribute(LIST_TABLE, _text(table)) + attribute(LIST_SET, _text(name))


def _text(text: str) -> bytes:
    return text.encode() + b"\0"
