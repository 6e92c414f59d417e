"""Somebody uploads something big: one TCP connection that is kept full.

``load.py INTERFACE ADDRESS SECONDS``: sends by INTERFACE to the discard service at ADDRESS, says
"ready" after the first attempt, and ends by itself.
"""

import contextlib
import socket
import sys
import time

DISCARD_PORT = 9
PIECE = bytes(16_384)
PATIENCE_S = 2.0


def main() -> None:
    """Send until the time is over; a connection that breaks is begun anew."""
    interface, address, seconds = sys.argv[1:]
    end = time.monotonic() + float(seconds)
    talk = connected(interface, address)
    print("ready", flush=True)
    while time.monotonic() < end:
        with contextlib.suppress(OSError), talk:
            while time.monotonic() < end:
                talk.sendall(PIECE)
        time.sleep(0.2)
        talk = connected(interface, address)
    talk.close()


def connected(interface: str, address: str) -> socket.socket:
    """Give a connection, or a socket that could not be connected."""
    talk = socket.socket()
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    # A sender that looks at delay would keep the queue short; most senders fill it.
    talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    talk.settimeout(PATIENCE_S)
    with contextlib.suppress(OSError):
        talk.connect((address, DISCARD_PORT))
    talk.settimeout(10 * PATIENCE_S)
    return talk


if __name__ == "__main__":
    main()
