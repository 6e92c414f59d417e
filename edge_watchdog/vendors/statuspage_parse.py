"""Atlassian Statuspage, page API v2: the bytes of summary.json become a Reading.

Pure.  "All systems operational" is not evidence: the verdict is the worst of the watched leaf
components, the open incidents that touch them and the active maintenance that touches them.  What
is not understood is UNKNOWN with a reason; it never passes for operational, and never hides an
outage that was understood.  Format: https://metastatuspage.com/api/v2.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge_watchdog.core.model import VendorLevel, Window

L = VendorLevel
ORDER = (
    L.OPERATIONAL,
    L.NOTICE,
    L.MAINTENANCE,
    L.DEGRADED,
    L.PARTIAL_OUTAGE,
    L.MAJOR_OUTAGE,
)
COMPONENT: Mapping[str, VendorLevel] = {
    "operational": L.OPERATIONAL,
    "under_maintenance": L.MAINTENANCE,
    "degraded_performance": L.DEGRADED,
    "partial_outage": L.PARTIAL_OUTAGE,
    "major_outage": L.MAJOR_OUTAGE,
    "full_outage": L.MAJOR_OUTAGE,  # incident.io's compatible pages
}
IMPACT: Mapping[str, VendorLevel] = {
    "none": L.NOTICE,
    "maintenance": L.MAINTENANCE,
    "minor": L.DEGRADED,
    "major": L.PARTIAL_OUTAGE,
    "critical": L.MAJOR_OUTAGE,
}
OPEN = frozenset({"investigating", "identified", "monitoring"})
CLOSED = frozenset({"resolved", "postmortem"})
ACTIVE = frozenset({"in_progress", "verifying"})
TITLE_CHARACTERS = 160

Json = Mapping[str, object]


class ShapeError(Exception):
    """The page is not what its format says; the message is the reason code and the place."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one summary said; *pinned* are the ids of the watched components, by what was asked."""

    level: VendorLevel
    title: str = ""
    started_wall: float | None = None
    windows: tuple[Window, ...] = ()
    reason: str = ""
    pinned: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that speaks for a level."""

    level: VendorLevel
    title: str
    started_wall: float | None = None


def parse(data: bytes, watched: Sequence[str] = (), pinned: Mapping[str, str] = {}) -> Reading:
    """Read a summary.json.

    *watched*: ids or names of components; empty means all of them.  *pinned*: ids found earlier
    for names in *watched*, so that a renamed component is not confused with another.
    """
    try:
        body = _object(_load(data), "the page")
        return _Summary(body, watched, pinned).read()
    except ShapeError as error:
        return Reading(L.UNKNOWN, reason=str(error))


class _Summary:
    """One summary while it is read; doubts are collected, not raised."""

    def __init__(self, body: Json, watched: Sequence[str], pinned: Mapping[str, str]) -> None:
        _object(body.get("page"), "page")
        self._components = _by_id(_objects(body, "components"), "components")
        self._incidents = _by_id(_objects(body, "incidents"), "incidents")
        maintenances = _objects(body, "scheduled_maintenances")
        self._maintenances = _by_id(maintenances, "scheduled_maintenances")
        self._doubts: list[str] = []
        self._everything = not watched
        self._pinned: dict[str, str] = {}
        self._watched = self._choose(watched, pinned)

    def read(self) -> Reading:
        """Give the verdict."""
        components = self._component_claims()
        incidents, elsewhere = self._incident_claims()
        windows, active = self._windows()
        level = _worst([*incidents, *active, *components])
        if self._doubts and _rank(level) < _rank(L.DEGRADED):
            return Reading(L.UNKNOWN, windows=windows, reason=self._doubts[0], pinned=self._pinned)
        if level is L.OPERATIONAL:
            title = f"elsewhere: {elsewhere[0]}" if elsewhere else ""
            return Reading(level, title, windows=windows, pinned=self._pinned)
        # an incident explains better than a component's state, however grave that is
        told = incidents if _rank(_worst(incidents)) >= _rank(L.DEGRADED) else []
        told = told or [c for c in (*incidents, *active, *components) if c.level is level]
        gravest = [c for c in told if c.level is _worst(told)]
        times = [c.started_wall for c in gravest if c.started_wall is not None]
        return Reading(
            level, gravest[0].title, min(times, default=None), windows, pinned=self._pinned
        )

    # -- which components count

    def _choose(self, watched: Sequence[str], pinned: Mapping[str, str]) -> frozenset[str]:
        leaves = {i for i, c in self._components.items() if not c.get("group")}
        if self._everything:
            if not leaves:
                raise ShapeError("no_components")
            return frozenset(leaves)
        chosen: set[str] = set()
        for wanted in watched:
            ident = self._find(wanted, pinned.get(wanted), leaves)
            if ident is not None:
                self._pinned[wanted] = ident
                chosen |= {ident} | self._members(ident)
        return frozenset(chosen)

    def _find(self, wanted: str, pinned: str | None, leaves: set[str]) -> str | None:
        for ident in (pinned, wanted):
            if ident is not None and ident in self._components:
                return ident
        if pinned is None:
            named = [i for i, c in self._components.items() if c.get("name") == wanted]
            # a group may be named as its leaf: the leaf is meant
            named = [i for i in named if i in leaves] or named
            if len(named) == 1:
                return named[0]
            if named:
                self._doubts.append(f"component_ambiguous: {_clean(wanted)}")
                return None
        self._doubts.append(f"component_missing: {_clean(wanted)}")
        return None

    def _members(self, ident: str) -> set[str]:
        return {i for i, c in self._components.items() if c.get("group_id") == ident}

    # -- what speaks for a level

    def _component_claims(self) -> list[Claim]:
        claims = []
        for ident in self._components:
            if ident not in self._watched:
                continue
            component = self._components[ident]
            status = _clean(component.get("status"))
            level = COMPONENT.get(status)
            if level is None:
                self._doubts.append(f"unknown_enum: component status {status}")
            elif level is not L.OPERATIONAL:
                claims.append(Claim(level, f"{_clean(component.get('name'))}: {level}"))
        return claims

    def _incident_claims(self) -> tuple[list[Claim], list[str]]:
        claims, elsewhere = [], []
        for incident in self._incidents.values():
            status, impact = _clean(incident.get("status")), _clean(incident.get("impact"))
            if status in CLOSED:
                continue
            name = _clean(incident.get("name"))
            if not self._touches(incident):
                elsewhere.append(name)
                continue
            level = IMPACT.get(impact)
            if status not in OPEN or level is None:
                what = status if status not in OPEN else impact
                self._doubts.append(f"unknown_enum: incident {what}")
                continue
            title = f"{name} (monitoring)" if status == "monitoring" else name
            started = _time(incident, "started_at") or _time(incident, "created_at")
            claims.append(Claim(level, title, started))
        return claims, elsewhere

    def _windows(self) -> tuple[tuple[Window, ...], list[Claim]]:
        windows, claims = [], []
        for ident, item in self._maintenances.items():
            status = _clean(item.get("status"))
            if status == "completed" or status in CLOSED or not self._touches(item):
                continue
            if status not in ACTIVE and status != "scheduled":
                self._doubts.append(f"unknown_enum: maintenance {status}")
                continue
            start, end = _time(item, "scheduled_for"), _time(item, "scheduled_until")
            if start is None:
                raise ShapeError("unexpected_shape: a maintenance without scheduled_for")
            end = end if end is not None and end >= start else None
            title = _clean(item.get("name"))
            windows.append(Window(_clean(ident), title, start, end, status in ACTIVE))
            if status in ACTIVE:
                claims.append(Claim(L.MAINTENANCE, title, start))
        return tuple(sorted(windows, key=lambda w: w.start_wall)), claims

    def _touches(self, item: Json) -> bool:
        """Tell whether *item* is about a watched component; one that names none is about all."""
        named = {str(c.get("id")) for c in _objects(item, "components", optional=True)}
        for update in _objects(item, "incident_updates", optional=True):
            affected = _objects(update, "affected_components", optional=True)
            named |= {str(component.get("code")) for component in affected}
        return self._everything or not named or bool(named & self._watched)


def _rank(level: VendorLevel) -> int:
    return ORDER.index(level)


def _worst(claims: Sequence[Claim]) -> VendorLevel:
    return max((claim.level for claim in claims), key=_rank, default=L.OPERATIONAL)


def _load(data: bytes) -> object:
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ShapeError("not_json") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _object(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise ShapeError(f"unexpected_shape: {place}")
    return value


def _objects(body: Json, key: str, *, optional: bool = False) -> list[Json]:
    value = body.get(key)
    if value is None and optional:
        return []
    if not isinstance(value, list):
        raise ShapeError(f"unexpected_shape: {key}")
    return [_object(item, key) for item in value]


def _by_id(items: list[Json], place: str) -> dict[str, Json]:
    known: dict[str, Json] = {}
    for item in items:
        ident = item.get("id")
        if not isinstance(ident, str) or not ident:
            raise ShapeError(f"unexpected_shape: {place} without an id")
        if ident in known:
            raise ShapeError(f"duplicate_id: {place}")
        known[ident] = item
    return known


def _time(item: Json, key: str) -> float | None:
    text = item.get(key)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise ShapeError(f"unexpected_shape: {key}") from error
    if moment.tzinfo is None:
        raise ShapeError(f"unexpected_shape: {key} without an offset")
    return moment.timestamp()


def _clean(value: object) -> str:
    """Give one line of printable text; markup stays, faces escape it."""
    text = value if isinstance(value, str) else "" if value is None else f"{value!r:.40}"
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1] + "…"
