"""``edge-watchdog use``: stay on one uplink for a while, for a reason; or let the box decide again.

An order never leads onto a line that is not seen to work, never keeps the box on a dead one, and
ends by itself.
"""

import argparse
import asyncio
import getpass
import os
from collections.abc import Iterator
from pathlib import Path

from edge_watchdog.bridge import BridgeClient, Order, ToDesk
from edge_watchdog.clock import SystemClock
from edge_watchdog.config import ConfigError, Outline
from edge_watchdog.config.forms import nearest, read_text_form
from edge_watchdog.core.events import OrderKind
from edge_watchdog.core.model import Mode
from edge_watchdog.core.policy import ORDER_LONGEST_S
from edge_watchdog.core.units import Seconds
from edge_watchdog.core.view import StudioView
from edge_watchdog.verbs import NOT_RUNNING, Answer, complaint
from edge_watchdog.verbs.setting import NotRunning, clock_time, outline_of, present_view
from edge_watchdog.verbs.status import ordered

AUTO = "auto"
WAIT_S = 4.0  # a standby is asked at once, and answers within a second or two
HOURS = f"{ORDER_LONGEST_S / 3600:.0f}h"


def answer(args: argparse.Namespace) -> Answer:
    """Check the order, give it to the running watch half, and say what became of it."""
    try:
        outline = outline_of(args)
        view = present_view(outline)
    except ConfigError as error:
        return complaint(error.problems)
    except NotRunning as error:
        return error.answer
    problems = tuple(faults(args, view))
    if problems:
        return complaint(problems)
    after = asyncio.run(give(Path(outline.box.bridge_socket), order_of(args)))
    if after is None:
        return Answer("the watch half hung up before it said what became of it", NOT_RUNNING)
    return Answer("\n".join(outcome(after, outline)))


def faults(args: argparse.Namespace, view: StudioView) -> Iterator[str]:
    """Say all that is wrong with the order, each with what would be right."""
    if view.mode is Mode.OBSERVE:
        yield 'this box only looks on ([box] mode = "observe"): it moves nothing'
        return
    if args.name == AUTO:
        return
    names = [one.name for one in view.uplinks]
    if args.name not in names:
        yield f'"{args.name}" is no uplink here; {nearest(args.name, names)}'
    if seconds(args.for_) is None:
        yield f'--for "{args.for_}": write a time with a unit, at most {HOURS}, such as 30m or 2h'
    if not args.because:
        yield '--because is missing: say why, such as --because "the router is being replaced"'
    for option, text, longest in (("--because", args.because, 200), ("--by", args.by, 80)):
        if text and (len(text) > longest or not text.isprintable()):
            yield f"{option}: write at most {longest} printable characters"


def seconds(text: str) -> float | None:
    """Give the length of an order in seconds; None when it is no time, or too long."""
    try:
        length = read_text_form(Seconds, text)
    except ValueError:
        return None
    return float(length) if isinstance(length, float) and length <= ORDER_LONGEST_S else None


def order_of(args: argparse.Namespace) -> Order:
    """Make the order of what was typed and checked."""
    if args.name == AUTO:
        return Order(OrderKind.AUTO, None, 0.0, args.because or "", args.by or _who())
    length = seconds(args.for_) or 0.0
    return Order(OrderKind.USE, args.name, length, args.because, args.by or _who())


def _who() -> str:
    """Name who is at the terminal, also behind sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return ""


async def give(path: Path, order: Order) -> StudioView | None:
    """Give the watch half *order*, wait until it is carried out, WAIT_S at most.

    Gives the last view heard after the order; None when there was none.
    """
    heard: asyncio.Queue[ToDesk] = asyncio.Queue()
    client = BridgeClient(path, heard.put_nowait, clock=SystemClock())
    talk = asyncio.create_task(client.run())
    after: StudioView | None = None
    sent = False
    try:
        async with asyncio.timeout(WAIT_S):
            while after is None or not _is_done(after, order):
                message = await heard.get()
                if isinstance(message, StudioView):
                    after = message if sent else None
                    sent = sent or client.send(order)
    except TimeoutError:
        pass  # what was heard until then is told
    finally:
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
    return after


def _is_done(view: StudioView, order: Order) -> bool:
    found = view.override
    if order.kind is OrderKind.AUTO or found is None:
        return found is None and order.kind is OrderKind.AUTO
    taken = (found.uplink, found.reason) == (order.uplink, order.reason)
    return taken and view.active == order.uplink


def outcome(view: StudioView, outline: Outline) -> Iterator[str]:
    """Say what is so after the order."""
    if view.override is None:
        yield f"The box decides by itself again. In use: {view.active or 'nothing'}."
        if view.failback_at_wall is not None and view.active != view.preferred:
            at = clock_time(view.failback_at_wall, view, outline)
            yield f"Back to {view.preferred} at {at}, if it stays clean."
        return
    yield ordered(view.override, clock_time(view.override.until_wall, view, outline))
    yield f"In use: {view.active or 'nothing'}."
