"""Stories: what happens to a studio, and after each ">" what the mind makes of it.

Most happen in a studio in memory (edge_watchdog/sim); one that has "@ began" is the recording of a
real box, as ``edge-watchdog replay --as-story`` writes it.  REWRITE_STORIES=1 has the mind write
its lines anew; commit only changes that you can explain.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edge_watchdog.core.actions import Evict, Pace, RouteVia, SendAlert
from edge_watchdog.core.advance import Step, advance, begin
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import (
    Acknowledged,
    DriverReported,
    Event,
    HoursChanged,
    Ordered,
    OrderKind,
)
from edge_watchdog.core.model import DriverReport, Mode, Stranger, Uplink, UplinkKind, Window
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import Failover, Incident, State
from edge_watchdog.core.words import banner
from edge_watchdog.journal.story import action_text, read_story
from edge_watchdog.sim.scenarios import turn, usual_policy, usual_world
from edge_watchdog.sim.studio import BEGAN, Studio
from edge_watchdog.sim.world import World

STORIES = sorted(Path(__file__).parent.glob("*.txt"))
BEGINS_S = 9 * 3600 + 14 * 60
LINE = re.compile(r"(\d\d):(\d\d):(\d\d(?:\.\d+)?) (\w+)(?: (?!at )(.*?))?(?: at (.*))?")


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_mind_decides_as_it_is_told(path: Path) -> None:
    text = path.read_text("utf-8")
    retold = "".join(f"{line}\n" for line in (replay if "\n@ began" in text else play)(text))
    if os.environ.get("REWRITE_STORIES"):
        path.write_text(retold, "utf-8")
        return
    assert retold == text
    assert "\n=======" not in text  # what a merge left behind would pass as a note


def play(text: str) -> list[str]:
    """Have it happen in memory; every line is a note, or says what happens when, and where."""
    lines: list[str] = []
    studio: Studio | None = None
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        if found is None:
            lines += [] if line.startswith("  >") else [line]
            continue
        hours, minutes, seconds, word, rest, where = found.groups(default="")
        if studio is None:
            lines.append(line)
            policy = usual_policy(Mode(rest or "self"))
            studio = Studio(policy, usual_world(), watch=partial(note, lines, policy))
        else:
            studio.run(int(hours) * 3600 + int(minutes) * 60 + float(seconds) - BEGINS_S)
            lines.append(line)
            happen(studio, word, rest, where)
    return lines


def happen(studio: Studio, word: str, rest: str, where: str) -> None:
    match word:
        case "end":
            pass
        case "over":
            studio.heal(f"{rest} {where}")
        case "restarted" | "rebooted":
            studio.start("boot 1" if word == "restarted" else "boot 2")
        case "opened" | "closed":
            studio.feed(HoursChanged(studio.now, word == "opened"))
        case "astray":
            who = Stranger(rest, "", rest) if rest != "nobody" else None
            report = DriverReport(studio.now, stranger=who)
            studio.feed(DriverReported(studio.now, "broadband", report))
        case "planned":
            minutes, _, title = rest.partition(" minutes from now: ")
            start = studio.now.wall + 60 * float(minutes)
            work = Window("1", title, start, start + 3600, active=False)
            studio.inject("planned work ", partial(plan, work))
        case "acknowledged":
            studio.feed(Acknowledged(studio.now, int(rest), "Anna"))
        case "ordered":
            name, _, minutes = rest.partition(" for ")
            kind = OrderKind.USE if minutes else OrderKind.AUTO
            studio.feed(Ordered(studio.now, kind, name, 60 * float(minutes or 0), "as ordered"))
        case _:
            studio.inject(f"{word} {where}", turn(f"{word}:{rest}" if rest else word, where))


def plan(work: Window, world: World) -> World:
    return replace(world, vendor=replace(world.vendor, windows=(work,)))


def note(lines: list[str], policy: Policy, before: State, event: Event, step: Step) -> None:
    lines.extend(tell(policy, before, event, step))


def tell(policy: Policy, before: State, event: Event, step: Step) -> Iterator[str]:
    """Say what the step changed that people, or the kernel, notice."""
    second = BEGINS_S + round(event.at.since(BEGAN), 3)
    time = f"{second // 3600:02.0f}:{second // 60 % 60:02.0f}:{second % 60:06.3f}"
    yield from (f"  > {time} {words}" for words in decisions(before.failover, step))
    then = {i.id: i for i in before.incidents}
    for now in step.state.incidents:
        if (words := status(now)) != (status(then[now.id]) if now.id in then else ""):
            yield f"  > {time} incident {now.id}: {words}"
    if gist(before) != gist(step.state):
        page = banner(step.state, event.at, policy)
        if page.headline != banner(before, event.at, policy).headline:
            yield f"  > {time} page: {page.standing}: {page.headline}"


def gist(state: State) -> object:
    return state.failover.phase, state.failover.active, state.incidents, state.vendor.diagnosis


def decisions(before: Failover, step: Step) -> Iterator[str]:
    after = step.state.failover
    if before.phase is not after.phase:
        yield f"{before.phase} -> {after.phase}"
    for action in step.actions:
        match action:
            case RouteVia():
                yield f"new connections over {action.uplink}"
            case Evict():
                yield f"old connections over {action.uplink} are ended"
            case SendAlert(alert=alert):
                yield f"tell people ({alert.reason}, {alert.severity}): {alert.headline}"
            case _:
                pass


def status(incident: Incident) -> str:
    where = incident.uplink if incident.scope != "vendor" else "the vendor"
    return "over" if incident.resolved else f"{incident.cause}, {where}, {incident.severity}"


def replay(text: str) -> Iterator[str]:
    """Go through a recording again; one without a state begins with the usual studio."""
    story = read_story(text)
    policy = usual_policy()
    state = begin(policy)
    if story.state is not None:
        state = decode(State, story.state)
        metered = {n for n, order in state.paces.items() if order.pace is Pace.STANDBY_METERED}
        lines = (Uplink(n, UplinkKind.ETHERNET, n, n in metered) for n in state.uplinks)
        policy = Policy(tuple(lines), Mode.SELF)
    events = iter(story.events)
    for line in text.splitlines():
        if line.startswith("  >"):
            continue
        yield line
        if line[:2].isdigit():
            step = advance(state, next(events), policy)
            state = step.state
            yield from (f"  > {action_text(action)}" for action in step.actions)
