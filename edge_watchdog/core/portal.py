"""Is there a sign-in page in the way?  What the pages that were asked for say of it.

In: one uplink's tracks, and the network's own word (RFC 8908).  Out: yes or no.  The rule: a page
alone may have been rebuilt, so that a line is left only when every page that is asked shows one.
The network's word explains, and vetoes what one page says; by itself it moves nothing, and it
yields to a page that opened later.
"""

import math
from collections.abc import Mapping, Sequence

from edge_watchdog.core.model import CaptiveWord, Finding, Layer
from edge_watchdog.core.once import once
from edge_watchdog.core.state import Track, UplinkState


@once
def has_portal(known: UplinkState) -> bool:
    """Tell whether a sign-in page is in the way, by the last page or the network's own word.

    Where the network itself, asked later, says that it wants no sign-in, one page is not believed;
    all of them together are.
    """
    if not shows_portal(known):
        return says_captive(known)
    word = _word(known)
    if word is None or word.captive or is_portal_proven(known):
        return True
    return word.asked.mono <= max(t.asked.mono for t in plain_pages(known))


def shows_portal(known: UplinkState) -> bool:
    """Tell whether the last word of the web rung was a sign-in page."""
    pages = plain_pages(known)
    newest = max(pages, key=lambda t: t.asked.mono, default=None)
    return newest is not None and newest.finding is Finding.PORTAL


def is_portal_proven(known: UplinkState) -> bool:
    """Tell whether every page shows a sign-in page: one page alone may have been rebuilt.

    Where the network itself wants a sign-in, a page that does not open is as good as one.
    """
    pages, told = plain_pages(known), says_captive(known)
    return bool(pages) and all(
        t.finding is Finding.PORTAL or (told and t.misses > 0) for t in pages
    )


def says_captive(known: UplinkState) -> bool:
    """Tell whether the network itself wants a sign-in, and no page opened since."""
    word = _word(known)
    if word is None or not word.captive:
        return False
    opened = (t.asked.mono for t in plain_pages(known) if t.finding is Finding.ANSWERED)
    return word.asked.mono > max(opened, default=-math.inf)


def sign_in_url(known: UplinkState) -> str:
    """Give the page on which the network wants a sign-in, "" when it does not say."""
    word = _word(known)
    return word.sign_in_url if word is not None and says_captive(known) else ""


def sign_in_words(known: UplinkState) -> tuple[str, ...]:
    """Say what the network itself said, for the owner; nothing when it was not asked."""
    word = _word(known)
    if word is None:
        return ()
    if not word.captive:
        return ("network: says itself that it wants no sign-in",)
    where = f", at {word.sign_in_url}" if word.sign_in_url else ""
    return (f"network: says itself that it wants a sign-in{where}",)


def _word(known: UplinkState) -> CaptiveWord | None:
    return known.report.captive if known.report is not None else None


def plain_pages(known: UplinkState) -> Sequence[Track]:
    """Give the tracks of the pages asked without TLS, which a portal can answer in their stead."""
    return _by_scheme(known.tracks).get("http", ())


def secure_pages(known: UplinkState) -> Sequence[Track]:
    """Give the tracks of the pages asked over TLS."""
    return _by_scheme(known.tracks).get("https", ())


@once
def _by_scheme(tracks: Mapping[str, Track]) -> Mapping[str, Sequence[Track]]:
    found: dict[str, list[Track]] = {}
    for track in tracks.values():
        if track.layer is Layer.WEB:
            found.setdefault(track.target.partition(" ")[0], []).append(track)
    return found
