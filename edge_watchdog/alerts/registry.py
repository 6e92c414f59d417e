"""The kinds of [[alert]] that there are."""

from collections.abc import Mapping

from edge_watchdog.alerts.webhook import WebhookOptions

CHANNELS: Mapping[str, type[WebhookOptions]] = {"webhook": WebhookOptions}
