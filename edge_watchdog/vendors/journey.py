"""One visit to the vendor's app, as a browser would make it up to the sign-in page.

Out comes how far it came: names, connect, TLS, certificate, HTTP, content, done.  What our own side
could not ask says nothing about the vendor.
"""

import asyncio
import codecs
import errno
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from edge_watchdog import __version__
from edge_watchdog.clock import Clock
from edge_watchdog.core.model import JourneyReport, Stage
from edge_watchdog.vendors.plain import error_number, error_words

CONNECT_S, TOTAL_S, SECOND_LOOK_S = 4.0, 10.0, 3.0
BODY_BYTES = 512 * 1024
BACK_AGAIN = 3  # seen so often, a page is where its own redirects lead
HOPS = 8  # sign-in pages redirect a few times; more is a circle
UNAVAILABLE = 503
REFUSALS = frozenset({403, 429})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHALLENGES = ("cf-mitigated", "x-amzn-waf-action")  # "are you human?" of Cloudflare and AWS
OUR_OWN = frozenset(
    {
        errno.ENODEV,
        errno.ENXIO,
        errno.EADDRNOTAVAIL,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EPERM,
    }
)
CUT_OFF = frozenset({errno.ECONNRESET, errno.EPIPE})  # after the connection stood
CERTIFICATE: Mapping[int, str] = {  # openssl/x509_vfy.h
    9: "not yet valid",
    10: "expired",
    18: "unknown issuer",
    19: "unknown issuer",
    20: "unknown issuer",
    21: "unknown issuer",
    62: "wrong name",
    64: "wrong name",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a visit ended."""

    stage: Stage
    detail: str = ""
    status: int | None = None
    seconds: float | None = None
    asked: bool = True


async def visit(
    session: aiohttp.ClientSession,
    url: str,
    expect_text: str | None = None,
    *,
    uplink: str,
    clock: Clock,
) -> JourneyReport:
    """Visit *url* once and tell how far it came; never raises for the network.

    *expect_text* must stand in the page.  *seconds* is from the start to the first byte of the
    page in the end, redirects included.
    """
    at = clock.now()
    if session.closed:
        outcome = Outcome(Stage.CONNECT, "our own connection was being rebuilt", asked=False)
    else:
        outcome = await _Visit(session, expect_text, clock).go(url)
        if session.closed and outcome.stage is not Stage.DONE:
            outcome = replace(outcome, asked=False)  # the uplink changed under the visit
    return JourneyReport(
        at,
        uplink,
        outcome.stage,
        asked=outcome.asked,
        seconds=outcome.seconds,
        status=outcome.status,
        detail=outcome.detail,
        until=clock.now(),
    )


class _Visit:
    """One visit: its own cookies, its own time."""

    def __init__(
        self, session: aiohttp.ClientSession, expect_text: str | None, clock: Clock
    ) -> None:
        self._session = session
        self._expect_text = expect_text
        self._clock = clock
        self._began = clock.now()
        self._cookies = aiohttp.CookieJar()

    async def go(self, url: str) -> Outcome:
        try:
            async with asyncio.timeout(TOTAL_S):
                pages = [_page(url)]
                for _ in range(HOPS):
                    found = await self._step(url)
                    if isinstance(found, Outcome):
                        return found
                    url = found
                    pages.append(_page(url))
            return _circle(pages)
        except aiohttp.ConnectionTimeoutError:
            return await self._look_again(url)
        except TimeoutError:
            return Outcome(Stage.HTTP, f"no answer within {TOTAL_S:.0f} s")
        except (OSError, aiohttp.ClientError) as error:
            return _explain(error)

    async def _step(self, url: str) -> Outcome | str:
        """Ask for one page; give where it leads, or how the visit ended."""
        async with self._session.get(
            url,
            headers={"Accept": "text/html", "User-Agent": f"edge-watchdog/{__version__}"},
            cookies={k: m.value for k, m in self._cookies.filter_cookies(URL(url)).items()},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=TOTAL_S, sock_connect=CONNECT_S),
        ) as response:
            self._cookies.update_cookies(response.cookies, response.url)
            seconds = self._clock.now().since(self._began)
            moved = response.headers.get("Location")
            if response.status in REDIRECTS and moved:
                return _follow(url, moved, response.status)
            outcome = Outcome(Stage.HTTP, "", response.status, seconds)
            refused = _refusal(response)
            if refused:
                return replace(outcome, detail=refused)
            return await self._judge_page(response, replace(outcome, stage=Stage.CONTENT))

    async def _judge_page(self, response: aiohttp.ClientResponse, outcome: Outcome) -> Outcome:
        try:
            body = await _read(response)
        except (TimeoutError, aiohttp.ClientError):
            return replace(outcome, detail="the page broke off")
        if not body.strip():
            return replace(outcome, detail="the page is empty")
        if self._expect_text is not None:
            text = body.decode(_encoding(response), errors="replace")
            if self._expect_text not in text:
                return replace(outcome, detail="the page lacks the expected text")
        return replace(outcome, stage=Stage.DONE)

    async def _look_again(self, url: str) -> Outcome:
        """Tell a host that takes no connection from one that takes it and then hangs in TLS."""
        nobody = Outcome(Stage.CONNECT, f"no connection within {CONNECT_S:.0f} s")
        parts = urlsplit(url)
        if parts.scheme != "https" or self._session.closed:
            return nobody
        plain = f"http://{parts.hostname}:{parts.port or 443}/"
        timeout = aiohttp.ClientTimeout(total=SECOND_LOOK_S, sock_connect=SECOND_LOOK_S - 1)
        try:
            async with self._session.head(plain, allow_redirects=False, timeout=timeout):
                pass
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return nobody
        except (TimeoutError, OSError, aiohttp.ClientError):
            pass  # it was taken, and then not understood: that is all we ask
        return Outcome(Stage.TLS, "connected, but the secure handshake hangs")


def _page(url: str) -> str:
    """Give the address without what a form adds to it."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _circle(pages: list[str]) -> Outcome:
    """Tell a sign-in that leads back to itself from a page that leads ever further."""
    if max(pages.count(page) for page in pages) >= BACK_AGAIN:
        return Outcome(Stage.LOGIN, "the sign-in page leads back to itself")
    return Outcome(Stage.HTTP, "redirects without an end")


def _follow(url: str, moved: str, status: int) -> Outcome | str:
    """Give the next address, unless nobody can know who sends us there."""
    target = urljoin(url, moved)
    before, after = urlsplit(url), urlsplit(target)
    if after.scheme not in ("http", "https") or not after.hostname:
        return Outcome(Stage.HTTP, "redirects to nowhere", status)
    same_site = _site(before.hostname) == _site(after.hostname)
    if before.scheme == "https" and after.scheme == "http":
        return Outcome(Stage.HTTP, f"redirects to an unprotected page of {after.hostname}", status)
    if before.scheme == "http" and not same_site:
        return Outcome(Stage.HTTP, f"redirects to {after.hostname}", status)
    return target


def _site(host: str | None) -> str:
    """Give the last two labels: near enough to tell the vendor from a sign-in page of a Wi-Fi."""
    return ".".join((host or "").lower().split(".")[-2:])


def _refusal(response: aiohttp.ClientResponse) -> str:
    """Say why the answer is no page to use; "" if it may be one."""
    status = response.status
    if any(name in response.headers for name in CHALLENGES):
        return f"refused us (challenge, status {status})"
    if status in REFUSALS:
        return f"refused us (status {status})"
    after = response.headers.get("Retry-After")
    if status == UNAVAILABLE and after:
        return f"unavailable (status 503), asks to come back: {after[:40]}"
    if 200 <= status < 300:
        return ""
    return f"status {status}"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Give the page, as far as it matters."""
    data = bytearray()
    async for part in response.content.iter_chunked(65_536):
        data += part
        if len(data) >= BODY_BYTES:
            break
    return bytes(data)


def _encoding(response: aiohttp.ClientResponse) -> str:
    try:
        return codecs.lookup(response.charset or "utf-8").name
    except LookupError:
        return "utf-8"


def _explain(error: Exception) -> Outcome:
    """Say at which stage *error* ended the visit."""
    number, words = error_number(error), error_words(error)
    match error:
        case aiohttp.ClientConnectorCertificateError():
            words = _certificate(error.certificate_error)
            return Outcome(Stage.CERTIFICATE, f"certificate: {words}")
        case aiohttp.ClientConnectorDNSError():
            return Outcome(Stage.NAMES, words, asked=number not in OUR_OWN)
        case aiohttp.ClientConnectorSSLError():
            return Outcome(Stage.TLS, f"the secure handshake fails: {words}")
        case aiohttp.ClientConnectorError() if number in CUT_OFF:
            return Outcome(Stage.TLS, f"the secure handshake is cut off: {words}")
        case aiohttp.ClientConnectorError():
            return Outcome(Stage.CONNECT, words, asked=number not in OUR_OWN)
        case aiohttp.InvalidURL():
            return Outcome(Stage.HTTP, "redirects to nowhere")
    return Outcome(Stage.HTTP, f"the answer broke off ({words})")


def _certificate(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CERTIFICATE.get(error.verify_code, error.verify_message)
    return str(error)
