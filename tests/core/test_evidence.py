# mypy: disable-error-code="comparison-overlap,operator,union-attr"
"""Samples in, evidence out."""

from dataclasses import replace

import pytest

from edge_watchdog.core.actions import Pace
from edge_watchdog.core.evidence import (
    is_hard_down,
    is_silent,
    is_verified,
    learn,
    loss_ratio,
    operators_heard,
)
from edge_watchdog.core.ladder import stale_after, weigh
from edge_watchdog.core.model import Finding, Health, Layer, Neighbour, Sample
from edge_watchdog.core.policy import PACES
from edge_watchdog.core.portal import has_portal, is_portal_proven
from edge_watchdog.core.state import Bucket, Silence, UplinkState
from tests.core.mind import GONE, OPERATORS, POLICY, UNPLUGGED, UP, asked, at, sample

FRESH = UplinkState(link=UP, pace=Pace.ACTIVE)


def taught(*samples: Sample, known: UplinkState = FRESH) -> UplinkState:
    for one in samples:
        known = learn(known, one, one.at, POLICY)
    return known


def health(known: UplinkState, layer: Layer, second: float = 0.0) -> Health:
    return weigh(known, layer, at(second), POLICY).health


def burst(second: float, *, lost: bool) -> list[Sample]:
    return [sample(o, sent_at=second, lost=lost) for o in OPERATORS]


class TestLearning:
    def test_an_answer_is_kept_with_its_round_trip(self):
        track = taught(sample()).tracks["internet icmp alpha"]
        assert (track.answered, track.rtt_s, track.misses) == (at(0), 0.01, 0)

    def test_an_answer_without_a_time_keeps_the_last_one(self):
        track = taught(sample(), sample(sent_at=1, rtt_s=None)).tracks["internet icmp alpha"]
        assert track.rtt_s == 0.01

    def test_refusals_are_counted_and_dated_apart_from_the_silent_ones(self):
        no = Finding.UNREACHABLE
        known = taught(
            sample(sent_at=3, lost=True),
            sample("beta", sent_at=5, lost=True, finding=no),
            sample("gamma", sent_at=4, lost=True, finding=no),
        )
        silence = known.silence
        assert (silence.probes, silence.refusals, silence.refused_since) == (3, 2, at(4))

    def test_a_loss_dates_the_silence_from_when_it_left(self):
        known = taught(sample(sent_at=3, lost=True))
        assert known.tracks["internet icmp alpha"].losing_since == at(3)
        assert (known.silence.since, known.silence.probes) == (at(3), 1)

    def test_what_could_not_be_asked_is_no_loss(self):
        for finding in (Finding.NOT_ASKED, Finding.MISROUTED):
            known = taught(sample(sent=0, finding=finding, detail="no address"))
            track = known.tracks["internet icmp alpha"]
            assert (track.finding, track.misses, known.silence) == (finding, 0, None)

    def test_a_loss_older_than_an_answer_is_no_news(self):
        known = taught(sample(sent_at=2), sample(sent_at=1, lost=True))
        assert known.tracks["internet icmp alpha"].misses == 0

    def test_an_old_answer_does_not_excuse_a_newer_loss(self):
        known = taught(sample(sent_at=5, lost=True), sample(sent_at=1))
        track = known.tracks["internet icmp alpha"]
        assert (track.losing_since, track.misses) == (at(5), 1)

    def test_an_older_answer_does_not_turn_the_clock_back(self):
        known = taught(sample(sent_at=5), sample(sent_at=1))
        assert known.tracks["internet icmp alpha"].answered == at(5)

    def test_a_late_answer_cancels_the_loss_it_was_counted_as(self):
        known = taught(*(sample(sent_at=n / 4, lost=n == 3) for n in range(12)))
        assert (known.losses[0].lost, known.cusum) == (1, pytest.approx(0.9, abs=0.1))
        known = taught(sample(sent_at=0.75, sent=0, rtt_s=1.2), known=known)
        assert (known.losses[0].lost, known.cusum) == (0, 0.0)

    def test_a_late_answer_to_what_was_not_counted_cancels_nothing(self):
        known = replace(FRESH, losses=(Bucket(200, 5, 0), Bucket(201, 5, 1)))
        assert taught(sample(sent=0), known=known).losses == known.losses


class TestDeafness:
    def others(self, second: float) -> list[Sample]:
        return [sample(o, sent_at=second) for o in ("beta", "gamma")]

    def misses(self, *seconds: float) -> list[Sample]:
        return [sample(sent_at=s, lost=True) for s in seconds]

    def test_three_misses_while_two_others_answer_make_a_target_deaf(self):
        known = taught(*self.misses(0, 1), *self.others(1.5), *self.misses(2))
        assert known.tracks["internet icmp alpha"].deaf
        assert known.silence is None

    def test_two_misses_do_not(self):
        known = taught(*self.misses(0), *self.others(1.5), *self.misses(2))
        assert not known.tracks["internet icmp alpha"].deaf

    def test_it_is_not_deaf_while_only_one_other_answers(self):
        known = taught(*self.misses(0, 1), self.others(1.5)[0], *self.misses(2))
        assert not known.tracks["internet icmp alpha"].deaf

    def test_a_deaf_target_accuses_nobody(self):
        known = taught(*self.misses(0, 1), *self.others(1.5), *self.misses(2, 3, 4))
        lost = sum(b.lost for b in known.losses)
        assert (known.silence, lost) == (None, 2)

    def test_it_hears_again_with_its_first_answer(self):
        known = taught(*self.misses(0, 1), *self.others(1.5), *self.misses(2), sample(sent_at=9))
        assert not known.tracks["internet icmp alpha"].deaf

    def test_the_router_is_never_deaf(self):
        lost = [asked(Layer.GATEWAY, "icmp gw", Finding.SILENT, sent_at=s) for s in (0, 1, 2)]
        known = taught(*lost[:2], *self.others(1.5), lost[2])
        assert not known.tracks["gateway icmp gw"].deaf


class TestSilence:
    def test_it_is_proven_by_twelve_questions_three_operators_and_half_a_second(self):
        known = taught(*(s for n in range(6) for s in burst(n / 10, lost=True)))
        assert not is_silent(known, POLICY)
        assert is_silent(taught(*burst(0.61, lost=True), known=known), POLICY)

    def test_any_answer_breaks_it(self):
        known = taught(*(s for n in range(7) for s in burst(n / 10, lost=True)))
        assert taught(sample(sent_at=0.65), known=known).silence is None

    def test_a_loss_older_than_some_answer_is_excused(self):
        assert taught(sample("beta", sent_at=1), sample(sent_at=0.9, lost=True)).silence is None

    @pytest.mark.parametrize("rtt_s", [0.01, 0.15, 0.3, 0.6])
    def test_a_round_trip_does_not_stretch_half_a_second(self, rtt_s):
        known = taught(*(sample(o, sent_at=-9, rtt_s=rtt_s) for o in OPERATORS))
        lost_on_the_way_back, left = -rtt_s + 0.001, 0.499
        steps = [lost_on_the_way_back + n * (left - lost_on_the_way_back) / 9 for n in range(10)]
        known = taught(*(s for second in steps for s in burst(second, lost=True)), known=known)
        assert known.silence.probes == 40
        assert not is_silent(known, POLICY)

    def test_the_deaf_are_not_waited_for(self):
        known = taught(
            *(sample(o, sent_at=s, lost=True) for o in ("alpha", "beta") for s in (0, 1)),
            *(sample(o, sent_at=1.5) for o in ("gamma", "delta")),
            *(sample(o, sent_at=2, lost=True) for o in ("alpha", "beta")),
        )
        lost = [
            sample(o, sent_at=3 + n / 10, lost=True) for n in range(8) for o in ("gamma", "delta")
        ]
        assert is_silent(taught(*lost, known=known), POLICY)

    def test_its_end_forgets_the_losses_and_what_names_and_pages_did_meanwhile(self):
        known = taught(
            asked(Layer.NAMES, "dns a", Finding.SILENT),
            asked(Layer.WEB, "http a", Finding.SILENT),
            asked(Layer.WEB, "http b"),
            *(s for n in range(8) for s in burst(n / 10, lost=True)),
            sample(sent_at=5),
        )
        assert (known.back_at, known.cusum) == (at(5), 0.0)
        assert sum(b.lost for b in known.losses) == 0
        assert {"names dns a", "web http a"}.isdisjoint(known.tracks)
        assert "web http b" in known.tracks

    def test_who_was_heard_since(self):
        known = taught(sample(sent_at=1), sample("beta", sent_at=3))
        assert operators_heard(known, at(2).mono) == {"beta"}


class TestLoss:
    def test_too_few_questions_say_nothing(self):
        assert loss_ratio(taught(*(sample(sent_at=n) for n in range(9))), at(9), POLICY) is None

    def test_a_minute_is_counted(self):
        known = taught(*(sample(sent_at=n, lost=n % 10 == 0) for n in range(60)))
        assert loss_ratio(known, at(60), POLICY) == pytest.approx(0.1, abs=0.02)

    def test_what_is_older_is_dropped(self):
        known = taught(*(sample(sent_at=n, lost=n < 30) for n in range(120)))
        assert loss_ratio(known, at(120), POLICY) == 0
        assert len(known.losses) <= 12

    def test_the_questions_of_a_burst_are_not_counted(self):
        known = replace(FRESH, burst_until=at(5).mono)
        known = taught(*(sample(sent_at=n, lost=True) for n in range(5)), known=known)
        assert known.losses == ()

    def test_one_in_seven_lost_raises_the_alarm_and_one_in_fifty_does_not(self):
        bad = taught(*(sample(sent_at=n / 4, lost=n % 7 == 0) for n in range(150)))
        good = taught(*(sample(sent_at=n / 4, lost=n % 50 == 0) for n in range(2000)))
        assert bad.cusum >= POLICY.cusum_h > good.cusum
        assert bad.cusum <= 2 * POLICY.cusum_h


class TestWeighing:
    @pytest.mark.parametrize(
        "link, expected, hard",
        [
            (None, Health.UNKNOWN, False),
            (UP, Health.UP, False),
            (GONE, Health.DOWN, True),
            (UNPLUGGED, Health.DOWN, True),
            (replace(UP, addresses=()), Health.DOWN, True),
            (replace(UP, gateway=None), Health.DOWN, True),
        ],
        ids=["not looked at", "well", "gone", "unplugged", "no address", "no router"],
    )
    def test_the_link(self, link, expected, hard):
        assert health(UplinkState(link=link), Layer.LINK) is expected
        assert is_hard_down(link) is hard

    @pytest.mark.parametrize(
        "answers, misses, neighbour, expected",
        [
            (1, 0, None, Health.UP),
            (1, 1, None, Health.DEGRADED),
            (1, 3, None, Health.DOWN),
            (1, 0, Neighbour.FAILED, Health.UP),
            (1, 1, Neighbour.FAILED, Health.DOWN),
            (0, 2, Neighbour.REACHABLE, Health.UP),
            (0, 2, Neighbour.STALE, Health.UNKNOWN),
            (0, 0, Neighbour.FAILED, Health.DOWN),
            (0, 0, None, Health.UNKNOWN),
        ],
        ids=[
            "answers",
            "missed one",
            "missed three",
            "answers, whatever ARP says",
            "ARP failed",
            "never answers pings, ARP does",
            "never answers pings",
            "not asked, ARP failed",
            "not asked",
        ],
    )
    def test_the_router(self, answers, misses, neighbour, expected):
        questions = [Finding.ANSWERED] * answers + [Finding.SILENT] * misses
        known = taught(
            *(
                asked(Layer.GATEWAY, "icmp gw", finding, sent_at=n)
                for n, finding in enumerate(questions)
            ),
            known=replace(FRESH, link=replace(UP, neighbour=neighbour)),
        )
        assert health(known, Layer.GATEWAY, 4) is expected

    def test_an_old_word_of_the_router_says_nothing(self):
        known = taught(asked(Layer.GATEWAY, "icmp gw"))
        assert health(known, Layer.GATEWAY, 18.1) is Health.UNKNOWN
        assert health(replace(known, link=None), Layer.GATEWAY, 1) is Health.UP

    def test_the_internet_is_unknown_until_somebody_was_asked_lately(self):
        known = taught(sample())
        assert health(FRESH, Layer.INTERNET) is Health.UNKNOWN
        assert health(known, Layer.INTERNET, 9) is Health.UP
        assert health(known, Layer.INTERNET, 9.1) is Health.UNKNOWN

    def test_the_internet_is_in_doubt_while_a_silence_is_young(self):
        known = taught(*burst(0, lost=False), *burst(1, lost=True))
        assert health(known, Layer.INTERNET, 1) is Health.UNKNOWN

    def test_the_internet_is_down_when_the_silence_is_proven(self):
        known = taught(*(s for n in range(8) for s in burst(n / 10, lost=True)))
        evidence = weigh(known, Layer.INTERNET, at(1), POLICY)
        assert (evidence.health, evidence.losing_since) == (Health.DOWN, at(0))

    def test_one_operator_of_many_is_half_an_internet(self):
        known = taught(*burst(0, lost=False)[:3], *burst(1, lost=True)[:3], *burst(2, lost=False))
        known = taught(*(sample(o, sent_at=3, lost=True) for o in OPERATORS[:3]), known=known)
        assert health(known, Layer.INTERNET, 3) is Health.DEGRADED

    def test_loss_is_told_with_its_share(self):
        known = taught(*(sample(sent_at=n / 4, lost=n % 10 == 4) for n in range(40)))
        evidence = weigh(known, Layer.INTERNET, at(10), POLICY)
        assert evidence.health is Health.DEGRADED
        assert "10%" in evidence.words

    def test_the_round_trip_is_the_middle_one(self):
        known = taught(*(sample(o, rtt_s=n / 100) for n, o in enumerate(OPERATORS)))
        assert weigh(known, Layer.INTERNET, at(0), POLICY).rtt_s == 0.02

    @pytest.mark.parametrize(
        "findings, expected",
        [
            ((Finding.ANSWERED,), Health.UP),
            ((Finding.WRONG_ANSWER,), Health.DEGRADED),
            ((Finding.NOT_ASKED,), Health.UNKNOWN),
            ((Finding.SILENT,), Health.UNKNOWN),
            ((Finding.SILENT, Finding.SILENT), Health.DOWN),
            ((), Health.UNKNOWN),
        ],
        ids=["answers", "lies", "could not ask", "one miss", "two misses", "not asked"],
    )
    @pytest.mark.parametrize("layer", [Layer.NAMES, Layer.WEB])
    def test_names_and_pages(self, layer, findings, expected):
        questions = [asked(layer, "dns a", f, sent_at=n) for n, f in enumerate(findings)]
        assert health(taught(*questions), layer, 2) is expected

    def test_the_misses_of_two_name_servers_add_up(self):
        one, other = (asked(Layer.NAMES, name, Finding.SILENT) for name in ("dns a", "dns b"))
        assert health(taught(one, other), Layer.NAMES) is Health.DOWN

    def test_of_two_name_servers_asked_together_the_better_one_counts(self):
        silent = replace(asked(Layer.NAMES, "dns b", Finding.SILENT), sent=3, lost=3)
        for both in ((silent, asked(Layer.NAMES, "dns a")), (asked(Layer.NAMES, "dns a"), silent)):
            assert health(taught(*both), Layer.NAMES) is Health.UP

    def test_a_question_that_grew_old_counts_on_while_another_name_is_silent_too(self):
        first = replace(asked(Layer.NAMES, "dns a", Finding.SILENT), sent=3, lost=3)
        other = asked(Layer.NAMES, "dns b", Finding.SILENT, sent_at=60)
        assert health(taught(first, other), Layer.NAMES, 60) is Health.DOWN

    def test_where_much_is_lost_names_need_more_losses_to_be_dead(self):
        lossy = [sample(sent_at=n / 10, lost=n % 3 == 0) for n in range(31)]
        silent = replace(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=4), sent=3, lost=3)
        assert health(taught(*lossy, silent), Layer.NAMES, 4) is Health.UNKNOWN
        again = [replace(silent, at=at(sent_at)) for sent_at in (5, 6, 7, 7.5)]
        assert health(taught(*lossy, silent, *again[:3]), Layer.NAMES, 7) is Health.UNKNOWN
        assert health(taught(*lossy, silent, *again), Layer.NAMES, 7.5) is Health.DOWN

    def test_hosts_that_answer_nothing_at_all_are_no_loss_by_chance(self):
        fell_silent = [sample(sent_at=n / 10, lost=n > 10) for n in range(31)]
        silent = replace(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=4), sent=3, lost=3)
        assert health(taught(*fell_silent, silent), Layer.NAMES, 4) is Health.DOWN

    def test_a_name_asked_for_while_the_line_was_dead_says_nothing_after_it(self):
        known = taught(*[s for n in range(10) for s in burst(n / 10, lost=True)])
        known = taught(*burst(1, lost=False), known=known)
        assert known.back_at == at(1)
        early, late = (asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=s) for s in (0.9, 1.1))
        assert "names dns a" not in taught(early, known=known).tracks
        assert taught(early, late, known=known).tracks["names dns a"].misses == 1

    def test_what_failed_of_names_during_a_gap_is_forgotten_with_it(self):
        refused = asked(Layer.NAMES, "dns a", Finding.WRONG_ANSWER, sent_at=1.1)
        gap = taught(*burst(1, lost=True), refused)
        assert "names dns a" in gap.tracks
        assert "names dns a" not in taught(*burst(1.2, lost=False), known=gap).tracks
        hiccup = taught(sample(sent_at=1, lost=True), refused, *burst(1.2, lost=False))
        assert "names dns a" in hiccup.tracks

    def test_the_newest_word_counts(self):
        bad = [asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=n) for n in range(3)]
        good = asked(Layer.NAMES, "dns b", sent_at=4)
        assert health(taught(*bad, good), Layer.NAMES, 4) is Health.UP


class TestVerified:
    def test_two_operators_within_three_seconds(self):
        known = taught(sample(), sample("beta", sent_at=1))
        assert is_verified(known, at(2.9), POLICY)
        assert not is_verified(known, at(3.0), POLICY)

    @pytest.mark.parametrize(
        "change",
        [
            {"link": None},
            {"link": UNPLUGGED},
            {"link": replace(UP, routed=False)},
            {"silence": Silence(at(0), at(0), 1, ("alpha",))},
        ],
        ids=["link not known", "unplugged", "misrouted", "somebody missed"],
    )
    def test_never_when_there_is_doubt(self, change):
        known = taught(*burst(0, lost=False))
        assert is_verified(known, at(1), POLICY)
        assert not is_verified(replace(known, **change), at(1), POLICY)

    def test_never_behind_a_sign_in_page(self):
        page = asked(Layer.WEB, "http a", Finding.PORTAL)
        assert not is_verified(taught(*burst(0, lost=False), page), at(1), POLICY)


class TestPortal:
    def test_the_newest_page_has_the_word(self):
        page = asked(Layer.WEB, "http a", Finding.PORTAL)
        assert has_portal(taught(page))
        assert not has_portal(taught(page, asked(Layer.WEB, "http b", sent_at=1)))
        assert not has_portal(FRESH)

    def test_it_is_proven_when_every_page_shows_it(self):
        one, other = (asked(Layer.WEB, name, Finding.PORTAL) for name in ("http a", "http b"))
        assert is_portal_proven(taught(one, other))
        assert not is_portal_proven(taught(one, asked(Layer.WEB, "http b")))
        assert not is_portal_proven(taught(asked(Layer.WEB, "https a")))


@pytest.mark.parametrize("pace", Pace)
@pytest.mark.parametrize("layer", [Layer.GATEWAY, Layer.NAMES, Layer.WEB])
def test_a_word_outlives_two_turns_of_its_kind(pace, layer):
    period = getattr(PACES[pace], layer) or 10.0
    assert stale_after(UplinkState(pace=pace), layer) > 2 * period


def test_an_anchor_waits_for_its_turn_and_the_link_is_no_question():
    assert stale_after(FRESH, Layer.INTERNET) > 2 * 6 * PACES[Pace.ACTIVE].pulse
    assert stale_after(UplinkState(), Layer.INTERNET) == stale_after(FRESH, Layer.LINK) == 33.0
