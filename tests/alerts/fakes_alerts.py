"""A clock to step and a service that remembers what it was told, as PagerDuty and its like do."""

import asyncio
from dataclasses import dataclass, field

from edge_watchdog.alerts import AlertError
from edge_watchdog.core.actions import Alert, Reason, Severity
from edge_watchdog.core.instant import Instant


class Clock:
    def __init__(self) -> None:
        self.mono = 1000.0

    def now(self) -> Instant:
        return Instant(self.mono, 1_790_000_000.0 + self.mono)


@dataclass
class Service:
    """*mood* says how the next message fares: "well", or why not."""

    clock: Clock
    mood: str = "well"
    name: str = "service"
    heard: list[tuple[float, Alert]] = field(default_factory=list)
    open: dict[int, str] = field(default_factory=dict)
    attempted: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    async def send(self, alert: Alert) -> None:
        match self.mood:
            case "no link":
                raise AlertError("there is no way out now", again=True)
            case "busy":
                raise AlertError("answers 429", again=True, after_s=100.0)
            case "refuses":
                raise AlertError("refuses our key (401)", again=False)
        self._take(alert)
        match self.mood:
            case "drops":
                raise AlertError("did not answer", again=True, unsure=True)
            case "crash":
                raise asyncio.CancelledError

    def _take(self, alert: Alert) -> None:
        self.heard.append((self.clock.mono, alert))
        known = alert.incident in self.attempted
        match alert.reason:
            case Reason.FIRST:
                self.attempted.add(alert.incident)
                self.open[alert.incident] = alert.headline
            case Reason.CHANGED | Reason.UPDATE_DUE:
                if alert.incident not in self.open:
                    self.wrong.append(f"update of {alert.incident}, which is not open")
                self.open[alert.incident] = alert.headline
            case Reason.RESOLVED:
                if not known:
                    self.wrong.append(f"end of {alert.incident} without a beginning")
                self.open.pop(alert.incident, None)
            case Reason.NOTICE:
                pass

    @property
    def headlines(self) -> list[str]:
        return [alert.headline for _, alert in self.heard]

    @property
    def reasons(self) -> list[str]:
        return [alert.reason.value for _, alert in self.heard]


def alert(
    incident: int,
    reason: Reason,
    headline: str = "",
    *,
    said: float = 1000.0,
    severity: Severity = Severity.OUTAGE,
) -> Alert:
    text = headline or f"{incident} {reason}"
    wall = 1_790_000_000.0
    return Alert(
        incident, reason, severity, "provider down", text, "Yes.", ("Wait.",),
        wall + 1000, wall + said,
    )  # fmt: skip
