"""What one lab owns on this machine, written down so that a later run can sweep it.

In: a folder per lab under ROOT with the owner's pid and start time and one line per process.  Out:
everything of a lab removed: its processes, its namespaces, its folder.  A process is ended only if
its pid and start time are those written down, or if it lives in one of the lab's own namespaces.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/run/edge-watchdog-lab")
NETNS = Path("/run/netns")


class LabError(Exception):
    """The lab could not do what was asked; the message says what it ran and what came back."""


def start_time(pid: int) -> int | None:
    """Give when *pid* started, in clock ticks since boot, or None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


class Manifest:
    """The folder of one lab.  *prefix* begins the name of each of its namespaces."""

    def __init__(self, lab_id: str, folder: Path) -> None:
        self.id = lab_id
        self.folder = folder
        self.prefix = f"ewl{lab_id}-"

    def note_process(self, pid: int) -> None:
        """Write down a process that belongs to this lab."""
        with (self.folder / "processes").open("a") as book:
            book.write(f"{pid} {start_time(pid)}\n")

    def owner_lives(self) -> bool:
        """Tell whether the run that made this lab is still there."""
        try:
            owner: dict[str, int] = json.loads((self.folder / "owner.json").read_text())
        except (OSError, ValueError):
            return False
        return start_time(owner["pid"]) == owner["start"]

    def remove(self, *, spare: int | None = None) -> None:
        """End the lab's processes but *spare*, delete its namespaces and folder; repeatable."""
        kill_all([(pid, start) for pid, start in self._processes() if pid != spare])
        names = [path.name for path in NETNS.glob(f"{self.prefix}*")]
        kill_all([(pid, start_time(pid)) for name in names for pid in pids_inside(name)])
        if names:
            lines = "".join(f"netns del {name}\n" for name in names)
            subprocess.run(["ip", "-force", "-batch", "-"], input=lines, text=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[tuple[int, int | None]]:
        try:
            lines = (self.folder / "processes").read_text().split("\n")
        except OSError:
            return []
        pairs = [line.split() for line in lines if line]
        return [(int(p), int(s)) for p, s in pairs if s != "None"]


def new_manifest(root: Path = ROOT) -> Manifest:
    """Make the folder of a new lab owned by this process."""
    root.mkdir(exist_ok=True)
    for count in range(1000):
        lab_id = f"{os.getpid():x}{'' if count == 0 else f'.{count}'}"
        folder = root / lab_id
        if any(NETNS.glob(f"ewl{lab_id}-*")):
            continue
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            owner = {"pid": os.getpid(), "start": start_time(os.getpid())}
            (folder / "owner.new").write_text(json.dumps(owner))
            (folder / "owner.new").rename(folder / "owner.json")
            return Manifest(lab_id, folder)
    raise LabError(f"no free place for a lab under {root}")


def sweep(root: Path = ROOT) -> list[str]:
    """Remove every lab whose owner is gone and give their ids."""
    swept = []
    for folder in sorted(root.glob("*")):
        manifest = Manifest(folder.name, folder)
        if not _is_young(folder) and not manifest.owner_lives():
            manifest.remove()
            swept.append(manifest.id)
    return swept


def _is_young(folder: Path) -> bool:
    """Tell whether a folder without an owner may still be in the making."""
    try:
        made = folder.stat().st_mtime
    except OSError:
        return True
    return not (folder / "owner.json").exists() and time.time() - made < 5


def pids_inside(namespace: str) -> list[int]:
    """Give the processes that live in a named network namespace."""
    try:
        wanted = (NETNS / namespace).stat().st_ino
    except OSError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "ns/net").stat().st_ino == wanted:
                found.append(int(entry.name))
    return found


def kill_all(processes: list[tuple[int, int | None]], grace_s: float = 0.5) -> None:
    """End processes by pid and start time: politely first, then for good."""
    for how, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 2.0)):
        processes = [(p, s) for p, s in processes if s is not None and start_time(p) == s]
        for pid, _start in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        end = time.monotonic() + wait_s
        while any(start_time(p) == s for p, s in processes) and time.monotonic() < end:
            time.sleep(0.01)
