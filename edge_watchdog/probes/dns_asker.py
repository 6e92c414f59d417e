"""UDP DNS questions to anchors through one uplink: any response of theirs proves the path.

One socket, many open questions.  REFUSED and SERVFAIL are answers here: what is asked is whether
the path works, not whether the name is known.
"""

import socket

from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.asking import Heard, Target, drain, prepare, send
from edge_watchdog.probes.bind import Binding, close_quietly, open_socket
from edge_watchdog.probes.dns import Question, build_query, parse_response, read_ident
from edge_watchdog.probes.errqueue import Trouble, judge, listen
from edge_watchdog.probes.lookup import DNS_PORT


class DnsAsker:
    """The same question to any server; see asking.Asker."""

    def __init__(self, binding: Binding, question: Question) -> None:
        """Open the socket.  Raises ProbeError."""
        self._question = question
        self._source = binding.source
        self._settled: list[Heard] = []
        self._asked: dict[str, int] = {}
        self._sock = open_socket(binding, socket.SOCK_DGRAM)
        try:
            listen(self._sock)
            prepare(self._sock)
        except OSError as error:
            close_quietly(self._sock)
            raise ProbeError(f"cannot set up DNS: {error.strerror or error}") from error

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self._sock.fileno()

    def ask(self, target: Target, number: int) -> None:
        """Send one query.  Raises ProbeError when it could not leave."""
        query = build_query(self._question, number)
        send(self._sock, query, (target.address, DNS_PORT), self._settle)
        self._asked[target.address] = number

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

    def _read(self, data: bytes, sender: str, age_s: float) -> Heard | None:
        number = read_ident(data)
        if number is None:
            return None
        try:
            answer = parse_response(data, self._question, number)
        except ProbeError:
            return None  # forged or broken: the true answer may still come
        detail = answer.rcode_name if answer.rcode else ""
        return Heard(number, sender, detail=detail, age_s=age_s)

    def _blame(self, trouble: Trouble) -> Heard | None:
        """Read an error about one of ours; a router may quote nothing beyond the UDP header."""
        number = read_ident(trouble.payload)
        if number is None:
            number = self._asked.get(trouble.to)
        verdict = judge(trouble, trouble.to, self._source)
        if number is None or verdict is None:
            return None
        return Heard(number, trouble.to, *verdict)
