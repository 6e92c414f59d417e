"""The provider's line is full of other people's traffic: datagrams at a steady rate.

``flood.py INTERFACE ADDRESS SECONDS KILOBITS``: sends by INTERFACE to port 9 of ADDRESS, KILOBITS
a second, says "ready" when it has begun, and ends by itself.
"""

import contextlib
import socket
import sys
import time

DISCARD_PORT = 9
PIECE = bytes(1_200)
TICK_S = 0.01
SO_SNDBUFFORCE = 32  # asm-generic/socket.h
QUEUED_BYTES = 4_000_000  # what waits in the line's queue still counts as ours


def main() -> None:
    """Send until the time is over; what the kernel has no room for is not made up for."""
    interface, address, seconds, kilobits = sys.argv[1:]
    rate = float(kilobits) * 125 / len(PIECE)  # pieces a second
    begin, sent = time.monotonic(), 0
    print("ready", flush=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        talk.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, QUEUED_BYTES)
        while (passed_s := time.monotonic() - begin) < float(seconds):
            while sent < passed_s * rate:
                sent += 1
                with contextlib.suppress(OSError):
                    talk.sendto(PIECE, (address, DISCARD_PORT))
            time.sleep(TICK_S)


if __name__ == "__main__":
    main()
