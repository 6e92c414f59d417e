"""The keys of [vendor] and [[schedule]]: whose book it is, and where the day comes from."""

from dataclasses import dataclass, field
from typing import Any

from edge_watchdog.config.forms import HostName
from edge_watchdog.core.units import Detail, FilePath, Returned, Seconds, Url

FEWEST_REQUESTS = 24  # one an hour


@dataclass(frozen=True, slots=True)
class VendorKeys:
    """The company that runs the appointment book."""

    name: str = field(metadata={"doc": "As people call it.", "example": "BookWell"})
    app_url: Url | None = field(
        default=None,
        metadata={
            "doc": "Its sign-in page, visited to see whether the app can be used.",
            "example": "https://app.bookwell.example/login",
        },
    )
    hosts: tuple[HostName, ...] = field(
        default=(),
        metadata={
            "doc": "Other hosts that its app needs; they go with it when it takes another line.",
            "example": ["api.bookwell.example"],
        },
    )
    ca_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "Certificates trusted beside the system's, such as a filtering proxy's.",
            "example": "/etc/edge-watchdog/extra-ca.pem",
        },
    )


@dataclass(frozen=True, slots=True)
class KindOnly:
    """The status page of the vendor."""

    kind: str = field(metadata={"doc": "What kind of page it is."})


@dataclass(frozen=True, slots=True)
class Vendor:
    """[vendor]; *status* is the options of a reader in vendors/registry.py, or None."""

    name: str
    app_url: Url | None = None
    hosts: tuple[HostName, ...] = ()
    ca_file: FilePath | None = None
    status: Any = None


@dataclass(frozen=True, slots=True)
class ScheduleKeys:
    """Where the day comes from."""

    name: str = field(metadata={"doc": "Shown beside the day.", "example": "front desk"})
    kind: str = field(metadata={"doc": "What kind of source it is."})
    every: Seconds = field(
        default=Seconds(300.0), metadata={"doc": "How often the day is fetched while all is well."}
    )
    keep: tuple[Detail, ...] = field(
        default=(Detail.PRICE, Detail.ATTENDEES),
        metadata={
            "doc": "What is kept beside first name, initial, service and time; the rest is dropped."
        },
    )
    budget: int | None = field(
        default=None,
        metadata={
            "doc": "Requests a day at most; without it, what the kind of source bears.",
            "example": 300,
        },
    )
    write_back: tuple[Returned, ...] = field(
        default=(),
        metadata={
            "doc": "What the box enters there by itself after an outage; caldav and square only.",
            "example": ["booking", "reschedule"],
        },
    )

    def __post_init__(self) -> None:
        """Refuse a budget that allows nothing."""
        if self.budget is not None and self.budget < FEWEST_REQUESTS:
            raise ValueError(f"budget = {self.budget} is too few; write {FEWEST_REQUESTS} or more")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One [[schedule]] with the connector's own *options*; *budget* None: the kind's own."""

    name: str
    kind: str
    every: Seconds
    options: Any
    keep: tuple[Detail, ...] = (Detail.PRICE, Detail.ATTENDEES)
    budget: int | None = None
    write_back: tuple[Returned, ...] = ()
