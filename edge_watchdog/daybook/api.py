"""One look at a vendor's JSON API: requests out, decoded answers in, everything counted.

Whatever the API answers is refused unless it is JSON of the host that was asked: the key goes along
with each request and must never reach another host.  What comes back is personal and never stands
in an error.
"""

import contextlib
import json
import math
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.web import LONGEST_AGE_S, LONGEST_PAUSE_S, number_in, open_session

MOST_BYTES = 5 * 2**20  # of all answers of one look together
MOST_REQUESTS = 200

Params = Sequence[tuple[str, str]]


class RefusedError(DaybookError):
    """The server understood that we asked, and said no: nothing was changed there."""

    status: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to ask and as whom; *label* is the vendor's name as people know it."""

    label: str
    base_url: str
    headers: Mapping[str, str]
    tls: ssl.SSLContext | bool = True


class Api:
    """The conversation of one look; *requests* and *age_s* tell what it took and how old it is."""

    def __init__(self, session: aiohttp.ClientSession, account: Account, clock: Clock) -> None:
        self._session = session
        self._account = account
        self._clock = clock
        self._base = URL(account.base_url.rstrip("/") + "/")
        self._bytes = 0
        self.base_url = account.base_url
        self.headers = dict(account.headers)
        self.requests = 0
        self.age_s: float | None = None

    async def get(self, path: str, params: Params = ()) -> Any:
        """Give the decoded answer of *path* below the base, or of a whole address of our host.

        Raises DaybookError.
        """
        at = self._at(path)
        return await self._ask("GET", at.with_query(list(params)) if params else at)

    async def post(self, path: str, body: object, *, form: bool = False) -> Any:
        """Send *body* as JSON, or as a form, and give the decoded answer.  Raises DaybookError."""
        kind = {"data": body} if form else {"json": body}
        return await self._ask("POST", self._at(path), **kind)

    async def put(self, path: str, body: object) -> Any:
        """Send *body* as JSON in place of what is there.  Raises DaybookError."""
        return await self._ask("PUT", self._at(path), json=body)

    def _at(self, path: str) -> URL:
        """Give the address; raises DaybookError when it is another host's."""
        try:
            at = self._base.join(URL(path.lstrip("/") if "://" not in path else path))
        except ValueError:
            raise self.error("named a next page that is no address") from None
        if at.origin() != self._base.origin():
            raise self.error("led to another place; this may be a sign-in page")
        return at

    async def _ask(self, method: str, at: URL, **body: Any) -> Any:
        if self.requests >= MOST_REQUESTS:
            raise self.error("has more pages than one day can have")
        self.requests += 1
        try:
            async with self._session.request(
                method, at, headers=self.headers, allow_redirects=False, **body
            ) as response:
                return await self._take(response)
        except TimeoutError:
            raise self.error("did not answer in time") from None
        except aiohttp.ClientConnectorCertificateError:
            raise self.error("showed a certificate that is not trusted") from None
        except aiohttp.ClientConnectorDNSError:
            raise self.error("was not found by its name") from None
        except aiohttp.ClientPayloadError:
            raise self.error("was cut short in its answer") from None
        except (aiohttp.ClientError, OSError):
            raise self.error("could not be reached") from None

    async def _take(self, response: aiohttp.ClientResponse) -> Any:
        if response.status not in (200, 201):
            raise self._refusal(response)
        if self.age_s is None:
            self.age_s = number_in(response.headers.get("Age"), LONGEST_AGE_S) or 0.0
        parts = []
        async for part in response.content.iter_chunked(2**16):
            self._bytes += len(part)
            if self._bytes > MOST_BYTES:
                raise self.error(f"sent more than {MOST_BYTES // 2**20} MiB for one day")
            parts.append(part)
        try:
            return json.loads(b"".join(parts))
        except (ValueError, RecursionError):
            raise self.error("answered with something that is not its data") from None

    def _refusal(self, response: aiohttp.ClientResponse) -> DaybookError:
        status = response.status
        if status in range(300, 400):
            return self.error("led to another place; this may be a sign-in page")
        if status >= 500:
            words = f"has trouble or maintenance ({status})"
            return self.error(words, after_s=self._pause_s(response))
        if status == 429:
            words, after_s = "asks us to come less often (429)", self._pause_s(response)
        elif status in (401, 403):
            words, after_s = f"refused our key ({status})", None
        else:
            words, after_s = f"did not understand our question ({status})", None
        refused = RefusedError(self._said(words), after_s=after_s, requests=self.requests)
        refused.status = status
        return refused

    def _pause_s(self, response: aiohttp.ClientResponse) -> float | None:
        """Give what the server asks us to wait: Retry-After, or the time its window begins anew."""
        wait_s = number_in(response.headers.get("Retry-After"), LONGEST_PAUSE_S)
        reset = number_in(response.headers.get("X-RateLimit-Reset"), math.inf)
        if wait_s is None and reset is not None:
            wait_s = max(1.0, reset - self._clock.now().wall)
        return None if wait_s is None else min(wait_s, LONGEST_PAUSE_S)

    def error(self, words: str, *, after_s: float | None = None) -> DaybookError:
        """Make an error that says what the vendor's server did."""
        return DaybookError(self._said(words), after_s=after_s, requests=self.requests)

    def _said(self, words: str) -> str:
        return f"the server of {self._account.label} {words}"


@contextlib.asynccontextmanager
async def open_api(account: Account, clock: Clock) -> AsyncIterator[Api]:
    """Open a conversation; nothing of it is kept between two looks."""
    async with open_session(account.tls) as session:
        yield Api(session, account, clock)
