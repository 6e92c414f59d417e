"""``edge-watchdog setup-code``: who is root on the box may set the owner's password once."""

import argparse
import hashlib
import ssl
from pathlib import Path

from edge_watchdog.clock import SystemClock
from edge_watchdog.config import ConfigError
from edge_watchdog.daybook.setup_code import HOLDS_S, leave
from edge_watchdog.verbs import NOT_RUNNING, Answer, complaint
from edge_watchdog.verbs.setting import outline_of


def answer(args: argparse.Namespace) -> Answer:
    """Leave a code for the desk half, and print it."""
    try:
        folder = Path(outline_of(args).box.desk_dir)
    except ConfigError as error:
        return complaint(error.problems)
    try:
        code = leave(folder, SystemClock().now().wall)
    except FileNotFoundError:
        return Answer(f"{folder} is not there yet: start the desk half first.", NOT_RUNNING)
    except PermissionError:
        return complaint([f"{folder} may not be written; run this as root: sudo edge-watchdog"])
    except OSError as error:
        return complaint([f"{folder}: {error.strerror}"])
    minutes = round(HOLDS_S / 60)
    return Answer(
        f"{code}\n"
        f"Open /setup on the desk page within {minutes} minutes and type it there. It works once.\n"
        "It sets the owner's password, also when there is one already."
        f"{_fingerprint(folder)}"
    )


def _fingerprint(folder: Path) -> str:
    """Give the root certificate's, to compare with what the page /trust shows; "" without one."""
    try:
        der = ssl.PEM_cert_to_DER_cert((folder / "tls" / "root.pem").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    digest = hashlib.sha256(der).hexdigest().upper()
    pairs = ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return f"\nSHA-256 of the box's certificate, as the page /trust shows it:\n{pairs}"
