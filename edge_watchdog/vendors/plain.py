"""What a failed request says, in a few plain words."""

import os

import aiohttp


def error_number(error: Exception) -> int | None:
    """Give the kernel's number of what went wrong, None if it was not the kernel."""
    inner = getattr(error, "os_error", error)
    return getattr(inner, "errno", None)


def error_words(error: Exception) -> str:
    """Say what went wrong: the resolver's own words for names, else the kernel's."""
    inner = getattr(error, "os_error", error)
    if isinstance(error, (aiohttp.ClientConnectorDNSError, aiohttp.ClientConnectorSSLError)):
        return str(getattr(inner, "strerror", None) or inner)
    number = error_number(error)
    return os.strerror(number).lower() if number else type(error).__name__
