"""In which networks it is asked who gives out addresses, and who hears of a stranger."""

import pytest

from edge_watchdog.config import Config, parse
from edge_watchdog.core.events import BoxReported, Event
from edge_watchdog.core.model import LinkState, Stranger
from edge_watchdog.links import LinkError
from edge_watchdog.links.dhcp import Offer
from edge_watchdog.links.kernel import Device, Kernel, Snapshot
from edge_watchdog.strangers import Sight, Strangers
from tests.links.test_counting import FakeClock

MAC, STRANGER_MAC = "02:00:5e:00:53:01", "02:00:5e:00:53:77"
BOX, ROUTER, OLD = "192.168.50.1", "192.168.1.1", "192.168.1.20"
REAL = Offer(ROUTER, ROUTER, frozenset({ROUTER}), "02:00:5e:00:53:0a")
STRANGE = Offer(OLD, OLD, frozenset({OLD}), STRANGER_MAC)
OURS = Offer(BOX, BOX, frozenset({BOX}), MAC)
SETTINGS = """
[studio]
name = "Lotus Room"
time_zone = "Europe/London"
opening_hours = "Mon-Sat 09:00-19:00"
[box]
mode = "{mode}"
lan_interfaces = ["lan0"]
[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "wan0"
[[uplink]]
name = "LTE stick"
kind = "ethernet"
interface = "lte0"
metered = true
monthly_cap = "5GB"
"""
SNAPSHOT = Snapshot(
    devices={
        "wan0": Device(2, True, mac=MAC),
        "lte0": Device(3, True, mac="02:00:5e:00:53:02"),
        "lan0": Device(4, True, mac="02:00:5e:00:53:03"),
    },
    addresses={2: ("192.168.1.100/24",), 4: (f"{BOX}/24",)},
)


def settings(mode: str) -> Config:
    return parse(SETTINGS.format(mode=mode))


class House:
    """A box whose networks and servers are as told; what was asked and told is kept."""

    def __init__(self, mode: str, *offers: Offer, gateway: str = ROUTER) -> None:
        self.offers = offers
        self.clock = FakeClock()
        self.asked: list[str] = []
        self.told: list[tuple[str, Stranger | None]] = []
        self.emitted: list[Event] = []
        self.link = LinkState(True, True, ("192.168.1.100/24",), gateway, routed=True)
        self.kernel = Kernel()
        self.kernel.snapshot = SNAPSHOT
        self.fails = False
        sight = Sight(lambda _: self.link, lambda _: self.fails, self.tell, self.emitted.append)
        self.strangers = Strangers(
            settings(mode), self.kernel, sight, clock=self.clock, ask=self.ask
        )

    def tell(self, name: str, who: Stranger | None) -> None:
        self.told.append((name, who))

    async def ask(self, interface: str, mac: str) -> tuple[Offer, ...]:
        assert mac
        self.asked.append(interface)
        return self.offers


@pytest.mark.parametrize(
    "mode, gateway, asked",
    [
        ("self", ROUTER, ["wan0"]),
        ("gateway", ROUTER, ["lan0"]),
        ("self", "9.9.9.9", []),
    ],
    ids=["beside the router", "behind the box", "at the provider"],
)
async def test_only_the_studio_s_own_network_is_asked(mode, gateway, asked):
    house = House(mode, gateway=gateway)
    await house.strangers.look()
    assert house.asked == asked


async def test_a_line_s_stranger_is_told_with_its_addresses_until_it_is_gone():
    house = House("self", REAL, STRANGE)
    await house.strangers.look()
    assert house.told == [("broadband", Stranger(OLD, STRANGER_MAC, OLD))]
    await house.strangers.look()  # it is not time to ask again
    house.offers = (REAL,)
    for _ in range(2):
        house.clock.step(30)
        await house.strangers.look()
    assert house.told[-1] == ("broadband", None)
    assert house.asked == ["wan0"] * 3
    assert house.strangers.problems() == ()


async def test_what_was_found_is_forgotten_with_the_network():
    house = House("self", REAL, STRANGE)
    await house.strangers.look()
    house.link = LinkState(True, False)
    await house.strangers.look()
    assert house.told[-1] == ("broadband", None)


async def test_behind_the_box_its_own_server_is_none_and_any_other_is_a_problem():
    house = House("gateway", OURS)
    await house.strangers.look()
    assert house.strangers.problems() == ()
    house.offers = (OURS, STRANGE)
    house.clock.step(600)
    await house.strangers.look()
    [words] = house.strangers.problems()
    assert f"leads computers past the box: {OLD} ({STRANGER_MAC})." in words
    house.offers = (OURS,)
    for _ in range(3):
        house.clock.step(30)
        await house.strangers.look()
    said = [one.report.stranger for one in house.emitted if isinstance(one, BoxReported)]
    assert said == ["", f"{OLD} ({STRANGER_MAC})", ""]  # each is news once
    assert house.told == []


async def test_of_a_network_behind_the_box_that_cannot_be_asked_nothing_is_said():
    house = House("gateway", STRANGE)
    await house.strangers.look()
    house.kernel.snapshot = Snapshot()
    await house.strangers.look()
    assert len(house.emitted) == 1


async def test_a_network_that_cannot_be_asked_is_asked_again_as_seldom():
    house = House("self")

    async def refuse(interface: str, mac: str) -> tuple[Offer, ...]:
        house.asked.append(interface)
        raise LinkError(f"{interface}, {mac}: no")

    sight = Sight(lambda _: house.link, lambda _: False, house.tell, house.emitted.append)
    strangers = Strangers(settings("self"), house.kernel, sight, clock=house.clock, ask=refuse)
    for _ in range(3):
        await strangers.look()
        house.clock.step(301)
    assert (house.asked, house.told) == (["wan0", "wan0"], [])


@pytest.mark.parametrize("gone", ["wan0", "lan0"])
async def test_an_interface_without_a_cable_or_none_at_all_is_not_asked(gone):
    house = House("self" if gone == "wan0" else "gateway", STRANGE)
    house.kernel.snapshot = Snapshot()
    await house.strangers.look()
    assert house.asked == []
