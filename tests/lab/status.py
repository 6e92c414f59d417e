"""The vendor's status page, in the exact shape of Atlassian Statuspage's page API, version 2.

In: how the page behaves ("incident", "maintenance", "planned", "") and the time the behaviour
began.  Out: the body of /api/v2/summary.json and of its parts.  The same input gives the same
bytes, so that ETags stay.
"""

import datetime as dt
from typing import Any

PAGE_ID = "bw5k2lq8z1x7"
LEAVES = (("c0app0000001", "Booking app"), ("c0pay0000002", "Card payments"))
GROUP = ("c0grp0000003", "Reminders")
GROUPED = (("c0sms0000004", "SMS reminders"), ("c0eml0000005", "E-mail reminders"))
APP_ID = LEAVES[0][0]
INCIDENT_ID, MAINTENANCE_ID, PLAN_ID = "i0big0000001", "m0win0000001", "m0win0000002"

Json = dict[str, Any]


def summary(words: frozenset[str], since: dt.datetime) -> Json:
    """Give the body of /api/v2/summary.json."""
    incident, maintenance = "incident" in words, "maintenance" in words
    state = "operational"
    if incident:
        state = "major_outage"
    elif maintenance:
        state = "under_maintenance"
    indicator, description = _rollup(words)
    works = [a_maintenance(since)] if maintenance else []
    body: Json = {
        "page": page(since),
        "components": components(state, since),
        "incidents": [an_incident(since)] if incident else [],
        "scheduled_maintenances": works + [a_plan(since)] * ("planned" in words),
        "status": {"indicator": indicator, "description": description},
    }
    if "unknown_enum" in words:
        body["status"]["indicator"] = "catastrophic"
        body["components"][0]["status"] = "on_fire"
    return body


def _rollup(words: frozenset[str]) -> tuple[str, str]:
    if "incident" in words:
        return "critical", "Major Service Outage"
    if "maintenance" in words:
        return "maintenance", "Service Under Maintenance"
    return "none", "All Systems Operational"


def page(since: dt.datetime) -> Json:
    """Give the page block that every answer begins with."""
    return {
        "id": PAGE_ID,
        "name": "BookWell",
        "url": "https://status.bookwell.example",
        "time_zone": "Etc/UTC",
        "updated_at": stamp(since),
    }


def components(app_state: str, since: dt.datetime) -> list[Json]:
    """Give all components; only the booking app has another state than operational."""
    made = [_component(c, app_state if c[0] == APP_ID else "operational", since) for c in LEAVES]
    header = _component(GROUP, "operational", since)
    header |= {"group": True, "components": [c[0] for c in GROUPED]}
    grouped = [_component(c, "operational", since) | {"group_id": GROUP[0]} for c in GROUPED]
    return [c | {"position": n} for n, c in enumerate([*made, header, *grouped], start=1)]


def _component(ident: tuple[str, str], state: str, since: dt.datetime) -> Json:
    return {
        "id": ident[0],
        "name": ident[1],
        "status": state,
        "created_at": "2024-02-05T09:14:02.118Z",
        "updated_at": stamp(since),
        "position": 1,
        "description": None,
        "showcase": True,
        "start_date": "2024-02-05",
        "group_id": None,
        "page_id": PAGE_ID,
        "group": False,
        "only_show_if_degraded": False,
    }


def an_incident(since: dt.datetime) -> Json:
    """Give an unresolved incident with major outage of the booking app."""
    identified = since + dt.timedelta(minutes=2)
    updates = [
        _update("u2", INCIDENT_ID, "identified", "A fault in our database was found.", identified),
        _update("u1", INCIDENT_ID, "investigating", "The booking app does not respond.", since),
    ]
    return {
        "id": INCIDENT_ID,
        "name": "Booking app unavailable",
        "status": "identified",
        "created_at": stamp(since),
        "updated_at": stamp(identified),
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "critical",
        "shortlink": "https://stspg.example/i0big",
        "started_at": stamp(since),
        "page_id": PAGE_ID,
        "incident_updates": updates,
        "components": components("major_outage", since)[:1],
        "reminder_intervals": None,
    }


def a_maintenance(since: dt.datetime) -> Json:
    """Give a maintenance in progress that lasts an hour."""
    note = "We move to larger servers. Your data is safe."
    return {
        "id": MAINTENANCE_ID,
        "name": "Planned database work",
        "status": "in_progress",
        "created_at": stamp(since - dt.timedelta(days=3)),
        "updated_at": stamp(since),
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "maintenance",
        "shortlink": "https://stspg.example/m0win",
        "started_at": stamp(since - dt.timedelta(days=3)),
        "page_id": PAGE_ID,
        "incident_updates": [_update("u3", MAINTENANCE_ID, "in_progress", note, since)],
        "components": components("under_maintenance", since)[:1],
        "reminder_intervals": None,
        "scheduled_for": stamp(since),
        "scheduled_until": stamp(since + dt.timedelta(hours=1)),
    }


def a_plan(since: dt.datetime) -> Json:
    """Give a maintenance that begins half an hour later and lasts an hour."""
    begins = since + dt.timedelta(minutes=30)
    note = "We will move to larger servers."
    return a_maintenance(since) | {
        "id": PLAN_ID,
        "status": "scheduled",
        "started_at": None,
        "incident_updates": [_update("u4", PLAN_ID, "scheduled", note, since)],
        "components": components("operational", since)[:1],
        "scheduled_for": stamp(begins),
        "scheduled_until": stamp(begins + dt.timedelta(hours=1)),
    }


def _update(ident: str, parent: str, state: str, body: str, at: dt.datetime) -> Json:
    return {
        "id": f"{ident}0000000000"[:12],
        "status": state,
        "body": body,
        "incident_id": parent,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "display_at": stamp(at),
        "affected_components": [
            {
                "code": APP_ID,
                "name": LEAVES[0][1],
                "old_status": "operational",
                "new_status": "major_outage",
            }
        ],
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def stamp(at: dt.datetime) -> str:
    """Write a time as Statuspage does: three fractional digits and Z."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def part(path: str, whole: Json) -> Json | None:
    """Give the body of another address of the API, cut out of the summary, or None (404)."""
    kept = {
        "summary.json": ("components", "incidents", "scheduled_maintenances", "status"),
        "status.json": ("status",),
        "components.json": ("components",),
        "incidents.json": ("incidents",),
        "incidents/unresolved.json": ("incidents",),
        "scheduled-maintenances.json": ("scheduled_maintenances",),
        "scheduled-maintenances/upcoming.json": (),
        "scheduled-maintenances/active.json": ("scheduled_maintenances",),
    }.get(path)
    if kept is None:
        return None
    body = {key: whole[key] for key in ("page", *kept)}
    return body | {"scheduled_maintenances": []} if path.endswith("upcoming.json") else body
