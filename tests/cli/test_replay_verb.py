from pathlib import Path

import pytest

from edge_watchdog.cli import main
from edge_watchdog.config import load, policy
from edge_watchdog.core.advance import advance, begin
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import Done, Event, LinkChanged, Sampled, Started, Woke
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Finding, Layer, LinkState, Sample
from edge_watchdog.core.portray import view
from edge_watchdog.core.state import State
from edge_watchdog.journal.journal import Journal
from edge_watchdog.journal.story import read_story

T0 = Instant(1000.0, 1792933200.0)
UP = LinkState(
    present=True, carrier=True, addresses=("192.0.2.7/24",), gateway="192.0.2.1", routed=True
)
OPERATORS = {"alpha": "198.51.100.1", "beta": "198.51.100.65", "gamma": "203.0.113.1"}


def answers(at, uplink, *, silent=False):
    """Give one closed question to each operator."""
    return Sampled(
        at,
        tuple(
            Sample(
                at,
                uplink,
                Layer.INTERNET,
                f"icmp {address}",
                sent=1,
                lost=int(silent),
                rtt_s=None if silent else 0.02,
                operator=operator,
                finding=Finding.SILENT if silent else Finding.ANSWERED,
            )
            for operator, address in OPERATORS.items()
        ),
    )


def a_bad_minute():
    """Tell of a broadband line that dies five seconds in, beside an LTE stick that lives."""
    yield Started(T0, "boot", "0.1.0")
    yield LinkChanged(T0, "broadband", UP)
    yield LinkChanged(T0, "LTE stick", UP)
    for tenth in range(1, 300):
        at = T0.plus(tenth / 10)
        yield answers(at, "broadband", silent=tenth > 50)
        yield answers(at, "LTE stick")
        yield Woke(at)


@pytest.fixture
async def config(tmp_path):
    path = tmp_path / "edge_watchdog.toml"
    path.write_text(f"""
[studio]
name = "Lotus Room"
time_zone = "Europe/London"
[box]
mode = "self"
state_dir = "{tmp_path}"
[[uplink]]
name = "broadband"
kind = "ethernet"
interface = "wan0"
[[uplink]]
name = "LTE stick"
kind = "ethernet"
interface = "lte0"
metered = true
""")
    await record(path, tmp_path / "watch" / "journal.db")
    return path


async def record(path: Path, journal_path: Path) -> None:
    journal_path.parent.mkdir()
    numbers = policy(load(path))
    state = begin(numbers)
    journal = await Journal.open(
        journal_path, boot_id="boot", decode_state=lambda data: decode(State, data)
    )
    for told in a_bad_minute():
        inbox: list[Event] = [told]
        while inbox:
            event = inbox.pop(0)
            step = advance(state, event, numbers)
            await journal.append(event, state, step.state, step.actions, notable=bool(step.actions))
            inbox += [Done(event.at, action.id, ok=True) for action in step.actions]
            state = step.state
            journal.note(view(state, numbers, event.at))
    await journal.close()


def test_an_incident_is_thought_through_again_and_nothing_differs(config, capsys):
    assert main(["replay", "--config", str(config), "--incident", "1"]) == 0
    out = capsys.readouterr().out
    assert "RouteVia" in out
    assert "in use: LTE stick" in out
    assert "!" not in out


def test_an_incident_becomes_a_story_that_can_be_read_again(config, capsys):
    assert main(["replay", "--config", str(config), "--incident", "1", "--as-story"]) == 0
    story = read_story(capsys.readouterr().out)
    assert story.notes[0].startswith("Incident 1, recorded by a box with broadband, LTE stick")
    assert any("RouteVia" in line for lines in story.decisions for line in lines)


def test_an_incident_that_never_was_is_a_problem(config, capsys):
    assert main(["replay", "--config", str(config), "--incident", "99"]) == 1
    assert "99" in capsys.readouterr().err
