"""Deeds: the smallest things that can be made wrong in the lab, each a state of one thing.

Nothing happens here; doing.py carries deeds out and undoes them.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from tests.lab.places import Place


@dataclass(frozen=True, slots=True)
class Rules:
    """Chains in an nftables table of their own; *family* is inet or netdev."""

    place: Place
    chains: str
    family: str = "inet"


@dataclass(frozen=True, slots=True)
class LinkDown:
    """An interface is set down, so that its peer loses the carrier."""

    place: Place
    interface: str


@dataclass(frozen=True, slots=True)
class Narrow:
    """An interface carries packets of at most *mtu_bytes*."""

    place: Place
    interface: str
    mtu_bytes: str


@dataclass(frozen=True, slots=True)
class Queue:
    """An interface sends at *rate* (words of tc) at most; what is more waits, up to *wait_ms*."""

    place: Place
    interface: str
    rate: str
    wait_ms: str


@dataclass(frozen=True, slots=True)
class NewLease:
    """The DHCP server of an uplink of the box comes back with the network *prefix*.0/24."""

    interface: str
    prefix: str


@dataclass(frozen=True, slots=True)
class LeaseOption:
    """The DHCP server of an uplink of the box sends one more *option*; the lease stays as it is."""

    interface: str
    option: str


@dataclass(frozen=True, slots=True)
class Course:
    """Rules of one place come and go by the clock; "" is a time without any.

    *steps*: seconds and chains.  *repeats*: from the end to the beginning, ten minutes at most.
    """

    place: Place
    steps: tuple[tuple[str, str], ...]
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program of this room runs at a place; it says "ready" and ends when told to."""

    place: Place
    file: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A server of the lab's internet behaves as *word* says; see world.py and vendor.py."""

    word: str


Deed = Rules | LinkDown | Narrow | Queue | NewLease | LeaseOption | Course | Program | Behaviour


def filled(deed: Deed, argument: str) -> Deed:
    """Give *deed* with *argument* in place of every ``{}``."""
    parts = {f.name: _fill(getattr(deed, f.name), argument) for f in fields(deed)}
    return replace(deed, **parts)


def _fill(value: Any, argument: str) -> Any:
    match value:
        case Place() | bool():
            return value
        case str():
            return value.replace("{}", argument)
        case tuple():
            return tuple(_fill(part, argument) for part in value)
    raise TypeError(f"a deed does not hold {value!r}")
