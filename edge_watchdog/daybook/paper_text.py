"""What must never be written down: card numbers anywhere, contacts where others could read along.

Text in, yes or no out.  Nothing here keeps or shows what it was given.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

SHORTEST, LONGEST = 13, 19  # digits of a card number, ISO/IEC 7812-1
ISSUERS = "23456"  # first digits that payment cards have

_RUN = re.compile(r"\d(?:[\s\-./,_]{0,3}\d){12,}")
_GROUP = re.compile(r"\d+")
_EMAIL = re.compile(r"\S@\S+\.\S")
_DATE = re.compile(r"\b(?:\d{4}-\d\d?-\d\d?|\d\d?([./-])\d\d?\1\d{2,4})\b")
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-/]{5,}\d")


def holds_card_number(text: str) -> bool:
    """Tell whether 13 to 19 digits that pass the Luhn check stand in *text*, however spaced.

    A longer run is looked at group by group, so that an expiry date behind the number hides
    nothing; there only what payment cards begin with counts, or two telephone numbers would.
    """
    folded = unicodedata.normalize("NFKC", text)
    return any(_is_card(found.group()) for found in _RUN.finditer(folded))


def holds_contact(text: str) -> bool:
    """Tell whether an e-mail address or a telephone number stands in *text*."""
    folded = _DATE.sub(" ; ", unicodedata.normalize("NFKC", text))
    return _EMAIL.search(folded) is not None or any(
        len(re.findall(r"\d", found.group())) >= 7 for found in _PHONE.finditer(folded)
    )


def luhn(digits: str) -> bool:
    """Tell whether *digits* pass the check of ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(run: str) -> bool:
    groups = _GROUP.findall(run)
    whole = "".join(groups)
    if len(whole) <= LONGEST and luhn(whole):
        return True
    return any(part[0] in ISSUERS and luhn(part) for part in _parts(groups))


def _parts(groups: Sequence[str]) -> Iterator[str]:
    """Give each sequence of neighbouring groups, and of digits in a long one, that may be one."""
    for first in range(len(groups)):
        joined = ""
        for group in groups[first:]:
            joined += group
            if SHORTEST <= len(joined) <= LONGEST:
                yield joined
    for group in groups:
        for length in range(SHORTEST, LONGEST + 1):
            if len(group) > LONGEST:
                yield from (group[n : n + length] for n in range(len(group) - length + 1))
