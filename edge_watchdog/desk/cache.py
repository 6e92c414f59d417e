"""Whole pages, drawn once for everybody who may see the same.

A name and a way to draw in, bytes out.  Nothing outlives the state it was drawn from.
"""

from collections.abc import Callable, Hashable

MOST = 64


class PageCache:
    """Keeps pages as long as *key* gives the same; *key* changes at least every minute."""

    def __init__(self, key: Callable[[], object]) -> None:
        self._key = key
        self._at: object = None
        self._pages: dict[Hashable, bytes] = {}

    def get(self, name: Hashable, draw: Callable[[], str]) -> bytes:
        """Give the page *name*, drawn now or since the last change."""
        key = self._key()
        if key != self._at or len(self._pages) >= MOST:
            self._at, self._pages = key, {}
        found = self._pages.get(name)
        if found is None:
            found = self._pages[name] = draw().encode()
        return found
