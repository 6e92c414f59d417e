"""The addresses of the vendor are looked up, kept, and handed on with the line they take."""

import pytest

from edge_watchdog.links import LinkError
from edge_watchdog.links.steer import MOST, VendorWay

Order = tuple[str | None, tuple[str, ...]]


class Book:
    """Says what addresses there are, and notes what was ordered."""

    def __init__(self, **hosts: tuple[str, ...]) -> None:
        self.hosts = hosts
        self.orders: list[Order] = []
        self.refuses = False

    async def look_up(self, host: str) -> tuple[str, ...]:
        return self.hosts.get(host, ())

    async def divert(self, uplink: str | None, addresses: tuple[str, ...]) -> None:
        self.orders.append((uplink, addresses))
        if self.refuses and uplink is not None:
            raise LinkError("not permitted")

    def way(self) -> VendorWay:
        return VendorWay(("app", "api"), self.look_up, self.divert)


async def test_every_address_of_every_host_takes_the_line() -> None:
    book = Book(app=("192.0.2.1", "192.0.2.2"), api=("192.0.2.2", "192.0.2.3"))
    way = book.way()
    await way.steer("LTE")
    assert book.orders == [("LTE", ("192.0.2.1", "192.0.2.2", "192.0.2.3"))]
    await way.steer(None)
    assert book.orders[-1] == (None, ())


async def test_new_addresses_come_in_and_old_ones_stay() -> None:
    book = Book(app=("192.0.2.1",))
    way = book.way()
    await way.look_again()
    assert book.orders == []
    await way.steer("LTE")
    await way.look_again()
    assert len(book.orders) == 1
    book.hosts["app"] = ("192.0.2.9",)
    await way.look_again()
    assert book.orders[-1] == ("LTE", ("192.0.2.9", "192.0.2.1"))
    book.hosts["app"] = tuple(f"198.51.100.{n}" for n in range(MOST + 10))
    await way.look_again()
    assert len(book.orders[-1][1]) == MOST


async def test_a_vendor_that_nobody_knows_is_said_and_left_alone() -> None:
    book = Book()
    with pytest.raises(LinkError, match="nobody knows an address of app, api"):
        await book.way().steer("LTE")
    assert book.orders == []


async def test_what_the_kernel_refuses_is_taken_back() -> None:
    book = Book(app=("192.0.2.1",))
    book.refuses = True
    with pytest.raises(LinkError, match="not permitted"):
        await book.way().steer("LTE")
    assert book.orders[-1] == (None, ())
