"""A recording as text that a person can read, cut and keep as a test; and back.

    # Broadband went away at a quarter past nine.
    @ began 2026-11-21T09:14:05.000Z mono 5123.250
    @ state eJyrVipKLUvMUbJS...
    09:14:05.250 link_changed broadband present=true carrier=false
    09:14:05.300 sampled broadband internet "icmp 198.51.100.1" 0/1 ago=0.8 finding=silent
      > RouteVia id=1 uplink=phone

The time of day is UTC, counted by CLOCK_BOOTTIME from where the story began; "@ wall +3600.000"
says that the wall clock differs from that by so many seconds from here on.  Fields that have their
default are left out, *ago* is how many seconds before the line something was; samples of one event
are parted by "|".  Pure text functions: nothing is read or written here.
"""

import base64
import dataclasses
import functools
import json
import re
import typing
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_watchdog.core.actions import Action
from edge_watchdog.core.codec import CodecError, decode_one_of, encode
from edge_watchdog.core.events import Event, Sampled
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import Sample
from edge_watchdog.journal.errors import JournalError

NOTED_DRIFT_S = 0.05  # wall against boot time; network time slews by less between two lines
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
STATE_COLUMNS = 90
PART = ("|", None)  # between two samples; no key is called so
NOT_TOLD = frozenset({"body", "steps", "since_wall", "said_wall"})  # of an alert: it would be long
KINDS: Mapping[str, type] = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in typing.get_args(Event)
}
_LINE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)\.(\d{3}) ([a-z_]+)(?: (.*))?")
_BEGAN = re.compile(r"began (\S+)Z mono (-?\d+\.\d+)")
_BARE = re.compile(r"(?!(?:true|false|null|NaN|Infinity)$)[A-Za-z_][A-Za-z0-9_.:/+-]*")
_KEY = re.compile(r"([a-z_]+)=")


@dataclass(frozen=True, slots=True)
class Story:
    """What a story text holds.

    *notes*: the lines after "#".  *state*: codec's data, None = not given.  *decisions*: the lines
    after ">" that follow each event.
    """

    notes: tuple[str, ...] = ()
    state: object = None
    events: tuple[Event, ...] = ()
    decisions: tuple[tuple[str, ...], ...] = ()


class StoryClock:
    """Turns instants into times of day and back; each writer or reader has one of its own."""

    def __init__(self, began: Instant) -> None:
        self._mono = began.mono
        self._began_ms = self._reached_ms = round(began.wall * 1000)
        self.drift_s = 0.0  # of the wall against boot time, since the story began

    def column(self, at: Instant) -> str:
        """Give the time of day of *at*, to the millisecond."""
        ms = (self._began_ms + round((at.mono - self._mono) * 1000)) % DAY_MS
        hours, minutes, seconds = ms // HOUR_MS, ms // 60_000 % 60, ms // 1000 % 60
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{ms % 1000:03d}"

    def drift_of(self, at: Instant) -> float:
        """Give by how many seconds the wall at *at* is ahead of where boot time puts it."""
        return at.wall - self._began_ms / 1000 - (at.mono - self._mono)

    def instant(self, column_ms: int) -> Instant:
        """Give the instant of a time of day: lines go at most an hour back and 23 hours on."""
        away_ms = (column_ms - self._reached_ms + HOUR_MS) % DAY_MS - HOUR_MS
        self._reached_ms += away_ms
        lasted_s = (self._reached_ms - self._began_ms) / 1000
        return Instant(self._mono + lasted_s, self._began_ms / 1000 + lasted_s + self.drift_s)


def write_story(events: Iterable[tuple[Event, Sequence[Action]]], state: object) -> Iterator[str]:
    """Give the lines of a story: each event with its decisions, oldest first.

    *state* is codec's data of the state before it, None to leave it out.
    """
    clock: StoryClock | None = None
    for event, actions in events:
        if clock is None:
            clock = StoryClock(event.at)
            wall = datetime.fromtimestamp(round(event.at.wall, 3), UTC).replace(tzinfo=None)
            began = wall.isoformat(timespec="milliseconds")
            yield f"@ began {began}Z mono {event.at.mono:.6f}"
            yield from _state_lines(state)
        drift_s = clock.drift_of(event.at)
        if abs(drift_s - clock.drift_s) > NOTED_DRIFT_S:
            clock.drift_s = round(drift_s, 3)
            yield f"@ wall {clock.drift_s:+.3f}"
        yield f"{clock.column(event.at)} {event_text(event)}".rstrip()
        yield from (f"  > {action_text(action)}" for action in actions)


def _state_lines(state: object) -> Iterator[str]:
    if state is None:
        return
    packed = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), 9)
    text = base64.b64encode(packed).decode()
    for start in range(0, len(text), STATE_COLUMNS):
        yield f"@ state {text[start : start + STATE_COLUMNS]}"


def event_text(event: Event) -> str:
    """Write the kind and the fields of *event*, without its time."""
    kind = next(name for name, one in KINDS.items() if isinstance(event, one))
    if isinstance(event, Sampled):
        return f"{kind} " + " | ".join(_sample_text(sample, event.at) for sample in event.samples)
    return " ".join([kind, *_field_texts(event, event.at)])


def action_text(action: Action) -> str:
    """Write an action as one line for people."""
    texts = (t for t in _field_texts(action, None) if t.partition("=")[0] not in NOT_TOLD)
    return " ".join([type(action).__name__, *texts])


def _sample_text(sample: Sample, now: Instant) -> str:
    head = ("uplink", "layer", "target", "sent", "lost", "type")
    rest = (t for t in _field_texts(sample, now) if t.partition("=")[0] not in head)
    names = (_value_text(v) for v in (sample.uplink, sample.layer.value, sample.target))
    return " ".join([*names, f"{sample.sent - sample.lost}/{sample.sent}", *rest])


def _field_texts(value: object, now: Instant | None) -> Iterator[str]:
    """Give "key=value" for what is not the default; a dataclass inside is spread out."""
    if not dataclasses.is_dataclass(value):
        return
    for field in dataclasses.fields(value):
        one = getattr(value, field.name)
        if isinstance(one, Instant):
            ago_s = round(now.since(one), 6) if now is not None else 0.0
            if ago_s:
                yield f"ago={_value_text(ago_s)}"
        elif dataclasses.is_dataclass(one):
            yield from _field_texts(one, now)
        elif one != field.default:
            yield f"{field.name}={_value_text(_untyped(encode(one)))}"


def _untyped(data: object) -> object:
    if isinstance(data, dict):
        return {key: _untyped(item) for key, item in data.items() if key != "type"}
    return [_untyped(item) for item in data] if isinstance(data, list) else data


def _value_text(data: object) -> str:
    if isinstance(data, str) and _BARE.fullmatch(data):
        return data
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def read_story(text: str) -> Story:
    """Read what write_story() gave, or what a person wrote; raises JournalError naming the line."""
    notes: list[str] = []
    packed, clock = "", None
    events: list[Event] = []
    decisions: list[list[str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            match line[:1], line.split():
                case _, []:
                    continue
                case "#", _:
                    notes.append(line[1:].strip())
                case "@", ["@", "began", *_]:
                    clock = StoryClock(_read_began(line[2:]))
                case "@", ["@", "state", part]:
                    packed += part
                case "@", ["@", "wall", drift] if clock:
                    clock.drift_s = float(drift)
                case _, [">", *_] if decisions:
                    decisions[-1].append(line.strip()[1:].strip())
                case _ if clock:
                    events.append(_read_event(line, clock))
                    decisions.append([])
                case _:
                    raise JournalError('a story needs "@ began ..." before its first event')  # noqa: TRY301 - all lines fail the same way
        except (JournalError, ValueError) as error:
            raise JournalError(f"line {number}: {error}") from error
    return Story(tuple(notes), _read_state(packed), tuple(events), tuple(map(tuple, decisions)))


def _read_began(text: str) -> Instant:
    found = _BEGAN.fullmatch(text.strip())
    if found is None:
        raise JournalError('write "@ began 2026-11-21T09:14:05.000Z mono 5123.250"')
    wall = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return Instant(float(found[2]), wall.timestamp())


def _read_state(packed: str) -> object:
    if not packed:
        return None
    try:
        return json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
    except (ValueError, zlib.error) as error:
        raise JournalError(f"the state is not readable: {error}") from error


def _read_event(line: str, clock: StoryClock) -> Event:
    found = _LINE.fullmatch(line.strip())
    if found is None:
        raise JournalError('write "HH:MM:SS.mmm kind key=value ..."')
    hours, minutes, seconds, ms = (int(found[i]) for i in range(1, 5))
    kind = KINDS.get(found[5])
    if kind is None:
        raise JournalError(f"no such kind of event: {found[5]}; known: {', '.join(KINDS)}")
    at = clock.instant(((hours * 60 + minutes) * 60 + seconds) * 1000 + ms)
    fields = _read_samples if kind is Sampled else functools.partial(_read_fields, kind)
    data = {"type": kind.__name__, "at": encode(at), **fields(found[6] or "", at)}
    event = decode_one_of(Event, data)
    if not isinstance(event, Event):
        raise CodecError("not an event")
    return event


def _read_samples(text: str, at: Instant) -> Mapping[str, object]:
    samples, group = [], []
    for token in [*_tokens(text), PART]:
        if token is not PART:
            group.append(token)
            continue
        if group:
            samples.append(_read_sample(group, at))
        group = []
    return {"samples": samples}


def _read_sample(group: Sequence[tuple[str | None, object]], at: Instant) -> object:
    heads = [value for key, value in group if key is None]
    answered, slash, sent = str(heads[-1]).partition("/") if heads else ("", "", "")
    if len(heads) != 4 or not slash:
        raise JournalError('write a sample as: uplink layer "target" answered/sent key=value ...')
    fields = {key: value for key, value in group if key is not None}
    names = dict(zip(("uplink", "layer", "target"), heads, strict=False))
    count = {"sent": int(sent), "lost": int(sent) - int(answered)}
    return {**names, **count, **_dated(fields, at)}


def _read_fields(kind: type, text: str, at: Instant) -> Mapping[str, object]:
    """Read "key=value" pairs; those that *kind* does not have belong to the dataclass inside it."""
    fields: dict[str, object] = {}
    for key, value in _tokens(text):
        if key is None or key == "|":
            raise JournalError(f"write key=value, not {value}")
        fields[key] = value
    hints = typing.get_type_hints(kind)
    inner = [n for n, h in hints.items() if dataclasses.is_dataclass(h) and h is not Instant]
    if not inner:
        return fields
    outer = {key: fields.pop(key) for key in list(fields) if key in hints}
    (name,) = inner
    has_at = "at" in typing.get_type_hints(hints[name])
    return {**outer, name: _dated(fields, at) if has_at else fields}


def _dated(fields: dict[str, object], at: Instant) -> Mapping[str, object]:
    ago_s = fields.pop("ago", 0.0)
    if not isinstance(ago_s, (int, float)):
        raise JournalError(f"ago is a number of seconds, not {ago_s}")
    return {**fields, "at": encode(at.plus(-ago_s))}


def _tokens(text: str) -> Iterator[tuple[str | None, object]]:
    """Cut at blanks into key and value; a value is JSON, or a bare word."""
    place = 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        if text[place] == "|" and text[place : place + 2].strip() == "|":
            place += 1
            yield PART
            continue
        key = _KEY.match(text, place)
        place = key.end() if key else place
        value, place = _value(text, place)
        yield key[1] if key else None, value


def _value(text: str, place: int) -> tuple[object, int]:
    try:
        value, end = json.JSONDecoder().raw_decode(text, place)
        if end == len(text) or text[end] == " ":
            return value, end
    except ValueError:
        pass  # then it is a bare word
    end = text.find(" ", place)
    end = len(text) if end < 0 else end
    return text[place:end], end
