"""What an amount is in minor units, and how it is written: one rule, that of ISO 4217.

It counts for what is read, kept and shown.  A currency whose small coins are gone from the tills
(HUF, CZK) keeps its digits: banks and vendors write them still.
"""

from decimal import Decimal

NO_MINOR = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"}
    | {"VUV", "XAF", "XOF", "XPF"}
)
THREE_MINOR = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def exponent(currency: str) -> int:
    """Give how many digits of a currency's amounts are minor units (ISO 4217, list one)."""
    return 0 if currency in NO_MINOR else 3 if currency in THREE_MINOR else 2


def minor_of(amount: Decimal, currency: str) -> int:
    """Give an amount of whole units in minor ones; half a minor unit goes to the even one."""
    return int(amount.scaleb(exponent(currency)).to_integral_value())


def amount_text(minor: int, currency: str) -> str:
    """Write an amount without its currency: "45.50", "1200"."""
    digits = exponent(currency)
    if not digits:
        return str(minor)
    whole, rest = divmod(abs(minor), int(10**digits))
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{digits}}"
