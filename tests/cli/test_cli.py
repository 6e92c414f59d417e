import asyncio
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge_watchdog.bridge import BridgeServer
from edge_watchdog.cli import main
from edge_watchdog.config import load, load_outline
from edge_watchdog.core.actions import Severity
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Health, Mode, VendorLevel
from edge_watchdog.core.view import (
    Banner,
    IncidentView,
    OverrideView,
    RungView,
    Standing,
    StudioView,
    UplinkView,
    VendorView,
)
from edge_watchdog.verbs import setting, status, use, why
from edge_watchdog.verbs.check import not_routed

AT = Instant(500.0, 1792933200.0)  # Sunday 25 October 2026, 13:00 in London
BANNER = Banner(
    Standing.BACKUP,
    "cable out",
    "The network cable of broadband is out.",
    "Yes. The box is online over LTE stick.",
    "The box has lost the signal on the cable that leads to the router.",
    ("Push the network cable back in.",),
    next_word_wall=AT.wall + 3600,
)
BROADBAND = UplinkView(
    name="broadband",
    interface="wan0",
    metered=False,
    role="out",
    health=Health.DOWN,
    cause="cable out",
    confidence=0.97,
    because=("wan0 lost its carrier",),
    rungs=(RungView("link", Health.DOWN, "no carrier"),),
    rtt_s=None,
    loss_ratio=1.0,
    since_wall=AT.wall - 60,
)
LTE = replace(
    BROADBAND,
    name="LTE stick",
    interface="lte0",
    role="in use",
    health=Health.UP,
    cause="",
    because=(),
    rungs=(RungView("internet", Health.UP, "6 of 6 anchors answered"),),
    rtt_s=0.042,
    loss_ratio=0.0,
)
VENDOR = VendorView(
    "BookWell", VendorLevel.OPERATIONAL, "", "", AT.wall, Health.UP, "signed in in 0.4 s"
)
INCIDENT = IncidentView(
    7, "cable out", "The cable is out.", Severity.OUTAGE, AT.wall - 60, None, "", ("no carrier",)
)
VIEW = StudioView(
    AT, "0.1.0", Mode.SELF, "settled", "LTE stick", "broadband", BANNER, (BROADBAND, LTE),
    VENDOR, (INCIDENT,), AT.wall + 90, notices=("LTE stick has used half of its month.",),
)  # fmt: skip


class Clock:
    def now(self):
        return AT


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "edge_watchdog.toml"
    path.write_text(f"""
[studio]
name = "Lotus Room"
time_zone = "Europe/London"
[box]
runtime_dir = "{tmp_path}"
[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "wan0"
""")
    return path


@contextmanager
def watch_half(path: Path, view: StudioView, obey=None):
    """Run the watch half's end of the bridge in a thread, as another process would.

    *obey*: gives the view that follows an order.
    """
    loop = asyncio.new_event_loop()

    def hear(order):
        server.show(obey(order))

    server = BridgeServer(
        path, allowed_uids=frozenset({os.getuid()}), on_message=hear, clock=Clock()
    )
    server.show(view)
    task = loop.create_task(server.run())

    def serve():
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def wait_for(path: Path) -> None:
    ready = threading.Event()
    while not path.exists():
        ready.wait(0.01)


def test_a_good_configuration_is_summed_up(config, capsys):
    assert main(["check", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert "is fine." in out
    assert "broadband (wan0), preferred" in out
    assert "advice     There is one way out only" in out


def test_the_installer_hears_which_lines_have_an_ipv6_that_is_not_routed(config, tmp_path):
    table = tmp_path / "if_inet6"  # as net/ipv6/addrconf.c writes it: one line has only its own
    table.write_text(
        "20010db8000100000000000000000002 03 40 00 80     wan0\n"
        "fe8000000000000000005efffe005302 04 40 20 80     lte0\n"
    )
    said = list(not_routed(load(config), table))
    assert len(said) == 1
    assert said[0].startswith("ipv6       broadband has it;")
    assert list(not_routed(load(config), tmp_path / "no IPv6")) == []


def test_a_bad_configuration_names_each_problem_on_stderr(config, capsys):
    config.write_text(config.read_text().replace("London", "Lundon").replace("wan0", "a/b"))
    assert main(["check", "--config", str(config)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1] == "2 problems found."
    assert 'did you mean "Europe/London"?' in captured.err


def test_the_studios_own_prices_are_checked_line_by_line(config, capsys):
    prices = config.with_name("prices.csv")
    config.write_text(f'{config.read_text()}\n[[prices]]\npath = "{prices}"\n')
    assert main(["check", "--config", str(config)]) == 1
    assert "it could not be read (No such file or directory)" in capsys.readouterr().err
    prices.write_text("name,price\nCut,free\n")
    assert main(["check", "--config", str(config)]) == 1
    said = f'[[prices]] 1 path = "{prices}": line 2: the price of "Cut" is "free"'
    assert said in capsys.readouterr().err
    prices.write_text("name,price\nCut,45.00\n")
    assert main(["check", "--config", str(config)]) == 0
    assert "where no schedule brings a price list" in capsys.readouterr().out


def test_run_refuses_a_bad_configuration(config, capsys):
    config.write_text("")
    assert main(["run", "--config", str(config)]) == 1
    assert "3 problems found." in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["status", "why"])
def test_a_box_that_is_not_running_is_no_success(verb, config, capsys):
    assert main([verb, "--config", str(config)]) == 3
    assert "is not running" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["replay"], ["run", "--only", "both"], ["status", "--no"]]
)
def test_what_is_not_understood_exits_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_status_and_why_ask_the_running_half(config, tmp_path, capsys):
    with watch_half(tmp_path / "bridge.sock", VIEW):
        wait_for(tmp_path / "bridge.sock")
        assert main(["status", "--config", str(config)]) == 0
        assert main(["why", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("The network cable of broadband is out.  (Lotus Room, 13:00)")


def test_status_fits_one_screen_and_says_it_all(config):
    lines = list(status.lines(VIEW, load_outline(config)))
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert "  1. Push the network cable back in." in lines
    assert "Next word by 14:00." in lines
    assert "broadband      out      down      100% lost, cable out" in lines
    assert "LTE stick      in use   up        42 ms, 0% lost" in lines
    assert "incident 7  12:59 to now  The cable is out." in lines
    assert "LTE stick has used half of its month." in lines


def test_a_time_that_may_be_wrong_is_not_shown(config):
    text = "\n".join(status.lines(replace(VIEW, wall_known=False), load_outline(config)))
    assert "13:00" not in text
    assert "time not known" in text


def test_another_day_is_named(config):
    older = replace(INCIDENT, opened_wall=AT.wall - 86400)
    lines = list(status.lines(replace(VIEW, incidents=(older,)), load_outline(config)))
    assert lines[-1].startswith("incident 7  Sat 24 Oct 14:00 to now")


def test_why_gives_the_evidence_of_every_rung():
    text = "\n".join(why.lines(VIEW))
    assert "broadband (wan0), out: down, cable out (97% sure)" in text
    assert "link       down      no carrier" in text
    assert "internet   up        6 of 6 anchors answered" in text
    assert "incident 7: The cable is out." in text


def test_the_reference_is_printed_in_both_forms(capsys):
    assert main(["reference", "--toml"]) == 0
    assert "[studio]" in capsys.readouterr().out
    assert main(["reference"]) == 0
    assert "| `cable out` |" in capsys.readouterr().out


def test_a_stale_reference_is_a_problem_and_can_be_renewed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    markers = "".join(
        f"<!-- begin {name} -->\n<!-- end {name} -->\n" for name in ("config", "causes", "commands")
    )
    Path("README.md").write_text(markers)
    assert main(["reference", "--check"]) == 1
    assert main(["reference", "--write"]) == 0
    assert main(["reference", "--check"]) == 0
    Path("README.md").write_text("no markers")
    assert main(["reference", "--check"]) == 1
    assert "wanted once" in capsys.readouterr().err


def test_interfaces_with_a_default_route_are_found_in_order_of_preference():
    rows = """Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
wlan0 00000000 0101A8C0 0003 0 0 600 00000000 0 0 0
eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0
eth0 0001A8C0 00000000 0001 0 0 100 00FFFFFF 0 0 0
eth0 00000000 0201A8C0 0003 0 0 200 00000000 0 0 0
tun0 00000000 0101A8C0 0003 0 0 50 00000080 0 0 0
"""
    assert setting.with_default_route(rows) == ["eth0", "wlan0"]


def obeyed(order):
    """The view after an order that could be followed."""
    if order.uplink is None:
        return replace(VIEW, override=None, active="LTE stick")
    until = AT.wall + order.for_s
    shown = OverrideView(order.uplink, order.by, order.reason, until, in_force=True)
    return replace(VIEW, override=shown, active=order.uplink)


def test_an_order_is_given_to_the_running_half_and_its_outcome_told(config, tmp_path, capsys):
    asked = ["use", "broadband", "--for", "2h", "--because", "the stick is charged", "--by", "Anna"]
    with watch_half(tmp_path / "bridge.sock", VIEW, obeyed):
        wait_for(tmp_path / "bridge.sock")
        assert main([*asked, "--config", str(config)]) == 0
        told = capsys.readouterr().out
        assert main(["use", "auto", "--config", str(config)]) == 0
    assert told == (
        "Anna ordered broadband until 15:00 (the stick is charged).\nIn use: broadband.\n"
    )
    assert capsys.readouterr().out == (
        "The box decides by itself again. In use: LTE stick.\n"
        "Back to broadband at 13:01, if it stays clean.\n"
    )


def test_an_order_that_cannot_be_followed_yet_says_why(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(use, "WAIT_S", 0.3)
    note = "broadband is not yet seen to work, so nothing is moved to it."

    def refuse(order):
        view = obeyed(order)
        return replace(
            view, active="LTE stick", override=replace(view.override, in_force=False, note=note)
        )

    with watch_half(tmp_path / "bridge.sock", VIEW, refuse):
        wait_for(tmp_path / "bridge.sock")
        assert main(["use", "broadband", "--because", "test", "--config", str(config)]) == 0
    out = capsys.readouterr().out
    assert note in out
    assert "In use: LTE stick." in out


def test_every_mistake_of_an_order_is_named_at_once(config, tmp_path, capsys):
    wrong = ["use", "brodband", "--for", "9h", "--by", "x" * 81]
    with watch_half(tmp_path / "bridge.sock", VIEW, obeyed):
        wait_for(tmp_path / "bridge.sock")
        assert main([*wrong, "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert '"brodband" is no uplink here; did you mean broadband?' in told
    assert '--for "9h": write a time with a unit, at most 4h' in told
    assert "--because is missing" in told
    assert "--by: write at most 80" in told
    assert "4 problems found." in told


def test_a_box_that_only_looks_on_takes_no_order(config, tmp_path, capsys):
    with watch_half(tmp_path / "bridge.sock", replace(VIEW, mode=Mode.OBSERVE), obeyed):
        wait_for(tmp_path / "bridge.sock")
        assert main(["use", "auto", "--config", str(config)]) == 1
    assert "only looks on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, seconds", [("90s", 90.0), ("4h", 14400.0), ("5h", None), ("2", None)]
)
def test_the_length_of_an_order_is_a_time_with_a_unit_of_four_hours_at_most(text, seconds):
    assert use.seconds(text) == seconds
