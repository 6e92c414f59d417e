"""A router that says of itself that it is offline.

``router_word.py natpmp`` answers NAT-PMP (RFC 6886); ``upnp`` is an internet gateway device as the
UPnP Forum's WANIPConnection:1 has it: discovery by SSDP, a description, one action.  It stands for
the firmware of a real router.  Says "ready" when it can be asked; ends when told to.
"""

import http.server
import socket
import socketserver
import struct
import sys
import threading

ADDRESS = "192.168.1.1"
NATPMP_PORT, SSDP_PORT, HTTP_PORT = 5351, 1900, 5000
NETWORK_FAILURE = 3
TYPE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DESCRIPTION = f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
<controlURL>/forward</controlURL></service>
<service><serviceType>{TYPE}</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>/control</controlURL></service>
</serviceList></device></root>"""
STATUS = f"""<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<u:GetStatusInfoResponse xmlns:u="{TYPE}">
<NewConnectionStatus>Disconnected</NewConnectionStatus>
<NewLastConnectionError>ERROR_NO_CARRIER</NewLastConnectionError><NewUptime>0</NewUptime>
</u:GetStatusInfoResponse></s:Body></s:Envelope>"""


def natpmp(question: bytes) -> bytes | None:
    """Answer a question for the external address: there is none."""
    if question != bytes(2):
        return struct.pack("!BBHI", 0, 128, 1, 60)  # unsupported version
    return struct.pack("!BBHI4s", 0, 128, NETWORK_FAILURE, 60, bytes(4))


def ssdp(question: bytes) -> bytes | None:
    """Answer a search for internet gateways."""
    if not question.startswith(b"M-SEARCH") or b"InternetGatewayDevice:1" not in question:
        return None
    where = f"LOCATION: http://{ADDRESS}:{HTTP_PORT}/root.xml"
    return f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\n{where}\r\nEXT:\r\n\r\n".encode()


class Device(http.server.BaseHTTPRequestHandler):
    """Description and control of the device."""

    def do_GET(self) -> None:
        """Give the description."""
        self._give(DESCRIPTION if self.path == "/root.xml" else "")

    def do_POST(self) -> None:
        """Carry out the one action there is."""
        known = self.path == "/control" and "#GetStatusInfo" in self.headers["SOAPACTION"]
        self.rfile.read(int(self.headers["Content-Length"]))
        self._give(STATUS if known else "")

    def _give(self, text: str) -> None:
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def main() -> None:
    """Answer until the end."""
    kind = sys.argv[1]
    port, answer = (NATPMP_PORT, natpmp) if kind == "natpmp" else (SSDP_PORT, ssdp)
    if kind == "upnp":
        socketserver.TCPServer.allow_reuse_address = True
        server = socketserver.TCPServer((ADDRESS, HTTP_PORT), Device)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ADDRESS, port))
        print("ready", flush=True)
        while True:
            question, sender = sock.recvfrom(2048)
            if (said := answer(question)) is not None:
                sock.sendto(said, sender)


if __name__ == "__main__":
    main()
