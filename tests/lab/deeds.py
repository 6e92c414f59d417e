"""Deeds: the smallest things that can be made wrong in the lab, each a state of one thing.

Nothing happens here; lab.py carries deeds out and undoes them.
"""

from dataclasses import dataclass

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
class Behaviour:
    """A server of the lab's internet behaves as *word* says; see world.py and vendor.py."""

    word: str


Deed = Rules | LinkDown | Behaviour


def filled(deed: Deed, argument: str) -> Deed:
    """Give *deed* with *argument* in place of every ``{}``."""
    match deed:
        case Rules(place, chains, family):
            return Rules(place, chains.replace("{}", argument), family)
        case Behaviour(word):
            return Behaviour(word.replace("{}", argument))
        case LinkDown():
            return deed
