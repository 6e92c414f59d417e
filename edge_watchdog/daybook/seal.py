"""Names on the disk are sealed: what is written cannot be read without a key kept elsewhere.

Bytes in, sealed bytes out, and back.  This protects a copied database or backup; it does not
protect a stolen memory card that holds the key too.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge_watchdog.daybook import DaybookError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEY_BYTES = 32
NONCE_BYTES = 12
FORM = b"\x01"
CREDENTIAL = "daybook-key"
NO_LIBRARY = "the library that seals names (cryptography) is not installed"
NOT_OURS = "what is kept was sealed with another key, or is damaged"
NO_KEY = "the key that seals names cannot be read or made"
SHORT_KEY = f"the key that seals names is shorter than {KEY_BYTES} bytes"


class Seal(Protocol):
    """Makes bytes unreadable, and readable again."""

    def seal(self, plain: bytes) -> bytes:
        """Give *plain* sealed; the same bytes look different each time."""

    def unseal(self, sealed: bytes) -> bytes:
        """Give what was sealed; raises DaybookError for another key or a changed byte."""


class KeySeal:
    """ChaCha20-Poly1305 (RFC 8439), quick without AES in the processor; *use* is bound in.

    Form: one byte 0x01, the nonce (12 random bytes), ciphertext and tag.
    """

    def __init__(self, key: bytes, use: str) -> None:
        self._cipher = _cipher(key)
        self._use = use.encode()

    def seal(self, plain: bytes) -> bytes:
        """Give *plain* sealed."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORM + nonce + self._cipher.encrypt(nonce, plain, self._use)

    def unseal(self, sealed: bytes) -> bytes:
        """Give what was sealed for the same use; raises DaybookError."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see _cipher()

        if sealed[:1] != FORM:
            raise DaybookError(NOT_OURS)
        nonce, body = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, self._use)
        except (InvalidTag, ValueError):
            raise DaybookError(NOT_OURS) from None


class Unsealed:
    """Leaves everything as it is; for what is kept in memory only."""

    def seal(self, plain: bytes) -> bytes:
        """Give *plain*."""
        return plain

    def unseal(self, sealed: bytes) -> bytes:
        """Give *sealed*."""
        return sealed


def open_seal(key_file: str, use: str) -> Seal:
    """Give the seal for *use*; raises DaybookError.

    The key is systemd's credential "daybook-key" where there is one, else what stands in
    *key_file*, which is made when it is not there or was cut off.
    """
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(given) / CREDENTIAL if given else None
    try:
        if credential is not None and credential.exists():
            return KeySeal(_strong(credential.read_bytes()), use)
        path = Path(key_file)
        found = path.read_bytes() if path.exists() else b""
        return KeySeal(_strong(found) if len(found) >= KEY_BYTES else _make(path), use)
    except OSError as error:
        raise DaybookError(f"{NO_KEY} ({error.strerror})") from None


def _strong(found: bytes) -> bytes:
    """Give a key of the right length; longer secrets are hashed."""
    if len(found) < KEY_BYTES:
        raise DaybookError(SHORT_KEY)
    return found if len(found) == KEY_BYTES else hashlib.sha256(found).digest()


def _make(path: Path) -> bytes:
    """Write a new key, whole or not at all, for its owner only; raises OSError."""
    key = secrets.token_bytes(KEY_BYTES)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, key)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def _cipher(key: bytes) -> "ChaCha20Poly1305":
    try:
        # several MiB that the watch half and the command line can do without
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415
            ChaCha20Poly1305,
        )
    except ImportError:
        raise DaybookError(NO_LIBRARY) from None
    return ChaCha20Poly1305(key)
