"""One TOML table in, one frozen dataclass out, and everything that is wrong with it.

A table with a ``kind`` is read by two dataclasses: the keys that every such table has, and the keys
of its kind, from the registry of the room.
"""

import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edge_watchdog.config.forms import (
    form_of,
    is_secret,
    item_of,
    nearest,
    read_text_form,
    shown,
    without_none,
)
from edge_watchdog.config.registries import Registry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it stands, and what would do."""

    place: str
    message: str

    def __str__(self) -> str:
        """Give the line that a person reads."""
        return f"{self.place}: {self.message}"


def read_table(
    kind: type[T], raw: object, place: str, problems: list[Problem], *, also: Iterable[str] = ()
) -> T | None:
    """Build *kind* from the TOML table *raw*; None when that cannot be, with *problems* longer.

    Keys named in *also* are someone else's to read.  A dataclass may refuse a combination of
    values by a ValueError of its ``__post_init__``.
    """
    if not isinstance(raw, Mapping):
        problems.append(Problem(place, f"{shown(raw)} stands where a table of keys should"))
        return None
    before = len(problems)
    hints = typing.get_type_hints(kind)
    fields = fields_of(kind)
    _note_unknown(raw, place, [*fields, *also], problems)
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in raw:
            values[name] = _read_value(hints[name], raw[name], f"{place} {name}", problems)
        elif required(field):
            problems.append(Problem(f"{place} {name}", f"is missing; write {form_of(hints[name])}"))
    if len(problems) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:
        problems.append(Problem(place, str(error)))
        return None


def read_kind(
    keys: type[T], registry: Registry, raw: object, *, place: str, problems: list[Problem]
) -> tuple[T, object] | None:
    """Read a table with a ``kind``: the keys all have, and the options of its own kind."""
    if not isinstance(raw, Mapping):
        problems.append(Problem(place, f"{shown(raw)} stands where a table of keys should"))
        return None
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in registry:
        _note_kind(raw, registry, place, problems)
        known = {key: value for key, value in raw.items() if key in fields_of(keys)}
        read_table(keys, {**known, "kind": "unknown"}, place, problems)
        return None
    options_kind = registry[kind]
    theirs = fields_of(options_kind) if options_kind else {}
    common = {k: v for k, v in raw.items() if k in fields_of(keys) or k not in theirs}
    own = {k: v for k, v in raw.items() if k in theirs}
    base = read_table(keys, common, place, problems, also=theirs)
    options = read_table(options_kind, own, place, problems) if options_kind else None
    if base is None or (options_kind is not None and options is None):
        return None
    return base, options


def tables(
    raw: Mapping[str, object], name: str, problems: list[Problem]
) -> list[tuple[str, Mapping[str, object]]]:
    """Give the tables of the list *name* with their places, "[[uplink]] 2"."""
    found = raw.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        problems.append(Problem(f"[{name}]", f"write [[{name}]], with two brackets, above each"))
        return []
    return [(f"[[{name}]] {number}", table) for number, table in enumerate(found, 1)]


def note_twice(
    found: Sequence[tuple[str, Mapping[str, object]]], key: str, problems: list[Problem]
) -> None:
    """Note each table whose *key* has the value of an earlier one."""
    first: dict[object, str] = {}
    for place, table in found:
        value = table.get(key)
        if not isinstance(value, str):
            continue
        folded = value.strip().casefold() if key != "interface" else value.strip()
        if folded in first:
            message = f"{first[folded]} has the same {key}; each has its own"
            problems.append(Problem(f"{place} {key} = {shown(value)}", message))
        first.setdefault(folded, place)


def fields_of(kind: type) -> dict[str, "dataclasses.Field[object]"]:
    """Give the fields of a dataclass that are keys."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is no dataclass")
    return {field.name: field for field in dataclasses.fields(kind) if field.init}


def required(field: "dataclasses.Field[object]") -> bool:
    """Tell whether a key must be given."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read_value(hint: object, value: object, place: str, problems: list[Problem]) -> object:
    hint = without_none(hint)
    item = item_of(hint)
    if item is not None:
        if not isinstance(value, list):
            problems.append(Problem(f"{place} = {shown(value)}", "write a list, in [ ]"))
            return None
        pairs = enumerate(value, 1)
        return tuple(_read_value(item, one, f"{place} {i}", problems) for i, one in pairs)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return read_table(hint, value, place, problems)
    try:
        return read_text_form(hint, value)
    except ValueError as error:
        private = is_secret(place.rpartition(" ")[2])
        problems.append(Problem(f"{place} = {shown(value, private=private)}", str(error)))
        return None


def _note_kind(
    raw: Mapping[str, object], registry: Registry, place: str, problems: list[Problem]
) -> None:
    if "kind" not in raw:
        known = ", ".join(f'"{kind}"' for kind in registry)
        problems.append(Problem(f"{place} kind", f"is missing; known here: {known}"))
        return
    message = f"no such kind; {nearest(str(raw['kind']), registry)}"
    problems.append(Problem(f"{place} kind = {shown(raw['kind'])}", message))


def _note_unknown(
    raw: Mapping[str, object], place: str, known: list[str], problems: list[Problem]
) -> None:
    for key in raw:
        if key in known:
            continue
        message = f"no such key; {nearest(key, known)}"
        if is_secret(key):
            message = f"no secret is written here: put it in a file; {nearest(key, known)}"
        problems.append(Problem(f"{place} {key}", message))
