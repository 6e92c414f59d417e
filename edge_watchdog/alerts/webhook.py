"""Alerts by HTTP POST, to any service that takes JSON.

In: an alert.  Out: a request that was answered by 2xx, or an AlertError.  The rule: neither the
address (its path may be a key) nor the secret ever stands in an error or a log.

The body is one JSON object: v, box, incident, reason, severity, cause, headline, body, steps, and
since, said and sent as times of RFC 3339 in UTC; delayed is true when it comes more than a minute
after it was said.  Idempotency-Key is the same when a message is sent again.  With a secret,
X-Edge-Watchdog-Signature is "t=SECONDS,v1=HEX", where HEX is HMAC-SHA256 with the secret over
SECONDS, a dot and the body.
"""

import email.utils
import hashlib
import hmac
import http
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from edge_watchdog import __version__
from edge_watchdog.alerts import AlertError, Channel
from edge_watchdog.clock import Clock, SystemClock
from edge_watchdog.core.actions import Alert
from edge_watchdog.core.units import FilePath, Url

TIMEOUT_S = 10.0
DELAYED_S = 60.0
LONGEST_AFTER_S = 3600.0
KEY_REFUSED = frozenset({401, 403, 407})
LATER = frozenset({408, 425, 429})
Session = Callable[[], aiohttp.ClientSession | None]


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Alerts posted to an address on the web, for a service or a program of your own."""

    url: Url = field(
        metadata={
            "doc": "Where each alert is sent, as JSON by POST.",
            "example": "https://hooks.example/x",
        }
    )
    secret_file: FilePath | None = field(
        default=None,
        metadata={"doc": "A file with a secret; each message is then signed by HMAC-SHA256."},
    )

    def build(self, session: Session, clock: Clock | None = None) -> Channel:
        """Make the channel; *session* gives the way out that is in use, None when there is none."""
        return Webhook(self, session, clock=clock or SystemClock(), box=socket.gethostname())


class Webhook:
    """A channel that posts JSON."""

    name = "webhook"

    def __init__(
        self, options: WebhookOptions, session: Session, *, clock: Clock, box: str
    ) -> None:
        self._options = options
        self._session = session
        self._clock = clock
        self._box = box
        self._host = urlsplit(options.url).hostname or "the service"

    async def send(self, alert: Alert) -> None:
        """Deliver once; raises AlertError."""
        session = self._session()
        if session is None or session.closed:
            raise AlertError("there is no way out now", again=True)
        now_wall = self._clock.now().wall
        body = json.dumps(message(alert, self._box, now_wall), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"edge-watchdog/{__version__}",
            "Idempotency-Key": f"{self._box}-{alert.incident}-{alert.said_wall:.3f}",
            **self._signature(body, now_wall),
        }
        try:
            async with session.post(
                self._options.url,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                allow_redirects=False,
            ) as answer:
                self._judge(answer.status, answer.headers.get("Retry-After"), now_wall)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise AlertError(f"{self._host} cannot be reached", again=True) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise AlertError("the address is not usable", again=False) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            message_ = f"{self._host} did not answer"
            raise AlertError(message_, again=True, unsure=True) from error

    def _signature(self, body: bytes, now_wall: float) -> dict[str, str]:
        if self._options.secret_file is None:
            return {}
        try:
            secret = Path(self._options.secret_file).read_bytes().strip()
        except OSError as error:
            raise AlertError(
                f"{self._options.secret_file} cannot be read: {error.strerror}", again=False
            ) from error
        if not secret:
            raise AlertError(f"{self._options.secret_file} is empty", again=False)
        return {"X-Edge-Watchdog-Signature": sign(secret, body, int(now_wall))}

    def _judge(self, status: int, retry_after: str | None, now_wall: float) -> None:
        """Raise what *status* means; 2xx means that the service has it."""
        if 200 <= status < 300:
            return
        text = f"{status} {_phrase(status)}".strip()
        if status in LATER or status >= 500:
            raise AlertError(
                f"{self._host} answers {text}",
                again=True,
                after_s=_after_s(retry_after, now_wall),
                unsure=status >= 500,
            )
        if status in KEY_REFUSED:
            raise AlertError(f"{self._host} refuses our key ({text})", again=False)
        raise AlertError(f"{self._host} refuses the message ({text})", again=False)


def message(alert: Alert, box: str, sent_wall: float) -> dict[str, object]:
    """Give the body of the request, as data."""
    return {
        "v": 1,
        "box": box,
        "incident": alert.incident,
        "reason": alert.reason.value,
        "severity": alert.severity.value,
        "cause": alert.cause,
        "headline": alert.headline,
        "body": alert.body,
        "steps": list(alert.steps),
        "since": _time(alert.since_wall),
        "said": _time(alert.said_wall),
        "sent": _time(sent_wall),
        "delayed": sent_wall - alert.said_wall > DELAYED_S,
    }


def sign(secret: bytes, body: bytes, seconds: int) -> str:
    """Give the signature header for *body* sent at *seconds* since 1970."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def _after_s(text: str | None, now_wall: float) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds or a date; None when neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), LONGEST_AFTER_S)
    try:
        wall = email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return min(max(wall - now_wall, 0.0), LONGEST_AFTER_S)
