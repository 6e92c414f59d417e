"""Somebody works: a little traffic to the outside, so that a line carries something."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from tests.lab.netns import Host
from tests.lab.places import SINK_ADDRESS


def connected(host: Host) -> socket.socket:
    """Give a connection to the outside; a gateway that has just begun may need a moment."""
    end = time.monotonic() + 20
    while True:
        sock = host.socket()
        sock.settimeout(2)
        try:
            sock.connect((SINK_ADDRESS, 9))
        except OSError:
            sock.close()
            assert time.monotonic() < end, "nothing outside is reached"
        else:
            return sock


@contextlib.contextmanager
def trickle(host: Host) -> Iterator[None]:
    """A program on *host* that sends a byte outside ten times a second and is acknowledged."""
    over = threading.Event()
    with connected(host) as sock:

        def send() -> None:
            with contextlib.suppress(OSError):
                while not over.wait(0.1):
                    sock.sendall(b"x")

        thread = threading.Thread(target=send)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
