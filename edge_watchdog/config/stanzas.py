"""The whole of what was configured; each table is a dataclass in one of the *_keys.py beside this.

In those, each field is a key, and the sentence beside it is the one that stands in the shipped file
and in the README.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from edge_watchdog.config.journal_keys import Journal
from edge_watchdog.config.line_keys import (
    BUILT_IN_ANCHORS,
    MeteredKeys,
    Probe,
    Timing,
    UplinkConfig,
)
from edge_watchdog.config.people_keys import AlertConfig, Contacts, Desk, Printing
from edge_watchdog.config.place_keys import Box, Studio
from edge_watchdog.config.price_keys import PricesKeys
from edge_watchdog.config.vendor_keys import Schedule, Vendor
from edge_watchdog.core.model import Anchor
from edge_watchdog.core.policy import Restrict, UsedUp


@dataclass(frozen=True, slots=True)
class Outline:
    """Who we work for and where things are: enough to ask a running box."""

    studio: Studio
    box: Box


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured; *path* is the file, "" when there was none."""

    studio: Studio
    uplinks: tuple[UplinkConfig, ...]
    box: Box = field(default_factory=Box)
    anchors: tuple[Anchor, ...] = BUILT_IN_ANCHORS
    probe: Probe = field(default_factory=Probe)
    vendor: Vendor | None = None
    schedules: tuple[Schedule, ...] = ()
    desk: Desk = field(default_factory=Desk)
    mqtt: Any = None
    alerts: tuple[AlertConfig, ...] = ()
    timing: Timing = field(default_factory=Timing)
    contacts: Contacts = field(default_factory=Contacts)
    printing: Printing = field(default_factory=Printing)
    metered: MeteredKeys = field(default_factory=MeteredKeys)
    journal: Journal = field(default_factory=Journal)
    prices: tuple[PricesKeys, ...] = ()
    path: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Name all that may be reached over a limited line: the vendor, and what the owner says.

        () when no line is ever limited.
        """
        if not self.may_limit:
            return ()
        return tuple(dict.fromkeys((*self.vendor_hosts, *self.metered.allow)))

    @property
    def may_limit(self) -> bool:
        """Tell whether a metered line is ever limited to what is allowed."""
        plans = [one.plan for one in self.uplinks if one.plan is not None]
        ends = any(p.when_used_up is UsedUp.STOP or p.outage_bytes is not None for p in plans)
        return bool(plans) and (ends or self.metered.restrict is not Restrict.NEVER)

    @property
    def vendor_hosts(self) -> tuple[str, ...]:
        """Name the hosts that the vendor's app needs."""
        if self.vendor is None or self.vendor.app_url is None:
            return ()
        host = urlsplit(self.vendor.app_url).hostname or ""
        return tuple(dict.fromkeys((host, *self.vendor.hosts)))
