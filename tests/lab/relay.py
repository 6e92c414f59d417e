"""A long way: packets that cross a router are held for a while, by a TUN device of its own.

``relay.py LEFT RIGHT DELAY_MS JITTER_MS``: what comes in by LEFT or RIGHT to be passed on waits
DELAY_MS, give or take JITTER_MS; what overtakes another packet stays ahead of it.  Says "ready"
when it stands; at SIGTERM it ends and the packets go straight again.  Of several, the youngest
has the packets.
"""

import fcntl
import heapq
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
NAME, FIRST_TABLE, FIRST_RULE = "relay%d", 50, 100
PACKET_BYTES = 65_535
HELD = 2_000  # more is lost, as in any queue


def tunnel() -> tuple[int, int]:
    """Make the next device and give its number; it is gone when the descriptor is closed."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wish = struct.pack("16sH14x", NAME.encode(), IFF_TUN | IFF_NO_PI)
    name = fcntl.ioctl(device, TUNSETIFF, wish)[:16].rstrip(b"\0").decode()
    return device, int(name.removeprefix("relay"))


def ip(*words: str) -> None:
    """Change links, routes or rules."""
    subprocess.run(["ip", *words], check=True)


def relay(device: int, delay_s: float, jitter_s: float) -> None:
    """Hold each packet and give it back, until interrupted."""
    held: list[tuple[float, int, bytes]] = []
    count = 0
    while True:
        now = time.monotonic()
        while held and held[0][0] <= now:
            os.write(device, heapq.heappop(held)[2])
        wait_s = held[0][0] - now if held else None
        if select.select([device], [], [], wait_s)[0] and len(held) < HELD:
            count += 1
            due = time.monotonic() + delay_s + random.uniform(-jitter_s, jitter_s)
            heapq.heappush(held, (due, count, os.read(device, PACKET_BYTES)))


def main() -> None:
    """Stand in the way of both interfaces."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    legs, (delay_s, jitter_s) = sys.argv[1:3], [float(ms) / 1000 for ms in sys.argv[3:]]
    device, number = tunnel()
    table, preference = str(FIRST_TABLE + number), str(FIRST_RULE - number)
    ip("link", "set", NAME % number, "up")
    ip("route", "add", "default", "dev", NAME % number, "table", table)
    try:
        for leg in legs:
            ip("rule", "add", "iif", leg, "lookup", table, "pref", preference)
        print("ready", flush=True)
        relay(device, delay_s, jitter_s)
    except KeyboardInterrupt:
        pass
    finally:
        for leg in legs:
            ip("rule", "del", "iif", leg, "lookup", table, "pref", preference)


if __name__ == "__main__":
    main()
