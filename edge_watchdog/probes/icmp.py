"""ICMP echo (RFC 792) through one uplink: one socket, many open questions, errors included.

An unprivileged ping socket is tried first, then a raw one; when neither is permitted the caller is
told and asks by other means.  An echo counts only if number, cookie and sender are ours.
"""

import secrets
import socket
import struct

from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.asking import Heard, Target, drain, prepare, send
from edge_watchdog.probes.bind import Binding, close_quietly, open_socket
from edge_watchdog.probes.errqueue import Trouble, judge, listen

ECHO_REPLY, ECHO_REQUEST = 0, 8
HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
COOKIE_BYTES = 8
SOL_RAW, ICMP_FILTER = 255, 1  # linux/icmp.h
ONLY_REPLIES = ~(1 << ECHO_REPLY) & 0xFFFFFFFF
IP_BYTES = 20


class IcmpAsker:
    """Echo requests by one socket; see asking.Asker."""

    def __init__(self, sock: socket.socket, binding: Binding, *, raw: bool) -> None:
        """Take over *sock*; open_icmp() makes it."""
        self._sock = sock
        self._source = binding.source
        self._raw = raw
        self._ident = secrets.randbits(16) if raw else sock.getsockname()[1]
        self._cookie = secrets.token_bytes(COOKIE_BYTES)
        self._settled: list[Heard] = []

    @property
    def method(self) -> str:
        """Say how echo requests are sent."""
        return "ICMP by a raw socket" if self._raw else "ICMP by a ping socket"

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self._sock.fileno()

    def ask(self, target: Target, number: int) -> None:
        """Send one echo request.  Raises ProbeError when it could not leave."""
        send(self._sock, self._request(number), (target.address, 0), self._settle)

    def receive(self) -> list[Heard]:
        """Give everything that came since the last call; never waits."""
        heard = self._settled
        self._settled = []
        return heard + drain(self._sock, self._read, self._blame)

    def forget(self, number: int) -> None:
        """Do nothing: all questions share the socket."""

    def close(self) -> None:
        """Give the socket back."""
        close_quietly(self._sock)

    def _settle(self) -> None:
        self._settled += drain(self._sock, self._read, self._blame)

    def _request(self, number: int) -> bytes:
        blank = HEADER.pack(ECHO_REQUEST, 0, 0, self._ident, number) + self._cookie
        if not self._raw:
            return blank  # the kernel fills in identifier and checksum
        head = HEADER.pack(ECHO_REQUEST, 0, checksum(blank), self._ident, number)
        return head + self._cookie

    def _read(self, data: bytes, sender: str, age_s: float) -> Heard | None:
        if self._raw:
            data = data[(data[0] & 0x0F) * 4 :] if len(data) >= IP_BYTES else b""
            if checksum(data):
                return None  # the kernel checks only what it delivers to ping sockets
        if len(data) != HEADER.size + COOKIE_BYTES:
            return None
        kind, code, _, ident, number = HEADER.unpack_from(data)
        if (kind, code, ident) != (ECHO_REPLY, 0, self._ident):
            return None
        if data[HEADER.size :] != self._cookie:
            return None
        return Heard(number, sender, age_s=age_s)

    def _blame(self, trouble: Trouble) -> Heard | None:
        """Read an error about one of ours; the router quotes eight bytes of it or more."""
        if len(trouble.payload) < HEADER.size:
            return None
        kind, _, _, ident, number = HEADER.unpack_from(trouble.payload)
        cookie = trouble.payload[HEADER.size : HEADER.size + COOKIE_BYTES]
        if kind != ECHO_REQUEST or ident != self._ident or not self._cookie.startswith(cookie):
            return None
        verdict = judge(trouble, trouble.to, self._source)
        return None if verdict is None else Heard(number, trouble.to, *verdict)


def open_icmp(binding: Binding) -> IcmpAsker | None:
    """Open a socket for echo requests; None when this box does not permit it at all.

    Raises ProbeError when the device or the address cannot be used.
    """
    for kind, raw in ((socket.SOCK_DGRAM, False), (socket.SOCK_RAW, True)):
        if not _is_permitted(kind):
            continue
        sock = open_socket(binding, kind, socket.IPPROTO_ICMP)
        try:
            listen(sock)
            prepare(sock)
            if raw:
                sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ONLY_REPLIES))
        except OSError as error:
            close_quietly(sock)
            raise ProbeError(f"cannot set up ICMP: {error.strerror or error}") from error
        return IcmpAsker(sock, binding, raw=raw)
    return None


def _is_permitted(kind: int) -> bool:
    """Tell whether the kernel gives such a socket; apart from whether it can be bound."""
    try:
        socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


def checksum(data: bytes) -> int:
    """Give the internet checksum (RFC 1071); 0 over data that holds a right one."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
