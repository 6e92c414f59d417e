"""The internet of a box, run inside the world's namespace: names by both providers, one 204 page.

Says "ready" on stdout when it answers; ends with the process that started it.
"""

import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.lab.dns import answer

HOSTS = {"connectivity.example": "198.51.100.1", "app.bookwell.example": "198.51.100.1"}


class Names(socketserver.BaseRequestHandler):
    """Answers from the address that was asked."""

    def handle(self) -> None:
        query, sock = self.request
        said = answer(query, HOSTS)
        if said is not None:
            sock.sendto(said, self.client_address)


class Page(BaseHTTPRequestHandler):
    """Says 204 to everything."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(providers: list[str]) -> None:
    servers: list[socketserver.BaseServer] = [
        socketserver.ThreadingUDPServer((address, 53), Names) for address in providers
    ]
    servers.append(ThreadingHTTPServer(("0.0.0.0", 80), Page))
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
