"""The unit files and the install script under real systemd, with a stub as the program.

What is tested here must hold whatever the program does: it may hang, crash, or end badly.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.system.box import REPO, Box, Result
from tests.system.managers import DROP_IN, begin_network_manager, have_networkd_work, managed
from tests.system.steps import (
    CONFIG,
    DESK,
    INSTALL,
    PROGRAM,
    WATCH,
    bring,
    install,
    ours,
    renewed,
    start,
)

PY = "python3 -c 'import socket, sys; exec(sys.argv[1])'"
ICMP = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"
ECHO = (
    f's = {ICMP}; s.setsockopt(1, 25, b"lte0"); s.settimeout(2);'
    ' s.sendto(bytes([8, 0, 0, 0, 0, 0, 0, 1]), ("198.51.100.1", 0)); s.recv(99)'
)
CALENDAR = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n"
REQUEST = {
    "form": "ics",
    "keys": {},
    "title": "service - client",
    "span": {"first": "2026-11-21", "days": 2, "zone": "Europe/London"},
}
READER = (
    f"printf '%s\n' {shlex.quote(json.dumps(REQUEST))} {shlex.quote(CALENDAR)}"
    " | /opt/edge-watchdog/bin/python -m edge_watchdog.daybook.reader | grep reading"
)
FOREIGN = "ip rule add pref 6889 lookup 42; ip route add 10.9.0.0/16 via 192.0.2.1 table 42 proto 7"


@pytest.fixture(scope="module")
def shared(boots: Callable[..., AbstractContextManager[Box]]) -> Iterator[Box]:
    """A box with the stub installed, for every test that can leave it as it was."""
    with boots() as box:
        bring(box)
        with_stub(box)
        yield box


@pytest.fixture
def studio(shared: Box) -> Iterator[Box]:
    """The shared box with both halves running; what a test changed is undone after it."""
    start(shared)
    yield shared
    shared.run("rm -f /etc/systemd/system/edge-watchdog*.service.d/test.conf")
    shared.run("ip rule del pref 6889 2>&-; ip route flush table 42 2>&-; true")
    shared.run(f"systemctl daemon-reload && systemctl stop {WATCH} {DESK}", ok=False)
    shared.run(f"systemctl reset-failed {WATCH} {DESK}", ok=False)


@pytest.fixture
def fresh(box: Box) -> Box:
    """A box of its own with the stub installed and both halves running."""
    with_stub(box)
    start(box)
    return box


@pytest.fixture(scope="module")
def cell(boots) -> Iterator[Box]:
    """A box for questions that change nothing: what may a process of each half do?"""
    with boots() as box:
        bring(box)
        with_stub(box)
        box.run("mkdir -p /home/anna && echo private >/home/anna/notes && chmod -R 777 /home/anna")
        box.run("echo daybook >/var/lib/edge-watchdog/desk/daybook.sqlite")
        box.run("echo journal >/var/lib/edge-watchdog/watch/journal.sqlite")
        box.run("cd /var/lib/edge-watchdog && chown edge-watchdog: watch/* && chmod 640 watch/*")
        yield box


def with_stub(box):
    box.copy(REPO / "tests/system/stub.py", PROGRAM)
    box.run(f"chmod 755 {PROGRAM}")
    box.write(CONFIG, "# a stub reads it\n")
    install(box)


def drop_in(box, unit, text):
    box.write(f"/etc/systemd/system/{unit}.service.d/test.conf", f"[Service]\n{text}\n")
    box.run(f"systemctl daemon-reload && systemctl restart {unit}")


def test_both_halves_are_ready_and_say_in_one_line_how_they_are(studio):
    assert studio.show(WATCH, "StatusText") == "stub of the watch half"
    assert studio.show(DESK, "StatusText") == "stub of the desk half"


def test_both_halves_are_back_by_themselves_after_a_power_cut(boots, tmp_path):
    with boots(tmp_path) as box:
        bring(box)
        with_stub(box)
        start(box)
    with boots(tmp_path) as box:
        box.eventually("both run", lambda: box.active(WATCH) and box.active(DESK))
        assert box.page() == (200, "stub")
        assert box.out("cat /proc/sys/net/ipv4/ping_group_range").split() == ["0", "2147483647"]
        assert box.out("cat /proc/sys/net/ipv4/conf/all/rp_filter") == "2"


@pytest.mark.parametrize("unit", [WATCH, DESK])
def test_a_half_that_hangs_is_ended_and_started_again(unit, studio):
    drop_in(studio, unit, "WatchdogSec=2")
    renewed(studio, unit, "STOP")
    assert "Watchdog timeout" in studio.journal(unit)


@pytest.mark.parametrize("unit", [WATCH, DESK])
def test_a_half_that_is_killed_is_back_soon_and_the_other_runs_on(unit, studio):
    other = DESK if unit == WATCH else WATCH
    bystander = studio.main_pid(other)
    renewed(studio, unit, "KILL")
    assert studio.main_pid(other) == bystander


def test_a_half_is_started_again_however_often_it_crashes(studio):
    drop_in(studio, WATCH, "RestartSec=100ms")
    for _ in range(8):  # five starts in ten seconds are where systemd gives up by default
        renewed(studio, WATCH, "KILL")


def test_traffic_goes_on_by_the_backup_while_the_watch_half_is_gone_after_a_crash(studio):
    drop_in(studio, WATCH, "RestartSec=60")
    before = ours(studio)
    studio.run(f"kill -KILL {studio.main_pid(WATCH)}")
    studio.eventually("it is gone", lambda: not studio.active(WATCH))
    assert len(before) == 2
    assert ours(studio) == before


@pytest.mark.parametrize("end", ["orderly", "crash", "ignore"])
def test_an_ordered_stop_leaves_nothing_of_ours_in_the_kernel_however_the_program_ends(end, studio):
    studio.run(FOREIGN)
    drop_in(studio, WATCH, f"Environment=STUB_END={end}\nTimeoutStopSec=1")
    assert len(ours(studio)) == 2
    studio.run(f"systemctl stop {WATCH}", ok=False)
    assert ours(studio) == []
    assert "lookup 42" in studio.out("ip rule")
    assert studio.out("ip route show table 42")
    assert studio.out("ls /run/edge-watchdog 2>&1; true").endswith("No such file or directory")


def test_a_visitor_who_comes_while_the_desk_half_restarts_waits_and_is_answered(studio):
    studio.run(f"kill -KILL {studio.main_pid(DESK)}")
    assert studio.page() == (200, "stub")


def test_the_desk_page_is_for_private_addresses_only(studio):
    assert studio.page(address="192.168.50.1")[0] == 200
    # the provider's side, a public address: what comes from there is dropped, not refused
    assert studio.page(address="192.0.2.2", within_s=2)[0] == 0


def test_network_manager_and_we_leave_each_other_alone(box):
    begin_network_manager(box)
    settled = box.out("ip route")
    with_stub(box)
    start(box)
    before = ours(box)
    assert len(before) == 2
    box.run("nmcli --wait 20 connection up wan0 && nmcli device reapply lte0")
    box.run("systemctl restart NetworkManager")
    box.eventually("it is back", lambda: managed(box) == {"lan0", "lte0", "wan0"})
    assert ours(box) == before
    box.run(f"systemctl stop {WATCH}")
    assert (ours(box), box.out("ip route")) == ([], settled)


@pytest.mark.parametrize("taken_away", [False, True])
def test_networkd_leaves_our_rules_alone_only_because_of_its_drop_in(taken_away, fresh):
    studio = fresh
    if taken_away:
        studio.run(f"rm {DROP_IN}")
    have_networkd_work(studio)
    assert len(ours(studio)) == (1 if taken_away else 2)


@pytest.mark.parametrize(
    "command",
    [
        "cat /etc/edge-watchdog/edge_watchdog.toml",
        "touch /var/lib/edge-watchdog/watch/x /run/edge-watchdog/x",
        "ip rule add pref 6890 lookup main suppress_prefixlength 0 && ip rule del pref 6890",
        "ip route replace default via 203.0.113.1 table 7001 proto 237",
        "nft add table inet edge_watchdog && nft delete table inet edge_watchdog",
        "nft add table arp edge_watchdog && nft delete table arp edge_watchdog",
        "conntrack -L",
        "ss -K dst 203.0.113.99",
        f"{PY} '{ECHO}'",
        f"{PY} 's = {ICMP}; s.setsockopt(1, 25, b\"lte0\"); s.setsockopt(1, 36, 5)'",
        f'{PY} \'open("/proc/meminfo").read(); open("/proc/net/dev").read()\'',
        f"{PY} 'import multiprocessing as m; m.get_context(\"spawn\").Lock()'",
        f"{PY} 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind((\"127.0.0.55\", 53))'",
    ],
)
def test_the_watch_half_may_do_what_its_work_needs(command, cell):
    done = cell.as_unit(WATCH, command)
    assert done.code == 0, done.out


@pytest.mark.parametrize(
    "command",
    [
        "cat /etc/edge-watchdog/edge_watchdog.toml",
        "touch /var/lib/edge-watchdog/desk/x",
        "cat /var/lib/edge-watchdog/watch/journal.sqlite",
        f"{PY} 'import os; was = os.nice(0); assert os.nice(10) == min(was + 10, 19)'",
        READER,
        f"{PY} 'socket.create_connection((\"198.51.100.1\", 9), 0.2)' 2>&1 | grep -q Refused",
        f"{PY} 'import multiprocessing as m; m.get_context(\"spawn\").Lock()'",
    ],
)
def test_the_desk_half_may_do_what_its_work_needs(command, cell):
    done = cell.as_unit(DESK, command)
    assert done.code == 0, done.out


@pytest.mark.parametrize("unit", [WATCH, DESK])
@pytest.mark.parametrize(
    "command",
    [
        "cat /home/anna/notes",
        "ls /root/edge_watchdog",
        "cat /etc/shadow",
        "ls /etc/edge-watchdog/credentials",
        "touch /etc/edge-watchdog/x",
        "touch /opt/edge-watchdog/x",
        "touch /var/lib/edge-watchdog/x",
        "cp /bin/true /tmp/t && /tmp/t",
        "cp /bin/true /dev/shm/t && /dev/shm/t",
        "cp /bin/true $STATE_DIRECTORY/t && $STATE_DIRECTORY/t",
        f"{PY} 'socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
        f"{PY} 'socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'",
        "unshare --user true",
        "mount -t tmpfs tmpfs /tmp",
        "hostname another",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
        "kill -0 1",
        "ls -d /proc/1",
        "dd if=/dev/mem count=1",
        "chmod u+s /tmp",
        f"{PY} 'import os; os.nice(-5)'",
    ],
)
def test_neither_half_may_do_what_its_work_does_not_need(unit, command, cell):
    done = cell.as_unit(unit, f"{{ {command}; }} 2>&1")
    assert done.code not in {0, 127}, done.out


@pytest.mark.parametrize(
    "command",
    [
        "ls /var/lib/edge-watchdog/desk",
        "cat /var/lib/edge-watchdog/desk/daybook.sqlite",
    ],
)
def test_the_watch_half_never_sees_a_name(command, cell):
    assert cell.as_unit(WATCH, command).code != 0


@pytest.mark.parametrize(
    "command",
    [
        "ip route add 10.1.0.0/16 via 192.0.2.1",
        "ip rule add pref 6890 lookup main",
        "/usr/sbin/nft add table inet edge_watchdog",
        "touch /var/lib/edge-watchdog/watch/x",
        "touch /run/edge-watchdog/x",
        "rm /var/lib/edge-watchdog/watch/journal.sqlite",
        f"{PY} '{ICMP}.setsockopt(1, 36, 5)'",
    ],
)
def test_the_desk_half_can_touch_nothing_but_its_own_folder(command, cell):
    assert cell.as_unit(DESK, command).code not in {0, 127}


def test_a_secret_is_read_by_the_half_it_is_for_and_by_no_other(box):
    with_stub(box)
    box.write("/etc/edge-watchdog/credentials/mqtt-password", "rose", mode=0o600)
    secret = "mqtt-password:/etc/edge-watchdog/credentials/mqtt-password"
    line = f"[Service]\nLoadCredential={secret}\n"
    box.write(f"/run/systemd/system/as-{WATCH}.service.d/secret.conf", line)
    place = f"/run/credentials/as-{WATCH}.service/mqtt-password"
    assert box.as_unit(WATCH, f"cat {place}") == Result(0, "rose", "")
    cat_while_it_is_there = f"cat {place}; ls /etc/edge-watchdog/credentials"
    assert box.as_unit(DESK, cat_while_it_is_there).code != 0


def test_removing_and_purging_leave_the_box_as_it_was(box):
    before = everything(box)
    with_stub(box)
    start(box)
    box.run("echo 'LogLevelMax=info' | systemctl edit --stdin edge-watchdog", ok=False)
    said = box.out(f"{INSTALL} --remove")
    assert box.out("ls /var/lib/edge-watchdog").split() == ["desk", "watch"]
    assert box.out(f"cat {CONFIG}") == "# a stub reads it"
    assert "removed   /opt/edge-watchdog" in said
    box.run(f"{INSTALL} --remove --purge")
    assert everything(box) == before - {"/opt/edge-watchdog"}


def everything(box):
    """Give what an installation could leave: files, units, users, rules, routes, listeners."""
    files = box.out("find /etc /opt /usr /var/lib -xdev -not -path '/opt/edge-watchdog/*'")
    kept = [name for name in files.splitlines() if "/systemd/" not in name or "edge" in name]
    network = "ip rule; ip -4 route show table all; ss -Hltn; nft list tables"
    units = "systemctl list-units --all --plain --no-legend 'edge*'"
    return {*kept, *box.out(f"getent passwd; getent group; {network}; {units}").splitlines()}
