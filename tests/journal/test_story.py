import dataclasses
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_watchdog.core import events as ev
from edge_watchdog.core.actions import Alert, Reason, RouteVia, SendAlert, Severity
from edge_watchdog.core.events import Event
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import (
    CacheReport,
    Finding,
    JourneyReport,
    Layer,
    LinkState,
    Neighbour,
    Sample,
    Stage,
    VendorLevel,
    VendorReport,
    Window,
)
from edge_watchdog.journal import JournalError
from edge_watchdog.journal.replay import as_story, replay
from edge_watchdog.journal.store import Recording
from edge_watchdog.journal.story import read_story, write_story
from tests.journal.toy import Mind, Step, advance, loud, quiet

STORY = """\
# Broadband went away at a quarter past nine.
@ began 2026-11-21T09:14:05.250Z mono 5123.250000
09:14:05.250 link_changed uplink="LTE stick" present=true carrier=false addresses=["192.0.2.7/24"]
09:14:05.300 sampled broadband internet "icmp 198.51.100.1" 0/1 ago=0.8 operator=alpha finding=silent
  > RouteVia id=1 uplink=phone
09:14:05.900 sampled broadband internet "dns 198.51.100.1" 1/1 rtt_s=0.0123 | "LTE stick" web "https host" 2/5
09:14:06.000 vendor_reported ago=3.5 level="partial outage" title=Slow windows=[{"id":"1","title":"x","start_wall":1.0,"end_wall":null,"active":false}]
09:14:06.500 done action=1 ok=true
@ wall +3600.000
09:14:07.000 clock_stepped by_s=3600.0
09:14:08.000 woke
"""  # noqa: E501 - a line is an event


def test_a_story_reads_and_writes_the_same():
    story = read_story(STORY)
    kinds = [type(event).__name__ for event in story.events]
    assert kinds == [
        "LinkChanged", "Sampled", "Sampled", "VendorReported", "Done", "ClockStepped", "Woke",
    ]  # fmt: skip
    assert story.notes == ("Broadband went away at a quarter past nine.",)
    assert story.decisions[1] == ("RouteVia id=1 uplink=phone",)
    pairs = [(e, [RouteVia(1, "phone")] if i == 1 else []) for i, e in enumerate(story.events)]
    assert "\n".join(write_story(pairs, None)) == STORY.partition("\n")[2].strip()


def test_what_a_line_says_is_what_happened():
    link, silent, two, *_, woke = read_story(STORY).events
    assert isinstance(link, ev.LinkChanged)
    assert link.state == LinkState(present=True, carrier=False, addresses=("192.0.2.7/24",))
    assert isinstance(silent, ev.Sampled)
    (sample,) = silent.samples
    assert (sample.sent, sample.lost, sample.finding) == (1, 1, Finding.SILENT)
    assert silent.at.since(sample.at) == pytest.approx(0.8)
    assert isinstance(two, ev.Sampled)
    assert [(s.uplink, s.sent - s.lost, s.sent) for s in two.samples] == [
        ("broadband", 1, 1),
        ("LTE stick", 2, 5),
    ]
    assert woke.at.since(link.at) == pytest.approx(2.75)
    assert woke.at.wall - link.at.wall == pytest.approx(3602.75)


def test_a_night_is_told_across_midnight():
    text = (
        "@ began 2026-11-21T23:59:59.000Z mono 10.0\n23:59:59.000 woke\n00:00:01.500 woke\n"
        "08:00:00.000 woke\n19:00:00.000 woke\n00:00:00.000 woke\n"
    )
    times = [event.at.mono - 10 for event in read_story(text).events]
    assert times == [0, 2.5, 28801, 68401, 86401]


@pytest.mark.parametrize(
    "text, said",
    [
        ("09:00:00.000 woke", 'line 1: a story needs "@ began'),
        ("@ began yesterday", 'line 1: write "@ began'),
        ("@ began 2026-11-21T09:14:05.250Z mono 1.0\nnine o'clock", 'line 2: write "HH:MM:SS.mmm'),
        (
            "@ began 2026-11-21T09:14:05.250Z mono 1.0\n\n09:14:05.250 slept",
            "no such kind of event",
        ),
        ("@ began 2026-11-21T09:14:05.250Z mono 1.0\n09:14:05.250 done action=x ok=true", "action"),
        ("@ began 2026-11-21T09:14:05.250Z mono 1.0\n09:14:05.250 done 5", "write key=value"),
        ("@ began 2026-11-21T09:14:05.250Z mono 1.0\n09:14:05.250 sampled a", "write a sample as"),
        ("@ began 2026-11-21T09:14:05.250Z mono 1.0\n09:14:05.250 sampled a web t x/y", "line 2"),
        ("@ state !!!", "the state is not readable"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, said):
    with pytest.raises(JournalError, match=said):
        read_story(text)


words = st.text(string.printable + "\x85\u2028\u00e9", max_size=12)
names = st.sampled_from(["broadband", "LTE stick", "a|b", "true", "x=y", "5", ""]) | words
ms = st.integers(0, 50_000_000).map(lambda n: n / 1000)
ago = st.integers(0, 10_000).map(lambda n: n / 1000)
number = st.none() | st.floats(0, 100).map(lambda x: round(x, 4))
link_states = st.builds(
    LinkState,
    present=st.booleans(),
    carrier=st.none() | st.booleans(),
    addresses=st.lists(words, max_size=2).map(tuple),
    gateway=st.none() | words,
    neighbour=st.none() | st.sampled_from(Neighbour),
    routed=st.none() | st.booleans(),
)


@st.composite
def dated(draw, kind, now, /, **fields):
    return kind(at=now.plus(-draw(ago)), **{name: draw(one) for name, one in fields.items()})


@st.composite
def some_event(draw, now: Instant) -> Event:
    windows = st.lists(
        st.builds(Window, words, words, st.floats(0, 9), number, st.booleans()), max_size=2
    ).map(tuple)
    sample = dated(
        Sample, now, uplink=names, layer=st.sampled_from(Layer), target=names,
        sent=st.just(5), lost=st.integers(0, 5), rtt_s=number, operator=names,
        finding=st.sampled_from(Finding), detail=words,
    )  # fmt: skip
    choices = [
        st.lists(sample, max_size=3).map(lambda many: ev.Sampled(now, tuple(many))),
        st.builds(ev.LinkChanged, st.just(now), names, link_states),
        dated(
            VendorReport, now, level=st.sampled_from(VendorLevel), title=words, windows=windows,
            started_wall=number,
        ).map(lambda report: ev.VendorReported(now, report)),
        dated(
            JourneyReport, now, uplink=names, stage=st.sampled_from(Stage), seconds=number
        ).map(lambda report: ev.JourneyReported(now, report)),
        dated(
            CacheReport, now, source=names, today=st.none() | st.integers(0, 99),
            tomorrow=st.none(), as_of_wall=number,
        ).map(lambda report: ev.CacheReported(now, report)),
        st.builds(ev.WorkerFailed, st.just(now), names, words),
        st.builds(ev.Acknowledged, st.just(now), st.integers(0, 9), names),
        st.builds(ev.Started, st.just(now), names, words),
        st.just(ev.Woke(now)),
    ]  # fmt: skip
    event: Event = draw(st.one_of(choices))
    return event


@st.composite
def histories(draw):
    times = sorted(draw(st.lists(ms, min_size=1, max_size=8)))
    began = Instant(draw(ms), 1_790_000_000.0 + draw(ms))
    return [draw(some_event(began.plus(t - times[0]))) for t in times]


def assert_near(first: Instant, second: Instant):
    assert first.mono == pytest.approx(second.mono, abs=0.0011)
    assert first.wall == pytest.approx(second.wall, abs=0.0011)


def without_times(value: object) -> object:
    if isinstance(value, Instant):
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [type(value)] + [
            without_times(getattr(value, f.name)) for f in dataclasses.fields(value)
        ]
    return [without_times(one) for one in value] if isinstance(value, tuple) else value


@given(histories())
@settings(max_examples=200, deadline=None)
def test_every_event_survives_the_text(events):
    text = "\n".join(write_story([(event, ()) for event in events], None))
    story = read_story(text)
    assert without_times(story.events) == without_times(tuple(events))
    for again, event in zip(story.events, events, strict=True):
        assert_near(again.at, event.at)
    assert "\n".join(write_story([(e, ()) for e in story.events], None)) == text


def a_recording(complete=True):
    state, events, decisions = Mind(), [], []
    for event in [quiet(1), quiet(2), loud(3), quiet(4)]:
        step = advance(state, event)
        events.append(event)
        decisions.append(step.actions)
        state = step.state
    return Recording(Mind(), tuple(events), tuple(decisions), complete)


def test_a_recording_becomes_a_story_with_its_state():
    text = as_story(a_recording(), ["The link went away.", ""])
    story = read_story(text)
    assert text.startswith("# The link went away.\n#\n@ began ")
    assert story.state == {"type": "Mind", "count": 0, "at": None, "check": 7}
    assert story.decisions == ((), (), ("RouteVia id=3 uplink=phone",), ())
    assert len(story.events) == 4


def test_an_alert_in_a_story_is_short():
    alert = Alert(1, Reason.FIRST, Severity.OUTAGE, "c", "No internet.", "long", ("a",), 1.0, 2.0)
    (_, _, action) = write_story([(quiet(1), [SendAlert(2, alert)])], None)
    assert action == (
        '  > SendAlert id=2 incident=1 reason=first severity=outage cause=c headline="No internet."'
    )


def test_replay_tells_what_mattered():
    lines = list(replay(a_recording(), advance))
    assert lines == [
        "14:15:03.000 worker_failed worker=link error=gone",
        "  > RouteVia id=3 uplink=phone",
    ]
    assert len(list(replay(a_recording(), advance, every=True))) == 5


def test_replay_shows_where_the_mind_has_changed():
    def cautious(state, event):
        return Step(advance(state, event).state, ())

    lines = list(replay(a_recording(complete=False), cautious, tell=lambda a, b: ()))
    assert lines[1:] == [
        "  ! then: RouteVia id=3 uplink=phone",
        "# The record stops here; the incident went on.",
    ]


def test_replay_lets_the_caller_tell_of_changes():
    def tell(before, after):
        return [f"{before.count} -> {after.count}"] if after.count == 2 else []

    assert "  > 1 -> 2" in list(replay(a_recording(), advance, tell=tell))


def test_an_empty_recording_is_an_empty_story():
    assert list(replay(Recording(Mind(), (), ()), advance)) == []
    assert as_story(Recording(Mind(), (), ())) == "\n"
