import re
import statistics
import sys
import time

import pytest

from tests.lab import Lab, LabError, boottime_s
from tests.lab.faults import FAULTS
from tests.lab.lab import missing
from tests.lab.places import ANCHORS, LIE_ADDRESS, SINK_ADDRESS, UPLINKS, Place
from tests.lab.programs import HERE
from tests.lab_tests.looks import HEALTHY, code, curl, look, ping, settle
from tests.patience import air, until

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"a lab needs {missing()}")

SILENT, REFUSED, NONE = "silent", "refused", "000"
OFFLINE = {
    "provider": SILENT,
    "alpha": SILENT,
    "beta": SILENT,
    "delta": SILENT,
    "router names": SILENT,
    "provider names": SILENT,
    "anchor names": SILENT,
    "missing name": SILENT,
    "web": NONE,
    "app": NONE,
    "status": NONE,
    "feed": NONE,
    "hooks": NONE,
}
# The provider's resolver needs nobody upstream in the lab, so it goes on answering.
PROVIDERS_OWN = ("provider", "provider names", "router names", "missing name")
BEYOND_PROVIDER = {k: v for k, v in OFFLINE.items() if k not in PROVIDERS_OWN}
NO_LTE = {"lte": SILENT, "lte names": SILENT, "lte web": NONE}
FAILED = "server failed"
FULL_QUEUES = ("bufferbloat_own", "bufferbloat_foreign", "line_congested")
MEASURED = {"loss", "loss_down", *FULL_QUEUES, "delay", "jitter", "own_address_taken"}
SEEN = {
    "cable_out": {**OFFLINE, "carrier": "0", "router": SILENT},
    "router_dead": {**OFFLINE, "router": SILENT},
    "lan_switch_dead": {**OFFLINE, "router": SILENT},
    "rogue_dhcp": {},
    "blackhole": OFFLINE,
    "upstream_dead": BEYOND_PROVIDER,
    "line_not_in_sync": OFFLINE,
    "ipv6_broken": {},
    "address_conflict": {**OFFLINE, "router names": REFUSED, "missing name": REFUSED},
    "reject": {
        **{k: REFUSED if v == SILENT else v for k, v in OFFLINE.items()},
        "router names": SILENT,
        "missing name": SILENT,
    },
    "dns_dead": {"router names": SILENT, "provider names": SILENT, "missing name": SILENT},
    "dns_blocked": dict.fromkeys(
        ("router names", "provider names", "anchor names", "missing name"), SILENT
    ),
    "dns_servfail": {"router names": FAILED, "provider names": FAILED, "missing name": FAILED},
    "dns_hijack": dict.fromkeys(("router names", "provider names", "missing name"), LIE_ADDRESS),
    "dns_rewrite": {"missing name": LIE_ADDRESS},
    "partial_routing": {"alpha": SILENT, "beta": SILENT, "anchor names": SILENT},
    "tls_intercepted": dict.fromkeys(("app", "status", "feed", "hooks"), NONE),
    "no_return": OFFLINE,
    "portal": {
        **{k: v for k, v in OFFLINE.items() if "name" not in k},
        "web": "302",
    },
    "portal_told": {k: v for k, v in OFFLINE.items() if "name" not in k},
    "one_anchor_dead": {"alpha": SILENT},
    "icmp_filtered": {"alpha": SILENT, "beta": SILENT, "delta": SILENT},
    "anchors_filtered": {
        "alpha": SILENT,
        "beta": SILENT,
        "delta": SILENT,
        "anchor names": SILENT,
    },
    "vendor_down": {"app": "503", "feed": "503"},
    "vendor_down:hang": {"app": NONE, "feed": NONE},
    "vendor_announced": {"app": "503", "feed": "503", "status": "critical"},
    "vendor_maintenance": {"status": "maintenance"},
    "vendor_path": {"app": NONE, "feed": NONE},
    "vendor_slow": {"app": NONE},
    "status_page_down": {"status": "503"},
    "status_page_garbage:html": {"status": "no JSON"},
    "status_page_garbage:truncated": {"status": "no JSON"},
    "status_page_garbage:huge": {},
    "status_page_garbage:unknown_enum": {"status": "catastrophic"},
    "feed_broken": {"feed": "500"},
    "feed_broken:html": {},
    "feed_broken:truncated": {},
    "feed_broken:empty": {},
    "hooks_down": {"hooks": "500"},
    "mtu_blackhole": dict.fromkeys(("app", "status", "feed", "hooks"), NONE),
    "flapping": OFFLINE,
    "slow_recovery": OFFLINE,
    "dhcp_change": {"router": SILENT, "router names": SILENT, "missing name": SILENT},
    "hotspot_overlaps": {},
    "both_dead": {**OFFLINE, **NO_LTE},
    "lte_no_data": NO_LTE,
    "lte_zombie": NO_LTE,
    "lte_dns_dead": {"lte names": SILENT},
    "lte_data_cap": {"lte": SILENT, "lte web": "302"},
    "stick_pulled": NO_LTE,
    "phone_off": {"phone": SILENT},
    "everything_down": {**OFFLINE, **NO_LTE, "phone": SILENT},
}


@pytest.fixture(scope="module")
def lab():
    with Lab() as standing:
        yield standing


@pytest.fixture(autouse=True)
def healed(lab):
    yield
    lab.heal_all()


@pytest.fixture(scope="module")
def former_state(lab):
    return kernel_state(lab)


def kernel_state(lab: Lab) -> dict[str, str]:
    """Give everything that a fault may change, of every machine."""
    asked = "nft list ruleset; ip -o link; ip addr; ip route; ip rule; tc qdisc"
    return {place: lab.host(place).run(["sh", "-c", asked]).stdout for place in Place}


def test_a_new_lab_is_healthy(lab):
    assert settle(lab) == HEALTHY


@pytest.mark.parametrize("name", SEEN)
def test_each_fault_has_its_effect_and_no_other_and_heals(lab, former_state, name):
    lab.inject(name)
    seen = settle(lab, HEALTHY | SEEN[name])
    lab.heal(name)
    assert seen == HEALTHY | SEEN[name]
    assert settle(lab) == HEALTHY
    assert kernel_state(lab) == former_state


def test_every_fault_of_the_table_is_looked_at():
    looked_at = {name.partition(":")[0] for name in SEEN}
    assert {fault.name for fault in FAULTS} - looked_at == MEASURED


@pytest.mark.parametrize("name", ["loss:30", "loss_down:30"])
def test_loss_loses_what_it_says(lab, name):
    lab.inject(name)
    argv = ["ping", "-n", "-q", "-c300", "-i0.004", "-W0.2", "-I", "wan0", ANCHORS[0].address]
    done = lab.box.run(argv)
    lab.heal(name)
    lost = float(done.stdout.split("% packet loss")[0].split()[-1])
    assert 20 < lost < 40


def test_the_router_takes_another_device_for_the_box_until_it_is_gone(lab):
    whose = ["ip", "neigh", "show", UPLINKS[0].address]
    lab.inject("own_address_taken")  # it comes and goes: the box's own words are believed, too
    macs = lab.host(Place.DESK).run(["ip", "-o", "link", "show", "eth0"]).stdout.split()
    taken = macs[macs.index("link/ether") + 1]
    until(lambda: taken in lab.host(Place.ROUTER).run(whose).stdout, 15)
    lab.heal("own_address_taken")
    until(lambda: UPLINKS[0].mac in lab.host(Place.ROUTER).run(whose).stdout, 10)
    assert settle(lab) == HEALTHY


def test_faults_compose_and_heal_one_by_one(lab):
    lab.inject("icmp_filtered")
    lab.inject("vendor_announced")
    lab.inject("status_page_garbage:html")
    lab.heal("vendor_announced")
    assert (
        settle(lab, HEALTHY | SEEN["icmp_filtered"] | SEEN["status_page_garbage:html"])
        == HEALTHY | SEEN["icmp_filtered"] | SEEN["status_page_garbage:html"]
    )
    lab.heal("icmp_filtered")
    assert (
        settle(lab, HEALTHY | SEEN["status_page_garbage:html"])
        == HEALTHY | SEEN["status_page_garbage:html"]
    )
    lab.heal_all()
    assert settle(lab) == HEALTHY


@pytest.mark.parametrize(
    "name, other", [("lte_no_data", "everything_down"), ("vendor_announced", "vendor_down")]
)
def test_what_two_faults_break_is_whole_again_after_the_last(lab, name, other):
    lab.inject(name)
    lab.inject(other)
    lab.heal(other)
    assert settle(lab, HEALTHY | SEEN[name]) == HEALTHY | SEEN[name]
    lab.heal(name)
    assert settle(lab) == HEALTHY


@pytest.mark.parametrize("name", ["volcano", "blackhole:3", ""])
def test_an_unknown_fault_is_refused_with_the_known_ones(lab, name):
    with pytest.raises(LabError, match=r"no fault .*there are cable_out, router_dead"):
        lab.inject(name)


def test_a_fault_is_not_injected_twice_nor_healed_when_absent(lab):
    lab.inject("portal")
    with pytest.raises(LabError, match="portal is present already"):
        lab.inject("portal")
    lab.heal("portal")
    with pytest.raises(LabError, match="portal is not present"):
        lab.heal("portal")


def test_a_fault_takes_hold_within_milliseconds(lab):
    waits = []
    for _ in range(5):
        before = boottime_s()
        waits.append(lab.cut() - before)
        lab.heal("blackhole")
    assert statistics.median(waits) < 0.02


def test_a_gap_is_as_long_as_it_says_and_leaves_nothing(lab):
    begin, end = lab.gap(0.5)
    assert end - begin == pytest.approx(0.5, abs=0.03)
    assert "gap" not in lab.host(Place.ISP).run(["nft", "list", "ruleset"]).stdout
    assert ping(lab, ANCHORS[0].address) == "answers"


def test_all_faults_at_once_heal_to_the_former_state(lab, former_state):
    for fault in FAULTS:
        lab.inject(fault.name)
    lab.heal_all()
    assert settle(lab) == HEALTHY
    assert kernel_state(lab) == former_state


def round_trips_ms(lab: Lab, count: int) -> list[float]:
    """Ping four times a second by wan0."""
    argv = ["ping", "-n", f"-c{count}", "-i0.25", "-W3", "-I", "wan0", ANCHORS[0].address]
    return [float(ms) for ms in re.findall(r"time=([\d.]+)", lab.box.run(argv).stdout)]


@pytest.mark.parametrize("name", FULL_QUEUES)
def test_a_full_queue_makes_answers_late_and_is_gone_with_the_load(lab, former_state, name):
    lab.inject(name)
    full = round_trips_ms(lab, 20)
    lab.heal(name)
    assert max(full) > 400
    assert max(round_trips_ms(lab, 3)) < 100
    assert kernel_state(lab) == former_state


def test_a_load_ends_by_itself(lab):
    argv = [sys.executable, "-I", HERE / "load.py", "wan0", SINK_ADDRESS, "0.5"]
    before = time.monotonic()
    assert lab.box.run(argv, timeout=air(5)).stdout == "ready\n"
    assert time.monotonic() - before < air(2)


@pytest.mark.parametrize("name, least, most", [("delay:50", 100, 140), ("jitter:40", 0, 180)])
def test_a_long_way_takes_as_long_as_it_says(lab, former_state, name, least, most):
    lab.inject(name)
    took = round_trips_ms(lab, 12)
    lab.heal(name)
    assert len(took) == 12
    assert least <= statistics.median(took) < most
    assert (max(took) - min(took) > 30) == name.startswith("jitter")
    assert settle(lab) == HEALTHY
    assert kernel_state(lab) == former_state


def is_there(lab: Lab) -> bool:
    return ping(lab, ANCHORS[0].address) == "answers"


def test_a_flapping_line_goes_and_comes_by_the_clock(lab, former_state):
    begin = lab.inject("flapping:1.5")
    seen = [is_there(lab)]
    for at in (2.0, 3.2, 5.0):
        time.sleep(max(0.0, begin + at - boottime_s()))
        seen.append(is_there(lab))
    lab.heal("flapping:1.5")
    assert seen == [False, True, False, True]
    assert is_there(lab)
    assert kernel_state(lab) == former_state


def test_a_slow_recovery_ends_by_itself_and_loses_less_and_less(lab):
    begin = lab.inject("slow_recovery:1")
    losses = []
    for at in (5.0, 6.0, 7.0, 8.0):
        time.sleep(max(0.0, begin + at + 0.1 - boottime_s()))
        rules = lab.host(Place.ISP).run(["nft", "list", "ruleset"]).stdout
        losses.append(int(found[1]) if (found := re.search(r"mod 100 < (\d+)", rules)) else 0)
    present = lab.present
    lab.heal("slow_recovery:1")
    assert losses == [60, 40, 20, 0]
    assert present == ("slow_recovery:1",)
    assert "slow_recovery" not in lab.host(Place.ISP).run(["nft", "list", "tables"]).stdout


def test_a_replaced_router_gives_the_box_another_address(lab):
    lab.inject("dhcp_change")
    there = lab.box.run(["ip", "-4", "addr", "show", "wan0"]).stdout
    route = lab.box.run(["ip", "-4", "route", "show", "default", "dev", "wan0"]).stdout
    names = lab.resolvers("wan0")
    lab.heal("dhcp_change")
    assert "192.168.77.130/24" in there
    assert "192.168.1." not in there
    assert route.startswith("default via 192.168.77.1 ")
    assert names == ["192.168.77.1"]
    assert "192.168.1.100/24" in lab.box.run(["ip", "-4", "addr", "show", "wan0"]).stdout


def test_an_overlapping_hotspot_has_the_network_of_the_lan(lab):
    lab.inject("hotspot_overlaps")
    routes = lab.box.run(["ip", "-4", "route", "show", "192.168.1.0/24"]).stdout
    answers = ping(lab, ANCHORS[0].address, "phone0")
    lab.heal("hotspot_overlaps")
    assert "dev wan0" in routes
    assert "dev phone0" in routes
    assert answers == "answers"


def test_of_two_faults_of_one_thing_the_younger_holds(lab, former_state):
    def mtu() -> str:
        shown = lab.host(Place.ISP).run(["ip", "-o", "link", "show", "cust0"]).stdout
        return str(shown.partition(" mtu ")[2].split()[0])

    lab.inject("mtu_blackhole:1280")
    lab.inject("mtu_blackhole:1000")
    assert mtu() == "1000"
    lab.heal("mtu_blackhole:1280")
    assert mtu() == "1000"
    lab.inject("mtu_blackhole:1280")
    lab.heal("mtu_blackhole:1280")
    assert mtu() == "1000"
    lab.heal("mtu_blackhole:1000")
    assert kernel_state(lab) == former_state


@pytest.mark.parametrize("name", ["mtu_blackhole:20", "delay:soon", "bufferbloat_own:much"])
def test_a_fault_that_cannot_be_leaves_nothing_of_itself(lab, former_state, name):
    with pytest.raises(LabError):
        lab.inject(name)
    assert lab.present == ()
    assert kernel_state(lab) == former_state


def test_the_route_of_a_pulled_cable_goes_and_comes_back(lab):
    def default_routes() -> str:
        return str(lab.box.run(["ip", "-4", "route", "show", "default"]).stdout)

    before = default_routes()
    lab.inject("cable_out")
    time.sleep(1.5)
    assert "wan0" not in default_routes()
    assert "lte0" in default_routes()
    assert lab.resolvers("wan0") == []
    assert "192.168.1.1" not in lab.box.run(["cat", "/etc/resolv.conf"]).stdout
    assert "192.168.1.100" in lab.box.run(["ip", "-4", "addr", "show", "wan0"]).stdout
    lab.heal("cable_out")
    assert settle(lab) == HEALTHY
    assert default_routes() == before
    assert lab.resolvers("wan0") == ["192.168.1.1"]


def test_the_portal_sends_people_to_its_sign_in_page(lab):
    lab.inject("portal")
    done = curl(lab, "http://connectivity.example/204", "-L")
    lab.heal("portal")
    assert "Please sign in" in done.stdout


@pytest.mark.parametrize(
    "name, place, line", [("no_return", Place.ISP, "wan0"), ("lte_zombie", Place.CARRIER, "lte0")]
)
def test_a_line_without_return_still_carries_questions(lab, name, place, line):
    lab.inject(name)
    seen = ping(lab, ANCHORS[0].address, line)
    rules = lab.host(place).run(["nft", "list", "table", "inet", f"fault_{name}_0"]).stdout
    lab.heal(name)
    assert seen == SILENT
    assert "counter packets 0 " not in rules


def test_a_hijacked_name_leads_to_a_page_that_answers(lab):
    done = curl(lab, f"http://{LIE_ADDRESS}/anything")
    assert "Did you mean" in done.stdout


def test_a_used_up_plan_sends_people_to_the_carrier(lab):
    lab.inject("lte_data_cap")
    done = curl(lab, "http://connectivity.example/204", "--interface", "lte0", "-L")
    lab.heal("lte_data_cap")
    assert "Please sign in" in done.stdout


def test_the_filter_shows_the_true_page_under_its_own_certificate(lab):
    lab.inject("tls_intercepted")
    url = "https://app.bookwell.example/login"
    shown = curl(lab, url, "--cacert", str(lab.folder / "filter_pki/ca.pem"))
    refused = curl(lab, url)
    lab.heal("tls_intercepted")
    assert "Sign in - BookWell" in shown.stdout
    assert "unable to get local issuer certificate" in refused.stderr


def test_the_status_page_has_tags_and_the_shape_of_the_real_one(lab):
    url = "https://status.bookwell.example/api/v2/summary.json"
    headers = curl(lab, url, "-D", "-", "-o", "/dev/null").stdout
    tag = next(line.split(": ")[1] for line in headers.splitlines() if line.startswith("ETag"))
    assert tag.startswith('W/"')
    assert "max-age=10, public" in headers
    assert "Age: " in headers
    assert code(lab, url, "-H", f"If-None-Match: {tag}") == "304"
    assert code(lab, "https://status.bookwell.example/api/v2/nothing.json") == "404"


def test_what_is_posted_to_the_hooks_can_be_read(lab):
    lab.control.forget()
    code(lab, "https://hooks.example/x?a=1", "-d", "hello")
    record = lab.control.sink()[0]
    assert (record["path"], record["text"], record["from"]) == ("/x?a=1", "hello", "192.0.2.2")
    assert [asked["path"] for asked in lab.control.asked("hooks")] == ["/x?a=1"]


def test_a_stick_that_brings_nothing_still_says_that_it_is_online(lab):
    lab.inject("lte_zombie")
    page = "http://192.168.8.1/api/monitoring/status"
    said = lab.box.run(["curl", "-sS", "-m", "5", "--interface", "lte0", page]).stdout
    assert "<ConnectionStatus>901</ConnectionStatus>" in said
    assert look(lab)["lte"] == SILENT
