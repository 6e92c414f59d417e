"""A list that an API gives page by page, whole or not at all: half a day is no day.

A Listing in, its entries out.  A list that changes while it is paged through is asked for once
more, and then given up.
"""

from collections.abc import Mapping
from typing import Any

from edge_watchdog.daybook.api import Api
from edge_watchdog.daybook.mapping import Listing, Pages, Paging
from edge_watchdog.daybook.shape import count_of, dig, text_of


class ChangedError(Exception):
    """The list became another one while it was paged through."""


async def all_of(api: Api, listing: Listing, values: Mapping[str, str]) -> list[Any]:
    """Ask for every page; *values* fill the braces of path and parameters.

    Raises DaybookError.
    """
    for _ in range(2):
        try:
            return await _pages(api, listing, values)
        except ChangedError:
            continue
    raise api.error("changed its list while we read it, twice")


async def _pages(api: Api, listing: Listing, values: Mapping[str, str]) -> list[Any]:
    """Ask for page after page; raises ChangedError when the total is not what it was."""
    paging = listing.paging
    path = listing.path.format_map(values)
    fixed = [*_params(listing.params, values), *_size(paging)]
    params, found, total, pages = [*fixed, *_first(paging)], [], None, 0
    while True:
        answer = await api.get(path, params)
        items = _items(answer, listing)
        if not isinstance(items, list):
            raise api.error("answered with something that is not its list")
        said = dig(answer, paging.total) if paging.total else None
        if total is not None and said != total:
            raise ChangedError
        total = said
        found += _with_included(items, answer, listing)
        pages += 1
        following = _next(paging, answer, (len(found), len(items), pages))
        if following is None:
            break
        path, params = (following, []) if isinstance(following, str) else (path, fixed + following)
    if isinstance(total, int) and len(found) < total:
        raise ChangedError
    return found


def _items(answer: object, listing: Listing) -> object:
    """Give the list of an answer; some leave an empty one out, and say that there is nothing."""
    found = dig(answer, listing.items) if listing.items else answer
    total = listing.paging.total
    return [] if found is None and total and count_of(dig(answer, total)) == 0 else found


def _with_included(items: list[Any], answer: object, listing: Listing) -> list[Any]:
    """Give each entry with what its relationships of one point to (JSON:API 1.1, 7.3)."""
    sent = dig(answer, listing.included) if listing.included else None
    if not isinstance(sent, list):
        return items
    known = {(dig(one, "type"), dig(one, "id")): one for one in sent}

    def related(one: dict[str, Any]) -> dict[str, Any]:
        pointers = dig(one, "relationships")
        named = pointers if isinstance(pointers, dict) else {}
        keys = {name: (dig(to, "data.type"), dig(to, "data.id")) for name, to in named.items()}
        return {name: known[key] for name, key in keys.items() if key in known}

    return [{**one, "included": related(one)} if isinstance(one, dict) else one for one in items]


def _first(paging: Pages) -> list[tuple[str, str]]:
    if paging.style is Paging.PAGE:
        return [(paging.page, str(paging.first))]
    return [(paging.page, "0")] if paging.style is Paging.OFFSET else []


def _size(paging: Pages) -> list[tuple[str, str]]:
    return [(paging.size, str(paging.most))] if paging.size else []


def _next(
    paging: Pages, answer: object, counts: tuple[int, int, int]
) -> str | list[tuple[str, str]] | None:
    """Give the next page's address, or its parameters; None when this was the last.

    *counts*: the entries so far, those of this page, and the pages so far.
    """
    so_far, here, pages = counts
    match paging.style:
        case Paging.NONE:
            return None
        case Paging.NEXT:
            return text_of(answer, paging.next) or None
        case Paging.CURSOR:
            cursor = text_of(answer, paging.cursor)
            return [(paging.page, cursor)] if cursor else None
        case Paging.PAGE | Paging.OFFSET:  # pragma: no branch - all are named
            total = dig(answer, paging.total) if paging.total else None
            done = so_far >= total if isinstance(total, int) else here < paging.most
            if done or not here:
                return None
            # Pages are counted, not reckoned: a server may give fewer a page than it was asked for.
            count = so_far if paging.style is Paging.OFFSET else paging.first + pages
            return [(paging.page, str(count))]


def _params(params: Mapping[str, Any], values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Give the parameters as pairs; a list is one pair for each."""
    pairs = []
    for key, value in params.items():
        many = value if isinstance(value, list) else [value]
        pairs += [(key, str(one).format_map(values)) for one in many]
    return pairs
