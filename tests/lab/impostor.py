"""A device with an address that is another's: it answers for it, and says so every minute.

``impostor.py INTERFACE ADDRESS``: takes the address, announces it by ARP as devices do when they
begin (RFC 5227 section 2.3), says "ready", and gives it back at SIGTERM.
"""

import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

AGAIN_S = 60.0
ARP = 0x0806
EVERYBODY = b"\xff" * 6
ETHERNET_IPV4_REQUEST = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)


def announcement(mac: bytes, address: bytes) -> bytes:
    """Give the frame that says whose *address* is."""
    head = EVERYBODY + mac + ARP.to_bytes(2, "big")
    return head + ETHERNET_IPV4_REQUEST + mac + address + bytes(6) + address


def main() -> None:
    """Have it so until the end."""
    interface, address = sys.argv[1:]
    mac = bytes.fromhex(Path(f"/sys/class/net/{interface}/address").read_text().replace(":", ""))
    frame = announcement(mac, socket.inet_aton(address))
    subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", interface], check=True)
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind((interface, 0))
            sock.send(frame)
            print("ready", flush=True)
            while signal.sigtimedwait({signal.SIGTERM}, AGAIN_S) is None:
                sock.send(frame)
    finally:
        subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", interface], check=True)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
