"""How one vendor's API is to be read: a TOML text in, a checked Mapping out.

Presets stand in presets/; an owner may write another of the same form.  Every mistake is named with
its place and what would be right, all in one run.
"""

import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from importlib import resources
from typing import Any, TypeVar

from edge_watchdog.daybook import DaybookError
from edge_watchdog.daybook.model import Status
from edge_watchdog.daybook.shape import TimeRule


class Auth(StrEnum):
    """How a request says who asks."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"
    HEADER = "header"
    OAUTH2 = "oauth2"


class Paging(StrEnum):
    """How a long answer is cut into pages."""

    NONE = "none"
    PAGE = "page"
    OFFSET = "offset"
    CURSOR = "cursor"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Login:
    """The keys of [auth]; texts may hold {key}, {user} and the values the owner gives."""

    kind: Auth = Auth.NONE
    user: str = ""
    password: str = ""
    header: str = "Authorization"
    value: str = "{key}"
    token_url: str = ""
    form: Table[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pages:
    """The keys of a paging table; *next* and *cursor* are places in the answer.

    *page* is the parameter that counts (pages, or entries for OFFSET) or carries the cursor, *size*
    the one that says how many; *first* is the number of the first page.
    """

    style: Paging = Paging.NONE
    page: str = "page"
    size: str = ""
    most: int = 100
    first: int = 1
    next: str = ""
    cursor: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One question; *items* is the place of the list in the answer, "" for the answer itself.

    *included* is the place of what JSON:API sends along (7.3): whatever an entry's relationship
    NAME points to there is found at "included.NAME" of the entry.
    """

    path: str
    params: Table[str, Any] = field(default_factory=dict)
    items: str = ""
    paging: Pages = field(default_factory=Pages)
    included: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Names for ids: a listing whose entries are found by *id*.

    In columns "@join:place" is the name, "@join.phone:place" and "@join.email:place" the others.

    *ids*: ask only for those that stand at this place of the visits and of who is in classes, in
    the parameter *param*, joined by commas, *chunk* at a time; without it, all are asked for.
    Where {id} stands in the path each is asked for alone, once a day, and is the answer itself.
    *rolls*: only of who is in classes.
    """

    listing: Listing
    id: str = "id"
    name: str = "name"
    phone: str = ""
    email: str = ""
    ids: str = ""
    param: str = ""
    chunk: int = 50
    rolls: bool = False

    @property
    def each(self) -> bool:
        """Tell whether each is asked for alone."""
        return "{id}" in self.listing.path


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each thing stands in a visit; expressions as in shape.text_of()."""

    id: str
    start: str
    end: str = ""
    minutes: str = ""
    seconds: str = ""
    member: str = ""
    service: str = ""
    client: str = ""
    client_id: str = ""
    room: str = ""
    status: str = ""
    price: str = ""
    currency: str = ""
    paid: str = ""
    phone: str = ""
    email: str = ""
    note: str = ""
    allergy: str = ""
    patch_test: str = ""
    formula: str = ""
    preference: str = ""
    history: str = ""
    capacity: str = ""
    booked: str = ""


@dataclass(frozen=True, slots=True)
class Roll:
    """Who is in a class: a listing for each class that has somebody, {visit} in it is the class.

    The other keys are expressions on each entry; *flags* as in Mapping.  *of* is where an entry
    names its class: an entry that names another means that the vendor did not heed the question.
    """

    listing: Listing
    name: str = "name"
    id: str = ""
    phone: str = ""
    email: str = ""
    spot: str = ""
    of: str = ""
    flags: Table[str, Status] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of entry, such as classes or appointments, and who is in those that are classes.

    *flags*: a place that holds anything but no, or "place=word" one that holds this word, and what
    that means; the first that is raised counts.
    """

    visits: Listing
    columns: Columns
    statuses: Table[str, Status] = field(default_factory=dict)
    flags: Table[str, Status] = field(default_factory=dict)
    roll: Roll | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """One vendor's API; *currency* is of prices that come without one.

    The keys of *main* stand at the top of the file, those of *more* under a name of their own: what
    the vendor keeps apart and is asked for elsewhere.
    """

    label: str
    base_url: str
    main: Part
    time: TimeRule = TimeRule.OFFSET
    needs: tuple[str, ...] = ()
    headers: Table[str, str] = field(default_factory=dict)
    auth: Login = field(default_factory=Login)
    joins: Table[str, Join] = field(default_factory=dict)
    more: Table[str, Part] = field(default_factory=dict)
    currency: str = ""
    minor_units: bool = False
    requests_a_day: int | None = None


_T = TypeVar("_T")


class _Reader:
    """Reads tables into dataclasses and keeps every mistake."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def note(self, place: str, words: str) -> None:
        self.problems.append(f"{place}: {words}")

    def table(self, found: object, place: str) -> dict[str, Any]:
        if isinstance(found, dict):
            return found
        if found is not None:
            self.note(place, "write a table")
        return {}

    def plain(self, kind: type[_T], found: object, place: str) -> _T | None:
        """Read texts, numbers and choices into *kind*; nested tables are the caller's."""
        table = self.table(found, place)
        known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
        for name in table.keys() - known.keys():
            self.note(place, f"{name} is not known here; known are {', '.join(known)}")
        values: dict[str, Any] = {}
        for name in table.keys() & known.keys():
            values[name] = self._value(known[name].type, table[name], f"{place}.{name}")
        try:
            return kind(**values)
        except TypeError:
            missing = [n for n in ("label", "base_url", "path", "id", "start") if n in known]
            self.note(place, f"is incomplete; it needs {', '.join(missing)}")
            return None

    def _value(self, hint: object, value: object, place: str) -> object:
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return self.choice(hint, value, place)
        if hint is bool or hint is int or hint == int | None:
            if isinstance(value, bool) is not (hint is bool) or not isinstance(value, int):
                self.note(place, "write true or false" if hint is bool else "write a whole number")
            return value
        if hint is str and not isinstance(value, str):
            self.note(place, "write a text in quotes")
        if hint == tuple[str, ...]:
            return tuple(str(one) for one in value) if isinstance(value, list) else ()
        return value

    def choice(self, kind: type[StrEnum], value: object, place: str) -> StrEnum:
        names = [str(one) for one in kind]
        if value not in names:
            self.note(
                place, f'"{value}" is none of {", ".join(name or "(none)" for name in names)}'
            )
            return next(iter(kind))
        return kind(value)

    def listing(self, found: object, place: str) -> Listing:
        table = dict(self.table(found, place))
        paging = self.plain(Pages, table.pop("paging", None), f"{place}.paging")
        read = self.plain(Listing, table, place) or Listing("")
        return replace(read, paging=paging or Pages())

    def join(self, found: object, place: str) -> Join:
        table, listing = self.asking(found, place)
        return self.plain(Join, {**table, "listing": listing}, place) or Join(listing)

    def roll(self, found: object, place: str) -> Roll:
        table, listing = self.asking(found, place)
        flags = self.states(table.pop("flags", None), f"{place}.flags")
        made = self.plain(Roll, {**table, "listing": listing}, place) or Roll(listing)
        return replace(made, flags=flags)

    def asking(self, found: object, place: str) -> tuple[dict[str, Any], Listing]:
        """Give a table without its question, and the question."""
        table = dict(self.table(found, place))
        asked = {one.name: table.pop(one.name) for one in fields(Listing) if one.name in table}
        return table, self.listing(asked, place)

    def part(self, found: object, place: str) -> Part:
        """Read visits, columns, statuses, flags, roll; *place* ends with a dot or is empty."""
        table = self.table(found, place.rstrip("."))
        names = [one.name for one in fields(Part)]
        for name in table.keys() - set(names):
            self.note(f"{place}{name}", f"is not known here; known are {', '.join(names)}")
        return Part(
            self.listing(table.get("visits"), f"{place}visits"),
            self.plain(Columns, table.get("columns"), f"{place}columns") or Columns("", ""),
            self.states(table.get("statuses"), f"{place}statuses"),
            self.states(table.get("flags"), f"{place}flags"),
            self.roll(table["roll"], f"{place}roll") if "roll" in table else None,
        )

    def states(self, found: object, place: str) -> dict[str, Status]:
        table = self.table(found, place)
        return {k: Status(self.choice(Status, v, f"{place}.{k}")) for k, v in table.items()}


def read_mapping(text: str, name: str) -> Mapping:
    """Read a mapping; *name* is what its mistakes are told of.  Raises DaybookError."""
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DaybookError(f"{name}: {error}") from None
    reader = _Reader()
    own = [one.name for one in fields(Part)]
    known = [*own, *(one.name for one in fields(Mapping) if one.name != "main")]
    for strange in found.keys() - set(known):
        reader.note("the file", f"{strange} is not known here; known are {', '.join(known)}")
        del found[strange]
    parts = {
        "main": reader.part({key: found.pop(key) for key in own if key in found}, ""),
        "auth": reader.plain(Login, found.pop("auth", None), "auth") or Login(),
        "more": {
            key: reader.part(one, f"more.{key}.")
            for key, one in reader.table(found.pop("more", None), "more").items()
        },
        "joins": {
            key: reader.join(one, f"joins.{key}")
            for key, one in reader.table(found.pop("joins", None), "joins").items()
        },
    }
    made = reader.plain(Mapping, {**found, **parts}, "the file")
    if made is not None and not reader.problems:
        return made
    raise DaybookError("; ".join(f"{name}, {one}" for one in reader.problems))


def presets() -> tuple[str, ...]:
    """Name the presets there are."""
    folder = resources.files(__package__).joinpath("presets")
    return tuple(sorted(one.name.removesuffix(".toml") for one in folder.iterdir()))


def preset(name: str) -> Mapping:
    """Give the preset *name*; raises DaybookError."""
    file = resources.files(__package__).joinpath("presets", f"{name}.toml")
    if name not in presets():
        raise DaybookError(f'there is no preset "{name}"; there are {", ".join(presets())}')
    return read_mapping(file.read_text(encoding="utf-8"), f"preset {name}")
