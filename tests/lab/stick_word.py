"""An LTE stick that says of itself that it is online, whatever comes through.

``stick_word.py ADDRESS`` serves the status page of a HiLink stick (``/api/monitoring/status``, as
its published clients read it: 901 is "connected", 5 bars, a SIM that is in order).  It stands for
the firmware of a real stick.  Says "ready" when it can be asked; ends when told to.
"""

import http.server
import socketserver
import sys

STATUS = """<?xml version="1.0" encoding="UTF-8"?>
<response><ConnectionStatus>901</ConnectionStatus><SignalIcon>5</SignalIcon>
<CurrentNetworkType>19</CurrentNetworkType><ServiceStatus>2</ServiceStatus>
<SimStatus>1</SimStatus></response>"""


class Page(http.server.BaseHTTPRequestHandler):
    """The one page there is."""

    def do_GET(self) -> None:
        """Say that all is well."""
        known = self.path == "/api/monitoring/status"
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(STATUS) if known else 0))
        self.end_headers()
        if known:
            self.wfile.write(STATUS.encode())

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def main() -> None:
    """Answer until the end."""
    socketserver.TCPServer.allow_reuse_address = True
    with socketserver.TCPServer((sys.argv[1], 80), Page) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
