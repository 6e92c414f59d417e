"""The low-detail book for programs and for keeping: JSON, and one file that needs nothing else."""

import json
from collections.abc import Sequence

from edge_watchdog.daybook.freshness import Now
from edge_watchdog.daybook.keeper import SourceState
from edge_watchdog.desk.book import BookDay, By, Entry, Group, grouped
from edge_watchdog.desk.day import SourceLine, source_lines
from edge_watchdog.desk.phrases import Local


def book_json(
    states: Sequence[SourceState], drawn: Sequence[BookDay], now: Now, local: Local
) -> str:
    """Write the days as JSON; top level: the oldest source's age, and whether all are complete.

    Times are ISO 8601 with the studio's offset, *age_s* is None when the age is not known.  Of a
    class, *booked* is the vendor's count, and *left* what is left beside that and the paper.
    """
    lines = source_lines(states, now, local)
    ages = [line.age_s for line in lines]
    known = [age for age in ages if age is not None]
    return json.dumps(
        {
            "read_only": True,
            "tz": local.zone,
            "as_of": oldest(lines, local),
            "age_s": round(max(known)) if known and len(known) == len(ages) else None,
            "complete": bool(lines)
            and all(line.is_complete for line in lines)
            and not any(day.missing for day in drawn),
            "source": ", ".join(line.name for line in lines),
            "words": "; ".join(line.sentence for line in lines) or "no appointment list is set up",
            "sources": [_source(line, local) for line in lines],
            "days": [_day(day, local) for day in drawn],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def oldest(lines: Sequence[SourceLine], local: Local) -> str | None:
    """Give the as-of of the oldest source; None when one has none."""
    walls = [line.as_of_wall for line in lines]
    known = [wall for wall in walls if wall is not None]
    return _iso(min(known), local) if known and len(known) == len(walls) else None


def copy_day(day: BookDay) -> tuple[str, tuple[Group, ...], tuple[str, ...]]:
    """Give what the kept file shows of a day: its title, the groups, what is missing."""
    return day.title, grouped(day.entries, By.STAFF), day.missing


def _source(line: SourceLine, local: Local) -> dict[str, object]:
    return {
        "name": line.name,
        "as_of": None if line.as_of_wall is None else _iso(line.as_of_wall, local),
        "age_s": None if line.age_s is None else round(line.age_s),
        "band": str(line.band),
        "complete": line.is_complete,
        "words": line.sentence,
        "facts": list(line.facts),
    }


def _day(day: BookDay, local: Local) -> dict[str, object]:
    return {
        "date": day.day.isoformat(),
        "not_known_from": list(day.missing),
        "appointments": [_entry(one, local) for one in day.entries],
    }


def _entry(one: Entry, local: Local) -> dict[str, object]:
    said: dict[str, object] = {
        "start": _iso(one.start_wall, local),
        "end": _iso(one.end_wall, local),
        "all_day": one.is_all_day,
        "client": one.client,
        "service": one.service,
        "staff": one.member,
        "room": one.room,
        "status": one.status,
        "marks": list(one.marks),
        "source": one.source,
    }
    if one.is_class:
        said |= {"capacity": one.capacity, "booked": one.booked, "left": one.free}
        said["places"] = one.places
        said["people"] = [
            {"client": seat.name, "spot": seat.spot, "status": seat.status} for seat in one.seats
        ]
    return said


def _iso(wall: float, local: Local) -> str:
    return local.at(wall).isoformat(timespec="seconds")
