"""The router's own word about its line: NAT-PMP, PCP, then UPnP, asked of nobody but the router.

In: a binding with its gateway.  Out: True, online; False, it says itself that it is not; None, it
does not say.  What it says is read strictly and up to a limit, and must come from its own address.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
import struct
from urllib.parse import urljoin, urlsplit

import aiohttp

from edge_watchdog.probes import ProbeError
from edge_watchdog.probes.bind import Binding, close_quietly, open_session, open_socket

PATIENCE_S = 0.25  # it stands in the next room
TRIES = 2
PORT = 5351  # NAT-PMP and PCP (RFC 6886 section 1.1, RFC 6887 section 19.1)
NATPMP_ADDRESS = bytes(2)  # version 0, opcode 0: what is your external address?
NATPMP_ANSWER = struct.Struct("!BBHI4s")  # version, opcode, result, epoch, address
NATPMP_NETWORK_FAILURE = 3  # "NAT device itself has not obtained a DHCP lease"
PCP_VERSION, PCP_RESPONSE, PCP_NETWORK_FAILURE = 2, 0x80, 7
PCP_BYTES = 24
SSDP_PORT = 1900
PAGE_BYTES = 65_536
HTTP_S = 2.0
SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: {host}:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
)
SOAP = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
    '<u:GetStatusInfo xmlns:u="{service}"/></s:Body></s:Envelope>'
)
_LOCATION = re.compile(r"^location:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_SERVICE = re.compile(r"<service>(.{0,2000}?)</service>", re.DOTALL)
_TYPE = re.compile(
    r"<serviceType>\s*(urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12])\s*<"
)
_CONTROL = re.compile(r"<controlURL>\s*([^<\s]{1,300})\s*</controlURL>")
_STATUS = re.compile(r"<NewConnectionStatus>\s*(\w{1,40})\s*</NewConnectionStatus>")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and costs nothing
OFFLINE = frozenset({"Disconnected", "Connecting", "Authenticating", "PendingDisconnect"})


async def router_online(binding: Binding) -> bool | None:
    """Ask the router of *binding* whether it is online."""
    if binding.gateway is None:
        return None
    by_natpmp = await _by_natpmp(binding, binding.gateway)
    if by_natpmp is not None:
        return by_natpmp
    by_pcp = await _by_pcp(binding, binding.gateway)
    return by_pcp if by_pcp is not None else await _by_upnp(binding, binding.gateway)


async def _by_natpmp(binding: Binding, gateway: str) -> bool | None:
    return read_natpmp(await _ask(binding, (gateway, PORT), NATPMP_ADDRESS))


def read_natpmp(answer: bytes) -> bool | None:
    """Read an answer to the external address request (RFC 6886 section 3.2)."""
    if len(answer) < 4:
        return None
    version, opcode, result = struct.unpack_from("!BBH", answer)
    if (version, opcode) != (0, 128):
        return None
    if result == NATPMP_NETWORK_FAILURE:
        return False
    if result or len(answer) < NATPMP_ANSWER.size:
        return None
    return any(NATPMP_ANSWER.unpack_from(answer)[4])  # 0.0.0.0: it has none


async def _by_pcp(binding: Binding, gateway: str) -> bool | None:
    source = bytes(10) + b"\xff\xff" + ipaddress.IPv4Address(binding.source).packed
    announce = bytes([PCP_VERSION, 0, 0, 0]) + bytes(4) + source
    return read_pcp(await _ask(binding, (gateway, PORT), announce))


def read_pcp(answer: bytes) -> bool | None:
    """Read an answer to ANNOUNCE (RFC 6887 section 14.1): only a failure tells of the line."""
    if len(answer) < PCP_BYTES or answer[:2] != bytes([PCP_VERSION, PCP_RESPONSE]):
        return None
    return False if answer[3] == PCP_NETWORK_FAILURE else None


async def _by_upnp(binding: Binding, gateway: str) -> bool | None:
    """Find the router's description, in it the service of its line, and ask that (UPnP IGD)."""
    search = SEARCH.format(host=gateway).encode()
    answer = await _ask(binding, (gateway, SSDP_PORT), search)
    found = _LOCATION.search(answer.decode("latin-1"))
    if found is None or not _is_at(found[1], gateway):
        return None
    async with open_session(binding, context=NO_TLS) as session:
        page = await _fetch(session, found[1])
        service = read_description(page)
        if service is None:
            return None
        url = urljoin(found[1], service[1])
        if not _is_at(url, gateway):
            return None
        return read_status(await _fetch(session, url, service[0]))


def read_description(page: str) -> tuple[str, str] | None:
    """Give type and control address of the first service of a line."""
    for block in _SERVICE.findall(page):
        kind, control = _TYPE.search(block), _CONTROL.search(block)
        if kind is not None and control is not None:
            return kind[1], control[1]
    return None


def read_status(page: str) -> bool | None:
    """Read an answer to GetStatusInfo."""
    found = _STATUS.search(page)
    if found is None:
        return None
    if found[1] == "Connected":
        return True
    return False if found[1] in OFFLINE else None


def _is_at(url: str, gateway: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname == gateway


async def _fetch(session: aiohttp.ClientSession, url: str, service: str = "") -> str:
    """Get a page, or post the question to *service*; "" when there is none."""
    timeout = aiohttp.ClientTimeout(total=HTTP_S)
    headers = {
        "SOAPACTION": f'"{service}#GetStatusInfo"',
        "Content-Type": 'text/xml; charset="utf-8"',
    }
    method, data = ("POST", SOAP.format(service=service)) if service else ("GET", None)
    try:
        async with session.request(
            method,
            url,
            data=data,
            headers=headers if service else None,
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            body = await response.content.read(PAGE_BYTES)
    except (TimeoutError, OSError, ValueError, aiohttp.ClientError):
        return ""
    return body.decode("utf-8", "replace")


async def _ask(binding: Binding, to: tuple[str, int], question: bytes) -> bytes:
    """Send a datagram, twice if need be; give the first answer from *to* itself, else b""."""
    try:
        sock = open_socket(binding, socket.SOCK_DGRAM)
    except ProbeError:
        return b""
    loop = asyncio.get_running_loop()
    try:
        sock.connect(to)  # the kernel then takes answers from nobody else
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await loop.sock_sendall(sock, question)
                    return await loop.sock_recv(sock, 2048)
            except TimeoutError:
                continue
    except OSError:
        pass  # it refuses the port: it does not speak this
    finally:
        close_quietly(sock)
    return b""
