"""``edge-watchdog why``: the present diagnosis, and the evidence for it rung by rung."""

import argparse
from collections.abc import Iterator

from edge_watchdog.config import ConfigError
from edge_watchdog.core.view import StudioView, UplinkView
from edge_watchdog.verbs import Answer, complaint
from edge_watchdog.verbs.setting import NotRunning, outline_of, present_view


def answer(args: argparse.Namespace) -> Answer:
    """Ask the running watch half and put its reasons into lines."""
    try:
        view = present_view(outline_of(args))
    except ConfigError as error:
        return complaint(error.problems)
    except NotRunning as error:
        return error.answer
    return Answer("\n".join(lines(view)).rstrip())


def lines(view: StudioView) -> Iterator[str]:
    """Put the reasons into lines of a terminal."""
    yield f"{view.banner.headline} {view.banner.changed}".rstrip()
    yield f"phase: {view.phase}; in use: {view.active or 'nothing'}"
    yield ""
    for uplink in view.uplinks:
        yield from _uplink(uplink)
        yield ""
    if view.vendor is not None:
        cause = f", {view.vendor.cause}" if view.vendor.cause else ""
        yield f"{view.vendor.name}: app {view.vendor.app}{cause}"
        yield f"  app        {view.vendor.app_evidence or 'not visited yet'}"
        said = view.vendor.page_title or view.vendor.page_reason
        yield f"  page       {view.vendor.page} {said}".rstrip()
        yield ""
    for incident in view.incidents:
        if incident.resolved_wall is None:
            yield f"incident {incident.id}: {incident.headline}"
            yield from (f"  - {reason}" for reason in incident.because)


def _uplink(one: UplinkView) -> Iterator[str]:
    cause = f", {one.cause} ({one.confidence:.0%} sure)" if one.cause else ""
    yield f"{one.name} ({one.interface}), {one.role}: {one.health}{cause}"
    yield from (f"  {rung.layer:<10} {rung.health:<9} {rung.evidence}" for rung in one.rungs)
    yield from (f"  - {reason}" for reason in one.because)
