"""A crash, a restart, a removal: traffic goes on, the state is right again, nothing is left."""

from pathlib import Path

from edge_watchdog.core.view import Standing
from tests.lab.daemon import Daemon
from tests.lab.lab import Lab
from tests.lab.places import CONNECTIVITY, HOSTS
from tests.patience import until

PAGE = f"http://{HOSTS[CONNECTIVITY]}/204"


def reaches_the_internet(lab: Lab) -> bool:
    return (
        lab.box.run(["curl", "-s", "-m", "3", "-o", "/dev/null", PAGE], check=False).returncode == 0
    )


def kernel_state(lab: Lab) -> str:
    commands = (["ip", "rule"], ["ip", "route", "show", "table", "all"], ["nft", "list", "ruleset"])
    return "\n".join(
        str(lab.box.run(argv, capture_output=True, check=False).stdout) for argv in commands
    )


def test_traffic_goes_on_when_the_watch_is_killed_on_the_backup(lab: Lab, daemon: Daemon) -> None:
    lab.inject("blackhole")
    daemon.wait(lambda v: v.active == "LTE stick", 4)
    until(lambda: daemon.overlay() == "lte0", 2)
    daemon.kill()
    assert reaches_the_internet(lab)
    daemon.start()
    view = daemon.wait(
        lambda v: v.active == "LTE stick" and v.banner.standing is Standing.BACKUP, 5
    )
    assert view.incidents
    until(lambda: daemon.overlay() == "lte0", 2)
    assert reaches_the_internet(lab)


def test_a_killed_watch_takes_its_desk_half_along_and_both_come_back(
    lab: Lab, tmp_path: Path
) -> None:
    with Daemon(lab, tmp_path / "both") as daemon:
        old = desk_half(daemon)
        daemon.kill()
        until(lambda: not Path(f"/proc/{old}").exists(), 5)
        daemon.start()
        until(lambda: serves(lab), 5)
        assert desk_half(daemon) != old


def desk_half(daemon: Daemon) -> int:
    """Give the process that the watch half started."""
    assert daemon.process is not None
    pid = daemon.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def serves(lab: Lab) -> bool:
    url = f"http://{lab.box_address}:8080/health"
    done = lab.desk_pc.run(["curl", "-s", "-m", "1", url], capture_output=True, check=False)
    return '"watch_heard": true' in str(done.stdout)


def test_somebody_else_s_flush_is_repaired(lab: Lab, daemon: Daemon) -> None:
    def stands() -> bool:
        return daemon.overlay() == "wan0" and "6900:" in kernel_state(lab)

    until(stands, 7)
    lab.box.run(["ip", "rule", "del", "pref", "6900"], check=True)
    lab.box.run(["ip", "route", "flush", "table", "7100"], check=True)
    until(stands, 7)


def test_a_stopped_daemon_leaves_nothing_in_the_kernel(lab: Lab, tmp_path: Path) -> None:
    with Lab("self", phone=False) as fresh:
        before = kernel_state(fresh)
        with Daemon(fresh, tmp_path / "daemon", only="watch") as running:
            running.wait(lambda _: "proto 237" in kernel_state(fresh), 20)
        assert kernel_state(fresh) == before
        left = {p.name for p in (tmp_path / "daemon").iterdir()}
        assert left <= {"daemon.log", "edge_watchdog.toml", "run", "state"}
        assert not (tmp_path / "daemon/run/bridge.sock").exists()
