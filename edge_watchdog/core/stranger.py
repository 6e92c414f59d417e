"""A second device in a line's network hands out addresses: when is it what is wrong, and who is it?

In: what the senses found (DriverReport.stranger).  Out: whether it is to be named, and its words.
The rule: it leads other computers astray, not a box that kept its router; so whatever else a line
has goes by its own name, unless the box itself was led to the stranger.
"""

from collections.abc import Mapping

from edge_watchdog.core.catalogue import Sign
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.ladder import DRIVER_STALE_S
from edge_watchdog.core.model import DriverReport, Stranger
from edge_watchdog.core.state import UplinkState

WELL = {Sign.ANCHORS: "ok", Sign.NAMES: "ok", Sign.WEB: "ok", Sign.DELAY: "ok"}


def is_led_astray(
    known: UplinkState, report: DriverReport, found: Mapping[Sign, str | None]
) -> bool:
    """Tell whether a stranger is to be named: nothing else is wrong, or it explains what is."""
    who = report.stranger
    if who is None:
        return False
    followed = known.link is not None and known.link.gateway in (who.router, who.server)
    return followed or all(found.get(sign) in (None, fine) for sign, fine in WELL.items())


def stranger_words(known: UplinkState, now: Instant) -> tuple[str, ...]:
    """Say who the stranger is, for whoever looks for it."""
    who = stranger_of(known, now)
    if who is None:
        return ()
    where = f"by way of {who.router}" if who.router else "nowhere"
    return (f"local network: {name_of(who)} gives out addresses, too, and leads {where}",)


def stranger_of(known: UplinkState, now: Instant) -> Stranger | None:
    """Give the stranger while word of it is fresh."""
    report = known.report
    if report is None or now.since(report.at) > DRIVER_STALE_S:
        return None
    return report.stranger


def name_of(who: Stranger) -> str:
    """Give what somebody can find it by."""
    return f"{who.server} ({who.mac})" if who.mac else who.server
