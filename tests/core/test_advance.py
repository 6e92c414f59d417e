# mypy: disable-error-code="operator,union-attr"
"""The whole mind in two calls."""

import math
from dataclasses import replace

import pytest

from edge_watchdog.core.actions import (
    Evict,
    FetchSchedule,
    ProbeBurst,
    ProbeEvery,
    Reason,
    RouteVia,
    SendAlert,
    WatchVendor,
)
from edge_watchdog.core.advance import advance, begin, has_work, health_of, next_deadline
from edge_watchdog.core.events import (
    Acknowledged,
    CacheReported,
    ClockStepped,
    Done,
    HoursChanged,
    JourneyReported,
    LinkChanged,
    Ordered,
    OrderKind,
    Started,
    Stopping,
    VendorReported,
    Woke,
    WorkerFailed,
)
from edge_watchdog.core.model import (
    CacheReport,
    Finding,
    Health,
    JourneyReport,
    Layer,
    Mode,
    Stage,
    VendorLevel,
    VendorReport,
)
from edge_watchdog.core.state import Cause, Phase, Scope
from tests.core.mind import (
    CABLE,
    GONE,
    OBSERVE,
    POLICY,
    STICK,
    UNPLUGGED,
    UP,
    Mind,
    asked,
    at,
    diverted,
    on_backup,
    only,
    ready,
    routes,
    sample,
    well,
)


class TestLearning:
    def test_stopping_changes_nothing(self):
        mind = ready()
        before = mind.state
        assert mind.feed(Stopping(mind.now)) == []
        assert mind.state is before

    def test_a_sample_or_visit_of_an_unknown_uplink_is_no_news(self):
        mind = ready()
        before = mind.state.uplinks.keys()
        mind.hear(sample(uplink="satellite"))
        visit = JourneyReport(mind.now, "satellite", Stage.DONE)
        mind.feed(JourneyReported(mind.now, visit))
        mind.feed(LinkChanged(mind.now, "satellite", GONE))
        assert mind.state.uplinks.keys() == before

    def test_reports_are_kept(self):
        mind = well()
        report = VendorReport(mind.now, VendorLevel.OPERATIONAL)
        mind.feed(VendorReported(mind.now, report))
        mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, CABLE, Stage.DONE)))
        cache = CacheReport(mind.now, "front desk", 3, 4, 1.0)
        mind.feed(CacheReported(mind.now, cache))
        assert (mind.state.vendor.report, mind.state.cache) == (report, cache)
        assert mind.known().journey.ok
        assert mind.state.vendor.diagnosis.cause is Cause.NONE

    def test_a_page_that_our_own_outage_hid_is_no_news(self):
        mind = ready()
        mind.silent_for(1)
        report = VendorReport(mind.now, VendorLevel.UNKNOWN, reason="unreachable")
        mind.feed(VendorReported(mind.now, report))
        assert mind.state.vendor.report is None

    def test_the_studio_opens_and_closes(self):
        mind = ready()
        mind.feed(HoursChanged(mind.now, is_open=False))
        assert not mind.state.is_open

    def test_our_own_trouble_is_kept_once_and_not_for_ever(self):
        mind = ready()
        for n in (*range(25), 24):
            mind.feed(WorkerFailed(mind.now, "mqtt", f"crash {n}"))
        assert len(mind.state.trouble) == 20
        assert mind.state.trouble[-1] == "mqtt: crash 24"

    def test_what_only_the_faces_care_for_changes_no_decision(self):
        mind = ready()
        assert mind.feed(ClockStepped(mind.now, 3600.0)) == []
        assert mind.feed(Acknowledged(mind.now, 1, "Anna")) == []

    def test_a_done_takes_the_action_off_the_list(self):
        mind = Mind()
        assert only(RouteVia, mind.state.unfinished) != []
        mind.carry_out()
        assert mind.state.unfinished == ()
        assert mind.state.trouble == ()


class TestFetching:
    """The day is fetched when a new line can carry it, or while a vendor in trouble still can."""

    def test_a_new_line_carries_the_day(self):
        assert only(FetchSchedule, Mind().actions)[0].why == "the line in use changed"
        assert only(FetchSchedule, ready().fine_for(30)) == []
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        mind.answers(STICK)
        mind.pass_time(0.06)
        assert len(only(FetchSchedule, mind.carry_out())) == 1

    @pytest.mark.parametrize("stage, fetches", [(Stage.DONE, 1), (Stage.HTTP, 0)])
    def test_a_vendor_that_announces_trouble_is_asked_while_it_works(self, stage, fetches):
        mind = well()
        mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, CABLE, stage)))
        report = VendorReport(mind.now, VendorLevel.DEGRADED)
        made = [*mind.feed(VendorReported(mind.now, report))]
        assert len(only(FetchSchedule, made)) == fetches


class TestLinks:
    def test_a_link_that_comes_back_starts_with_a_clean_slate(self):
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        assert (mind.known().tracks, mind.known().losses) == ({}, ())
        assert mind.known().back_at == at(0)
        mind.second += 5
        mind.link(CABLE, UP)
        assert (mind.known().link_at, mind.known().back_at) == (mind.now, mind.now)

    def test_a_detail_of_a_link_changes_nothing_else(self):
        mind = ready()
        before = mind.known()
        mind.link(CABLE, replace(UP, resolvers=("192.0.2.53",)))
        assert mind.known().tracks == before.tracks
        assert mind.known().link_at == before.link_at


class TestARefusedRoute:
    def test_the_route_to_the_line_in_use_is_asked_for_again_after_a_second(self):
        mind = Mind()
        assert routes(mind.carry_out(ok=False)) == []
        assert routes(mind.pass_time(0.9)) == []
        assert next_deadline(mind.state, POLICY, mind.now) <= at(1.01).mono
        assert routes(mind.pass_time(0.2)) == [CABLE]
        mind.carry_out()
        assert routes(mind.pass_time(5)) == []

    def test_after_a_restart_too(self):
        mind = on_backup()
        mind.feed(Started(mind.now, "boot 1", "1.1"))
        mind.carry_out(ok=False)
        assert routes(mind.pass_time(1.1)) == [STICK]

    def test_another_refused_action_asks_for_no_route(self):
        mind = ready()
        mind.feed(Done(mind.now, 4711, ok=False, detail="no"))
        assert routes(mind.pass_time(1.1)) == []


class TestStarting:
    def test_on_the_same_boot_it_goes_on_where_it_was(self):
        mind = on_backup()
        mind.second += 20
        made = mind.feed(Started(mind.now, "boot 1", "1.1"))
        assert routes(made) == [STICK]
        assert only(RouteVia, made)[0] in mind.state.unfinished
        assert (mind.failover.active, mind.state.version) == (STICK, "1.1")
        assert {o.uplink for o in only(ProbeEvery, made)} == {CABLE, STICK}
        assert only(WatchVendor, made) != []

    def test_what_was_about_to_be_done_is_done_again(self):
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        mind.answers(STICK)
        mind.pass_time(0.06)
        order = mind.last(RouteVia)
        made = mind.feed(Started(mind.now, "boot 1", "1.0"))
        assert only(RouteVia, made) == [order]
        made = mind.feed(Done(mind.now, order.id, ok=True))
        assert only(Evict, made) != []
        assert mind.failover.active == STICK

    def test_an_eviction_that_was_not_finished_follows_the_route(self):
        mind = on_backup()
        made = mind.feed(Started(mind.now, "boot 1", "1.0"))
        kinds = [type(a) for a in made if isinstance(a, (RouteVia, Evict))]
        assert kinds == [RouteVia, Evict]

    def test_after_a_reboot_it_begins_anew(self):
        mind = on_backup()
        mind.second += 60
        made = mind.feed(Started(mind.now, "boot 2", "1.0"))
        assert (routes(made), mind.failover.active, mind.state.unfinished) == ([], None, ())
        assert mind.known().link is None
        assert mind.failover.failures == ()

    def test_another_list_of_uplinks_begins_anew(self):
        mind = ready()
        policy = replace(POLICY, uplinks=POLICY.uplinks[:1])
        state = advance(mind.state, Started(mind.now, "boot 1", "1.0"), policy).state
        assert list(state.uplinks) == [CABLE]

    def test_before_there_was_a_line_there_is_nothing_to_repeat(self):
        assert routes(Mind(links=()).feed(Started(at(1), "boot 1", "1.0"))) == []

    def test_what_people_were_told_outlasts_a_reboot(self):
        mind = on_backup()
        mind.fine_for(12, STICK)
        told = mind.last(SendAlert).alert.incident
        mind.second += 100
        mind.feed(Started(mind.now, "boot 2", "1.0"))
        assert [i.id for i in mind.state.incidents] == [told]
        assert mind.state.incidents[0].opened.mono == pytest.approx(at(20).mono, abs=1)
        mind.link(CABLE, UP)
        mind.fine_for(10)
        alert = mind.last(SendAlert).alert
        assert (alert.incident, alert.reason) == (told, Reason.RESOLVED)

    def test_what_nobody_was_told_is_forgotten_with_a_reboot_and_what_is_over_is_kept(self):
        mind = on_backup()
        over = replace(mind.state.incidents[0], id=0, resolved=mind.now)
        mind.state = replace(mind.state, incidents=(over, *mind.state.incidents))
        mind.feed(Started(mind.now, "boot 2", "1.0"))
        assert [i.id for i in mind.state.incidents] == [0]

    def test_an_observer_goes_on_without_the_debts_of_another_mode(self):
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        mind.answers(STICK)
        mind.pass_time(0.06)
        mind.policy = OBSERVE
        made = mind.feed(Started(mind.now, "boot 1", "1.0"))
        assert (routes(made), mind.state.unfinished) == ([], ())
        assert mind.failover.phase is not Phase.SWITCHING

    def test_a_stranded_observer_stays_so_over_a_restart(self):
        mind = Mind(OBSERVE)
        mind.fine_for(5)
        mind.silent_for(2)
        mind.feed(Started(mind.now, "boot 1", "1.0"))
        assert mind.failover.phase is Phase.STRANDED


class TestHealth:
    def test_of_one_uplink(self):
        mind = ready()
        page = asked(Layer.WEB, "http a", Finding.PORTAL, sent_at=20)
        cases = [
            (mind.known(), Health.UP),
            (replace(mind.known(), link=UNPLUGGED), Health.DOWN),
            (begin(POLICY).uplinks[CABLE], Health.UNKNOWN),
        ]
        mind.hear(page)
        cases.append((mind.known(), Health.DEGRADED))
        mind = ready()
        mind.silent_for(1)
        cases.append((mind.known(), Health.DOWN))
        assert [health_of(k, mind.now, POLICY) for k, _ in cases] == [h for _, h in cases]


def wakes(mind: Mind, seconds: float) -> int:
    """Let time pass with nothing but deadlines; give how often they woke the mind."""
    end, count = mind.second + seconds, 0
    while True:
        due = next_deadline(mind.state, mind.policy, mind.now)
        if due is None or due - at(0).mono > end:
            return count
        assert due > mind.now.mono
        mind.second = due - at(0).mono
        mind.feed(Woke(mind.now))
        count += 1


def refused() -> Mind:
    mind = ready()
    mind.link(CABLE, UNPLUGGED)
    mind.answers(STICK)
    mind.pass_time(0.06)
    mind.carry_out(ok=False)
    return mind


def holding() -> Mind:
    mind = on_backup()
    mind.link(CABLE, UP)
    mind.fine_for(10, CABLE, STICK)
    return mind


def stranded() -> Mind:
    mind = ready()
    mind.link(STICK, GONE)
    mind.silent_for(5)
    return mind


def vendor_down_and_then_us() -> Mind:
    mind = ready()
    for _ in range(2):
        visit = JourneyReport(mind.now, CABLE, Stage.HTTP)
        mind.feed(JourneyReported(mind.now, visit))
    mind.feed(JourneyReported(mind.now, JourneyReport(mind.now, CABLE, Stage.DONE)))
    mind.silent_for(5)
    return mind


def ordered() -> Mind:
    mind = ready()
    mind.feed(Ordered(mind.now, OrderKind.USE, STICK, 600, ""))
    return mind


class TestDeadlines:
    @pytest.mark.parametrize(
        "made",
        [Mind, ready, diverted, on_backup, holding, refused, stranded, ordered,
         vendor_down_and_then_us],
    )  # fmt: skip
    def test_a_quiet_hour_wakes_the_mind_a_bounded_number_of_times(self, made):
        # stranded lines and suspicious ones are asked again every few seconds, the rest is rare
        mind = made()
        count = wakes(mind, 600)
        busy = mind.failover.phase in (Phase.SUSPECT, Phase.STRANDED)
        assert count < (2600 if busy else 700)

    def test_a_mind_that_knows_nothing_waits_for_ever(self):
        assert next_deadline(begin(POLICY), POLICY, at(0)) is None

    def test_a_deadline_lies_ahead_even_when_it_is_overdue(self):
        mind = ready()
        mind.link(CABLE, UNPLUGGED)
        mind.second += 5
        assert next_deadline(mind.state, POLICY, mind.now) == pytest.approx(mind.now.mono + 0.001)

    @pytest.mark.parametrize(
        "made, in_s",
        [
            (lambda: [ready(), ("link", CABLE, UNPLUGGED)], 0.05),
            (lambda: [Mind(links=[]), ("link", STICK, UP)], 2.0),
            (lambda: [refused()], 0.94),
        ],
        ids=["carrier", "first look", "refused"],
    )
    def test_what_is_due_wakes_the_mind(self, made, in_s):
        mind, *deeds = made()
        for _, *arguments in deeds:
            mind.link(*arguments)
        due = next_deadline(mind.state, POLICY, mind.now)
        assert in_s < due - mind.now.mono < in_s + 0.003

    def test_a_silence_that_grows_old_wakes_the_mind_to_evict(self):
        mind = diverted()
        since = mind.known().silence.since.mono
        wakes(mind, since + 4.01 - mind.now.mono)
        assert only(Evict, mind.actions) != []

    def test_a_line_that_stays_clean_wakes_the_mind_to_undo(self):
        mind = diverted()
        mind.second += 0.1
        mind.answers(CABLE)
        wakes(mind, 1.01)
        assert routes(mind.actions)[-1] == CABLE

    def test_a_way_back_that_stays_unclear_ends(self):
        mind = diverted()
        mind.link(CABLE, UNPLUGGED)
        wakes(mind, 0.06)
        assert only(Evict, mind.actions) != []

    def test_the_end_of_an_incident_is_noticed(self):
        mind = ready()
        for _ in range(5):
            mind.hear(asked(Layer.NAMES, "dns a", Finding.SILENT, sent_at=mind.second))
            mind.answers()
        mind.hear(asked(Layer.GATEWAY, "icmp gw", sent_at=mind.second))
        mind.hear(asked(Layer.WEB, "http a", sent_at=mind.second))
        assert [i.cause for i in mind.state.incidents] == [Cause.DNS_DEAD]
        mind.hear(asked(Layer.NAMES, "dns a", sent_at=mind.second))
        wakes(mind, 5.1)
        assert mind.state.incidents[0].resolved is not None

    def test_a_line_in_use_that_comes_back_wakes_the_mind(self):
        mind = stranded()
        mind.answers(CABLE, "alpha")
        due = next_deadline(mind.state, POLICY, mind.now)
        assert due <= mind.now.mono + 3.001

    def test_a_way_back_of_which_little_is_known_still_ends(self):
        mind = diverted()
        mind.put(CABLE, silence=None, link_at=None)
        mind.decided(left_since=None)
        assert next_deadline(mind.state, POLICY, mind.now) > mind.now.mono

    def test_held_lines_of_which_one_is_not_clean(self):
        mind = holding()
        mind.put(STICK, clean_since=None)
        due = next_deadline(mind.state, POLICY, mind.now)
        assert due <= mind.known().clean_since.mono + 60.001

    def test_an_old_word_wakes_the_mind(self):
        mind = ready()
        mind.state = replace(mind.state, failover=replace(mind.failover, active=None, since=None))
        assert next_deadline(mind.state, POLICY, mind.now) < math.inf


def test_paces_and_bursts_are_no_work_for_anybody():
    mind = ready()
    assert has_work((RouteVia(1, CABLE),))
    assert not has_work((ProbeBurst(1, CABLE, 1.0),))
    assert not has_work(tuple(only(ProbeEvery, mind.actions)))


def test_an_event_that_comes_late_does_not_turn_time_back():
    mind = ready()
    late = advance(mind.state, Woke(at(5)), POLICY).state
    assert late.stepped == mind.state.stepped


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_begins_with_every_uplink_unknown(mode):
    state = begin(replace(POLICY, mode=mode))
    assert list(state.uplinks) == [CABLE, STICK]
    assert not any(i.scope is Scope.LINE for i in state.incidents)
