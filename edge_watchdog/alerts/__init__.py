"""Telling people: one file per channel, and one outbox that loses nothing."""

from typing import Protocol

from edge_watchdog.core.actions import Alert


class AlertError(Exception):
    """A channel did not take the message.

    *again* tells whether trying later can help; *after_s* is what the service asked for, if it did.
    *unsure* means that the service may have taken it nevertheless: it was sent, no answer came.
    """

    def __init__(
        self, message: str, *, again: bool, after_s: float | None = None, unsure: bool = False
    ) -> None:
        """Say what the service answered, without any secret."""
        super().__init__(message)
        self.again = again
        self.after_s = after_s
        self.unsure = unsure


class Channel(Protocol):
    """One way to reach people."""

    name: str

    async def send(self, alert: Alert) -> None:
        """Deliver once; returning means the service has it.

        Raises AlertError, or OSError when it did not work and trying later can help; a TimeoutError
        leaves open whether it arrived.
        """
