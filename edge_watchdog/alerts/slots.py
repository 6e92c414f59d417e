"""What one channel is still to be told of one incident.  Pure.

In: alerts as they come, and what became of each attempt.  Out: the one message that says it now.
The rule: a state, not a list of messages; whoever may have heard "down" is owed "back".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from edge_watchdog.core.actions import Alert, Reason, Severity


class Told(StrEnum):
    """What the channel knows of the incident."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"
    OVER = "over"


class Kind(StrEnum):
    """What the next message is to the one who reads it."""

    OPEN = "open"
    UPDATE = "update"
    CLOSE = "close"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Slot:
    """*alert*: the newest that is not told, None = nothing to send.  *first*: the first such one.

    *last*: the newest put in, told or not.  *seq*: the place in the channel's line.
    """

    channel: str
    incident: int
    last: Alert
    told: Told = Told.NO
    alert: Alert | None = None
    first: Alert | None = None
    seq: int = 0
    version: int = 0
    attempts: int = 0
    queued_wall: float = 0.0

    @property
    def kind(self) -> Kind | None:
        """What there is to send; None = nothing."""
        if self.alert is None:
            return None
        if self.alert.reason is not Reason.RESOLVED:
            return Kind.UPDATE if self.told is Told.YES else Kind.OPEN
        match self.told:
            case Told.NO:
                return Kind.DIGEST
            case Told.MAYBE | Told.YES:
                return Kind.CLOSE
            case Told.OVER:
                return None


def put(slot: Slot | None, channel: str, alert: Alert, *, seq: int, now_wall: float) -> Slot:
    """Take in an alert; the same one twice changes nothing."""
    if slot is None:
        return Slot(channel, alert.incident, alert, alert=alert, first=alert, seq=seq,
                    version=1, queued_wall=now_wall)  # fmt: skip
    if slot.last == alert:
        return slot
    over = slot.told is Told.OVER and alert.reason is Reason.RESOLVED
    return replace(
        slot,
        last=alert,
        alert=None if over else alert,
        first=slot.first or alert,
        seq=seq if slot.alert is None else slot.seq,
        version=slot.version + 1,
        attempts=0 if slot.alert is None else slot.attempts,
        queued_wall=now_wall,
    )


def begin(slot: Slot) -> Slot:
    """Note that an attempt begins: until it is judged, nobody knows what the channel knows."""
    maybe = slot.kind in (Kind.OPEN, Kind.CLOSE)
    told = Told.MAYBE if maybe else slot.told
    return replace(slot, told=told, attempts=slot.attempts + 1)


def delivered(slot: Slot, sent: Slot) -> Slot:
    """Note that *sent* (as it was before begin()) arrived; *slot* may have changed meanwhile."""
    over = sent.kind in (Kind.CLOSE, Kind.DIGEST)
    slot = replace(slot, told=Told.OVER if over else Told.YES, first=None)
    if slot.version == sent.version or slot.kind is None:
        return replace(slot, alert=None, attempts=0)
    return replace(slot, first=slot.alert)


def failed(slot: Slot, sent: Slot, *, unsure: bool) -> Slot:
    """Note that *sent* did not arrive, or that nobody knows (*unsure*)."""
    return slot if unsure else replace(slot, told=sent.told)


def refused(slot: Slot, sent: Slot) -> Slot:
    """Note that the service will never take *sent*; only an owed end is kept."""
    slot = replace(slot, told=sent.told)
    if slot.version != sent.version or sent.kind is Kind.CLOSE:
        return slot
    told = Told.OVER if sent.kind is Kind.DIGEST else slot.told
    return replace(slot, told=told, alert=None, first=None, attempts=0)


def outgoing(slots: Sequence[Slot]) -> Alert:
    """Give the message that says *slots*: one of any kind, or several digests."""
    if len(slots) > 1:
        return _many([slot for slot in slots if slot.alert is not None])
    (slot,) = slots
    alert = slot.alert or slot.last
    match slot.kind:
        case Kind.OPEN:
            quiet = alert.severity is Severity.NOTICE
            return replace(alert, reason=Reason.NOTICE if quiet else Reason.FIRST)
        case Kind.UPDATE if alert.reason in (Reason.FIRST, Reason.NOTICE):
            return replace(alert, reason=Reason.CHANGED)
        case Kind.DIGEST:
            return _late(alert, slot.first)
    return alert


def _late(alert: Alert, first: Alert | None) -> Alert:
    """Tell begin and end in one; it is over, so it makes no noise."""
    body = "This comes late: nothing could be sent while it lasted."
    if first is not None and first.headline != alert.headline:
        body += f" It began with: {first.headline}"
    quiet = replace(alert, reason=Reason.NOTICE, severity=Severity.NOTICE, steps=())
    return replace(quiet, body=f"{alert.body} {body}".strip())


def _many(slots: Sequence[Slot]) -> Alert:
    alerts = [slot.alert or slot.last for slot in slots]
    newest = alerts[-1]
    return replace(
        newest,
        reason=Reason.NOTICE,
        severity=Severity.NOTICE,
        headline=f"{len(alerts)} troubles came and went while nothing could be sent.",
        body="\n".join(alert.headline for alert in alerts),
        steps=(),
        since_wall=min(alert.since_wall for alert in alerts),
        said_wall=max(alert.said_wall for alert in alerts),
    )
