"""What the tests do to a box, and what they ask it, in the words of the documents."""

from tests.system.box import REPO, Box

CONFIG = "/etc/edge-watchdog/edge_watchdog.toml"
PROGRAM = "/opt/edge-watchdog/bin/edge-watchdog"
INSTALL = "/root/edge_watchdog/systemd/install"
WATCH, DESK = "edge-watchdog", "edge-watchdog-desk"
NAMES = "edge-watchdog-names"


def bring(box: Box) -> None:
    """Put the project's unit files and examples where a person would unpack them."""
    for folder in ("systemd", "config"):
        box.copy(REPO / folder, f"/root/edge_watchdog/{folder}")


def install(box: Box) -> str:
    """Install as the documents say; give what the script said."""
    return box.out(INSTALL)


def start(box: Box) -> None:
    """Enable and start both halves, as the documents say."""
    box.run(f"systemctl enable --now {WATCH} {DESK}")


def ours(box: Box) -> list[str]:
    """Give the rules and routes of edge_watchdog that are in the kernel."""
    rules = [line for line in box.out("ip rule").splitlines() if line.endswith("proto 237")]
    return rules + box.out("ip route show table all proto 237").splitlines()


def renewed(box: Box, unit: str, signal: str, *, within_s: float = 20) -> float:
    """Send *signal* to a half; give the seconds until the next process of it is ready."""
    old = box.main_pid(unit)
    box.run(f"kill -{signal} {old}")
    return box.eventually(
        "a new process",
        lambda: box.main_pid(unit) not in {0, old} and box.active(unit),
        within_s=within_s,
    )
