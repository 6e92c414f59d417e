"""When it is asked who gives out addresses, and who of them is a stranger."""

import pytest

from edge_watchdog.links import LinkError
from edge_watchdog.links.dhcp import Offer
from edge_watchdog.links.offers import Servers, Side, ask_for_offers, table_text

MAC = "02:00:5e:00:53:01"
ROUTER, OLD_ROUTER, BOX = "192.168.1.1", "192.168.1.20", "192.168.50.1"
SIDE = Side("wan0", MAC, ROUTER)
FAILING = Side("wan0", MAC, ROUTER, fails=True)
BEHIND = Side("lan0", MAC, BOX, ours=True)


def offer(server: str, router: str = "", *names: str) -> Offer:
    return Offer(server, router or server, frozenset(names or (server,)))


REAL, STRANGE = offer(ROUTER), offer(OLD_ROUTER)
PARTNER = offer("192.168.1.2", ROUTER, ROUTER)  # of a pair
LIAR = offer(OLD_ROUTER, ROUTER, OLD_ROUTER)  # other name servers only


@pytest.mark.parametrize(
    "looks, stranger",
    [
        ([(SIDE, (REAL,))], None),
        ([(SIDE, (REAL, STRANGE))], STRANGE),
        ([(SIDE, (REAL, REAL, PARTNER))], None),
        ([(SIDE, (LIAR, REAL))], LIAR),  # both lead to the router: it is its own word that counts
        ([(SIDE, (REAL,)), (SIDE, (REAL, LIAR))], LIAR),
        ([(SIDE, (STRANGE,))], None),  # whoever is alone may be the new router
        ([(SIDE, (REAL,)), (SIDE, (STRANGE,))], None),
        ([(FAILING, (REAL, STRANGE))], None),  # which one works is not known
        ([(SIDE, (REAL,)), (Side("wan0", MAC, OLD_ROUTER, fails=True), (REAL, STRANGE))], STRANGE),
        ([(SIDE, (REAL,)), (Side("wan0", MAC, OLD_ROUTER), (STRANGE,))], None),
        ([(SIDE, (REAL, STRANGE)), (SIDE, (REAL,))], STRANGE),  # an answer may be lost
        ([(SIDE, (REAL, STRANGE)), (SIDE, (REAL,)), (SIDE, (REAL,))], None),
        ([(SIDE, ())], None),
        ([(BEHIND, ())], None),
        ([(BEHIND, (STRANGE,))], STRANGE),
        ([(BEHIND, (offer("192.168.50.2", BOX),))], None),  # leads to the box: somebody's choice
    ],
    ids=[
        *("one", "another", "a pair", "other names, at first", "other names"),
        *("alone at first", "alone later", "while the line fails"),
        *("the box was led astray itself", "a new router", "one answer lost", "gone", "none"),
        *("behind the box none", "behind the box one", "behind the box a server for it"),
    ],
)
def test_a_stranger_leads_elsewhere_than_the_server_that_works(looks, stranger):
    known = Servers()
    for side, offers in looks:
        known.take(offers, side)
    assert known.stranger == stranger


def asked(known: Servers, *looks: tuple[float, Side]) -> list[float]:
    """Give the seconds at which it was time to ask."""
    found = []
    for second, side in looks:
        if known.is_due(side, second):
            known.asked_at = second
            found.append(second)
    return found


def test_it_is_asked_at_the_start_in_a_new_network_and_seldom_otherwise():
    moved = Side("wan0", MAC, "192.168.77.1")
    looks = [(0.0, SIDE), (1.0, SIDE), (599.0, SIDE), (600.0, SIDE), (601.0, moved), (602.0, moved)]
    assert asked(Servers(), *looks) == [0.0, 600.0, 601.0]


def test_it_is_asked_when_something_begins_to_fail_once_a_minute_at_most():
    looks = [(0.0, SIDE), (30.0, FAILING), (90.0, FAILING), (91.0, SIDE), (92.0, FAILING)]
    assert asked(Servers(), *looks) == [0.0, 92.0]


def test_a_stranger_that_is_known_is_looked_for_each_half_minute():
    known = Servers(stranger=STRANGE)
    assert asked(known, (0.0, SIDE), (29.0, SIDE), (30.0, SIDE)) == [0.0, 30.0]


def test_only_the_answers_to_our_question_are_turned_aside():
    text = table_text("wan0", 40000, 0xABCDE)
    assert text.count("@th,96,32 0xabcde") == 2
    assert 'iifname "wan0" udp sport 67 udp dport 68' in text
    assert 'oifname "wan0" udp sport 40000 udp dport 67' in text


async def test_an_interface_that_is_not_there_cannot_be_asked():
    with pytest.raises(LinkError, match="nowhere0: nobody can be asked for an address"):
        await ask_for_offers("nowhere0", MAC)
