"""The one big sentence: the banner of the last view, or plainly that nobody watches just now."""

from dataclasses import dataclass

from edge_watchdog.core.view import Banner, IncidentView, OverrideView, Standing
from edge_watchdog.core.words import capital
from edge_watchdog.desk.board import Board
from edge_watchdog.desk.phrases import SIGNS, UNHEARD, Local, Sign

ORDER = tuple(SIGNS)
OWN_TROUBLE = "That is not known: try the appointment system. Today's list works anyhow."
UNHEARD_STEPS = (
    "Try the appointment system. If it opens, work as usual.",
    "If it does not open, use today's list and write down what happens.",
    "Still so in ten minutes? Tell the owner. Pulling the box's plug for ten seconds restarts it.",
)


@dataclass(frozen=True, slots=True)
class Place:
    """One of the places of the strip; exactly one is *here*, or none."""

    word: str
    name: str
    here: bool


@dataclass(frozen=True, slots=True)
class StatusModel:
    """What the top of each page says; *name* is the standing's name, or "unheard"."""

    name: str
    sign: Sign
    headline: str
    can_work: str
    changed: str
    steps: tuple[str, ...]
    call: str
    since: str
    next_word: str
    places: tuple[Place, ...]
    incident: IncidentView | None
    acknowledged_by: str
    ordered: str = ""


def status_model(board: Board, local: Local, vendor: str) -> StatusModel:
    """Draw the status from what the watch half said last and whether it is still heard."""
    now_wall = board.now().at.wall
    silence = board.silence()
    if silence is not None:
        since = local.moment(silence.since.wall, now_wall) if silence.since else ""
        return _unheard(board.view.banner if board.view else None, since, vendor)
    if board.view is None:
        return _starting(vendor)
    banner = board.view.banner
    opened = board.open_incidents()
    waiting = [one for one in opened if not one.acknowledged_by]
    seen = [one.acknowledged_by for one in opened if one.acknowledged_by]
    return StatusModel(
        name=str(banner.standing),
        sign=_sign(banner.standing, vendor),
        headline=banner.headline,
        can_work=banner.can_work,
        changed=banner.changed,
        steps=banner.steps,
        call=banner.call,
        since=local.moment(banner.since_wall, now_wall) if banner.since_wall else "",
        next_word=local.moment(banner.next_word_wall, now_wall) if banner.next_word_wall else "",
        places=_places(banner.standing, vendor),
        incident=waiting[0] if waiting else None,
        acknowledged_by=seen[0] if seen and not waiting else "",
        ordered=_ordered(board.view.override, local, now_wall),
    )


def _ordered(order: OverrideView | None, local: Local, now_wall: float) -> str:
    if order is None:
        return ""
    who, until = capital(order.by or "somebody"), local.moment(order.until_wall, now_wall)
    return f"{who} ordered {order.uplink} until {until} ({order.reason}). {order.note}".rstrip()


def _unheard(last: Banner | None, since: str, vendor: str) -> StatusModel:
    headline = "The box cannot say whether the internet works."
    if since:
        headline = f"Since {since} the box cannot say whether the internet works."
    known = (
        f"What it said last may be over: {last.headline}" if last else "It has said nothing yet."
    )
    return StatusModel(
        name="unheard",
        sign=UNHEARD,
        headline=headline,
        can_work=OWN_TROUBLE,
        changed=f"The part of the box that checks the lines does not answer. {known}",
        steps=UNHEARD_STEPS,
        call="",
        since="",
        next_word="",
        places=_places(None, vendor),
        incident=None,
        acknowledged_by="",
    )


def _starting(vendor: str) -> StatusModel:
    return StatusModel(
        name="checking",
        sign=SIGNS[Standing.CHECKING],
        headline="The box is starting.",
        can_work=OWN_TROUBLE,
        changed="The first look at the lines is under way.",
        steps=(),
        call="",
        since="",
        next_word="",
        places=_places(Standing.CHECKING, vendor),
        incident=None,
        acknowledged_by="",
    )


def _places(here: Standing | None, vendor: str) -> tuple[Place, ...]:
    return tuple(Place(_sign(one, vendor).word, str(one), one is here) for one in ORDER)


def _sign(standing: Standing, vendor: str) -> Sign:
    sign = SIGNS[standing]
    return Sign(f"{vendor} trouble", sign.icon) if standing is Standing.VENDOR and vendor else sign
