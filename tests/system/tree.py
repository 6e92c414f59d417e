"""A Debian tree with the project installed in it, in layers that are kept between runs.

``layers()`` gives the folders, uppermost first, for an overlay.  They stand outside the clone and
are keyed by everything they are made from; a layer that is not there, or was left half made, is
made again.  Nothing in a layer is changed after it is made.

    base   the Debian release of this machine, by mmdebstrap, with apt's own sources and settings
    needs  /opt/edge-watchdog, a venv with every dependency, installed from wheels without network
    self   the project's own wheel on top
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.system.box import REPO

TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "ip", "mount")
PACKAGES = (
    "ca-certificates,conntrack,cups-client,cups-daemon,dbus,dnsmasq-base,iproute2,iputils-ping,libcap2-bin,"
    "network-manager,nftables,procps,python3,python3-venv,systemd,systemd-sysv,util-linux"
)
# Nothing here is of use in a box that lives for seconds.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty.target",
    "systemd-logind.service",
    "systemd-timesyncd.service",
    "wpa_supplicant.service",
)
# Installed and not wanted by most tests; a test that wants one unmasks it before the boot.
ASLEEP = (
    "NetworkManager.service",
    "NetworkManager-dispatcher.service",
    "cups.path",
    "cups.service",
    "cups.socket",
)
KEPT_UNUSED_DAYS = 14


class TreeError(Exception):
    """A step failed; the message says which, and what it said."""


class NoTreeError(Exception):
    """This machine lacks a tool or a mirror; the project itself is not to blame."""


def layers() -> list[Path]:
    """Give the layers of a box with the project in it, uppermost first.

    Raises NoTreeError where none can be made, TreeError when the project cannot be installed.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        raise NoTreeError(f"needs root and {', '.join(missing or TOOLS)}")
    cache = Path(os.environ.get("XDG_CACHE_HOME", "/var/cache")) / "edge-watchdog-tests"
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        try:
            base = _layer(cache, "base", _base_inputs(), _make_base)
            inputs = [base.name, *_dependencies()]
            needs = _layer(cache, "needs", inputs, lambda made: _make_needs(made, base))
        except TreeError as error:
            raise NoTreeError(str(error)) from error
        inputs = [needs.name, *_sources()]
        own = _layer(cache, "self", inputs, lambda made: _make_self(made, needs, base))
        _prune(cache)
    return [own, needs, base]


def _base_inputs() -> list[str]:
    sources = [path.read_text() for path in _apt_sources()]
    return [
        PACKAGES,
        *MASKED,
        *ASLEEP,
        *sources,
        time.strftime("%Y-%m"),
    ]  # updates come once a month


def _apt_sources() -> list[Path]:
    folder = Path("/etc/apt")
    found = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    files = [path for path in found if path.is_file() and path.suffix in {".list", ".sources"}]
    return [path for path in files if "debian" in path.read_text()]


def _dependencies() -> list[str]:
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    return sorted(project["dependencies"])


def _sources() -> Iterator[str]:
    yield (REPO / "pyproject.toml").read_text()
    for path in _package_files():
        yield f"{path.relative_to(REPO)} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _package_files() -> list[Path]:
    files = (REPO / "edge_watchdog").rglob("*")
    return sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


def _layer(cache: Path, name: str, inputs: Sequence[str], make: Callable[[Path], None]) -> Path:
    key = hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]
    layer = cache / f"{name}-{key}"
    if not layer.is_dir():
        half = Path(tempfile.mkdtemp(prefix=f"{name}.half-", dir=cache))
        try:
            half.chmod(0o755)
            make(half)
            half.rename(layer)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    os.utime(layer)
    return layer


def _make_base(made: Path) -> None:
    release = _os_release()["VERSION_CODENAME"]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        dump = _run("apt-config", "dump", "Acquire")
        lines = [line for line in dump.splitlines() if "IndexTargets" not in line]
        settings.write("\n".join(lines))
        settings.flush()
        _run(
            *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
            *(f"--aptopt={settings.name}", f"--include={PACKAGES}"),
            *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
            *("--dpkgopt=path-exclude=/usr/share/locale/*", release, str(made)),
            *(str(path) for path in _apt_sources()),
        )
    for unit in (*MASKED, *ASLEEP):
        link = made / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    (made / "etc/machine-id").write_text("")
    (made / "etc/fstab").write_text("")
    (made / "etc/hostname").write_text("studio-box\n")


def _os_release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _make_needs(made: Path, base: Path) -> None:
    with tempfile.TemporaryDirectory() as temp, _overlay([base], made) as root:
        wheels = Path(temp)
        _check_python(root)
        _run(sys.executable, "-m", "pip", "wheel", "-q", "-w", str(wheels), *_dependencies())
        shutil.copytree(wheels, root / "wheels")
        _run("chroot", str(root), "python3", "-m", "venv", "/opt/edge-watchdog")
        _pip_install(root, *(f"/wheels/{path.name}" for path in wheels.glob("*.whl")))
        shutil.rmtree(root / "wheels")


def _make_self(made: Path, needs: Path, base: Path) -> None:
    with tempfile.TemporaryDirectory() as temp, _overlay([needs, base], made) as root:
        clone = Path(temp) / "clone"  # building leaves files behind; the real clone stays clean
        for path in [*_package_files(), REPO / "pyproject.toml"]:
            target = clone / path.relative_to(REPO)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        (clone / "README.md").touch()
        _run(
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"),
            *("-w", str(root / "wheels"), str(clone)),
        )
        wheel = next((root / "wheels").glob("*.whl")).name
        _pip_install(root, "--no-deps", f"/wheels/{wheel}")
        shutil.rmtree(root / "wheels")


def _check_python(root: Path) -> None:
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    inside = _run("chroot", str(root), "python3", "-c", show).strip()
    here = "{}.{}".format(*sys.version_info[:2])
    if inside != here:
        raise TreeError(f"the box has Python {inside}, wheels made here are for {here}")


def _pip_install(root: Path, *what: str) -> None:
    pip = ("/opt/edge-watchdog/bin/pip", "install", "-q", "--no-index", "--find-links=/wheels")
    _run("chroot", str(root), "env", "-i", "PATH=/usr/bin", "HOME=/root", *pip, *what)


@contextmanager
def _overlay(lower: Sequence[Path], upper: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=upper.parent, prefix="work.half-") as temp:
        root, work = Path(temp) / "root", Path(temp) / "work"
        root.mkdir()
        work.mkdir()
        stack = ":".join(str(path) for path in lower)
        options = f"lowerdir={stack},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
        try:
            yield root
        finally:
            _run("umount", str(root))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prune(cache: Path) -> None:
    limit = time.time() - KEPT_UNUSED_DAYS * 86400
    for layer in cache.iterdir():
        with suppress(FileNotFoundError):
            half = ".half-" in layer.name
            if (layer / "root").is_mount():
                _run("umount", str(layer / "root"))
            if layer.is_dir() and (half or layer.stat().st_mtime < limit):
                shutil.rmtree(layer, ignore_errors=True)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout)[-2000:]
        raise TreeError(f"{' '.join(command[:6])} ... failed ({done.returncode}): {said}")
    return done.stdout
