"""Evidence in, a cause out."""

from dataclasses import replace
from typing import Any

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.catalogue import TABLE, Sign
from edge_watchdog.core.diagnosis import diagnose, rank
from edge_watchdog.core.evidence import learn
from edge_watchdog.core.ladder import weigh
from edge_watchdog.core.model import (
    DriverReport,
    Finding,
    JourneyReport,
    Layer,
    LinkState,
    Neighbour,
    Registration,
    Sample,
    Sim,
    Stage,
    Stranger,
)
from edge_watchdog.core.signs import Around, look_around, read_signs
from edge_watchdog.core.state import BoxState, Cause, Diagnosis, UplinkState
from tests.core.mind import CABLE, GONE, OPERATORS, POLICY, UNPLUGGED, UP, asked, at, sample

GATEWAY, NAMES, WEB = Layer.GATEWAY, Layer.NAMES, Layer.WEB
SILENT, PORTAL = Finding.SILENT, Finding.PORTAL


def seen(*samples: Sample, link: LinkState | None = UP) -> UplinkState:
    known = UplinkState(link=link, link_at=at(0), pace=Pace.ACTIVE)
    for one in samples:
        known = learn(known, one, one.at, POLICY)
    return known


def cause_of(known: UplinkState, *, metered: bool = False, second: float = 6.0) -> Cause:
    return diagnose(known, Around(metered=metered), now=at(second), policy=POLICY).cause


def anchors(second: float, *, lost: bool = False, who=OPERATORS) -> list[Sample]:
    return [sample(o, sent_at=second, lost=lost) for o in who]


def silence(since: float, seconds: float = 1.0) -> list[Sample]:
    ticks = range(round(seconds * 10))
    return [s for n in ticks for s in anchors(since + n / 10, lost=True)]


def router(second: float, finding: Finding = Finding.ANSWERED) -> Sample:
    return asked(GATEWAY, "icmp gw", finding, sent_at=second)


def page(second: float, finding: Finding = Finding.ANSWERED, *, secure: bool = False, detail=""):
    target = "https a.example" if secure else "http a.example"
    return replace(asked(WEB, target, finding, sent_at=second), detail=detail)


def name(second: float, finding: Finding = Finding.ANSWERED) -> Sample:
    return asked(NAMES, "dns 192.0.2.53 a.example", finding, sent_at=second)


WELL = [*anchors(0), router(0), name(0), page(0), page(0, secure=True)]
SILENT_TWICE = [name(1, SILENT), name(2, SILENT)]
BAD = Finding.BAD_CERTIFICATE
THIRTY_WITH_LOSS = [sample(sent_at=n / 5, lost=n % 6 == 5) for n in range(31)]

CASES = {
    "all is well": (Cause.NONE, WELL, UP),
    "the stick is not there": (Cause.DEVICE_GONE, [], GONE),
    "the cable is out": (Cause.CABLE_OUT, [], UNPLUGGED),
    "the router gives no address": (Cause.NO_ADDRESS, [], replace(UP, addresses=())),
    "no router is known": (Cause.NO_ADDRESS, [], replace(UP, gateway=None)),
    "probes would leave another way": (Cause.MISROUTED, [], replace(UP, routed=False)),
    "the line has the LAN's own addresses": (
        Cause.MISROUTED,
        [],
        replace(UP, gateway=None, routed=False),
    ),
    "the router is dead": (
        Cause.ROUTER_DEAD,
        [*WELL, *silence(1), *(router(1 + n / 10, SILENT) for n in range(4))],
        UP,
    ),
    "the router is dead and ARP says so": (
        Cause.ROUTER_DEAD,
        [*silence(1)],
        replace(UP, neighbour=Neighbour.FAILED),
    ),
    "the provider is down": (Cause.PROVIDER_DOWN, [*WELL, *silence(1), router(2)], UP),
    "parts of the internet are gone": (
        Cause.PARTIAL_ROUTING,
        [
            *WELL,
            *(s for n in range(1, 4) for s in anchors(n, lost=True, who=OPERATORS[:2])),
            *anchors(4, who=OPERATORS[2:]),
            *anchors(5, lost=True, who=OPERATORS[:2]),
            *anchors(5.5, who=OPERATORS[2:]),
        ],
        UP,
    ),
    "names are dead": (Cause.DNS_DEAD, [*WELL, *SILENT_TWICE, *anchors(3), router(3)], UP),
    "a resolver lies": (Cause.DNS_DEAD, [*WELL, name(1, Finding.WRONG_ANSWER), *anchors(2)], UP),
    "a sign-in page": (Cause.PORTAL, [*WELL, page(1, PORTAL)], UP),
    "a sign-in page and dead anchors": (
        Cause.PORTAL,
        [*WELL, page(1, PORTAL), *silence(1), router(2)],
        UP,
    ),
    "certificates of a stranger": (
        Cause.TLS_INTERCEPTED,
        [*WELL, page(1, BAD, secure=True, detail="unknown issuer"), page(1)],
        UP,
    ),
    "certificates of a stranger, and no plain page since": (
        Cause.TLS_INTERCEPTED,
        [*WELL, page(1, BAD, secure=True, detail="unknown issuer")],
        UP,
    ),
    "certificates of another time": (
        Cause.CLOCK_WRONG,
        [*WELL, page(1, BAD, secure=True, detail="certificate not yet valid"), page(1)],
        UP,
    ),
    "questions get lost beyond the router": (
        Cause.LINE_LOSS,
        [*WELL, *THIRTY_WITH_LOSS, *anchors(6.1), router(6.1), name(6.1), page(6.1)],
        UP,
    ),
    "questions get lost before the router": (
        Cause.LOCAL_LOSS,
        [*WELL, *THIRTY_WITH_LOSS, *anchors(6.1), router(6.1, SILENT), name(6.1), page(6.1)],
        UP,
    ),
}


@pytest.mark.parametrize("cause, samples, link", CASES.values(), ids=CASES)
def test_the_cause_is_named(cause, samples, link):
    assert cause_of(seen(*samples, link=link)) is cause


DEAD = [*WELL, *silence(1), router(2)]
MUTE = [*WELL, *silence(1), router(2, SILENT)]
ROUTER_DEAD = [*WELL, *silence(1), *(router(1 + n / 10, SILENT) for n in range(4))]
HANGS = [
    *(*anchors(0), router(0), name(0), page(0)),
    *(page(n, SILENT, secure=True) for n in (1, 2)),
    page(3),
]
LATE = [
    *WELL,
    *(sample(o, sent_at=n / 2, rtt_s=0.5) for n in range(2, 42) for o in OPERATORS),
    *(router(20), name(20), page(20)),
]
NO_PUBLIC = [
    s
    for n in range(1, 6)
    for s in (*(sample(o, sent_at=n, how="dns", lost=True) for o in OPERATORS), *anchors(n + 0.5))
]
NO_ICMP_BUT_DNS = [sample(o, sent_at=1, how="dns") for o in OPERATORS]
LATER = [replace(one, at=at(3)) for one in NO_ICMP_BUT_DNS]
FALSE = Finding.FALSE_ANSWER
LOSSY = [*WELL, *THIRTY_WITH_LOSS, *anchors(6.1), router(6.1), name(6.1), page(6.1)]
LOCKED: dict[str, Any] = {"sim": Sim.LOCKED, "registration": Registration.SEARCHING}
STARVED = Around(starved=True)
METERED = Around(metered=True)


def told(*samples: Sample, link: LinkState = UP, **fields: Any) -> UplinkState:
    return replace(seen(*samples, link=link), report=DriverReport(at(5), **fields))


def a_minute_later(known: UplinkState) -> UplinkState:
    """Give it with the losses gone that made some targets count as deaf."""
    return replace(known, losses=(), cusum=0.0)


STRANGER = Stranger("192.168.1.20", "02:00:5e:00:53:77", "192.168.1.20")

# Each cause that wants more than the line's own probes: all of its evidence, then a part of it, and
# what is said then.
PARTS = {
    Cause.NO_DATA: (seen(*DEAD), METERED, seen(*DEAD[:-8]), Cause.NO_DATA),
    Cause.LAN_SWITCH_DEAD: (
        told(*ROUTER_DEAD, peers_answer=False),
        Around(),
        told(*ROUTER_DEAD, peers_answer=True),
        Cause.ROUTER_DEAD,
    ),
    Cause.ADDRESS_CONFLICT: (
        told(*WELL, address_taken=True),
        Around(),
        told(*WELL, address_taken=False),
        Cause.NONE,
    ),
    Cause.ROGUE_DHCP: (
        told(*WELL, stranger=STRANGER),
        Around(),
        told(*WELL),
        Cause.NONE,
    ),
    Cause.SUBNET_OVERLAP: (
        told(*WELL, overlaps="lan0"),
        Around(),
        told(*WELL, overlaps=""),
        Cause.NONE,
    ),
    Cause.MODEM_DEAD: (
        told(*DEAD, modem_answers=False, router_online=False),
        Around(),
        told(*DEAD),
        Cause.PROVIDER_DOWN,
    ),
    Cause.LINE_NOT_IN_SYNC: (
        told(*DEAD, modem_answers=True, router_online=False),
        Around(),
        told(*DEAD, modem_answers=True),
        Cause.PROVIDER_DOWN,
    ),
    Cause.IPV4_DEAD: (
        told(*DEAD, ipv6_works=True),
        Around(),
        told(*DEAD, ipv6_works=False),
        Cause.PROVIDER_DOWN,
    ),
    Cause.IPV6_DEAD: (
        told(*WELL, ipv6_works=False),
        Around(),
        told(*WELL, ipv6_works=True),
        Cause.NONE,
    ),
    Cause.DNS_BLOCKED: (
        seen(*WELL, *NO_PUBLIC, name(1, SILENT), name(2, SILENT), router(5)),
        Around(),
        a_minute_later(seen(*WELL, *NO_PUBLIC, router(5))),
        Cause.NONE,
    ),
    Cause.DNS_DEAD: (
        seen(*WELL, *SILENT_TWICE, *LATER, router(3)),
        Around(),
        seen(*anchors(0), name(1, SILENT), router(3)),
        Cause.CHECKING,
    ),
    Cause.DNS_HIJACKED: (
        seen(*WELL, name(1, FALSE), page(2)),
        Around(),
        seen(*anchors(0), router(0)),
        Cause.CHECKING,
    ),
    Cause.ACCOUNT_BLOCKED: (
        told(*WELL, page(1, PORTAL), wireless=False),
        Around(),
        told(*WELL, page(1, PORTAL)),
        Cause.PORTAL,
    ),
    Cause.MTU_BLACK_HOLE: (
        told(*HANGS, path_mtu_bytes=1280),
        Around(),
        told(*HANGS),
        Cause.CHECKING,
    ),
    Cause.LINE_SLOW: (seen(*LATE), Around(), seen(*LATE[:40]), Cause.NONE),
    Cause.LINE_FULL: (
        told(*LATE, load_ratio=0.9),
        Around(),
        told(*LATE, load_ratio=0.5),
        Cause.LINE_SLOW,
    ),
    Cause.LINE_CONGESTED: (
        told(*LATE, load_ratio=0.1),
        Around(),
        told(*LATE),
        Cause.LINE_SLOW,
    ),
    Cause.WIFI_WEAK: (
        told(*LOSSY, wifi_signal_dbm=-82.0, ssid_seen=True),
        Around(),
        told(*LOSSY, wifi_signal_dbm=-60.0),
        Cause.LINE_LOSS,
    ),
    Cause.HOTSPOT_ABSENT: (
        told(link=UNPLUGGED, ssid_seen=False, wifi_signal_dbm=-90.0),
        Around(),
        told(link=UNPLUGGED),
        Cause.CABLE_OUT,
    ),
    Cause.HOTSPOT_PASSWORD: (
        told(link=UNPLUGGED, ssid_seen=True, auth_refused=True),
        Around(),
        told(link=UNPLUGGED, ssid_seen=True),
        Cause.CABLE_OUT,
    ),
    Cause.SIM_MISSING: (
        told(link=UNPLUGGED, sim=Sim.MISSING, mobile_signal_dbm=-140.0),
        METERED,
        told(link=UNPLUGGED, sim=Sim.READY, registration=Registration.REGISTERED),
        Cause.CABLE_OUT,
    ),
    Cause.SIM_LOCKED: (told(*DEAD, **LOCKED), METERED, told(*DEAD), Cause.NO_DATA),
    Cause.NO_SIGNAL: (
        told(*DEAD, sim=Sim.READY, mobile_signal_dbm=-121.0, registration=Registration.SEARCHING),
        METERED,
        told(*DEAD, sim=Sim.READY),
        Cause.NO_DATA,
    ),
    Cause.NOT_REGISTERED: (
        told(*DEAD, mobile_signal_dbm=-90.0, registration=Registration.DENIED),
        METERED,
        told(*DEAD, mobile_signal_dbm=-90.0),
        Cause.NO_DATA,
    ),
    Cause.DATA_CAP: (
        told(*WELL, page(1, PORTAL), cap_reached=True),
        METERED,
        told(*WELL, page(1, PORTAL), cap_reached=False),
        Cause.ACCOUNT_BLOCKED,
    ),
    Cause.ZOMBIE: (
        told(*MUTE, hears_nothing=True),
        METERED,
        told(*MUTE, hears_nothing=False),
        Cause.NO_DATA,
    ),
    Cause.BOX_POWER: (seen(link=GONE), STARVED, told(*WELL), Cause.NONE),
}


@pytest.mark.parametrize("cause", PARTS)
class TestWithAllOrPartOfTheEvidence:
    def when(self, known: UplinkState) -> float:
        """Give the moment at which the evidence is fresh."""
        return max((t.asked.since(at(0)) for t in known.tracks.values()), default=5.0) + 0.5

    def test_all_of_it_names_the_cause(self, cause):
        known, around, _, _ = PARTS[cause]
        found = diagnose(known, around, now=at(self.when(known)), policy=POLICY)
        assert found.cause is cause
        assert found.confidence >= POLICY.confident

    def test_a_part_of_it_accuses_nobody_wrongly(self, cause):
        _, around, known, said = PARTS[cause]
        assert diagnose(known, around, now=at(self.when(known)), policy=POLICY).cause is said


def test_names_that_fail_accuse_nobody_before_the_line_is_seen_to_live_on():
    refused = [*WELL, name(1, Finding.WRONG_ANSWER)]
    assert cause_of(seen(*refused)) is Cause.CHECKING
    assert cause_of(seen(*refused, *anchors(1.2))) is Cause.DNS_DEAD
    named = replace(seen(*refused), diagnosis=Diagnosis(Cause.DNS_DEAD, 0.9, at(0)))
    assert cause_of(named) is Cause.DNS_DEAD


def test_every_cause_of_the_table_has_its_case():
    assert {cause for cause, _, _ in CASES.values()} | set(PARTS) == set(TABLE)


# The cases above, of which only some signs are known: what the kernel says, and every other rung.
HALVES = {
    Cause.ROUTER_DEAD: (seen(router(1, SILENT), router(2, SILENT), router(3, SILENT)), None),
    Cause.PROVIDER_DOWN: (seen(*silence(1)), None),
    Cause.PARTIAL_ROUTING: (
        seen(*anchors(0), *(s for n in (1, 2) for s in anchors(n, lost=True, who=OPERATORS[:2]))),
        None,
    ),
    Cause.PORTAL: (seen(*anchors(0), router(0), page(1, SILENT)), None),
    Cause.TLS_INTERCEPTED: (seen(*anchors(0), router(0), page(1, SILENT, secure=True)), None),
    Cause.CLOCK_WRONG: (seen(*anchors(0), page(0), name(0)), Cause.NONE),
    Cause.LINE_LOSS: (seen(*THIRTY_WITH_LOSS[:9], *anchors(1.9)), None),
    Cause.LOCAL_LOSS: (seen(*anchors(5), router(5, SILENT)), None),
    Cause.NO_ADDRESS: (seen(link=LinkState(True, True)), Cause.NO_ADDRESS),
    Cause.CABLE_OUT: (seen(link=replace(UNPLUGGED, carrier=None)), None),
    Cause.DEVICE_GONE: (seen(link=None), None),
}


@pytest.mark.parametrize("cause", HALVES)
def test_with_half_of_the_evidence_it_is_checking_or_what_is_plain(cause):
    known, said = HALVES[cause]
    assert cause_of(known) is (said or Cause.CHECKING)


def test_what_a_driver_said_long_ago_is_not_known():
    known = told(*DEAD, modem_answers=False)
    assert cause_of(known) is Cause.MODEM_DEAD
    later = seen(*DEAD, *silence(160), router(161))
    assert cause_of(replace(later, report=known.report), second=162) is Cause.PROVIDER_DOWN


def test_of_a_device_that_is_gone_its_driver_knows_nothing():
    assert cause_of(told(link=GONE, sim=Sim.MISSING)) is Cause.DEVICE_GONE


def test_a_line_that_works_is_not_explained():
    odd = told(*WELL, modem_answers=False, router_online=False, wifi_signal_dbm=-90.0, **LOCKED)
    assert cause_of(odd) is Cause.NONE


def test_what_spoils_the_way_to_the_router_does_not_hide_a_provider_that_is_down():
    assert cause_of(told(*DEAD, overlaps="lan0")) is Cause.PROVIDER_DOWN
    assert cause_of(told(*ROUTER_DEAD, overlaps="lan0")) is Cause.SUBNET_OVERLAP


def test_a_second_device_may_answer_in_the_router_s_place_or_keep_it_from_answering():
    assert cause_of(told(*DEAD, address_taken=True)) is Cause.ADDRESS_CONFLICT
    assert cause_of(told(*ROUTER_DEAD, address_taken=True)) is Cause.ADDRESS_CONFLICT


@pytest.mark.parametrize(
    "box, second, cause",
    [
        (BoxState(power_low=True, power_low_at=at(-900)), 6, Cause.BOX_POWER),
        (BoxState(power_low_at=at(0)), 6, Cause.BOX_POWER),
        (BoxState(power_low_at=at(0)), 61, Cause.DEVICE_GONE),
        (BoxState(), 6, Cause.DEVICE_GONE),
    ],
)
def test_a_device_that_goes_when_the_power_sags_went_for_that(box, second, cause):
    around = look_around((), box, at(second), metered=False)
    found = diagnose(seen(link=GONE), around, now=at(second), policy=POLICY)
    assert found.cause is cause


def test_a_box_whose_power_sags_while_all_works_is_no_fault_of_a_line():
    assert diagnose(seen(*WELL), STARVED, now=at(1), policy=POLICY).cause is Cause.NONE


class TestOtherLines:
    def found(self, known: UplinkState, *others: UplinkState) -> Cause:
        around = look_around(others, BoxState(), at(6), metered=False)
        return diagnose(known, around, now=at(6), policy=POLICY).cause

    def test_operators_that_no_line_hears_are_not_our_provider_s_fault(self):
        _, samples, _ = CASES["parts of the internet are gone"]
        known = a_minute_later(seen(*samples))
        assert self.found(known, seen(*samples)) is Cause.NONE
        assert self.found(known, seen(*WELL)) is Cause.PARTIAL_ROUTING

    def test_a_date_that_is_wrong_on_one_line_only_is_not_the_clock(self):
        _, samples, _ = CASES["certificates of another time"]
        known = seen(*samples)
        assert self.found(known, seen(*WELL)) is Cause.TLS_INTERCEPTED
        assert self.found(known, seen(*samples)) is Cause.CLOCK_WRONG


@pytest.mark.parametrize("offset_s, cause", [(None, Cause.NONE), (9.0, Cause.NONE),
                                             (-900.0, Cause.CLOCK_WRONG)])  # fmt: skip
def test_a_clock_that_network_time_finds_wrong_is_wrong(offset_s, cause):
    around = Around(clock_offset_s=offset_s)
    assert diagnose(seen(*WELL), around, now=at(1), policy=POLICY).cause is cause


def test_what_a_driver_sees_is_told_as_evidence():
    found = diagnose(told(*DEAD, modem_answers=False), Around(), now=at(6), policy=POLICY)
    assert found.because[len(Layer) :] == ("modem: does not answer",)


def test_without_evidence_it_is_still_checking():
    assert cause_of(seen(link=None)) is Cause.CHECKING


def test_a_young_silence_changes_no_mind():
    known = seen(*WELL, *anchors(1, lost=True))
    before = Diagnosis(Cause.DNS_DEAD, 0.9, at(-50))
    assert cause_of(known) is Cause.CHECKING
    known = replace(known, diagnosis=before)
    assert diagnose(known, Around(), now=at(6), policy=POLICY) is before


def test_a_cause_keeps_its_date_while_it_lasts():
    known = seen(*WELL)
    first = diagnose(known, Around(), now=at(1), policy=POLICY)
    later = diagnose(replace(known, diagnosis=first), Around(), now=at(5), policy=POLICY)
    assert (first.since, later.since) == (at(1), at(1))
    unplugged = replace(known, link=UNPLUGGED, tracks={}, diagnosis=later)
    assert diagnose(unplugged, Around(), now=at(6), policy=POLICY).since == at(6)


def test_in_doubt_the_likeliest_is_the_runner_up():
    found = diagnose(seen(*anchors(0)), Around(), now=at(1), policy=POLICY)
    assert (found.cause, found.runner_up) == (Cause.CHECKING, Cause.NONE)
    assert found.confidence < 0.8


def test_the_evidence_is_told_in_words():
    found = diagnose(seen(*WELL), Around(), now=at(1), policy=POLICY)
    assert found.because[0] == "link: connected, address 192.168.1.7/24"
    assert len(found.because) == len(Layer)


@pytest.mark.parametrize("cause", [c for c in TABLE if c is not Cause.MISROUTED])
def test_a_row_wins_on_its_own_signs(cause):
    signs = {
        sign: max(values, key=lambda value: (len(value), value))
        for sign, values in TABLE[cause].items()
    }
    assert rank(signs).cause is cause


def test_a_name_needs_twice_the_runner_up():
    best = rank({Sign.ANCHORS: "ok", Sign.GATEWAY: "ok"})
    assert best.confidence >= best.runner_up_confidence
    assert 0 < best.confidence < 1


class TestSigns:
    def signs(self, known: UplinkState, second: float = 6.0):
        rungs = {layer: weigh(known, layer, at(second), POLICY) for layer in Layer}
        return read_signs(known, rungs, Around(), now=at(second), policy=POLICY)

    def test_what_is_not_known_is_left_out(self):
        assert self.signs(seen(link=None)) == {Sign.METERED: "no"}

    def test_of_a_device_that_is_gone_only_that_is_told(self):
        assert self.signs(seen(link=GONE)) == {Sign.METERED: "no", Sign.DEVICE: "gone"}

    def test_a_carrier_nobody_can_read_is_not_told(self):
        assert Sign.CARRIER not in self.signs(seen(link=LinkState(True, None)))

    def test_a_page_from_before_the_silence_is_no_proof(self):
        assert Sign.WEB not in self.signs(seen(*WELL, *anchors(1, lost=True)))
        assert Sign.SECURE not in self.signs(seen(*WELL, *anchors(1, lost=True)))

    def test_a_page_that_is_down_is_a_sign_whenever_it_was_asked(self):
        known = seen(*anchors(0), page(1, SILENT), page(2, SILENT))
        assert self.signs(known)[Sign.WEB] == "fail"

    def test_a_secure_page_that_does_not_answer_says_nothing_of_certificates(self):
        assert Sign.SECURE not in self.signs(seen(page(1, SILENT, secure=True)))

    def test_one_host_with_another_date_is_that_host_s_matter(self):
        def off(host: str) -> Sample:
            return replace(asked(WEB, f"https {host}"), detail="date off by 2 h")

        assert self.signs(seen(off("a.example")))[Sign.SECURE] == "ok"
        assert self.signs(seen(off("a.example"), off("b.example")))[Sign.SECURE] == "clock"

    def test_many_lost_pulses_are_a_sign_before_their_share_is(self):
        now_and_then = (*anchors(0), *anchors(0.5, lost=True), *anchors(1))
        known = replace(seen(*now_and_then), cusum=POLICY.cusum_h)
        assert self.signs(known)[Sign.ANCHORS] == "lossy"
        without = replace(seen(*anchors(0)), cusum=POLICY.cusum_h)
        assert self.signs(without)[Sign.ANCHORS] == "ok"

    @pytest.mark.parametrize(
        "samples, sign",
        [
            ([page(1, SILENT, secure=True), page(2)], None),
            ([page(1, SILENT, secure=True), page(2, SILENT, secure=True)], None),
            (
                [page(1, SILENT, secure=True), page(2, SILENT, secure=True), page(3)],
                "stalls",
            ),
            (
                [page(1, SILENT, secure=True), page(2, Finding.WRONG_ANSWER, secure=True), page(3)],
                None,
            ),
        ],
        ids=["once", "plain ones do not open either", "twice", "it answers something"],
    )
    def test_secure_pages_hang_only_when_plain_ones_open(self, samples, sign):
        assert self.signs(seen(*samples)).get(Sign.SECURE) == sign

    def test_large_packets_are_looked_at_while_secure_pages_hang(self):
        assert Sign.SIZE not in self.signs(told(*WELL, path_mtu_bytes=1280))
        assert self.signs(told(*HANGS, path_mtu_bytes=1500))[Sign.SIZE] == "ok"

    def test_name_servers_of_others_are_looked_at_while_our_own_fail(self):
        some = [sample(o, sent_at=1, how="dns", lost=True) for o in OPERATORS]
        assert Sign.PUBLIC not in self.signs(seen(*WELL, *NO_ICMP_BUT_DNS))
        assert Sign.PUBLIC not in self.signs(seen(*WELL, *SILENT_TWICE))
        assert Sign.PUBLIC not in self.signs(seen(*SILENT_TWICE, *some, *anchors(3)))
        assert Sign.PUBLIC not in self.signs(seen(*DEAD, *SILENT_TWICE, *some))
        assert self.signs(seen(*SILENT_TWICE, *LATER))[Sign.PUBLIC] == "ok"
        assert self.signs(seen(*SILENT_TWICE, *WELL, *NO_PUBLIC))[Sign.PUBLIC] == "blocked"

    def test_what_they_said_before_our_own_began_to_fail_is_old_news(self):
        before = [replace(one, at=at(0.5)) for one in NO_ICMP_BUT_DNS]
        once = [sample(o, sent_at=2, how="dns", lost=True) for o in OPERATORS]
        failing = seen(*WELL, *before, *SILENT_TWICE, *anchors(3), router(3))
        assert Sign.PUBLIC not in self.signs(failing)
        first, *rest = once
        some = seen(*WELL, *before, *SILENT_TWICE, first, *anchors(3), router(3))
        assert Sign.PUBLIC not in self.signs(some)
        assert cause_of(failing) is Cause.DNS_DEAD  # nothing speaks for more
        assert cause_of(some) is Cause.CHECKING  # it may be all of them
        every = seen(*WELL, *before, *SILENT_TWICE, *once, *once, *anchors(3), router(3))
        assert self.signs(every)[Sign.PUBLIC] == "blocked"
        assert cause_of(every) is Cause.DNS_BLOCKED
        one_answers = seen(
            *WELL, *before, *SILENT_TWICE, *rest, replace(LATER[0], at=at(2)), *anchors(3)
        )
        assert self.signs(one_answers)[Sign.PUBLIC] == "ok"

    def test_a_line_that_drivers_call_healthy_is_healthy(self):
        fine = told(
            *LATE,
            registration=Registration.REGISTERED,
            sim=Sim.READY,
            ipv6_works=True,
        )
        signs = self.signs(fine, 20.5)
        assert signs[Sign.SIX] == "ok"
        assert Sign.LOAD not in signs

    @pytest.mark.parametrize(
        "metered, wireless, sign",
        [(False, None, "portal"), (True, None, "garden"), (True, True, "portal"),
         (False, False, "garden"), (False, True, "portal")],
    )  # fmt: skip
    def test_a_page_in_the_way_of_a_wire_is_the_provider_s(self, metered, wireless, sign):
        known = told(*WELL, page(1, PORTAL), wireless=wireless)
        rungs = {layer: weigh(known, layer, at(6), POLICY) for layer in Layer}
        found = read_signs(known, rungs, Around(metered=metered), now=at(6), policy=POLICY)
        assert found[Sign.WEB] == sign

    def test_an_address_that_the_box_gave_itself_is_none(self):
        own = replace(UP, addresses=("169.254.7.9/16",))
        assert self.signs(seen(link=own))[Sign.ADDRESS] == "fail"


def test_the_provider_s_first_machine_tells_what_is_cut():
    near = diagnose(told(*DEAD, edge_answers=True), Around(), now=at(3), policy=POLICY)
    far = diagnose(told(*DEAD, edge_answers=False), Around(), now=at(3), policy=POLICY)
    plain = diagnose(told(*DEAD), Around(), now=at(3), policy=POLICY)
    assert near.cause is far.cause is plain.cause is Cause.PROVIDER_DOWN
    assert near.confidence > plain.confidence
    assert "provider: its first machine answers, nothing beyond it does" in near.because
    assert "provider: not even its first machine answers" in far.because


def test_an_app_that_hangs_has_the_size_of_packets_looked_at():
    known = told(*WELL, path_mtu_bytes=1280)
    assert diagnose(known, Around(), now=at(3), policy=POLICY).cause is Cause.NONE
    hanging = replace(known, journey=JourneyReport(at(2), CABLE, Stage.TLS))
    assert diagnose(hanging, Around(), now=at(3), policy=POLICY).cause is Cause.MTU_BLACK_HOLE
    fine = replace(hanging, report=DriverReport(at(2), path_mtu_bytes=1500))
    assert diagnose(fine, Around(), now=at(3), policy=POLICY).cause is Cause.NONE


def test_a_cable_that_hears_nothing_is_no_stuck_stick():
    known = told(*ROUTER_DEAD, hears_nothing=True)
    assert diagnose(known, Around(), now=at(3), policy=POLICY).cause is Cause.ROUTER_DEAD


def test_a_stick_that_answers_for_itself_is_not_stuck():
    known = told(*DEAD, hears_nothing=True)
    assert diagnose(known, METERED, now=at(3), policy=POLICY).cause is Cause.NO_DATA


def test_a_silent_router_is_not_accused_before_its_neighbours_were_asked():
    known = told(*ROUTER_DEAD, asking_peers=True)
    found = diagnose(known, Around(), now=at(6), policy=POLICY)
    assert (found.cause, found.runner_up) == (Cause.CHECKING, Cause.ROUTER_DEAD)
    known = replace(known, report=DriverReport(at(5), peers_answer=False))
    assert cause_of(known) is Cause.LAN_SWITCH_DEAD
    asked_in_vain = told(*DEAD, asking_peers=True)  # the router answers: it is not about it
    assert cause_of(asked_in_vain) is Cause.PROVIDER_DOWN


@pytest.mark.parametrize("samples", [DEAD, ROUTER_DEAD], ids=["provider", "router"])
def test_nobody_is_accused_before_all_devices_were_asked_who_the_router_is(samples):
    known = told(*samples, asking_router=True)
    assert cause_of(known) is Cause.CHECKING
    two = replace(known, report=DriverReport(at(5), address_taken=True))
    assert cause_of(two) is Cause.ADDRESS_CONFLICT
    one = replace(known, report=DriverReport(at(5)))
    assert cause_of(one) in (Cause.PROVIDER_DOWN, Cause.ROUTER_DEAD)


def test_another_device_with_our_own_address_is_named_whether_or_not_the_line_works():
    for samples in (WELL, DEAD, ROUTER_DEAD):
        known = told(*samples, own_address_taken=True)
        found = diagnose(known, Around(), now=at(6), policy=POLICY)
        assert found.cause is Cause.ADDRESS_CONFLICT
        assert found.because[-1].startswith("local network: another device says that it has")
