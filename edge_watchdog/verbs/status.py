"""``edge-watchdog status``: how things are, on one screen, as the watch half sees them."""

import argparse
from collections.abc import Iterator

from edge_watchdog.config import ConfigError, Outline
from edge_watchdog.core.view import IncidentView, OverrideView, StudioView, UplinkView, VendorView
from edge_watchdog.verbs import Answer, complaint
from edge_watchdog.verbs.setting import NotRunning, clock_time, outline_of, present_view

SHOWN_INCIDENTS = 5


def answer(args: argparse.Namespace) -> Answer:
    """Ask the running watch half and put its view into lines."""
    try:
        outline = outline_of(args)
        view = present_view(outline)
    except ConfigError as error:
        return complaint(error.problems)
    except NotRunning as error:
        return error.answer
    return Answer("\n".join(lines(view, outline)))


def lines(view: StudioView, outline: Outline) -> Iterator[str]:
    """Put the view into lines of a terminal."""
    banner = view.banner
    at = clock_time(view.at.wall, view, outline)
    yield f"{banner.headline}  ({outline.studio.name}, {at})"
    yield f"Can I work?  {banner.can_work}"
    yield from (f"  {number}. {step}" for number, step in enumerate(banner.steps, 1))
    if banner.next_word_wall is not None:
        yield f"Next word by {clock_time(banner.next_word_wall, view, outline)}."
    yield ""
    yield from (_uplink(one) for one in view.uplinks)
    if view.failback_at_wall is not None:
        yield f"Back to {view.preferred} at {clock_time(view.failback_at_wall, view, outline)}"
        yield "  if it stays clean."
    if view.vendor is not None:
        yield _vendor(view.vendor)
    yield f"mode {view.mode}, {view.phase}"
    if view.override is not None:
        yield ordered(view.override, clock_time(view.override.until_wall, view, outline))
    yield from view.notices
    yield from (_incident(one, view, outline) for one in view.incidents[:SHOWN_INCIDENTS])


def ordered(order: OverrideView, until: str) -> str:
    """Say who wants which line until when, and why."""
    who = order.by or "Somebody"
    return f"{who} ordered {order.uplink} until {until} ({order.reason}). {order.note}".rstrip()


def _uplink(one: UplinkView) -> str:
    delay = "" if one.rtt_s is None else f"{one.rtt_s * 1000:.0f} ms"
    loss = "" if one.loss_ratio is None else f"{one.loss_ratio:.0%} lost"
    facts = ", ".join(fact for fact in (delay, loss, one.cause, one.used) if fact)
    return f"{one.name:<14} {one.role:<8} {one.health:<9} {facts}".rstrip()


def _vendor(one: VendorView) -> str:
    said = one.page_title or one.page_reason
    return f"{one.name:<14} app {one.app}, status page {one.page} {said}".rstrip()


def _incident(one: IncidentView, view: StudioView, outline: Outline) -> str:
    since = clock_time(one.opened_wall, view, outline)
    until = "now" if one.resolved_wall is None else clock_time(one.resolved_wall, view, outline)
    known = f", known to {one.acknowledged_by}" if one.acknowledged_by else ""
    return f"incident {one.id}  {since} to {until}  {one.headline}{known}"
