"""The forms of single values: what a person writes in, what the program works with out.

A bare number is no duration and no size.  A value that may be a secret is never repeated.
"""

import difflib
import ipaddress
import json
import re
import types
import typing
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import NewType, cast
from urllib.parse import urlsplit

from edge_watchdog.config.hours import Hours, parse_hours
from edge_watchdog.config.months import LAST_DAY
from edge_watchdog.core.units import FilePath, Ipv4, Ipv6, Seconds, Size, Url

HostPort = NewType("HostPort", str)  # "0.0.0.0:8080"
_IPV6_INTERNET = ipaddress.IPv6Network("2000::/3")
Ipv4Range = NewType("Ipv4Range", str)  # "192.168.50.100-192.168.50.199"
HostName = NewType("HostName", str)  # "desk.lotus.example"
Origin = NewType("Origin", str)  # "http://homeassistant.local:8123"
TimeZone = NewType("TimeZone", str)  # "Europe/London"
Interface = NewType("Interface", str)  # "eth0"
Reachable = NewType("Reachable", str)  # a host name, an IPv4 address or network
MonthDay = NewType("MonthDay", int)  # 1 to 28, which every month has

UNITS_S: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
UNITS_BYTES: Mapping[str, int] = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
SHOWN_CHARS = 60  # of a wrong value
INTERFACE_CHARS = 15  # IFNAMSIZ - 1 in linux/if.h
_SECRET = re.compile(r"pass(word|phrase)?|token|secret|api_?key|credential|routing_key|pin")
_FRACTION = re.compile(r"\d+\.\d+\s*[A-Za-z]+")


class FormError(ValueError):
    """The value is not in the form wanted; the text says what would do."""


def read_text_form(hint: object, value: object) -> object:
    """Read one TOML value in the form of *hint*; raises ValueError, which says what would do."""
    return _reader(hint)(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """Give a hint for a name nobody knows: the nearest one, or all of them."""
    names = list(dict.fromkeys(known))
    folded = {one.casefold(): one for one in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"known here: {', '.join(names)}"


def shown(value: object, *, private: bool = False) -> str:
    """Give *value* as it stands in the file, shortened.

    Of an address only the host is given, of a *private* text nothing.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        text = f"a table with {', '.join(value)}" if isinstance(value, Mapping) else repr(value)
        return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
    scheme, slashes, rest = value.partition("://")
    if slashes:
        # A feed's address is often its only key: show the scheme and host, never the rest.
        host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
        return f'"{scheme}://{host[:SHOWN_CHARS]}..."'
    if private:
        return '"..."'
    return f'"{value}"' if len(value) <= SHOWN_CHARS else f'"{value[:SHOWN_CHARS]}..."'


def is_secret(key: str) -> bool:
    """Tell whether a key of this name would hold a secret itself."""
    return _SECRET.search(key.lower()) is not None and not key.endswith("_file")


def without_none(hint: object) -> object:
    """Give X for ``X | None``, anything else as it is."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


def item_of(hint: object) -> object | None:
    """Give X for ``tuple[X, ...]``, None for anything else."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None


def form_of(hint: object) -> str:
    """Say in a few words how a value of this kind is written."""
    hint = without_none(hint)
    item = item_of(hint)
    if item is not None:
        return f"a list, each: {form_of(item)}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "one of " + ", ".join(f'"{one.value}"' for one in hint)
    if typing.get_origin(hint) is not None:
        return "a table of texts"
    return _FORMS.get(hint, "a table")


def sample_of(hint: object) -> str:
    """Give a value of this kind as it is written in TOML, for a key that has no example."""
    hint = without_none(hint)
    item = item_of(hint)
    if item is not None:
        return f"[{sample_of(item)}]"
    return _SAMPLES.get(hint, '"..."')


def written(value: object, hint: object) -> str:
    """Give *value* as it is written in TOML, with its unit."""
    hint = without_none(hint)
    item = item_of(hint)
    if item is not None and isinstance(value, (tuple, list)):
        return f"[{', '.join(written(one, item) for one in value)}]"
    if hint is Seconds and isinstance(value, (int, float)):
        return f'"{_with_unit(value, UNITS_S)}"'
    if hint is Size and isinstance(value, int):
        return f'"{_with_unit(value, UNITS_BYTES)}"'
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {written(one, str)}' for key, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)  # a TOML basic string, number or boolean


def _with_unit(value: float, units: Mapping[str, float]) -> str:
    """Write *value* as a whole number in the largest decimal unit that fits."""
    fits = [
        unit for unit, size in units.items() if value >= size and round(value / size, 9) % 1 == 0
    ]
    unit = max(fits, key=lambda one: units[one])
    return f"{round(value / units[unit])}{unit}"


def _reader(hint: object) -> Callable[[object], object]:
    if hint in _READERS:
        return _READERS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: _read_choice(hint, value)
    if typing.get_origin(hint) is not None and typing.get_args(hint) == (str, str):
        return _read_texts
    raise TypeError(f"no reader for {hint}")


def _text(value: object, wanted: str) -> str:
    if not isinstance(value, str):
        raise FormError(f"write {wanted}")
    if not value.strip() or not value.isprintable():
        raise FormError(f"is empty or holds an odd character; write {wanted}")
    return value.strip()


def _read_text(value: object) -> str:
    return _text(value, _FORMS[str])


def _read_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise FormError("write true or false, without quotes")
    return value


def _read_int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FormError("write a whole number, without quotes")
    return value


def _read_month_day(value: object) -> MonthDay:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LAST_DAY:
        raise FormError(f"write {_FORMS[MonthDay]}, without quotes")
    return MonthDay(value)


def _read_reachable(value: object) -> Reachable:
    text = _text(value, _FORMS[Reachable])
    if re.fullmatch(r"[\d./]+", text):
        try:
            return Reachable(str(ipaddress.IPv4Network(text)))
        except ValueError:
            raise FormError(f"is no network; write {_FORMS[Reachable]}") from None
    try:
        return Reachable(_read_host_name(text))
    except FormError:
        raise FormError(f"write {_FORMS[Reachable]}") from None


def _read_float(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise FormError("write a number, without quotes")
    return float(value)


def _quantity(value: object, units: Mapping[str, float], wanted: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise FormError(f"has no unit; write {wanted}")
    text = _text(value, wanted)
    if _FRACTION.fullmatch(text):
        raise FormError(f"write a whole number with a smaller unit: {wanted}")
    found = re.fullmatch(r"(\d{1,12})\s*([A-Za-z]+)", text)
    if found is None or found[2] not in units:
        raise FormError(f"write {wanted}; units: {', '.join(units)}")
    if int(found[1]) == 0:
        raise FormError(f"is nothing; write {wanted}")
    return int(found[1]) * units[found[2]]


def _read_seconds(value: object) -> Seconds:
    return Seconds(_quantity(value, UNITS_S, _FORMS[Seconds]))


def _read_size(value: object) -> Size:
    return Size(int(_quantity(value, UNITS_BYTES, _FORMS[Size])))


def _read_url(value: object) -> Url:
    text = _text(value, _FORMS[Url])
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in text:
        raise FormError(f"write {_FORMS[Url]}")
    if parts.username is not None or parts.password is not None:
        raise FormError("no user or password in an address; secrets are *_file keys")
    if parts.port == 0:
        raise FormError("port 0 is no port")
    return Url(text)


def _read_path(value: object) -> FilePath:
    text = _text(value, _FORMS[FilePath])
    if not text.startswith("/"):
        raise FormError(f"write {_FORMS[FilePath]}")
    return FilePath(text)


def _read_ipv4(value: object) -> Ipv4:
    text = _text(value, _FORMS[Ipv4])
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise FormError(f"write {_FORMS[Ipv4]}; names are never asked for a verdict") from None
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        raise FormError("is no host on the internet")
    return Ipv4(str(address))


def _read_ipv6(value: object) -> Ipv6:
    text = _text(value, _FORMS[Ipv6])
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise FormError(f"write {_FORMS[Ipv6]}; names are never asked for a verdict") from None
    if address not in _IPV6_INTERNET:
        raise FormError("is no host on the internet")
    return Ipv6(str(address))


def _read_host_port(value: object) -> HostPort:
    text = _text(value, _FORMS[HostPort])
    host, _, port = text.rpartition(":")
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        raise FormError(f"write {_FORMS[HostPort]}") from None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 2**16:
        raise FormError("the port is a number from 1 to 65535")
    return HostPort(text)


def _read_ipv4_range(value: object) -> Ipv4Range:
    text = _text(value, _FORMS[Ipv4Range])
    first, _, last = text.partition("-")
    try:
        begin, end = ipaddress.IPv4Address(first.strip()), ipaddress.IPv4Address(last.strip())
    except ValueError:
        raise FormError(f"write {_FORMS[Ipv4Range]}") from None
    if end < begin or int(begin) >> 16 != int(end) >> 16:
        raise FormError("the second address comes after the first, in the same network")
    return Ipv4Range(f"{begin}-{end}")


def _read_host_name(value: object) -> HostName:
    text = _text(value, _FORMS[HostName])
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", text):
        raise FormError(f"write {_FORMS[HostName]}, without http:// and without a port")
    return HostName(text.lower())


def _read_origin(value: object) -> Origin:
    text = _text(value, _FORMS[Origin]).removesuffix("/")
    if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", text):
        raise FormError(f"write {_FORMS[Origin]}, without a path")
    return Origin(text)


def _read_time_zone(value: object) -> TimeZone:
    text = _text(value, _FORMS[TimeZone])
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = sorted(zoneinfo.available_timezones())
        near = difflib.get_close_matches(text, known, n=1) or [
            zone for zone in known if zone.rpartition("/")[2].casefold() == text.casefold()
        ]
        hint = f'did you mean "{near[0]}"?' if near else f"write {_FORMS[TimeZone]}"
        raise FormError(f"no such time zone; {hint}") from None
    return TimeZone(text)


def _read_interface(value: object) -> Interface:
    text = _text(value, _FORMS[Interface])
    if len(text) > INTERFACE_CHARS or re.search(r"[\s/]", text) or text in (".", ".."):
        raise FormError(f"write {_FORMS[Interface]}, at most {INTERFACE_CHARS} characters")
    return Interface(text)


def _read_hours(value: object) -> Hours:
    return parse_hours(_text(value, _FORMS[Hours]))


def _read_choice(kind: type[Enum], value: object) -> Enum:
    names = [str(one.value) for one in kind]
    if value in names:
        return kind(value)
    raise FormError(nearest(str(value), names))


def _read_texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise FormError("write a table of texts, in { }")
    return {str(key): _text(one, f"a text for {key}") for key, one in value.items()}


_FORMS: Mapping[object, str] = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    MonthDay: "a day of the month, 1 to 28",
    Reachable: 'a name or network, such as "pay.example" or "192.0.2.0/24"',
    float: "a number",
    Seconds: 'a time with a unit, such as "30s", "5m" or "2h"',
    Size: 'a size with a unit, such as "20MB" or "5GB"',
    Url: "an address with http:// or https:// and a host",
    FilePath: 'a full path, such as "/etc/edge-watchdog/token"',
    Ipv4: 'an IPv4 address, such as "198.51.100.1"',
    Ipv6: 'an IPv6 address, such as "2001:db8::1"',
    HostPort: 'an address and a port, such as "0.0.0.0:8080"',
    Ipv4Range: 'two addresses, such as "192.168.50.100-192.168.50.199"',
    HostName: 'a name, such as "desk.lotus.example"',
    Origin: 'a site, such as "http://homeassistant.local:8123"',
    TimeZone: 'a zone, such as "Europe/London"',
    Interface: 'a network interface, such as "eth0"',
    Hours: 'days and times, such as "Mon-Sat 09:00-19:00, Sun 10:00-16:00"',
}

_SAMPLES: Mapping[object, str] = {
    bool: "true",
    int: "1",
    MonthDay: "1",
    float: "1.0",
    Seconds: '"30s"',
    Size: '"20MB"',
    Url: '"https://host.example/"',
    FilePath: '"/etc/edge-watchdog/file"',
    Ipv4: '"198.51.100.1"',
    Ipv6: '"2001:db8::1"',
    HostPort: '"0.0.0.0:8080"',
    Ipv4Range: '"192.168.50.100-192.168.50.199"',
}

_READERS = cast(
    "Mapping[object, Callable[[object], object]]",
    {
        str: _read_text,
        bool: _read_bool,
        int: _read_int,
        MonthDay: _read_month_day,
        Reachable: _read_reachable,
        float: _read_float,
        Seconds: _read_seconds,
        Size: _read_size,
        Url: _read_url,
        FilePath: _read_path,
        Ipv4: _read_ipv4,
        Ipv6: _read_ipv6,
        HostPort: _read_host_port,
        Ipv4Range: _read_ipv4_range,
        HostName: _read_host_name,
        Origin: _read_origin,
        TimeZone: _read_time_zone,
        Interface: _read_interface,
        Hours: _read_hours,
    },
)
