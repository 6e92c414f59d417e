"""The whole file as TOML tables in, a Config out; every problem is noted on the way."""

from collections.abc import Mapping
from typing import cast

from edge_watchdog.config.forms import nearest
from edge_watchdog.config.journal_keys import Journal
from edge_watchdog.config.line_keys import (
    BUILT_IN_ANCHORS,
    AnchorKeys,
    MeteredKeys,
    Probe,
    Timing,
    UplinkConfig,
    UplinkKeys,
)
from edge_watchdog.config.people_keys import AlertConfig, AlertKeys, Contacts, Desk, Printing
from edge_watchdog.config.place_keys import Box, Studio
from edge_watchdog.config.registries import Registries
from edge_watchdog.config.stanzas import Config, Outline
from edge_watchdog.config.tables import Problem, note_twice, read_kind, read_table, tables
from edge_watchdog.config.vendor_keys import KindOnly, Schedule, ScheduleKeys, Vendor, VendorKeys
from edge_watchdog.core.model import Anchor, Mode, Uplink, UplinkKind
from edge_watchdog.core.policy import Plan

ANCHORS_WANTED = 4
OPERATORS_WANTED = 3
TABLES = (
    "studio",
    "box",
    "probe",
    "vendor",
    "desk",
    "mqtt",
    "timing",
    "contacts",
    "print",
    "metered",
    "journal",
)
LISTS = ("uplink", "anchor", "schedule", "alert")


def read_outline(raw: Mapping[str, object], problems: list[Problem]) -> Outline | None:
    """Read [studio] and [box] only; None when *problems* grew."""
    studio = read_table(Studio, raw.get("studio", {}), "[studio]", problems)
    box = _read_box(raw.get("box", {}), problems)
    return Outline(studio, box) if studio and box else None


def read_config(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> Config | None:
    """Read the file's tables; the Config may be used only when *problems* stayed empty."""
    sections = (*TABLES, *LISTS)
    strange = (key for key in raw if key not in sections)
    problems += [Problem(f"[{key}]", f"no such table; {nearest(key, sections)}") for key in strange]
    studio = read_table(Studio, raw.get("studio", {}), "[studio]", problems)
    box = _read_box(raw.get("box", {}), problems)
    uplinks = _read_uplinks(raw, known, problems)
    anchors = _read_anchors(raw, problems)
    probe = _read_probe(raw.get("probe", {}), problems)
    vendor = _read_vendor(raw, known, problems)
    schedules = _read_schedules(raw, known, problems)
    desk = read_table(Desk, raw.get("desk", {}), "[desk]", problems)
    mqtt = _read_mqtt(raw, known, problems)
    alerts = _read_alerts(raw, known, problems)
    timing = read_table(Timing, raw.get("timing", {}), "[timing]", problems)
    journal = read_table(Journal, raw.get("journal", {}), "[journal]", problems)
    contacts = read_table(Contacts, raw.get("contacts", {}), "[contacts]", problems)
    metered = read_table(MeteredKeys, raw.get("metered", {}), "[metered]", problems)
    printing = read_table(Printing, raw.get("print", {}), "[print]", problems)
    if studio is None or box is None or probe is None or desk is None or timing is None:
        return None
    return Config(
        studio,
        uplinks,
        box,
        anchors,
        probe,
        vendor,
        schedules,
        desk,
        mqtt,
        alerts,
        timing,
        contacts or Contacts(),
        printing or Printing(),
        metered or MeteredKeys(),
        journal or Journal(),
    )


def _read_box(raw: object, problems: list[Problem]) -> Box | None:
    box = read_table(Box, raw, "[box]", problems)
    if box is not None and box.mode is Mode.GATEWAY and not box.lan_interfaces:
        message = 'is missing; mode "gateway" routes what comes in there'
        problems.append(Problem("[box] lan_interfaces", message))
    return box


def _read_uplinks(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> tuple[UplinkConfig, ...]:
    read = []
    found = tables(raw, "uplink", problems)
    for place, table in found:
        pair = read_kind(UplinkKeys, known.drivers, table, place=place, problems=problems)
        if pair is not None:
            keys, options = pair
            uplink = Uplink(keys.name, UplinkKind(keys.kind), keys.interface, metered=keys.metered)
            read.append(UplinkConfig(uplink, options, _plan(keys), keys.month_starts_on))
    if not found and "uplink" not in raw:
        problems.append(Problem("[[uplink]]", "is missing; write one for each way out"))
    note_twice(found, "name", problems)
    note_twice(found, "interface", problems)
    return tuple(read)


def _plan(keys: UplinkKeys) -> Plan | None:
    """Give what a metered line may carry; None for one that costs nothing."""
    if not keys.metered:
        return None
    return Plan(keys.monthly_cap, keys.probe_cap, keys.outage_budget, keys.when_used_up)


def _read_anchors(raw: Mapping[str, object], problems: list[Problem]) -> tuple[Anchor, ...]:
    if "anchor" not in raw:
        return BUILT_IN_ANCHORS
    found = tables(raw, "anchor", problems)
    read = [read_table(AnchorKeys, table, place, problems) for place, table in found]
    anchors = tuple(Anchor(one.operator, one.address, one.dns) for one in read if one is not None)
    note_twice(found, "address", problems)
    if len(found) < ANCHORS_WANTED:
        message = (
            f"{len(found)} given, {ANCHORS_WANTED} wanted; without any, built-in ones are asked"
        )
        problems.append(Problem("[[anchor]]", message))
    operators = {str(table.get("operator", "")).casefold() for _, table in found}
    if len(operators) < OPERATORS_WANTED:
        message = (
            f"{len(operators)} operators, {OPERATORS_WANTED} wanted: one's trouble is not ours"
        )
        problems.append(Problem("[[anchor]]", message))
    return anchors


def _read_probe(raw: object, problems: list[Problem]) -> Probe | None:
    probe = read_table(Probe, raw, "[probe]", problems)
    if probe is not None and not probe.web:
        problems.append(Problem("[probe] web = []", "name one page at least, or leave the key out"))
    return probe


def _read_vendor(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> Vendor | None:
    if "vendor" not in raw:
        return None
    keys = read_table(VendorKeys, raw["vendor"], "[vendor]", problems, also=("status",))
    status = None
    table = raw["vendor"]
    if isinstance(table, Mapping) and "status" in table:
        pair = read_kind(
            KindOnly, known.readers, table["status"], place="[vendor] status", problems=problems
        )
        status = pair[1] if pair else None
    return Vendor(keys.name, keys.app_url, keys.hosts, keys.ca_file, status) if keys else None


def _read_schedules(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> tuple[Schedule, ...]:
    read = []
    found = tables(raw, "schedule", problems)
    for place, table in found:
        pair = read_kind(ScheduleKeys, known.connectors, table, place=place, problems=problems)
        if pair is not None:
            keys, options = pair
            read.append(
                Schedule(
                    *(keys.name, keys.kind, keys.every, options, keys.keep, keys.budget),
                    keys.write_back,
                )
            )
    note_twice(found, "name", problems)
    return tuple(read)


def _read_alerts(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> tuple[AlertConfig, ...]:
    read = []
    for place, table in tables(raw, "alert", problems):
        pair = read_kind(AlertKeys, known.channels, table, place=place, problems=problems)
        if pair is not None:
            read.append(AlertConfig(pair[0].kind, pair[1]))
    return tuple(read)


def _read_mqtt(
    raw: Mapping[str, object], known: Registries, problems: list[Problem]
) -> object | None:
    if "mqtt" not in raw:
        return None
    if known.mqtt is None:
        problems.append(Problem("[mqtt]", "is not in this version"))
        return None
    return cast("object | None", read_table(known.mqtt, raw["mqtt"], "[mqtt]", problems))
