"""The keys of [desk], [contacts], [print] and [[alert]]: what people read, and who is told."""

from dataclasses import dataclass, field
from typing import Any

from edge_watchdog.config.forms import HostName, HostPort, Origin
from edge_watchdog.core.units import FilePath, Paper, Seconds


@dataclass(frozen=True, slots=True)
class Desk:
    """The pages on the studio's network."""

    listen: HostPort = field(
        default=HostPort("0.0.0.0:8080"),
        metadata={"doc": "Where the pages are served; under systemd the socket unit says it."},
    )
    listen_tls: HostPort = field(
        default=HostPort("0.0.0.0:8443"),
        metadata={
            "doc": "Where the secure pages are served, which may show telephone numbers and notes;"
            " the socket unit must name the same port."
        },
    )
    allowed_hosts: tuple[HostName, ...] = field(
        default=(),
        metadata={
            "doc": "Names the pages may be asked by, beside the box's own name and addresses.",
            "example": ["desk.lotus.example"],
        },
    )
    frame_ancestors: tuple[Origin, ...] = field(
        default=(),
        metadata={
            "doc": "Sites that may show the pages inside their own; none without it.",
            "example": ["http://homeassistant.local:8123"],
        },
    )
    retention: Seconds = field(
        default=Seconds(48 * 3600.0),
        metadata={"doc": "How long after its end a day stays on the box's disk."},
    )
    key_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "The key that seals names on the disk; else one is made beside state_dir.",
            "example": "/media/key/daybook.key",
        },
    )


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call; shown on a page of its own and printed with every day pack."""

    vendor_support: str = field(
        default="",
        metadata={
            "doc": "The vendor's support, in a line.",
            "example": "01632 960111, Mon-Fri 9-17, customer number 4711",
        },
    )
    provider: str = field(
        default="",
        metadata={
            "doc": "The internet provider's fault line, in a line.",
            "example": "01632 960222, contract 0815",
        },
    )
    cash_machine: str = field(
        default="",
        metadata={
            "doc": "Where clients find cash when cards do not work.",
            "example": "The bank at the corner, 100 m to the left",
        },
    )
    others: tuple[str, ...] = field(
        default=(),
        metadata={"doc": "More lines of the same.", "example": ["Electrician: 01632 960333"]},
    )
    hotspot: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "Steps to go online by a phone, in place of the built-in ones.",
            "example": ["Take the phone from the drawer.", "Settings, Hotspot: on."],
        },
    )


@dataclass(frozen=True, slots=True)
class Printing:
    """The day pack on paper, by itself: the next open day's, when the studio has closed."""

    command: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "A program that takes a PDF on its standard input, and its arguments; needs"
            " opening_hours. `lp` comes with the package cups-client. It runs in the desk half's"
            " sandbox, which lets it start from below /usr and write nowhere.",
            "example": ["lp", "-d", "front-desk"],
        },
    )
    paper: Paper = field(default=Paper.A4, metadata={"doc": "The paper in the printer."})


@dataclass(frozen=True, slots=True)
class AlertKeys:
    """Whom to tell."""

    kind: str = field(metadata={"doc": "What kind of channel it is."})


@dataclass(frozen=True, slots=True)
class AlertConfig:
    """One [[alert]] with the channel's own *options*."""

    kind: str
    options: Any
