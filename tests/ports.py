"""Ports that nobody gets by chance: they lie below those that the kernel hands out, see ip(7).

A program may be told one, and may be stopped and started on it again, while other tests run.
"""

import contextlib
import secrets
import socket

FIRST, LAST = 11_000, 30_000  # browsers refuse 10080


def free_ports(count: int) -> list[int]:
    """Give *count* ports in a row on which nobody listens at 127.0.0.1."""
    while True:
        first = FIRST + secrets.randbelow(LAST - FIRST)
        ports = list(range(first, first + count))
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in ports:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return ports
