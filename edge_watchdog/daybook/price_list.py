"""A price list that the studio keeps by itself: a CSV or TOML file in, items with their date out.

It is used whole or not at all: one with a mistake is refused, every mistake is named with its line,
and the last good one stays.  Amounts become minor units here; a price list names no client.
"""

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.csv_columns import PRICE_NAMES, places_of
from edge_watchdog.daybook.csv_values import Habits, read_length, read_money
from edge_watchdog.daybook.model import PriceItem

MOST_BYTES = 2**20
MOST_ITEMS = 2000
NAME_CHARS = 80
KINDS = {"": False, "service": False, "product": True, "retail": True}
NAMES: Mapping[str, Sequence[str]] = {
    **PRICE_NAMES,
    "before": ("before", "buffer before", "prepare"),
    "after": ("after", "buffer after", "clean up"),
}
TOML_KEYS = ("name", "price", "category", "minutes", "kind", "before", "after")
TOP_KEYS = ("as_of", "item")


class PriceListError(DaybookError):
    """The list cannot be used; *problems* are all that is wrong with it, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems; the text is the first of them."""
        super().__init__(problems[0], requests=0)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class OwnList:
    """One list; *as_of_wall* is its date.  Mappings: seconds kept free by service (folded name).

    *problems* are those of a newer file that could not be used.
    """

    name: str
    items: tuple[PriceItem, ...] = ()
    as_of_wall: float | None = None
    buffers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Where a list lies, and how it writes amounts; *zone* is what a date in it is local to."""

    path: str
    habits: Habits
    zone: str

    @property
    def name(self) -> str:
        """Name it as people know it."""
        return Path(self.path).name

    def mark(self) -> object:
        """Give what changes when the file does; None when it is not there."""
        try:
            found = Path(self.path).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> OwnList:
        """Read it now; raises PriceListError."""
        try:
            with Path(self.path).open("rb") as file:
                body, changed = file.read(MOST_BYTES + 1), Path(self.path).stat().st_mtime
        except OSError as error:
            raise PriceListError([f"it could not be read ({error.strerror})"]) from None
        if len(body) > MOST_BYTES:
            raise PriceListError([f"it is larger than {MOST_BYTES // 2**20} MiB"])
        reader = _from_toml if self.path.casefold().endswith(".toml") else _from_csv
        rows, on = reader(_text(body))
        items, buffers = _understood(rows, self.habits)
        as_of = _midnight(on, self.zone) if on else changed
        return OwnList(self.name, items, as_of, buffers)


class OwnPrices:
    """Looks after the files; *lists* are as they were at the last look."""

    def __init__(self, files: Sequence[PriceFile]) -> None:
        self._files = tuple(files)
        self._marks: dict[PriceFile, object] = {}
        self.lists: tuple[OwnList, ...] = tuple(OwnList(one.name) for one in files)

    def look(self) -> bool:
        """Read what changed; tells whether anything did.  Blocks."""
        before = self.lists
        self.lists = tuple(
            self._newer(file, kept) for file, kept in zip(self._files, before, strict=True)
        )
        return self.lists != before

    def _newer(self, file: PriceFile, kept: OwnList) -> OwnList:
        mark = file.mark()
        if mark is not None and self._marks.get(file) == mark:
            return kept
        try:
            made = file.read()
        except PriceListError as error:
            made = OwnList(kept.name, kept.items, kept.as_of_wall, kept.buffers, error.problems)
        self._marks[file] = mark
        return made


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")  # what spreadsheets write in Western Europe


_Row = tuple[str, Mapping[str, str]]  # its place in words, and its cells by name


def _from_csv(text: str) -> tuple[list[_Row], date | None]:
    """Give the rows under the line of column names; raises PriceListError."""
    first = text.partition("\n")[0]
    comma = max(",;\t", key=first.count)
    where: Mapping[str, int] = {}
    rows: list[_Row] = []
    lines = csv.reader(io.StringIO(text), delimiter=comma)
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if not where:
                where = places_of(cells, NAMES)
                if not {"name", "price"} <= where.keys():
                    words = "line 1 has no column names; write one with name and price, and if you"
                    raise PriceListError([f"{words} like category, minutes, kind, before, after"])
                continue
            named = {n: cells[at].strip() for n, at in where.items() if at < len(cells)}
            rows.append((f"line {lines.line_num}", named))
    except csv.Error as error:
        raise PriceListError([f"line {lines.line_num}: {error}"]) from None
    return rows, None


def _from_toml(text: str) -> tuple[list[_Row], date | None]:
    """Give the [[item]] tables and *as_of*; raises PriceListError."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PriceListError([f"it is not TOML: {error}"]) from None
    problems = [
        f'"{key}" is no key here; known: as_of, [[item]]' for key in found if key not in TOP_KEYS
    ]
    on, tables = found.get("as_of"), found.get("item", [])
    if on is not None and (not isinstance(on, date) or isinstance(on, datetime)):
        problems.append("as_of is no date; write it like as_of = 2026-11-01")
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise PriceListError([*problems, "write [[item]], with two brackets, above each item"])
    rows: list[_Row] = []
    for number, table in enumerate(tables, 1):
        place = f"item {number}"
        problems += list(_toml_problems(place, table))
        rows.append((place, {key: str(value) for key, value in table.items()}))
    if problems:
        raise PriceListError(problems)
    return rows, on


def _toml_problems(place: str, table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if key not in TOML_KEYS:
            yield f'{place}: "{key}" is no key of an item; known: {", ".join(TOML_KEYS)}'
        elif key == "price" and not isinstance(value, str):
            yield f'{place}: price = {value} is a bare number; write it in quotes, like "45.00"'
        elif not isinstance(value, (str, int)) or isinstance(value, bool):
            yield f"{place}: {key} = {value} is neither a text nor a whole number"


def _understood(
    rows: Sequence[_Row], habits: Habits
) -> tuple[tuple[PriceItem, ...], Mapping[str, tuple[float, float]]]:
    """Give the items and what is kept free around each; raises PriceListError with all problems."""
    items: list[PriceItem] = []
    buffers: dict[str, tuple[float, float]] = {}
    problems: list[str] = []
    names: dict[str, str] = {}
    for place, row in rows:
        try:
            item = _item(row, habits)
            around = (_minutes(row, "before") or 0) * 60.0, (_minutes(row, "after") or 0) * 60.0
        except ValueError as error:
            problems.append(f"{place}: {error}")
            continue
        folded = item.name.casefold()
        if folded in names:
            problems.append(f'{place}: "{item.name}" stands in {names[folded]} already')
        names.setdefault(folded, place)
        items.append(item)
        if row.get("before") or row.get("after"):
            buffers[folded] = around
    if not rows:
        problems.append("it has no items")
    if len(rows) > MOST_ITEMS:
        problems.append(f"it has more than {MOST_ITEMS} items")
    if problems:
        raise PriceListError(problems)
    return tuple(items), buffers


def _item(row: Mapping[str, str], habits: Habits) -> PriceItem:
    """Read one; raises ValueError that says what would be right."""
    name, kind = row.get("name", ""), row.get("kind", "").casefold()
    if not name or len(name) > NAME_CHARS:
        raise ValueError(f"write a name of 1 to {NAME_CHARS} signs")
    if kind not in KINDS:
        raise ValueError(f'kind is "{row["kind"]}"; write service or product')
    try:
        price = read_money(row.get("price", ""), habits)
    except ValueError:
        price = None
    if price is None or price.minor < 0:
        sample = f"45{habits.decimal}00"
        raise ValueError(
            f'the price of "{name}" is "{row.get("price", "")}"; write it like {sample}'
        )
    return PriceItem(name, price, row.get("category", ""), _minutes(row, "minutes"), KINDS[kind])


def _minutes(row: Mapping[str, str], column: str) -> int | None:
    text = row.get(column, "")
    if not text:
        return None
    try:
        return int(read_length(text).total_seconds() // 60)
    except ValueError:
        raise ValueError(f'{column} is "{text}"; write whole minutes, like 45') from None


def _midnight(day: date, zone: str) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()
