"""A day for other programs: a spreadsheet (CSV, RFC 4180) and a calendar file (ICS, RFC 5545).

Low detail only.  A text that a spreadsheet would run as a formula is made a plain text.
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from edge_watchdog.core.words import capital
from edge_watchdog.desk.book import BookDay, Entry
from edge_watchdog.desk.day import SourceLine

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # OWASP
COLUMNS = (
    *("date", "start", "end", "minutes", "client", "service", "with", "room", "spot", "status"),
    *("price", "paid", "capacity", "booked", "left", "source", "as of"),
)
BOM = "\ufeff"  # spreadsheets take UTF-8 for Latin-1 without it
LINE_BYTES = 73  # 75 with the line's end, RFC 5545 section 3.1


def day_csv(day: BookDay, lines: Sequence[SourceLine]) -> str:
    """Write the day as CSV; every row says how old it is.

    A class has a row of its own, and one behind it for each who is in it, on paper too: "booked"
    is the vendor's count, and "left" what is left beside that and the paper.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    ages = {line.name: line.sentence for line in lines}
    for one in day.entries:
        minutes = "" if one.is_all_day else str(round((one.end_wall - one.start_wall) / 60))
        when = (day.day.isoformat(), one.start, one.end, minutes)
        source = (one.source, ages.get(one.source, ""))
        places = tuple(map(_number, (one.capacity, one.booked, one.free)))
        about = (one.service, one.member, one.room)
        rows = [(*when, one.client, *about, "", one.status, one.price, one.paid, *places, *source)]
        rows += [
            (*when, seat.name, *about, seat.spot, seat.status, *("",) * 5, *source)
            for seat in one.seats
        ]
        writer.writerows([_plain(cell) for cell in row] for row in rows)
    return BOM + out.getvalue()


def day_ics(day: BookDay, lines: Sequence[SourceLine], made_wall: float) -> str:
    """Write the day as a calendar; *made_wall* in seconds since 1970."""
    about = "; ".join(line.sentence for line in lines)
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//edge_watchdog//day book//EN"]
    rows += ["METHOD:PUBLISH", f"X-WR-CALDESC:{_text(f'Read-only copy, {about}')}"]
    for one in day.entries:
        rows += _event(one, day, made_wall, about)
    rows.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for row in rows for folded in _fold(row))


def _event(one: Entry, day: BookDay, made_wall: float, about: str) -> list[str]:
    summary = " - ".join(piece for piece in (one.service, one.client) if piece) or "Busy"
    start, end = f"DTSTART:{_utc(one.start_wall)}", f"DTEND:{_utc(one.end_wall)}"
    if one.is_all_day:
        start, end = f"DTSTART;VALUE=DATE:{day.day:%Y%m%d}", "TRANSP:TRANSPARENT"
    status = "CANCELLED" if one.is_gone else ""
    status = status or ("TENTATIVE" if one.status == "tentative" else "CONFIRMED")
    known = [f"With {one.member}"] if one.member else []
    known += [capital(one.places)] if one.places else []
    said = "".join(f"{words}. " for words in (*known, f"Read-only copy, {about}")).rstrip()
    return [
        "BEGIN:VEVENT",
        f"UID:{_text(one.key)}-{day.day:%Y%m%d}@edge-watchdog",
        f"DTSTAMP:{_utc(made_wall)}",
        start,
        end,
        f"SUMMARY:{_text(summary)}",
        f"LOCATION:{_text(one.room)}",
        f"STATUS:{status}",
        f"DESCRIPTION:{_text(said)}",
        "END:VEVENT",
    ]


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _utc(wall: float) -> str:
    return f"{datetime.fromtimestamp(wall, UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Escape a text (RFC 5545 section 3.3.11)."""
    kept = "".join(c if c >= " " or c == "\n" else " " for c in value)
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(plain, escaped)
    return kept


def _fold(row: str) -> list[str]:
    """Cut a line into pieces of at most 75 bytes, never inside a sign."""
    pieces, piece = [], ""
    for sign in row:
        if len((piece + sign).encode()) > LINE_BYTES:
            pieces.append(piece)
            piece = " "
        piece += sign
    return [*pieces, piece]
