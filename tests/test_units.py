"""The unit files, by systemd's own judgement, and the script that installs them."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[1] / "systemd"
WATCH, DESK = "edge-watchdog.service", "edge-watchdog-desk.service"
NAMES = "edge-watchdog-names.service"
SOCKET = "edge-watchdog-desk.socket"
CONFIG = "etc/edge-watchdog/edge_watchdog.toml"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze; without it nobody vouches for the units, and that is a failure."""
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def verify(folder: Path, *, spoil: tuple[str, str] = ("", "")) -> subprocess.CompletedProcess[str]:
    """Verify copies of the units whose programs exist, as verify wants them all to be there."""
    program = folder / "edge-watchdog"
    program.touch(mode=0o755)
    copies = []
    for name in (WATCH, DESK, NAMES, SOCKET):
        text = (UNITS / name).read_text()
        text = text.replace("/opt/edge-watchdog/bin/edge-watchdog", str(program))
        text = text.replace("/usr/lib/edge-watchdog/", f"{UNITS}/").replace(*spoil)
        copies.append(folder / name)
        copies[-1].write_text(text)
    return analyze("verify", "--recursive-errors=yes", *map(str, copies))


def settings(unit: str) -> list[tuple[str, str]]:
    lines = (UNITS / unit).read_text().splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return [(key, value) for key, _, value in pairs]


def install(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(UNITS / "install")
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=False)


def listing(root: Path) -> dict[str, int]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.stat().st_mode & 0o777 for path in files}


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    done = verify(tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    "spoil",
    [("WatchdogSec=", "WatchdogSecc="), ("/bin/kill", "/bin/kil")],
    ids=["a key", "a program"],
)
def test_the_check_of_the_units_sees_a_misspelt_name(spoil, tmp_path):
    assert verify(tmp_path, spoil=spoil).returncode != 0


@pytest.mark.parametrize(("unit", "most"), [(WATCH, 2.0), (DESK, 1.5), (NAMES, 2.0)])
def test_a_half_is_exposed_no_further_than_promised(unit, most):
    threshold = f"--threshold={most * 10:.0f}"
    done = analyze("security", "--offline=true", "--no-pager", threshold, str(UNITS / unit))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_only_the_watch_half_has_privileges_and_only_two():
    two = "CAP_NET_ADMIN CAP_NET_BIND_SERVICE"  # the second: names by TCP, for a gateway's dnsmasq
    assert dict(settings(WATCH))["CapabilityBoundingSet"] == two
    assert dict(settings(WATCH))["AmbientCapabilities"] == two
    assert dict(settings(DESK))["CapabilityBoundingSet"] == ""
    assert dict(settings(DESK))["AmbientCapabilities"] == ""


def test_the_name_service_may_take_its_ports_and_tell_the_kernel_of_neighbours_and_no_more():
    keys = dict(settings(NAMES))
    assert keys["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE CAP_NET_ADMIN"
    assert keys["ExecStart"].endswith(f" run --only names --config /{CONFIG}")
    assert (keys["Restart"], keys["PartOf"]) == ("always", WATCH)
    assert keys["DynamicUser"] == "yes"


@pytest.mark.parametrize(("unit", "half"), [(WATCH, "watch"), (DESK, "desk")])
def test_a_half_comes_back_after_any_end_and_a_hang_is_an_end(unit, half):
    keys = dict(settings(unit))
    assert keys["ExecStart"].endswith(f" run --only {half} --config /{CONFIG}")
    assert (keys["Restart"], keys["StartLimitIntervalSec"]) == ("always", "0")
    assert keys["Type"] == "notify"
    assert 0 < int(keys["WatchdogSec"]) <= 30


def test_a_crash_of_either_half_writes_no_memory_to_the_disk():
    assert all(("LimitCORE", "0") in settings(unit) for unit in (WATCH, DESK))


def test_nothing_in_a_unit_is_newer_than_debian_12():
    too_new = {
        "RestartSteps",
        "RestartMaxDelaySec",
        "FileDescriptorStorePreserve",
        "MemoryZSwapMax",
    }
    assert not too_new & {key for unit in (WATCH, DESK, NAMES) for key, _ in settings(unit)}


def test_installing_twice_is_like_installing_once(tmp_path):
    first, once = install("--root", str(tmp_path)), listing(tmp_path)
    again, twice = install("--root", str(tmp_path)), listing(tmp_path)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert once == twice
    assert f"usr/lib/systemd/system/{WATCH}" in once
    assert "installed" not in again.stdout


def test_a_first_install_brings_the_example_configuration_for_root_and_the_group_only(tmp_path):
    example = UNITS.parent / "config/edge_watchdog.toml"
    install("--root", str(tmp_path))
    assert (tmp_path / CONFIG).read_text() == example.read_text()
    assert listing(tmp_path)[CONFIG] == 0o640


def test_installing_never_touches_a_configuration_that_is_there(tmp_path):
    config = tmp_path / CONFIG
    config.parent.mkdir(parents=True)
    config.write_text("mine")
    install("--root", str(tmp_path))
    assert config.read_text() == "mine"


def test_a_new_version_of_a_file_replaces_the_old_one(tmp_path):
    install("--root", str(tmp_path))
    unit = tmp_path / "usr/lib/systemd/system" / WATCH
    unit.write_text("old")
    done = install("--root", str(tmp_path))
    assert unit.read_text() == (UNITS / WATCH).read_text()
    assert f"installed /usr/lib/systemd/system/{WATCH}" in done.stdout


def test_removing_leaves_configuration_and_the_kept_day_and_nothing_else(tmp_path):
    config, day = tmp_path / CONFIG, tmp_path / "var/lib/edge-watchdog/desk/daybook.sqlite"
    foreign = tmp_path / "usr/lib/systemd/system/cron.service"
    for path in (config, day, foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept")
    before = listing(tmp_path)
    install("--root", str(tmp_path))
    done = install("--root", str(tmp_path), "--remove")
    assert (done.returncode, listing(tmp_path)) == (0, before)


def test_the_command_is_put_where_people_call_it_from_and_taken_away_again(tmp_path):
    command = tmp_path / "usr/local/bin/edge-watchdog"
    install("--root", str(tmp_path))
    assert command.readlink() == Path("/opt/edge-watchdog/bin/edge-watchdog")
    install("--root", str(tmp_path), "--remove")
    assert not command.is_symlink()


def test_a_command_of_that_name_that_is_not_ours_stays(tmp_path):
    command = tmp_path / "usr/local/bin/edge-watchdog"
    command.parent.mkdir(parents=True)
    command.write_text("mine")
    install("--root", str(tmp_path))
    install("--root", str(tmp_path), "--remove")
    assert command.read_text() == "mine"


def test_purging_takes_configuration_and_the_kept_day_too(tmp_path):
    for path in (CONFIG, "var/lib/edge-watchdog/desk/daybook.sqlite", "etc/hostname"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("here")
    install("--root", str(tmp_path))
    install("--root", str(tmp_path), "--remove", "--purge")
    assert set(listing(tmp_path)) == {"etc/hostname"}


def test_removing_takes_the_program_only_where_a_venv_made_the_folder(tmp_path):
    folder = tmp_path / "opt/edge-watchdog"
    folder.mkdir(parents=True)
    install("--root", str(tmp_path), "--remove")
    assert folder.is_dir()
    (folder / "pyvenv.cfg").touch()
    install("--root", str(tmp_path), "--remove")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nonsense"], "usage:"),
        (["--purge"], "--purge goes with --remove"),
        (["--root", "/no/such/folder"], "--root needs a folder"),
    ],
)
def test_a_wrong_call_of_the_install_script_changes_nothing_and_says_why(arguments, words):
    done = install(*arguments)
    assert done.returncode != 0
    assert words in done.stderr
