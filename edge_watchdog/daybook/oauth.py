"""Signing in with OAuth 2 (RFC 6749): a refresh token out of a file in, an access token out.

The rule: no token and no secret stands in an error, a log or a repr; a refresh token that was
renewed is on the disk before the access token that came with it is used.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_watchdog.clock import Clock
from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.api import Account, Api, RefusedError, open_api
from edge_watchdog.daybook.keyfile import keep_renewed, newest_secret, read_secret
from edge_watchdog.daybook.shape import text_of

EARLY_S = 60.0  # a token is renewed this long before its end: a look takes its time
OFFICE = "the calendar's sign-in"
NOT_RIGHT = (
    "the calendar's sign-in does not accept us: the refresh token, the client_id or the client's "
    "secret does not hold any more ({status})"
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, the refresh token that came with it ("" for none), and how long it lasts."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lasts_s: float | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What the owner was given to sign in with; *token_file* is where a renewed token is kept.

    *secret_file* "" for a client without a secret, *token_file* "" for memory only.
    """

    token_url: str
    client_id: str
    refresh_file: str
    secret_file: str = ""
    token_file: str = ""


async def ask_for_token(api: Api, url: str, form: Mapping[str, str]) -> Token:
    """Get a token (RFC 6749, 5.1) of *url*, a path or a whole address; raises DaybookError."""
    answer = await api.post(url, form, form=True)
    access = text_of(answer, "access_token")
    if not access:
        raise api.error("gave no access token")
    lasts = text_of(answer, "expires_in")
    fine = lasts.isascii() and lasts.isdigit() and len(lasts) < 10
    return Token(access, text_of(answer, "refresh_token"), float(lasts) if fine else None)


class OAuthLogin:
    """Signs in at a CalDAV server with access tokens; a Login of caldav_client."""

    refused = "the calendar's server did not accept our access token (401)"

    def __init__(self, grant: Grant, clock: Clock, tls: ssl.SSLContext | bool) -> None:
        self._grant = grant
        self._clock = clock
        self._tls = tls
        self._one_at_a_time = asyncio.Lock()
        self._header = ""
        self._until: float | None = None  # the boot clock; None when nobody said
        self._renewed = ("", "")  # what was given, and what was made of it: in memory only

    async def header(self) -> str:
        """Give the Authorization header (RFC 6750); raises DaybookError."""
        async with self._one_at_a_time:
            over = self._until is not None and self._clock.now().mono >= self._until
            if not self._header or over:
                await self._renew()
            return self._header

    async def again(self, refused: str) -> str:
        """Give another header than the one that was *refused*; raises DaybookError."""
        async with self._one_at_a_time:
            if self._header == refused:
                await self._renew()
            return self._header

    async def _renew(self) -> None:
        grant, self._header = self._grant, ""
        form, asked_mono = await asyncio.to_thread(self._form), self._clock.now().mono
        try:
            async with open_api(
                Account(OFFICE, grant.token_url, {}, self._tls), self._clock
            ) as api:
                token = await ask_for_token(api, grant.token_url, form)
        except RefusedError as error:
            if error.status not in (400, 401, 403):
                raise
            words = NOT_RIGHT.format(status=error.status)
            raise DaybookError(words, requests=error.requests) from None
        if token.refresh and token.refresh != form["refresh_token"]:
            await asyncio.to_thread(self._keep, token.refresh)
        lasts_s = token.lasts_s
        self._until = None if lasts_s is None else asked_mono + max(0.0, lasts_s - EARLY_S)
        self._header = f"Bearer {token.access}"

    def _form(self) -> dict[str, str]:
        """Give what is asked with (RFC 6749, 6 and 2.3.1); blocks, raises DaybookError."""
        grant = self._grant
        known = newest_secret(grant.refresh_file, grant.token_file)
        given, renewed = self._renewed
        form = {
            "grant_type": "refresh_token",
            "refresh_token": renewed if renewed and known == given else known,
            "client_id": grant.client_id,
        }
        if grant.secret_file:
            form["client_secret"] = read_secret(grant.secret_file)
        return form

    def _keep(self, refresh: str) -> None:
        """Keep a renewed refresh token; blocks, raises DaybookError."""
        grant = self._grant
        if grant.token_file:
            keep_renewed(grant.refresh_file, grant.token_file, refresh)
        else:
            self._renewed = newest_secret(grant.refresh_file, ""), refresh
