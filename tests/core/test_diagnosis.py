"""Evidence in, a cause out."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.diagnosis import TABLE, Sign, diagnose, rank, read_signs
from edge_watchdog.core.evidence import learn, weigh
from edge_watchdog.core.model import Finding, Layer, LinkState, Neighbour, Sample
from edge_watchdog.core.state import Cause, Diagnosis, UplinkState
from tests.core.mind import GONE, OPERATORS, POLICY, UNPLUGGED, UP, asked, at, sample

GATEWAY, NAMES, WEB = Layer.GATEWAY, Layer.NAMES, Layer.WEB
SILENT, PORTAL = Finding.SILENT, Finding.PORTAL


def seen(*samples: Sample, link: LinkState | None = UP) -> UplinkState:
    known = UplinkState(link=link, link_at=at(0), pace=Pace.ACTIVE)
    for one in samples:
        known = learn(known, one, one.at, POLICY)
    return known


def cause_of(known: UplinkState, *, metered: bool = False, second: float = 6.0) -> Cause:
    return diagnose(known, metered=metered, now=at(second), policy=POLICY).cause


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
    "a resolver lies": (Cause.DNS_DEAD, [*WELL, name(1, Finding.WRONG_ANSWER)], UP),
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


def test_every_cause_of_the_table_has_its_case():
    assert {cause for cause, _, _ in CASES.values()} | {Cause.NO_DATA} == set(TABLE)


def test_on_a_mobile_line_no_answer_is_no_data():
    known = seen(*WELL, *silence(1), router(2))
    assert cause_of(known, metered=True) is Cause.NO_DATA


def test_without_evidence_it_is_still_checking():
    assert cause_of(seen(link=None)) is Cause.CHECKING


def test_a_young_silence_changes_no_mind():
    known = seen(*WELL, *anchors(1, lost=True))
    before = Diagnosis(Cause.DNS_DEAD, 0.9, at(-50))
    assert cause_of(known) is Cause.CHECKING
    known = replace(known, diagnosis=before)
    assert diagnose(known, metered=False, now=at(6), policy=POLICY) is before


def test_a_cause_keeps_its_date_while_it_lasts():
    known = seen(*WELL)
    first = diagnose(known, metered=False, now=at(1), policy=POLICY)
    later = diagnose(replace(known, diagnosis=first), metered=False, now=at(5), policy=POLICY)
    assert (first.since, later.since) == (at(1), at(1))
    unplugged = replace(known, link=UNPLUGGED, tracks={}, diagnosis=later)
    assert diagnose(unplugged, metered=False, now=at(6), policy=POLICY).since == at(6)


def test_in_doubt_the_likeliest_is_the_runner_up():
    found = diagnose(seen(*anchors(0)), metered=False, now=at(1), policy=POLICY)
    assert (found.cause, found.runner_up) == (Cause.CHECKING, Cause.NONE)
    assert found.confidence < 0.8


def test_the_evidence_is_told_in_words():
    found = diagnose(seen(*WELL), metered=False, now=at(1), policy=POLICY)
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
        return read_signs(known, rungs, metered=False, now=at(second), policy=POLICY)

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
        known = replace(seen(*anchors(0)), cusum=POLICY.cusum_h)
        assert self.signs(known)[Sign.ANCHORS] == "lossy"
