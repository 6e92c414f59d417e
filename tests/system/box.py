"""A box that boots: Debian's real systemd as its pid 1, two uplinks and a LAN, thrown away after.

``Box.boot(layers, folder)`` makes two network namespaces, one for the box and one for the world
around it, and boots the layers under systemd-nspawn.  All of it ends with the box, also when the
test fails; should the test run itself be killed, the kernel kills the box.

    box   wan0 192.0.2.2     lte0 203.0.113.2     lan0 192.168.50.1
    world      192.0.2.1          203.0.113.1          192.168.50.10 (a desk PC)
          and four anchors, 198.51.100.1 to .4, behind both uplinks; see internet.py
"""

import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.patience import air

REPO = Path(__file__).resolve().parents[2]
BOOT_S = 60
CGROUPS = Path("/sys/fs/cgroup")
WIRES = (
    ("wan0", "192.0.2.2", "192.0.2.1"),
    ("lte0", "203.0.113.2", "203.0.113.1"),
    ("lan0", "192.168.50.1", "192.168.50.10"),
)
ANCHORS = tuple(f"198.51.100.{number}" for number in range(1, 5))
FETCH = """
import sys, urllib.error, urllib.request

try:
    with urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2])) as answer:
        print(answer.status, answer.read().decode(), end="")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode(), end="")
except OSError as error:
    print(0, error, end="")
"""
# What as_unit() leaves out of a unit, and what it puts in.
ABOUT_THE_PROGRAM = (
    "ExecStart=",
    "ExecStop",
    "ExecReload=",
    "Restart",
    "Type=",
    "Watchdog",
    "Notify",
    "Requires=",
    "Timeout",
)
AS_UNIT = """[Service]
Type=oneshot
ExecStart=/bin/sh /run/as-unit.sh
StandardOutput=truncate:/run/as-unit.out
StandardError=inherit
"""
KEEP_RUN = ("RuntimeDirectoryPreserve=restart", "RuntimeDirectoryPreserve=yes")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Box:
    """A booted box; *leader* is the pid of its pid 1 as seen from here."""

    name: str
    leader: int
    root: Path

    def run(self, command: str, *, ok: bool = True, limit_s: float = 60) -> Result:
        """Run a shell *command* as root inside; with *ok* a failure is an AssertionError."""
        inside = ("nsenter", "--target", str(self.leader), "--all", "--root", "--wd", "--")
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
        return _call([*inside, *clean, "sh", "-c", command], ok=ok, limit_s=limit_s)

    def out(self, command: str) -> str:
        """Give what a shell *command* inside prints, stripped; a failure is an AssertionError."""
        return self.run(command).out.strip()

    def page(
        self, path: str = "/", *, address: str = "192.168.50.1", within_s: float = 20
    ) -> tuple[int, str]:
        """Give status and text of a page as the desk PC sees it; status 0 when nobody answers."""
        fetch = [sys.executable, "-c", FETCH, f"http://{address}:8080{path}", str(within_s)]
        done = _call(["ip", "netns", "exec", _world(self.name), *fetch], ok=True)
        status, _, text = done.out.partition(" ")
        return int(status), text

    def cut_the_power(self) -> None:
        """End everything in the box at once: what was not written yet is lost."""
        os.kill(self.leader, signal.SIGKILL)

    @property
    def world_space(self) -> str:
        """Give the namespace of the world around the box."""
        return _world(self.name)

    @contextmanager
    def beside(self, module: str, *arguments: str) -> Iterator[None]:
        """Run a program of the clone in the world around the box; it says when it is ready."""
        inside = ("setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self.world_space)
        command = [*inside, sys.executable, "-m", module, *arguments]
        with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE) as program:
            try:
                assert program.stdout is not None
                assert program.stdout.readline() == b"ready\n", f"{module} did not start"
                yield
            finally:
                program.kill()

    def world(self, command: str) -> None:
        """Run an `ip` *command* in the world around the box."""
        _ip(f"-n {_world(self.name)} {command}")

    def show(self, unit: str, what: str) -> str:
        """Give one property of a unit."""
        return self.out(f"systemctl show --property={what} --value {unit}")

    def main_pid(self, unit: str) -> int:
        """Give the pid of a unit's main process as seen inside."""
        return int(self.show(unit, "MainPID"))

    def journal(self, unit: str) -> str:
        """Give everything a unit said, and everything systemd said of it."""
        return self.out(f"journalctl --no-pager --output=cat --unit={unit}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside; folders are made."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def copy(self, source: Path, path: str) -> None:
        """Copy a file or a folder of the clone into the box."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)

    def eventually(self, what: str, check: Callable[[], bool], *, within_s: float = 20) -> float:
        """Wait for *check* to hold and give the seconds it took; AssertionError if it does not."""
        started = time.monotonic()
        while not check():
            waited = time.monotonic() - started
            assert waited < air(within_s), (
                f"not within {air(within_s)} s: {what}\n{self._failures()}"
            )
            time.sleep(0.25)  # each look starts a few programs
        return time.monotonic() - started

    def as_unit(self, unit: str, command: str) -> Result:
        """Run a shell *command* with every setting of a service but its program."""
        other = f"as-{unit}.service"
        if not (self.root / "run/systemd/system" / other).exists():
            text = self.out(f"cat /usr/lib/systemd/system/{unit}.service")
            lines = [line for line in text.splitlines() if not line.startswith(ABOUT_THE_PROGRAM)]
            changed = "\n".join(lines).replace("[Service]\n", AS_UNIT).replace(*KEEP_RUN)
            self.write(f"/run/systemd/system/{other}", changed)
            self.run("systemctl daemon-reload")
        self.write("/run/as-unit.sh", command)
        ask = "systemctl show --property=ExecMainStatus --value"
        said = self.out(f"systemctl start {other} 2>&-; {ask} {other}; cat /run/as-unit.out")
        code, _, out = said.partition("\n")
        return Result(int(code), out, "")

    def active(self, unit: str) -> bool:
        """Tell whether systemd holds a unit for active (READY=1 came, where it is awaited)."""
        return self.run(f"systemctl is-active --quiet {unit}", ok=False).code == 0

    def _failures(self) -> str:
        return self.run("journalctl --no-pager -n 60 --output=short-precise", ok=False).out


@contextmanager
def boot(layers: Sequence[Path], folder: Path, *, cut_off: bool = False) -> Iterator[Box]:
    """Boot a box over *layers*; *folder* holds what it writes; *cut_off*: both uplinks are dead."""
    name = f"ewbox{os.getpid()}x{next(_numbers)}"
    cgroups = _make_cgroups(name)
    started: subprocess.Popen[bytes] | None = None
    internet: subprocess.Popen[bytes] | None = None
    try:
        _make_network(name)
        internet = _start_internet(name)
        for wire in ("wan0", "lte0") if cut_off else ():
            _ip(f"-n {_world(name)} link set {wire} down")
        started = _start(name, layers, folder, cgroups)
        leader = _wait_leader(started)
        root = Path(f"/proc/{leader}/root")
        _wait((root / "run/systemd/private").exists, "pid 1 listens")
        box = Box(name, leader, root)
        state = box.run("systemctl is-system-running --wait", ok=False, limit_s=BOOT_S).out.strip()
        failed = box.run("systemctl --failed --no-legend", ok=False).out
        assert state == "running", f"{state}: {failed}"
        yield box
    finally:
        _end(started)
        _end(internet)
        _remove_network(name)
        _remove_cgroups(cgroups)


def _start(
    name: str, layers: Sequence[Path], folder: Path, cgroups: Sequence[Path]
) -> subprocess.Popen[bytes]:
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    stack = ":".join(str(layer) for layer in layers)
    options = f"lowerdir={stack},upperdir={folder}/upper,workdir={folder}/work"
    nspawn = (
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
        *("--capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON", "--system-call-filter=bpf"),
        *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe"),
        *(f"--machine={name}", f"--directory={folder}/root"),
        *(f"--network-namespace-path=/run/netns/{name}", "systemd.log_target=journal"),
    )
    script = "\n".join(
        [
            "set -e",
            *(f"echo $$ > {cgroup}/cgroup.procs" for cgroup in cgroups),
            f"mount -t overlay overlay -o {options} {folder}/root",
            f"exec {shlex.join(nspawn)}",
        ]
    )
    # The overlay lives in a mount namespace of its own and so ends with the box.
    wrapper = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--fork", "--kill-child")
    with (folder / "console").open("wb") as console:
        return subprocess.Popen(
            [*wrapper, "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env={
                **os.environ,
                "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
            },
        )


def _wait_leader(started: subprocess.Popen[bytes]) -> int:
    found: list[int] = []

    def look() -> bool:
        assert started.poll() is None, "systemd-nspawn ended at once"
        found[:] = [pid for pid in _descendants(started.pid) if _pid_inside(pid) == 1]
        return bool(found)

    _wait(look, "the box has a pid 1")
    return found[0]


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended meanwhile, before or after the file was opened
        return
    for child in children:
        yield int(child)
        yield from _descendants(int(child))


def _pid_inside(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    pids = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
    return int(pids[-1]) if len(pids) > 1 else None


def _end(started: subprocess.Popen[bytes] | None) -> None:
    if started is None:
        return
    # Killing a pid 1 makes the kernel kill everything in its pid namespace.
    for pid in reversed([started.pid, *_descendants(started.pid)]):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    started.wait(timeout=air(20))


def _make_cgroups(name: str) -> list[Path]:
    unified = CGROUPS / "unified"
    parents = [unified, CGROUPS / "systemd"] if unified.is_dir() else [CGROUPS]
    made = [parent / name for parent in parents if parent.is_dir()]
    for cgroup in made:
        cgroup.mkdir()
    return made


def _remove_cgroups(cgroups: Sequence[Path]) -> None:
    for cgroup in cgroups:

        def remove(top: Path = cgroup) -> bool:
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:
                    return False
            return True

        _wait(remove, f"{cgroup} is empty")


def _world(name: str) -> str:
    return f"{name}w"


def _make_network(name: str) -> None:
    world = _world(name)
    for space in (name, world):
        _ip(f"netns add {space}")
        _ip(f"-n {space} link set lo up")
    for wire, here, there in WIRES:
        _ip(f"-n {name} link add {wire} type veth peer name {wire} netns {world}")
        _ip(f"-n {name} address add {here}/24 dev {wire}")
        _ip(f"-n {world} address add {there}/24 dev {wire}")
        for space in (name, world):
            _ip(f"-n {space} link set {wire} up")
    for anchor in ANCHORS:
        _ip(f"-n {world} address add {anchor}/32 dev lo")
    _ip(f"-n {name} route add default via 192.0.2.1 dev wan0 metric 100")
    _ip(f"-n {name} route add default via 203.0.113.1 dev lte0 metric 200")


def _start_internet(name: str) -> subprocess.Popen[bytes]:
    inside = ("setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", _world(name))
    program = (sys.executable, "-m", "tests.system.internet")
    internet = subprocess.Popen(
        [*inside, *program, "192.0.2.1", "203.0.113.1"], cwd=REPO, stdout=subprocess.PIPE
    )
    assert internet.stdout is not None
    with internet.stdout as said:
        assert said.readline() == b"ready\n", "the internet did not start"
    return internet


def _remove_network(name: str) -> None:
    for space in (name, _world(name)):
        if Path(f"/run/netns/{space}").exists():
            _ip(f"netns delete {space}")


def _ip(command: str) -> None:
    _call(["ip", *command.split()], ok=True)


def _wait(check: Callable[[], bool], what: str, *, within_s: float = BOOT_S) -> None:
    until = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def _call(command: Sequence[str], *, ok: bool, limit_s: float = 60) -> Result:
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    said = f"{command[-1]}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    assert not ok or done.returncode == 0, said
    return Result(done.returncode, done.stdout, done.stderr)
