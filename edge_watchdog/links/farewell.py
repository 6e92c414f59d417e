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

from edge_watchdog.links import LinkError
from edge_watchdog.links.program import run_program

TABLE = "inet edge_watchdog"
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
    rows = ", ".join(
        f"{c.near[0]} . {c.near[1]} . {c.far[0]} . {c.far[1]}" for c in set(connections)
    )
    try:
        await run_program(["nft", "-f", "-"], f"add element {TABLE} ended {{ {rows} }}\n")
    except LinkError as error:
        log.warning("clients are not told that connections ended: %s", error)
        return False
    return True


async def wake(connections: Sequence[Ends]) -> None:
    """Make their computers speak, so that the reset comes at once; after conntrack forgot them."""
    for start in range(0, len(connections), AT_ONCE):
        with contextlib.ExitStack() as stack:
            try:
                callers = [_caller(stack) for _ in connections[start : start + AT_ONCE]]
                await _name(zip(callers, connections[start:], strict=False))
                for caller, one in zip(callers, connections[start:], strict=False):
                    with contextlib.suppress(BlockingIOError):
                        caller.connect(one.near)
            except (OSError, LinkError) as error:
                log.warning("waiting clients are not told that connections ended: %s", error)


def _caller(stack: contextlib.ExitStack) -> socket.socket:
    caller = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    caller.setblocking(False)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    caller.bind(("", 0))
    return caller


async def _name(pairs: Iterable[tuple[socket.socket, Ends]]) -> None:
    """Give each caller the name of its far end; raises LinkError."""
    by_port = {caller.getsockname()[1]: one.far for caller, one in pairs}
    addresses = ", ".join(f"{port} : {far[0]}" for port, far in by_port.items())
    ports = ", ".join(f"{port} : {far[1]}" for port, far in by_port.items())
    text = (
        f"flush map {TABLE} far_address\nflush map {TABLE} far_port\n"
        f"add element {TABLE} far_address {{ {addresses} }}\n"
        f"add element {TABLE} far_port {{ {ports} }}\n"
    )
    await run_program(["nft", "-f", "-"], text)
