from pathlib import Path

import pytest

from edge_watchdog.config import (
    ConfigError,
    absent_files,
    advice,
    load,
    load_outline,
    observing,
    own_outline,
    parse,
    policy,
)
from edge_watchdog.config.line_keys import BUILT_IN_ANCHORS, BUILT_IN_WEB
from edge_watchdog.core.model import Anchor, Mode, Uplink, UplinkKind
from edge_watchdog.core.policy import Plan

HERE = Path(__file__).parent
GOOD = (HERE / "good.toml").read_text()
LEAST = """
[studio]
name = "Lotus Room"
time_zone = "Europe/London"

[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "eth0"
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_keys_other_programs_rely_on_are_understood():
    config = load(HERE / "good.toml")
    assert config.path == str(HERE / "good.toml")
    assert config.studio.name == "Lotus Room"
    assert config.box.mode is Mode.SELF
    assert config.box.lan_interfaces == ("lan0",)
    assert [one.uplink for one in config.uplinks] == [
        Uplink("broadband", UplinkKind.ETHERNET, "wan0"),
        Uplink("LTE stick", UplinkKind.ETHERNET, "lte0", metered=True),
    ]
    assert config.uplinks[1].plan == Plan(5_000_000_000)
    assert config.anchors[0] == Anchor("alpha", "198.51.100.1", dns=True)
    assert config.probe.web == ("http://connectivity.example/204",)
    assert config.vendor is not None
    assert config.vendor.status is not None
    assert config.schedules[0].every == 300.0
    assert config.mqtt is not None
    assert config.alerts[0].kind == "webhook"


def test_the_least_configuration_has_a_studio_and_one_uplink():
    config = parse(LEAST)
    assert config.box.mode is Mode.OBSERVE
    assert config.anchors == BUILT_IN_ANCHORS
    assert config.probe.web == BUILT_IN_WEB
    assert config.vendor is None
    assert config.desk.listen == "0.0.0.0:8080"
    assert len({anchor.operator for anchor in config.anchors}) >= 3


def test_the_mind_gets_its_numbers_in_seconds():
    chosen = policy(parse(GOOD))
    assert chosen.hold_s == 90.0
    assert chosen.mode is Mode.SELF
    assert chosen.vendor_name == "BookWell"
    assert [uplink.name for uplink in chosen.uplinks] == ["broadband", "LTE stick"]


def test_a_gateway_needs_to_know_where_the_computers_are():
    text = GOOD.replace('mode = "self"', 'mode = "gateway"')
    assert parse(text).box.mode is Mode.GATEWAY
    with pytest.raises(ConfigError, match=r"\[box\] lan_interfaces: is missing"):
        parse(text.replace('lan_interfaces = ["lan0"]', ""))


def test_a_gateway_may_give_addresses_and_nobody_else_does():
    text = GOOD.replace('"self"', '"gateway"\ndhcp_range = "192.168.50.9 - 192.168.50.90"')
    assert parse(text).box.dhcp_range == "192.168.50.9-192.168.50.90"
    assert not any("dhcp_range" in line for line in advice(parse(text)))
    looking_on = parse(text.replace('"gateway"', '"self"'))
    assert any("dhcp_range does nothing here" in line for line in advice(looking_on))


def test_what_is_allowed_is_the_vendor_and_what_the_owner_names_once_a_line_can_be_limited():
    limited = '[metered]\nrestrict = "used up"\nallow = ["pay.example", "192.0.2.7"]\n'
    found = parse(GOOD + limited)
    assert found.allowed == ("app.bookwell.example", "pay.example", "192.0.2.7/32")
    assert any("[metered] does nothing here" in line for line in advice(found))
    assert not any(
        "[metered]" in line
        for line in advice(parse((GOOD + limited).replace('"self"', '"gateway"')))
    )
    assert parse(GOOD).allowed == ()
    stops = GOOD.replace('monthly_cap = "5GB"', 'monthly_cap = "5GB"\nwhen_used_up = "stop"')
    assert parse(stops).allowed == ("app.bookwell.example",)
    assert parse(LEAST).vendor_hosts == ()


def test_a_budget_for_an_outage_limits_a_gateway_and_what_it_would_cut_off_is_said():
    text = GOOD.replace('monthly_cap = "5GB"', 'monthly_cap = "5GB"\noutage_budget = "500MB"')
    assert parse(text).allowed == ("app.bookwell.example",)
    assert any("outage_budget is told, but limits nobody" in line for line in advice(parse(text)))
    gateway = text.replace('"self"', '"gateway"')
    assert not any("limit" in line for line in advice(parse(gateway)))
    bare = gateway.replace('app_url = "https://app.bookwell.example/login"\n', "")
    (said,) = (line for line in advice(parse(bare)) if "reach nothing" in line)
    assert said.startswith("[metered] allow is empty and [vendor] has no app_url: over a metered")
    allowed = parse(bare + '[metered]\nallow = ["pay.example"]\n')
    assert not any("reach nothing" in line for line in advice(allowed))
    assert (policy(allowed).allows_vendor, policy(allowed).allows_more) == (False, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("192.168.50.9", "write two addresses"),
        ("192.168.50.9-90", "write two addresses"),
        ("192.168.50.90-192.168.50.9", "comes after the first"),
        ("192.168.50.9-192.169.50.9", "in the same network"),
    ],
)
def test_a_range_of_addresses_has_two_ends(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(GOOD.replace('mode = "self"', f'mode = "gateway"\ndhcp_range = "{text}"'))


def test_a_machine_without_a_configuration_is_only_looked_at():
    config = observing(["eth0", "usb0"], own_outline(time_zone="UTC", state_dir="/tmp/state"))
    assert config.box.mode is Mode.OBSERVE
    assert config.desk.listen.startswith("127.0.0.1:")
    assert [one.uplink.interface for one in config.uplinks] == ["eth0", "usb0"]


MISTAKES = [
    # old text in GOOD, new text, the line a person reads
    (
        'name = "Lotus Room"\n',
        "",
        "[studio] name: is missing; write a text in quotes",
    ),
    (
        '"Lotus Room"',
        "5",
        "[studio] name = 5: write a text in quotes",
    ),
    (
        '"Europe/London"',
        '"Europe/Lundon"',
        '[studio] time_zone = "Europe/Lundon": no such time zone; did you mean "Europe/London"?',
    ),
    (
        '"Europe/London"',
        '"london"',
        '[studio] time_zone = "london": no such time zone; did you mean "Europe/London"?',
    ),
    (
        '"Europe/London"',
        '"../../etc/passwd"',
        (
            '[studio] time_zone = "../../etc/passwd": no such time zone;'
            ' write a zone, such as "Europe/London"'
        ),
    ),
    (
        "Mon-Sat 09:00",
        "Mon-Sut 09:00",
        (
            "[studio] opening_hours = \"Mon-Sut 09:00-19:00\": 'Sut' is no day;"
            " known: Mon, Tue, Wed, Thu, Fri, Sat, Sun"
        ),
    ),
    ('mode = "self"', 'mode = "slef"', '[box] mode = "slef": did you mean self?'),
    (
        '["lan0"]',
        '"lan0"',
        '[box] lan_interfaces = "lan0": write a list, in [ ]',
    ),
    (
        '["lan0"]',
        '["eth0", "a name that is too long"]',
        (
            '[box] lan_interfaces 2 = "a name that is too long":'
            ' write a network interface, such as "eth0", at most 15 characters'
        ),
    ),
    (
        '"/run/edge-watchdog"',
        '"run"',
        '[box] runtime_dir = "run": write a full path, such as "/etc/edge-watchdog/token"',
    ),
    ("metered = true", "metred = true", "[[uplink]] 2 metred: no such key; did you mean metered?"),
    (
        "metered = true",
        'metered = "yes"',
        '[[uplink]] 2 metered = "yes": write true or false, without quotes',
    ),
    (
        '"5GB"',
        "5",
        (
            "[[uplink]] 2 monthly_cap = 5: has no unit; write a size with a unit,"
            ' such as "20MB" or "5GB"'
        ),
    ),
    (
        '"5GB"',
        '"5 GiBi"',
        (
            '[[uplink]] 2 monthly_cap = "5 GiBi": write a size with a unit, such as "20MB" or'
            ' "5GB"; units: B, kB, KB, MB, GB, KiB, MiB, GiB'
        ),
    ),
    (
        'kind = "ethernet"\ninterface = "wan0"',
        'kind = "ethernett"\ninterface = "wan0"',
        '[[uplink]] 1 kind = "ethernett": no such kind; did you mean ethernet?',
    ),
    (
        'kind = "ethernet"\ninterface = "wan0"',
        'interface = "wan0"',
        '[[uplink]] 1 kind: is missing; known here: "ethernet"',
    ),
    (
        '"LTE stick"',
        '"Broadband"',
        '[[uplink]] 2 name = "Broadband": [[uplink]] 1 has the same name; each has its own',
    ),
    (
        '"lte0"',
        '"wan0"',
        '[[uplink]] 2 interface = "wan0": [[uplink]] 1 has the same interface; each has its own',
    ),
    (
        '"198.51.100.1"',
        '"one.one.one.one"',
        (
            '[[anchor]] 1 address = "one.one.one.one": write an IPv4 address, such as'
            ' "198.51.100.1"; names are never asked for a verdict'
        ),
    ),
    (
        '"198.51.100.1"',
        '"127.0.0.1"',
        '[[anchor]] 1 address = "127.0.0.1": is no host on the internet',
    ),
    (
        '"gamma"',
        '"Beta"',
        "[[anchor]]: 2 operators, 3 wanted: one's trouble is not ours",
    ),
    (
        '["http://connectivity.example/204"]',
        "[]",
        "[probe] web = []: name one page at least, or leave the key out",
    ),
    (
        '"http://connectivity.example/204"',
        '"connectivity.example/204"',
        (
            '[probe] web 1 = "connectivity.example/204":'
            " write an address with http:// or https:// and a host"
        ),
    ),
    (
        "[probe]",
        "[probes]",
        "[probes]: no such table; did you mean probe?",
    ),
    (
        '"https://app.bookwell.example/login"',
        '"https://me:hunter2@app.bookwell.example/login"',
        (
            '[vendor] app_url = "https://app.bookwell.example...":'
            " no user or password in an address; secrets are *_file keys"
        ),
    ),
    (
        '{ kind = "statuspage", url = "https://status.bookwell.example" }',
        '"https://status.bookwell.example/feed?token=hunter2"',
        '[vendor] status: "https://status.bookwell.example..." stands where a table of keys should',
    ),
    (
        '"statuspage"',
        '"statuspages"',
        '[vendor] status kind = "statuspages": no such kind; did you mean statuspage?',
    ),
    (
        'every = "5m"',
        "every = 300",
        (
            "[[schedule]] 1 every = 300: has no unit; write a time with a unit,"
            ' such as "30s", "5m" or "2h"'
        ),
    ),
    (
        'every = "5m"',
        'every = "1.5h"',
        (
            '[[schedule]] 1 every = "1.5h": write a whole number with a smaller unit:'
            ' a time with a unit, such as "30s", "5m" or "2h"'
        ),
    ),
    (
        'every = "5m"',
        'every = "0s"',
        (
            '[[schedule]] 1 every = "0s": is nothing; write a time with a unit,'
            ' such as "30s", "5m" or "2h"'
        ),
    ),
    (
        "[[schedule]]",
        "[schedule]",
        "[schedule]: write [[schedule]], with two brackets, above each",
    ),
    (
        'monthly_cap = "5GB"',
        'monthly_cap = "5GB"\n[metered]\nallow = ["pay.example", "192.0.2.1/24"]',
        (
            '[metered] allow 2 = "192.0.2.1/24": is no network; write a name or network, such as'
            ' "pay.example" or "192.0.2.0/24"'
        ),
    ),
    (
        'monthly_cap = "5GB"',
        'monthly_cap = "5GB"\n[metered]\nallow = ["a b"]',
        (
            '[metered] allow 1 = "a b": write a name or network, such as "pay.example" or'
            ' "192.0.2.0/24"'
        ),
    ),
    (
        'monthly_cap = "5GB"',
        "month_starts_on = 31",
        ("[[uplink]] 2 month_starts_on = 31: write a day of the month, 1 to 28, without quotes"),
    ),
    (
        '"0.0.0.0:8080"',
        '"8080"',
        '[desk] listen = "8080": write an address and a port, such as "0.0.0.0:8080"',
    ),
    (
        '"0.0.0.0:8080"',
        '"0.0.0.0:80800"',
        '[desk] listen = "0.0.0.0:80800": the port is a number from 1 to 65535',
    ),
    (
        'listen = "0.0.0.0:8080"',
        'listen = "0.0.0.0:8080"\nallowed_hosts = ["http://desk"]',
        (
            '[desk] allowed_hosts 1 = "http://desk...": write a name, such as'
            ' "desk.lotus.example", without http:// and without a port'
        ),
    ),
    (
        'listen = "0.0.0.0:8080"',
        'listen = "0.0.0.0:8080"\nframe_ancestors = ["http://x; script-src *"]',
        (
            '[desk] frame_ancestors 1 = "http://x; script-src *...": write a site, such as'
            ' "http://homeassistant.local:8123", without a path'
        ),
    ),
    (
        '"90s"',
        "90",
        (
            "[timing] failback_after = 90: has no unit; write a time with a unit,"
            ' such as "30s", "5m" or "2h"'
        ),
    ),
]


@pytest.mark.parametrize("old, new, line", MISTAKES, ids=[line[:40] for _, _, line in MISTAKES])
def test_each_mistake_is_one_line_with_what_would_do(old, new, line):
    assert GOOD.count(old) >= 1
    assert problems_of(GOOD.replace(old, new, 1)) == [line]


def test_six_mistakes_are_six_lines():
    text = GOOD
    for old, new, _ in (MISTAKES[i] for i in (1, 2, 5, 6, 11, 13)):
        text = text.replace(old, new, 1)
    assert len(problems_of(text)) == 6


def test_every_mistake_of_a_file_is_named_at_once():
    wrong = [one for one in MISTAKES if one[2].startswith(("[studio] time", "[box]", "[desk]"))]
    text = GOOD
    expected = []
    for old, new, line in wrong:
        if old in text:
            text = text.replace(old, new, 1)
            expected.append(line)
    assert problems_of(text) == expected


@pytest.mark.parametrize("key", ["password", "token", "api_key", "client_secret", "auth_token"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(key):
    (line,) = problems_of(f'{LEAST}\n[vendor]\nname = "BookWell"\n{key} = "hunter2"\n')
    assert "put it in a file" in line
    assert "hunter2" not in line


def test_too_few_anchors_are_no_ground_for_a_verdict():
    lines = problems_of(f'{LEAST}[[anchor]]\noperator = "a"\naddress = "198.51.100.1"\n')
    assert lines == [
        "[[anchor]]: 1 given, 4 wanted; without any, built-in ones are asked",
        "[[anchor]]: 1 operators, 3 wanted: one's trouble is not ours",
    ]


def test_a_file_without_uplinks_says_so():
    lines = problems_of('[studio]\nname = "Lotus Room"\ntime_zone = "UTC"\n')
    assert lines == ["[[uplink]]: is missing; write one for each way out"]


def test_an_empty_file_names_all_that_is_wanted():
    assert [line.partition(":")[0] for line in problems_of("")] == [
        "[studio] name",
        "[studio] time_zone",
        "[[uplink]]",
    ]


@pytest.mark.parametrize(
    "text",
    ["uplink = 5", "uplink = [5]", 'studio = "Lotus"', "anchor = {}", "box = []", "vendor = 1"],
)
def test_a_value_where_a_table_should_stand_is_one_problem(text):
    name = text.partition(" ")[0]
    assert any(name in line for line in problems_of(text))


def test_a_mistake_of_toml_is_found_by_line_and_column():
    (line,) = problems_of('[studio]\nname = "Lotus\n')
    assert "line 2, column 14" in line


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "odd.toml").write_bytes(b'[studio]\nname = "Lotus \xff"\n')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "odd.toml")


def test_files_that_are_not_there_are_found_before_the_start():
    found = [str(problem) for problem in absent_files(parse(GOOD))]
    assert found == ['[vendor] ca_file = "/etc/edge-watchdog/extra-ca.pem": no such file']


def test_what_systemd_hands_over_is_not_looked_for():
    text = GOOD.replace("/etc/edge-watchdog/extra-ca.pem", "/run/credentials/unit/ca.pem")
    assert absent_files(parse(text)) == []


def test_advice_names_what_a_small_configuration_lacks():
    said = "\n".join(advice(parse(LEAST)))
    for word in (
        "one way out",
        "[vendor]",
        "[[schedule]]",
        "[[alert]]",
        "opening_hours",
        "lan_interfaces",
    ):
        assert word in said
    assert advice(parse(GOOD)) == []


def test_the_outline_of_a_file_does_not_mind_mistakes_elsewhere(tmp_path):
    path = tmp_path / "half.toml"
    path.write_text(f"{GOOD}[nonsense]\n")
    outline = load_outline(path)
    assert outline.studio.name == "Lotus Room"
    assert outline.box.bridge_socket == "/run/edge-watchdog/bridge.sock"
    path.write_text("[studio]\n")
    with pytest.raises(ConfigError, match="is missing"):
        load_outline(path)
