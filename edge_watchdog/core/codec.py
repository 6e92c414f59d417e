"""Core values to JSON-ready data and back; used by the journal, the bridge and MQTT.

A dataclass becomes an object of its fields; where a field may hold one of several dataclasses
(Event, Action), the object also carries "type"; a date becomes its ISO text.  Decoding is strict:
an unknown field, a missing one or a value of the wrong kind raises CodecError and names the place.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import date
from enum import Enum

T = typing.TypeVar("T")


class CodecError(ValueError):
    """The data does not fit the type; the message names the place."""


def encode(value: object) -> object:
    """Give *value* (dataclasses, enums, tuples, mappings, scalars) as JSON-ready data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        body = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **body}
    if isinstance(value, Enum):
        return value.value
    if type(value) is date:
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    msg = f"cannot encode a {type(value).__name__}"
    raise CodecError(msg)


def decode(kind: type[T], data: object) -> T:
    """Build a *kind* from what encode() gave; raises CodecError."""
    return typing.cast("T", _decode(kind, data, "$"))


def decode_one_of(kinds: object, data: object) -> object:
    """Build a member of the union *kinds* (Event, Action); raises CodecError."""
    return _decode(kinds, data, "$")


def _decode(kind: object, data: object, where: str) -> object:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(typing.get_args(kind), data, where)
    if origin is tuple:
        return _decode_tuple(typing.get_args(kind), data, where)
    if origin is not None and issubclass(origin, Mapping):
        return _decode_mapping(typing.get_args(kind), data, where)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, data, where)
    return _decode_scalar(kind, data, where)


def _decode_union(kinds: tuple[object, ...], data: object, where: str) -> object:
    if data is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if len(rest) == 1:
        return _decode(rest[0], data, where)
    named = {kind.__name__: kind for kind in rest if isinstance(kind, type)}
    tag = data.get("type") if isinstance(data, Mapping) else None
    if tag not in named:
        raise _wrong(where, f"one of {', '.join(named)}", data)
    return _decode(named[tag], data, where)


def _decode_tuple(kinds: tuple[object, ...], data: object, where: str) -> object:
    if not isinstance(data, list):
        raise _wrong(where, "a list", data)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_decode(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if len(kinds) != len(data):
        raise _wrong(where, f"{len(kinds)} items", data)
    pairs = zip(kinds, data, strict=True)
    return tuple(_decode(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(pairs))


def _decode_mapping(kinds: tuple[object, ...], data: object, where: str) -> object:
    if not isinstance(data, dict):
        raise _wrong(where, "an object", data)
    keys, values = kinds
    return {
        _decode(keys, key, f"{where} key"): _decode(values, item, f"{where}.{key}")
        for key, item in data.items()
    }


def _decode_dataclass(kind: type, data: object, where: str) -> object:
    if not isinstance(data, dict):
        raise _wrong(where, kind.__name__, data)
    hints = _hints(kind)
    unknown = sorted(data.keys() - hints.keys() - {"type"})
    if unknown:
        raise _wrong(f"{where}.{unknown[0]}", f"no such field of {kind.__name__}", unknown)
    values = {
        name: _decode(hints[name], item, f"{where}.{name}")
        for name, item in data.items()
        if name in hints
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise CodecError(f"{where}: {error}") from error


def _decode_scalar(kind: object, data: object, where: str) -> object:
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError as error:
            raise _wrong(where, f"a {kind.__name__}", data) from error
    if kind is date and isinstance(data, str):
        try:
            return date.fromisoformat(data)
        except ValueError as error:
            raise _wrong(where, "a date", data) from error
    if kind is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        return float(data)
    if kind is object:
        return data
    if isinstance(kind, type) and type(data) is kind:
        return data
    raise _wrong(where, getattr(kind, "__name__", str(kind)), data)


@functools.cache
def _hints(kind: type) -> Mapping[str, object]:
    return typing.get_type_hints(kind)


def _wrong(where: str, wanted: str, found: object) -> CodecError:
    return CodecError(f"{where}: expected {wanted}, found {str(found)[:60]!r}")
