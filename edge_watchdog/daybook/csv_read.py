"""An export in, the appointments of a span out; runs in the child (reader.py).

A bad row is left out, counted and told by its line; a file of which too much is bad is refused as a
whole, because then it is the wrong file or the wrong setting.
"""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge_watchdog.core.units import DecimalSign
from edge_watchdog.daybook import Appointment, DaybookError, Mark, Reading, Span
from edge_watchdog.daybook.csv_classes import with_classes
from edge_watchdog.daybook.csv_columns import (
    NOTES,
    PRICE_NAMES,
    Export,
    Field,
    names_of,
    places_of,
)
from edge_watchdog.daybook.csv_values import (
    DateOrder,
    Habits,
    read_date,
    read_length,
    read_moment,
    read_money,
    read_paid,
    read_state,
    read_time,
)
from edge_watchdog.daybook.model import Client, Money, PriceItem
from edge_watchdog.daybook.notes import merged, told
from edge_watchdog.daybook.privacy import NAME_CHARS, place, plain, short_name, without_contacts

DELIMITERS = ",;\t|"
HEADER_WITHIN = 30  # reports begin with a title and a few lines about themselves
MOST_ROWS = 20_000
MOST_REMARKS = 20
SERVICE_CHARS = 80
NO_HEADER = "the file has no line of column names with a start, or a date and a time"
CUT_SHORT = "the file is cut short: its last line is not whole"
NO_FILE = "the file is empty"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CsvKeys:
    """How to read the file; *days* is how many it covers from the one it was written on."""

    export: Export
    columns: Mapping[str, str]
    habits: Habits
    most_bad_percent: int
    days: int | None

    def wire(self) -> dict[str, object]:
        """Give it as JSON-ready data for the child."""
        habits = self.habits
        return {
            "export": self.export.value,
            "columns": dict(self.columns),
            "habits": [habits.order.value, habits.decimal.value, habits.currency],
            "most_bad_percent": self.most_bad_percent,
            "days": self.days,
        }


def keys_from(wire: Mapping[str, object]) -> CsvKeys:
    """Take up what wire() gave."""
    order, decimal, currency = json.loads(json.dumps(wire["habits"]))
    days = wire["days"]
    return CsvKeys(
        Export(str(wire["export"])),
        json.loads(json.dumps(wire["columns"])),
        Habits(DateOrder(order), DecimalSign(decimal), currency),
        int(str(wire["most_bad_percent"])),
        None if days is None else int(str(days)),
    )


@dataclass(slots=True)
class _Found:
    """What the rows gave so far; *lines* are where each id stood first."""

    rows: dict[str, Appointment] = field(default_factory=dict)
    spots: dict[str, str] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    read: int = 0
    bad: int = 0
    last: date | None = None

    def refuse(self, line: int, why: str) -> None:
        self.bad += 1
        self.remark(line, why)

    def remark(self, line: int, why: str) -> None:
        if len(self.remarks) < MOST_REMARKS:
            self.remarks.append(f"line {line}: {why}")


def read_export(body: bytes, span: Span, keys: CsvKeys) -> Reading:
    """Read the body that csv_drop.py made; raises DaybookError for a file that must not be used."""
    parts = json.loads(body)
    rows = list(_rows(base64.b64decode(parts["file"])))
    where, start = _header(rows, names_of(keys.export, keys.columns))
    found = _Found()
    for line, cells in rows[start:]:
        found.read += 1
        try:
            _take(_cells(cells, where), line, span, keys, found=found)
        except ValueError as error:
            found.refuse(line, str(error))
    if found.bad * 100 > keys.most_bad_percent * max(1, found.read):
        raise DaybookError(
            f"{found.bad} of {found.read} lines of the file could not be understood, so none of it "
            f"is used; first {found.remarks[0]}"
        )
    shown = sorted(
        with_classes(found.rows.values(), found.spots),
        key=lambda one: (one.start_wall, one.member, one.key),
    )
    return Reading(
        tuple(shown),
        found.bad,
        tuple(found.clients.values()),
        _prices(parts.get("prices"), keys.habits, found),
        remarks=tuple(found.remarks),
        prices_wall=parts.get("prices_wall"),
        days=_covered(span, keys, found.last, float(parts["written_wall"])),
    )


def _covered(span: Span, keys: CsvKeys, last: date | None, written_wall: float) -> int:
    """Count the days of *span* that the file speaks of; raises DaybookError when there are none.

    Without a word of the owner it ends with the last day that has a row: of a later day a file
    that lists none says nothing.
    """
    if keys.days is not None:
        written = datetime.fromtimestamp(written_wall, ZoneInfo(span.zone)).date()
        last = written + timedelta(days=keys.days - 1)
    covered = sum(last is not None and day <= last for day in span.dates)
    if not covered:
        raise DaybookError("the newest file says nothing of today or later")
    return covered


def _rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that hold something, with their line numbers; raises DaybookError."""
    text = decoded(body)
    if not text.strip():
        raise DaybookError(NO_FILE)
    lines = text.splitlines()
    skipped = 0
    delimiter = ""
    if lines[0].casefold().startswith("sep=") and len(lines[0]) == 5:  # Excel's own mark
        skipped, delimiter = 1, lines[0][4]
    source = io.StringIO("\n".join(lines[skipped:]), newline="")
    reader = csv.reader(source, delimiter=delimiter or _delimiter(lines))
    try:
        for number, cells in enumerate(reader):
            if number > MOST_ROWS:
                raise DaybookError(f"the file has more than {MOST_ROWS} lines")
            if any(cell.strip() for cell in cells):
                yield reader.line_num + skipped, cells
    except csv.Error:
        raise DaybookError("the file is no list of values") from None


def decoded(body: bytes) -> str:
    """Give the text: by its mark of byte order, else UTF-8, else Windows' Western European."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", errors="replace")
    if body[1:2] == b"\x00":  # little endian without a mark
        return body.decode("utf-16-le", errors="replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _delimiter(lines: Sequence[str]) -> str:
    """Choose what divides the cells: the sign that most of the first lines have equally often."""

    def score(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines[:HEADER_WITHIN]]
        usual = max(counts)
        return (counts.count(usual) if usual else 0, usual)

    return max(DELIMITERS, key=lambda sign: (score(sign)[1] > 0, score(sign)))


def _header(
    rows: Sequence[tuple[int, list[str]]], names: Mapping[str, Sequence[str]]
) -> tuple[Mapping[str, int], int]:
    """Find the line of names; gives the places of the fields, and where the rows begin."""
    for number, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
        where = places_of(cells, names)
        if Field.DATE in where and Field.START in where and Field.TIME not in where:
            where[Field.TIME] = where.pop(Field.START)
        if Field.START in where or (Field.DATE in where and len(where) > 1):
            width = len(cells)
            last = rows[-1][1]
            if len(rows) > number + 1 and len(last) < min(width, max(where.values()) + 1):
                raise DaybookError(CUT_SHORT)
            return where, number + 1
    raise DaybookError(NO_HEADER)


def _cells(cells: Sequence[str], where: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[at].strip() if at < len(cells) else "" for name, at in where.items()}


def _take(row: Mapping[str, str], line: int, span: Span, keys: CsvKeys, *, found: _Found) -> None:
    """Take one row in; raises ValueError with words that hold nothing of the row."""
    start, end, marks = _times(row, span.zone, keys.habits.order)
    day = start.astimezone(ZoneInfo(span.zone)).date()
    found.last = day if found.last is None else max(found.last, day)
    wall, end_wall = start.timestamp(), end.timestamp()
    if not (wall < span.end_wall and max(end_wall, wall + 1) > span.start_wall):
        return
    name = row.get("client") or f"{row.get('first_name', '')} {row.get('last_name', '')}".strip()
    one = Appointment(
        key="",
        start_wall=wall,
        end_wall=end_wall,
        all_day=False,
        member=plain(row.get("member", ""), NAME_CHARS),
        service=plain(without_contacts(row.get("service", "")), SERVICE_CHARS),
        client=short_name(name),
        room=place(row.get("room", "")),
        status=read_state(row.get("status", "")),
        marks=marks,
        client_key=_hash("client", row.get("phone") or row.get("email") or name) if name else "",
        price=_money(row.get("price", ""), keys.habits, line, found),
        paid=read_paid(row.get("paid", "")),
    )
    key = _keep(one, row.get("id", ""), name, line, found)
    found.spots[key] = place(row.get("spot", ""))
    if one.client_key:
        known = found.clients.get(one.client_key)
        found.clients[one.client_key] = merged(known, _client(one.client_key, name, row))


def _keep(one: Appointment, number: str, name: str, line: int, found: _Found) -> str:
    """Put *one* among the rows, and give its key there.

    The same id at the same time is a correction: the later counts.  At another time it is a visit
    of several services: each stays.
    """
    times = f"{one.start_wall} {one.member} {one.service}"
    key = _hash("id", number) if number else _hash("row", f"{times} {name}")
    before = found.rows.get(key)
    if before is not None:
        same = (before.start_wall, before.member) == (one.start_wall, one.member)
        found.remark(
            line,
            "the same id again; the later line counts"
            if same
            else "the same id at another time; both are kept",
        )
        key = key if same else _hash("id", f"{number} {times}")
    found.rows[key] = replace(one, key=key)
    return key


def _times(
    row: Mapping[str, str], zone: str, order: DateOrder
) -> tuple[datetime, datetime, tuple[Mark, ...]]:
    local = ZoneInfo(zone)
    start = _start(row, order)
    marks = []
    if start.tzinfo is None:
        start = start.replace(tzinfo=local)
        if start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset():
            marks.append(Mark.CLOCK_CHANGE)
    end = _end(row, start, order)
    if end is None or end.timestamp() <= start.timestamp():
        marks += [] if marks else [Mark.NO_END]
        end = start
    return start, end, tuple(marks)


def _start(row: Mapping[str, str], order: DateOrder) -> datetime:
    if row.get("start"):
        return _told("the start is no date and time", read_moment, row["start"], order)
    day_text, time_text = row.get("date", ""), row.get("time", "")
    if not day_text:
        raise ValueError("the date is missing")
    if not time_text:
        return _told("there is no time", read_moment, day_text, order)
    day: date = _told("there is no such date", _day_of, day_text, order)
    at: time = _told(
        "the time is not understood", lambda text, _: read_time(text), time_text, order
    )
    return datetime.combine(day, at)


def _day_of(text: str, order: DateOrder) -> date:
    """Read a date, also one that drags a midnight behind it, as spreadsheets write it."""
    try:
        return read_date(text, order)
    except ValueError:
        return read_moment(text, order).date()


def _end(row: Mapping[str, str], start: datetime, order: DateOrder) -> datetime | None:
    for name in ("end", "end_time"):
        text = row.get(name, "")
        if not text:
            continue
        try:
            end = read_moment(text, order)
        except ValueError:
            at = _told("the end is not understood", lambda one, _: read_time(one), text, order)
            end = datetime.combine(start.date(), at)
        return end.replace(tzinfo=start.tzinfo) if end.tzinfo is None else end
    if row.get("minutes"):
        length: timedelta = _told(
            "the length is not understood", lambda one, _: read_length(one), row["minutes"], order
        )
        return (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    return None


def _told(words: str, read: Callable[[str, DateOrder], T], text: str, order: DateOrder) -> T:
    """Read a cell; raises ValueError with *words*, which hold nothing of the cell."""
    try:
        return read(text, order)
    except (ValueError, OverflowError):
        raise ValueError(words) from None


def _money(text: str, habits: Habits, line: int, found: _Found) -> Money | None:
    try:
        return read_money(text, habits)
    except ValueError:
        found.remark(line, f'the price is not understood (its decimal sign is "{habits.decimal}")')
        return None


def _client(key: str, name: str, row: Mapping[str, str]) -> Client:
    notes = (note for field, kind in NOTES.items() for note in told(kind, row.get(field, "")))
    return Client(key, plain(name, 200), row.get("phone", ""), row.get("email", ""), tuple(notes))


def _hash(kind: str, text: str) -> str:
    return hashlib.sha256(f"csv {kind}\n{text.casefold()}".encode()).hexdigest()[:16]


def _prices(packed: str | None, habits: Habits, found: _Found) -> tuple[PriceItem, ...]:
    """Read the price list; a line of it that is bad is told, and left out."""
    if packed is None:
        return ()
    items = []
    rows = list(_rows(base64.b64decode(packed)))
    where: Mapping[str, int] = {}
    for line, cells in rows:
        if not where:
            places = places_of(cells, PRICE_NAMES)
            where = places if {"name", "price"} <= places.keys() else {}
            continue
        try:
            items.append(_price(_cells(cells, where), habits))
        except ValueError:
            found.remark(line, "this line of the price list is not understood")
    if not where:
        raise DaybookError("the price list has no line of column names with name and price")
    return tuple(items)


def _price(row: Mapping[str, str], habits: Habits) -> PriceItem:
    if not row["name"]:
        raise ValueError("no name")
    minutes = row.get("minutes", "")
    return PriceItem(
        name=plain(row["name"], SERVICE_CHARS),
        price=read_money(row["price"], habits),
        category=plain(row.get("category", ""), SERVICE_CHARS),
        minutes=int(read_length(minutes).total_seconds() // 60) if minutes else None,
        is_product=row.get("kind", "").casefold() in ("product", "retail"),
    )
