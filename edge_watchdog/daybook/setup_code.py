"""The setup code: who can run a command on the box as root may set the owner's password once.

The command writes a hash into the desk half's folder, the desk half reads and removes it.
"""

import contextlib
import json
import os
from pathlib import Path

from edge_watchdog.daybook.secret import bare_code, digest_of, new_code

FILE = "setup-code.json"
HOLDS_S = 1800.0


def leave(folder: Path, now_wall: float) -> str:
    """Write a new code's hash into *folder*, for the folder's owner; gives the code.

    One that was there before holds no more.  Raises OSError.
    """
    code = new_code()
    body = json.dumps({"code": digest_of(bare_code(code)), "ends_wall": now_wall + HOLDS_S})
    beside = folder / f"{FILE}.new"
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - a descriptor, not a path
        owner = folder.stat()
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(body)
        file.flush()
        os.fsync(descriptor)
    beside.replace(folder / FILE)
    return code


def take(folder: Path, bare: str, now_wall: float) -> bool:
    """Tell whether *bare* is the code that was left; it then holds no more.  Blocking."""
    path = folder / FILE
    try:
        kept = json.loads(path.read_text(encoding="ascii"))
        right = kept["code"] == digest_of(bare) and now_wall < float(kept["ends_wall"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if right:
        with contextlib.suppress(OSError):
            path.unlink()
        return not path.exists()
    return False
