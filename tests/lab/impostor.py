"""A device with an address that is another's: it answers for it, and says so every minute.

``impostor.py INTERFACE ADDRESS``: takes the address, announces it by ARP as devices do when they
begin (RFC 5227 section 2.3), says "ready", and gives it back at SIGTERM: then it says whose it was.
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


def announcement(sender: bytes, owner: bytes, address: bytes) -> bytes:
    """Give the frame that says whose *address* is; MACs and address as bytes."""
    head = EVERYBODY + sender + ARP.to_bytes(2, "big")
    return head + ETHERNET_IPV4_REQUEST + owner + address + bytes(6) + address


def owner_of(address: str, interface: str) -> bytes | None:
    """Ask who has *address* now; gives the MAC, None when nobody answers."""
    subprocess.run(["ping", "-c1", "-W2", address], stdout=subprocess.DEVNULL, check=False)
    argv = ["ip", "-o", "neigh", "show", address, "dev", interface]
    words = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    return from_text(words[words.index("lladdr") + 1]) if "lladdr" in words else None


def from_text(mac: str) -> bytes:
    """Read a MAC."""
    return bytes.fromhex(mac.replace(":", ""))


def main() -> None:
    """Have it so until the end."""
    interface, address = sys.argv[1:]
    mac = from_text(Path(f"/sys/class/net/{interface}/address").read_text().strip())
    owner, bits = owner_of(address, interface), socket.inet_aton(address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", interface], check=True)
        try:
            sock.send(announcement(mac, mac, bits))
            print("ready", flush=True)
            while signal.sigtimedwait({signal.SIGTERM}, AGAIN_S) is None:
                sock.send(announcement(mac, mac, bits))
        finally:
            subprocess.run(["ip", "addr", "del", f"{address}/32", "dev", interface], check=True)
            if owner is not None:
                sock.send(announcement(mac, owner, bits))


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
