"""How large a packet may be on a line: echoes that must not be cut, from the largest down.

A size of which the way says that it is too large is in order: senders then send smaller ones.  A
size that vanishes without a word is what makes secure pages hang (RFC 2923 section 2.1).
"""

import asyncio
from collections.abc import Sequence

from edge_watchdog.probes.bind import Binding
from edge_watchdog.probes.echoes import Shape, echo

SIZES = (1500, 1492, 1460, 1400, 1340, 1280, 1000, 576)
ROUNDS = 3  # a size is lost only if all of them lose it, of two hosts
HOSTS = 2


async def path_mtu_bytes(binding: Binding, hosts: Sequence[str]) -> int | None:
    """Give the largest of SIZES that comes through or is refused with a word.

    None when none does: then hosts do not answer echoes, and sizes have nothing to do with it.
    """
    best = 0
    for _ in range(ROUNDS):
        larger = [size for size in SIZES if size > best]
        asked = [(size, host) for host in hosts[:HOSTS] for size in larger]
        heard = await asyncio.gather(
            *(echo(binding, host, Shape(size_bytes=size)) for size, host in asked)
        )
        fine = [
            size
            for (size, _), one in zip(asked, heard, strict=True)
            if one is not None and (one.answered or one.too_large)
        ]
        best = max(fine, default=best)
        if best == SIZES[0] or not best:
            break
    return best or None
