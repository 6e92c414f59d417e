"""What we may keep of a client: a first name and one initial; all else is dropped at intake.

Text of a calendar in, short clean text out.  Nothing here keeps or logs what it was given.
"""

import re
import unicodedata
from enum import StrEnum

SERVICE_CHARS = 80
NAME_CHARS = 24
PLACE_CHARS = 40
HONORIFICS = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "frau", "mme", "sra"}
)

_DIVIDER = re.compile(r"\s+[-\u2010-\u2015|]\s+")
_EMAIL = re.compile(r"\S+@\S+")
_LINK = re.compile(r"\b(?:https?|tel|mailto|sms):\S+", re.IGNORECASE)
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-/]{5,}\d")
_ASIDE = re.compile(r"[(\[{<].*?([)\]}>]|$)")


class Title(StrEnum):
    """How an entry's title is composed."""

    SERVICE_CLIENT = "service - client"
    CLIENT_SERVICE = "client - service"
    SERVICE = "service"
    CLIENT = "client"


def plain(text: str, limit: int) -> str:
    """Give *text* on one line of at most *limit* signs, without control and direction signs."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[: 20 * limit])
    line = " ".join(kept.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}\u2026"


def without_contacts(text: str) -> str:
    """Give *text* without e-mail addresses, links and telephone numbers."""
    for pattern in (_LINK, _EMAIL, _PHONE):
        text = pattern.sub(" ", text)
    return text


def short_name(full: str) -> str:
    """Give "Anna B." for a full name in whatever usual form; "" when no name is left."""
    text = plain(_ASIDE.sub(" ", without_contacts(full)), 200)
    last, comma, first = text.partition(",")
    words = [w for w in (f"{first} {last}" if comma else text).split() if _is_name(w)]
    if not words:
        return ""
    if _writes_whole_names(words[0]):
        return f"{words[0][0]}."
    given = words[0][:NAME_CHARS]
    initial = next((c for c in words[-1] if c.isalpha()), "") if len(words) > 1 else ""
    return f"{given} {initial.upper()}." if initial else given


def split_title(summary: str, title: Title) -> tuple[str, str]:
    """Give (service, client) of an entry's title; the client is already shortened.

    A title without a divider is all service where one was expected: a class has no client.
    """
    text = plain(summary, 400)
    if title is Title.SERVICE:
        return _service(text), ""
    if title is Title.CLIENT:
        return "", short_name(text)
    parts = _DIVIDER.split(text)
    if len(parts) == 1:
        return _service(text), ""
    if title is Title.SERVICE_CLIENT:
        return _service(" - ".join(parts[:-1])), short_name(parts[-1])
    return _service(" - ".join(parts[1:])), short_name(parts[0])


def place(text: str) -> str:
    """Give a room's name, short and without contacts."""
    return plain(without_contacts(text), PLACE_CHARS)


def _service(text: str) -> str:
    return plain(without_contacts(text), SERVICE_CHARS)


def _is_name(word: str) -> bool:
    bare = word.strip(".,;:'\"").casefold()
    letters = any(c.isalpha() for c in bare)
    return letters and bare not in HONORIFICS and not any(c.isdigit() for c in bare)


def _writes_whole_names(word: str) -> bool:
    """Tell scripts that put a whole name into one word: there the first sign is all we keep."""
    name = unicodedata.name(word[0], "")
    return len(word) > 1 and name.startswith(("CJK", "HANGUL", "HIRAGANA", "KATAKANA"))
