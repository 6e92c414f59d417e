"""What can be configured, as data, as the shipped TOML file and as the tables of the README.

Everything comes from the dataclasses and the registries, so that a new kind documents itself.  In
the TOML file "# " begins prose and "#" alone a key that is not set.
"""

import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_watchdog.config.forms import form_of, sample_of, written
from edge_watchdog.config.journal_keys import Journal
from edge_watchdog.config.line_keys import (
    BUILT_IN_ANCHORS,
    AnchorKeys,
    MeteredKeys,
    Probe,
    Timing,
    UplinkKeys,
)
from edge_watchdog.config.people_keys import AlertKeys, Contacts, Desk, Printing
from edge_watchdog.config.place_keys import Box, Studio
from edge_watchdog.config.registries import Registries, Registry
from edge_watchdog.config.tables import fields_of, required
from edge_watchdog.config.vendor_keys import KindOnly, ScheduleKeys, VendorKeys

WIDTH = 100
HEAD = """\
# edge_watchdog: every key there is.  `edge-watchdog reference --write` makes this file.
#
# A key behind "#" is not set: it shows its default or, where there is none, an example.
# A time or a size is a whole number with a unit: "250ms", "30s", "5m", "2h", "20MB", "5GB".
# No secret is written here: a *_file key names the file that holds it.
# After a change: edge-watchdog check, systemctl reload edge-watchdog, restart edge-watchdog-desk.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key.  *default* and *sample* are TOML; *default* is "" when there is none.

    *shipped*: it is set in the shipped file.
    """

    name: str
    doc: str
    form: str
    required: bool
    default: str
    sample: str
    shipped: bool


@dataclass(frozen=True, slots=True)
class Stanza:
    """One table, or one kind of it.  *own*: the keys that only this kind has."""

    name: str
    many: bool
    about: str
    keys: tuple[Key, ...]
    kind: str = ""
    kind_about: str = ""
    own: tuple[Key, ...] = ()

    @property
    def head(self) -> str:
        """Give the line that opens the table."""
        return f"[[{self.name}]]" if self.many else f"[{self.name}]"

    @property
    def shipped(self) -> bool:
        """Tell whether the table is set in the shipped file."""
        return any(key.shipped for key in self.keys)


def stanzas(known: Registries) -> tuple[Stanza, ...]:
    """Give everything that can be configured, in the order of the file."""
    return (
        _plain("studio", Studio),
        _plain("box", Box),
        *_kinds("uplink", UplinkKeys, known.drivers),
        _plain("anchor", AnchorKeys, many=True),
        _plain("probe", Probe),
        _plain("vendor", VendorKeys),
        *_kinds("vendor.status", KindOnly, known.readers, many=False),
        *_kinds("schedule", ScheduleKeys, known.connectors),
        _plain("desk", Desk),
        *([_plain("mqtt", known.mqtt)] if known.mqtt else []),
        *_kinds("alert", AlertKeys, known.channels),
        _plain("contacts", Contacts),
        _plain("metered", MeteredKeys),
        _plain("print", Printing),
        _plain("journal", Journal),
        _plain("timing", Timing),
    )


def shipped_toml(known: Registries) -> str:
    """Give the file config/edge_watchdog.toml."""
    parts = [HEAD]
    for stanza in stanzas(known):
        parts.append("\n".join(_stanza_lines(stanza)) + "\n")
        if stanza.name == "anchor":
            parts += [_anchor_lines(number) for number in range(1, len(BUILT_IN_ANCHORS))]
    return "\n".join(parts)


def markdown(known: Registries) -> str:
    """Give the config tables of the README."""
    parts: list[str] = []
    told: set[str] = set()
    for stanza in stanzas(known):
        if stanza.name not in told:
            common = tuple(key for key in stanza.keys if key not in stanza.own)
            parts += [f"**`{stanza.head}`** {stanza.about}", _table(common)]
            told.add(stanza.name)
        if stanza.kind_about:
            parts.append(f'`{stanza.head}` of kind `"{stanza.kind}"`: {stanza.kind_about}')
            parts += [_table(stanza.own)] if stanza.own else []
    return "\n\n".join(parts)


def _plain(name: str, kind: type, *, many: bool = False) -> Stanza:
    return Stanza(name, many, _about(kind), _keys(kind))


def _kinds(name: str, base: type, registry: Registry, *, many: bool = True) -> Iterator[Stanza]:
    one_of = "one of " + ", ".join(f'"{kind}"' for kind in registry)
    for number, (kind, options) in enumerate(registry.items()):
        own = _keys(options) if options else ()
        names = {key.name for key in own}
        common = [key for key in _keys(base) if key.name not in names]
        if number > 0:
            common = [_apart(key, number + 1) for key in common]
        keys = [_of_kind(key, kind, one_of) if key.name == "kind" else key for key in common]
        about = " ".join(_said_of(options)) if options else ""
        yield Stanza(name, many, _about(base), (*keys, *own), kind, about, own)


def _apart(key: Key, number: int) -> Key:
    """Give a common key as it stands in a second or later table: names must differ."""
    named = key.name == "name"
    sample = f'{key.sample[:-1]} {number}"' if named else key.sample
    return dataclasses.replace(key, shipped=False, sample=sample)


def _of_kind(key: Key, kind: str, one_of: str) -> Key:
    return dataclasses.replace(key, sample=f'"{kind}"', form=one_of)


def _said_of(options: type) -> Iterator[str]:
    """Say what a kind is and, where that is told, how it was proven."""
    yield _about(options)
    tested = getattr(options, "tested", None)
    if isinstance(tested, str):
        yield tested


def _about(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _keys(kind: type) -> tuple[Key, ...]:
    hints = typing.get_type_hints(kind)
    return tuple(_key(field, hints[name]) for name, field in fields_of(kind).items())


def _key(field: "dataclasses.Field[object]", hint: object) -> Key:
    value = _default(field)
    default = "" if value in (None, (), "") else written(value, hint)
    shown = [field.metadata[name] for name in ("shipped", "example") if name in field.metadata]
    sample = written(shown[0], hint) if shown else default or sample_of(hint)
    return Key(
        name=field.name,
        doc=str(field.metadata.get("doc", "")),
        form=form_of(hint).partition(", such as")[0],
        required=required(field),
        default=default,
        sample=sample,
        shipped="shipped" in field.metadata,
    )


def _default(field: "dataclasses.Field[object]") -> object:
    if required(field):
        return None
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _stanza_lines(stanza: Stanza) -> Iterator[str]:
    yield from _prose(f"{stanza.head} {stanza.about} {stanza.kind_about}".strip())
    yield stanza.head if stanza.shipped else f"#{stanza.head}"
    for key in stanza.keys:
        yield from _prose(f"{key.doc} {_usage(key)}".strip())
        yield f"{'' if key.shipped else '#'}{key.name} = {key.sample}"


def _usage(key: Key) -> str:
    choice = f"{key.form[:1].upper()}{key.form[1:]}. " if key.form.startswith("one of") else ""
    if key.required:
        return f"{choice}Must be given."
    if not key.default:
        return f"{choice}For example:"
    return f"{choice}Default: {key.default}." if key.default != key.sample else choice


def _prose(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def _anchor_lines(number: int) -> str:
    anchor = BUILT_IN_ANCHORS[number]
    values: Mapping[str, str] = {
        "operator": f'"{anchor.operator}"',
        "address": f'"{anchor.address}"',
        "dns": str(anchor.dns).lower(),
    }
    return "\n".join(["#[[anchor]]", *(f"#{key} = {text}" for key, text in values.items()), ""])


def _table(keys: tuple[Key, ...]) -> str:
    rows = ["| key | what it is | written as | default |", "|---|---|---|---|"]
    for key in keys:
        default = "must be given" if key.required else f"`{key.default}`" if key.default else ""
        rows.append(f"| `{key.name}` | {key.doc} | {key.form} | {default} |")
    return "\n".join(rows)
