"""Telling the studio's computers that connections are over: a reset, now, not a silence.

A computer whose connection conntrack has forgotten learns of it from a stranger far away, and only
when it says a word.  So what ends here stands in a set of our table for a minute, and whatever its
computer still sends is answered by a reset.  A computer that only waits is made to speak: it is
sent a connection attempt in the far end's name, which it must answer by saying where it is
(RFC 5961, section 4), and that answer gets the reset.  The packet filter puts the far end's name
in, so that no raw socket and no privilege beside CAP_NET_ADMIN is needed.
"""

import contextlib
import logging
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_watchdog.links import LinkError, elements

MARK = 7200  # of our own attempts; beside the marks of the uplinks
AT_ONCE = 100  # sockets open at a time
# what comes and goes by itself in our table; the rest of it must stay as it was loaded
PASSING = ("ended", "far_address", "far_port")
SETS_TEXT = """\
  set ended {
    type ipv4_addr . inet_service . ipv4_addr . inet_service; flags timeout; timeout 1m; size 65535;
  }
  map far_address { type inet_service : ipv4_addr; }
  map far_port { type inet_service : inet_service; }
"""
RESET_RULE = (
    "tcp flags & (syn | rst) == 0 ct state != established"
    " ip saddr . tcp sport . ip daddr . tcp dport @ended reject with tcp reset"
)
CHAIN_TEXT = f"""\
  chain in_their_name {{
    type filter hook output priority raw; policy accept;
    meta mark {MARK} notrack ip saddr set tcp sport map @far_address
    meta mark {MARK} tcp sport set tcp sport map @far_port
  }}
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ends:
    """A TCP connection: a computer of the studio, and the host far away."""

    near: tuple[str, int]
    far: tuple[str, int]


async def announce(connections: Sequence[Ends]) -> bool:
    """Have a reset ready for each; to be called before conntrack forgets them.

    Tells whether the packet filter took it.
    """
    if not connections:
        return False
    rows = [(elements.joined(*_side(c.near), *_side(c.far)), b"") for c in set(connections)]
    try:
        await elements.add("ended", rows)
    except LinkError as error:
        log.warning("clients are not told that connections ended: %s", error)
        return False
    return True


async def wake(connections: Sequence[Ends]) -> None:
    """Make their computers speak, so that the reset comes at once; after conntrack forgot them."""
    for start in range(0, len(connections), AT_ONCE):
        try:
            await _call(connections[start : start + AT_ONCE])
            await elements.put({"far_address": (), "far_port": ()})
        except (OSError, LinkError) as error:
            log.warning("waiting clients are not told that connections ended: %s", error)


async def _call(connections: Sequence[Ends]) -> None:
    with contextlib.ExitStack() as stack:
        callers = [_caller(stack) for _ in connections]
        await _name(zip(callers, connections, strict=True))
        for caller, one in zip(callers, connections, strict=True):
            with contextlib.suppress(BlockingIOError):
                caller.connect(one.near)


def _caller(stack: contextlib.ExitStack) -> socket.socket:
    caller = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    caller.setblocking(False)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    caller.bind(("", 0))
    return caller


async def _name(pairs: Iterable[tuple[socket.socket, Ends]]) -> None:
    """Give each caller the name of its far end; raises LinkError."""
    far = {caller.getsockname()[1]: _side(one.far) for caller, one in pairs}
    await elements.put(
        {
            "far_address": [(elements.port(ours), host) for ours, (host, _) in far.items()],
            "far_port": [(elements.port(ours), port) for ours, (_, port) in far.items()],
        }
    )


def _side(end: tuple[str, int]) -> tuple[bytes, bytes]:
    return elements.address(end[0]), elements.port(end[1])
