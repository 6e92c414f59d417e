"""The keys of [[prices]]: a price list that the studio keeps by itself."""

from dataclasses import dataclass, field

from edge_watchdog.config.journal_keys import CODE
from edge_watchdog.core.units import DecimalSign, FilePath


@dataclass(frozen=True, slots=True)
class PricesKeys:
    """A price list of your own: used where no [[schedule]] brings one, and only then."""

    path: FilePath = field(
        metadata={
            "doc": "A CSV file with the columns name and price and, if you like, category, minutes,"
            " kind (service or product), before and after (minutes kept free around it); or a TOML"
            " file with [[item]] tables of these keys and an as_of date.",
            "example": "/etc/edge-watchdog/prices.csv",
        }
    )
    currency: str = field(
        default="",
        metadata={
            "doc": "Of its prices, three letters; without it, that of [journal].",
            "example": "GBP",
        },
    )
    decimal: DecimalSign = field(
        default=DecimalSign.POINT, metadata={"doc": "What stands before the pence or cents."}
    )

    def __post_init__(self) -> None:
        """Refuse a currency that is no code of ISO 4217."""
        if self.currency and not CODE.fullmatch(self.currency):
            raise ValueError(f'currency = "{self.currency}" is no code; write one like "GBP"')
