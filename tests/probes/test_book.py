import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding
from edge_watchdog.probes.asking import Heard, Method, Target
from edge_watchdog.probes.book import LATE_ANSWER_S, LONGEST_S, Book, RoundTrip

ALPHA = Target(Method.ICMP, "198.51.100.1", operator="alpha")
BETA = Target(Method.ICMP, "198.51.100.2", operator="beta")
BY_TCP = Target(Method.TCP, "198.51.100.1", operator="alpha", port=53)
START = Instant(100.0, 1_790_000_000.0)


@pytest.fixture
def book() -> Book:
    return Book("broadband")


def later(seconds: float) -> Instant:
    return START.plus(seconds)


def test_an_answer_closes_a_question_with_its_time(book):
    number = book.enter(ALPHA, START)
    sample = book.hear(Heard(number, ALPHA.address), later(0.02))
    assert sample.rtt_s == pytest.approx(0.02)
    assert (sample.sent, sample.lost, sample.finding) == (1, 0, Finding.ANSWERED)
    assert (sample.at, sample.uplink, sample.target) == (START, "broadband", "icmp 198.51.100.1")
    assert sample.operator == "alpha"
    assert len(book) == 0


def test_time_spent_in_our_own_queue_is_no_round_trip(book):
    number = book.enter(ALPHA, START)
    sample = book.hear(Heard(number, ALPHA.address, age_s=0.15), later(0.17))
    assert sample.rtt_s == pytest.approx(0.02)


def test_an_answer_from_somebody_else_is_no_answer(book):
    number = book.enter(ALPHA, START)
    assert book.hear(Heard(number, BETA.address), later(0.02)) is None
    assert book.hear(Heard((number + 1) % 65536, ALPHA.address), later(0.02)) is None
    assert len(book) == 1


def test_the_first_timer_is_the_longest(book):
    book.enter(ALPHA, START)
    assert book.next_due() == START.mono + LONGEST_S
    assert book.expire(later(LONGEST_S - 0.001)) == ([], [])


def test_silence_is_a_loss_when_the_timer_runs_out(book):
    book.enter(ALPHA, START)
    (sample,), _ = book.expire(later(LONGEST_S))
    assert (sample.sent, sample.lost, sample.finding) == (1, 1, Finding.SILENT)
    assert sample.at == START


def test_a_late_answer_cancels_its_loss_and_tells_the_true_time(book):
    number = book.enter(ALPHA, START)
    book.expire(later(0.9))
    sample = book.hear(Heard(number, ALPHA.address), later(1.4))
    assert (sample.sent, sample.lost, sample.finding) == (0, 0, Finding.ANSWERED)
    assert sample.rtt_s == pytest.approx(1.4)
    assert book.hear(Heard(number, ALPHA.address), later(1.5)) is None


def test_an_answer_that_comes_far_too_late_is_not_waited_for(book):
    number = book.enter(ALPHA, START)
    book.expire(later(0.9))
    samples, forgotten = book.expire(later(0.9 + LATE_ANSWER_S))
    assert (samples, forgotten) == ([], [number])
    assert len(book) == 0


def test_a_timer_that_is_served_late_accuses_nobody(book):
    first = book.enter(ALPHA, START)
    book.enter(BETA, later(0.25))
    samples, _ = book.expire(later(1.1))
    assert [s.finding for s in samples] == [Finding.NOT_ASKED] * 2
    assert all(s.sent == 0 for s in samples)
    answer = book.hear(Heard(first, ALPHA.address), later(1.2))
    assert (answer.sent, answer.lost) == (1, 0)  # no loss was counted that could be cancelled


def test_a_tcp_answer_after_the_timer_may_be_to_a_repeated_syn_and_is_not_taken(book):
    number = book.enter(BY_TCP, START)
    samples, forgotten = book.expire(later(LONGEST_S))
    assert [s.target for s in samples] == ["tcp 198.51.100.1:53"]
    assert forgotten == [number]
    assert book.hear(Heard(number, ALPHA.address), later(1.1)) is None


def test_a_router_that_says_unreachable_closes_the_question_at_once(book):
    number = book.enter(ALPHA, START)
    word = Heard(number, ALPHA.address, Finding.UNREACHABLE, "host unreachable, says 192.0.2.1")
    sample = book.hear(word, later(0.01))
    assert (sample.sent, sample.lost, sample.finding) == (1, 1, Finding.UNREACHABLE)
    assert sample.detail == "host unreachable, says 192.0.2.1"
    assert sample.rtt_s is None
    assert book.hear(word, later(0.02)) is None
    assert book.expire(later(0.9)) == ([], [])


def test_a_question_that_the_box_itself_dropped_was_not_asked(book):
    number = book.enter(ALPHA, START)
    sample = book.hear(Heard(number, ALPHA.address, Finding.NOT_ASKED, "too long"), later(0.01))
    assert (sample.sent, sample.finding) == (0, Finding.NOT_ASKED)
    assert len(book) == 0


def test_a_question_that_could_not_leave_is_taken_back(book):
    sample = book.withdraw(book.enter(ALPHA, START), "cannot send: No such device")
    assert (sample.sent, sample.lost, sample.finding) == (0, 0, Finding.NOT_ASKED)
    assert len(book) == 0


def test_timers_follow_the_round_trips_and_a_stranger_has_the_slowest_known(book):
    book.enter(BETA, START)
    assert book.next_due() == pytest.approx(START.mono + LONGEST_S)
    book.expire(later(LONGEST_S))
    for _ in range(20):
        book.hear(Heard(book.enter(ALPHA, START), ALPHA.address), later(0.01))
    book.enter(ALPHA, START)
    assert book.next_due() == pytest.approx(START.mono + 0.15)
    book.expire(later(0.15))
    book.enter(BETA, later(1.0))
    assert book.next_due() == pytest.approx(START.mono + 1.15)


@pytest.mark.parametrize(
    "rtts, timer_s",
    [
        ([], 0.8),
        ([0.002], 0.15),
        ([0.1], 0.3),  # 0.1 + 4 * 0.05
        ([0.1] * 50, 0.15),
        ([0.3] * 50, 0.3),
        ([2.0], 0.8),
    ],
)
def test_the_miss_timer_stays_within_its_bounds(rtts, timer_s):
    trip = RoundTrip()
    for rtt_s in rtts:
        trip.learn(rtt_s)
    assert trip.timer_s == pytest.approx(timer_s, abs=0.001)


def test_ten_thousand_questions_leave_nothing_behind(book):
    now = START
    for round_ in range(10_000):
        number = book.enter(ALPHA, now)
        if round_ % 3:
            book.hear(Heard(number, ALPHA.address), now.plus(0.01))
        now = now.plus(0.1)
        book.expire(now)
        assert len(book) < 70
    book.expire(now.plus(1))
    book.expire(now.plus(10))
    assert len(book) == 0
    assert book.next_due() == float("inf")
