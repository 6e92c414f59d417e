"""Passwords and PINs: what is accepted, and how it is kept so that it cannot be read back.

A secret in, one line of text out, and later the answer whether another one is the same.
"""

import base64
import hashlib
import hmac
import itertools
import secrets
import unicodedata
from dataclasses import dataclass

PASSWORD_CHARS = 12
PIN_DIGITS = 6
MOST_CHARS = 200
SALT_BYTES = 16
# Read aloud and typed by hand: no I, L, O, U (Crockford's base 32).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARS = 12  # 60 bits, for codes that live some minutes and work once


class WeakSecretError(Exception):
    """This secret will not do; the message says in plain words what would."""


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters (RFC 7914): memory is 128 * 2**log_n * r bytes.

    One of the equal choices of the OWASP password storage cheat sheet, with 16 MiB, for a box with
    512 MB.
    """

    log_n: int = 14
    r: int = 8
    p: int = 5


def check_password(password: str) -> str:
    """Give *password* as it is kept; raises WeakSecretError."""
    text = unicodedata.normalize("NFKC", password)
    if not PASSWORD_CHARS <= len(text) <= MOST_CHARS:
        raise WeakSecretError(
            f"The password needs at least {PASSWORD_CHARS} characters. Three or four words will do."
        )
    if len(set(text)) < 5:
        raise WeakSecretError("The password repeats itself too much. Please choose another.")
    return text


def check_pin(pin: str) -> str:
    """Give *pin* as it is kept; raises WeakSecretError."""
    text = pin.strip()
    if not (text.isascii() and text.isdigit() and PIN_DIGITS <= len(text) <= MOST_CHARS):
        raise WeakSecretError(f"A PIN is {PIN_DIGITS} digits or more, and nothing else.")
    steps = {int(b) - int(a) for a, b in itertools.pairwise(text)}
    if steps in ({0}, {1}, {-1}):
        raise WeakSecretError("That PIN is too easy to guess. Please choose another.")
    return text


def hashed(secret: str, cost: Cost) -> str:
    """Give the line that is kept; takes some tenths of a second and some MiB."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _scrypt(secret, salt, cost)
    kept = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return "$".join(("scrypt", str(cost.log_n), str(cost.r), str(cost.p), *kept))


def matches(secret: str, line: str) -> bool:
    """Tell whether *line* was made of *secret*; takes as long as hashed()."""
    _, log_n, r, p, salt, digest = line.split("$")
    cost = Cost(int(log_n), int(r), int(p))
    found = _scrypt(unicodedata.normalize("NFKC", secret), base64.b64decode(salt), cost)
    return hmac.compare_digest(found, base64.b64decode(digest))


def new_code() -> str:
    """Give a code to be typed or scanned: "7K2M-Q9TX-4HBW"."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
    return "-".join(signs[at : at + 4] for at in range(0, CODE_CHARS, 4))


def bare_code(typed: str) -> str:
    """Give a code as it is compared, however it was typed."""
    text = "".join(sign for sign in typed.upper() if sign.isalnum())[: 2 * CODE_CHARS]
    return text.translate(str.maketrans("ILO", "110"))


def digest_of(token: str) -> str:
    """Give what is kept of a token that is random enough to need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _scrypt(secret: str, salt: bytes, cost: Cost) -> bytes:
    memory = 128 * 2**cost.log_n * cost.r
    return hashlib.scrypt(
        secret.encode(), salt=salt, n=2**cost.log_n, r=cost.r, p=cost.p, maxmem=2 * memory + 2**20
    )
