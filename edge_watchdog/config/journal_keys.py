"""The keys of [journal]: what the paper journal must know of the studio and its vendor."""

import re
from dataclasses import dataclass, field

from edge_watchdog.core.units import FormField, Seconds

CODE = re.compile("[A-Z]{3}")  # of a currency, ISO 4217


@dataclass(frozen=True, slots=True)
class Journal:
    """What is written down at the desk while the vendor cannot be used."""

    form_order: tuple[FormField, ...] = field(
        default=tuple(FormField),
        metadata={
            "doc": "The fields of the vendor's own booking form, in its order: to be copied over."
        },
    )
    online_booking: bool = field(
        default=True,
        metadata={"doc": "Clients can book at the vendor by themselves: a free time is not sure."},
    )
    currency: str = field(
        default="GBP",
        metadata={"doc": "Of amounts, where the source has no price list; three letters."},
    )
    buffer_before: Seconds | None = field(
        default=None,
        metadata={
            "doc": "What is kept free before each appointment, when a time is looked for.",
            "example": "5m",
        },
    )
    buffer_after: Seconds | None = field(
        default=None,
        metadata={
            "doc": "What is kept free after each; a list of [[prices]] can say it by service.",
            "example": "10m",
        },
    )
    keep: Seconds = field(
        default=Seconds(90 * 86400.0),
        metadata={"doc": "How long an entry is kept after it was verified or written off."},
    )

    def __post_init__(self) -> None:
        """Refuse a currency that is no code of ISO 4217."""
        if not CODE.fullmatch(self.currency):
            raise ValueError(f'currency = "{self.currency}" is no code; write one like "GBP"')
