"""The program itself, installed as the documents say, under a real systemd on a real kernel."""

import time
from contextlib import contextmanager

import pytest

from tests.system.box import REPO
from tests.system.managers import (
    DROP_IN,
    begin_network_manager,
    have_networkd_work,
    managed,
)
from tests.system.steps import (
    CONFIG,
    DESK,
    INSTALL,
    NAMES,
    PROGRAM,
    WATCH,
    bring,
    install,
    ours,
    renewed,
    start,
)

SILENT = "cannot say whether the internet works"
STUDIO = (REPO / "tests/system/studio.toml").read_text()


@pytest.fixture(scope="module")
def shared(boots):
    """A box with both halves running, for every test that leaves it as it was."""
    with boots() as box:
        bring(box)
        yield running(box)


@pytest.fixture
def calm(shared):
    """The shared box; what a test changed is undone after it, and a switch forgotten."""
    yield shared
    drop_ins = "/etc/systemd/system/edge-watchdog*.service.d/test.conf"
    changed = shared.out(f"cat {CONFIG}") != STUDIO.strip()
    if changed or via(shared) != "wan0" or shared.out(f"ls {drop_ins} 2>&-; true"):
        shared.run(f"systemctl stop {WATCH} {DESK}")
        configure(shared, STUDIO)
        shared.run(f"rm -f {drop_ins} /var/lib/edge-watchdog/watch/*; systemctl daemon-reload")
    shared.world("link set wan0 up")
    shared.run("ip route replace default via 192.0.2.1 dev wan0 metric 100")
    start(shared)
    shared.eventually("routes stand", lambda: via(shared) == "wan0")
    shared.eventually("the page is there", lambda: shared.page()[0] == 200)


@pytest.fixture
def studio(box):
    """A box of its own with both halves running."""
    return running(box)


def running(box):
    """Install and start the program; gives the box when it has chosen a line."""
    box.write(CONFIG, STUDIO)
    install(box)
    box.run(f"{PROGRAM} check")
    start(box)
    box.eventually("routes stand", lambda: via(box) == "wan0")
    return box


def configure(box, text):
    """Write the configuration as the owner does; who is running has not read it yet."""
    box.write(CONFIG, text, mode=0o640)
    box.run(f"chown root:edge-watchdog {CONFIG}")


def via(box):
    """Give the interface by which a new connection leaves."""
    words = box.out("ip route get 198.51.100.1").split()
    return words[words.index("dev") + 1]


def pull_the_cable(box):
    box.world("link set wan0 down")
    return box.eventually("traffic leaves by the stick", lambda: via(box) == "lte0")


def says_the_stick_is_in_use(box):
    lines = box.run(f"{PROGRAM} status", ok=False).out.splitlines()
    return any(line.startswith("LTE stick") and "in use" in line for line in lines)


@contextmanager
def no_gap(box):
    """Hold that no rule or route of ours is taken away meanwhile, not even for a moment."""
    box.run("systemd-run -qu monitor -p StandardOutput=file:/run/changes ip monitor rule route")
    yield
    box.run("systemctl stop monitor")
    changes = box.out("cat /run/changes").splitlines()
    assert [line for line in changes if "Deleted" in line and "proto 237" in line] == []


def test_an_install_by_the_documents_gives_two_ready_halves_and_a_page(calm):
    assert calm.active(WATCH)
    assert calm.active(DESK)
    status, page = calm.page()
    assert (status, "Lotus Room" in page) == (200, True)
    assert "Lotus Room" in calm.out(f"{PROGRAM} status")


@pytest.mark.parametrize("unit", [WATCH, DESK])
def test_systemctl_status_says_in_one_line_how_things_are(unit, calm):
    calm.eventually("a verdict", lambda: calm.show(unit, "StatusText") != "")
    lines = calm.out(f"systemctl status {unit} --no-pager --full").splitlines()
    said = [line for line in lines if line.strip().startswith('Status: "')]
    assert len(said) == 1
    assert len(said[0]) < 120


def test_nobody_on_any_network_can_open_a_connection_to_the_watch_half(calm):
    mine = f"pid={calm.main_pid(WATCH)},"
    sockets = [line for line in calm.out("ss -Hltunp").splitlines() if mine in line]
    assert [line for line in sockets if line.startswith("tcp")] == []
    # answers to its own DNS questions come in by sockets that are bound to one line each
    assert all("%wan0:" in line or "%lte0:" in line for line in sockets)


def test_a_pulled_cable_moves_new_connections_and_an_order_to_stop_moves_them_back(calm):
    before = calm.out("ip route")
    pull_the_cable(calm)
    calm.world("link set wan0 up")
    calm.run(f"systemctl stop {WATCH}")
    assert ours(calm) == []
    calm.eventually("the cable is back", lambda: calm.out("ip route") == before)


@pytest.mark.parametrize("unit", [WATCH, DESK])
def test_a_half_that_hangs_is_ended_and_started_again_by_the_watchdog_of_its_unit(unit, calm):
    drop_in = f"/etc/systemd/system/{unit}.service.d/test.conf"
    calm.write(drop_in, "[Service]\nWatchdogSec=3\n")  # 15 and 30 s take as long as they say
    calm.run(f"systemctl daemon-reload && systemctl restart {unit}")
    renewed(calm, unit, "STOP")
    assert "Watchdog timeout" in calm.journal(unit)
    calm.eventually("routes stand", lambda: via(calm) == "wan0")


def test_killed_while_on_the_backup_the_watch_half_takes_up_where_it_was(calm):
    pull_the_cable(calm)
    calm.eventually("it has settled", lambda: says_the_stick_is_in_use(calm))
    with no_gap(calm):
        renewed(calm, WATCH, "KILL")
        calm.eventually("it knows where it is", lambda: says_the_stick_is_in_use(calm))
    assert via(calm) == "lte0"


def test_while_the_watch_half_is_gone_the_page_says_so_and_then_no_longer(calm):
    calm.run(f"systemctl stop {WATCH}")
    calm.eventually("it says so", lambda: SILENT in calm.page()[1])
    assert calm.active(DESK)
    calm.run(f"systemctl start {WATCH}")
    calm.eventually("it knows again", lambda: SILENT not in calm.page()[1])


def test_killed_the_desk_half_answers_again_and_the_watch_half_never_noticed(calm):
    watch, killed = calm.main_pid(WATCH), calm.main_pid(DESK)
    calm.run(f"kill -KILL {killed}")
    # whom the dead process had accepted hears a reset, and asks again as a browser does
    calm.eventually("it answers", lambda: calm.page()[0] == 200)
    assert calm.main_pid(DESK) not in {0, killed}
    assert calm.main_pid(WATCH) == watch


def test_a_reload_with_a_mistake_keeps_the_last_good_configuration_and_says_so(calm):
    watch, desk = calm.main_pid(WATCH), calm.main_pid(DESK)
    configure(calm, STUDIO.replace('interface = "lte0"', 'interfaec = "lte0"'))
    calm.run(f"systemctl reload {WATCH}")
    calm.eventually("it says so", lambda: "interfaec" in calm.journal(WATCH))
    assert "last good" in calm.show(WATCH, "StatusText")
    assert (calm.main_pid(WATCH), calm.main_pid(DESK)) == (watch, desk)
    pull_the_cable(calm)  # it still knows both lines


def test_a_reload_with_a_change_takes_it_without_a_gap_in_the_routes(calm):
    fresh, watch = STUDIO.replace("Lotus Room", "Willow Room"), calm.main_pid(WATCH)
    configure(calm, fresh)
    with no_gap(calm):
        calm.run(f"systemctl reload-or-restart {WATCH} {DESK}")
        calm.eventually("the page has it", lambda: "Willow Room" in calm.page()[1])
        calm.eventually("so has the box", lambda: "Willow Room" in calm.out(f"{PROGRAM} status"))
    assert (calm.active(WATCH), calm.main_pid(WATCH)) == (True, watch)
    assert (len(ours(calm)), via(calm)) == (9, "wan0")  # six rules, three routes


def test_installing_again_restarts_both_halves_and_the_routes_stand_again(calm):
    before = calm.main_pid(WATCH), calm.main_pid(DESK)
    install(calm)
    assert calm.main_pid(WATCH) not in {0, before[0]}
    assert calm.main_pid(DESK) not in {0, before[1]}
    calm.eventually("routes stand", lambda: len(ours(calm)) >= 6 and via(calm) == "wan0")


def stand(box):
    """Tell whether all of ours is there; a line without an address for a moment was left."""
    return len(ours(box)) == 9 and via(box) in {"wan0", "lte0"}


def test_routes_stand_again_after_a_restart_of_either_network_manager(studio):
    studio.run(f"rm {DROP_IN}")  # without it networkd takes away what is not its own
    for _ in range(2):
        have_networkd_work(studio)
        studio.eventually("routes stand again", lambda: stand(studio))
    studio.run("systemctl stop systemd-networkd.socket systemd-networkd")
    begin_network_manager(studio)
    studio.eventually("routes stand beside NetworkManager", lambda: stand(studio))
    studio.run("nmcli --wait 20 connection up wan0 && systemctl restart NetworkManager")
    studio.eventually("it is back", lambda: managed(studio) == {"lan0", "lte0", "wan0"})
    studio.eventually("routes stand again", lambda: stand(studio))


def test_removal_in_the_middle_of_an_outage_gives_the_network_back_as_it_was(studio):
    before = studio.out("ip route")
    pull_the_cable(studio)
    studio.run(f"{INSTALL} --remove")
    studio.world("link set wan0 up")
    assert ours(studio) == []
    studio.eventually("the cable is back", lambda: studio.out("ip route") == before)
    assert studio.run("pgrep -f [e]dge-watchdog", ok=False).out == ""
    assert studio.page()[0] == 0


def test_a_box_that_boots_in_the_middle_of_an_outage_is_ready_and_finds_the_way_out_later(
    boots, tmp_path
):
    with boots(tmp_path) as box:
        bring(box)
        box.write(CONFIG, STUDIO)
        install(box)
        start(box)
    with boots(tmp_path, cut_off=True) as box:
        box.eventually("both are ready", lambda: box.active(WATCH) and box.active(DESK))
        assert box.page()[0] == 200
        box.world("link set wan0 up")
        box.run("ip route replace default via 192.0.2.1 dev wan0 metric 100")
        box.eventually("it finds the way", lambda: any("wan0" in line for line in ours(box)))


def test_an_order_to_stop_is_heard_at_any_moment(calm):
    for moment_s in (0.0, 0.3, 0.8, 2.0):
        calm.run(f"systemctl start {WATCH} {DESK}")
        calm.world("link set wan0 down")  # what is under way then: a burst, a switch, an eviction
        time.sleep(moment_s)
        calm.run(f"systemctl stop {WATCH} {DESK}")
        calm.world("link set wan0 up")
        # who is not done when TimeoutStopSec is over is killed, and the result is "timeout"
        results = [calm.show(unit, "Result") for unit in (WATCH, DESK)]
        assert results == ["success", "success"], calm.journal(WATCH)
        assert ours(calm) == []


def test_files_that_hold_the_day_and_the_history_are_their_owners_alone(calm):
    day = calm.out("find /var/lib/edge-watchdog/desk -type f -printf '%u %m %f\n'").splitlines()
    history = calm.out("find /var/lib/edge-watchdog/watch -type f -printf '%u %m\n'")
    assert all(line.startswith("edge-watchdog-desk 600 ") for line in day)
    assert set(history.splitlines()) <= {"edge-watchdog 640", "edge-watchdog 600"}
    assert history


@pytest.fixture
def gateway(box):
    """A box that is the studio's gateway, installed as the documents say."""
    box.write(
        CONFIG, STUDIO.replace('"self"', '"gateway"\ndhcp_range = "192.168.50.9-192.168.50.90"')
    )
    install(box)
    assert "net.ipv4.ip_forward is not 1" in box.out(f"{PROGRAM} check")
    box.run("cp /usr/lib/edge-watchdog/60-edge-watchdog-gateway.conf /etc/sysctl.d/")
    box.run("sysctl -p /usr/lib/edge-watchdog/60-edge-watchdog-gateway.conf")
    assert "missing" not in box.out(f"{PROGRAM} check")
    start(box)
    box.run(f"systemctl enable --now {NAMES}")
    box.eventually("routes stand", lambda: via(box) == "wan0")
    return box


def filters(box):
    rules = box.out("nft list ruleset")
    return "masquerade" in rules and "@claims" in rules


def test_in_its_sandbox_a_gateway_filters_repairs_ends_flows_and_serves_names(gateway):
    gateway.eventually("the packet filter stands", lambda: filters(gateway))
    gateway.run("nft flush ruleset")
    gateway.eventually("it stands again", lambda: filters(gateway), within_s=5)
    gateway.eventually("names are served", lambda: "dnsmasq" in gateway.out("ss -Hltunp"))
    sockets = gateway.out("ss -Hltunp")
    assert "192.168.50.1:53 " in sockets, gateway.journal(NAMES)
    assert ":67 " in sockets
    pull_the_cable(gateway)
    said = "evicted uplink=broadband flows="
    gateway.eventually("flows are ended", lambda: said in gateway.journal(WATCH))
    gateway.run(f"systemctl stop {WATCH}")
    assert "edge_watchdog" not in gateway.out("nft list tables")
    assert not gateway.active(NAMES)
    assert ours(gateway) == []
