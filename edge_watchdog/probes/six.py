"""Does IPv6 work over a line that has it?  Hosts asked by echo and by TCP, from its own address.

In: an interface and hosts (IPv6 literals).  Out: True, False, or None where the line has no address
of the internet's.
"""

import asyncio
import errno
import ipaddress
import secrets
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from edge_watchdog.probes.bind import close_quietly

IF_INET6 = Path("/proc/net/if_inet6")
UNUSABLE = 0x20 | 0x40 | 0x08  # deprecated, tentative, duplicate: linux/if_addr.h
INTERNET = ipaddress.IPv6Network("2000::/3")
ECHO = struct.Struct("!BBHHH")
ECHO_REQUEST = 128  # RFC 4443
HTTPS_PORT = 443
PATIENCE_S = 1.0
TRIES = 2


def global_address(interface: str, file: Path = IF_INET6) -> str | None:
    """Give an address of *interface* that the internet can answer to (net/ipv6/addrconf.c)."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None  # a kernel without IPv6
    for line in lines:
        words = line.split()
        if len(words) == 6 and words[5] == interface and not int(words[4], 16) & UNUSABLE:
            address = ipaddress.IPv6Address(int(words[0], 16))
            if address in INTERNET:
                return str(address)
    return None


async def ipv6_works(interface: str, hosts: Sequence[str]) -> bool | None:
    """Tell whether any of *hosts* answers from *interface*'s own address."""
    source = global_address(interface)
    if source is None:
        return None
    for _ in range(TRIES):
        asked = (ask(interface, source, host) for ask in (_echoes, _connects) for host in hosts)
        if any(await asyncio.gather(*asked)):
            return True
    return False


def _open(interface: str, source: str, kind: int, proto: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        sock.bind((source, 0))
    except OSError:
        sock.close()
        raise
    return sock


async def _echoes(interface: str, source: str, host: str) -> bool:
    loop, cookie = asyncio.get_running_loop(), secrets.token_bytes(8)
    try:
        sock = _open(interface, source, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6)
    except OSError:
        return False  # not permitted here: TCP is asked, too
    try:
        async with asyncio.timeout(PATIENCE_S):
            sock.connect((host, 0))
            await loop.sock_sendall(sock, ECHO.pack(ECHO_REQUEST, 0, 0, 0, 1) + cookie)
            return (await loop.sock_recv(sock, 256))[ECHO.size :] == cookie
    except (TimeoutError, OSError):
        return False
    finally:
        close_quietly(sock)


async def _connects(interface: str, source: str, host: str) -> bool:
    try:
        sock = _open(interface, source, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.get_running_loop().sock_connect(sock, (host, HTTPS_PORT))
            return True
    except TimeoutError:
        return False
    except OSError as error:
        return error.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
    finally:
        close_quietly(sock)
