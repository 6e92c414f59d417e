"""What every source on the web shares: a careful session, and what goes wrong with it in words.

The rule: an address, a header and a body may be secret or personal, so none stands in an error.
"""

import contextlib
import ssl
from collections.abc import Iterator

import aiohttp

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.aside import Names
from edge_watchdog.daybook.ledger import tollgate

MOST_BYTES = 5 * 2**20
TIMEOUT_S = 20.0
LONGEST_PAUSE_S = 3600.0
LONGEST_AGE_S = 7 * 86400.0
TOO_LARGE = f"the calendar is larger than {MOST_BYTES // 2**20} MiB"


def open_session(tls: ssl.SSLContext | bool, timeout_s: float = TIMEOUT_S) -> aiohttp.ClientSession:
    """Give a session without cookies; *timeout_s* is for each request.

    Names are looked up aside: while a line is dead that may take minutes.
    """
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=tollgate(),
        connector=aiohttp.TCPConnector(ssl=tls, limit=2, resolver=Names(timeout_s)),
    )


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what aiohttp raises into a DaybookError."""
    try:
        yield
    except TimeoutError:
        raise DaybookError("the calendar's server did not answer in time") from None
    except aiohttp.ClientConnectorCertificateError:
        message = "the calendar's server showed a certificate that is not trusted"
        raise DaybookError(message) from None
    except aiohttp.ClientConnectorDNSError:
        raise DaybookError("the name of the calendar's server was not found") from None
    except aiohttp.ClientPayloadError:
        raise DaybookError("the calendar was cut short on its way") from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise DaybookError("the calendar's server could not be reached") from None


async def whole_body(response: aiohttp.ClientResponse) -> bytes:
    """Read the body; raises DaybookError when it is larger than MOST_BYTES."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(2**16):
        size += len(part)
        if size > MOST_BYTES:
            raise DaybookError(TOO_LARGE)
        parts.append(part)
    return b"".join(parts)


def number_in(text: str | None, most: float) -> float | None:
    """Read a header that is a whole number of seconds, at most *most*."""
    return min(float(text), most) if text and text.isascii() and text.isdigit() else None
