"""Status pages in the published format (Statuspage page API v2), one oddity at a time."""

import json
from typing import Any

Json = dict[str, Any]

APP, PAY, GROUP, SMS = "c0app0000001", "c0pay0000002", "c0grp0000003", "c0sms0000004"
NOON = 1_780_488_000.0  # 2026-06-03T12:00:00Z


def component(ident: str, name: str, status: object = "operational", **more: object) -> Json:
    return {
        "id": ident,
        "name": name,
        "status": status,
        "created_at": "2024-02-05T09:14:02.118Z",
        "updated_at": "2026-06-03T11:40:00.001Z",
        "position": 1,
        "description": None,
        "showcase": True,
        "start_date": None,
        "group_id": None,
        "page_id": "bw5k2lq8z1x7",
        "group": False,
        "only_show_if_degraded": False,
        **more,
    }


def incident(*touched: str, **more: object) -> Json:
    return {
        "id": "i0big0000001",
        "name": "Bookings fail to save",
        "status": "investigating",
        "created_at": "2026-06-03T12:00:00.000Z",
        "updated_at": "2026-06-03T12:05:00.000Z",
        "monitoring_at": None,
        "resolved_at": None,
        "impact": "major",
        "shortlink": "https://stspg.example/x1",
        "started_at": "2026-06-03T12:00:00.000Z",
        "page_id": "bw5k2lq8z1x7",
        "reminder_intervals": None,
        "incident_updates": [],
        "components": [component(ident, "named") for ident in touched],
        **more,
    }


def maintenance(*touched: str, **more: object) -> Json:
    return incident(
        *touched,
        **{
            "id": "m0win0000001",
            "name": "Database upgrade",
            "status": "scheduled",
            "impact": "maintenance",
            "scheduled_for": "2026-06-03T22:00:00.000Z",
            "scheduled_until": "2026-06-03T23:30:00.000Z",
            **more,
        },
    )


def leaves(app: str = "operational", pay: str = "operational") -> list[Json]:
    return [
        component(APP, "Booking app", app),
        component(PAY, "Card payments", pay),
        component(GROUP, "Reminders", group=True, components=[SMS]),
        component(SMS, "SMS reminders", group_id=GROUP),
    ]


def page(**parts: object) -> Json:
    return {
        "page": {
            "id": "bw5k2lq8z1x7",
            "name": "BookWell",
            "url": "https://status.bookwell.example",
            "time_zone": "Europe/London",
            "updated_at": "2026-06-03T11:40:00.001Z",
        },
        "components": leaves(),
        "incidents": [],
        "scheduled_maintenances": [],
        "status": {"indicator": "none", "description": "All Systems Operational"},
        **parts,
    }


def summary(**parts: object) -> bytes:
    return json.dumps(page(**parts)).encode()
