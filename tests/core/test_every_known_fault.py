"""The thirty-six faults that a studio's internet can have, and the causes that name them.

The list is that of the project's reference on failover; some faults are told apart further.
"""

from collections.abc import Mapping

import pytest

from edge_watchdog.core.catalogue import TABLE
from edge_watchdog.core.phrases import NOTHING, PHRASES
from edge_watchdog.core.state import Cause

FAULTS: Mapping[str, tuple[Cause, ...]] = {
    "F1 cable out, port dead": (Cause.CABLE_OUT,),
    "F2 Wi-Fi uplink lost or weak": (Cause.WIFI_WEAK, Cause.HOTSPOT_ABSENT),
    "F3 router dead or hung": (Cause.ROUTER_DEAD,),
    "F4 switch of the local network dead": (Cause.LAN_SWITCH_DEAD,),
    "F5 no address by DHCP": (Cause.NO_ADDRESS,),
    "F6 two devices with one address, or giving out addresses": (
        Cause.ADDRESS_CONFLICT,
        Cause.ROGUE_DHCP,
    ),
    "F7 router up, modem dead": (Cause.MODEM_DEAD,),
    "F8 modem up, line not in sync": (Cause.LINE_NOT_IN_SYNC,),
    "F9 provider down upstream": (Cause.PROVIDER_DOWN,),
    "F10 provider routes in part": (Cause.PARTIAL_ROUTING,),
    "F11 provider's name service dead": (Cause.DNS_DEAD,),
    "F12 name service by UDP blocked": (Cause.DNS_BLOCKED,),
    "F13 names hijacked or rewritten": (Cause.DNS_HIJACKED,),
    "F14 captive portal": (Cause.PORTAL,),
    "F15 walled garden, bill unpaid": (Cause.ACCOUNT_BLOCKED,),
    "F16 TLS intercepted": (Cause.TLS_INTERCEPTED,),
    "F17 clock of the box wrong": (Cause.CLOCK_WRONG,),
    "F18 large packets vanish": (Cause.MTU_BLACK_HOLE,),
    "F19 brownout": (Cause.LINE_LOSS, Cause.LINE_UNSTABLE),
    "F20 loss in the local network": (Cause.LOCAL_LOSS,),
    "F21 line filled by ourselves": (Cause.LINE_FULL,),
    "F22 provider crowded": (Cause.LINE_CONGESTED, Cause.LINE_SLOW),
    "F23 only IPv6 broken": (Cause.IPV6_DEAD,),
    "F24 only IPv4 broken": (Cause.IPV4_DEAD,),
    "F25 vendor down, announced": (Cause.VENDOR_ANNOUNCED,),
    "F26 vendor down, status silent": (Cause.VENDOR_SILENT,),
    "F27 vendor slow": (Cause.VENDOR_SLOW,),
    "F28 signing in is broken": (Cause.VENDOR_LOGIN,),
    "F29 vendor unreachable over our line only": (Cause.VENDOR_PATH,),
    "F30 vendor blocks us": (Cause.VENDOR_REFUSES,),
    "F31 vendor's name or certificate broken": (Cause.VENDOR_NAME,),
    "F32 status page itself down": (Cause.STATUS_PAGE_DOWN,),
    "F33 planned maintenance": (Cause.VENDOR_MAINTENANCE,),
    "F34 mobile: no signal, not registered, SIM": (
        Cause.NO_SIGNAL,
        Cause.NOT_REGISTERED,
        Cause.SIM_MISSING,
        Cause.SIM_LOCKED,
    ),
    "F35 mobile: cap, zombie, no data": (Cause.DATA_CAP, Cause.ZOMBIE, Cause.NO_DATA),
    "F36 hotspot absent, refused, overlapping; the box's own power": (
        Cause.HOTSPOT_ABSENT,
        Cause.HOTSPOT_PASSWORD,
        Cause.SUBNET_OVERLAP,
        Cause.BOX_POWER,
    ),
}
# no fault of a line: what is not known, what only the box itself can find, a stick pulled out
BESIDE = {Cause.NONE, Cause.CHECKING, Cause.MISROUTED, Cause.DEVICE_GONE, Cause.REHEARSAL_FAILED}
ELSEWHERE = {Cause.LINE_UNSTABLE}  # found by its history in incidents.py, not by a row of signs
ON_THE_VENDOR = ("vendor", "status")
OUT_OF_OUR_HANDS = [
    "F9 provider down upstream",
    "F10 provider routes in part",
    "F18 large packets vanish",
    "F24 only IPv4 broken",
    "F25 vendor down, announced",
    "F26 vendor down, status silent",
    "F28 signing in is broken",
]


def test_all_thirty_six_are_there_and_every_cause_belongs_to_one():
    assert [fault.split()[0] for fault in FAULTS] == [f"F{n}" for n in range(1, 37)]
    assert {cause for causes in FAULTS.values() for cause in causes} == set(Cause) - BESIDE


@pytest.mark.parametrize("fault", FAULTS)
def test_each_has_its_signs_its_words_and_what_to_do(fault):
    for cause in FAULTS[fault]:
        phrase = PHRASES[cause]
        assert phrase.label
        assert phrase.headline
        assert phrase.changed
        assert 1 <= len(phrase.steps) <= 3
        assert cause in TABLE or cause in ELSEWHERE or cause.startswith(ON_THE_VENDOR)


@pytest.mark.parametrize("fault", OUT_OF_OUR_HANDS)
def test_where_touching_does_harm_people_are_told_to_leave_things_alone(fault):
    for cause in FAULTS[fault]:
        phrase = PHRASES[cause]
        calm = ("Leave", "Do not", "Stay signed in")
        assert phrase.steps == NOTHING or any(step.startswith(calm) for step in phrase.steps)
        assert phrase.call
