"""Is there a sign-in page in the way?  What the pages that were asked for say of it.

In: one uplink's tracks.  Out: yes or no.  The rule: a page alone may have been rebuilt, so that a
line is left only when every page that is asked shows one.
"""

from collections.abc import Mapping, Sequence

from edge_watchdog.core.model import Finding
from edge_watchdog.core.once import once
from edge_watchdog.core.state import Track, UplinkState


@once
def has_portal(known: UplinkState) -> bool:
    """Tell whether the last word of the web rung was a sign-in page."""
    pages = plain_pages(known)
    newest = max(pages, key=lambda t: t.asked.mono, default=None)
    return newest is not None and newest.finding is Finding.PORTAL


def is_portal_proven(known: UplinkState) -> bool:
    """Tell whether every page shows a sign-in page: one page alone may have been rebuilt."""
    pages = plain_pages(known)
    return bool(pages) and all(t.finding is Finding.PORTAL for t in pages)


def plain_pages(known: UplinkState) -> Sequence[Track]:
    """Give the tracks of the pages asked without TLS, which a portal can answer in their stead."""
    return _plain(known.tracks)


@once
def _plain(tracks: Mapping[str, Track]) -> Sequence[Track]:
    return [t for t in tracks.values() if t.target.startswith("http ")]
