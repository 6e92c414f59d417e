"""Files with one secret each: a key, a password or a refresh token, written by the owner or by us.

A path in, the secret out.  The rule: the path may stand in an error, the secret never.
"""

import hashlib
from pathlib import Path

from edge_watchdog.daybook import DaybookError


def read_secret(file: str) -> str:
    """Give the secret that *file* holds; raises DaybookError."""
    try:
        return Path(file).read_text("utf-8").strip()
    except FileNotFoundError:
        raise DaybookError(f"{file} is not there; it should hold the key", requests=0) from None
    except (OSError, UnicodeDecodeError):
        raise DaybookError(f"{file} could not be read", requests=0) from None


def newest_secret(given: str, renewed: str) -> str:
    """Give what the owner wrote in *given*, or what the vendor made of it since, in *renewed*.

    "" for a file that there is none of.  What was made of another key than the one that stands in
    *given* now is over: the owner has signed in anew.  Raises DaybookError.
    """
    key = read_secret(given) if given else ""
    if not renewed or not Path(renewed).exists():
        return key
    secret, _, made_of = read_secret(renewed).partition("\n")
    return key if key and made_of not in ("", _mark(key)) else secret


def keep_renewed(given: str, renewed: str, secret: str) -> None:
    """Keep *secret* in *renewed*, as made of what stands in *given*; raises DaybookError.

    The file is replaced in one step and readable by us only.
    """
    mark = _mark(read_secret(given)) if given else ""
    path = Path(renewed)
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(f"{secret}\n{mark}\n", "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise DaybookError(f"{renewed} could not be written ({error.strerror})") from None


def _mark(key: str) -> str:
    """Give what tells one key from another, and nothing of the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
