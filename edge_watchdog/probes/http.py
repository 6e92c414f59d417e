"""Two visits through one uplink's session: a page that must be 204 and empty, and its TLS twin.

Anything else in place of the 204 page is somebody on the way answering instead: a sign-in page.
Redirects are never followed.
"""

import email.utils
import errno
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from edge_watchdog.clock import Clock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding
from edge_watchdog.core.units import Url

TIMEOUT_S = 5.0
CONNECT_S = 3.0
BODY_BYTES = 1024
CLOCK_TOLERANCE_S = 30.0  # pages are cached and clocks drift; certificates care for hours
NO_CONTENT = 204
SIGN_IN_REQUIRED = 511  # RFC 6585 section 6
VERIFY_REASONS: Mapping[int, str] = {  # openssl/x509_vfy.h
    9: "not yet valid",
    10: "expired",
    18: "unknown issuer (self-signed)",
    19: "unknown issuer (self-signed root)",
    20: "unknown issuer",
    21: "unknown issuer",
    62: "wrong name",
    64: "wrong name",
}
CONNECT_FINDINGS: Mapping[int | None, Finding] = {
    errno.ENODEV: Finding.NOT_ASKED,
    errno.ENXIO: Finding.NOT_ASKED,
    errno.EADDRNOTAVAIL: Finding.NOT_ASKED,
    errno.ENETDOWN: Finding.NOT_ASKED,
    errno.EPERM: Finding.NOT_ASKED,
    errno.EHOSTUNREACH: Finding.UNREACHABLE,
    errno.ENETUNREACH: Finding.UNREACHABLE,
    errno.ETIMEDOUT: Finding.SILENT,
}
Judge = Callable[[aiohttp.ClientResponse, bytes], tuple[Finding, str]]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit found; *rtt_s* is the time to the first byte, None without one."""

    at: Instant
    finding: Finding
    rtt_s: float | None = None
    detail: str = ""


async def visit_plain(session: aiohttp.ClientSession, url: Url, *, clock: Clock) -> Visit:
    """Fetch *url* and tell whether it is a 204 without a body."""
    return await _visit(session, url, clock, _judge_plain)


async def visit_secure(session: aiohttp.ClientSession, url: Url, *, clock: Clock) -> Visit:
    """Fetch *url* over TLS and tell whether its certificate holds; the status hardly matters."""
    return await _visit(session, secure_twin(url), clock, _judge_secure)


def secure_twin(url: Url) -> str:
    """Give the same page over TLS, on the usual port."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return url
    return parts._replace(scheme="https", netloc=parts.hostname or "").geturl()


async def _visit(session: aiohttp.ClientSession, url: str, clock: Clock, judge: Judge) -> Visit:
    at = clock.now()
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_S)
    try:
        async with session.get(url, allow_redirects=False, timeout=timeout) as response:
            now = clock.now()
            body = await response.content.read(BODY_BYTES)
            finding, detail = judge(response, body)
            words = ", ".join(part for part in (detail, _clock_words(response, now)) if part)
            return Visit(at, finding, now.since(at), words)
    except (TimeoutError, OSError, aiohttp.ClientError) as error:
        finding, detail = explain(error)
        return Visit(at, finding, None, detail)


def explain(error: Exception) -> tuple[Finding, str]:
    """Say what a failed visit tells."""
    finding, detail = Finding.WRONG_ANSWER, f"broken answer ({type(error).__name__})"
    match error:
        case aiohttp.ClientConnectorCertificateError():
            finding, detail = Finding.BAD_CERTIFICATE, certificate_words(error.certificate_error)
        case aiohttp.ClientConnectorDNSError():
            own = error.os_error.errno == errno.ENETUNREACH
            finding = Finding.NOT_ASKED if own else Finding.SILENT
            detail = f"name: {error.os_error.strerror or error.os_error}"
        case aiohttp.ClientConnectorSSLError():
            detail = f"TLS failed: {error.os_error.strerror or 'no reason given'}"
        case TimeoutError():
            finding, detail = Finding.SILENT, ""
        case OSError() if error.errno in CONNECT_FINDINGS:
            finding = CONNECT_FINDINGS[error.errno]
            detail = os.strerror(error.errno or 0).lower()
        case OSError() if error.errno in (errno.ECONNREFUSED, errno.ECONNRESET):
            detail = "connection refused"
        case OSError() if error.errno == errno.ECONNABORTED:  # SOCK_DESTROY: our own eviction
            finding, detail = Finding.NOT_ASKED, "this box ended the connection"
        case aiohttp.ClientConnectorError():
            finding, detail = Finding.SILENT, "no connection"
    return finding, detail


def certificate_words(error: BaseException) -> str:
    """Say what is wrong with a certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return VERIFY_REASONS.get(error.verify_code, error.verify_message)
    return str(error)


def _judge_plain(response: aiohttp.ClientResponse, body: bytes) -> tuple[Finding, str]:
    status = response.status
    if status == NO_CONTENT and not body:
        return Finding.ANSWERED, ""
    if 300 <= status < 400:
        host = urlsplit(response.headers.get("Location", "")).hostname
        return Finding.PORTAL, f"redirects to {host or 'a page of its own'}"
    if 200 <= status < 300 or status == SIGN_IN_REQUIRED:
        return Finding.PORTAL, f"status {status} with a page instead of an empty 204"
    return Finding.WRONG_ANSWER, f"status {status}"


def _judge_secure(response: aiohttp.ClientResponse, _: bytes) -> tuple[Finding, str]:
    if response.status >= 500:
        return Finding.WRONG_ANSWER, f"status {response.status}"
    return Finding.ANSWERED, ""


def _clock_words(response: aiohttp.ClientResponse, now: Instant) -> str:
    """Compare the server's clock with ours; positive: ours is behind."""
    text = response.headers.get("Date")
    if text is None:
        return ""
    try:
        theirs = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return ""
    off_s = theirs - now.wall
    return f"date off by {off_s:.0f} s" if abs(off_s) > CLOCK_TOLERANCE_S else ""
