"""What the kernel says is read whole, and read again whenever it says something."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from edge_watchdog.core.model import LinkState, Uplink, UplinkKind
from edge_watchdog.links.ethernet import EthernetDriver
from edge_watchdog.links.kernel import Kernel
from edge_watchdog.links.keys import Ethernet
from tests.lab.lab import Lab

ANCHOR = "198.51.100.1"
BROADBAND = Uplink("broadband", UplinkKind.ETHERNET, "wan0")


def driver(
    kernel: Kernel, options: Ethernet | None = None, interface: str = "wan0"
) -> EthernetDriver:
    uplink = Uplink("line", UplinkKind.ETHERNET, interface)
    return EthernetDriver(options or Ethernet(), uplink, kernel, ANCHOR)


@asynccontextmanager
async def watching(kernel: Kernel) -> AsyncIterator[None]:
    task = asyncio.create_task(kernel.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first(states: AsyncIterator[LinkState], wanted: Callable[[LinkState], bool]) -> LinkState:
    async with asyncio.timeout(20):
        async for state in states:
            if wanted(state):
                return state
    raise AssertionError("the stream ended")


async def test_a_line_with_a_lease_is_seen_with_address_gateway_and_resolver(
    lab: Lab, kernel: Kernel
) -> None:
    async with watching(kernel):
        state = await first(driver(kernel).watch(), lambda s: s.present)
    assert state.carrier is True
    assert state.addresses[0].startswith("192.168.1.")
    assert (state.gateway, state.resolvers) == ("192.168.1.1", ("192.168.1.1",))
    assert state.routed is True
    assert state.default is True


async def test_a_pulled_cable_is_seen_at_once_and_so_is_its_return(
    lab: Lab, kernel: Kernel
) -> None:
    async with watching(kernel):
        states = driver(kernel).watch()
        await first(states, lambda s: s.carrier is True)
        await asyncio.to_thread(lab.inject, "cable_out")
        await first(states, lambda s: s.carrier is False)
        await asyncio.to_thread(lab.heal, "cable_out")
        back = await first(states, lambda s: s.carrier is True and s.gateway is not None)
    assert back.addresses


async def test_a_device_that_is_not_there_is_absent_and_nothing_else_is_known(
    kernel: Kernel,
) -> None:
    async with watching(kernel):
        state = await first(driver(kernel, interface="usb9").watch(), lambda _: True)
    assert state == LinkState(present=False)


async def test_configured_gateway_and_resolvers_go_before_what_is_found(kernel: Kernel) -> None:
    options = Ethernet(gateway="192.168.8.1", resolvers=("203.0.113.53",))  # type: ignore[arg-type]
    async with watching(kernel):
        state = await first(driver(kernel, options, "lte0").watch(), lambda s: s.present)
    assert (state.gateway, state.resolvers) == ("192.168.8.1", ("203.0.113.53",))


async def test_the_routing_self_test_knows_a_gateway_that_would_not_be_used(
    kernel: Kernel,
) -> None:
    index = kernel.snapshot.devices["wan0"].index
    assert await kernel.leads_out(index, "192.168.1.1", ANCHOR)
    assert not await kernel.leads_out(index, "192.168.1.254", ANCHOR)


async def test_opened_again_after_closing_it_works(lab: Lab) -> None:
    one = Kernel()
    await one.open()
    await one.close()
    await one.close()
    await one.open()
    assert "lo" in one.snapshot.devices
    await one.close()
