"""Sockets that can leave by one uplink only: bound to its device AND to its address, always both.

By device alone, a standby without a default route is asked by ARP and looks dead; by address alone,
the packet leaves by the preferred uplink, is answered, and a dead standby looks alive.
"""

import contextlib
import functools
import socket
import ssl
from dataclasses import dataclass

import aiohttp

from edge_watchdog.clock import Clock, SystemClock
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.lookup import Opener, UplinkResolver

CONNECT_S = 4.0
TOTAL_S = 10.0
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: leave the choice of the port to connect()
FAR = ("192.0.2.1", 9)  # any address that only a default route leads to; nothing is sent


@dataclass(frozen=True, slots=True)
class Binding:
    """Everything a question needs to leave by *uplink*: IPv4 literals, *interface* by its name."""

    uplink: str
    interface: str
    source: str
    gateway: str | None = None
    resolvers: tuple[str, ...] = ()


def raw_open(binding: Binding | None, kind: int, proto: int = 0) -> socket.socket:
    """Open a nonblocking IPv4 socket bound to *binding* (None: unbound).  Raises OSError."""
    sock = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, proto)
    try:
        if binding is not None:
            device = binding.interface.encode() + b"\0"
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((binding.source, 0))
    except OSError:
        sock.close()
        raise
    return sock


def open_socket(binding: Binding, kind: int, proto: int = 0) -> socket.socket:
    """Do as raw_open().  Raises ProbeError with what the kernel said."""
    try:
        return raw_open(binding, kind, proto)
    except OSError as error:
        where = f"{binding.interface} with address {binding.source}"
        raise ProbeError(f"cannot use {where}: {error.strerror or error}") from error


def opener(binding: Binding | None) -> Opener:
    """Give raw_open() for *binding*."""
    return functools.partial(raw_open, binding)


def can_leave(binding: Binding) -> str | None:
    """Say why nothing at all could leave by *binding* now; None when something could."""
    try:
        with raw_open(binding, socket.SOCK_DGRAM) as sock:
            sock.connect(FAR)
    except OSError as error:
        return error.strerror or str(error)
    return None


def open_resolver(
    binding: Binding | None, *, reserve: tuple[str, ...] = (), clock: Clock | None = None
) -> UplinkResolver:
    """Give a resolver that asks through *binding*: its own resolvers, then *reserve*."""
    lease = binding.resolvers if binding is not None else ()
    return UplinkResolver(opener(binding), lease, reserve, clock or SystemClock())


def trust(ca_file: str | None = None) -> ssl.SSLContext:
    """Give the system's trust store, and *ca_file* (PEM) besides.  Raises ProbeError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ProbeError(f"cannot read certificates from {ca_file}: {error}") from error
    return context


def open_session(
    binding: Binding | None,
    ca_file: str | None = None,
    *,
    reserve: tuple[str, ...] = (),
    resolver: UplinkResolver | None = None,
    context: ssl.SSLContext | None = None,
) -> aiohttp.ClientSession:
    """Open a session whose every packet leaves by *binding*, name lookups included; close it.

    None as *binding* means the system's own route; it then needs *reserve* or *resolver* to look
    names up.  *context* replaces the trust made from *ca_file*.  Raises ProbeError for *ca_file*.
    """

    def factory(_: object) -> socket.socket:
        return raw_open(binding, socket.SOCK_STREAM, socket.IPPROTO_TCP)

    connector = aiohttp.TCPConnector(
        family=socket.AF_INET,
        socket_factory=factory,
        happy_eyeballs_delay=None,
        resolver=resolver or open_resolver(binding, reserve=reserve),
        use_dns_cache=False,
        force_close=True,
        ssl=context or trust(ca_file),
    )
    timeout = aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=CONNECT_S)
    return aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    )


def close_quietly(sock: socket.socket) -> None:
    """Close *sock*; an error then is no news to anybody."""
    with contextlib.suppress(OSError):
        sock.close()
