"""``edge-watchdog replay``: an incident of the journal, thought through again by today's mind."""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from edge_watchdog.config import Config, ConfigError, policy
from edge_watchdog.core.advance import Step, advance
from edge_watchdog.core.codec import decode
from edge_watchdog.core.events import Event
from edge_watchdog.core.policy import Policy
from edge_watchdog.core.state import State
from edge_watchdog.journal import JournalError
from edge_watchdog.journal.reading import read_recording
from edge_watchdog.journal.replay import as_story, replay
from edge_watchdog.journal.store import Recording
from edge_watchdog.verbs import Answer, complaint
from edge_watchdog.verbs.setting import config_of


def answer(args: argparse.Namespace) -> Answer:
    """Give what happened and what was decided, or the story text of it."""
    try:
        config = config_of(args)
        recording = _recording(config, args.incident)
    except ConfigError as error:
        return complaint(error.problems)
    except JournalError as error:
        return complaint([error])
    if args.as_story:
        return Answer(as_story(recording, _notes(config, args.incident)).rstrip("\n"))
    step = partial(_step, policy(config))
    return Answer("\n".join(replay(recording, step, tell=_told)))


def _recording(config: Config, incident: int) -> Recording[State]:
    return read_recording(Path(config.box.journal), incident, partial(decode, State))


def _step(numbers: Policy, state: State, event: Event) -> Step:
    return advance(state, event, numbers)


def _told(before: State, after: State) -> list[str]:
    return list(_changes(before, after))


def _changes(before: State, after: State) -> Iterator[str]:
    """Say where the failover went, and what each uplink was found to suffer from."""
    if before.failover.phase is not after.failover.phase:
        yield f"phase: {after.failover.phase}"
    if before.failover.active != after.failover.active:
        yield f"in use: {after.failover.active or 'nothing'}"
    for name, known in after.uplinks.items():
        old = before.uplinks[name].diagnosis if name in before.uplinks else None
        new = known.diagnosis
        if new is not None and (old is None or old.cause is not new.cause):
            yield f"{name}: {new.cause} ({new.confidence:.0%} sure)"


def _notes(config: Config, incident: int) -> list[str]:
    names = ", ".join(one.uplink.name for one in config.uplinks)
    return [f"Incident {incident}, recorded by a box with {names} in mode {config.box.mode}."]
