"""The vendor of a box, run inside the world's namespace: today's calendar feed over HTTPS.

Stands in for a vendor's cloud.  Says "ready" on stdout when it answers.  The folder that is named
holds its certificate; see tests/lab/pki.py.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.lab import pki
from tests.lab.feed import of_today

APP = "app.bookwell.example"


class Feed(BaseHTTPRequestHandler):
    """Gives the day, whatever is asked for."""

    def do_GET(self) -> None:
        body = of_today().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/calendar; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(folder: Path) -> None:
    server = ThreadingHTTPServer(("0.0.0.0", 443), Feed)
    server.socket = pki.server_context(folder).wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
