"""TCP connects through one uplink, for boxes that may not send ICMP: a reset is an answer as well.

Each question is a socket of its own, closed with a reset once it has told what it knows.
"""

import asyncio
import errno
import os
import select
import socket
import struct
from collections.abc import Callable

from edge_watchdog.core.model import Finding
from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.asking import Heard, Target
from edge_watchdog.probes.bind import Binding, close_quietly, open_socket
from edge_watchdog.probes.errqueue import OUR_OWN, judge, listen, read_trouble

ABORT = struct.pack("=ii", 1, 0)  # SO_LINGER: close at once, leave nothing behind in the kernel


class TcpAsker:
    """Connects and closes; see asking.Asker.  *on_ready* is called when something can be read."""

    def __init__(self, binding: Binding, on_ready: Callable[[], None]) -> None:
        """Open nothing yet; every question opens its own socket."""
        self._binding = binding
        self._on_ready = on_ready
        self._open: dict[int, tuple[socket.socket, str]] = {}

    def ask(self, target: Target, number: int) -> None:
        """Begin to connect.  Raises ProbeError when nothing could leave."""
        sock = open_socket(self._binding, socket.SOCK_STREAM)
        try:
            listen(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            error = sock.connect_ex((target.address, target.port))
        except OSError as failure:
            close_quietly(sock)
            raise ProbeError(f"cannot send: {failure.strerror or failure}") from failure
        if error not in (0, errno.EINPROGRESS):
            close_quietly(sock)
            raise ProbeError(f"cannot send: {os.strerror(error)}")
        self.forget(number)
        self._open[number] = (sock, target.address)
        asyncio.get_running_loop().add_writer(sock, self._on_ready)

    def receive(self) -> list[Heard]:
        """Give every connect that came to an end since the last call; never waits."""
        if not self._open:
            return []
        poll = select.poll()
        numbers = {sock.fileno(): number for number, (sock, _) in self._open.items()}
        for descriptor in numbers:
            poll.register(descriptor, select.POLLOUT)
        heard = []
        for descriptor, _ in poll.poll(0):
            number = numbers[descriptor]
            heard.append(self._conclude(number, *self._open[number]))
            self.forget(number)
        return [item for item in heard if item is not None]

    def forget(self, number: int) -> None:
        """Close the socket of *number*, if it has one."""
        sock, _ = self._open.pop(number, (None, ""))
        if sock is not None:
            asyncio.get_running_loop().remove_writer(sock)
            close_quietly(sock)

    def close(self) -> None:
        """Give all sockets back."""
        for number in list(self._open):
            self.forget(number)

    def _conclude(self, number: int, sock: socket.socket, address: str) -> Heard | None:
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        trouble = read_trouble(sock)
        verdict = judge(trouble, address, self._binding.source) if trouble else None
        if verdict is not None:
            # a router's "port unreachable" would otherwise look like the target's own reset
            return Heard(number, address, *verdict)
        if error == 0:
            return Heard(number, address)
        if error in (errno.ECONNREFUSED, errno.ECONNRESET):
            return Heard(number, address, detail="reset")
        finding = Finding.NOT_ASKED if error in OUR_OWN else Finding.UNREACHABLE
        return Heard(number, address, finding, os.strerror(error))
