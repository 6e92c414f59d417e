"""The packet filter and the flows of gateway mode, in the kernel of a lab's box."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.links import LinkError, elements, farewell
from edge_watchdog.links.conntrack import LanFlows, list_flows, sweep
from edge_watchdog.links.drain import DRAIN_BYTES, IDLE_S, Draining, Flow, Flows, spent_since
from edge_watchdog.links.firewall import Firewall, Sides, read_heard, remove_table
from edge_watchdog.links.gateway import Gateway, lan_addresses, shortcomings
from edge_watchdog.links.kernel import Device, Snapshot
from edge_watchdog.links.program import run_program
from tests.lab.lab import Lab
from tests.lab.netns import inside
from tests.patience import soon

SIDES = Sides(("lan0",), {"wan0": 7001, "lte0": 7002})
MADE = (
    "-I -p {} -s 192.0.2.1 -d 192.0.2.9 --sport {} --dport 99 -r 192.0.2.9 -q 192.0.2.8"
    " --reply-port-src 99 --reply-port-dst {} -t 60 {} -m {}"
)
UPLINKS = {"broadband": "wan0", "LTE": "lte0"}


@pytest.fixture
def box(lab: Lab) -> Iterator[Lab]:
    """The test itself, and every program it starts, stands in the box's network."""
    with inside(lab.box.namespace):
        yield lab


async def listed() -> str:
    return await run_program(["nft", "-s", "list", "ruleset"])


async def test_the_table_is_loaded_steered_and_removed(box: Lab) -> None:
    before = await listed()
    firewall = Firewall(SIDES)
    for mark, shown in ((7001, "0x00001b59"), (7002, "0x00001b5a"), (7002, "0x00001b5a")):
        await firewall.steer(mark)
        assert f'"lan0" : {shown}' in await listed()
    await firewall.steer(None)
    assert '"lan0" :' not in await listed()
    assert firewall.trouble == ""
    await firewall.clear()
    await firewall.clear()
    assert await listed() == before


async def test_flows_to_some_addresses_get_a_mark_of_their_own(box: Lab) -> None:
    firewall = Firewall(SIDES)
    await firewall.divert({"203.0.113.9": 7002})  # nothing is loaded before the first order
    assert "edge_watchdog" not in await listed()
    await firewall.steer(7001)
    assert "203.0.113.9 : 0x00001b5a" in await listed()
    await firewall.divert({"203.0.113.80": 7002})
    assert "203.0.113.9 :" not in await listed()
    await firewall.reconcile()
    assert firewall.repairs == 0
    await run_program(["nft", "flush", "map", "inet", "edge_watchdog", "apart"])
    await firewall.reconcile()
    assert firewall.repairs == 1
    assert "203.0.113.80 : 0x00001b5a" in await listed()
    await firewall.divert({})
    assert "203.0.113.80" not in await listed()
    await firewall.clear()


@pytest.mark.parametrize(
    "harm",
    [
        "flush ruleset",
        "delete table inet edge_watchdog",
        "flush chain inet edge_watchdog leave",
        "flush map inet edge_watchdog new_flows",
        "add rule inet edge_watchdog pass drop",
    ],
)
async def test_what_a_stranger_does_to_it_is_seen_at_once_and_mended(box: Lab, harm: str) -> None:
    firewall = Firewall(SIDES)
    keeper = asyncio.create_task(firewall.run())
    try:
        await firewall.steer(7001)
        good = await listed()
        await asyncio.sleep(0.2)
        await run_program(["nft", "-f", "-"], harm)
        assert await listed() != good
        for _ in range(500):
            if await listed() == good:
                break
            await asyncio.sleep(0.05)
        assert await listed() == good
        assert firewall.repairs >= 1
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await firewall.clear()


async def test_a_filter_that_nobody_changed_is_not_listed_again(
    box: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    firewall = Firewall(SIDES)
    await firewall.steer(7001)
    await firewall.reconcile()  # lists it
    with monkeypatch.context() as without_nft:
        without_nft.setenv("PATH", "/nowhere")
        await firewall.reconcile()
        assert (firewall.repairs, firewall.trouble) == (0, "")
    await run_program(["nft", "add", "rule", "inet", "edge_watchdog", "pass", "drop"])
    await firewall.reconcile()
    assert firewall.repairs == 1
    await firewall.clear()


async def test_somebody_else_s_table_is_left_alone(box: Lab) -> None:
    await run_program(["nft", "-f", "-"], "table inet foreign { chain one { accept; }; }")
    firewall = Firewall(SIDES)
    await firewall.steer(7001)
    await firewall.clear()
    assert "table inet foreign" in await listed()
    await run_program(["nft", "-f", "-"], "delete table inet foreign")


async def test_without_nft_there_is_trouble_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    firewall = Firewall(SIDES)
    await firewall.steer(7001)
    assert "nft cannot be started" in firewall.trouble
    await remove_table()
    assert any("apt-get install nftables" in line for line in shortcomings(("lan0",)))


async def test_only_the_flows_of_one_uplink_are_ended(box: Lab) -> None:
    open_tcp = "--state ESTABLISHED -u SEEN_REPLY,ASSURED"
    for port, protocol, mark, more in (
        (5000, "udp", 7001, ""),
        (5001, "tcp", 7001, open_tcp),
        (5002, "udp", 7002, ""),
    ):
        words = MADE.format(protocol, port, port + 2000, more, mark).split()
        await run_program(["conntrack", *words])
    assert {flow.protocol for flow in await list_flows(7001)} == {"udp", "tcp"}
    assert await sweep(7001) == 2
    assert await list_flows(7001) == ()
    flows = Flows(LanFlows({"LTE": 7002}), SystemClock())
    flows.drain("LTE")
    await soon(flows.left)
    assert flows.left() == {"LTE": 1}
    assert await flows.evict("LTE") == 1
    assert flows.left() == {}
    await flows.close()


async def test_a_flow_is_ended_alone_and_one_without_an_answer_when_the_drain_begins(
    box: Lab,
) -> None:
    for port, state in ((5010, "ESTABLISHED"), (5011, "ESTABLISHED"), (5012, "SYN_SENT")):
        words = MADE.format("tcp", port, port, f"--state {state} -u SEEN_REPLY", 7001)
        await run_program(["conntrack", *words.split()])
    flows = LanFlows({"broadband": 7001})
    await flows.begin("broadband")
    left = {flow.source_port: flow for flow in await flows.list("broadband")}
    assert set(left) == {"5010", "5011"}
    assert 50 <= left["5010"].expires_s <= 60
    await flows.end((left["5010"],))
    await flows.end((left["5010"],))  # gone already
    assert [flow.source_port for flow in await flows.list("broadband")] == ["5011"]
    assert await flows.sweep("broadband") == 1


async def test_resets_are_made_ready_by_the_thousand_in_one_step(box: Lab) -> None:
    firewall = Firewall(SIDES)
    ends = [farewell.Ends(("192.0.2.1", port), ("192.0.2.9", 443)) for port in range(20000, 22500)]
    assert not await farewell.announce(ends)  # no table, no reset; said in the log
    await firewall.steer(7001)
    assert await farewell.announce(ends)
    assert (await listed()).count("192.0.2.1 . ") == 2500
    await firewall.reconcile()
    assert firewall.repairs == 0
    await firewall.clear()


async def test_an_interface_that_was_renamed_is_known_by_its_new_name(box: Lab) -> None:
    names: dict[str, str] = {}
    firewall = Firewall(SIDES, lambda name: names.get(name, name))
    await firewall.follow()  # nothing is loaded before the first order
    await firewall.steer(7001)
    await firewall.fence(("lte0",), ("192.0.2.0/24",))
    names["lte0"] = "wwan7"
    await firewall.follow()
    table = await listed()
    assert '"wwan7"' in table
    assert '"lte0"' not in table
    await firewall.reconcile()
    await firewall.fence(("lte0",), ())
    await firewall.reconcile()
    assert firewall.repairs == 0
    await firewall.clear()


async def test_answers_are_counted_from_nothing_on(box: Lab) -> None:
    assert await read_heard() == {}
    firewall = Firewall(SIDES)
    await firewall.steer(7001)
    assert await read_heard() == {7001: 0, 7002: 0}
    await firewall.clear()


async def test_a_move_that_the_kernel_refuses_is_a_load(box: Lab) -> None:
    firewall = Firewall(SIDES)
    await firewall.steer(7001)
    await remove_table()
    with pytest.raises(LinkError, match="our table, or what was to be changed in it, is not there"):
        await elements.put({"new_flows": ()})
    await firewall.steer(7002)
    assert '"lan0" : 0x00001b5a' in await listed()
    await firewall.clear()


async def test_a_drain_is_over_when_it_has_cost_enough(box: Lab) -> None:
    await run_program(["conntrack", *MADE.format("udp", 5003, 7003, "", 7002).split()])
    readings = iter((5, 6 + DRAIN_BYTES))
    flows = Flows(LanFlows({"LTE": 7002}), SystemClock(), lambda _: next(readings))
    flows.drain("LTE")
    for _ in range(1000):
        await asyncio.sleep(0.02)
        if flows.empty():
            break
    assert set(flows.empty()) == {"LTE"}
    assert await list_flows(7002) == ()
    flows.spare("LTE")
    assert flows.empty() == {}
    await flows.close()


def test_a_counter_that_began_anew_is_read_rightly() -> None:
    assert spent_since(100, 140) == 40
    assert spent_since(100, 30) == 30
    assert spent_since(None, 30) == spent_since(30, None) == 0


def flow(port: int, expires_s: float) -> Flow:
    return Flow("tcp", "192.0.2.1", "192.0.2.9", str(port), "443", expires_s)


def test_a_flow_whose_time_runs_down_untouched_is_idle() -> None:
    draining = Draining()
    assert draining.note((flow(1, 100), flow(2, 100)), 0.0) == ()
    assert draining.note((flow(1, 80), flow(2, 99)), 20.0) == ()
    assert draining.note((flow(1, 70), flow(2, 89)), IDLE_S) == (flow(1, 70),)
    assert draining.note((flow(2, 69),), 20.0 + IDLE_S) == (flow(2, 69),)


async def test_a_program_that_refuses_is_quoted() -> None:
    with pytest.raises(LinkError, match=r"nft: .*syntax error"):
        await run_program(["nft", "-c", "-f", "-"], "nonsense")


def test_an_uplink_in_the_lan_s_own_range_is_refused() -> None:
    gateway = Gateway(("lan0",), UPLINKS, clock=SystemClock())
    snapshot = Snapshot({"lan0": Device(5, carrier=True)}, {5: ("192.168.8.1/22",)})
    assert lan_addresses(("lan0", "lan1"), snapshot) == ("192.168.8.1/22",)
    assert gateway.refuses("LTE", ("192.168.8.100/24",), snapshot)
    assert any("LTE is not used: it has the same addresses" in p for p in gateway.problems())
    assert not gateway.refuses("LTE", ("192.168.50.100/24",), snapshot)
    assert not any("LTE is not used" in problem for problem in gateway.problems())


def test_one_leg_for_both_sides_is_no_clash() -> None:
    gateway = Gateway(("wan0",), UPLINKS, clock=SystemClock())
    snapshot = Snapshot({"wan0": Device(5, carrier=True)}, {5: ("192.168.1.100/24",)})
    assert not gateway.refuses("broadband", ("192.168.1.100/24",), snapshot)


def forwards() -> str:
    return Path("/proc/sys/net/ipv4/ip_forward").read_text("ascii").strip()


async def test_kernel_settings_are_made_and_put_back(box: Lab) -> None:
    gateway = Gateway(("wan0",), UPLINKS, clock=SystemClock())
    assert forwards() == "0"
    assert any("net.ipv4.ip_forward is not 1" in problem for problem in gateway.problems())
    gateway.open()
    assert forwards() == "1"
    assert not any("ip_forward" in problem for problem in gateway.problems())
    await gateway.close(keep=False)
    assert forwards() == "0"


class Stubborn:
    """Connections of which one cannot be ended."""

    async def list(self, _uplink: str) -> tuple[Flow, ...]:
        return (flow(1, 100),)

    async def begin(self, _uplink: str) -> None:
        raise LinkError("not permitted")

    async def end(self, _flows: tuple[Flow, ...]) -> None:
        raise LinkError("not permitted")

    async def sweep(self, _uplink: str) -> int:
        raise LinkError("1 flows could not be ended")


async def test_what_could_not_be_ended_is_said_and_never_called_empty() -> None:
    flows = Flows(Stubborn(), SystemClock())
    with pytest.raises(LinkError, match="could not be ended"):
        await flows.evict("LTE")
    flows.drain("LTE")
    await asyncio.sleep(0.2)
    assert flows.left() == {"LTE": 1}
    assert flows.empty() == {}
    await flows.close()


class Slow(Stubborn):
    """Connections whose end takes as long as it is let; counts the sweeps."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.begun = self.at_it = 0

    async def list(self, _uplink: str) -> tuple[Flow, ...]:
        return ()

    async def end(self, _flows: tuple[Flow, ...]) -> None:
        """There are none."""

    async def sweep(self, _uplink: str) -> int:
        self.begun += 1
        self.at_it += 1
        try:
            await self.go_on.wait()
        finally:
            self.at_it -= 1
        return 0


async def test_a_drain_that_begins_while_an_eviction_runs_leaves_nothing_behind_at_the_end() -> (
    None
):
    slow = Slow()
    flows = Flows(slow, SystemClock())
    evicting = asyncio.create_task(flows.evict("LTE"))
    async with asyncio.timeout(20):
        for sweeps in (1, 2):  # the eviction's, then that at the end of the drain
            while slow.begun < sweeps:  # noqa: ASYNC110 - counting is all that it does
                await asyncio.sleep(0)
            if sweeps == 1:
                flows.drain("LTE")
    evicting.cancel()
    await asyncio.gather(evicting, return_exceptions=True)
    await flows.close()
    assert slow.at_it == 0
