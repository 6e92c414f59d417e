"""What drivers and the box itself report: it explains, and takes back what was our own fault."""

from dataclasses import replace

import pytest

from edge_watchdog.core.advance import BLIND_REST_S, next_deadline
from edge_watchdog.core.events import BoxReported, ClockStepped, DriverReported, Started
from edge_watchdog.core.evidence import forget_losses, learn
from edge_watchdog.core.ladder import DRIVER_STALE_S, SLOW_AFTER_S
from edge_watchdog.core.model import BoxReport, DriverReport, Finding, Layer, Sample, Sim
from edge_watchdog.core.signs import POWER_MEMORY_S
from edge_watchdog.core.state import BoxState, Bucket, Cause, Phase, UplinkState
from tests.core.mind import CABLE, OPERATORS, POLICY, STICK, Mind, asked, at, ready, sample, well


def lag(mind: Mind, lag_s: float | None = 0.9) -> None:
    mind.feed(BoxReported(mind.now, BoxReport(mind.now, lag_s=lag_s)))


def power(mind: Mind, *, low: bool) -> BoxState:
    mind.feed(BoxReported(mind.now, BoxReport(mind.now, power_low=low)))
    return mind.state.box


class TestDrivers:
    def test_a_report_is_kept_and_explains(self):
        mind = well()
        report = DriverReport(mind.now, sim=Sim.MISSING)
        mind.feed(DriverReported(mind.now, STICK, report))
        assert mind.known(STICK).report == report
        mind.silent_for(2.0, STICK)
        assert mind.known(STICK).diagnosis.cause is Cause.SIM_MISSING  # type: ignore[union-attr]

    def test_a_stranger_s_report_is_nobody_s(self):
        mind = ready()
        before = mind.state.uplinks
        mind.feed(DriverReported(mind.now, "satellite", DriverReport(mind.now)))
        assert [u.report for u in mind.state.uplinks.values()] == [
            u.report for u in before.values()
        ]

    def test_the_end_of_its_word_wakes_the_mind(self):
        mind = ready()
        for name in mind.state.uplinks:
            mind.put(name, tracks={}, report=None)
        mind.feed(DriverReported(mind.now, CABLE, DriverReport(mind.now)))
        waited: list[float] = []
        while not waited or waited[-1] < DRIVER_STALE_S:
            due = next_deadline(mind.state, POLICY, mind.now)
            assert due is not None
            mind.second += due - mind.now.mono
            waited.append(mind.second - 20.0)
            mind.pass_time(0)
        assert waited[-1] == pytest.approx(DRIVER_STALE_S, abs=0.01)

    def test_a_restart_forgets_it(self):
        mind = ready()
        mind.feed(DriverReported(mind.now, CABLE, DriverReport(mind.now)))
        power(mind, low=True)
        mind.feed(Started(mind.now, "boot 1", "1.1"))
        assert mind.known().report is None
        assert mind.state.box == BoxState()


class TestPower:
    def test_low_power_is_dated_until_it_is_over(self):
        mind = ready()
        assert power(mind, low=False).power_low_at is None
        began = mind.now
        assert power(mind, low=True) == BoxState(power_low=True, power_low_at=began)
        mind.pass_time(5)
        over = mind.now
        assert power(mind, low=False) == BoxState(power_low_at=over)
        mind.pass_time(5)
        assert power(mind, low=False) == BoxState(power_low_at=over)

    def test_its_memory_runs_out_at_a_deadline(self):
        mind = Mind(links=[])
        power(mind, low=True)
        due = next_deadline(replace(mind.state, paces={}), POLICY, mind.now)
        assert due is not None
        assert due <= mind.now.mono + POWER_MEMORY_S + 0.01

    def test_the_clock_s_offset_is_kept(self):
        mind = ready()
        mind.feed(BoxReported(mind.now, BoxReport(mind.now, clock_offset_s=700.0)))
        assert mind.state.box.clock_offset_s == 700.0
        assert mind.known().diagnosis.cause is not Cause.NONE  # type: ignore[union-attr]
        mind.feed(ClockStepped(mind.now, 700.0))
        assert mind.state.box.clock_offset_s is None


class TestLag:
    def test_what_was_lost_while_the_box_could_not_listen_is_taken_back(self):
        mind = ready()
        mind.silent_for(0.4)
        assert mind.known().silence is not None
        lag(mind)
        assert mind.known().silence is None
        assert not any(t.misses for t in mind.known().tracks.values())
        assert mind.failover.active == CABLE

    def test_a_loss_that_is_told_late_is_taken_back_too(self):
        mind = ready()
        mind.second += 1.0
        lag(mind)
        asked_meanwhile = sample(sent_at=mind.second - 0.5, lost=True)
        mind.hear(asked_meanwhile)
        assert mind.known().silence is None
        mind.hear(replace(asked_meanwhile, at=at(mind.second + 0.1)))
        assert mind.known().silence is not None

    def test_an_answer_counts_whenever_it_was_asked_for(self):
        mind = ready()
        mind.second += 1.0
        lag(mind)
        mind.hear(sample("epsilon", sent_at=mind.second - 0.5))
        assert "internet icmp epsilon" in mind.known().tracks

    @pytest.mark.parametrize("lag_s", [None, 0.1])
    def test_a_short_one_is_none(self, lag_s):
        mind = ready()
        mind.silent_for(0.4)
        lag(mind, lag_s)
        assert mind.known().silence is not None

    def test_a_box_that_is_always_late_still_leaves_a_dead_line(self):
        mind = ready()
        lag(mind)
        mind.silent_for(0.3)
        lag(mind, 0.3)
        assert mind.known().silence is not None
        mind.silent_for(0.7)
        mind.answers(STICK)
        mind.misses()
        assert mind.failover.phase is not Phase.SETTLED

    def test_after_a_rest_it_is_taken_back_again(self):
        mind = ready()
        lag(mind)
        mind.fine_for(BLIND_REST_S + 1, CABLE, STICK)
        mind.silent_for(0.2)
        lag(mind)
        assert mind.known().silence is None

    def test_what_was_lost_before_stays_lost(self):
        known = UplinkState(losses=(Bucket(200, 9, 1), Bucket(202, 9, 3)))
        for one in (sample(sent_at=1, lost=True), sample("beta", sent_at=9, lost=True)):
            known = learn(known, one, one.at, POLICY)
        known = forget_losses(known, at(8).mono)
        assert known.silence is not None
        assert known.tracks["internet icmp alpha"].misses == 1
        assert known.tracks["internet icmp beta"].misses == 0
        assert known.losses[0] == Bucket(200, 10, 2)
        assert [b.slot for b in known.losses] == [200]


def test_a_clock_that_was_set_voids_what_was_found_by_it():
    def page(host: str, finding: Finding, detail: str) -> Sample:
        return replace(asked(Layer.WEB, f"https {host}", finding, sent_at=20), detail=detail)

    mind = well()
    mind.hear(
        page("a", Finding.BAD_CERTIFICATE, "not yet valid"),
        page("b", Finding.BAD_CERTIFICATE, "expired, date off by 9000 s"),
        page("c", Finding.ANSWERED, ""),
    )
    assert mind.known().diagnosis.cause is Cause.CLOCK_WRONG  # type: ignore[union-attr]
    mind.feed(ClockStepped(mind.now, 9000.0))
    assert [t for t in mind.known().tracks if "https" in t] == ["web https c"]
    assert mind.known().diagnosis.cause is Cause.NONE  # type: ignore[union-attr]


class TestDelay:
    def after(self, *rtts_s: float, who: tuple[str, ...] = OPERATORS) -> UplinkState:
        known = UplinkState()
        for second, rtt_s in enumerate(rtts_s):
            for operator in who:
                one = sample(operator, sent_at=second, rtt_s=rtt_s)
                known = learn(known, one, one.at, POLICY)
        return known

    def base(self, *rtts_s: float) -> float:
        base_s = self.after(*rtts_s).tracks["internet icmp alpha"].base_s
        assert base_s is not None
        return base_s

    def test_the_usual_time_goes_down_fast_and_up_slowly(self):
        assert self.base(0.1) == 0.1
        assert self.base(0.1, 0.05) == pytest.approx(0.085)
        assert self.base(0.1, 0.2) == pytest.approx(0.1001)

    @pytest.mark.parametrize(
        "usual, late, is_slow",
        [(0.01, 0.09, False), (0.01, 0.11, True), (0.2, 0.39, False), (0.2, 0.41, True)],
    )
    def test_long_is_a_tenth_of_a_second_and_twice_the_usual(self, usual, late, is_slow):
        assert (self.after(usual, late).slow_since is not None) is is_slow

    def test_it_is_dated_from_when_most_were_late(self):
        known = self.after(0.01, 0.5, 0.5)
        assert known.slow_since == at(1)
        assert self.after(0.01, 0.5, 0.5, 0.01).slow_since is None

    def test_half_of_the_targets_are_not_most(self):
        known = self.after(0.01)
        for operator in OPERATORS[:2]:
            one = sample(operator, sent_at=5, rtt_s=0.5)
            known = learn(known, one, one.at, POLICY)
        assert known.slow_since is None

    def test_what_is_lost_says_nothing_of_delay(self):
        one = sample(lost=True)
        assert learn(UplinkState(), one, one.at, POLICY).slow_since is None

    def test_it_wakes_the_mind_when_it_has_lasted(self):
        mind = Mind()
        for operator in OPERATORS:
            mind.hear(sample(operator, rtt_s=0.01))
        mind.second = 1.0
        for operator in OPERATORS:
            mind.hear(sample(operator, sent_at=1.0, rtt_s=0.4))
        began = mind.known().slow_since
        assert began is not None
        waits = set()
        while mind.second < 30:
            due = next_deadline(mind.state, POLICY, mind.now)
            assert due is not None
            mind.second += due - mind.now.mono
            waits.add(round(mind.now.since(began), 2))
            mind.pass_time(0)
        assert SLOW_AFTER_S in waits
